"""From a plan, a run and what somebody wants, to the event that records it, or to a refusal: the run itself, its
stages and steps, and decisions outside the stages. About a stage decides stage_decisions.py, about open points
point_decisions.py.

All raise NoSuchPart for a part that does not exist, and Blocked with every reason at once. `at` is aware, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.engine import deciders, guards
from app.engine import events as e
from app.engine.definition import StepPlan
from app.engine.errors import Reason, StepChanged, refuse_if
from app.engine.people import People
from app.engine.run import (
    AnswerMark,
    EvidenceForm,
    EvidenceId,
    Run,
    StageRef,
    StageStatus,
    StepStatus,
    TextId,
    UserId,
)

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
    refuse_if("start_run", reasons)
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
    refuse_if("rename_run", _name_reasons(name, purpose))
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
    refuse_if("change_team", _team_reasons(team))
    return e.TeamChanged(team=tuple(dict.fromkeys(team)), manager=manager, by=by, at=at)


def change_domains(plan: StepPlan, run: Run, *, domains: Sequence[str], by: UserId, at: datetime) -> e.DomainsChanged:
    """A domain in which work was done or a decision taken stays."""
    reasons = _domain_reasons(plan, domains)
    for domain in run.domains:
        in_use = any(ref.domain == domain for ref in run.stages) or any(d.domain == domain for d in run.decisions)
        if domain not in domains and in_use:
            reasons.append(Reason("domain_in_use", params={"domain": domain}))
    refuse_if("change_domains", reasons)
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
    refuse_if("start_stage", reasons)
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
    refuse_if("skip_stage", reasons)
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
    refuse_if("undo_skip", reasons)
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
    refuse_if("reopen_stage", reasons)
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
    refuse_if("save_step", [*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, by)])
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
    refuse_if("complete_step", reasons)
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
    refuse_if("add_evidence", [*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, by)])
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
    refuse_if("withdraw_evidence", reasons)
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
    refuse_if("take_decision", reasons)
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
    refuse_if("withdraw_decision", reasons)
    assert reason is not None
    return e.DecisionWithdrawn(decision=decision, domain=domain, reason=reason, by=by, at=at)
