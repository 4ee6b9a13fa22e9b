"""Failed attempts to sign in, counted to slow down guessing. Callers begin and end the transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.storage.tables import LoginAttempt

ATTEMPTS_KEPT: Final = timedelta(hours=24)  # the longest window in which they are counted


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """At most so many failed attempts under `key` in `window`. One key may have several."""

    key: str
    most: int
    window: timedelta


def claim_attempt(
    session: Session, limits: Sequence[AttemptLimit], *, at: datetime
) -> tuple[list[uuid.UUID], datetime | None]:
    """Count a sign-in attempt under each key, unless one of the limits is reached.

    Gives the ids of the counted attempts, or no ids and the moment from which it can be tried again.
    The count precedes the check of the password, so that many attempts at once can't slip past the limit.
    """
    keys = list(dict.fromkeys(limit.key for limit in limits))
    if session.get_bind().dialect.name == "postgresql":
        # SQLite has one writer at a time; here two transactions could both count nine. Sorted: no deadlock.
        for lock in sorted(int(key[:15], 16) for key in keys):
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    forget_old_attempts(session, at=at)
    waits: list[datetime] = []
    for limit in limits:
        recent = select(LoginAttempt.at).where(LoginAttempt.key == limit.key, LoginAttempt.at > at - limit.window)
        times = session.exec(recent.order_by(col(LoginAttempt.at).desc()).limit(limit.most)).all()
        if len(times) == limit.most:
            waits.append(times[-1] + limit.window)
    if waits:
        return [], max(waits)
    attempts = [LoginAttempt(key=key, at=at) for key in keys]
    ids = [attempt.id for attempt in attempts]
    session.add_all(attempts)
    session.flush()
    return ids, None


def forget_old_attempts(session: Session, *, at: datetime) -> None:
    session.execute(sa.delete(LoginAttempt).where(col(LoginAttempt.at) <= at - ATTEMPTS_KEPT))


def forget_attempt(session: Session, ids: Sequence[uuid.UUID]) -> None:
    """It succeeded, so it does not count."""
    session.execute(sa.delete(LoginAttempt).where(col(LoginAttempt.id).in_(ids)))
