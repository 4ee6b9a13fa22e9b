"""One rule per function; each yields the reasons why something cannot be done.

The same rule disables a button, explains a refusal and feeds the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from app.engine.answers import is_shown
from app.engine.definition import (
    CHECKLIST,
    Across,
    Decision,
    DecisionRequired,
    Reached,
    Requirement,
    Round,
    Stage,
    StageRequired,
    Step,
    StepPlan,
)
from app.engine.errors import EngineError, Reason
from app.engine.run import Run, StageInstance, StageRef, StageStatus, StepState, StepStatus, UserId


class NoSuchPart(EngineError):
    """A stage, step, question, evidence or decision that this run or its plan does not have."""


def find_stage(plan: StepPlan, run: Run, ref: StageRef) -> Stage:
    """The stage of a reference that fits the plan and the domains of the run.  Raises NoSuchPart."""
    stage = plan.stages_by_id.get(ref.stage)
    if stage is None or stage.is_per_domain != (ref.domain is not None):
        raise NoSuchPart(str(ref))
    if ref.domain is not None and ref.domain not in run.domains and not run.rounds(ref.stage, ref.domain):
        raise NoSuchPart(str(ref))
    latest = run.latest(ref.stage, ref.domain)
    if ref.round > (latest.ref.round + 1 if latest else 1):
        raise NoSuchPart(str(ref))
    return stage


def find_step(plan: StepPlan, run: Run, ref: StageRef, step: str) -> Step:
    """Raises NoSuchPart."""
    found = find_stage(plan, run, ref).steps_by_id.get(step)
    if found is None:
        raise NoSuchPart(f"{ref}/{step}")
    return found


# --- the graph -------------------------------------------------------------------------------------------------


def _reached(instance: StageInstance, reached: Reached) -> bool:
    if instance.passed or instance.status is StageStatus.SKIPPED:
        return True
    return reached is Reached.STARTED and instance.started_at is not None


def _stage_met(plan: StepPlan, run: Run, needed: StageRequired, domain: str | None) -> bool:
    """Whether a required stage got far enough, for a stage (or decision) in `domain`."""
    stage = plan.stage(needed.stage)

    def met_in(in_domain: str | None) -> bool:
        rounds = run.rounds(stage.id, in_domain)
        if needed.round is Round.LATEST:
            rounds = rounds[-1:]
        return any(_reached(instance, needed.reached) for instance in rounds)

    if not stage.is_per_domain:
        return met_in(None)
    if domain is not None:
        return met_in(domain)
    met = [met_in(each) for each in run.domains]
    return any(met) if needed.across is Across.ANY else bool(met) and all(met)


def _decision_met(plan: StepPlan, run: Run, needed: DecisionRequired, domain: str | None) -> bool:
    decision = plan.decisions_by_id[needed.decision]
    if not decision.is_per_domain:
        return run.decision(needed.decision, None) is not None
    if domain is not None:
        return run.decision(needed.decision, domain) is not None
    return any(taken.decision == needed.decision for taken in run.decisions)


def unmet_requirements(
    plan: StepPlan, run: Run, requires: tuple[Requirement, ...], domain: str | None
) -> Iterator[Reason]:
    """Why a stage or decision (in `domain`) cannot begin yet: a reason per requirement that no alternative meets."""
    for requirement in requires:
        stages = [a for a in requirement.alternatives if isinstance(a, StageRequired)]
        decisions = [a for a in requirement.alternatives if isinstance(a, DecisionRequired)]
        if any(_stage_met(plan, run, needed, domain) for needed in stages):
            continue
        if any(_decision_met(plan, run, needed, domain) for needed in decisions):
            continue
        params = {f"stage_{n}": needed.stage for n, needed in enumerate(stages, 1)}
        params |= {f"decision_{n}": needed.decision for n, needed in enumerate(decisions, 1)}
        if len(requirement.alternatives) > 1:
            yield Reason("needs_one_of", params=params)
        elif decisions:
            yield Reason("needs_decision", params=params)
        elif stages[0].reached is Reached.STARTED:
            yield Reason("needs_stage_started", params=params)
        else:
            yield Reason("needs_stage_approved", params=params)


def is_passed_by(plan: StepPlan, run: Run, ref: StageRef) -> bool:
    """Whether a recorded decision took the road around this stage: whatever asks for it is content with a decision,
    in every domain where it asks. The stage may still be done; it is just no longer wise to begin with it."""
    is_asked_for = False
    everything: tuple[Stage | Decision, ...] = (*plan.stages, *plan.decisions)
    for asking in everything:
        domains = run.domains if asking.is_per_domain and ref.domain is None else (ref.domain,)
        for requirement in asking.requires:
            if not any(isinstance(a, StageRequired) and a.stage == ref.stage for a in requirement.alternatives):
                continue
            is_asked_for = True
            decisions = [a for a in requirement.alternatives if isinstance(a, DecisionRequired)]
            if not all(any(_decision_met(plan, run, a, domain) for a in decisions) for domain in domains):
                return False
    return is_asked_for


def unmet_advice(plan: StepPlan, run: Run, stage: Stage, domain: str | None) -> list[str]:
    """Stages that are better finished first; not having done so blocks nothing."""
    return [
        advice.stage for advice in stage.advised_after if not _stage_met(plan, run, StageRequired(advice.stage), domain)
    ]


def cannot_start(plan: StepPlan, run: Run, ref: StageRef) -> Iterator[Reason]:
    stage = find_stage(plan, run, ref)
    if run.instance(ref) is not None:
        yield Reason("already_started", stage=str(ref))
        return
    if ref.round > 1:
        if not stage.is_repeatable:
            yield Reason("not_repeatable", stage=str(ref))
        previous = run.latest(ref.stage, ref.domain)
        if previous is not None and previous.status not in (StageStatus.APPROVED, StageStatus.SKIPPED):
            yield Reason("previous_round_open", stage=str(previous.ref))
    if ref.domain is not None and ref.domain not in run.domains:
        yield Reason("domain_not_chosen", stage=str(ref), params={"domain": ref.domain})
    yield from unmet_requirements(plan, run, stage.requires, ref.domain)


# --- people ----------------------------------------------------------------------------------------------------


def not_in_team(run: Run, by: UserId) -> Iterator[Reason]:
    if by not in run.team and by != run.manager:
        yield Reason("not_in_team")


# --- a step ----------------------------------------------------------------------------------------------------


def not_open_for_work(stage: Stage, run: Run, ref: StageRef) -> Iterator[Reason]:
    """After approval work goes on in a continuous stage once somebody said why, until its next round; any other stage
    needs a new round or a withdrawn approval."""
    instance = run.instance(ref)
    if instance is None:
        yield Reason("not_started", stage=str(ref))
    elif instance.status is StageStatus.SKIPPED:
        yield Reason("stage_skipped", stage=str(ref))
    elif instance.status is StageStatus.APPROVED and not stage.is_continuous:
        yield Reason("stage_approved", stage=str(ref))
    elif run.instance(ref.next_round()) is not None:
        yield Reason("later_round_exists", stage=str(ref))
    elif instance.status is StageStatus.APPROVED:
        yield Reason("reopen_first", stage=str(ref))


def missing_answers(step: Step, state: StepState, ref: StageRef) -> Iterator[Reason]:
    """Required questions without an answer, and given answers that lack something (a reason, a cell) or that came along
    from earlier and were not confirmed."""
    for question in step.questions:
        if not is_shown(step, state, question):
            continue
        mark = state.answers.get(question.id)
        if mark is not None and mark.is_filled:
            if mark.is_proposal:
                yield Reason("answer_unconfirmed", stage=str(ref), step=step.id, question=question.id)
            elif not mark.is_complete:
                yield Reason("answer_incomplete", stage=str(ref), step=step.id, question=question.id)
        elif question.is_required:
            yield Reason("answer_missing", stage=str(ref), step=step.id, question=question.id)


def missing_evidence(step: Step, state: StepState, ref: StageRef) -> Iterator[Reason]:
    for demand in step.evidence:
        present = state.evidence_count(demand.kind, links_count=demand.may_be_link)
        if present < demand.minimum:
            yield Reason(
                "evidence_missing",
                stage=str(ref),
                step=step.id,
                params={"kind": demand.kind, "present": present, "required": demand.minimum},
            )


# --- the gate --------------------------------------------------------------------------------------------------


def _open_steps(stage: Stage, instance: StageInstance, *, required_only: bool) -> Iterator[Reason]:
    for step in stage.steps:
        if required_only and not step.is_required:
            continue
        if instance.step(step.id).status is not StepStatus.COMPLETED:
            yield Reason("step_open", stage=str(instance.ref), step=step.id)


def required_steps_completed(stage: Stage, instance: StageInstance) -> Iterator[Reason]:
    yield from _open_steps(stage, instance, required_only=True)


def all_steps_completed(stage: Stage, instance: StageInstance) -> Iterator[Reason]:
    yield from _open_steps(stage, instance, required_only=False)


def checklist_answered(stage: Stage, instance: StageInstance) -> Iterator[Reason]:
    """Every statement has an answer; "unknown" is one."""
    if stage.checklist is None:
        return
    missing = sum(1 for _ in missing_answers(stage.checklist, instance.step(CHECKLIST), instance.ref))
    if missing:
        yield Reason("checklist_open", stage=str(instance.ref), step=CHECKLIST, params={"n": missing})


GateGuard = Callable[[Stage, StageInstance], Iterator[Reason]]
GATE_GUARDS: Mapping[str, GateGuard] = MappingProxyType(
    {
        "required_steps_completed": required_steps_completed,
        "all_steps_completed": all_steps_completed,
        "checklist_answered": checklist_answered,
    }
)


def nothing_half_done(stage: Stage, instance: StageInstance) -> Iterator[Reason]:
    """What was begun, or has to be looked at again, is finished before it is sealed; also what nobody had to do."""
    for step in stage.all_steps():
        state = instance.step(step.id)
        if state.status is StepStatus.REVISIT or (state.status is StepStatus.BUSY and not state.is_empty):
            if step.id != CHECKLIST or state.status is StepStatus.REVISIT:
                yield Reason("step_open", stage=str(instance.ref), step=step.id)
            else:
                yield from checklist_answered(stage, instance)


def gate_open_points(stage: Stage, instance: StageInstance) -> Iterator[Reason]:
    """What the gate still asks for, once a step. A required step is always asked for, whatever the gate names."""
    asked = (GATE_GUARDS[name] for name in stage.gate.complete)
    seen = set()
    for guard in (*asked, required_steps_completed, nothing_half_done):
        for reason in guard(stage, instance):
            if reason.step not in seen:
                seen.add(reason.step)
                yield reason


# --- decisions -------------------------------------------------------------------------------------------------


def find_decision(plan: StepPlan, run: Run, decision: str, domain: str | None) -> Decision:
    """Raises NoSuchPart."""
    found = plan.decisions_by_id.get(decision)
    if found is None or found.is_per_domain != (domain is not None):
        raise NoSuchPart(decision)
    if domain is not None and domain not in run.domains:
        raise NoSuchPart(f"{decision}/{domain}")
    return found


def cannot_decide(plan: StepPlan, run: Run, decision: Decision, domain: str | None) -> Iterator[Reason]:
    if run.decision(decision.id, domain) is not None:
        yield Reason("decision_taken_before", params={"decision_1": decision.id})
    yield from unmet_requirements(plan, run, decision.requires, domain)
