"""Forms that were answered, so that the same form sent again has no second effect and gets the same answer.

A row is written in the transaction of the change that it is about, and a user and key occur once: of two requests at
the same moment, in whatever process, one is refused by the database. Rows are kept for `KEPT_FOR` and swept at
sign-in. They hold no text of anybody: a hash of the key, a digest under that key of what was sent, and an address.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from app.storage.scope import Prepared
from app.storage.tables import AnsweredForm

KEPT_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answered:
    """`content` tells what was sent, `address` where the answer led to, with a notice there or none."""

    content: str
    address: str
    notice: str


def stored_key(key: str) -> str:
    """The key itself is not stored: with it, short texts could be guessed from `content`."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


_ADD = Prepared(sa.insert(AnsweredForm))
_COLUMNS: tuple[Any, ...] = (AnsweredForm.content, AnsweredForm.address, AnsweredForm.notice)
_FIND = Prepared(
    sa.select(*_COLUMNS).where(
        col(AnsweredForm.user_id) == sa.bindparam("of_user"), col(AnsweredForm.key) == sa.bindparam("of_key")
    )
)


def remember(session: Session, user_id: uuid.UUID, key: str, answered: Answered, *, at: datetime) -> None:
    """`key` as stored.  Raises IntegrityError when the same form was answered meanwhile."""
    row = {"user_id": user_id, "key": key, "answered_at": at}
    _ADD.run(session, {**row, "content": answered.content, "address": answered.address, "notice": answered.notice})


def find(session: Session, user_id: uuid.UUID, key: str) -> Answered | None:
    row = _FIND.run(session, {"of_user": user_id, "of_key": key}).one_or_none()
    return Answered(row.content, row.address, row.notice) if row else None


def sweep(session: Session, *, at: datetime) -> None:
    session.execute(sa.delete(AnsweredForm).where(col(AnsweredForm.answered_at) <= at - KEPT_FOR))
