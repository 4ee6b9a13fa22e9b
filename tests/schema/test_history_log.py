"""Migration 0007 gives events that are there their place in the log, as if they had been logged at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col, select

from app.storage.database import Database, create_engine_for
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope, unscoped
from app.storage.tables import EventRow, LogEntry
from app.storage.upgrade import downgrade, upgrade
from tests.databases import PostgreSQL
from tests.storage.history.making import a_keeper, a_town
from tests.storage.rows import NOW, Side, a_municipality_with_a_run, a_run


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Without the log, and with events of two municipalities."""
    if request.param == "sqlite":
        made = create_engine_for(f"sqlite:///{tmp_path / 'before.sqlite3'}")
        yield made
        made.dispose()
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        with server.scratch("history") as scratch:
            yield scratch


def fill(database: Database, names: str, *, events: int) -> list[Side]:
    """Two runs each, by turns; now and then a moment lies before that of the event before it."""
    sides = []
    with database.write() as session:
        unscoped(session, "fills municipalities")
        for name in names:
            side = a_municipality_with_a_run(session, name)
            other = a_run(side, id=side.user)
            session.add(other)
            session.flush()
            rows = [
                {
                    "municipality_id": side.municipality,
                    "run_id": (side.run, other.id)[number % 2],
                    "sequence": number // 2 + 1,
                    "kind": "StepSaved",
                    "data": {"ref": "é.1", "step": f"stap-{number}", "answers": {}},
                    "by": side.user,
                    "at": NOW + timedelta(seconds=number - 5 * (number % 7 == 6)),
                }
                for number in range(events)
            ]
            session.execute(insert(EventRow), rows)
            sides.append(side)
    return sides


def test_events_that_are_there_get_their_place_in_order_of_time(engine: Engine):
    upgrade(engine, "head")
    database = Database(engine)
    sides = fill(database, "AB", events=2501)
    downgrade(engine, "0006", may_lose_data=True)
    upgrade(engine)

    for side in sides:
        with database.read() as session:
            set_scope(session, side.municipality)
            verified = verify_log(session)
            assert (verified.entries, verified.problems) == (2501, [])
            columns = (LogEntry.run_id, LogEntry.sequence, LogEntry.origin)
            found = session.exec(select(*columns).order_by(col(LogEntry.position))).all()
        assert {origin for _, _, origin in found} == {"earlier"}
        for run in (side.run, side.user):
            assert [sequence for run_id, sequence, _ in found if run_id == run] == sorted(
                sequence for run_id, sequence, _ in found if run_id == run
            )


def test_log_goes_on_after_the_migration(engine: Engine, tmp_path: Path):
    upgrade(engine)
    database = Database(engine)
    town = a_town(database, "A")
    town.work(["RunStarted", "StepSaved"])
    downgrade(engine, "0006", may_lose_data=True)
    upgrade(engine)
    # Started anew, as after each upgrade: the key of the tickets went with the way back, and there is another now.
    town.database = database = Database(engine)
    town.work()
    a_keeper(database, tmp_path).sign(town.id, at=NOW)
    with database.read() as session:
        set_scope(session, town.id)
        verified = verify_log(session)
    assert (verified.entries, verified.heads, verified.problems) == (3, 1, [])


def test_memory_does_not_grow_with_the_number_of_events(sqlite_database: Database):
    peaks = []
    for names, events in (("A", 2_000), ("B", 10_000)):
        fill(sqlite_database, names, events=events)
        downgrade(sqlite_database.engine, "0006", may_lose_data=True)
        tracemalloc.start()
        upgrade(sqlite_database.engine)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000, peaks


def test_nothing_is_left_after_going_back(engine: Engine):
    upgrade(engine)
    town = a_town(Database(engine), "A")
    town.work()
    downgrade(engine, "0006", may_lose_data=True)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM run_event")).scalar_one() == 1
    with pytest.raises(Exception, match="log_entry"), engine.connect() as connection:
        connection.execute(text("SELECT * FROM log_entry"))


def test_application_has_no_right_to_change_or_remove_history_on_postgresql(postgresql: PostgreSQL):
    """As a role of its own, since tests are done as the superuser, whom no right is refused."""
    role = f"{postgresql.name}_app"
    with postgresql.admin() as admin:
        admin.execute(text(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'x'"))
    try:
        with postgresql.scratch("rights") as owner:
            with owner.begin() as connection:
                connection.execute(text(f'GRANT ALL ON SCHEMA public TO "{role}"'))
            engine = create_engine_for(owner.url.set(username=role, password="x").render_as_string(hide_password=False))
            try:
                upgrade(engine)
                town = a_town(Database(engine), "A")
                town.work(["RunStarted", "StepSaved"])
                for change in (
                    "UPDATE log_entry SET leaf = 'x'",
                    "DELETE FROM log_entry",
                    "TRUNCATE log_entry",
                    "DELETE FROM run_event",
                    "UPDATE signed_head SET size = 1",
                    "DELETE FROM log_head",
                ):
                    with pytest.raises(ProgrammingError, match="permission denied"), engine.begin() as connection:
                        connection.execute(text(change))
                downgrade(engine, "base", may_lose_data=True)
            finally:
                engine.dispose()
    finally:
        with postgresql.admin() as admin:
            admin.execute(text(f'DROP ROLE "{role}"'))
