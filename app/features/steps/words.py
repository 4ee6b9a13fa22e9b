"""Answers and problems in words, for a given visitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from app.engine.answers import AnswerInvalid, Value
from app.engine.definition import Column, Grade, Option, Question, QuestionType, Text
from app.web.formats import Formats
from app.web.i18n import N_, Language, gettext_for

GRADE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Grade.YES: N_("Yes, shown"),
        Grade.PARTLY: N_("Partly"),
        Grade.NO: N_("No, action planned"),
        Grade.NOT_APPLICABLE: N_("Not applicable"),
        Grade.UNKNOWN: N_("Unknown"),
    }
)

PROBLEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "too_long": N_("Shorten “%(label)s”: %(length)s characters is too much, %(limit)s fit."),
        "not_a_number": N_("Type a number at “%(label)s”, for example 12 or 3,5."),
        "number_too_small": N_("The number at “%(label)s” must be %(minimum)s or more."),
        "number_too_large": N_("The number at “%(label)s” must be %(maximum)s or less."),
        "not_a_date": N_("Type a date at “%(label)s”, for example 31-12-2026."),
        "unknown_option": N_("Choose one of the answers at “%(label)s”."),
        "too_many_rows": N_("“%(label)s” has %(length)s rows; %(limit)s fit. Add the rest as a document."),
    }
)
CELL: Final = N_("%(label)s, row %(row)s, %(column)s")


@dataclass(frozen=True, slots=True)
class Shown:
    """A stored answer, ready to be shown: just one of these, besides `reason` with a grade."""

    text: str = ""
    options: tuple[Text, ...] = ()
    grade: str = ""
    reason: str = ""
    number: Decimal | None = None
    unit: Text | None = None
    date: date | None = None
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Shown, ...], ...] = ()


def shown(question: Question, value: Value) -> Shown | None:
    """None for no answer."""
    match value:
        case None:
            return None
        case {"grade": str(grade), "reason": str(reason)}:
            return Shown(grade=grade, reason=reason)
        case list() if question.type is QuestionType.TABLE:
            rows = [row for row in value if isinstance(row, dict)]
            return Shown(
                columns=question.columns,
                rows=tuple(
                    tuple(_single(c.type, row.get(c.id, ""), c.options) for c in question.columns) for row in rows
                ),
            )
        case list():
            return Shown(options=tuple(option.title for option in question.options if option.id in value))
        case str():
            return _single(question.type, value, question.options, question.unit)
        case _:
            raise TypeError(f"{question.id}: {value!r} is no answer to a {question.type}")


def _single(type: QuestionType, value: str, options: tuple[Option, ...], unit: Text | None = None) -> Shown:
    match type:
        case _ if not value:
            return Shown()
        case QuestionType.SINGLE_CHOICE:
            return Shown(options=tuple(option.title for option in options if option.id == value))
        case QuestionType.NUMBER:
            return Shown(number=Decimal(value), unit=unit)
        case QuestionType.DATE:
            return Shown(date=date.fromisoformat(value))
        case _:
            return Shown(text=value)


def problem_text(question: Question, problem: AnswerInvalid, language: Language) -> str:
    """Names the question (and the cell), what is wrong and what to do."""
    texts, formats = gettext_for(language), Formats(language)
    label = question.text.in_language(language)
    if problem.row is not None:
        column = next((c.title.in_language(language) for c in question.columns if c.id == problem.column), "")
        label = texts.gettext(CELL) % {"label": label, "row": problem.row + 1, "column": column}
    params: dict[str, object] = {
        key: formats.number(value) if isinstance(value, int) else value for key, value in problem.params.items()
    }
    for bound in ("minimum", "maximum"):
        limit: float | None = getattr(question, bound)
        if bound in params and limit is not None:
            params[bound] = formats.number(Decimal(str(limit)))
    return texts.gettext(PROBLEMS[problem.code]) % {**params, "label": label}
