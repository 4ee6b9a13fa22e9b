"""Is the log what its events make of it, and does every signed head say so? Recomputed, never believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Session, col

from app.engine import log
from app.engine.log import Head, fingerprint, read_head
from app.engine.merkle import Peaks, leaf_hash
from app.storage.history import log as stored_log
from app.storage.history.heads import Signed
from app.storage.history.keys import is_signed
from app.storage.tables import EventRow, LogEntry, SignedHead

# What nobody can see from inside, in so many words; printed with every outcome.
WITHOUT_AN_EARLIER_HEAD: Final = (
    "Without a head that somebody else kept (--head), this cannot show that the newest events were removed together "
    "with their heads, for instance by putting back an older backup, nor that the whole history was made anew by "
    "somebody who has the key."
)
WITHOUT_A_FINGERPRINT: Final = (
    "Without the fingerprint of the key (--fingerprint), this cannot show that the whole history was made anew and "
    "signed with another key."
)
NEVER: Final = (
    "That an event was true when it was written, no check can show. Events after the newest signed head are only as "
    "sure as the database itself."
)


@dataclass(frozen=True, slots=True)
class Problem:
    place: str
    problem: str


@dataclass(slots=True)
class LogVerified:
    entries: int = 0
    heads: int = 0
    newest: Head | None = None
    problems: list[Problem] = field(default_factory=list)

    def report(self, place: str, problem: str) -> None:
        self.problems.append(Problem(place, problem))


def verify_log(session: Session, *, expected: str | None = None, kept: Sequence[Signed] = ()) -> LogVerified:
    """Of the municipality of the session, with flat memory.  `expected`: fingerprint of a key that must have signed.
    `kept`: heads that a witness kept."""
    found = LogVerified()
    heads = _Heads(session, found, expected, kept)
    peaks = Peaks()
    heads.check_root(peaks)
    # Closed, since it may be left halfway, and PostgreSQL keeps it open otherwise; the heads below likewise.
    rows = session.execute(ENTRIES.execution_options(yield_per=500))
    for row in rows:
        place = f"entry {row.position}"
        if row.position != peaks.size:
            found.report(place, f"the log has no entry {peaks.size}")
            break
        leaf = _leaf(row)
        if leaf is None:
            found.report(place, f"event {row.sequence} of run {row.run_id} is gone")
            break
        if leaf.hex() != row.leaf:
            found.report(place, f"event {row.sequence} of run {row.run_id} is not what was logged")
        peaks = peaks.with_leaf(leaf)
        heads.check_root(peaks)
    rows.close()
    found.entries = peaks.size
    heads.finish(peaks)
    _check_all_are_logged(session, found)
    _check_head_of_log(session, peaks, found)
    return found


_ENTRY_COLUMNS: tuple[Any, ...] = (
    LogEntry.position,
    LogEntry.run_id,
    LogEntry.sequence,
    LogEntry.origin,
    LogEntry.leaf,
    EventRow.kind,
    EventRow.data,
    EventRow.by,
    EventRow.at,
)
_OF_ENTRY = (col(EventRow.run_id) == col(LogEntry.run_id)) & (col(EventRow.sequence) == col(LogEntry.sequence))
ENTRIES = (
    sqlalchemy.select(*_ENTRY_COLUMNS)
    .select_from(LogEntry)
    .join(EventRow, _OF_ENTRY, isouter=True)
    .order_by(col(LogEntry.position))
)


def _leaf(row: Any) -> bytes | None:
    """As the event says now; None when there is no such event."""
    if row.kind is None:
        return None
    try:
        return leaf_hash(entry_of(row))
    except (TypeError, ValueError, AttributeError):
        return b""  # somebody put something there that no event can hold


def entry_of(row: Any) -> bytes:
    return log.entry(
        row.position,
        run=str(row.run_id),
        sequence=row.sequence,
        kind=row.kind,
        data=row.data,
        by=str(row.by),
        at=row.at,
        origin=row.origin,
    )


def _check_all_are_logged(session: Session, found: LogVerified) -> None:
    query = (
        sqlalchemy.select(col(EventRow.run_id), func.min(EventRow.sequence), func.count())
        .select_from(EventRow)
        .join(LogEntry, _OF_ENTRY, isouter=True)
        .where(col(LogEntry.position).is_(None))
        .group_by(col(EventRow.run_id))
    )
    for run_id, first, count in session.execute(query):
        found.report(f"run {run_id}", f"{count} events are not in the log, the first is number {first}")


def _check_head_of_log(session: Session, peaks: Peaks, found: LogVerified) -> None:
    try:
        head = stored_log.head(session)
    except ValueError as error:
        found.report("log_head", f"cannot be read: {error}")
        return
    if head != peaks:
        found.report(
            "log_head", f"says {head.size} entries with root {head.root.hex()[:12]}…, the events say otherwise"
        )


class _Heads:
    """The signed heads, one by one, as the log that they are about is recomputed."""

    def __init__(self, session: Session, found: LogVerified, expected: str | None, kept: Sequence[Signed]) -> None:
        self._municipality = str(session.info["municipality_id"])
        self._found, self._expected = found, expected
        self._kept = {signed.head.number: signed for signed in kept}
        self._is_expected_seen = False
        self._last: Signed | None = None
        self._is_rooted = True
        self._coming = self._read(session)
        self._next = next(self._coming, None)

    def _read(self, session: Session) -> Iterator[Signed]:
        columns: tuple[Any, ...] = (SignedHead.number, SignedHead.size, SignedHead.document, SignedHead.signature)
        query = sqlalchemy.select(*columns).order_by(col(SignedHead.number)).execution_options(yield_per=500)
        rows = session.execute(query)
        for number, size, text, signature in rows:
            document = text.encode()
            try:
                signed = Signed(read_head(document), document, signature)
            except ValueError as error:
                self._found.report(f"head {number}", str(error))
                break
            if (signed.head.number, signed.head.size) != (number, size):
                self._found.report(f"head {number}", "stands in the table as another than it is")
            if not self._is_in_place(signed):
                break
            self._last = signed
            self._found.heads, self._found.newest = self._found.heads + 1, signed.head
            yield signed
        rows.close()

    def _is_in_place(self, signed: Signed) -> bool:
        """Says what is wrong; False when looking at the rest of the chain makes no sense."""
        head, last = signed.head, self._last
        place = f"head {head.number}"
        if head.number != (last.head.number + 1 if last else 0):
            self._found.report(place, f"head {last.head.number + 1 if last else 0} is missing")
            return False
        if head.municipality != self._municipality:
            self._found.report(place, "is of another municipality")
        if head.previous != (last.hash if last else None):
            self._found.report(place, "does not follow on the head before it")
        if last and head.key != (last.head.next_key or last.head.key):
            self._found.report(place, f"signed with another key, fingerprint {fingerprint(head.key)}")
        if last and head.size < last.head.size:
            self._found.report(place, "says that the log became shorter")
        if not is_signed(head.key, signed.document, signed.signature):
            self._found.report(place, "the signature does not fit")
        if fingerprint(head.key) == self._expected:
            self._is_expected_seen = True
        if (kept := self._kept.pop(head.number, None)) is not None and kept.document != signed.document:
            self._found.report(place, "is another one than the head that was kept outside: the history was rewritten")
        return True

    def check_root(self, peaks: Peaks) -> None:
        while self._next is not None and self._next.head.size <= peaks.size:
            head = self._next.head
            if head.size == peaks.size and head.root != peaks.root.hex() and self._is_rooted:
                self._is_rooted = False  # all that follow differ too
                self._found.report(f"head {head.number}", f"is over {head.size} other events than these")
            self._next = next(self._coming, None)

    def finish(self, peaks: Peaks) -> None:
        if self._next is not None:
            self._found.report(
                f"head {self._next.head.number}", f"is over {self._next.head.size} entries; the log has {peaks.size}"
            )
        while self._next is not None:
            self._next = next(self._coming, None)
        for number in sorted(self._kept):
            self._found.report(f"head {number}", "was kept outside and is not here: the history was rolled back")
        if self._expected is not None and not self._is_expected_seen and self._found.heads:
            self._found.report("key", f"no head is signed with the key of fingerprint {self._expected}")
        if self._expected is not None and not self._found.heads:
            self._found.report("key", "nothing was signed yet, so there is no key to recognise")
