"""Saving and completing a step. The engine decides; this puts together what two people changed, and records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from sqlmodel import Session

from app.engine import transitions
from app.engine.answers import AnswerInvalid, Value, read
from app.engine.apply import apply
from app.engine.definition import Question
from app.engine.errors import Blocked, Reason
from app.engine.run import StageRef, UserId
from app.features.steps.content import StepContent, confirmed_in, load_content
from app.features.steps.forms import StepForm, is_untouched
from app.features.steps.merging import Conflict, Merged, merge
from app.storage import answer_store, run_store
from app.storage.answer_store import Answer


class AnswersInvalid(Exception):
    """Answers that cannot be stored; nothing was written."""

    def __init__(self, problems: Mapping[str, tuple[Question, AnswerInvalid]]) -> None:
        super().__init__([*problems])
        self.problems = problems


class StepConflict(Exception):
    """Answers that somebody else changed too, and differently; nothing was written."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__([conflict.question.id for conflict in conflicts])
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it. `merged`: answers of somebody else that were kept beside one's own. `still_needed`: why the
    step could not be completed, though everything was saved."""

    changed: frozenset[str] = frozenset()
    merged: tuple[Answer, ...] = ()
    is_completed: bool = False
    still_needed: tuple[Reason, ...] = ()


def open_step(session: Session, run_id: str, ref: StageRef, step: str, *, by: UserId, at: datetime) -> StepContent:
    """Raises RunNotFound, NoSuchPart; Blocked when this person cannot work on the step now."""
    content = load_content(session, run_id, ref, step, for_change=True)
    # Without answers this refuses, or gives no events.
    transitions.save_step(content.plan, content.run, ref, step, answers={}, based_on=0, by=by, at=at)
    return content


def save(session: Session, content: StepContent, form: StepForm, *, complete: bool, by: UserId, at: datetime) -> Saved:
    """Saves what changed, and completes the step if asked and possible.  Raises AnswersInvalid, StepConflict."""
    plan, run, ref, step = content.plan, content.run, content.ref, content.step
    merged = _merged(session, content, form)
    if merged.conflicts:
        raise StepConflict(merged.conflicts)
    marks = answer_store.write_answers(session, run.id, ref, step, merged.changes, by=by, at=at)
    # What others changed was merged just now, so this is based on the newest revision.
    revision = content.state.revision
    events = transitions.save_step(plan, run, ref, step.id, answers=marks, based_on=revision, by=by, at=at)
    saved = Saved(frozenset(merged.changes), merged.kept)
    if complete:
        try:
            after = reduce(apply, events, run)
            events += transitions.complete_step(plan, after, ref, step.id, by=by, at=at)
            saved = replace(saved, is_completed=True)
        except Blocked as blocked:
            saved = replace(saved, still_needed=blocked.reasons)
    run_store.record(session, plan, run, events)
    return saved


def _merged(session: Session, content: StepContent, form: StepForm) -> Merged:
    mine, confirmed = read_answers(content, form), confirmed_in(content, form)
    if form.based_on == content.state.revision:
        return Merged({id: value for id, value in mine.items() if id in confirmed or value != content.value(id)})
    base = answer_store.answers_by_commitment(session, content.run.id, {*form.basis.values()} - {""})
    return merge(content.step, form, mine, content.answers, base, confirmed)


def read_answers(content: StepContent, form: StepForm) -> dict[str, Value]:
    """What was typed, without proposals that were left as they are: they stay proposals, also where their question
    would not take them now.  Raises AnswersInvalid with everything that is wrong."""
    waiting = content.proposals - confirmed_in(content, form)
    values: dict[str, Value] = {}
    problems: dict[str, tuple[Question, AnswerInvalid]] = {}
    for id, raw in form.raw.items():
        question = content.step.question(id)
        if id in waiting and is_untouched(question, raw, content.value(id)):
            continue
        try:
            values[id] = read(question, raw)
        except AnswerInvalid as problem:
            problems[id] = (question, problem)
    if problems:
        raise AnswersInvalid(problems)
    return values
