"""What the page of a step shows; the checklist of a stage is a step too."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, false, null, select, type_coerce, union_all
from sqlmodel import Session, col

from app.engine import guards
from app.engine.definition import (
    CHECKLIST,
    EvidenceDemand,
    EvidenceKind,
    Grade,
    QuestionType,
    Step,
    StepPlan,
)
from app.engine.errors import Reason
from app.engine.progress import Progress, missing_in_step, step_progress
from app.engine.run import EvidenceMark, Run, StageRef, StageStatus, StepState, UserId
from app.features.steps.content import StepContent, Visibility, state_as_typed
from app.features.steps.forms import CONFIRM_ALL, StepForm, answer_name, cell_name, plan_mark, reason_name
from app.features.steps.questions import Group, groups, question_view
from app.policy import Action
from app.storage.run_header import RunHeader, run_header
from app.storage.scope import Prepared
from app.storage.tables import EvidenceRow, TextRow, User
from app.storage.types import IdText
from app.web.forms import FormState
from app.web.identity import Caller

# Whoever saved this recently is probably still at it.
STILL_HERE = timedelta(minutes=15)
EVIDENCE_ANCHOR = "bewijs"


@dataclass(frozen=True, slots=True)
class Needed:
    """Something that is missing, and where on the page it can be given."""

    reason: Reason
    anchor: str


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    id: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class DemandLine:
    demand: EvidenceDemand
    kind: EvidenceKind
    present: int

    @property
    def is_met(self) -> bool:
        return self.present >= self.demand.minimum


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a manager sent this step back; `text` is None once erased."""

    text: str | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    answered: int
    total: int
    unknown: int


@dataclass(frozen=True, slots=True)
class StepPage:
    """`cannot_work` says why somebody with the right role cannot change this step now. `proposals`: how many answers
    came along from before and wait for somebody to confirm them; `is_from_earlier_run`: from an earlier trajectory, not
    from an earlier version of the step plan. `confirms_all`: the tick for all of them was set."""

    header: RunHeader
    content: StepContent
    address: str
    stage_address: str
    based_on: int
    plan_mark: str
    state: StepState
    progress: Progress
    groups: tuple[Group, ...]
    needed: tuple[Needed, ...]
    counts: Counts
    finding: Finding | None
    demands: tuple[DemandLine, ...]
    evidence: tuple[EvidenceLine, ...]
    names: Mapping[UserId, str]
    may_work: bool
    cannot_work: tuple[Reason, ...]
    colleague: UserId | None
    previous: Step | None
    following: Step | None
    proposals: int
    is_from_earlier_run: bool
    confirms_all: bool

    @property
    def plan(self) -> StepPlan:
        return self.content.plan

    @property
    def ref(self) -> StageRef:
        return self.content.ref

    @property
    def step(self) -> Step:
        return self.content.step

    @property
    def is_checklist(self) -> bool:
        return self.content.step.id == CHECKLIST

    @property
    def evidence_address(self) -> str:
        return f"{self.stage_address}/stappen/{self.step.id}/bewijs"

    def address_of(self, step: Step) -> str:
        return step_address(self.content.run.id, self.ref, step.id)

    @property
    def is_submitted(self) -> bool:
        instance = self.content.instance
        return instance is not None and instance.status is StageStatus.SUBMITTED


def step_address(run_id: str, ref: StageRef, step: str) -> str:
    stage = f"/trajecten/{run_id}/fasen/{ref}"
    return f"{stage}/checklist" if step == CHECKLIST else f"{stage}/stappen/{step}"


def step_page(
    session: Session,
    caller: Caller,
    content: StepContent,
    *,
    at: datetime,
    form: StepForm | None = None,
    invalid: Collection[str] = (),
) -> StepPage:
    """Up to three queries beside those of `content`. With a form the page follows what was typed, not what is
    stored. `invalid` names the questions whose answer cannot be stored."""
    plan, run, ref, step, state = content.plan, content.run, content.ref, content.step, content.state
    typed = state_as_typed(content, form) if form else state
    missing = missing_in_step(step, typed, ref)
    views = [
        question_view(content, typed, question, missing, form, is_invalid=question.id in invalid)
        for question in step.questions
    ]
    names, finding = _people_and_finding(session, content)
    cannot = () if not caller.may(Action.WORK_ON_STAGE) else tuple(_cannot_work(content, caller.user_id))
    steps = [*content.stage.all_steps()]
    place = steps.index(step)
    return StepPage(
        header=run_header(session, run.id),
        content=content,
        address=step_address(run.id, ref, step.id),
        stage_address=f"/trajecten/{run.id}/fasen/{ref}",
        based_on=form.based_on if form else state.revision,
        plan_mark=plan_mark(plan),
        state=state,
        progress=step_progress(step, typed),
        groups=tuple(groups(plan, step, views)),
        needed=tuple(Needed(reason, _anchor(step, content, typed, reason)) for reason in missing),
        counts=_counts(step, typed),
        finding=finding,
        demands=tuple(_demands(plan, step, state)),
        evidence=_evidence(session, run, ref, step, state),
        names=names,
        may_work=caller.may(Action.WORK_ON_STAGE) and not cannot,
        cannot_work=cannot,
        colleague=_colleague(state, caller, at),
        previous=steps[place - 1] if place else None,
        following=steps[place + 1] if place + 1 < len(steps) else None,
        proposals=sum(view.is_proposal for view in views if view.visibility is not Visibility.HIDDEN),
        is_from_earlier_run=run.earlier_run is not None and not run.moves,
        confirms_all=form is not None and form.confirms_all,
    )


def form_state(page: StepPage, errors: Mapping[str, str] | None = None) -> FormState:
    """The form with what was typed, else with what is stored."""
    values: dict[str, tuple[str, ...]] = {CONFIRM_ALL: ("ja",)} if page.confirms_all else {}
    for group in page.groups:
        for view in group.questions:
            values.update(view.fields)
    return FormState(values, errors or {})


def _cannot_work(content: StepContent, user: UserId) -> Iterable[Reason]:
    yield from guards.not_open_for_work(content.stage, content.run, content.ref)
    yield from guards.not_in_team(content.run, user)


def _anchor(step: Step, content: StepContent, typed: StepState, reason: Reason) -> str:
    """Of the field where it can be given: the explanation of a grade, the first cell of a table."""
    if reason.question is None:
        return EVIDENCE_ANCHOR
    question = step.question(reason.question)
    match question.type:
        case QuestionType.TABLE:
            return cell_name(question.id, 0, question.columns[0].id)
        case QuestionType.ASSESSMENT if typed.choices(question.id) and reason.code == "answer_incomplete":
            return reason_name(question.id)
        case _:
            return answer_name(question.id)


def _counts(step: Step, state: StepState) -> Counts:
    progress = step_progress(replace(step, evidence=()), state)
    unknown = sum(Grade.UNKNOWN in state.choices(question.id) for question in step.questions)
    return Counts(progress.done, progress.total, unknown)


def _demands(plan: StepPlan, step: Step, state: StepState) -> Iterable[DemandLine]:
    for demand in step.evidence:
        present = state.evidence_count(demand.kind, links_count=demand.may_be_link)
        yield DemandLine(demand, plan.evidence_kinds_by_id[demand.kind], present)


_EVIDENCE_COLUMNS: tuple[Any, ...] = (type_coerce(col(EvidenceRow.id), IdText), EvidenceRow.title)
_EVIDENCE = Prepared(
    select(*_EVIDENCE_COLUMNS).where(
        col(EvidenceRow.run_id) == bindparam("of_run"),
        col(EvidenceRow.ref) == bindparam("of_stage"),
        col(EvidenceRow.step) == bindparam("of_step"),
    )
)


def _evidence(session: Session, run: Run, ref: StageRef, step: Step, state: StepState) -> tuple[EvidenceLine, ...]:
    counting: list[EvidenceMark] = [item for item in state.evidence if item.counts]
    if not counting:
        return ()
    of_step = {"of_run": uuid.UUID(run.id), "of_stage": str(ref), "of_step": step.id}
    titles = dict(_EVIDENCE.run(session, of_step).all())
    return tuple(EvidenceLine(item.id, item.kind, titles[item.id]) for item in counting)


_USER: tuple[Any, ...] = (type_coerce(col(User.id), IdText).label("id"), User.name)
_FINDING: tuple[Any, ...] = (TextRow.text, TextRow.written_at)
_PEOPLE_AND_FINDING = Prepared(
    union_all(
        select(*_USER, col(TextRow.id).is_not(None).label("wrote_finding"), *_FINDING)
        .join(TextRow, col(TextRow.written_by) == col(User.id))
        .where(col(TextRow.id) == bindparam("finding")),
        select(*_USER, false(), null(), null()).where(col(User.id).in_(bindparam("people", expanding=True))),
    )
)


def _people_and_finding(session: Session, content: StepContent) -> tuple[dict[UserId, str], Finding | None]:
    """One query: the page may not cost one more."""
    state, instance = content.state, content.instance
    people = {state.changed_by, state.completed_by, *(answer.saved_by for answer in content.answers.values())}
    people.add(instance.request.by if instance and instance.request else None)
    if not state.finding and not any(people):
        return {}, None
    values = {
        "finding": uuid.UUID(state.finding) if state.finding else None,
        "people": [uuid.UUID(id) for id in people if id],
    }
    names, found = {}, None
    for id, name, wrote_finding, text, written_at in _PEOPLE_AND_FINDING.run(session, values):
        names[id] = name
        if wrote_finding:
            found = Finding(text, name, written_at)
    return names, found


def _colleague(state: StepState, caller: Caller, at: datetime) -> UserId | None:
    """Somebody else who saved this step a moment ago."""
    is_recent = state.changed_at is not None and at - state.changed_at < STILL_HERE
    return state.changed_by if is_recent and state.changed_by != caller.user_id else None
