"""What is filled in when asking for approval and when deciding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from starlette.datastructures import FormData

from app.web.forms import NUL, SENTENCES, TWICE, DutchDate, Form, FormInvalid, Problem, parse, typed_text
from app.web.i18n import N_

MESSAGE_MAX = 2_000  # characters
FINDING = "reden."  # followed by the id of a step
LABEL = N_("Reason")
OWNER, DUE = N_("Who sees to it"), N_("Done by")
CONDITIONS_MAX = 5  # of one decision; who has more sends back
# What each field of a condition is called where several are on one page.
_CONDITION_FIELDS = {
    "voorwaarde": N_("Condition %(n)s"),
    "eigenaar": N_("Who sees to condition %(n)s"),
    "datum": N_("Done by, of condition %(n)s"),
}
_ROW_FIELDS = frozenset(f"{name}.{number}" for name in _CONDITION_FIELDS for number in range(1, CONDITIONS_MAX + 1))

Shown = Annotated[str, Field(alias="shown", title=N_("Seal"), pattern="^[0-9a-f]{64}$")]
Revision = Annotated[int, Field(alias="revision", title=N_("Version of the page"), ge=1, le=10**9)]


class RequestForm(Form):
    shown: Shown
    revision: Revision
    message: Annotated[str, Field(alias="bericht", title=N_("Message for the manager"), max_length=MESSAGE_MAX)] = ""


Mandate = Annotated[str, Field(alias="namens", title=N_("In whose name"), max_length=36)]


class DecisionForm(Form):
    shown: Shown
    revision: Revision
    decision: Annotated[Literal["akkoord", "voorwaarden", "terugsturen"], Field(alias="besluit", title=N_("Decision"))]
    remark: Annotated[str, Field(alias="opmerking", title=N_("Remark"), max_length=MESSAGE_MAX)] = ""
    mandate: Mandate = ""


class WithdrawForm(Form):
    reason: Annotated[str, Field(alias="reden", title=LABEL, max_length=MESSAGE_MAX)] = ""
    mandate: Mandate = ""


class RecuseForm(Form):
    reason: Annotated[str, Field(alias="waarom", title=LABEL, max_length=MESSAGE_MAX)] = ""


class ReportForm(Form):
    """What was done about an open point; the engine asks for it in its own words when it is missing."""

    remark: Annotated[str, Field(alias="gedaan", title=N_("What was done"), max_length=MESSAGE_MAX)] = ""


class JudgeForm(Form):
    """Of a point: closing it asks for no words, giving it back does."""

    reason: Annotated[str, Field(alias="reden", title=LABEL, max_length=MESSAGE_MAX)] = ""
    mandate: Mandate = ""


class ChangePointForm(Form):
    owner: Annotated[str, Field(alias="eigenaar", title=OWNER)]
    due: Annotated[DutchDate, Field(alias="datum", title=DUE)]
    reason: Annotated[str, Field(alias="waarom", title=LABEL, max_length=MESSAGE_MAX)] = ""
    mandate: Mandate = ""


class _ConditionForm(Form):
    text: Annotated[str, Field(alias="voorwaarde", title=N_("Condition"), max_length=MESSAGE_MAX)]
    owner: Annotated[str, Field(alias="eigenaar", title=OWNER)]
    due: Annotated[DutchDate, Field(alias="datum", title=DUE)]


@dataclass(frozen=True, slots=True)
class ConditionTyped:
    """A condition as it was filled in: its text, who sees to it, and by when."""

    text: str
    owner: str
    due: date


@dataclass(frozen=True, slots=True)
class DecisionTyped:
    """The fixed fields; what should change by step; and the conditions, which are there with that decision only."""

    form: DecisionForm
    findings: Mapping[str, str]
    conditions: tuple[ConditionTyped, ...]


def parse_decision(posted: FormData) -> DecisionTyped:
    """Findings and conditions have fields that differ per plan and per person.
    Raises FormInvalid with the problems of all."""
    fixed = FormData([(name, value) for name, value in posted.multi_items() if not _is_of_a_row(name)])
    findings, problems = _findings(posted)
    conditions: list[ConditionTyped] = []
    if posted.get("besluit") == "voorwaarden":
        conditions, wrong = _conditions(posted)
        problems += wrong
    try:
        form = parse(DecisionForm, fixed)
    except FormInvalid as invalid:
        raise FormInvalid(typed_text(posted), [*invalid.problems, *problems]) from None
    if problems:
        raise FormInvalid(typed_text(posted), problems)
    return DecisionTyped(form, findings, tuple(conditions))


def _is_of_a_row(name: str) -> bool:
    return name.startswith(FINDING) or name in _ROW_FIELDS


def _findings(posted: FormData) -> tuple[dict[str, str], list[Problem]]:
    findings: dict[str, str] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(name for name in posted if name.startswith(FINDING)):
        texts = [value for value in posted.getlist(name) if not isinstance(value, str) or value.strip()]
        text = texts[0] if texts else ""
        if len(texts) > 1 or not isinstance(text, str):
            problems.append(Problem(name, TWICE, LABEL))
        elif "\x00" in text:
            problems.append(Problem(name, NUL, LABEL))
        elif len(plain := text.replace("\r\n", "\n").strip()) > MESSAGE_MAX:
            problems.append(Problem(name, SENTENCES["string_too_long"], LABEL, {"max_length": MESSAGE_MAX}))
        elif plain:
            findings[name.removeprefix(FINDING)] = plain
    return findings, problems


def _of_condition(number: int, problem: Problem) -> Problem:
    label = _CONDITION_FIELDS.get(problem.name, problem.label)
    return replace(problem, name=f"{problem.name}.{number}", label=label, label_params={"n": number})


def _conditions(posted: FormData) -> tuple[list[ConditionTyped], list[Problem]]:
    """Rows in which nothing is filled in do not count; a row that was begun is whole."""
    found: list[ConditionTyped] = []
    problems: list[Problem] = []
    for number in range(1, CONDITIONS_MAX + 1):
        names = {f"{field}.{number}": field for field in _CONDITION_FIELDS}
        row = FormData([(names[name], value) for name, value in posted.multi_items() if name in names])
        if not any(value.strip() for _, value in row.multi_items() if isinstance(value, str)):
            continue
        try:
            form = parse(_ConditionForm, row)
        except FormInvalid as invalid:
            problems += [_of_condition(number, problem) for problem in invalid.problems]
        else:
            found.append(ConditionTyped(form.text, form.owner, form.due))
    if not found and not problems:
        sentence = N_("Write at least one condition, with who sees to it and by when.")
        problems.append(Problem("voorwaarde.1", sentence, LABEL))
    return found, problems
