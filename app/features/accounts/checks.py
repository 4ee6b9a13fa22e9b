"""Checking and hashing passwords, few at once: one costs 64 MiB and 0.13 s of a processor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import anyio.to_thread
from anyio import CapacityLimiter

from app.storage.passwords import check_password, hash_password

CHECKS_AT_ONCE_MAX: Final = 2  # of 64 MiB and 0.13 s each
CHECKS_WAITING_MAX: Final = 30  # two seconds of waiting; beyond that somebody is knocking very hard


class TooBusy(Exception):
    """More people are signing in at this moment than the server can check passwords for."""


@dataclass(slots=True)
class PasswordChecks:
    """Who waits takes no thread, so that a storm of sign-ins does not stop all other pages."""

    check: Callable[[str, str | None], tuple[bool, str | None]] = check_password
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(CHECKS_AT_ONCE_MAX))

    @property
    def is_full(self) -> bool:
        return self._limiter.statistics().tasks_waiting >= CHECKS_WAITING_MAX

    async def run(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        return await anyio.to_thread.run_sync(self.check, password, stored, limiter=self._limiter)

    async def hash(self, password: str, *, about: Iterable[str]) -> str:
        """Raises PasswordRefused."""
        work = partial(hash_password, password, about=tuple(about))
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
