"""What a form carries of what its page showed, to see whether it is still so when the form comes in.

A mark covers what the change touches and nothing more: two people at two steps, or at two stages, never hinder each
other. It is compared with what the row holds in the transaction of the change (`load_…(for_change=True)`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from app.engine.points import Point
from app.engine.run import Advice, Run, StageRef, UserId
from app.storage import codec

NOT_BEGUN: Final = "not-begun"
LENGTH: Final = 16  # hexadecimal digits: it tells versions apart, it proves nothing

# What saving a step adds to its stage. Nobody who asks, skips or withdraws needs to look again because of that.
# Open points have a mark of their own.
_OF_STEPS: Final = frozenset({"contributors", "changed_since_approval", "points"})


class Outdated(Exception):
    """Somebody else changed the same since the page was shown; nothing was written."""


def check(given: str, current: str) -> None:
    """Raises Outdated."""
    if given != current:
        raise Outdated(given)


def mark(value: Any) -> str:
    """Of anything that can be written as JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def stage_mark(run: Run, ref: StageRef) -> str:
    """Where a stage instance stands: begun, asked, decided, skipped; not what is in its steps."""
    instance = run.stages.get(ref)
    if instance is None:
        return NOT_BEGUN
    state: Mapping[str, Any] = codec.encode_stage(instance)
    told = {name: value for name, value in state.items() if name not in _OF_STEPS}
    return mark([instance.status.value, instance.passed, told])


def point_mark(point: Point) -> str:
    """What became of an open point."""
    return mark([point.state, point.owner, point.due, point.report, point.returned, point.changed])


def decision_mark(run: Run, decision: str, domain: str | None) -> str:
    """A decision outside the stages; empty while it is not taken."""
    taken = run.decision(decision, domain)
    return mark([taken.by, taken.at, taken.reason]) if taken else ""


def shared_mark(run: Run, adviser: UserId) -> str:
    """How a run is shared with an adviser; empty while it is not."""
    shared = next((each for each in run.shared if each.adviser == adviser), None)
    return mark([shared.adviser, shared.by, shared.at, shared.question]) if shared else ""


def advice_mark(advice: Advice) -> str:
    """What was answered to an advice; empty while nothing was."""
    answer = advice.answer
    return mark([answer.by, answer.at, answer.reason]) if answer else ""


def proposal_mark(run: Run) -> str:
    """The proposal to go on with another version; empty if there is none."""
    return run.proposal.id if run.proposal else ""
