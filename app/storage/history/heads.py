"""Signed heads: how long the log is and what its root is, each chained to the one before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import bindparam, insert
from sqlmodel import Session, col

from app.engine.log import Head, canonical, fingerprint, head_hash, read_head
from app.storage.history import log
from app.storage.history.keys import SigningKey
from app.storage.scope import Prepared
from app.storage.tables import SignedHead


class CannotSign(Exception):
    """Signing would cover up that something is wrong; the message says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Signed:
    """`document` are the bytes that `signature` (hex) is over."""

    head: Head
    document: bytes
    signature: str

    @property
    def hash(self) -> str:
        return head_hash(self.document)

    def text(self) -> bytes:
        """One line, for a witness and for an export."""
        return canonical({"head": json.loads(self.document), "signature": self.signature})


def read_signed(text: bytes) -> Signed:
    """What `text()` gives. Nothing is verified.  Raises ValueError for what is no head."""
    try:
        given = json.loads(text)
        document, signature = canonical(given.pop("head")), given.pop("signature")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a signed head: {error!r}") from None
    if given or not isinstance(signature, str):
        raise ValueError("not a signed head: something else beside it")
    return Signed(read_head(document), document, signature)


_COLUMNS: tuple[Any, ...] = (
    SignedHead.number,
    SignedHead.size,
    SignedHead.document,
    SignedHead.signature,
    SignedHead.signed_at,
)
_HEADS = sqlalchemy.select(*_COLUMNS)
_NEWEST = Prepared(_HEADS.order_by(col(SignedHead.number).desc()).limit(1))
_SINCE = Prepared(_HEADS.where(col(SignedHead.number) > bindparam("after")).order_by(col(SignedHead.number)))
_ADD = Prepared(insert(SignedHead))


def newest(session: Session) -> Signed | None:
    """Of the municipality of the session.  Raises ValueError when somebody changed it into nonsense."""
    row = _NEWEST.run(session, {}).one_or_none()
    return None if row is None else _signed(row)


def heads_after(session: Session, number: int) -> Iterator[Signed]:
    """In order; -1 gives all.  Raises ValueError as above."""
    for row in _SINCE.run(session, {"after": number}):
        yield _signed(row)


def _signed(row: Any) -> Signed:
    document = row.document.encode()
    return Signed(read_head(document), document, row.signature)


def sign(session: Session, key: SigningKey, *, at: datetime, next_key: str | None = None) -> Signed | None:
    """Signs the log of the municipality as it is now; nothing when that was done, or when there is no log.
    `next_key` (hex): the key that signs from the next head on.  Raises CannotSign.

    Whoever appends or signs waits until the transaction ends."""
    if log.head(session).size == 0:
        return None
    return sign_grown(session, key, at=at, next_key=next_key)


def sign_grown(session: Session, key: SigningKey, *, at: datetime, next_key: str | None = None) -> Signed | None:
    """`sign`, where there is a log for sure."""
    peaks, last = log.lock_head(session), newest(session)
    if last is not None:
        if peaks.size < last.head.size:
            raise CannotSign(
                f"the log has {peaks.size} entries, fewer than the {last.head.size} of head {last.head.number}: was an "
                "older backup put back? Run: stappenplan verify"
            )
        # A key that was introduced signs at once, so that who trusts it alone can check everything.
        if peaks.size == last.head.size and next_key is None and last.head.next_key is None:
            return None
        wanted = last.head.next_key or last.head.key
        if key.public != wanted:
            raise CannotSign(
                f"the key has fingerprint {key.fingerprint}, and the history goes on with {fingerprint(wanted)}: put "
                "that key back, or see docs/decisions/0012-history.md"
            )
    head = Head(
        municipality=str(session.info["municipality_id"]),
        number=last.head.number + 1 if last else 0,
        size=peaks.size,
        root=peaks.root.hex(),
        previous=last.hash if last else None,
        at=max(at, last.head.at) if last else at,
        key=key.public,
        next_key=next_key,
    )
    document = head.document()
    signed = Signed(head, document, key.sign(document))
    _ADD.run(
        session,
        {
            "municipality_id": session.info["municipality_id"],
            "number": head.number,
            "size": head.size,
            "document": document.decode(),
            "signature": signed.signature,
            "signed_at": head.at,
        },
    )
    return signed
