"""The sessions of one user: which there are, ending them, giving them a new id; and sign-ins that are halfway.

Callers begin and end the transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.storage.tables import LoginSession, PendingSignIn, User


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session of somebody, for that person to recognise. `device` is what the browser said of itself."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str | None
    device: str | None


@dataclass(frozen=True, slots=True)
class Via:
    """The provider that opens a session, and the only municipality that it opens: a provider is believed about its own
    people, and must not lead into another municipality for which they work too. `sid` is its own session;
    `token` is encrypted: where and with what to log out there."""

    provider: str
    limited_to: uuid.UUID
    sid: str | None = None
    token: str | None = None


def columns_of(via: Via | None) -> dict[str, Any]:
    if via is None:
        return {}
    return {
        "provider": via.provider,
        "provider_sid": via.sid,
        "provider_token": via.token,
        "limited_to": via.limited_to,
    }


def via_of(session: Session, session_id: str) -> Via | None:
    """None for a session that a password or a passkey opened."""
    return _via(session, LoginSession, session_id)


def via_of_pending(session: Session, pending_id: str) -> Via | None:
    """The same for a sign-in that is halfway."""
    return _via(session, PendingSignIn, pending_id)


def _via(session: Session, table: type[LoginSession | PendingSignIn], row_id: str) -> Via | None:
    query = select(table.provider, table.limited_to, table.provider_sid, table.provider_token)
    row = session.exec(query.where(table.id == row_id)).one_or_none()
    if row is None or row[0] is None or row[1] is None:
        return None
    return Via(row[0], row[1], row[2], row[3])


def close_sessions_via(
    session: Session, providers: Collection[str], *, user_id: uuid.UUID | None = None, sid: str | None = None
) -> dict[uuid.UUID, uuid.UUID]:
    """All that these providers opened for this user, or in this session of theirs. Gives the municipality per user."""
    assert user_id or sid
    ended: dict[uuid.UUID, uuid.UUID] = {}
    for table in (LoginSession, PendingSignIn):
        chosen: list[sa.ColumnElement[bool]] = [col(table.provider).in_(providers)]
        if user_id is not None:
            chosen.append(col(table.user_id) == user_id)
        if sid is not None:
            chosen.append(col(table.provider_sid) == sid)
        rows = session.exec(select(table.user_id, table.limited_to).where(*chosen)).all()
        ended |= {user: place for user, place in rows if place is not None}
        session.execute(sa.delete(table).where(*chosen))
    return ended


def close_session_of(session: Session, user_id: uuid.UUID, session_id: str) -> bool:
    """Whether it was there."""
    theirs = sa.delete(LoginSession).where(col(LoginSession.id) == session_id, col(LoginSession.user_id) == user_id)
    return session.connection().execute(theirs).rowcount == 1


def close_other_sessions(session: Session, user_id: uuid.UUID, *, but: str | None) -> int:
    """All sessions of this user, or all but one. Gives how many there were."""
    theirs = sa.delete(LoginSession).where(col(LoginSession.user_id) == user_id, col(LoginSession.id) != (but or ""))
    session.execute(sa.delete(PendingSignIn).where(col(PendingSignIn.user_id) == user_id))
    return session.connection().execute(theirs).rowcount


def sessions_of(session: Session, user_id: uuid.UUID, *, at: datetime, seen_after: datetime) -> list[OwnSession]:
    """Those that are still open, the most recently seen first."""
    open_ones = select(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.expires_at > at, LoginSession.seen_at > seen_after
    )
    rows = session.exec(open_ones.order_by(col(LoginSession.seen_at).desc(), col(LoginSession.id)))
    return [OwnSession(row.id, row.created_at, row.seen_at, row.address, row.device) for row in rows]


def renew_sessions(session: Session, user_id: uuid.UUID, *, at: datetime) -> None:
    """The roles changed: the next answer to each session of this user brings a new id."""
    session.execute(sa.update(LoginSession).where(col(LoginSession.user_id) == user_id).values(renew_since=at))


def give_new_id(session: Session, session_id: str, new_id: str) -> bool:
    """False when another request was first."""
    renewed = sa.update(LoginSession).where(
        col(LoginSession.id) == session_id, col(LoginSession.renew_since).is_not(None)
    )
    return session.connection().execute(renewed.values(id=new_id, renew_since=None)).rowcount == 1


# --- between the two factors --------------------------------------------------------------------------------------


def open_pending(
    session: Session,
    pending_id: str,
    user_id: uuid.UUID,
    *,
    at: datetime,
    expires_at: datetime,
    via: Via | None = None,
) -> None:
    session.execute(sa.delete(PendingSignIn).where(col(PendingSignIn.expires_at) <= at))
    row = PendingSignIn(id=pending_id, user_id=user_id, created_at=at, expires_at=expires_at, **columns_of(via))
    session.add(row)
    session.flush()


def find_pending(session: Session, pending_id: str, *, at: datetime) -> uuid.UUID | None:
    """Whose password was right a moment ago; None if that is too long ago or the user was disabled."""
    query = select(PendingSignIn.user_id).join(User, col(User.id) == col(PendingSignIn.user_id))
    return session.exec(
        query.where(PendingSignIn.id == pending_id, PendingSignIn.expires_at > at, col(User.disabled_at).is_(None))
    ).one_or_none()


def close_pending(session: Session, pending_id: str) -> bool:
    """False when another request was first."""
    ended = sa.delete(PendingSignIn).where(col(PendingSignIn.id) == pending_id)
    return session.connection().execute(ended).rowcount == 1
