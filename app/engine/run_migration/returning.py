"""What was parked returns when a later version brings its part back."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from app.engine.definition import Question, QuestionType, StepPlan
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
)
from app.engine.run_migration.items import fits, meaning_of


def returning(old: StepPlan, new: StepPlan, run: Run) -> tuple[Run, list[Parked]]:
    """The run (already on the newer version) with what has a place again, and what that is."""
    returned: list[Parked] = []
    # Stages first: answers and evidence need theirs.
    for item in sorted(run.parked, key=lambda each: (each.kind is not ParkedKind.STAGE, each.id)):
        after = _with(old, new, run, item)
        if after is not None:
            run = after
            returned.append(item)
    return run, returned


def _with(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    if item.why not in (ParkedWhy.GONE, ParkedWhy.UNDONE):
        return None
    match item.kind:
        case ParkedKind.STAGE:
            return _with_stage(old, new, run, item)
        case ParkedKind.ANSWER:
            return _with_answer(old, new, run, item)
        case ParkedKind.EVIDENCE:
            return _with_evidence(old, new, run, item)
        case ParkedKind.DECISION:
            return _with_decision(old, new, run, item)
        case _:
            return None


def _has_place(plan: StepPlan, ref: StageRef) -> bool:
    stage = plan.stages_by_id.get(ref.stage)
    if stage is None or stage.is_per_domain != (ref.domain is not None):
        return False
    return ref.domain is None or ref.domain in plan.domains_by_id


def _with_stage(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    ref, header = item.ref, item.stage
    assert ref is not None
    assert header is not None
    if _has_place(old, ref) or ref in run.stages or not _has_place(new, ref):
        return None
    if ref.round > 1 and StageRef(ref.stage, ref.domain, ref.round - 1) not in run.stages:
        return None
    if header.status is StageStatus.SKIPPED and not new.stage(ref.stage).is_optional:
        return None
    status = header.status if header.status is StageStatus.SKIPPED else StageStatus.OPEN
    if ref.domain is not None and ref.domain not in run.domains:
        run = replace(run, domains=tuple(d.id for d in new.domains if d.id in {*run.domains, ref.domain}))
    return run.with_instance(replace(header, status=status, changed_since_approval=header.passed))


def _question(plan: StepPlan, ref: StageRef, step: str, id: str) -> Question | None:
    if not _has_place(plan, ref):
        return None
    stage = plan.stages_by_id.get(ref.stage)
    found = stage.steps_by_id.get(step) if stage else None
    return next((question for question in found.questions if question.id == id), None) if found else None


def _with_answer(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    ref, step, mark = item.ref, item.step, item.answer
    assert ref is not None
    assert step is not None
    assert mark is not None
    question, instance = _question(new, ref, step, item.key), run.instance(ref)
    if question is None or instance is None or _question(old, ref, step, item.key) is not None:
        return None
    state = instance.step(step)
    columns = {column.id: column.type for column in question.columns}
    if state.is_filled(item.key) or not fits(QuestionType(item.type), question, mark, columns):
        return None
    is_proposal = mark.is_proposal or meaning_of(question) != item.meaning
    answers = MappingProxyType({**state.answers, item.key: replace(mark, is_proposal=is_proposal)})
    return run.with_instance(_with_step(instance, step, replace(state, answers=answers)))


def _with_evidence(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    ref, step, mark = item.ref, item.step, item.evidence
    assert ref is not None
    assert step is not None
    assert mark is not None
    instance, stage = run.instance(ref), new.stages_by_id.get(ref.stage)
    if instance is None or stage is None or step not in stage.steps_by_id:
        return None
    was_there = (
        _has_place(old, ref) and step in old.stage(ref.stage).steps_by_id and mark.kind in old.evidence_kinds_by_id
    )
    if was_there or mark.kind not in new.evidence_kinds_by_id:
        return None
    state = instance.step(step)
    return run.with_instance(_with_step(instance, step, replace(state, evidence=(*state.evidence, mark))))


def _with_step(instance: StageInstance, step: str, state: StepState) -> StageInstance:
    """A step that gets something back is not finished by that."""
    status = StepStatus.REVISIT if state.status is StepStatus.COMPLETED else state.status
    if status is StepStatus.NOT_STARTED:
        status = StepStatus.BUSY
    return instance.with_step(step, replace(state, status=status, revision=state.revision + 1))


def _with_decision(old: StepPlan, new: StepPlan, run: Run, item: Parked) -> Run | None:
    taken = item.decision
    assert taken is not None
    decision = new.decisions_by_id.get(taken.decision)
    if decision is None or taken.decision in old.decisions_by_id or run.decision(taken.decision, taken.domain):
        return None
    if decision.is_per_domain != (taken.domain is not None) or (taken.domain and taken.domain not in run.domains):
        return None
    return replace(run, decisions=(*run.decisions, taken))
