"""The moment of a request. Tests and demonstrations set `app.state.clock`; nothing else asks the machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.requests import HTTPConnection

Clock = Callable[[], datetime]


def now(request: HTTPConnection) -> datetime:
    """Aware, UTC."""
    return clock_of(request.app)()


def clock_of(app: FastAPI) -> Clock:
    """For what goes on outside of a request."""
    clock: Clock | None = getattr(app.state, "clock", None)
    return clock or _machine_time


def _machine_time() -> datetime:
    return datetime.now(UTC)
