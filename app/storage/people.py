"""Names of users for screens and reports."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from app.engine.run import UserId
from app.storage.scope import Prepared
from app.storage.tables import Membership, User


@dataclass(frozen=True, slots=True)
class Person:
    id: UserId
    name: str


_columns: tuple[Any, ...] = (User.id, User.name)
_NAMES = Prepared(select(*_columns).where(col(User.id).in_(bindparam("ids", expanding=True))))


def names_of(session: Session, ids: Iterable[UserId | None]) -> dict[UserId, str]:
    """Names by user id, in one query."""
    keys = [uuid.UUID(id) for id in {*ids} if id]
    if not keys:
        return {}
    return {str(id): name for id, name in _NAMES.run(session, {"ids": keys})}


def members_with_role(session: Session, role: str) -> list[Person]:
    """Enabled users with a role in the municipality of this session, by name."""
    rows = session.execute(
        select(*_columns)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            col(Membership.municipality_id) == session.info["municipality_id"],
            col(Membership.role) == role,
            col(User.disabled_at).is_(None),
        )
        .order_by(col(User.name))
    )
    return [Person(str(id), name) for id, name in rows]
