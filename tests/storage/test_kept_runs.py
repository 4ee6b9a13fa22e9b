"""What is kept of a run is what the database holds, or it is not used."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from app.engine import events as e
from app.engine.run import Run, StageRef
from app.policy import Reach, Role
from app.storage import run_store
from app.storage.database import Database
from app.storage.kept_runs import KeptRuns, Moment
from app.storage.memory import Memory, remember_in
from app.storage.run_header import RunNotFound
from app.storage.run_store import loading
from app.storage.scope import set_reach, set_scope
from app.storage.tables import RunRow, StepRow
from app.storage.verify import Part, Trouble, verify_run
from tests.features.accounts.building import MONDAY
from tests.features.client import World, a_world
from tests.features.moving import a_full_room, moved, moved_back
from tests.features.steps.room import Room
from tests.security.prepared import prepare

VERKENNEN = StageRef("verkennen")


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


@contextmanager
def reading(world: World, memory: Memory, municipality: str = "Zonnedijk") -> Iterator[Session]:
    with world.reading(municipality) as session:
        remember_in(session, memory)
        yield session


def loads(session: Session, run_id: str) -> list[Run]:
    """Each way to load a part of a run, one time."""
    return [
        run
        for _, run in (
            run_store.load_run(session, run_id),
            run_store.load_stages(session, run_id),
            run_store.load_stage(session, run_id, VERKENNEN),
            run_store.load_step(session, run_id, VERKENNEN, "overzicht"),
            run_store.load_in_progress(session, run_id),
        )
    ]


def test_each_part_of_a_run_is_read_once_and_asked_for_once_more_each_time(room: Room):
    memory = Memory()
    with reading(room.world, memory) as session:
        first = loads(session, room.run)
    with reading(room.world, memory) as session, room.world.counting_queries() as statements:
        again = loads(session, room.run)
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert len(statements) == len(first), statements
    with room.world.reading() as session:
        assert loads(session, room.run) == again
        assert run_store.load_run(session, room.run, afresh=True)[1] == again[0]


def test_all_that_people_do_in_a_run_finds_it_as_the_database_has_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    used: list[Run] = []
    load, find = loading._load, KeptRuns.find

    def counted(kept: KeptRuns, key: Any, moment: Moment) -> Run | None:
        run = find(kept, key, moment)
        used.extend([run] if run else [])
        return run

    def checked(session: Session, run_id: str, part: Any, **how: Any) -> Any:
        plan, run = load(session, run_id, part, **how)
        assert load(session, run_id, part, **{**how, "afresh": True}) == (plan, run)
        return plan, run

    monkeypatch.setattr(loading, "_load", checked)
    monkeypatch.setattr(KeptRuns, "find", counted)
    world = a_world(database)
    prepared = prepare(world, officer="anna", manager="carla", word="merel")
    for _ in range(2):
        for page in ("", "/checklist", "/rapport", "/fasen/verkennen.1", "/fasen/verkennen.1/beoordelen"):
            assert world.browser("carla").get(f"/trajecten/{prepared.run}{page}").status_code == 200
    assert len(used) > 20


def test_pages_of_a_run_that_moves_and_goes_back_are_those_of_its_version(room: Room):
    anna = room.browser("anna")
    address = f"/trajecten/{room.run}"
    before = anna.get(address).text
    assert "1.0.0" in before
    moved(room.world, room.run, "2.0.0")
    assert "2.0.0" in anna.get(address).text
    moved_back(room.world, room.run)
    assert "2.0.0" not in anna.get(address).text


def test_what_a_transaction_took_back_is_not_kept(room: Room):
    memory, world = Memory(), room.world

    def changed(session: Session, member: str) -> Run:
        plan, run = run_store.load_run(session, room.run, for_change=True)
        anna, carla = world.users["anna"], world.users["carla"]
        event = e.TeamChanged(team=(anna, world.users[member]), manager=carla, by=anna, at=MONDAY)
        run_store.record(session, plan, run, event)
        return run_store.load_run(session, room.run)[1]

    class TakenBack(Exception):
        pass

    with pytest.raises(TakenBack), world.database.write() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        remember_in(session, memory)
        lost = changed(session, "bram")
        raise TakenBack
    with world.database.write() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        remember_in(session, memory)
        stored = changed(session, "dirk")
    assert (lost.revision, lost.team != stored.team) == (stored.revision, True)
    with reading(world, memory) as session:
        assert run_store.load_run(session, room.run)[1].team == stored.team


def test_a_run_of_another_municipality_is_not_found_though_it_is_kept(room: Room):
    memory = Memory()
    with reading(room.world, memory) as session:
        run_store.load_run(session, room.run)
    with reading(room.world, memory, "Veldermeer") as session, pytest.raises(RunNotFound):
        run_store.load_run(session, room.run)


def test_a_run_that_was_not_opened_to_somebody_is_not_found_though_it_is_kept(room: Room):
    memory, emma = Memory(), uuid.UUID(room.world.users["emma"])
    with reading(room.world, memory) as session:
        loads(session, room.run)
    with reading(room.world, memory) as session:
        set_reach(session, emma, Reach(all_runs=False, opened_as=frozenset({Role.AUDITOR})))
        with pytest.raises(RunNotFound):
            run_store.load_run(session, room.run)


def test_a_part_that_an_address_makes_up_is_not_kept(room: Room):
    anna = room.browser("anna")
    kept = room.world.database._memory.of(KeptRuns)._kept
    assert anna.get(room.step).status_code == 200
    before = set(kept)
    assert before != set()
    for made_up in (
        "fasen/verzonnen.1",
        "fasen/verkennen.9",
        "fasen/verkennen.wonen.1",
        f"fasen/{room.ref}/stappen/niets",
    ):
        assert anna.get(f"/trajecten/{room.run}/{made_up}").status_code == 404, made_up
    assert set(kept) == before


def test_a_copy_of_the_database_that_went_on_differently_is_read(room: Room):
    memory = Memory()
    with reading(room.world, memory) as session:
        first = run_store.load_run(session, room.run)[1]
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        later = MONDAY + timedelta(microseconds=1)
        session.execute(update(RunRow).where(col(RunRow.id) == uuid.UUID(room.run)).values(changed_at=later))
    with reading(room.world, memory) as session:
        assert run_store.load_run(session, room.run)[1] is not first


def test_who_verifies_reads_the_tables(room: Room):
    memory = Memory()
    with reading(room.world, memory) as session:
        run_store.load_run(session, room.run)
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        of_run = col(StepRow.run_id) == uuid.UUID(room.run)
        session.execute(update(StepRow).where(of_run, col(StepRow.step) == "overzicht").values(state={}))
    with reading(room.world, memory) as session:
        found = {(each.part, each.trouble) for each in verify_run(session, room.run).findings}
    assert (Part.STEP, Trouble.TABLES_DIFFER) in found


def test_what_nobody_asked_for_longest_makes_room(room: Room):
    run = room.loaded()
    pieces = 1 + len(run.stages) + sum(len(instance.steps) for instance in run.stages.values())
    kept, moment = KeptRuns(pieces_max=2 * pieces), Moment(run.revision, MONDAY)
    for key in ("a", "b"):
        kept.keep(key, moment, run)
    assert kept.find("a", moment) is run
    kept.keep("c", moment, run)
    assert [key for key in "abc" if kept.find(key, moment)] == ["a", "c"]


def test_a_run_larger_than_all_that_may_be_kept_is_not_kept(room: Room):
    run = room.loaded()
    kept, moment = KeptRuns(pieces_max=2), Moment(run.revision, MONDAY)
    kept.keep("a", moment, run)
    assert kept.find("a", moment) is None
