"""Deciding about a stage at its gate: asking for approval, approving, sending back, taking either back, taking no part.

All raise NoSuchPart for a stage that does not exist, and Blocked with every reason at once. `at` is aware, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.engine import deciders, guards, point_decisions, quorum
from app.engine import events as e
from app.engine.definition import StepPlan
from app.engine.errors import Blocked, Reason, SealBroken, refuse_if
from app.engine.people import Mandate, People
from app.engine.points import NewPoint, proposed
from app.engine.run import Run, StageInstance, StageRef, StageStatus, TextId, UserId
from app.engine.seal import seal


def _started_instance(run: Run, ref: StageRef, transition: str) -> StageInstance:
    instance = run.instance(ref)
    if instance is None:
        raise Blocked(transition, [Reason("not_started", stage=str(ref))])
    return instance


def request_approval(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    request: str,
    shown: str,
    message: TextId | None,
    by: UserId,
    at: datetime,
) -> e.ApprovalRequested:
    """`shown` is the seal of what the asker saw.  Raises SealBroken if the content changed since."""
    stage = guards.find_stage(plan, run, ref)
    instance = _started_instance(run, ref, "request_approval")
    reasons = [*guards.not_in_team(run, by)]
    if instance.status is StageStatus.SUBMITTED:
        reasons.append(Reason("already_requested", stage=str(ref)))
    elif instance.status is not StageStatus.OPEN:
        reasons.append(Reason("nothing_to_request", stage=str(ref)))
    reasons += guards.gate_open_points(stage, instance)
    refuse_if("request_approval", reasons)
    current = _check_shown(run, ref, shown)
    return e.ApprovalRequested(ref=ref, request=request, seal=current, message=message, by=by, at=at)


def withdraw_request(
    plan: StepPlan, run: Run, ref: StageRef, *, reason: TextId | None, by: UserId, at: datetime
) -> e.RequestWithdrawn:
    guards.find_stage(plan, run, ref)
    instance = _started_instance(run, ref, "withdraw_request")
    reasons = [*guards.not_in_team(run, by)]
    if instance.request is None:
        reasons.append(Reason("nothing_requested", stage=str(ref)))
    elif reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    refuse_if("withdraw_request", reasons)
    assert instance.request is not None
    return e.RequestWithdrawn(ref=ref, request=instance.request.id, is_work=True, reason=reason, by=by, at=at)


def decider_reasons(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime | None = None,
) -> list[Reason]:
    """Why this person cannot approve this stage or send it back now; with `mandate`, in the name of who is absent."""
    stage = guards.find_stage(plan, run, ref)
    instance = run.instance(ref)
    if instance is None or instance.request is None:
        return [Reason("nothing_requested", stage=str(ref))]
    return [
        *deciders.cannot_decide_on(
            stage, run.manager, instance, by=by, roles=roles, people=people, mandate=mandate, at=at
        )
    ]


def approver_reasons(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime | None = None,
) -> list[Reason]:
    """Why this person cannot approve this stage now. Who approved may still send back until the decision is final."""
    if reasons := decider_reasons(plan, run, ref, by=by, roles=roles, people=people, mandate=mandate, at=at):
        return reasons
    return [*deciders.already_approved_by(run.stages[ref], by, seal(run, ref), people, mandate)]


def _check_shown(run: Run, ref: StageRef, shown: str) -> str:
    """The seal of what stands there now.  Raises SealBroken if that is not what was shown."""
    current = seal(run, ref)
    if shown != current:
        raise SealBroken(str(ref), shown=shown, current=current)
    return current


def approve_stage(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    shown: str,
    remark: TextId | None,
    conditions: Sequence[NewPoint] = (),
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime,
) -> e.StageApproved:
    """Seals exactly what was shown, with the conditions added: each becomes an open point. Who else must agree, agrees
    with those conditions too.  Raises SealBroken if the content is no longer what was shown."""
    stage = guards.find_stage(plan, run, ref)
    reasons = approver_reasons(plan, run, ref, by=by, roles=roles, people=people, mandate=mandate, at=at)
    refuse_if("approve_stage", reasons)
    instance = run.stages[ref]
    request = instance.request
    assert request is not None
    _check_shown(run, ref, shown)
    refused = [*guards.gate_open_points(stage, instance), *point_decisions.condition_reasons(run, ref, conditions, at)]
    refuse_if("approve_stage", refused)
    points = (proposed(each, request.id, by=by, at=at) for each in conditions)
    sealed = seal(run.with_instance(replace(instance, points=(*instance.points, *points))), ref)
    as_roles = (mandate.roles if mandate else roles) & frozenset(stage.gate.approvers)
    earlier = deciders.standing_approvals(instance, sealed, people)
    voters = {**{each.by: frozenset(each.roles) for each in earlier}, by: as_roles}
    return e.StageApproved(
        ref=ref,
        request=request.id,
        seal=sealed,
        is_final=quorum.is_met(stage.gate, voters),
        remark=remark,
        conditions=tuple(conditions),
        roles=tuple(role for role in stage.gate.approvers if role in as_roles) if stage.gate.of_which else (),
        mandate=mandate.id if mandate else None,
        on_behalf_of=mandate.mandator if mandate else None,
        by=by,
        at=at,
    )


def send_back_stage(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    shown: str,
    findings: Mapping[str, TextId],
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime,
) -> e.StageSentBack:
    """Back to the team with a reason per step; the named steps are to be looked at again.

    Raises SealBroken if the content is no longer what was shown: a reason would be about something else."""
    stage = guards.find_stage(plan, run, ref)
    reasons = decider_reasons(plan, run, ref, by=by, roles=roles, people=people, mandate=mandate, at=at)
    if not findings:
        reasons.append(Reason("finding_missing", stage=str(ref)))
    refuse_if("send_back_stage", reasons)
    if unknown := sorted(set(findings) - set(stage.steps_by_id)):
        raise guards.NoSuchPart(f"{ref}/{unknown[0]}")
    request = run.stages[ref].request
    assert request is not None
    sealed = _check_shown(run, ref, shown)
    return e.StageSentBack(
        ref=ref,
        request=request.id,
        findings=dict(findings),
        seal=sealed,
        mandate=mandate.id if mandate else None,
        on_behalf_of=mandate.mandator if mandate else None,
        by=by,
        at=at,
    )


def withdrawer_reasons(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime | None = None,
) -> list[Reason]:
    """Why this person cannot take back the approval of this stage now; while others still decide, the own one, or the
    one that was given in this person's name. Raises Blocked for one that never began."""
    stage = guards.find_stage(plan, run, ref)
    instance = _started_instance(run, ref, "withdraw_approval")
    reasons = [
        *deciders.cannot_decide_on(
            stage, run.manager, instance, by=by, roles=roles, people=people, mandate=mandate, at=at
        )
    ]
    if instance.request is not None:
        if deciders.approval_to_take_back(instance, by, mandate) is None:
            reasons.append(Reason("not_approved", stage=str(ref)))
    elif instance.status is not StageStatus.APPROVED:
        reasons.append(Reason("not_approved", stage=str(ref)))
    elif run.latest(ref.stage, ref.domain) != instance:
        reasons.append(Reason("later_round_exists", stage=str(ref)))
    return reasons


def withdraw_approval(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    reason: TextId | None,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandate: Mandate | None = None,
    at: datetime,
) -> e.ApprovalWithdrawn:
    """Opens an approved stage again: what was approved stays readable and provable, the gate counts as not passed, and
    conditions that were not met lapse. While others still decide, it takes back one approval only: see
    `approval_to_take_back`."""
    reasons = withdrawer_reasons(plan, run, ref, by=by, roles=roles, people=people, mandate=mandate, at=at)
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    refuse_if("withdraw_approval", reasons)
    assert reason is not None
    approval = deciders.approval_to_take_back(run.stages[ref], by, mandate)
    return e.ApprovalWithdrawn(
        ref=ref,
        reason=reason,
        given_by=approval.by if approval and approval.by != by else None,
        mandate=mandate.id if mandate else None,
        on_behalf_of=mandate.mandator if mandate else None,
        by=by,
        at=at,
    )


def recuse(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    reason: TextId | None,
    by: UserId,
    roles: frozenset[str],
    people: People,
    mandates: Sequence[Mandate] = (),
    at: datetime,
) -> e.Recused:
    """Somebody who may decide takes no part in it, for instance because of an interest. `mandates`: those with which
    this person could decide too."""
    stage = guards.find_stage(plan, run, ref)
    instance = _started_instance(run, ref, "recuse")
    reasons = [
        *deciders.cannot_recuse(
            stage, run.manager, instance, by=by, roles=roles, people=people, mandates=mandates, at=at
        )
    ]
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    refuse_if("recuse", reasons)
    assert reason is not None
    return e.Recused(ref=ref, reason=reason, by=by, at=at)


def take_recusal_back(
    plan: StepPlan, run: Run, ref: StageRef, *, reason: TextId | None, by: UserId, at: datetime
) -> e.RecusalTakenBack:
    guards.find_stage(plan, run, ref)
    instance = _started_instance(run, ref, "take_recusal_back")
    reasons = [*deciders.cannot_take_recusal_back(instance, by)]
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    refuse_if("take_recusal_back", reasons)
    assert reason is not None
    return e.RecusalTakenBack(ref=ref, reason=reason, by=by, at=at)
