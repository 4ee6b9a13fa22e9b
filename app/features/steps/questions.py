"""The questions of a step as the page shows them: with what was typed, what is missing, and when they appear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.engine.answers import TABLE_ROWS_MAX
from app.engine.definition import CHECKLIST, Ground, Question, QuestionType, Source, Step, StepPlan, Text
from app.engine.errors import Reason
from app.engine.run import StepState, UserId
from app.features.steps.content import StepContent, Visibility, governed_by, visibility
from app.features.steps.forms import Act, StepForm, as_typed, confirm_name, fields_of
from app.web.shown import Shown, shown

ROWS_AT_FIRST = 3
ROWS_ADDED = 3


@dataclass(frozen=True, slots=True)
class QuestionView:
    """`is_invalid`: what was typed cannot be stored, so it is shown in any case. `governing` and `wanted`: shown only
    if that question has one of these answers (any, when there are none); for an assessment `wanted_grades`.
    `governs`: what may appear or go when this one is answered. `rows`: of a table, with empty ones; `new_row` is the
    first of the rows that were just asked for. `answer`: the stored one; `is_proposal`: it came along from before, and
    nobody confirmed it yet."""

    question: Question
    visibility: Visibility
    is_invalid: bool
    governing: Question | None
    wanted: tuple[Text, ...]
    wanted_grades: tuple[str, ...]
    governs: tuple[str, ...]
    sources: tuple[Source, ...]
    basis: str
    needs: str | None
    rows: int
    new_row: int | None
    fields: Mapping[str, tuple[str, ...]]
    answer: Shown | None
    is_proposal: bool
    answered_by: UserId | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """Questions under one heading: the statements about one ground, or all questions of a step."""

    ground: Ground | None
    questions: tuple[QuestionView, ...]
    needed: int


def question_view(
    content: StepContent,
    typed: StepState,
    question: Question,
    missing: Sequence[Reason],
    form: StepForm | None,
    *,
    is_invalid: bool,
) -> QuestionView:
    step, condition = content.step, question.shown_when
    stored = content.answers.get(question.id)
    value = stored.value if stored else None
    raw = form.raw[question.id] if form and question.id in form.raw else as_typed(question, value)
    governing = step.question(condition.question) if condition else None
    wanted = condition.any_of if condition else ()
    basis = stored.commitment if stored else ""
    shows = visibility(step, typed, question)
    return QuestionView(
        question=question,
        visibility=Visibility.UNDECIDED if is_invalid and shows is Visibility.HIDDEN else shows,
        is_invalid=is_invalid,
        governing=governing,
        wanted=tuple(option.title for option in governing.options if option.id in wanted) if governing else (),
        wanted_grades=wanted if governing and governing.type is QuestionType.ASSESSMENT else (),
        governs=governed_by(step, question.id),
        sources=tuple(content.plan.sources_by_id[id] for id in question.sources),
        basis=form.basis.get(question.id, basis) if form else basis,
        needs=next((reason.code for reason in missing if reason.question == question.id), None),
        rows=_rows(question, raw if isinstance(raw, list) else [], form),
        new_row=len(raw) if isinstance(raw, list) and _wants_rows(question, form) else None,
        fields={**fields_of(question, raw), **_tick(question, form)},
        answer=shown(question, value),
        is_proposal=question.id in content.proposals,
        answered_by=stored.saved_by if stored else None,
        answered_at=stored.saved_at if stored else None,
    )


def _tick(question: Question, form: StepForm | None) -> dict[str, tuple[str, ...]]:
    return {confirm_name(question.id): ("ja",)} if form and question.id in form.confirmed else {}


def _rows(question: Question, raw: list[Any], form: StepForm | None) -> int:
    """Somebody without scripts always finds an empty row; who ran out of them asks for more."""
    if question.type is not QuestionType.TABLE:
        return 0
    filled = max((number for number, row in enumerate(raw, 1) if any(row.values())), default=0)
    rows = max(len(raw), filled + 1, question.rows_min, ROWS_AT_FIRST)
    if _wants_rows(question, form):
        rows = max(len(raw) + ROWS_ADDED, rows)
    return max(len(raw), min(rows, TABLE_ROWS_MAX))


def _wants_rows(question: Question, form: StepForm | None) -> bool:
    return form is not None and form.act is Act.ADD_ROW and form.rows_for == question.id


def groups(plan: StepPlan, step: Step, views: Sequence[QuestionView]) -> Iterable[Group]:
    """By ground for a checklist, in the order of the plan; otherwise just one."""

    def group(ground: Ground | None, questions: Sequence[QuestionView]) -> Group:
        return Group(ground, tuple(questions), sum(view.needs is not None for view in questions))

    if step.id != CHECKLIST:
        yield group(None, views)
        return
    for ground in plan.grounds:
        if about := [view for view in views if view.question.ground == ground.id]:
            yield group(ground, about)
