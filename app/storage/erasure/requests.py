"""Requests to erase: asked by one, decided by another, and what there is to know about them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.engine.run import UserId
from app.storage.erasure.items import Ground, Item, Key, from_json
from app.storage.marks import mark
from app.storage.scope import UnscopedQuery, municipality_of
from app.storage.tables import Erasure


class Status(StrEnum):
    ASKED = "asked"
    DECLINED = "declined"
    DONE = "done"


class ErasureNotFound(Exception):
    """No such request in this municipality; whether it exists elsewhere is nobody's business."""


class AlreadyDecided(Exception):
    """Somebody was first."""


@dataclass(frozen=True, slots=True)
class Request:
    """`account` for a person with an account, `items` for what people wrote. `is_clean`: no trace is left."""

    id: str
    status: Status
    account: UserId | None
    items: tuple[Item, ...]
    ground: Ground
    asked_by: UserId
    asked_at: datetime
    decided_by: UserId | None
    decided_at: datetime | None
    is_clean: bool

    @property
    def mark(self) -> str:
        """A request only changes by a decision."""
        return mark([self.id, self.status])

    @property
    def size(self) -> int:
        return len(self.items)


def ask(
    session: Session,
    *,
    account: UserId | None = None,
    items: Sequence[Item] = (),
    ground: Ground,
    by: UserId,
    at: datetime,
    id: str | None = None,
) -> str:
    """`id`: of a request that was there before an older backup was put back."""
    assert (account is None) != (not items), "one account, or some of what people wrote"
    municipality = municipality_of(session)
    if municipality is None:
        raise UnscopedQuery("a request to erase belongs to a municipality")
    row = Erasure(
        id=uuid.UUID(id) if id else uuid.uuid4(),
        municipality_id=municipality,
        account_id=uuid.UUID(account) if account else None,
        items=[item.to_json() for item in items],
        ground=ground.value,
        asked_by=uuid.UUID(by),
        asked_at=at,
        files=None,
    )
    session.add(row)
    session.flush()
    return str(row.id)


def find(session: Session, id: str, *, for_change: bool = False) -> Request:
    """Raises ErasureNotFound."""
    try:
        key = uuid.UUID(id)
    except ValueError:
        raise ErasureNotFound(id) from None
    query = sa.select(*_COLUMNS).where(col(Erasure.id) == key)
    row = session.execute(query.with_for_update() if for_change else query).one_or_none()
    if row is None:
        raise ErasureNotFound(id)
    return _request(row)


def requests(session: Session, *, limit: int | None = None) -> list[Request]:
    """Newest first."""
    query = sa.select(*_COLUMNS).order_by(col(Erasure.asked_at).desc(), col(Erasure.id)).limit(limit)
    return [_request(row) for row in session.execute(query)]


def touched_since(session: Session, keys: Collection[Key], moment: datetime) -> bool:
    """Whether something was erased from one of these after that moment, so that places in it may have shifted."""
    query = sa.select(*_COLUMNS).where(col(Erasure.status) == Status.DONE.value, col(Erasure.decided_at) >= moment)
    return any(item.key in keys for row in session.execute(query) for item in _request(row).items)


def decide(session: Session, request: Request, status: Status, *, by: UserId, at: datetime) -> None:
    """Raises AlreadyDecided."""
    query = sa.update(Erasure).where(
        col(Erasure.id) == uuid.UUID(request.id), col(Erasure.status) == Status.ASKED.value
    )
    values = {"status": status.value, "decided_by": uuid.UUID(by), "decided_at": at}
    result: Any = session.execute(query.values(**values).execution_options(synchronize_session=False))
    if result.rowcount != 1:
        raise AlreadyDecided(request.id)


def keep_files(session: Session, id: str, hashes: Collection[str]) -> None:
    """To be removed after the commit."""
    _change(session, id, files=sorted(hashes) or None)


def files_to_remove(session: Session) -> dict[str, list[str]]:
    """Hashes by request."""
    query = sa.select(col(Erasure.id), col(Erasure.files)).where(col(Erasure.files).is_not(None))
    return {str(id): list(files) for id, files in session.execute(query)}


def not_clean(session: Session) -> list[str]:
    """Requests that were carried out and of which traces may be left, files apart."""
    query = sa.select(col(Erasure.id)).where(
        col(Erasure.status) == Status.DONE.value, col(Erasure.cleaned_at).is_(None)
    )
    return [str(id) for (id,) in session.execute(query)]


def note_clean(session: Session, ids: Collection[str], *, at: datetime) -> None:
    query = sa.update(Erasure).where(col(Erasure.id).in_([uuid.UUID(id) for id in ids]))
    session.execute(query.values(cleaned_at=at).execution_options(synchronize_session=False))


def _change(session: Session, id: str, **values: Any) -> None:
    query = sa.update(Erasure).where(col(Erasure.id) == uuid.UUID(id))
    session.execute(query.values(**values).execution_options(synchronize_session=False))


_COLUMNS: tuple[Any, ...] = (
    Erasure.id,
    Erasure.status,
    Erasure.account_id,
    Erasure.items,
    Erasure.ground,
    Erasure.asked_by,
    Erasure.asked_at,
    Erasure.decided_by,
    Erasure.decided_at,
    Erasure.files,
    Erasure.cleaned_at,
)


def _request(row: Any) -> Request:
    return Request(
        id=str(row.id),
        status=Status(row.status),
        account=str(row.account_id) if row.account_id else None,
        items=tuple(map(from_json, row.items)),
        ground=Ground(row.ground),
        asked_by=str(row.asked_by),
        asked_at=row.asked_at,
        decided_by=str(row.decided_by) if row.decided_by else None,
        decided_at=row.decided_at,
        is_clean=row.cleaned_at is not None and row.files is None,
    )
