"""What is kept of a mass move: who started what, which process is at it, and what happened to each run.

A process claims a mass move with `claim` and shows with `beat` that it is still there; both compare before they set,
so that of two processes one goes on. `settle` does the same for a run, in the transaction in which the run moves:
nothing happens to a run twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlmodel import Session, col

from app.engine.run import UserId
from app.storage.scope import Prepared, unscoped
from app.storage.tables import MassMove, MassMoveRun, RunRow

HEARTBEAT_MAX = timedelta(seconds=60)  # a worker that showed itself longer ago is taken to be gone


class RunOutcome(StrEnum):
    """Proposed: it touches an approval, so the manager of the run confirms it. Refused: by a rule, with the reasons.
    Failed: by a fault, with the reference of the log line."""

    WAITING = "waiting"
    MOVED = "moved"
    PROPOSED = "proposed"
    REFUSED = "refused"
    FAILED = "failed"


class Progress(StrEnum):
    """Interrupted: work is left, and nobody is at it."""

    BUSY = "busy"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Mass:
    """A mass move. `reason` is None where it was erased."""

    id: str
    plan_id: str
    to_version: str
    to_digest: str
    chosen: Mapping[str, Any]
    reason: str | None
    started_by: UserId
    started_at: datetime
    heartbeat_at: datetime | None
    stopped_by: UserId | None
    stopped_at: datetime | None
    finished_at: datetime | None

    def progress(self, at: datetime) -> Progress:
        if self.finished_at is not None:
            return Progress.FINISHED
        if self.stopped_at is not None:
            return Progress.STOPPED
        # One that was just started is about to be claimed.
        seen = self.heartbeat_at or self.started_at
        return Progress.BUSY if at - seen <= HEARTBEAT_MAX else Progress.INTERRUPTED


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run that takes part. `shown` is the digest of the outcome that was previewed, if it was."""

    run_id: str
    from_digest: str
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A run of a mass move with what happened. `name` is None when the run is gone."""

    run_id: str
    name: str | None
    from_digest: str
    outcome: RunOutcome
    told: Mapping[str, Any]


_COLUMNS: tuple[Any, ...] = (
    MassMove.id,
    MassMove.plan_id,
    MassMove.to_version,
    MassMove.to_digest,
    MassMove.chosen,
    MassMove.reason,
    MassMove.started_by,
    MassMove.started_at,
    MassMove.heartbeat_at,
    MassMove.stopped_by,
    MassMove.stopped_at,
    MassMove.finished_at,
)


def _mass(row: Any) -> Mass:
    return Mass(
        id=str(row.id),
        plan_id=row.plan_id,
        to_version=row.to_version,
        to_digest=row.to_digest,
        chosen=row.chosen,
        reason=row.reason,
        started_by=str(row.started_by),
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        stopped_by=str(row.stopped_by) if row.stopped_by else None,
        stopped_at=row.stopped_at,
        finished_at=row.finished_at,
    )


# --- starting and looking --------------------------------------------------------------------------------------

_ADD, _ADD_RUNS = Prepared(insert(MassMove)), Prepared(insert(MassMoveRun))
_GET = Prepared(select(*_COLUMNS).where(col(MassMove.id) == bindparam("of_mass")))
_NEWEST = select(*_COLUMNS).order_by(col(MassMove.started_at).desc(), col(MassMove.id))
_NEWEST_ONES = Prepared(_NEWEST.limit(bindparam("most")).offset(bindparam("before")))
_COUNT_ALL = Prepared(select(func.count()).select_from(MassMove))
_COUNTS = Prepared(
    select(col(MassMoveRun.mass_move_id), col(MassMoveRun.outcome), func.count())
    .where(col(MassMoveRun.mass_move_id).in_(bindparam("masses", expanding=True)))
    .group_by(col(MassMoveRun.mass_move_id), col(MassMoveRun.outcome))
)


def add(
    session: Session,
    id: str,
    *,
    plan_id: str,
    to_version: str,
    to_digest: str,
    chosen: Mapping[str, Any],
    reason: str,
    runs: Iterable[Chosen],
    by: UserId,
    at: datetime,
) -> None:
    """Raises IntegrityError when there is a mass move with this id."""
    municipality = session.info["municipality_id"]
    row = {
        "id": uuid.UUID(id),
        "municipality_id": municipality,
        "plan_id": plan_id,
        "to_version": to_version,
        "to_digest": to_digest,
        "chosen": dict(chosen),
        "reason": reason,
        "started_by": uuid.UUID(by),
        "started_at": at,
    }
    _ADD.run(session, row)
    rows = [
        {
            "municipality_id": municipality,
            "mass_move_id": uuid.UUID(id),
            "run_id": uuid.UUID(each.run_id),
            "from_digest": each.from_digest,
            "shown": each.shown,
            "outcome": RunOutcome.WAITING.value,
        }
        for each in runs
    ]
    if rows:
        _ADD_RUNS.run(session, rows)


def find(session: Session, id: str) -> Mass | None:
    """None for one that this municipality does not have."""
    try:
        key = uuid.UUID(id)
    except ValueError:
        return None
    row = _GET.run(session, {"of_mass": key}).one_or_none()
    return _mass(row) if row else None


def newest(session: Session, *, most: int, before: int = 0) -> list[Mass]:
    return [_mass(row) for row in _NEWEST_ONES.run(session, {"most": most, "before": before})]


def count_all(session: Session) -> int:
    found: int = _COUNT_ALL.run(session, {}).scalar_one()
    return found


def counts(session: Session, ids: Iterable[str]) -> dict[str, dict[RunOutcome, int]]:
    """The number of runs of each outcome, per mass move, in one query."""
    keys = [uuid.UUID(id) for id in ids]
    found: dict[str, dict[RunOutcome, int]] = {str(key): dict.fromkeys(RunOutcome, 0) for key in keys}
    if keys:
        for id, outcome, number in _COUNTS.run(session, {"masses": keys}):
            found[str(id)][RunOutcome(outcome)] = number
    return found


_SETTLED_COLUMNS: tuple[Any, ...] = (
    MassMoveRun.run_id,
    RunRow.name,
    MassMoveRun.from_digest,
    MassMoveRun.outcome,
    MassMoveRun.told,
)


def settled(session: Session, id: str, *, outcome: RunOutcome | None, most: int, before: int) -> list[Settled]:
    """A page of the runs, by name."""
    query = (
        select(*_SETTLED_COLUMNS)
        .join(RunRow, col(RunRow.id) == col(MassMoveRun.run_id), isouter=True)
        .where(col(MassMoveRun.mass_move_id) == uuid.UUID(id))
        .order_by(col(RunRow.name), col(MassMoveRun.run_id))
        .limit(most)
        .offset(before)
    )
    if outcome is not None:
        query = query.where(col(MassMoveRun.outcome) == outcome.value)
    return [
        Settled(str(row.run_id), row.name, row.from_digest, RunOutcome(row.outcome), row.told or {})
        for row in session.execute(query)
    ]


# --- working on it ---------------------------------------------------------------------------------------------

_IS_OPEN = (
    col(MassMove.id) == bindparam("of_mass"),
    col(MassMove.finished_at).is_(None),
    col(MassMove.stopped_at).is_(None),
)
_IS_FREE = or_(col(MassMove.heartbeat_at).is_(None), col(MassMove.heartbeat_at) < bindparam("gone_since"))
_CLAIM = Prepared(update(MassMove).where(*_IS_OPEN, _IS_FREE))
_BEAT = Prepared(update(MassMove).where(*_IS_OPEN, col(MassMove.worker) == bindparam("of_worker")))
_IS_MINE = (col(MassMove.id) == bindparam("of_mass"), col(MassMove.worker) == bindparam("of_worker"))
_CHANGE_MINE = Prepared(update(MassMove).where(*_IS_MINE))
_STOP = Prepared(update(MassMove).where(*_IS_OPEN))
_NEXT_COLUMNS: tuple[Any, ...] = (MassMoveRun.run_id, MassMoveRun.from_digest, MassMoveRun.shown)
_IS_WAITING = (
    col(MassMoveRun.mass_move_id) == bindparam("of_mass"),
    col(MassMoveRun.outcome) == RunOutcome.WAITING.value,
)
_NEXT = Prepared(
    select(*_NEXT_COLUMNS).where(*_IS_WAITING).order_by(col(MassMoveRun.run_id)).limit(1).with_for_update()
)
_SETTLE = Prepared(update(MassMoveRun).where(*_IS_WAITING, col(MassMoveRun.run_id) == bindparam("of_run")))


def claim(session: Session, id: str, worker: uuid.UUID, *, at: datetime) -> bool:
    """Whether it is ours now: it is not finished or stopped, and nobody else is at it."""
    values = {"of_mass": uuid.UUID(id), "gone_since": at - HEARTBEAT_MAX, "worker": worker, "heartbeat_at": at}
    return _CLAIM.run(session, values).rowcount == 1


def beat(session: Session, id: str, worker: uuid.UUID, *, at: datetime) -> bool:
    """Whether it is still ours, and was not stopped."""
    values = {"of_mass": uuid.UUID(id), "of_worker": worker, "heartbeat_at": at}
    return _BEAT.run(session, values).rowcount == 1


def release(session: Session, id: str, worker: uuid.UUID) -> None:
    """Work is left for whoever comes next."""
    _CHANGE_MINE.run(session, {"of_mass": uuid.UUID(id), "of_worker": worker, "worker": None, "heartbeat_at": None})


def finish(session: Session, id: str, worker: uuid.UUID, *, at: datetime) -> None:
    _CHANGE_MINE.run(session, {"of_mass": uuid.UUID(id), "of_worker": worker, "finished_at": at})


def stop(session: Session, id: str, *, by: UserId, at: datetime) -> bool:
    """Whether there was something to stop. The run that is being moved is finished first."""
    values = {"of_mass": uuid.UUID(id), "stopped_by": uuid.UUID(by), "stopped_at": at}
    return _STOP.run(session, values).rowcount == 1


def next_waiting(session: Session, id: str) -> Chosen | None:
    """A run to which nothing happened yet; on PostgreSQL nobody else gets it before this transaction ends."""
    row = _NEXT.run(session, {"of_mass": uuid.UUID(id)}).one_or_none()
    return Chosen(str(row.run_id), row.from_digest, row.shown) if row else None


def settle(
    session: Session, id: str, run_id: str, outcome: RunOutcome, told: Mapping[str, Any], *, at: datetime
) -> bool:
    """Writes what happened; False when it was written before, and then this transaction must not be committed."""
    values = {
        "of_mass": uuid.UUID(id),
        "of_run": uuid.UUID(run_id),
        "outcome": outcome.value,
        "told": dict(told),
        "done_at": at,
    }
    return _SETTLE.run(session, values).rowcount == 1


def left_alone(session: Session, *, at: datetime) -> list[tuple[str, uuid.UUID]]:
    """Of all municipalities: mass moves on which work is left and nobody is at it, with their municipality."""
    unscoped(session, "finds interrupted mass moves of all municipalities; each goes on in a session of its own")
    query = select(col(MassMove.id), col(MassMove.municipality_id)).where(
        col(MassMove.finished_at).is_(None),
        col(MassMove.stopped_at).is_(None),
        or_(col(MassMove.heartbeat_at).is_(None), col(MassMove.heartbeat_at) < at - HEARTBEAT_MAX),
    )
    found = session.execute(query.order_by(col(MassMove.started_at)))
    return [(str(id), municipality) for id, municipality in found]
