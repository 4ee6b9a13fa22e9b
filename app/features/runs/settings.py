"""What can be changed about a run, and how two people who change it at once are put together: per setting.

Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.engine.run import Run
from app.storage.marks import mark
from app.storage.run_header import RunHeader

MINE, THEIRS = "mijn", "ander"
# Name of the field on the page -> attribute.
FIELDS: Final[Mapping[str, str]] = {
    "naam": "name",
    "doel": "purpose",
    "domeinen": "domains",
    "team": "team",
    "leidinggevende": "manager",
}


@dataclass(frozen=True, slots=True)
class RunSettings:
    name: str
    purpose: str
    domains: frozenset[str]
    team: frozenset[str]
    manager: str

    @property
    def basis(self) -> str:
        """What a form carries of them: a mark per setting, in the order of the page."""
        return ".".join(self.marks.values())

    @property
    def marks(self) -> dict[str, str]:
        return {field: mark(self._value(attribute)) for field, attribute in FIELDS.items()}

    def _value(self, attribute: str) -> Any:
        value = getattr(self, attribute)
        return sorted(value) if isinstance(value, frozenset) else value


class SettingsConflict(Exception):
    """Settings that somebody else changed too, and differently; nothing was written."""

    def __init__(self, fields: Collection[str]) -> None:
        super().__init__(fields)
        self.fields = tuple(fields)


def settings_of(header: RunHeader, run: Run) -> RunSettings:
    return RunSettings(header.name, header.purpose, frozenset(run.domains), frozenset(run.team), run.manager or "")


def put_together(
    mine: RunSettings, current: RunSettings, *, based_on: str, asked: Collection[str] = (), chosen: Mapping[str, str]
) -> RunSettings:
    """`based_on`: the settings that the form was filled in from. `asked`: the fields about which the page asked what
    stays, with what was `chosen` there; what is mine may be the two written together.  Raises SettingsConflict."""
    seen = dict(zip(FIELDS, based_on.split("."), strict=False))
    typed, now = mine.marks, current.marks
    values: dict[str, Any] = {}
    conflicts: list[str] = []
    for field, attribute in FIELDS.items():
        is_untouched = seen.get(field) == now[field]  # nobody else changed it since the page
        left_alone = field not in asked and seen.get(field) == typed[field]
        choice = chosen.get(field) if field in asked else MINE
        if typed[field] == now[field] or left_alone or (is_untouched and choice == THEIRS):
            values[attribute] = getattr(current, attribute)
        elif is_untouched and choice == MINE:
            values[attribute] = getattr(mine, attribute)
        else:
            conflicts.append(field)
    if conflicts:
        raise SettingsConflict(conflicts)
    return RunSettings(**values)
