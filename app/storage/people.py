"""Names of users for screens and reports."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.engine.run import UserId
from app.storage.tables import Membership, User


@dataclass(frozen=True, slots=True)
class Person:
    id: UserId
    name: str


def names_of(session: Session, ids: Iterable[UserId | None]) -> dict[UserId, str]:
    """Names by user id, in one query."""
    keys = {uuid.UUID(id) for id in ids if id}
    if not keys:
        return {}
    rows = session.execute(select(User.id, User.name).where(col(User.id).in_(keys)))
    return {str(id): name for id, name in rows}


def members_with_role(session: Session, role: str) -> list[Person]:
    """Enabled users with a role in the municipality of this session, by name."""
    rows = session.execute(
        select(User.id, User.name)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            Membership.municipality_id == session.info["municipality_id"],
            Membership.role == role,
            col(User.disabled_at).is_(None),
        )
        .order_by(User.name)
    )
    return [Person(str(id), name) for id, name in rows]
