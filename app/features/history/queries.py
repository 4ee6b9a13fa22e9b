"""How far the history of the municipality is signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine.log import fingerprint
from app.storage.history import heads, log


@dataclass(frozen=True, slots=True)
class SignedSoFar:
    """`number` and `size` of the newest signed head; `root` and `fingerprint` in groups, to compare by eye."""

    number: int
    size: int
    root: str
    at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class HistoryCheck:
    """`waiting`: events that no signed head covers yet."""

    signed: SignedSoFar | None
    waiting: int


def history_check(session: Session) -> HistoryCheck:
    """Two queries."""
    size, last = log.head(session).size, heads.newest(session)
    if last is None:
        return HistoryCheck(None, size)
    head = last.head
    signed = SignedSoFar(head.number, head.size, _grouped(head.root), head.at, _grouped(fingerprint(head.key)))
    return HistoryCheck(signed, max(0, size - head.size))


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))
