"""Passkeys of users, and the challenges that they have answered. The mathematics are in app/features/accounts/."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.storage.tables import Passkey, SpentChallenge, User

PASSKEYS_MAX: Final = 10  # of one user
NAME_LENGTH_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class KeptPasskey:
    id: uuid.UUID
    user_id: uuid.UUID
    credential_id: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]
    name: str
    created_at: datetime
    used_at: datetime | None


def passkeys_of(session: Session, user_id: uuid.UUID) -> list[KeptPasskey]:
    rows = session.exec(select(Passkey).where(Passkey.user_id == user_id).order_by(col(Passkey.created_at)))
    return [_kept(row) for row in rows]


def find_passkey(session: Session, credential_id: str) -> KeptPasskey | None:
    """Of an enabled user."""
    query = select(Passkey).join(User, col(User.id) == col(Passkey.user_id))
    row = session.exec(
        query.where(Passkey.credential_id == credential_id, col(User.disabled_at).is_(None))
    ).one_or_none()
    return _kept(row) if row else None


def add_passkey(
    session: Session,
    user_id: uuid.UUID,
    *,
    credential_id: str,
    public_key: str,
    sign_count: int,
    transports: Collection[str],
    name: str,
    at: datetime,
) -> bool:
    """False when this passkey is known already."""
    if session.exec(select(Passkey.id).where(Passkey.credential_id == credential_id)).first() is not None:
        return False
    session.add(
        Passkey(
            user_id=user_id,
            credential_id=credential_id,
            public_key=public_key,
            sign_count=sign_count,
            transports=list(transports),
            name=name,
            created_at=at,
        )
    )
    session.flush()
    return True


def passkey_used(session: Session, id: uuid.UUID, *, sign_count: int, at: datetime) -> None:
    session.execute(sa.update(Passkey).where(col(Passkey.id) == id).values(sign_count=sign_count, used_at=at))


def remove_passkey(session: Session, user_id: uuid.UUID, id: uuid.UUID) -> bool:
    removed = sa.delete(Passkey).where(col(Passkey.id) == id, col(Passkey.user_id) == user_id)
    return session.connection().execute(removed).rowcount == 1


def spend(session: Session, challenge: str, *, at: datetime, expires_at: datetime) -> bool:
    """Whether this challenge had not been answered yet; from now on it has."""
    session.execute(sa.delete(SpentChallenge).where(col(SpentChallenge.expires_at) <= at))
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    try:
        with session.begin_nested():
            session.add(SpentChallenge(id=digest, expires_at=expires_at))
    except IntegrityError:
        return False
    return True


def _kept(row: Passkey) -> KeptPasskey:
    return KeptPasskey(
        id=row.id,
        user_id=row.user_id,
        credential_id=row.credential_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        transports=tuple(row.transports),
        name=row.name,
        created_at=row.created_at,
        used_at=row.used_at,
    )
