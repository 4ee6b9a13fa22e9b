"""The form of a step. Its fields follow from the questions of the step, so it is read by hand here instead of by a
pydantic model; as there, what does not belong is refused.

    antwoord.<question>                          a text, a number, a date, a chosen option, a grade
    antwoord.<question>.reden                    the explanation of a grade
    antwoord.<question>.rij.<number>.<column>    a cell of a table
    basis.<question>                             the commitment of the answer that the form was filled in from
    keuze.<question>                             after a conflict: which text stays, and the commitment of the other
    samen.<question>                             after a conflict: the two written together
    bevestig.<question>                          ticked: the answer that came along from before is still right
    bevestig-alles                               ticked: all of those on the page are
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from starlette.datastructures import FormData

from app.engine.answers import Raw, Value
from app.engine.definition import Question, QuestionType, Step, StepPlan
from app.web.forms import BASIS_FIELD, OF_THE_PAGE, SENTENCES, TWICE, FormInvalid, Problem, typed_text

Typed = dict[str, tuple[str, ...]]

ROW_NUMBER_DIGITS_MAX = 4
_COMMITMENT: Final = re.compile("([0-9a-f]{64})?")  # nothing where there is no answer yet


class Act(StrEnum):
    """What the pressed button asks for; the last two change nothing and show the form again."""

    SAVE = "opslaan"
    COMPLETE = "afronden"
    REFRESH = "verversen"
    ADD_ROW = "regel"


class Keep(StrEnum):
    """Which text stays when two people changed the same answer."""

    MINE = "mijn"
    THEIRS = "ander"
    BOTH = "beide"


@dataclass(frozen=True, slots=True)
class StepForm:
    """`raw` holds the questions that were on the form; others stay as they are. `rows_for`: the table that gets
    more room. `chosen`: per question what stays, and the commitment of the other answer as it was shown; `together`:
    the two texts as somebody wrote them together.
    `confirmed`: answers from before that were ticked as still right; `confirms_all`: all that are shown. `plan`: the
    start of the digest of the plan whose questions were on the form."""

    based_on: int
    act: Act = Act.SAVE
    rows_for: str | None = None
    raw: Mapping[str, Raw] = field(default_factory=dict)
    basis: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, tuple[Keep, str]] = field(default_factory=dict)
    together: Mapping[str, str] = field(default_factory=dict)
    is_comparison: bool = False
    confirmed: frozenset[str] = frozenset()
    confirms_all: bool = False
    plan: str = ""


def plan_mark(plan: StepPlan) -> str:
    """What a form carries of its plan."""
    return plan.digest[:16]


# --- names of fields -------------------------------------------------------------------------------------------


def answer_name(question: str) -> str:
    return f"antwoord.{question}"


def reason_name(question: str) -> str:
    return f"antwoord.{question}.reden"


def cell_name(question: str, row: int, column: str) -> str:
    return f"antwoord.{question}.rij.{row}.{column}"


def basis_name(question: str) -> str:
    return f"basis.{question}"


def choice_name(question: str) -> str:
    return f"keuze.{question}"


def together_name(question: str) -> str:
    return f"samen.{question}"


def confirm_name(question: str) -> str:
    return f"bevestig.{question}"


CONFIRM_ALL: Final = "bevestig-alles"


# --- from stored or typed to fields ------------------------------------------------------------------------------


def fields_of(question: Question, raw: Raw | Value) -> Typed:
    """The fields of one question, filled; rows are numbered from 0."""
    name = answer_name(question.id)
    match raw:
        case None | "":
            return {}
        case str():
            return {name: (raw,)}
        case {"grade": str(grade), "reason": str(reason)}:
            return {name: (grade,), reason_name(question.id): (reason,)}
        case list() if question.type is QuestionType.TABLE:
            return {
                cell_name(question.id, number, column.id): (str(row.get(column.id, "")),)
                for number, row in enumerate(raw)
                if isinstance(row, Mapping)
                for column in question.columns
            }
        case list():
            return {name: tuple(str(item) for item in raw)}
        case _:
            raise TypeError(f"{question.id}: {raw!r} is no answer to a {question.type}")


def as_typed(question: Question, value: Value) -> Raw:
    """A stored value as somebody would type it: with a decimal comma."""
    if question.type is QuestionType.NUMBER and isinstance(value, str):
        return value.replace(".", ",")
    if question.type is QuestionType.TABLE and isinstance(value, list):
        numbers = {column.id for column in question.columns if column.type is QuestionType.NUMBER}
        return [
            {id: cell.replace(".", ",") if id in numbers else cell for id, cell in row.items()}
            for row in value
            if isinstance(row, dict)
        ]
    return value


def is_untouched(question: Question, raw: Raw, value: Value) -> bool:
    """Whether a field still holds what was stored. By what stands in it, not by the value that it makes: another
    version of the question may order its options differently, or set other bounds."""
    return _filled(question, raw) == _filled(question, as_typed(question, value))


def _filled(question: Question, raw: Raw) -> dict[str, list[str]]:
    texts = {name: [_plain(value) for value in values] for name, values in fields_of(question, raw).items()}
    return {name: sorted(filter(None, values)) for name, values in texts.items() if any(values)}


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# --- from fields to raw answers ----------------------------------------------------------------------------------


def read_form(step: Step, posted: FormData) -> StepForm:
    """Raises FormInvalid for a field that this step does not have, or that came in twice."""
    return _Reader(step, posted).read()


class _Reader:
    def __init__(self, step: Step, posted: FormData) -> None:
        self.posted = posted
        self.questions = {question.id: question for question in step.questions}
        self.problems: list[Problem] = []
        self.raw: dict[str, Raw] = {}
        self.rows: dict[str, dict[int, dict[str, str]]] = {}

    def read(self) -> StepForm:
        basis: dict[str, str] = {}
        chosen: dict[str, tuple[Keep, str]] = {}
        together: dict[str, str] = {}
        confirmed: set[str] = set()
        plain: dict[str, str] = {}
        for name, values in self._fields():
            match name.split("."):
                case ["based_on" | "actie" | "vergelijken" | "bevestig-alles" | "stappenplan"]:
                    plain[name] = self._single(name, values)
                case ["basis", id] if id in self.questions:
                    basis[id] = self._single(name, values)
                    if not _COMMITMENT.fullmatch(basis[id]):
                        self._refuse(name)
                case ["keuze", id] if id in self.questions:
                    keep, _, seen = self._single(name, values).partition(".")
                    if keep in set(Keep) and _COMMITMENT.fullmatch(seen):
                        chosen[id] = (Keep(keep), seen)
                    else:
                        self._refuse(name)
                case ["samen", id] if id in self.questions:
                    together[id] = self._single(name, values)
                case ["bevestig", id] if id in self.questions:
                    if self._single(name, values) == "ja":
                        confirmed.add(id)
                case ["antwoord", id, *rest] if id in self.questions:
                    self._answer(self.questions[id], rest, name, values)
                case _:
                    self._refuse(name)
        act, rows_for = self._act(plain.get("actie") or Act.SAVE)
        based_on = plain.get("based_on", "")
        if not (based_on.isascii() and based_on.isdecimal() and len(based_on) <= 9):
            self._refuse("based_on")
        if self.problems:
            raise FormInvalid(typed_text(self.posted), self.problems)
        for id, question in self.questions.items():
            if question.type is QuestionType.TABLE and (id in basis or id in self.rows):
                self.raw[id] = [row for _, row in sorted(self.rows.get(id, {}).items())]
            elif id in basis:
                self.raw.setdefault(id, None)  # on the form, and nothing chosen
        return StepForm(
            int(based_on),
            act,
            rows_for,
            self.raw,
            basis,
            chosen,
            together,
            is_comparison="vergelijken" in plain,
            confirmed=frozenset(confirmed),
            confirms_all=plain.get(CONFIRM_ALL) == "ja",
            plan=plain.get("stappenplan", ""),
        )

    def _fields(self) -> Iterator[tuple[str, list[str]]]:
        for name in dict.fromkeys(self.posted):
            if name in OF_THE_PAGE and name != BASIS_FIELD:
                continue
            values = self.posted.getlist(name)
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) < len(values):
                self._refuse(name)  # a file does not belong here
            else:
                yield name, texts

    def _act(self, text: str) -> tuple[Act, str | None]:
        act, _, question = text.partition(".")
        if act == Act.ADD_ROW and question in self.questions:
            return Act.ADD_ROW, question
        if act in set(Act) - {Act.ADD_ROW} and not question:
            return Act(act), None
        self._refuse("actie")
        return Act.SAVE, None

    def _answer(self, question: Question, rest: list[str], name: str, values: list[str]) -> None:
        match question.type, rest:
            case QuestionType.MULTIPLE_CHOICE, []:
                self.raw[question.id] = values
            case QuestionType.ASSESSMENT, [] | ["reden"]:
                part = "reason" if rest else "grade"
                before = self.raw.get(question.id)
                given = dict(before) if isinstance(before, Mapping) else {"grade": "", "reason": ""}
                self.raw[question.id] = {**given, part: self._single(name, values)}
            case QuestionType.TABLE, ["rij", number, column] if _is_row(number):
                if all(each.id != column for each in question.columns):
                    self._refuse(name)
                    return
                row = self.rows.setdefault(question.id, {}).setdefault(int(number), {})
                row[column] = self._single(name, values)
            case QuestionType.TABLE | QuestionType.ASSESSMENT, _:
                self._refuse(name)
            case _, []:
                self.raw[question.id] = self._single(name, values)
            case _:
                self._refuse(name)

    def _single(self, name: str, values: list[str]) -> str:
        if len(values) > 1:
            self.problems.append(Problem(name, TWICE, name[:80]))
        return values[0]

    def _refuse(self, name: str) -> None:
        self.problems.append(Problem(name, SENTENCES["extra_forbidden"], name[:80] or "?"))


def _is_row(number: str) -> bool:
    return number.isascii() and number.isdecimal() and len(number) <= ROW_NUMBER_DIGITS_MAX
