"""What was parked returns when a later version brings its part back."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from app.engine.definition import Question, QuestionType, Stage, Step, StepPlan
from app.engine.run import (
    Parked,
    ParkedKind,
    ParkedWhy,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepState,
    StepStatus,
    UserId,
)
from app.engine.run_migration.items import fits, meaning_of
from app.engine.run_migration.parking import decision_meaning

SET_ASIDE_BY_PEOPLE = (ParkedWhy.CHOSEN, ParkedWhy.MERGED)
"""What does not return by itself."""


def returning(old: StepPlan, new: StepPlan, run: Run) -> tuple[Run, list[Parked]]:
    """The run (already on the newer version) with what has a place again, and what that is."""
    returned: list[Parked] = []
    # Stages first, and by round: answers and evidence need theirs.
    order = sorted(run.parked, key=lambda p: (p.kind is not ParkedKind.STAGE, p.ref.round if p.ref else 0, p.id))
    for item in order:
        after = None if item.why in SET_ASIDE_BY_PEOPLE else _with(old, new, run, item)
        if after is not None:
            run = after
            returned.append(item)
    return _with_latest_open(run, returned), returned


def _with_latest_open(run: Run, returned: list[Parked]) -> Run:
    """An approval that returns is history: the latest round of a stage is approved again, an earlier one stays so."""
    for item in returned:
        if item.kind is ParkedKind.STAGE and item.ref is not None:
            instance = run.stages[item.ref]
            is_latest = run.latest(item.ref.stage, item.ref.domain) is instance
            if is_latest and instance.passed:
                run = run.with_instance(replace(instance, status=StageStatus.OPEN, changed_since_approval=True))
    return run


def _with(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    match item.kind:
        case ParkedKind.STAGE:
            return _with_stage(old, new, run, item)
        case ParkedKind.ANSWER:
            return _with_answer(old, new, run, item)
        case ParkedKind.EVIDENCE:
            return _with_evidence(old, new, run, item)
        case ParkedKind.TEXT:
            return _with_finding(old, new, run, item)
        case ParkedKind.DECISION:
            return _with_decision(old, new, run, item)
        case ParkedKind.APPROVAL:
            return None


def is_finished(instance: StageInstance | None) -> bool:
    """Whether a next round can stand on this one."""
    return instance is not None and instance.status in (StageStatus.APPROVED, StageStatus.SKIPPED)


def _stage(plan: StepPlan, ref: StageRef) -> Stage | None:
    stage = plan.stages_by_id.get(ref.stage)
    if stage is None or stage.is_per_domain != (ref.domain is not None):
        return None
    return stage if ref.domain is None or ref.domain in plan.domains_by_id else None


def _step(plan: StepPlan, item: Parked) -> Step | None:
    stage = _stage(plan, item.ref) if item.ref else None
    return stage.steps_by_id.get(item.step or "") if stage else None


def _question(plan: StepPlan, item: Parked) -> Question | None:
    step = _step(plan, item)
    return next((question for question in step.questions if question.id == item.key), None) if step else None


def _with_stage(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    ref, header = item.ref, item.stage
    assert ref is not None
    assert header is not None
    stage = _stage(new, ref)
    if _stage(old, ref) is not None or stage is None or ref in run.stages:
        return None
    if ref.round > 1 and not is_finished(run.instance(replace(ref, round=ref.round - 1))):
        return None
    if header.status is StageStatus.SKIPPED and not stage.is_optional:
        return None
    return _with_domain(new, run, ref.domain).with_instance(header)


def _with_domain(plan: StepPlan, run: Run, domain: str | None) -> Run:
    """What returns in a domain brings the domain back too."""
    if domain is None or domain in run.domains:
        return run
    return replace(run, domains=tuple(d.id for d in plan.domains if d.id in {*run.domains, domain}))


def _with_answer(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    """An answer returns to its question: as it was if that asks the same, else as a proposal."""
    mark, before, after = item.answer, _question(old, item), _question(new, item)
    assert mark is not None
    instance = run.instance(item.ref) if item.ref else None
    if after is None or instance is None:
        return None
    is_same = meaning_of(after) == item.meaning
    if before is not None and (not is_same or meaning_of(before) == item.meaning):
        return None  # it was there all the time
    if not is_same and (_is_history(run, instance) or after.type is QuestionType.TABLE):
        return None
    state = _state(instance, item)
    if state.is_filled(item.key) or not fits(QuestionType(item.type), after, mark, {}):
        return None
    proposal = replace(mark, is_proposal=mark.is_proposal or not is_same)
    return _with_state(
        run, instance, item, replace(state, answers=MappingProxyType({**state.answers, item.key: proposal}))
    )


def _with_evidence(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    mark = item.evidence
    assert mark is not None
    instance = run.instance(item.ref) if item.ref else None
    was_there = _step(old, item) is not None and mark.kind in old.evidence_kinds_by_id
    if instance is None or _step(new, item) is None or was_there or mark.kind not in new.evidence_kinds_by_id:
        return None
    state = _state(instance, item)
    return _with_state(run, instance, item, replace(state, evidence=(*state.evidence, mark)))


def _with_finding(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    instance = run.instance(item.ref) if item.ref else None
    if instance is None or _step(old, item) is not None or _step(new, item) is None:
        return None
    state = _state(instance, item)
    return None if state.finding else _with_state(run, instance, item, replace(state, finding=item.key))


def _state(instance: StageInstance, item: Parked) -> StepState:
    assert item.step is not None
    return instance.step(item.step)


def _is_history(run: Run, instance: StageInstance) -> bool:
    return run.latest(instance.ref.stage, instance.ref.domain) is not instance


def _with_state(run: Run, instance: StageInstance, item: Parked, state: StepState) -> Run:
    """A step that gets something back is not finished by that, unless its round is over."""
    assert item.step is not None
    status = state.status
    if status is StepStatus.COMPLETED and not _is_history(run, instance):
        status = StepStatus.REVISIT
    if status is StepStatus.NOT_STARTED:
        status = StepStatus.BUSY
    after = instance.with_step(item.step, replace(state, status=status, revision=state.revision + 1))
    return run.with_instance(after.with_contributor(*_workers(item)))


def _workers(item: Parked) -> tuple[UserId, ...]:
    """Who made it, and so worked on the stage that it returns to, whoever began that."""
    if item.evidence is not None:
        return tuple(filter(None, (item.evidence.added_by, item.evidence.withdrawn_by)))
    return item.workers


def _with_decision(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    taken = item.decision
    assert taken is not None
    before, after = (_decision_meaning(plan, item) for plan in (old, new))
    was_there = before == item.meaning
    if after != item.meaning or was_there or run.decision(taken.decision, taken.domain):
        return None
    run = _with_domain(new, run, taken.domain)
    return replace(run, decisions=(*run.decisions, taken))


def _decision_meaning(plan: StepPlan, item: Parked) -> str | None:
    """None where the plan has no place for it."""
    taken = item.decision
    assert taken is not None
    decision = plan.decisions_by_id.get(taken.decision)
    if decision is None or decision.is_per_domain != (taken.domain is not None):
        return None
    if taken.domain is not None and taken.domain not in plan.domains_by_id:
        return None
    return decision_meaning(decision)
