"""Progress that survives: workers that stop, are killed, come back or meet each other."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.engine.events import RunMoved
from app.features.mass_moves import mover
from app.features.mass_moves.mover import Next, RunFailed
from app.features.mass_moves.worker import carry_on
from app.storage import mass_moves
from app.storage.database import Database
from app.storage.mass_moves import HEARTBEAT_MAX, RunOutcome
from app.storage.run_store import events_of
from app.storage.scope import set_scope
from tests.databases import opened_again
from tests.features.accounts.building import OURS
from tests.features.client import World, a_world
from tests.features.mass_moves.building import (
    CHOOSE,
    Killed,
    StopAfter,
    assert_history_holds,
    begun_mass,
    counted,
    killed_after,
    loaded,
    many_runs,
    mass_of,
    release_1_1,
    versions,
    work_on,
)
from tests.security.prepared import visitor
from tests.together import together


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = a_world(database, data_dir=tmp_path / "data")
    release_1_1(world)
    return world


@contextmanager
def another_process(database: Database) -> Iterator[Database]:
    other = opened_again(database)
    yield other
    other.dispose()


def moves_of(world: World, run_id: str) -> int:
    with world.reading() as session:
        return sum(isinstance(event, RunMoved) for event in events_of(session, run_id))


# --- stopping and going on ---------------------------------------------------------------------------------------


def test_worker_that_is_told_to_stop_leaves_the_rest_for_the_next(world: World):
    ids = many_runs(world, 10, begun=True)
    id = begun_mass(world, ids)
    work_on(world, id, stopping=StopAfter(4))
    assert counted(world, id) == {"moved": 4, "waiting": 6}
    assert mass_of(world, id).heartbeat_at is None
    work_on(world, id)
    assert counted(world, id) == {"moved": 10}
    assert [moves_of(world, run_id) for run_id in ids] == [1] * 10
    assert_history_holds(world)


def test_after_a_crash_it_goes_on_where_it_was_once_the_heartbeat_is_old(world: World):
    ids = many_runs(world, 10, begun=True)
    id = begun_mass(world, ids)
    with pytest.raises(Killed):
        work_on(world, id, clock=killed_after(world, 5))
    assert counted(world, id) == {"moved": 4, "waiting": 6}
    work_on(world, id)  # too early: the other one may be at it still
    assert counted(world, id) == {"moved": 4, "waiting": 6}
    world.clock.advance(seconds=HEARTBEAT_MAX.total_seconds() + 1)
    work_on(world, id)
    assert counted(world, id) == {"moved": 10}
    assert [moves_of(world, run_id) for run_id in ids] == [1] * 10
    assert_history_holds(world)


def test_page_says_that_it_was_interrupted_and_a_button_goes_on(world: World):
    ids = many_runs(world, 5)
    id = begun_mass(world, ids)
    with pytest.raises(Killed):
        work_on(world, id, clock=killed_after(world, 3))
    ferry, emma = visitor(world, "ferry"), visitor(world, "emma")
    ferry.open(f"{CHOOSE}/{id}")
    ferry.reads("Bezig", "2 van 5 gedaan")
    world.clock.advance(seconds=61)
    emma.open(f"{CHOOSE}/{id}")
    emma.reads("Onderbroken", "2 van 5 gedaan")
    assert "Ga verder" not in emma.text
    ferry.open(f"{CHOOSE}/{id}")
    ferry.reads("Onderbroken")
    ferry.send("Ga verder")
    ferry.reads("Het gaat verder waar het was gebleven.", "5 van 5 gedaan", "Klaar")
    assert set(versions(world, ids)) == {"1.1.0"}


def test_stop_button_reaches_a_worker_that_is_busy(world: World):
    ids = many_runs(world, 6)
    id = begun_mass(world, ids)
    readings = 0

    def clock() -> datetime:
        nonlocal readings
        readings += 1
        if readings == 4:
            assert world.browser("ferry").post(f"{CHOOSE}/{id}/stoppen", {}).status_code == 200
        return world.clock()

    work_on(world, id, clock=clock)
    assert counted(world, id) == {"moved": 2, "waiting": 4}
    assert mass_of(world, id).stopped_by == world.users["ferry"]
    world.clock.advance(minutes=5)
    work_on(world, id)
    assert counted(world, id) == {"moved": 2, "waiting": 4}


def test_what_was_interrupted_goes_on_by_itself_when_the_application_serves(world: World):
    ids = many_runs(world, 5)
    id = begun_mass(world, ids)
    theirs = begun_mass(world, [], place="Veldermeer")
    work_on(world, id, stopping=StopAfter(2))
    assert counted(world, id) == {"moved": 2, "waiting": 3}
    with serving(world):
        until(lambda: mass_of(world, id).finished_at is not None)
    assert counted(world, id) == {"moved": 5}
    with world.reading("Veldermeer") as session:
        found = mass_moves.find(session, theirs)
    assert found is not None
    assert found.finished_at is not None


@contextmanager
def serving(world: World) -> Iterator[None]:
    try:
        with TestClient(world.app, base_url=OURS):
            yield
    finally:
        world.app.state.stopping.clear()  # the next test uses the same application


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline, "this did not happen within 20 seconds"
        time.sleep(0.02)


# --- two at once -------------------------------------------------------------------------------------------------


def test_of_two_workers_at_once_one_does_the_work(world: World):
    ids = many_runs(world, 12)
    id = begun_mass(world, ids)
    with another_process(world.database) as other:
        together(lambda: work_on(world, id), lambda: work_on(world, id, database=other))
    assert counted(world, id) == {"moved": 12}
    assert [moves_of(world, run_id) for run_id in ids] == [1] * 12
    assert_history_holds(world)


def test_workers_that_take_it_from_each_other_all_the_time_move_no_run_twice(world: World):
    """Each thinks that the other is gone: their clocks run wild."""
    ids = many_runs(world, 12)
    id = begun_mass(world, ids)
    lock, at = threading.Lock(), world.clock()

    def wild() -> datetime:
        nonlocal at
        with lock:
            at += HEARTBEAT_MAX + timedelta(seconds=1)
            return at

    def work(database: Database) -> Callable[[], None]:
        def until_done() -> None:
            while mass_of(world, id).finished_at is None:
                work_on(world, id, database=database, clock=wild)

        return until_done

    with another_process(world.database) as other:
        together(work(world.database), work(other))
    assert counted(world, id) == {"moved": 12}
    assert [moves_of(world, run_id) for run_id in ids] == [1] * 12
    assert_history_holds(world)


def test_run_is_settled_once(world: World):
    ids = many_runs(world, 1)
    id = begun_mass(world, ids)
    at = world.clock()
    for expected in (True, False):
        with world.database.write() as session:
            set_scope(session, world.municipalities["Zonnedijk"])
            assert mass_moves.settle(session, id, ids[0], RunOutcome.REFUSED, {}, at=at) is expected


def test_worker_that_was_taken_for_gone_does_nothing_more(world: World):
    ids = many_runs(world, 3)
    id = begun_mass(world, ids)
    jobs = []
    for _ in range(2):
        with world.database.write() as session:
            set_scope(session, world.municipalities["Zonnedijk"])
            jobs.append(mover.take(session, id, at=world.clock()))
        world.clock.advance(seconds=61)
    for job, expected in zip(jobs, (Next.NOT_OURS, Next.GO_ON), strict=True):
        assert job is not None
        with world.database.write() as session:
            set_scope(session, world.municipalities["Zonnedijk"])
            assert mover.move_next(session, job, at=world.clock()) is expected
    assert counted(world, id) == {"moved": 1, "waiting": 2}


# --- trouble -----------------------------------------------------------------------------------------------------


def test_run_is_tried_again_when_the_database_falters(world: World, monkeypatch: pytest.MonkeyPatch):
    ids = many_runs(world, 2)
    id = begun_mass(world, ids)
    move_next, left = mover.move_next, iter(range(2))

    def faltering(session, job, *, at):
        if next(left, None) is not None:
            raise RunFailed(ids[0]) from OperationalError("UPDATE run", {}, Exception("database is locked"))
        return move_next(session, job, at=at)

    monkeypatch.setattr(mover, "move_next", faltering)
    work_on(world, id)
    assert counted(world, id) == {"moved": 2}


def test_database_that_is_gone_ends_the_worker_and_nothing_is_lost(world: World, monkeypatch: pytest.MonkeyPatch):
    ids = many_runs(world, 3)
    id = begun_mass(world, ids)
    beat, left = mass_moves.beat, iter(range(1))

    def gone(*args, **named):
        if next(left, None) is None:
            raise OperationalError("UPDATE mass_move", {}, Exception("connection refused"))
        return beat(*args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(mass_moves, "beat", gone)
        work_on(world, id)
    assert counted(world, id) == {"moved": 1, "waiting": 2}
    world.clock.advance(seconds=61)
    work_on(world, id)
    assert counted(world, id) == {"moved": 3}


def test_unknown_mass_move_is_nothing_to_do(world: World):
    asyncio.run(
        carry_on(
            world.database,
            str(uuid.uuid4()),
            world.municipalities["Zonnedijk"],
            clock=world.clock,
            stopping=threading.Event(),
        )
    )
    assert loaded(world, many_runs(world, 1)[0]).plan_version == "1.0.0"
