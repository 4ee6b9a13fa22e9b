"""How a difference between two versions of a plan is told: which part, what happened to it, and what that asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from app.engine.definition import Text


class ChangeClass(IntEnum):
    """What a difference asks, least first. Cosmetic: nothing, the author says that only words changed. Safe: nothing.
    Answer again: look at what was answered, or answer something new. Approve again: decide again about a stage."""

    COSMETIC = 0
    SAFE = 1
    ANSWER_AGAIN = 2
    APPROVE_AGAIN = 3

    @property
    def code(self) -> str:
        return self.name.lower()


class PartKind(StrEnum):
    STAGE = "stage"
    STEP = "step"
    QUESTION = "question"
    STATEMENT = "statement"
    EVIDENCE = "evidence"
    GATE = "gate"
    GROUND = "ground"
    DECISION = "decision"
    GUIDANCE = "guidance"


class What(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    SPLIT = "split"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Difference:
    """One property of a part. `before` and `after` are in Dutch, or codes where the property holds no words."""

    name: str
    before: str
    after: str
    change_class: ChangeClass


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs. `before` and `after` are its paths in the older and newer version, None where it is
    not there; `title` is how people know it."""

    kind: PartKind
    what: What
    before: str | None
    after: str | None
    title: Text
    change_class: ChangeClass
    differences: tuple[Difference, ...] = ()
    reason: Text | None = None

    @property
    def stage(self) -> str:
        """The stage in the newer version, or in the older one where the part is gone; empty outside the stages."""
        path = self.after or self.before or ""
        return "" if "." in path else path.split("/")[0]
