"""Answers of the fictional teams. What `answers.yaml` does not have gets a plain answer of the right type."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import typst
import yaml

from app.engine.answers import Value, read
from app.engine.definition import CHECKLIST, Column, Grade, Question, QuestionType, Step
from app.engine.run import StageRef

ANSWERS = Path(__file__).with_name("answers.yaml")

# How the fictional teams see themselves: mostly on the way, and honest about what they do not know.
GRADES = (Grade.YES, Grade.PARTLY, Grade.PARTLY, Grade.UNKNOWN, Grade.YES, Grade.NO, Grade.PARTLY, Grade.UNKNOWN)
REASONS = {
    Grade.YES: "Te zien in het verslag van de gesprekken.",
    Grade.PARTLY: "Voor een deel; de cijfers zijn van voor 2024.",
    Grade.NO: "Staat op de actielijst voor dit kwartaal.",
    Grade.UNKNOWN: "Wij spraken hier nog niemand over.",
    Grade.NOT_APPLICABLE: "Valt buiten dit beleid.",
}


@cache
def _answers() -> dict[str, Any]:
    answers: dict[str, Any] = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    return answers


def answer_for(ref: StageRef, step: Step, question: Question, number: int, *, run: int) -> Value:
    """A value that the engine accepts; `number` of the question and `run` (0, 1, 2) make answers differ."""
    if step.id == CHECKLIST:
        grade = GRADES[(number + 3 * run) % len(GRADES)]
        return {"grade": grade, "reason": REASONS[grade]}
    given = _answers().get(f"{ref.stage}/{step.id}/{question.id}")
    if isinstance(given, dict) and "per_run" in given:
        given = given["per_run"][run]
    if given is None:
        given = _plain(question)
    elif question.type is QuestionType.TABLE:
        given = [_row(question, row) for row in given]
    return read(question, given)


def _row(question: Question, row: dict[str, Any]) -> dict[str, str]:
    """Choices may be given by position, so that they survive a better wording of their ids."""
    return {column.id: _cell(column, row.get(column.id, "")) for column in question.columns}


def _cell(column: Column, cell: str | int) -> str:
    if column.options and isinstance(cell, int):
        return column.options[cell].id
    return str(cell)


def _plain(question: Question) -> Any:
    match question.type:
        case QuestionType.SINGLE_CHOICE:
            return question.options[0].id
        case QuestionType.MULTIPLE_CHOICE:
            return [question.options[0].id]
        case QuestionType.ASSESSMENT:
            return {"grade": Grade.YES.value, "reason": ""}
        case QuestionType.NUMBER:
            return f"{question.minimum or 4:g}"
        case QuestionType.DATE:
            return "2027-03-01"
        case QuestionType.TABLE:
            rows = max(1, question.rows_min)
            return [{column.id: _plain_cell(column) for column in question.columns} for _ in range(rows)]
        case _:
            return "Besproken in het team; het verslag staat bij de bewijsstukken."


def _plain_cell(column: Column) -> str:
    match column.type:
        case QuestionType.SINGLE_CHOICE:
            return column.options[0].id
        case QuestionType.DATE:
            return "2027-03-01"
        case QuestionType.NUMBER:
            return "3"
        case _:
            return "Zie het verslag"


def example_document(title: str) -> bytes:
    """A page of PDF that says what it is."""
    source = b"""#set document(title: sys.inputs.title)
#set text(lang: "nl")
#title(sys.inputs.title)
Dit is een verzonnen document bij de demonstratie."""
    content = typst.compile(source, sys_inputs={"title": title})
    assert isinstance(content, bytes)
    return content
