"""What an administrator sends: whom to look for, and what goes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints
from starlette.datastructures import FormData

from app.storage.erasure.items import Ground, Item, from_json
from app.storage.erasure.matching import TERMS_MAX
from app.storage.erasure.searching import HITS_MAX
from app.web.forms import Form, parse, refuse
from app.web.i18n import N_

TERMS_LENGTH_MAX: Final = 1_000  # characters, of all names together

PASSAGE, WHOLE, NOTHING = "passage", "geheel", "niets"


class SearchForm(Form):
    terms: Annotated[
        str,
        StringConstraints(min_length=1, max_length=TERMS_LENGTH_MAX),
        Field(alias="namen", title=N_("Names or words")),
    ]

    @property
    def lines(self) -> list[str]:
        return self.terms.splitlines()[:TERMS_MAX]


class GroundForm(Form):
    ground: Annotated[Ground, Field(alias="grond", title=N_("Why"))]


class NothingForm(Form):
    """Of a button alone."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """`found`: every item that was on the page, with its passages; `choices`: what should happen to each."""

    found: tuple[Item, ...]
    choices: tuple[str, ...]
    searched_at: datetime

    @property
    def items(self) -> list[Item]:
        pairs = zip(self.found, self.choices, strict=True)
        return [Item(item.key) if choice == WHOLE else item for item, choice in pairs if choice != NOTHING]


_NAME: Final = re.compile(r"(stuk|keuze)\.(0|[1-9][0-9]{0,3})")


class Tampered(ValueError):
    """No page of ours sends this."""


def chosen_in(posted: FormData) -> Chosen:
    """Raises Tampered."""
    fields: dict[str, dict[int, str]] = {"stuk": {}, "keuze": {}}
    for name, value in posted.multi_items():
        if (match := _NAME.fullmatch(name)) and isinstance(value, str):
            fields[match[1]][int(match[2])] = value
    numbers = sorted(fields["stuk"])
    try:
        found = tuple(from_json(json.loads(fields["stuk"][number])) for number in numbers)
        searched_at = _moment(str(posted.get("gezocht") or ""))
    except (ValueError, OverflowError, RecursionError):
        raise Tampered from None
    choices = tuple(fields["keuze"].get(number, NOTHING) for number in numbers)
    is_right = 0 < len(found) <= HITS_MAX and set(choices) <= {PASSAGE, WHOLE, NOTHING}
    is_right = is_right and len({item.key for item in found}) == len(found)
    if not is_right or any(not item.passages for item in found):
        raise Tampered
    return Chosen(found, choices, searched_at)


def _moment(typed: str) -> datetime:
    """Raises ValueError, OverflowError."""
    moment = datetime.fromisoformat(typed)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    moment = moment.astimezone(UTC)
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("no zone but UTC has this moment")  # a page shows it in Dutch time
    return moment


def ground_in(posted: FormData, chosen: Chosen | None = None) -> Ground:
    """Raises FormInvalid, also where nothing was chosen to go."""
    rest = [(name, value) for name, value in posted.multi_items() if not _NAME.fullmatch(name) and name != "gezocht"]
    typed = FormData([(name, value) for name, value in rest if isinstance(value, str)])
    ground = parse(GroundForm, typed).ground
    if chosen is not None and not chosen.items:
        raise refuse(typed, "grond", N_("Choose at least one thing to erase, or go back."))
    return ground


def as_field(item: Item) -> str:
    value: Any = item.to_json()
    return json.dumps(value, separators=(",", ":"))
