"""What a check can find: which part differs, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Protocol


@unique
class Part(StrEnum):
    """What differs; the words are for whoever runs the installation."""

    HISTORY = "history"
    EVENT = "event"
    TABLES = "state tables"
    PLAN = "plan"
    REVISION = "revision"
    MANAGER = "manager"
    START = "start"
    WHOLE_RUN = "team, domains and decisions"
    NAME = "name"
    PURPOSE = "purpose"
    TEAM = "team"
    ADVISERS = "advisers"
    STAGE = "stage"
    STEP = "step"
    TEXT = "text"
    ANSWER = "answer"
    PARKED_ANSWER = "parked answer"
    EVIDENCE = "evidence"
    PARKED_EVIDENCE = "parked evidence"
    POINT = "open point"
    WAITING = "what waits for somebody"
    APPROVAL = "approval of"
    SEAL = "seal"


@unique
class Trouble(StrEnum):
    """How it differs; the words as above. {detail} is filled in."""

    MISSING = "missing"
    NUMBER_MISSING = "missing; the next one is number {detail}"
    NO_EVENTS = "no events"
    IMPOSSIBLE = "cannot have happened: {detail}"
    UNREADABLE = "cannot be read: {detail}"
    SEALED_OTHER = "sealed something else than the history holds"
    TABLES_DIFFER = "the tables say something else than the history"
    LIST_DIFFERS = "its status in lists is not the status of the step"
    NOT_IN_PLAN = "not in the plan"
    NOT_IN_HISTORY = "not in the history"
    GONE = "is gone, and no event says that it was erased"
    TEXT_CHANGED = "the text was changed outside the history"
    EARLIER_CHANGED = "an earlier version: the text was changed outside the history"
    MEMBERS_DIFFER = "the list of members differs from the history"
    OPENED_TO_OTHERS = "the run is open to others than the history says"
    OTHER_ANSWER = "another answer than the history says"
    OTHER_EVIDENCE = "other evidence than the history says"
    DESCRIPTION_CHANGED = "the description was changed outside the history"
    OTHER_STEP = "at another step than the history says"
    WITHDRAWN_DIFFERS = "withdrawn or not: the tables say something else than the history"
    SEALED_CHANGED = "the sealed content was changed"
    SEALED_MISSING = "the sealed content is missing"
    SEAL_OF_OTHER = "the seal belongs to something else"


@dataclass(frozen=True, slots=True)
class Finding:
    """`key`: which one of its kind, if there are several. A page says it in words of its own, with the same four."""

    run_id: str
    part: Part
    key: str
    trouble: Trouble
    detail: str = ""

    @property
    def place(self) -> str:
        return f"{self.part} {self.key}".rstrip()

    @property
    def problem(self) -> str:
        return self.trouble.format(detail=self.detail)


@dataclass(frozen=True, slots=True)
class Verified:
    run_id: str
    events: int
    findings: tuple[Finding, ...]


class Tell(Protocol):
    def __call__(self, part: Part, key: str, trouble: Trouble, detail: object = "", /) -> None: ...
