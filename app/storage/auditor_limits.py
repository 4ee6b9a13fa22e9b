"""Within what bounds somebody is an auditor: a period, and chosen runs. Set by an administrator of the municipality."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.policy import Role
from app.storage.marks import mark
from app.storage.scope import municipality_of
from app.storage.tables import AuditorLimit, RunAccess, RunRow

DUTCH: Final = ZoneInfo("Europe/Amsterdam")


@dataclass(frozen=True, slots=True)
class Limit:
    """`runs`: ids of those chosen; None for all. The days are both included, and None for no bound."""

    runs: frozenset[uuid.UUID] | None = None
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def mark(self) -> str:
        runs = None if self.runs is None else sorted(map(str, self.runs))
        return mark([runs, self.starts_on, self.ends_on])


NO_LIMIT: Final = Limit()


def dutch_day(at: datetime) -> date:
    """The day in the Netherlands, where a period begins and ends at midnight."""
    return at.astimezone(DUTCH).date()


def limit_of(session: Session, user_id: uuid.UUID) -> Limit:
    """In the municipality of this session."""
    here = municipality_of(session)
    row = session.exec(
        select(AuditorLimit).where(AuditorLimit.user_id == user_id, AuditorLimit.municipality_id == here)
    ).one_or_none()
    if row is None:
        return NO_LIMIT
    chosen = select(RunAccess.run_id).where(RunAccess.user_id == user_id, RunAccess.role == Role.AUDITOR.value)
    return Limit(frozenset(session.exec(chosen)) if row.chosen_runs_only else None, row.starts_on, row.ends_on)


def set_limit(session: Session, user_id: uuid.UUID, limit: Limit, *, at: datetime) -> None:
    """Counts at the next request. Runs that this municipality does not have are left out."""
    here = municipality_of(session)
    assert here is not None
    held = sa.delete(AuditorLimit).where(
        col(AuditorLimit.user_id) == user_id, col(AuditorLimit.municipality_id) == here
    )
    session.execute(held)
    session.execute(
        sa.delete(RunAccess).where(col(RunAccess.user_id) == user_id, col(RunAccess.role) == Role.AUDITOR.value)
    )
    if limit == NO_LIMIT:
        return
    session.add(
        AuditorLimit(
            user_id=user_id,
            municipality_id=here,
            chosen_runs_only=limit.runs is not None,
            starts_on=limit.starts_on,
            ends_on=limit.ends_on,
            set_at=at,
        )
    )
    known = session.exec(select(RunRow.id).where(col(RunRow.id).in_(limit.runs or ())))
    session.add_all(
        RunAccess(user_id=user_id, municipality_id=here, run_id=run_id, role=Role.AUDITOR.value) for run_id in known
    )
    session.flush()


def limits_of(session: Session, users: Collection[uuid.UUID]) -> dict[uuid.UUID, Limit]:
    """Of those who have one; here `runs` says only whether there is a choice of runs (then it is empty)."""
    here = municipality_of(session)
    rows = session.exec(
        select(AuditorLimit).where(AuditorLimit.municipality_id == here, col(AuditorLimit.user_id).in_(users))
    )
    return {
        row.user_id: Limit(frozenset() if row.chosen_runs_only else None, row.starts_on, row.ends_on) for row in rows
    }
