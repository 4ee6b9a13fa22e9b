"""One step of a run with its definition, state and answers: what the page shows and what saving starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlmodel import Session

from app.engine import guards
from app.engine.answers import AnswerInvalid, Value, is_shown, mark, read
from app.engine.definition import Question, Stage, Step, StepPlan
from app.engine.run import Run, StageInstance, StageRef, StepState
from app.features.steps.forms import StepForm, is_untouched
from app.storage import answer_store, run_store
from app.storage.answer_store import Answer


@dataclass(frozen=True, slots=True)
class StepContent:
    """`answers` are the current ones by question. Of the run, only this step is loaded."""

    plan: StepPlan
    run: Run
    ref: StageRef
    stage: Stage
    step: Step
    answers: Mapping[str, Answer]

    @property
    def instance(self) -> StageInstance | None:
        return self.run.instance(self.ref)

    @property
    def state(self) -> StepState:
        return self.instance.step(self.step.id) if self.instance else StepState()

    @property
    def proposals(self) -> frozenset[str]:
        """Questions whose answer came along from before, and that nobody confirmed yet."""
        return frozenset(id for id, mark in self.state.answers.items() if mark.is_proposal and mark.is_filled)

    def value(self, question: str) -> Value:
        return self.answers[question].value if question in self.answers else None


def load_content(session: Session, run_id: str, ref: StageRef, step: str, *, for_change: bool = False) -> StepContent:
    """Four queries, whose cost does not grow with the plan.  Raises RunNotFound, NoSuchPart."""
    plan, run = run_store.load_step(session, run_id, ref, step, for_change=for_change)
    stage, definition = guards.find_stage(plan, run, ref), guards.find_step(plan, run, ref, step)
    found = answer_store.current_answers(session, run.id, ref, step)
    return StepContent(plan, run, ref, stage, definition, {answer.question: answer for answer in found.values()})


class Visibility(StrEnum):
    """`UNDECIDED`: the answer on which it depends is not there yet. Without scripts the question is shown then, with
    the condition, so that one visit is enough to fill in both."""

    SHOWN = "shown"
    UNDECIDED = "undecided"
    HIDDEN = "hidden"


def visibility(step: Step, state: StepState, question: Question) -> Visibility:
    condition = question.shown_when
    if condition is None or is_shown(step, state, question):
        return Visibility.SHOWN
    governing = step.question(condition.question)
    above = visibility(step, state, governing)
    if above is not Visibility.SHOWN:
        return above
    is_answered = bool(state.choices(governing.id)) if condition.any_of else state.is_filled(governing.id)
    return Visibility.HIDDEN if is_answered else Visibility.UNDECIDED


def state_as_typed(content: StepContent, form: StepForm) -> StepState:
    """The state as it would be if the form were saved now; an answer that cannot be stored counts as empty."""
    return _as_typed(content, form, confirmed_in(content, form))


def confirmed_in(content: StepContent, form: StepForm) -> frozenset[str]:
    """Proposals that the form confirms: ticked one by one, or all that are shown. Of another answer than the form was
    filled in from it can say nothing."""
    seen = {id for id in content.proposals & form.basis.keys() if content.answers[id].commitment == form.basis[id]}
    if not form.confirms_all:
        return form.confirmed & seen
    typed = _as_typed(content, form, frozenset())
    questions = (question for question in content.step.questions if question.id in seen)
    shown = {q.id for q in questions if visibility(content.step, typed, q) is not Visibility.HIDDEN}
    return (form.confirmed & seen) | shown


def _as_typed(content: StepContent, form: StepForm, confirmed: frozenset[str]) -> StepState:
    marks = dict(content.state.answers)
    for id, raw in form.raw.items():
        question = content.step.question(id)
        stored = marks.get(id)
        if stored is not None and is_untouched(question, raw, content.value(id)):
            marks[id] = replace(stored, is_proposal=stored.is_proposal and id not in confirmed)
            continue
        try:
            value = read(question, raw)
        except AnswerInvalid:
            value = None
        marks[id] = mark(question, value, salt="")  # never stored
    return replace(content.state, answers=marks)


def governed_by(step: Step, question: str) -> tuple[str, ...]:
    """The questions that may appear or go when this one is answered, also by way of each other."""
    found: list[str] = []
    for other in step.questions:
        if other.shown_when and (other.shown_when.question == question or other.shown_when.question in found):
            found.append(other.id)
    return tuple(found)
