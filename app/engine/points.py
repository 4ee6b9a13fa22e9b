"""Open points: the conditions on which a stage was approved, each with an owner and a date.

A condition is proposed until everybody who must agree did so, and open from then on. Its owner reports it as done;
somebody who may decide on the stage, and did not work on it, closes it or gives it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class PointState(StrEnum):
    """`LAPSED`: the approval that it was a condition of was not reached, or was withdrawn."""

    PROPOSED = "proposed"
    OPEN = "open"
    REPORTED = "reported"
    CLOSED = "closed"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class NewPoint:
    """What somebody asks for while approving. `text` is the id of a text; `owner` sees to it, by the date `due`."""

    id: str
    text: str
    owner: str
    due: date


@dataclass(frozen=True, slots=True)
class Point:
    """A condition and what became of it. `request`, `by` and `at` are those of the approval. `report` is what the owner
    said when it was done, `returned` why it was given back last, `changed` why it last got another owner or date.
    `mandate` and `on_behalf_of` are there when a deputy closed it or gave it back last."""

    id: str
    text: str
    owner: str
    due: date
    request: str
    by: str
    at: datetime
    state: PointState = PointState.PROPOSED
    reported_by: str | None = None
    reported_at: datetime | None = None
    report: str | None = None
    returned: str | None = None
    changed: str | None = None
    judged_by: str | None = None
    judged_at: datetime | None = None
    mandate: str | None = None
    on_behalf_of: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.state in (PointState.OPEN, PointState.REPORTED)

    @property
    def counts(self) -> bool:
        """Whether it belongs to what was, or is being, approved."""
        return self.state is not PointState.LAPSED

    def is_late(self, today: date) -> bool:
        """Whether the owner let the date go by. What was reported in time waits for somebody else."""
        return self.state is PointState.OPEN and self.due < today


def proposed(condition: NewPoint, request: str, *, by: str, at: datetime) -> Point:
    return Point(condition.id, condition.text, condition.owner, condition.due, request, by, at)
