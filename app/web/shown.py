"""A stored answer taken apart for showing: what kind of thing each piece is, without any wording."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from app.engine.answers import Value
from app.engine.definition import Column, Option, Question, QuestionType, Text


class Shown(NamedTuple):
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

    def in_columns(self, row: tuple[Shown, ...]) -> Iterator[tuple[Column, Shown]]:
        return zip(self.columns, row, strict=True)


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
