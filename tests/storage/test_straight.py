"""A statement that goes straight to the driver means what it means to SQLAlchemy."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, event, insert, literal, null, select, type_coerce, union_all, update
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import col

from app.storage.database import Database
from app.storage.scope import unscoped
from app.storage.straight import FORMS_MAX, Straight
from app.storage.tables import RunRow, TextRow, User
from app.storage.types import IdText
from tests.storage.rows import Side, a_municipality_with_a_run

Run: Any = RunRow
Text: Any = TextRow
Person: Any = User

QUERIES: dict[str, Any] = {
    "values of every kind": select(Run.id, Run.name, Run.state, Run.revision, Run.started_at, Run.asked_to_move_at),
    "ids as texts": select(type_coerce(col(Run.id), IdText).label("id"), type_coerce(col(Run.manager_id), IdText)),
    "in a list": select(Text.id, Text.text)
    .where(Text.run_id.in_(bindparam("ids", expanding=True)))
    .order_by(Text.text),
    "in two lists": union_all(
        select(Text.id, Text.text).where(Text.run_id.in_(bindparam("ids", expanding=True))),
        select(Person.id, Person.name).where(Person.id.in_(bindparam("ids", expanding=True))),
    ),
    "not in a fixed list": select(Text.text).where(Text.text.not_in(["A", "100%"])),
    "nothing": select(Run.name, null(), literal("100%").label("%")).where(Run.id == uuid.uuid4()),
}


@pytest.fixture
def sides(database: Database) -> tuple[Side, Side]:
    with database.write() as session:
        unscoped(session, "fills both municipalities")
        return a_municipality_with_a_run(session, "A"), a_municipality_with_a_run(session, "B")


@pytest.mark.parametrize("case", QUERIES)
def test_query_gives_the_rows_of_sqlalchemy(database: Database, sides: tuple[Side, Side], case: str):
    statement, ids = QUERIES[case], [side.run for side in sides]
    straight = Straight(statement, lambda sql: None)
    with database.read() as session:
        unscoped(session, "compares")
        connection = session.connection()
        for given in ([], ids[:1], ids, ids[1:], [*ids, uuid.uuid4()]):
            values = {"ids": given} if "ids" in str(statement) else {}
            expected = connection.execute(statement, values)
            found = straight.run(connection, values)
            assert [*found.keys()] == [*expected.keys()]
            assert found.all() == expected.all()


def test_lists_of_many_lengths_do_not_fill_the_memory(sqlite_database: Database, sides: tuple[Side, Side]):
    straight = Straight(QUERIES["in a list"], lambda sql: None)
    with sqlite_database.read() as session:
        unscoped(session, "asks")
        connection = session.connection()
        for length in range(FORMS_MAX + 2):
            straight.run(connection, {"ids": [uuid.uuid4()] * length})
        (shape,) = straight._shapes[connection.dialect].values()
    assert len(shape._forms) <= FORMS_MAX


def test_finished_sql_is_checked_before_it_is_sent(database: Database, sides: tuple[Side, Side]):
    def refuse(sql: str) -> None:
        raise LookupError(sql)

    sent: list[str] = []
    with database.read() as session:
        unscoped(session, "asks")
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: sent.append(given[2]))
        with pytest.raises(LookupError, match="SELECT"):
            Straight(select(Run.name), refuse).run(connection, {})
    assert not sent


def test_changes_say_how_many_rows_they_reached(database: Database, sides: tuple[Side, Side]):
    rename = Straight(update(Run).where(Run.name == bindparam("old")), lambda sql: None)
    add = Straight(insert(Text), lambda sql: None)
    with database.write() as session:
        unscoped(session, "changes")
        connection = session.connection()
        assert rename.run(connection, {"old": "A", "name": "C"}).rowcount == 1
        assert rename.run(connection, {"old": "A", "purpose": "no such run"}).rowcount == 0
        add.run(connection, [a_text_row(sides[0], "one"), a_text_row(sides[0], "two")])
        add.run(connection, [a_text_row(sides[0], "three")])
    with database.read() as session:
        unscoped(session, "looks")
        assert {*session.scalars(select(Run.name))} == {"B", "C"}
        assert {*session.scalars(select(Text.text))} == {"A", "B", "one", "two", "three"}


def test_what_python_fills_in_is_filled_in(database: Database, sides: tuple[Side, Side]):
    """An id that nobody gave comes from the default of its column."""
    with database.write() as session:
        unscoped(session, "adds")
        row = {key: value for key, value in a_text_row(sides[0], "new").items() if key != "id"}
        Straight(insert(Text), lambda sql: None).run(session.connection(), row)
    with database.read() as session:
        unscoped(session, "looks")
        assert session.scalars(select(Text.id).where(Text.text == "new")).one()


def test_errors_are_those_of_sqlalchemy(database: Database, sides: tuple[Side, Side]):
    add = Straight(insert(Text), lambda sql: None)
    with database.write() as session:
        unscoped(session, "tries")
        with pytest.raises(StatementError, match="without a zone"):
            add.run(session.connection(), a_text_row(sides[0], "naive") | {"written_at": datetime(2026, 3, 1)})  # noqa: DTZ001
        with pytest.raises(IntegrityError), session.begin_nested():
            add.run(session.connection(), a_text_row(sides[0], "stray") | {"run_id": uuid.uuid4()})


def a_text_row(side: Side, text: str) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "municipality_id": side.municipality,
        "run_id": side.run,
        "text": text,
        "written_by": side.user,
        "written_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
