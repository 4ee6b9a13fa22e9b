"""Answers and problems in words, for a given visitor."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from app.engine.answers import AnswerInvalid
from app.engine.definition import Grade, Question
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
