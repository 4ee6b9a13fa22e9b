"""Refusals of the engine: codes and data; the web layer finds status and sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why something cannot be done (yet). `code` is stable; `stage` is the text form of a StageRef."""

    code: str
    stage: str | None = None
    step: str | None = None
    question: str | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)


class EngineError(Exception):
    """Something the engine refuses; never a bug in the engine itself."""


class Blocked(EngineError):
    """A transition that the guards do not let through, with every reason at once."""

    def __init__(self, transition: str, reasons: Sequence[Reason]) -> None:
        super().__init__(transition, reasons)
        self.transition, self.reasons = transition, tuple(reasons)


def refuse_if(transition: str, reasons: Sequence[Reason]) -> None:
    """Raises Blocked when there are any."""
    if reasons:
        raise Blocked(transition, reasons)


class StepChanged(EngineError):
    """Somebody saved the step after the version (`based_on`) that this change was made on."""

    def __init__(self, stage: str, step: str, *, based_on: int, current: int) -> None:
        super().__init__(stage, step, based_on, current)
        self.stage, self.step, self.based_on, self.current = stage, step, based_on, current


class SealBroken(EngineError):
    """What would be approved is no longer what was shown: `shown` and `current` are seal digests."""

    def __init__(self, stage: str, *, shown: str, current: str) -> None:
        super().__init__(stage, shown, current)
        self.stage, self.shown, self.current = stage, shown, current
