"""What somebody looks at before asking for approval or deciding: all of one stage instance, and what changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine import guards
from app.engine.answers import is_shown
from app.engine.definition import CHECKLIST, Grade, Ground, Question, Stage, Step, StepPlan
from app.engine.errors import Reason
from app.engine.people import People
from app.engine.run import Run, StageInstance, StageRef, StepState, StepStatus, TextId, UserId
from app.engine.seal import Difference, Manifest, digest, manifest
from app.features.approvals.changes import (
    Change,
    PointChange,
    as_changes,
    commitments_in,
    differences_since,
    plans_of,
    point_changes,
    stage_then,
)
from app.storage import deciding
from app.storage.answer_store import Answer, answers_and_versions, answers_by_commitment
from app.storage.approved_on import ApprovedOn, EarlierVersion, approved_on, earlier_versions
from app.storage.deciding import StandIn
from app.storage.evidence_store import Evidence, evidence_of
from app.storage.marks import stage_mark
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_stage
from app.storage.seals import find_seals
from app.web.shown import Shown, shown


@dataclass(frozen=True, slots=True)
class AnswerView:
    """`is_erased`: it was answered and counts, but its text is no longer there. `is_proposal`: it came along from
    before, and nobody confirmed it yet."""

    question: Question
    answer: Shown | None
    is_erased: bool = False
    is_proposal: bool = False


@dataclass(frozen=True, slots=True)
class StepView:
    """`answers` are those given, and those still required; `left_open` are questions that nobody had to answer, as all
    of those in a step that nobody had to take up.
    `by`: who gave the answers; `at`: when the last of them came."""

    step: Step
    state: StepState
    address: str
    answers: tuple[AnswerView, ...]
    left_open: tuple[Question, ...]
    evidence: tuple[Evidence, ...]
    by: tuple[UserId, ...]
    at: datetime | None

    @property
    def is_checklist(self) -> bool:
        return self.step.id == CHECKLIST


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """A statement of the checklist to which the answer is "unknown", or nothing."""

    ground: Ground
    statement: Question
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The latest decision about this instance, and what changed since what was then decided on. `on_behalf_of`: in
    whose name, if not the own.
    `kind`: approved, sent_back, or withdrawn for an approval that was taken back. `version`: of the plan, where it was
    another one than now."""

    kind: str
    by: UserId
    at: datetime
    changes: tuple[Change, ...]
    points: tuple[PointChange, ...]
    version: str | None
    on_behalf_of: UserId | None = None


@dataclass(frozen=True, slots=True)
class StageContent:
    """`seal` is the digest of exactly this content. `since_request`: what changed after approval was asked.
    `versions`: by seal, the version of the plan on which was decided, where that is another one than now;
    `approved_on` says so of the approval that stands."""

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
    since_request: tuple[Change, ...]
    points_since_request: tuple[PointChange, ...]
    versions: Mapping[str, EarlierVersion]
    approved_on: ApprovedOn | None
    people: People
    stand_ins: tuple[StandIn, ...]
    approvers: tuple[UserId, ...]
    names: Mapping[UserId, str]
    texts: Mapping[str, str]

    @property
    def findings(self) -> dict[str, str]:
        """By step, what was to change when the stage was last sent back, of what nobody completed since."""
        return {
            id: self.said(state.finding)
            for id, state in self.instance.steps.items()
            if state.finding and state.status is StepStatus.REVISIT
        }

    def said(self, text: TextId | None) -> str:
        return self.texts.get(text or "", "")

    @property
    def mark(self) -> str:
        """What withdrawing a request or an approval says that it is based on."""
        return stage_mark(self.run, self.ref)


def stage_content(session: Session, run_id: str, ref: StageRef, *, by: UserId, at: datetime) -> StageContent:
    """Seven queries at most.  Raises RunNotFound, and NoSuchPart for a stage instance that was not begun."""
    plan, run = load_stage(session, run_id, ref)
    stage, instance = guards.find_stage(plan, run, ref), run.instance(ref)
    if instance is None:
        raise guards.NoSuchPart(str(ref))
    current = manifest(run, ref)
    decided, request = instance.decided, instance.request
    sealed = find_seals(session, run.id, _seals(run, instance))
    before = {x.seal for x in (decided, request) if x} & sealed.keys()
    since = {seal: differences_since(run, ref, sealed[seal], current) for seal in before}
    plans = plans_of(session, plan, [sealed[seal] for seal in before])
    answers, versions = _answers(session, run, ref, since, [sealed[seal] for seal in before])
    is_elsewhere = any(sealed[seal]["stage"] != str(ref) for seal in before)
    evidence = evidence_of(session, run.id, None if is_elsewhere else ref)
    titles = {each.id: each.described.title for each in evidence}
    changes = {
        seal: as_changes(stage_then(plans, sealed[seal]), stage, found, versions, titles)
        for seal, found in since.items()
    }
    points = {seal: point_changes(sealed[seal], current) for seal in before}
    decided_on = earlier_versions(run, instance, sealed)
    address = f"/trajecten/{run.id}/fasen/{ref}"
    steps = tuple(_step_view(stage, instance, step, answers, evidence, address) for step in stage.all_steps())
    said = [request.message if request else None, *(approval.remark for approval in instance.approvals)]
    said += [text for point in instance.points for text in (point.text, point.report, point.returned)]
    said.append(instance.reopened_reason)
    said += [text for each in instance.recusals for text in (each.reason, each.taken_back_reason)]
    said += [state.finding for state in instance.steps.values()]
    who = deciding.who(
        session, run, by=by, at=at, texts=said, people=_people(run, instance, steps), approvers=stage.gate.approvers
    )
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
        last=_last_decision(instance, changes, points, decided_on),
        since_request=changes.get(request.seal, ()) if request else (),
        points_since_request=points.get(request.seal, ()) if request else (),
        versions=decided_on,
        approved_on=approved_on(instance, decided_on),
        people=who.people,
        stand_ins=who.stand_ins,
        approvers=who.approvers,
        names=who.names,
        texts=who.texts,
    )


def _seals(run: Run, instance: StageInstance) -> set[str]:
    """Of what is compared with the present content; in a run that moved also of approvals, which name a version."""
    found = {x.seal for x in (instance.decided, instance.request) if x}
    return found | {approval.seal for approval in instance.approvals} if run.moves else found


def _answers(
    session: Session,
    run: Run,
    ref: StageRef,
    since: Mapping[str, Iterable[Difference]],
    manifests: Iterable[Manifest],
) -> tuple[dict[tuple[str, str, str], Answer], dict[str, Answer]]:
    """The present answers, and those that differences are about; these may stand elsewhere since the run moved."""
    commitments = {c for found in since.values() for c in commitments_in(found)}
    answers, versions = answers_and_versions(session, run.id, ref, commitments)
    if any(content["stage"] != str(ref) for content in manifests):
        versions |= answers_by_commitment(session, run.id, commitments - versions.keys())
    return answers, versions


def step_address(stage_address: str, step: str) -> str:
    return f"{stage_address}/checklist" if step == CHECKLIST else f"{stage_address}/stappen/{step}"


def _people(run: Run, instance: StageInstance, steps: Iterable[StepView]) -> Iterator[UserId | None]:
    yield run.manager
    yield from run.team
    yield from (person for point in instance.points for person in (point.owner, point.by))
    yield from instance.contributors
    yield instance.request.by if instance.request else None
    yield instance.decided.by if instance.decided else None
    for approval in instance.approvals:
        yield from (approval.by, approval.withdrawn_by, approval.on_behalf_of)
    for step in steps:
        yield from step.by


def _step_view(
    stage: Stage,
    instance: StageInstance,
    step: Step,
    answers: Mapping[tuple[str, str, str], Answer],
    evidence: Iterable[Evidence],
    address: str,
) -> StepView:
    state = instance.step(step.id)
    here = {item.id for item in state.evidence}  # what was set aside keeps its place of then, and is not here
    views: list[AnswerView] = []
    left_open: list[Question] = []
    given: list[Answer] = []
    for question in step.questions:
        answer = answers.get((str(instance.ref), step.id, question.id))
        if answer is not None and state.is_filled(question.id):
            given.append(answer)
            is_proposal = state.answers[question.id].is_proposal
            views.append(
                AnswerView(
                    question, shown(question, answer.value), is_erased=answer.value is None, is_proposal=is_proposal
                )
            )
        elif is_shown(step, state, question):
            if question.is_required and (step.is_required or not state.is_empty):
                views.append(AnswerView(question, None))
            else:
                left_open.append(question)
    return StepView(
        step=step,
        state=state,
        address=step_address(address, step.id),
        answers=tuple(views),
        left_open=tuple(left_open),
        evidence=tuple(each for each in evidence if each.id in here),
        by=tuple(dict.fromkeys(answer.saved_by for answer in given)),
        at=max((answer.saved_at for answer in given), default=None),
    )


def _blind_spots(plan: StepPlan, stage: Stage, instance: StageInstance) -> Iterator[BlindSpot]:
    """In the order of the grounds."""
    if stage.checklist is None:
        return
    state = instance.step(CHECKLIST)
    for ground in plan.grounds:
        for statement in stage.checklist.questions:
            choices = state.choices(statement.id)
            if statement.ground == ground.id and (not choices or choices == (Grade.UNKNOWN,)):
                yield BlindSpot(ground, statement, is_unknown=bool(choices))


# --- what changed ------------------------------------------------------------------------------------------------


def _last_decision(
    instance: StageInstance,
    changes: Mapping[str, tuple[Change, ...]],
    points: Mapping[str, tuple[PointChange, ...]],
    versions: Mapping[str, EarlierVersion],
) -> LastDecision | None:
    decided = instance.decided
    if decided is None:
        return None
    kind = "approved" if decided.is_approval else "sent_back"
    if decided.is_approval and any(point.by == decided.by and point.at == decided.at for point in instance.points):
        kind = "approved_with_conditions"
    if decided.is_approval and any(
        approval.withdrawn_by and approval.seal == decided.seal and approval.at == decided.at
        for approval in instance.approvals
    ):
        kind = "withdrawn"
    earlier = versions.get(decided.seal)
    return LastDecision(
        kind,
        decided.by,
        decided.at,
        changes.get(decided.seal, ()),
        points.get(decided.seal, ()),
        earlier.version if earlier else None,
        decided.on_behalf_of,
    )


def changes_between(
    session: Session, plan: StepPlan, run: Run, ref: StageRef, before: Manifest, after: Manifest
) -> tuple[Change, ...]:
    """The differences between two manifests of one stage instance, with the texts they stand for."""
    found = differences_since(run, ref, before, after)
    versions = answers_by_commitment(session, run.id, commitments_in(found))
    titles = {each.id: each.described.title for each in evidence_of(session, run.id)}
    then = stage_then(plans_of(session, plan, [before]), before)
    return as_changes(then, plan.stage(ref.stage), found, versions, titles)
