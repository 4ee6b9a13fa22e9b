"""Decisions: from a plan, a run and what somebody wants, to the event that records it, or to a refusal.

All raise NoSuchPart for a part that does not exist, and Blocked with every reason at once. `at` is aware, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.engine import deciders, guards, point_decisions, quorum
from app.engine import events as e
from app.engine.definition import StepPlan
from app.engine.errors import Blocked, Reason, SealBroken, StepChanged
from app.engine.people import Mandate, People
from app.engine.points import NewPoint, proposed
from app.engine.run import (
    AnswerMark,
    EvidenceForm,
    EvidenceId,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepStatus,
    TextId,
    UserId,
)
from app.engine.seal import seal


def _refuse_if(transition: str, reasons: Sequence[Reason]) -> None:
    if reasons:
        raise Blocked(transition, reasons)


def _started_instance(run: Run, ref: StageRef, transition: str) -> StageInstance:
    instance = run.instance(ref)
    if instance is None:
        raise Blocked(transition, [Reason("not_started", stage=str(ref))])
    return instance


# --- the run ---------------------------------------------------------------------------------------------------


def start_run(
    plan: StepPlan,
    run: str,
    *,
    name: TextId | None,
    purpose: TextId | None,
    domains: Sequence[str],
    team: Sequence[UserId],
    manager: UserId,
    earlier_run: str | None = None,
    by: UserId,
    at: datetime,
) -> e.RunStarted:
    """Domains are kept in the order of the plan; at least one is needed where a stage works per domain."""
    reasons = [*_name_reasons(name, purpose), *_domain_reasons(plan, domains), *_team_reasons(team)]
    _refuse_if("start_run", reasons)
    assert name is not None
    assert purpose is not None
    return e.RunStarted(
        run=run,
        plan_id=plan.id,
        plan_version=plan.version,
        plan_digest=plan.digest,
        name=name,
        purpose=purpose,
        domains=tuple(d.id for d in plan.domains if d.id in domains),
        team=tuple(dict.fromkeys(team)),
        manager=manager,
        earlier_run=earlier_run,
        by=by,
        at=at,
    )


def rename_run(*, name: TextId | None, purpose: TextId | None, by: UserId, at: datetime) -> e.RunRenamed:
    _refuse_if("rename_run", _name_reasons(name, purpose))
    assert name is not None
    assert purpose is not None
    return e.RunRenamed(name=name, purpose=purpose, by=by, at=at)


def _name_reasons(name: TextId | None, purpose: TextId | None) -> list[Reason]:
    given = {"run_name_missing": name, "run_purpose_missing": purpose}
    return [Reason(code) for code, text in given.items() if text is None]


def _domain_reasons(plan: StepPlan, domains: Sequence[str]) -> list[Reason]:
    reasons = [Reason("domain_unknown", params={"domain": d}) for d in domains if d not in plan.domains_by_id]
    if not domains and any(stage.is_per_domain for stage in plan.stages):
        reasons.append(Reason("domain_needed"))
    return reasons


def _team_reasons(team: Sequence[UserId]) -> list[Reason]:
    return [] if team else [Reason("team_empty")]


def change_team(run: Run, *, team: Sequence[UserId], manager: UserId, by: UserId, at: datetime) -> e.TeamChanged:
    _refuse_if("change_team", _team_reasons(team))
    return e.TeamChanged(team=tuple(dict.fromkeys(team)), manager=manager, by=by, at=at)


def change_domains(plan: StepPlan, run: Run, *, domains: Sequence[str], by: UserId, at: datetime) -> e.DomainsChanged:
    """A domain in which work was done or a decision taken stays."""
    reasons = _domain_reasons(plan, domains)
    for domain in run.domains:
        in_use = any(ref.domain == domain for ref in run.stages) or any(d.domain == domain for d in run.decisions)
        if domain not in domains and in_use:
            reasons.append(Reason("domain_in_use", params={"domain": domain}))
    _refuse_if("change_domains", reasons)
    return e.DomainsChanged(domains=tuple(d.id for d in plan.domains if d.id in domains), by=by, at=at)


# --- a stage ---------------------------------------------------------------------------------------------------


def start_stage(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    *,
    early_reason: TextId | None,
    reason: TextId | None = None,
    by: UserId,
    at: datetime,
) -> e.StageStarted:
    """Starts a stage or its next round. Going against the advice takes a reason, and so does a later round (`reason`);
    both are recorded."""
    stage = guards.find_stage(plan, run, ref)
    unmet = guards.unmet_advice(plan, run, stage, ref.domain)
    reasons = [*guards.cannot_start(plan, run, ref), *guards.not_in_team(run, by)]
    if not reasons and unmet and early_reason is None:
        advised = {f"stage_{n}": id for n, id in enumerate(unmet, 1)}
        reasons.append(Reason("early_start_needs_reason", stage=str(ref), params=advised))
    if not any(guards.cannot_start(plan, run, ref)) and ref.round > 1 and reason is None:
        reasons.append(Reason("round_needs_reason", stage=str(ref)))
    _refuse_if("start_stage", reasons)
    return e.StageStarted(
        ref=ref,
        unmet_advice=tuple(unmet),
        early_reason=early_reason if unmet else None,
        reason=reason if ref.round > 1 else None,
        by=by,
        at=at,
    )


def skip_stage(
    plan: StepPlan, run: Run, ref: StageRef, *, reason: TextId | None, by: UserId, at: datetime
) -> e.StageSkipped:
    """Only an optional stage can be skipped, and never without a reason. Work that was done in it stays readable."""
    stage = guards.find_stage(plan, run, ref)
    instance = run.instance(ref)
    reasons = [*guards.not_in_team(run, by)]
    if not stage.is_optional:
        reasons.append(Reason("not_optional", stage=str(ref)))
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    if instance is None:
        reasons += guards.cannot_start(plan, run, ref)
    elif instance.status is not StageStatus.OPEN or instance.passed:
        reasons.append(Reason("cannot_skip_now", stage=str(ref)))
    _refuse_if("skip_stage", reasons)
    assert reason is not None
    return e.StageSkipped(ref=ref, reason=reason, by=by, at=at)


def undo_skip(plan: StepPlan, run: Run, ref: StageRef, *, by: UserId, at: datetime) -> e.SkipUndone:
    guards.find_stage(plan, run, ref)
    instance = run.instance(ref)
    reasons = [*guards.not_in_team(run, by)]
    if instance is None or instance.status is not StageStatus.SKIPPED:
        reasons.append(Reason("not_skipped", stage=str(ref)))
    elif run.latest(ref.stage, ref.domain) != instance:
        reasons.append(Reason("later_round_exists", stage=str(ref)))
    _refuse_if("undo_skip", reasons)
    return e.SkipUndone(ref=ref, by=by, at=at)


def reopener_reasons(plan: StepPlan, run: Run, ref: StageRef, *, by: UserId) -> list[Reason]:
    """Why this person cannot go on working in this stage, which was approved. A stage that is not continuous opens
    by withdrawing its approval."""
    stage = guards.find_stage(plan, run, ref)
    instance = run.instance(ref)
    closed = [each for each in guards.not_open_for_work(stage, run, ref) if each.code != "reopen_first"]
    reasons = [*closed, *guards.not_in_team(run, by)]
    if instance is not None and not closed and instance.status is not StageStatus.APPROVED:
        reasons.append(Reason("not_approved", stage=str(ref)))
    return reasons


def reopen_stage(
    plan: StepPlan, run: Run, ref: StageRef, *, reason: TextId | None, by: UserId, at: datetime
) -> e.StageReopened:
    """Work goes on in an approved continuous stage. The approval stands; what changes from here on is marked so."""
    reasons = reopener_reasons(plan, run, ref, by=by)
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    _refuse_if("reopen_stage", reasons)
    return e.StageReopened(ref=ref, reason=reason, by=by, at=at)


# --- a step ----------------------------------------------------------------------------------------------------


def save_step(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    step: str,
    *,
    answers: Mapping[str, AnswerMark],
    based_on: int,
    by: UserId,
    at: datetime,
) -> list[e.Event]:
    """Saves changed answers, finished or not; nothing changed gives no events.

    `based_on` is the step's revision that the form was filled in from.  Raises StepChanged when it is older.
    """
    stage, definition = guards.find_stage(plan, run, ref), guards.find_step(plan, run, ref, step)
    known = {question.id for question in definition.questions}
    if unknown := sorted(set(answers) - known):
        raise guards.NoSuchPart(f"{ref}/{step}/{unknown[0]}")
    instance = run.instance(ref)
    _refuse_if("save_step", [*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, by)])
    assert instance is not None
    current = instance.step(step).revision
    if not answers:
        return []
    if based_on != current:
        raise StepChanged(str(ref), step, based_on=based_on, current=current)
    saved = e.StepSaved(ref=ref, step=step, answers=dict(answers), by=by, at=at)
    return [saved]


def complete_step(plan: StepPlan, run: Run, ref: StageRef, step: str, *, by: UserId, at: datetime) -> list[e.Event]:
    """A step that is completed already gives no events."""
    stage, definition = guards.find_stage(plan, run, ref), guards.find_step(plan, run, ref, step)
    instance = run.instance(ref)
    reasons = [*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, by)]
    if instance is not None:
        state = instance.step(step)
        reasons += guards.missing_answers(definition, state, ref)
        reasons += guards.missing_evidence(definition, state, ref)
    _refuse_if("complete_step", reasons)
    assert instance is not None
    if instance.step(step).status is StepStatus.COMPLETED:
        return []
    return [e.StepCompleted(ref=ref, step=step, by=by, at=at)]


def add_evidence(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    step: str,
    *,
    evidence: EvidenceId,
    kind: str,
    form: EvidenceForm,
    commitment: str,
    grounds: Sequence[str],
    by: UserId,
    at: datetime,
) -> list[e.Event]:
    stage = guards.find_stage(plan, run, ref)
    guards.find_step(plan, run, ref, step)
    if kind not in plan.evidence_kinds_by_id:
        raise guards.NoSuchPart(kind)
    if unknown := [g for g in grounds if g not in plan.grounds_by_id]:
        raise guards.NoSuchPart(unknown[0])
    instance = run.instance(ref)
    _refuse_if("add_evidence", [*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, by)])
    assert instance is not None
    assert all(item.id != evidence for item in instance.step(step).evidence), "an id is given once"
    added = e.EvidenceAdded(
        ref=ref,
        step=step,
        evidence=evidence,
        kind=kind,
        form=form,
        commitment=commitment,
        grounds=tuple(g.id for g in plan.grounds if g.id in grounds),
        by=by,
        at=at,
    )
    return [added]


def withdraw_evidence(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    step: str,
    *,
    evidence: EvidenceId,
    reason: TextId | None,
    by: UserId,
    at: datetime,
) -> list[e.Event]:
    """Withdrawn evidence no longer counts, and stays readable. Evidence under an approval cannot be withdrawn."""
    stage = guards.find_stage(plan, run, ref)
    guards.find_step(plan, run, ref, step)
    instance = run.instance(ref)
    item = next((i for i in instance.step(step).evidence if i.id == evidence), None) if instance else None
    if instance is None or item is None:
        raise guards.NoSuchPart(evidence)
    reasons = [*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, by)]
    if not item.counts:
        reasons.append(Reason("already_withdrawn", stage=str(ref), step=step))
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref), step=step))
    _refuse_if("withdraw_evidence", reasons)
    assert reason is not None
    withdrawn = e.EvidenceWithdrawn(ref=ref, step=step, evidence=evidence, reason=reason, by=by, at=at)
    return [withdrawn]


def propose_answers(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    step: str,
    *,
    answers: Mapping[str, AnswerMark],
    authors: Sequence[UserId] = (),
    by: UserId,
    at: datetime,
) -> e.AnswersProposed:
    """Answers of an earlier run come along into a step that nobody worked on yet. `authors`: who made them there."""
    definition = guards.find_step(plan, run, ref, step)
    assert run.stages[ref].step(step).status is StepStatus.NOT_STARTED, "work that was done is never overwritten"
    assert answers.keys() <= {question.id for question in definition.questions}
    assert all(mark.is_proposal for mark in answers.values())
    return e.AnswersProposed(ref=ref, step=step, answers=dict(answers), authors=tuple(authors), by=by, at=at)


# --- the gate --------------------------------------------------------------------------------------------------


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
    _refuse_if("request_approval", reasons)
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
    _refuse_if("withdraw_request", reasons)
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
    return [*deciders.cannot_decide_on(stage, run, instance, by=by, roles=roles, people=people, mandate=mandate, at=at)]


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
    _refuse_if("approve_stage", reasons)
    instance = run.stages[ref]
    request = instance.request
    assert request is not None
    _check_shown(run, ref, shown)
    refused = [*guards.gate_open_points(stage, instance), *point_decisions.condition_reasons(run, ref, conditions, at)]
    _refuse_if("approve_stage", refused)
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
    _refuse_if("send_back_stage", reasons)
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
        *deciders.cannot_decide_on(stage, run, instance, by=by, roles=roles, people=people, mandate=mandate, at=at)
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
    _refuse_if("withdraw_approval", reasons)
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
        *deciders.cannot_recuse(stage, run, instance, by=by, roles=roles, people=people, mandates=mandates, at=at)
    ]
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    _refuse_if("recuse", reasons)
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
    _refuse_if("take_recusal_back", reasons)
    assert reason is not None
    return e.RecusalTakenBack(ref=ref, reason=reason, by=by, at=at)


# --- decisions outside the stages ------------------------------------------------------------------------------


def take_decision(
    plan: StepPlan,
    run: Run,
    decision: str,
    domain: str | None,
    *,
    reason: TextId | None,
    by: UserId,
    roles: frozenset[str],
    people: People,
    at: datetime,
) -> e.DecisionRecorded:
    definition = guards.find_decision(plan, run, decision, domain)
    reasons = [*guards.cannot_decide(plan, run, definition, domain)]
    if not roles & set(definition.taken_by):
        reasons.append(Reason("decider_lacks_role"))
    reasons += deciders.decider_is_involved(plan, run, definition, domain, by, people)
    if reason is None:
        reasons.append(Reason("reason_missing"))
    _refuse_if("take_decision", reasons)
    assert reason is not None
    return e.DecisionRecorded(decision=decision, domain=domain, reason=reason, by=by, at=at)


def withdraw_decision(
    plan: StepPlan,
    run: Run,
    decision: str,
    domain: str | None,
    *,
    reason: TextId | None,
    by: UserId,
    roles: frozenset[str],
    people: People,
    at: datetime,
) -> e.DecisionWithdrawn:
    """Work that the decision opened stays as it is."""
    definition = guards.find_decision(plan, run, decision, domain)
    reasons = [] if run.decision(decision, domain) else [Reason("decision_not_taken")]
    if not roles & set(definition.taken_by):
        reasons.append(Reason("decider_lacks_role"))
    reasons += deciders.decider_is_involved(plan, run, definition, domain, by, people)
    if reason is None:
        reasons.append(Reason("reason_missing"))
    _refuse_if("withdraw_decision", reasons)
    assert reason is not None
    return e.DecisionWithdrawn(decision=decision, domain=domain, reason=reason, by=by, at=at)
