"""The work on a mass move, outside of the request that began it. Whatever happens to the process, the rows say where
it was: another one goes on from there."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from threading import Event
from typing import TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.features.mass_moves import mover
from app.features.mass_moves.mover import Job, Next, RunFailed
from app.storage import mass_moves
from app.storage.database import Database
from app.storage.scope import set_scope
from app.web.clock import Clock, clock_of

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

TRIES = 3  # for one run, when the database itself could not do it
LOOK_EVERY = timedelta(seconds=15)  # for mass moves that nobody is at
ROOM_TO_STOP = timedelta(seconds=10)  # a run takes a fraction of a second


async def carry_on(
    database: Database,
    id: str,
    municipality: uuid.UUID,
    *,
    clock: Clock,
    stopping: Event,
    worker: uuid.UUID | None = None,
    breath: timedelta = timedelta(0),
) -> None:
    """Moves what is left, until it is done or stopped, or `stopping` is set; nothing if somebody else is at it.
    `worker`: for whom it was claimed before. `breath`: pause after each run, for others who write to the same SQLite
    file from another process."""
    work = _Work(database, municipality, clock)
    try:
        job = await work.write(partial(mover.take, id=id, worker=worker, at=clock()))
        if job is None:
            return
        await _until_done(work, job, stopping, breath)
    except Exception:
        # Nothing is lost: what is not done waits, and whoever looks next goes on with it.
        log.exception("mass_move_interrupted", mass_move=id)


async def _until_done(work: _Work, job: Job, stopping: Event, breath: timedelta) -> None:
    while not stopping.is_set():
        if await _one(work, job) is not Next.GO_ON:
            return
        if breath:
            await asyncio.sleep(breath.total_seconds())
    await work.write(partial(mass_moves.release, id=job.id, worker=job.worker))


async def _one(work: _Work, job: Job) -> Next:
    for attempt in range(1, TRIES + 1):
        try:
            return await work.write(partial(mover.move_next, job=job, at=work.clock()))
        except RunFailed as failed:
            if isinstance(failed.__cause__, OperationalError) and attempt < TRIES:
                continue
            reference = secrets.token_hex(4)
            log.exception("mass_move_run_failed", reference=reference, mass_move=job.id, run=failed.run_id)
            note = partial(mover.note_failure, job=job, run_id=failed.run_id, reference=reference, at=work.clock())
            return await work.write(note)
    raise AssertionError("the last attempt returns")


class _Work:
    def __init__(self, database: Database, municipality: uuid.UUID, clock: Clock) -> None:
        self.database, self.municipality, self.clock = database, municipality, clock
        # Of its own: moving never takes a thread that a request waits for.
        self.thread = CapacityLimiter(1)

    async def write(self, do: Callable[[Session], Result]) -> Result:
        """In turn with the requests that write, so that nobody waits for more than one run."""
        async with self.database.writing_request() as session:
            set_scope(session, self.municipality)
            return await to_thread.run_sync(do, session, limiter=self.thread)


# --- while the application serves ------------------------------------------------------------------------------


@asynccontextmanager
async def kept_going(app: FastAPI) -> AsyncIterator[None]:
    """As long as the application serves, mass moves that nobody is at go on by themselves."""
    app.state.stopping.clear()
    workers: set[asyncio.Task[None]] = set()
    looking = asyncio.create_task(_look_around(app, workers))
    try:
        yield
    finally:
        app.state.stopping.set()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        if workers:
            await asyncio.wait(workers, timeout=ROOM_TO_STOP.total_seconds())


async def _look_around(app: FastAPI, workers: set[asyncio.Task[None]]) -> None:
    while True:
        try:
            found = await to_thread.run_sync(_left_alone, app)
        except Exception:
            log.exception("mass_moves_not_found")
            found = []
        for id, municipality in found:
            task = asyncio.create_task(in_app(app, id, municipality))
            workers.add(task)
            task.add_done_callback(workers.discard)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


def _left_alone(app: FastAPI) -> list[tuple[str, uuid.UUID]]:
    database: Database = app.state.database
    with database.read() as session:
        return mass_moves.left_alone(session, at=clock_of(app)())


async def in_app(app: FastAPI, id: str, municipality: uuid.UUID, *, worker: uuid.UUID | None = None) -> None:
    """`carry_on` in the application that serves."""
    database, stopping = app.state.database, app.state.stopping
    await carry_on(database, id, municipality, clock=clock_of(app), stopping=stopping, worker=worker)
