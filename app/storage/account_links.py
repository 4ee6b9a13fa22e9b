"""One-time links with which somebody sets a password: for a new account, or because the old one is forgotten."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.storage.tables import AccountLink, LoginSession, PendingSignIn, User

VALID: Final = timedelta(days=3)
TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Invited:
    """Whose password a link sets."""

    user_id: uuid.UUID
    login: str
    name: str
    is_new: bool


def make_link(session: Session, user_id: uuid.UUID, *, made_by: uuid.UUID | None, at: datetime) -> str:
    """Gives the token, which is stored nowhere. Earlier links of this user end."""
    # Two at the same moment come one after the other, so that only the newest stays. SQLite has one writer anyway.
    session.execute(sa.select(col(User.id)).where(col(User.id) == user_id).with_for_update())
    session.execute(sa.delete(AccountLink).where(col(AccountLink.user_id) == user_id))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = AccountLink(id=_id_of(token), user_id=user_id, made_by=made_by, created_at=at, expires_at=at + VALID)
    session.add(link)
    session.flush()
    return token


def find_link(session: Session, token: str, *, at: datetime) -> Invited | None:
    """None if it does not exist, was used, is too old, or is of a disabled user."""
    row = session.execute(
        sa.select(User)
        .join(AccountLink, col(AccountLink.user_id) == col(User.id))
        .where(
            col(AccountLink.id) == _id_of(token),
            col(AccountLink.used_at).is_(None),
            col(AccountLink.expires_at) > at,
            col(User.disabled_at).is_(None),
        )
    ).scalar_one_or_none()
    return Invited(row.id, row.login, row.name, row.password_hash is None) if row else None


def use_link(session: Session, token: str, *, password_hash: str, at: datetime) -> bool:
    """Sets the password and ends all sessions of the user; False when the link was used in the meantime.

    The update is what decides: of two at the same moment one finds the row unused."""
    used = sa.update(AccountLink).where(
        col(AccountLink.id) == _id_of(token), col(AccountLink.used_at).is_(None), col(AccountLink.expires_at) > at
    )
    if session.connection().execute(used.values(used_at=at)).rowcount != 1:
        return False
    user_id = session.exec(select(AccountLink.user_id).where(AccountLink.id == _id_of(token))).one()
    session.execute(sa.update(User).where(col(User.id) == user_id).values(password_hash=password_hash))
    session.execute(sa.delete(LoginSession).where(col(LoginSession.user_id) == user_id))
    session.execute(sa.delete(PendingSignIn).where(col(PendingSignIn.user_id) == user_id))
    return True


def link_ends_at(session: Session, user_id: uuid.UUID, *, at: datetime) -> datetime | None:
    """Until when the unused link of the user counts; None without one."""
    query = select(AccountLink.expires_at).where(
        AccountLink.user_id == user_id, col(AccountLink.used_at).is_(None), AccountLink.expires_at > at
    )
    return session.exec(query).first()


def _id_of(token: str) -> str:
    """As stored. A fast hash will do: the token is random, there is nothing to guess."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
