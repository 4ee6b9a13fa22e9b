"""The log of a municipality: every event at its place in a Merkle tree, written with the event itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy
from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.engine import log
from app.engine.log import Origin
from app.engine.merkle import HASH_BYTES, Peaks, leaf_hash
from app.storage.grown import Grown, note
from app.storage.scope import Prepared
from app.storage.tables import LogEntry, LogHead

# With one of these a head is signed at once, so that what was approved cannot be disowned.
APPROVALS: Final = frozenset({"StageApproved"})


_HEAD = sqlalchemy.select(col(LogHead.size), col(LogHead.peaks))
_GET_HEAD, _LOCK_HEAD = Prepared(_HEAD), Prepared(_HEAD.with_for_update())
_ADD_HEAD = Prepared(insert(LogHead))
_GROW = Prepared(update(LogHead).where(col(LogHead.size) == bindparam("known_size")))
_ADD_ENTRY = Prepared(insert(LogEntry))


def append(session: Session, events: Sequence[Mapping[str, Any]]) -> None:
    """`events`: the rows of run_event that this transaction adds, all of the municipality of the session.

    From here to the end of the transaction others who append wait, on PostgreSQL for the row of the head and on SQLite
    for the database: positions have no gaps and no doubles, also when a transaction is rolled back."""
    municipality: uuid.UUID = session.info["municipality_id"]
    origin = str(session.info.get("origin", Origin.PROCESS))
    before = peaks = lock_head(session)
    rows = []
    for event in events:
        entry = log.entry(
            peaks.size,
            run=str(event["run_id"]),
            sequence=event["sequence"],
            kind=event["kind"],
            data=event["data"],
            by=str(event["by"]),
            at=event["at"],
            origin=origin,
        )
        leaf = leaf_hash(entry)
        rows.append(
            {
                "municipality_id": municipality,
                "position": peaks.size,
                "run_id": event["run_id"],
                "sequence": event["sequence"],
                "origin": origin,
                "leaf": leaf.hex(),
            }
        )
        peaks = peaks.with_leaf(leaf)
    _ADD_ENTRY.run(session, rows)
    values = {"known_size": before.size, "size": peaks.size, "peaks": write_peaks(peaks)}
    assert _GROW.run(session, values).rowcount == 1, "the head is locked"
    note(session, Grown(municipality, any(event["kind"] in APPROVALS for event in events)))


def head(session: Session) -> Peaks:
    """Of the municipality of the session. Raises ValueError when somebody changed it into nonsense."""
    return _peaks(_GET_HEAD.run(session, {}).one_or_none())


def lock_head(session: Session) -> Peaks:
    """`head`, held until the transaction ends."""
    row = _LOCK_HEAD.run(session, {}).one_or_none()
    if row is None:
        _begin_log(session)
        row = _LOCK_HEAD.run(session, {}).one()
    return _peaks(row)


def _begin_log(session: Session) -> None:
    try:
        with session.begin_nested():
            _ADD_HEAD.run(session, {"municipality_id": session.info["municipality_id"], "size": 0, "peaks": ""})
    except IntegrityError:
        return  # another transaction was first, and has ended: this one waited for it


def _peaks(row: Any) -> Peaks:
    return Peaks() if row is None else Peaks(row.size, read_peaks(row.peaks))


def write_peaks(peaks: Peaks) -> str:
    return b"".join(peaks.hashes).hex()


def read_peaks(text: str) -> tuple[bytes, ...]:
    packed = bytes.fromhex(text)
    if len(packed) % HASH_BYTES:
        raise ValueError("peaks of a log are whole hashes")
    return tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES))
