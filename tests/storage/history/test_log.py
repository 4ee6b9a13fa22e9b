"""The log: written with every event, without gaps and doubles, and kept from change by the database itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from app.engine.log import Origin
from app.engine.merkle import Peaks, Tree
from app.storage.database import Database
from app.storage.grown import grown_in
from app.storage.history import log
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope
from app.storage.tables import LogEntry
from tests.databases import behind, urls_of
from tests.storage.history.making import Town, a_keeper, a_town
from tests.storage.rows import NOW

EACH = 50


def entries(town: Town) -> list[LogEntry]:
    with town.database.read() as session:
        set_scope(session, town.id)
        return [*session.exec(select(LogEntry).order_by(col(LogEntry.position)))]


def head(town: Town) -> Peaks:
    with town.database.read() as session:
        set_scope(session, town.id)
        return log.head(session)


def problems(town: Town) -> list[str]:
    with town.database.read() as session:
        set_scope(session, town.id)
        return [f"{one.place}: {one.problem}" for one in verify_log(session).problems]


def test_every_event_has_the_next_position_and_the_head_is_the_root_of_all(database: Database):
    town, other = a_town(database, "A", runs=2), a_town(database, "B")
    town.work(["RunStarted", "StepSaved"])
    other.work(["RunStarted"])
    town.work(["RunStarted"], run=1)
    town.work()

    found = entries(town)
    assert [entry.position for entry in found] == [0, 1, 2, 3]
    assert [(entry.run_id, entry.sequence) for entry in found] == [
        (town.runs[0], 1),
        (town.runs[0], 2),
        (town.runs[1], 1),
        (town.runs[0], 3),
    ]
    assert head(town).root == Tree(bytes.fromhex(entry.leaf) for entry in found).root()
    assert (head(town).size, head(other).size) == (4, 1)
    assert problems(town) == problems(other) == []


def test_change_that_is_rolled_back_leaves_no_gap(database: Database):
    town = a_town(database, "A")
    town.work()
    before = head(town)
    with pytest.raises(RuntimeError), database.write() as session:
        set_scope(session, town.id)
        town.add(session, town.runs[0])
        raise RuntimeError
    town.sequences[town.runs[0]] -= 1
    assert head(town) == before
    town.work()
    assert [entry.position for entry in entries(town)] == [0, 1]
    assert problems(town) == []


def test_entry_says_where_the_event_came_from(database: Database):
    town = a_town(database, "A")
    town.work()
    with database.write() as session:
        session.info["origin"] = Origin.REQUEST
        set_scope(session, town.id)
        town.add(session, town.runs[0])
    assert [entry.origin for entry in entries(town)] == ["process", "request"]
    assert problems(town) == []


def test_session_knows_whether_something_was_approved(database: Database):
    town = a_town(database, "A")
    with database.write() as session:
        set_scope(session, town.id)
        assert grown_in(session) is None
        town.add(session, town.runs[0], ["StageApproved"])
        town.add(session, town.runs[0], ["StepSaved"])
        grown = grown_in(session)
    assert grown is not None
    assert (grown.municipality, grown.has_approval) == (town.id, True)


@pytest.mark.parametrize("size", [1, 100])
def test_appending_takes_as_many_statements_whatever_the_size(sqlite_database: Database, size: int):
    town = a_town(sqlite_database, "A")
    town.work(["StepSaved"] * size)
    sent: list[str] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    town.work()
    about_the_log = [statement for statement in sent if "log_" in statement]
    assert [statement.split()[0] for statement in about_the_log] == ["SELECT", "INSERT", "UPDATE"]


# --- several at once -----------------------------------------------------------------------------------------------


def test_threads_that_append_at_once_leave_no_gap_and_no_double(database: Database):
    """Each its own run, in the same municipality, that has no log yet."""
    town = a_town(database, "A", runs=2)
    together = threading.Barrier(2)

    def work(run: int) -> None:
        together.wait()
        for _ in range(EACH):
            town.work(run=run)

    threads = [threading.Thread(target=work, args=(run,)) for run in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _assert_whole(town, 2 * EACH)


PROGRAM = """
import sys, uuid
from app.storage.database import Database, create_engine_for
from tests.storage.history.making import Town
from tests.storage.rows import Side
url, owner, municipality, user, run = sys.argv[1:]
ids = [uuid.UUID(id) for id in (municipality, user, run)]
database = Database(create_engine_for(url), create_engine_for(owner))
town = Town(database, Side(ids[0], ids[1], ids[2], "A"), [ids[2]])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(50):
    town.work()
database.dispose()
"""


def test_processes_that_append_at_once_leave_no_gap_and_no_double(database: Database):
    town = a_town(database, "A", runs=2)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *urls_of(database), str(town.id), str(town.side.user), str(run)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for run in town.runs
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    results = [process.communicate("go\n", timeout=60) for process in started]
    assert [(process.returncode, error) for process, (_, error) in zip(started, results, strict=True)] == [(0, "")] * 2
    _assert_whole(town, 2 * EACH)


def _assert_whole(town: Town, size: int) -> None:
    assert [entry.position for entry in entries(town)] == [*range(size)]
    assert head(town).size == size
    assert problems(town) == []


# --- kept by the database ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE log_entry SET leaf = 'x'", "log_entry is append-only"),
        ("DELETE FROM log_entry", "log_entry is append-only"),
        ("TRUNCATE log_entry", "log_entry is append-only"),
        ("UPDATE signed_head SET size = 9", "signed_head is append-only"),
        ("DELETE FROM signed_head", "signed_head is append-only"),
        ("TRUNCATE signed_head", "signed_head is append-only"),
        ("UPDATE log_head SET size = size - 1", "log_head only grows"),
        ("UPDATE log_head SET peaks = ''", "log_head only grows"),
        ("DELETE FROM log_head", "log_head only grows"),
        ("TRUNCATE log_head", "log_head is append-only"),
    ],
)
def test_what_was_logged_can_not_be_changed_or_removed(database: Database, tmp_path: Path, change: str, message: str):
    if database.is_sqlite and change.startswith("TRUNCATE"):
        # SQLite has no TRUNCATE
        change, message = (
            change.replace("TRUNCATE", "DELETE FROM"),
            message.replace("log_head is append-only", "log_head"),
        )
    town = a_town(database, "A")
    town.work(["RunStarted", "StepSaved"])
    a_keeper(database, tmp_path).sign(town.id, at=NOW)
    with pytest.raises(IntegrityError, match=message), behind(database).begin() as connection:
        connection.execute(text(change))
    assert problems(town) == []
