"""What somebody looks at before asking for approval or deciding: all of one stage instance, and what changed in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlmodel import Session, col

from app.engine import guards
from app.engine.answers import is_shown
from app.engine.definition import CHECKLIST, Grade, Ground, Question, Stage, Step, StepPlan
from app.engine.errors import Reason
from app.engine.run import EvidenceForm, Run, StageInstance, StageRef, StepState, UserId
from app.engine.seal import Difference, Manifest, differences, digest, manifest
from app.storage.answer_store import Answer, answers_and_versions, answers_by_commitment
from app.storage.people import names_of
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_stage
from app.storage.seals import find_seal
from app.storage.tables import EvidenceRow
from app.storage.texts import read_texts
from app.web.shown import Shown, shown


@dataclass(frozen=True, slots=True)
class AnswerView:
    question: Question
    answer: Shown | None
    by: UserId | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """`is_withdrawn`: still there to read, but no part of what is decided on."""

    id: str
    title: str
    kind: str
    form: EvidenceForm
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class StepView:
    step: Step
    state: StepState
    address: str
    answers: tuple[AnswerView, ...]
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference with an earlier moment: of an answer (`question`) or of a piece of evidence (`evidence`)."""

    step: Step
    question: Question | None
    evidence: str | None
    before: Shown | None
    after: Shown | None
    is_new: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """Statements of one ground whose answer is unknown or missing."""

    ground: Ground
    unknown: int
    empty: int


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The latest decision about this instance, and what changed since what was then decided on.
    `kind`: approved, sent_back, or withdrawn for an approval that was taken back."""

    kind: str
    by: UserId
    at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class StageContent:
    """`seal` is the digest of exactly this content."""

    header: RunHeader
    plan: StepPlan
    run: Run
    ref: StageRef
    stage: Stage
    instance: StageInstance
    address: str
    seal: str
    steps: tuple[StepView, ...]
    open_points: tuple[tuple[Reason, str], ...]
    blind_spots: tuple[BlindSpot, ...]
    last: LastDecision | None
    message: str | None
    names: dict[UserId, str]


def stage_content(session: Session, run_id: str, ref: StageRef) -> StageContent:
    """Seven queries.  Raises RunNotFound, and NoSuchPart for a stage instance that was not begun."""
    plan, run = load_stage(session, run_id, ref)
    stage, instance = guards.find_stage(plan, run, ref), run.instance(ref)
    if instance is None:
        raise guards.NoSuchPart(str(ref))
    current = manifest(run, ref)
    titles = _evidence_titles(session, run.id, ref)
    address = f"/trajecten/{run.id}/fasen/{ref}"
    before = find_seal(session, run.id, instance.decided.seal) if instance.decided else None
    found = differences(before, current) if before else []
    answers, versions = answers_and_versions(session, run.id, ref, _commitments(found))
    last = _last_decision(instance, _changes(stage, found, versions, titles))
    message = instance.request.message if instance.request else None
    steps = tuple(_step_view(stage, instance, step, answers, titles, address) for step in stage.all_steps())
    people = [*instance.contributors, run.manager, instance.request.by if instance.request else None]
    people += [view.by for step in steps for view in step.answers]
    people += [approval.by for approval in instance.approvals]
    return StageContent(
        header=run_header(session, run_id),
        plan=plan,
        run=run,
        ref=ref,
        stage=stage,
        instance=instance,
        address=address,
        seal=digest(current),
        steps=steps,
        open_points=tuple(
            (reason, step_address(address, reason.step or "")) for reason in guards.gate_open_points(stage, instance)
        ),
        blind_spots=tuple(_blind_spots(plan, stage, instance)),
        last=last,
        message=read_texts(session, [message]).get(message) if message else None,
        names=names_of(session, [*people, last.by if last else None]),
    )


def step_address(stage_address: str, step: str) -> str:
    return f"{stage_address}/checklist" if step == CHECKLIST else f"{stage_address}/stappen/{step}"


def _step_view(
    stage: Stage,
    instance: StageInstance,
    step: Step,
    answers: dict[tuple[str, str, str], Answer],
    titles: dict[str, str],
    address: str,
) -> StepView:
    state = instance.step(step.id)
    views = []
    for question in step.questions:
        answer = answers.get((str(instance.ref), step.id, question.id))
        given = answer is not None and answer.value is not None
        if given or is_shown(step, state, question):
            value = shown(question, answer.value) if answer else None
            views.append(
                AnswerView(
                    question, value, answer.saved_by if answer and given else None, answer.saved_at if answer else None
                )
            )
    evidence = tuple(
        EvidenceView(item.id, titles.get(item.id, ""), item.kind, item.form, not item.counts) for item in state.evidence
    )
    return StepView(step, state, step_address(address, step.id), tuple(views), evidence)


def _evidence_titles(session: Session, run_id: str, ref: StageRef) -> dict[str, str]:
    query = sqlalchemy.select(col(EvidenceRow.id), col(EvidenceRow.title)).where(
        col(EvidenceRow.run_id) == uuid.UUID(run_id), col(EvidenceRow.ref) == str(ref)
    )
    return {str(id): title for id, title in session.execute(query)}


def _blind_spots(plan: StepPlan, stage: Stage, instance: StageInstance) -> Iterator[BlindSpot]:
    state = instance.step(CHECKLIST)
    for ground in plan.grounds:
        grades = [state.choices(s.id) for s in stage.statements if s.ground == ground.id]
        unknown = sum(grade == (Grade.UNKNOWN,) for grade in grades)
        empty = sum(not grade for grade in grades)
        if unknown or empty:
            yield BlindSpot(ground, unknown, empty)


# --- what changed ------------------------------------------------------------------------------------------------


def _last_decision(instance: StageInstance, changes: tuple[Change, ...]) -> LastDecision | None:
    decided = instance.decided
    if decided is None:
        return None
    kind = "approved" if decided.is_approval else "sent_back"
    if decided.is_approval and any(
        approval.withdrawn_by and approval.seal == decided.seal and approval.at == decided.at
        for approval in instance.approvals
    ):
        kind = "withdrawn"
    return LastDecision(kind, decided.by, decided.at, changes)


def changes_between(
    session: Session, plan: StepPlan, run: Run, ref: StageRef, before: Manifest, after: Manifest
) -> tuple[Change, ...]:
    """The differences between two manifests of one stage instance, with the texts they stand for."""
    found = differences(before, after)
    versions = answers_by_commitment(session, run.id, _commitments(found))
    return _changes(plan.stage(ref.stage), found, versions, _evidence_titles(session, run.id, ref))


def _commitments(found: Iterable[Difference]) -> set[str]:
    return {c for d in found if d.kind == "answers" for c in (d.before, d.after) if c}


def _changes(
    stage: Stage, found: Iterable[Difference], versions: dict[str, Answer], titles: dict[str, str]
) -> tuple[Change, ...]:
    order = {step.id: number for number, step in enumerate(stage.all_steps())}
    changes = []
    for difference in sorted(found, key=lambda d: order.get(d.step, 0)):
        step = stage.step(difference.step)
        question = step.question(difference.key) if difference.kind == "answers" else None
        old, new = (versions.get(c) if c else None for c in (difference.before, difference.after))
        changes.append(
            Change(
                step=step,
                question=question,
                evidence=None if question else titles.get(difference.key, ""),
                before=shown(question, old.value) if question and old else None,
                after=shown(question, new.value) if question and new else None,
                is_new=difference.before is None,
                is_gone=difference.after is None,
            )
        )
    return tuple(changes)
