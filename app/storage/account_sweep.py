"""What accounts leave behind and nobody needs any more: ended sessions, sign-ins that went nowhere, old events.

For a timer, in one transaction each; safe while the application serves.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.storage.logins import close_ended_sessions
from app.storage.scope import unscoped
from app.storage.sign_in_attempts import forget_old_attempts
from app.storage.tables import (
    AccountEvent,
    AccountLink,
    AccountLogCut,
    Municipality,
    PendingSignIn,
    ProviderFlow,
    SpentChallenge,
)

FORGET_SESSIONS_AFTER: Final = timedelta(days=7)  # an ended one only remembers the last municipality until then
FORGET_LINKS_AFTER: Final = timedelta(days=30)  # of their end; who made one and used it stands in the log of accounts


@dataclass(frozen=True, slots=True)
class Cut:
    """How many events of a municipality went."""

    municipality: str
    removed: int


def sweep_sign_ins(session: Session, *, at: datetime) -> None:
    """Signing in does most of this too, but not where nobody signs in."""
    ended = at - FORGET_SESSIONS_AFTER
    close_ended_sessions(session, at=ended, seen_before=ended)
    forget_old_attempts(session, at=at)
    for table in (PendingSignIn, SpentChallenge, ProviderFlow):
        session.execute(sa.delete(table).where(col(table.expires_at) <= at))
    session.execute(sa.delete(AccountLink).where(col(AccountLink.expires_at) <= at - FORGET_LINKS_AFTER))


def cut_account_log(session: Session, *, keep: timedelta, at: datetime) -> list[Cut]:
    """Remove events older than `keep`. The database refuses that unless it is written down first, per municipality:
    until when, how many, and when; and for anything younger than a year it refuses it anyway."""
    unscoped(session, "the same term of keeping for the logs of accounts of all municipalities")
    until = at - keep
    old = sa.select(col(AccountEvent.municipality_id), sa.func.count()).where(col(AccountEvent.at) < until)
    counted = session.execute(old.group_by(col(AccountEvent.municipality_id))).all()
    names: dict[uuid.UUID, str] = dict(session.exec(select(Municipality.id, Municipality.name)).all())
    for municipality_id, removed in counted:
        session.add(AccountLogCut(municipality_id=municipality_id, until=until, removed=removed, at=at))
        session.flush()
        theirs = sa.delete(AccountEvent).where(
            col(AccountEvent.municipality_id) == municipality_id, col(AccountEvent.at) < until
        )
        session.execute(theirs)
    return sorted((Cut(names[id], removed) for id, removed in counted), key=lambda cut: cut.municipality)


def last_cut(session: Session) -> datetime | None:
    """Until when the log of the municipality of this session was removed; None if all of it is there."""
    query = select(AccountLogCut.until).order_by(col(AccountLogCut.until).desc()).limit(1)
    return session.exec(query).first()
