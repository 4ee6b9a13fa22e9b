"""Parts of addresses that need reading."""

from __future__ import annotations

from app.engine.guards import NoSuchPart
from app.engine.run import StageRef


def stage_ref(text: str) -> StageRef:
    """The stage instance that an address names.  Raises NoSuchPart for a text that cannot name one."""
    try:
        return StageRef.parse(text)
    except ValueError:
        raise NoSuchPart(text) from None
