"""Answers as they stand in the page of a report: hundreds of them, so what the plan says around each is made once.

In Python because a template asks of each piece, at each use, what it is. What users wrote is escaped here, each time;
nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from app.engine.answers import Value
from app.engine.definition import Column, Option, Question, QuestionType
from app.features.reports.texts import Words
from app.features.reports.values import AnswerLine
from app.web.i18n import N_, Language
from app.web.macros import html
from app.web.render import plan_text_in

QUESTIONS_KEPT_MAX: Final = 4096  # in memory, for each about 1 kB: those of twenty plans in two languages

# What is wider than the page is scrolled to by keyboard too.
_TABLE: Final = Markup(
    '<div class="table-scroll" tabindex="0" role="group" aria-label="{}">'
    '<table class="utrecht-table utrecht-table--html-table table--stacked">'
    '<caption class="utrecht-table__caption visually-hidden">{}</caption>'
    '<thead class="utrecht-table__header"><tr class="utrecht-table__row">{}</tr></thead>'
    '<tbody class="utrecht-table__body">'
)
_HEADING: Final = Markup('<th class="utrecht-table__header-cell" scope="col">{}</th>')
_CELL: Final = Markup('<td class="utrecht-table__cell" data-label="{}">')
_AS_WRITTEN: Final = (QuestionType.SHORT_TEXT, QuestionType.LONG_TEXT)


@dataclass(frozen=True, slots=True)
class _Cell:
    """`opening` also ends the cell before it."""

    column: Column
    opening: str
    options: dict[str, str]
    is_as_written: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is the same around every answer to a question, as markup."""

    question: Question
    before: str
    table: str
    cells: tuple[_Cell, ...]
    options: dict[str, str]
    is_as_written: bool


_asked: dict[tuple[int, Language], _Asked] = {}


def _asked_by(question: Question, words: Words) -> _Asked:
    # By identity: a question cannot be hashed. It is in what is kept, so that no other can have the same number.
    key = (id(question), words.language)
    found = _asked.get(key)
    if found is None:
        if len(_asked) >= QUESTIONS_KEPT_MAX:
            _asked.clear()
        found = _asked[key] = _around(question, words)
    return found


def _around(question: Question, words: Words) -> _Asked:
    headings = Markup().join(_HEADING.format(title) for title in words.headings(question))
    return _Asked(
        question,
        before=Markup("<dt>{}</dt><dd>").format(plan_text_in(words.language)(question.text)),
        table=_TABLE.format(question.text.nl, question.text.nl, headings),
        cells=tuple(
            _Cell(
                column,
                ("</td>" if number else "") + str(_CELL.format(words(column.title))),
                _options(column.options, words),
                column.type in _AS_WRITTEN,
            )
            for number, column in enumerate(question.columns)
        ),
        options=_options(question.options, words),
        is_as_written=question.type in _AS_WRITTEN and question.unit is None,
    )


def _options(options: Iterable[Option], words: Words) -> dict[str, str]:
    return {option.id: html(words(option.title)) for option in options}


class AnswerMarkup:
    """For one page, and as long as it takes to make it: it remembers names."""

    def __init__(self, words: Words) -> None:
        self._words: Final = words
        self._not_answered: Final = Markup('<span class="soft">{}</span></dd>').format(words.say(N_("Not answered")))
        self._saved: Final[dict[tuple[str | None, datetime], str]] = {}

    def of(self, lines: Iterable[AnswerLine]) -> Markup:
        """The content of a description list."""
        pieces: list[str] = []
        for line in lines:
            question, answer = line.question, line.answer
            asked = _asked_by(question, self._words)
            pieces.append(asked.before)
            if answer is None:
                pieces.append(self._not_answered)
                continue
            value = answer.value
            if asked.cells:
                self._add_table(pieces, asked, value)
            else:
                said = value if asked.is_as_written and isinstance(value, str) else self._words.answer(question, value)
                pieces.append(f'<span class="user-text">{html(said)}</span>')
            pieces.append(self._saved_by(line.by, answer.saved_at))
            if line.is_proposal:
                pieces.append(f" · {html(self._words.answered(line))}")
            pieces.append("</span></dd>")
        return Markup("".join(pieces))  # noqa: S704  # every piece is escaped or ours

    def _add_table(self, pieces: list[str], asked: _Asked, value: Value) -> None:
        add = pieces.append
        add(asked.table)
        for row in value if isinstance(value, list) else ():
            if not isinstance(row, dict):
                continue
            add('<tr class="utrecht-table__row">')
            for cell in asked.cells:
                add(cell.opening)
                given = row.get(cell.column.id, "")
                if cell.is_as_written:
                    add(html(given))
                else:
                    add(cell.options.get(given) or html(self._words.cell(cell.column, given)))
            add("</td></tr>")
        add("</tbody></table></div>")

    def _saved_by(self, name: str | None, at: datetime) -> str:
        said = self._saved.get((name, at))
        if said is None:
            moment = self._words.formats.time_text(at)
            said = self._saved[name, at] = f'<span class="soft small">{html(name)}, {moment}'
        return said
