"""`verify_log` names what somebody with every right on the database changed, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.engine.log import canonical, head_hash
from app.storage.database import Database
from app.storage.history import heads
from app.storage.history.heads import Signed
from app.storage.history.keeper import HistoryKeeper
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope
from tests.databases import behind
from tests.storage.history.making import Town, a_keeper, a_town
from tests.storage.history.tampering import a_key
from tests.storage.rows import NOW

TABLES = ("run_event", "log_entry", "log_head", "signed_head")


@pytest.fixture
def place(database: Database, tmp_path: Path) -> tuple[Town, HistoryKeeper]:
    """Six events in two runs, a head over the first four and one over all."""
    town, keeper = a_town(database, "A", runs=2), a_keeper(database, tmp_path)
    town.work(["RunStarted", "StepSaved"])
    town.work(["RunStarted", "StepSaved"], run=1)
    keeper.sign(town.id, at=NOW)
    town.work(["StepSaved", "StageApproved"])
    keeper.sign(town.id, at=NOW + timedelta(hours=1))
    return town, keeper


def behind_the_back(database: Database, *statements: str) -> None:
    """As the owner of the database can: without the triggers and the foreign keys."""
    if database.is_sqlite:
        raw = database.engine.raw_connection()
        cursor = raw.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")
        triggers = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            cursor.execute(statement)
        for _, sql in triggers:
            cursor.execute(sql)
        cursor.execute("PRAGMA foreign_keys = ON")
        raw.close()
        return
    with behind(database).begin() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement.replace(":", r"\:")))
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))


def problems(town: Town, **given) -> list[str]:
    with town.database.read() as session:
        set_scope(session, town.id)
        return [f"{one.place}: {one.problem}" for one in verify_log(session, **given).problems]


def heads_of(town: Town) -> list[Signed]:
    with town.database.read() as session:
        set_scope(session, town.id)
        return [*heads.heads_after(session, -1)]


def test_what_nobody_touched_is_in_order(place: tuple[Town, HistoryKeeper]):
    town, keeper = place
    assert problems(town) == []
    assert problems(town, expected=keeper.ensure_key().fingerprint, kept=heads_of(town)[:1]) == []


def in_run(town: Town, run: int) -> str:
    """Ids as the database writes them."""
    id = town.runs[run]
    return f"run_id = '{id.hex if town.database.is_sqlite else id}'"


TAMPERINGS: dict[str, tuple[Callable[[Town], list[str]], tuple[str, ...]]] = {
    "an event says something else": (
        lambda town: [f"UPDATE run_event SET kind = 'StepCompleted' WHERE sequence = 2 AND {in_run(town, 0)}"],
        ("entry 1: event 2 of run", "head 0: is over 4 other events", "log_head: "),
    ),
    "an event and its leaf": (
        lambda town: [
            f"UPDATE run_event SET kind = 'StepCompleted' WHERE sequence = 2 AND {in_run(town, 0)}",
            f"UPDATE log_entry SET leaf = '{'0' * 64}' WHERE position = 1",
        ],
        ("entry 1: event 2 of run", "head 0: is over 4 other events", "log_head: "),
    ),
    "an event is gone": (
        lambda town: [f"DELETE FROM run_event WHERE sequence = 2 AND {in_run(town, 1)}"],
        ("entry 3: event 2 of run", "head 0: is over 4 entries; the log has 3", "log_head: "),
    ),
    "an entry is gone": (
        lambda _: ["DELETE FROM log_entry WHERE position = 3"],
        ("entry 4: the log has no entry 3", "head 0: is over 4 entries; the log has 3", "run ", "log_head: "),
    ),
    "an event that was never logged": (
        lambda town: [
            "INSERT INTO run_event (municipality_id, run_id, sequence, kind, data, by, at) SELECT municipality_id, "
            f"run_id, 9, kind, data, by, at FROM run_event WHERE sequence = 1 AND {in_run(town, 0)}"
        ],
        ("run ",),
    ),
    "two entries changed places": (
        lambda _: [
            "UPDATE log_entry SET position = 99 WHERE position = 1",
            "UPDATE log_entry SET position = 1 WHERE position = 3",
            "UPDATE log_entry SET position = 3 WHERE position = 99",
        ],
        ("entry 1: event 2", "entry 3: event 2", "head 0: is over", "log_head: "),
    ),
    "the size of the log": (lambda _: ["UPDATE log_head SET size = 7, peaks = ''"], ("log_head: cannot be read",)),
    "a head is gone": (lambda _: ["DELETE FROM signed_head WHERE number = 0"], ("head 1: head 0 is missing",)),
    "a head is said to be another": (
        lambda _: ["UPDATE signed_head SET size = 5 WHERE number = 1"],
        ("head 1: stands in the table as another",),
    ),
    "a head is nonsense": (
        lambda _: ["UPDATE signed_head SET document = 'x' WHERE number = 1"],
        ("head 1: not a head",),
    ),
    "a signature": (
        lambda _: [f"UPDATE signed_head SET signature = '{'0' * 128}' WHERE number = 1"],
        ("head 1: the signature does not fit",),
    ),
    "data that is no event": (
        lambda town: [f"UPDATE run_event SET data = '[]' WHERE sequence = 2 AND {in_run(town, 0)}"],
        ("entry 1: event 2 of run", "head 0: is over 4 other events", "log_head: "),
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_named_with_its_place(place: tuple[Town, HistoryKeeper], tampering: str):
    town, _ = place
    statements, expected = TAMPERINGS[tampering]
    behind_the_back(town.database, *statements(town))
    found = problems(town)
    assert len(found) == len(expected), found
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(start), found


def forged(head: Signed, **changes: object) -> str:
    """The statement that puts another head in its place, signed with a key of one's own."""
    key = a_key(1)
    document = canonical({**json.loads(head.document), **changes})
    signature = key.sign(document)
    return (
        f"UPDATE signed_head SET document = '{document.decode()}', signature = '{signature}' "
        f"WHERE number = {head.head.number}"
    )


def test_forged_head_is_refused_whatever_fits_in_it(place: tuple[Town, HistoryKeeper]):
    town, _ = place
    last = heads_of(town)[-1]
    behind_the_back(town.database, forged(last, key=a_key(1).public))
    assert [problem[:40] for problem in problems(town)] == ["head 1: signed with another key, fingerp"]


def test_head_that_does_not_follow_is_refused(place: tuple[Town, HistoryKeeper]):
    town, _ = place
    last = heads_of(town)[-1]
    behind_the_back(town.database, forged(last, previous=head_hash(b"x")))
    assert problems(town) == [
        "head 1: does not follow on the head before it",
        "head 1: the signature does not fit",
    ]


def test_history_signed_with_another_key_is_seen_by_its_fingerprint(place: tuple[Town, HistoryKeeper]):
    town, _ = place
    assert problems(town) == []
    [problem] = problems(town, expected=a_key(1).fingerprint)
    assert problem.startswith("key: no head is signed with")


def test_rolled_back_history_is_seen_with_a_head_that_was_kept(place: tuple[Town, HistoryKeeper]):
    """Without one it is in order: every row that is left is genuine."""
    town, _ = place
    kept = heads_of(town)[1:]
    with town.database.read() as session:
        set_scope(session, town.id)
    four = "log_entry.position >= 4"
    behind_the_back(
        town.database,
        "DELETE FROM signed_head WHERE number = 1",
        f"DELETE FROM run_event WHERE sequence > 2 AND {in_run(town, 0)}",
        f"DELETE FROM log_entry WHERE {four}",
        f"UPDATE log_head SET size = 4, peaks = '{heads_of(town)[0].head.root}'",
    )
    assert problems(town) == []
    assert problems(town, kept=kept) == ["head 1: was kept outside and is not here: the history was rolled back"]


def test_rewritten_history_is_seen_with_a_head_that_was_kept(place: tuple[Town, HistoryKeeper]):
    town, _ = place
    kept = heads_of(town)
    behind_the_back(town.database, forged(kept[0], at="2026-01-01T00:00:00.000000Z"))
    found = problems(town, kept=kept)
    assert "head 0: is another one than the head that was kept outside: the history was rewritten" in found


def test_fingerprint_is_no_comfort_where_nothing_was_signed(database: Database):
    town = a_town(database, "A")
    town.work()
    assert problems(town) == []
    assert problems(town, expected="0" * 64) == ["key: nothing was signed yet, so there is no key to recognise"]
