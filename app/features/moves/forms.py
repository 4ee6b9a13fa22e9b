"""What is filled in when a run moves: a choice and perhaps a reason per item, whose names differ per run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from starlette.datastructures import FormData

from app.web.forms import NUL, SENTENCES, TWICE, Form, FormInvalid, Problem, Ticked, Typed, parse, typed_text
from app.web.i18n import N_

REASON_MAX = 2_000  # characters
CHOICE, REASON = "keuze.", "reden."
"""Followed by the id of an item."""

Shown = Annotated[str, Field(alias="shown", title=N_("Version of the page"), pattern="^[0-9a-f]{64}$")]


class MoveForm(Form):
    version: Annotated[str, Field(alias="naar", title=N_("Version of the step plan"), max_length=130)]
    shown: Annotated[str, Field(alias="shown", title=N_("Version of the page"), pattern="^([0-9a-f]{64})?$")] = ""


class ConfirmForm(Form):
    shown: Shown


class DeclineForm(Form):
    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), max_length=REASON_MAX)] = ""


class UndoForm(Form):
    revision: Annotated[int, Field(alias="revision", title=N_("Version of the page"), ge=1, le=10**9)]
    park_later: Annotated[Ticked, Field(alias="parkeren", title=N_("Set aside what was done since"))] = False
    reason: Annotated[str, Field(alias="reden", title=N_("Reason"), max_length=REASON_MAX)] = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """By the id of an item: the choice, and the reason that was typed; empty ones are left out."""

    choices: Mapping[str, str]
    reasons: Mapping[str, str]


def parse_move(posted: FormData) -> tuple[MoveForm, Chosen]:
    """Raises FormInvalid with the problems of the fixed fields and of the others together."""
    prefixes = (CHOICE, REASON)
    fixed = FormData([(name, value) for name, value in posted.multi_items() if not name.startswith(prefixes)])
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(name for name in posted if name.startswith(prefixes)):
        values = posted.getlist(name)
        value = values[0] if len(values) == 1 else None
        if not isinstance(value, str):
            problems.append(Problem(name, TWICE, N_("Reason")))
        elif "\x00" in value:
            problems.append(Problem(name, NUL, N_("Reason")))
        elif len(value) > REASON_MAX:
            problems.append(Problem(name, SENTENCES["string_too_long"], N_("Reason"), {"max_length": REASON_MAX}))
        elif text := value.replace("\r\n", "\n").strip():
            found[name] = text
    try:
        form = parse(MoveForm, fixed)
    except FormInvalid as invalid:
        raise FormInvalid(typed_text(posted), [*invalid.problems, *problems]) from None
    if problems:
        raise FormInvalid(typed_text(posted), problems)
    return form, Chosen(_without(CHOICE, found), _without(REASON, found))


def typed_after(typed: Typed, prefix: str) -> dict[str, str]:
    """Of the form as it was sent, by the id of an item."""
    return _without(prefix, {name: values[0] for name, values in typed.items() if values})


def _without(prefix: str, found: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(prefix): text for name, text in found.items() if name.startswith(prefix)}
