"""The moment of a request. Tests and demonstrations set `app.state.clock`; nothing else asks the machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import HTTPConnection

Clock = Callable[[], datetime]


def now(request: HTTPConnection) -> datetime:
    """Aware, UTC."""
    clock: Clock | None = getattr(request.app.state, "clock", None)
    return clock() if clock else datetime.now(UTC)
