"""Somebody who may see some runs of a municipality only: no statement reaches the other ones."""

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text, update
from sqlmodel import Session, col

from app.policy import ALL_RUNS, NO_RUNS, Reach, Role
from app.storage.database import Database
from app.storage.scope import Prepared, UnscopedQuery, set_reach, set_scope, unscoped
from app.storage.tables import RunAccess, User
from tests.storage.rows import Side, a_municipality_with_a_run, a_run, a_text
from tests.storage.test_scope import LIMITED, Run, Statement, Text

AS_ADVISER = Reach(all_runs=False, opened_as=frozenset({Role.ADVISER}))
AS_AUDITOR = Reach(all_runs=False, opened_as=frozenset({Role.AUDITOR}))
AS_BOTH = Reach(all_runs=False, opened_as=frozenset({Role.ADVISER, Role.AUDITOR}))


@pytest.fixture
def sides(database: Database) -> tuple[Side, Side]:
    """Two runs of one municipality; A may see only one of them, as an adviser."""
    with database.write() as session:
        unscoped(session, "fills the municipality")
        a = a_municipality_with_a_run(session, "A")
        b = replace(Side(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), "B"), municipality=a.municipality)
        session.add(User(id=b.user, login="B", name="B", created_at=session.get_one(Run, a.run).started_at))
        session.flush()
        session.add(a_run(b))
        session.flush()
        session.add(a_text(b))
        session.add(opened(a, a.user))
        return a, b


def opened(side: Side, user: uuid.UUID, role: Role = Role.ADVISER) -> RunAccess:
    return RunAccess(municipality_id=side.municipality, user_id=user, run_id=side.run, role=role.value)


def limit(session: Session, side: Side, reach: Reach = AS_ADVISER) -> None:
    set_scope(session, side.municipality)
    set_reach(session, side.user, reach)


def test_statement_sees_opened_runs_only(database: Database, sides: tuple[Side, Side]):
    """The statements of tests/storage/test_scope.py, which try every way to a table."""
    for case, (statement, expected) in LIMITED.items():
        for _ in range(2):  # the second time from SQLAlchemy's cache of statements
            for reach, rows in ((AS_ADVISER, expected), (AS_BOTH, expected)):
                with database.write() as session:
                    limit(session, sides[0], reach)
                    assert [tuple(row) for row in session.execute(statement())] == rows, case
                    assert [tuple(row) for row in Prepared(statement()).run(session, {})] == rows, case


@pytest.mark.parametrize("reach", [NO_RUNS, AS_AUDITOR], ids=["nothing", "another role"])
def test_run_that_was_not_opened_in_this_role_is_absent(database: Database, sides: tuple[Side, Side], reach: Reach):
    with database.read() as session:
        limit(session, sides[0], reach)
        assert session.scalars(select(Run.name)).all() == []
        assert session.get(Run, sides[0].run) is None
        assert Prepared(select(Text.text)).run(session, {}).all() == []


def test_somebody_else_s_opened_run_is_absent(database: Database, sides: tuple[Side, Side]):
    _, b = sides
    with database.read() as session:
        limit(session, b)
        assert session.scalars(select(Run.name)).all() == []


def test_reach_can_be_widened_and_taken_back_at_once(database: Database, sides: tuple[Side, Side]):
    a, b = sides
    with database.write() as session:
        limit(session, a, ALL_RUNS)
        assert sorted(session.scalars(select(Run.name))) == ["A", "B"]
        session.add(opened(b, a.user, Role.AUDITOR))
        session.flush()
        set_reach(session, a.user, AS_BOTH)
        assert sorted(session.scalars(select(Run.name))) == ["A", "B"]
        session.execute(delete(RunAccess).where(col(RunAccess.role) == Role.ADVISER.value))
        assert sorted(session.scalars(select(Run.name))) == ["B"]


def test_change_stays_within_reach(database: Database, sides: tuple[Side, Side]):
    a, b = sides
    with database.write() as session:
        limit(session, a)
        session.execute(update(Run).values(purpose="new"))
        assert Prepared(update(Text)).run(session, {"text": "new"}).rowcount == 1
    with database.read() as session:
        set_scope(session, b.municipality)
        assert session.execute(select(Run.name, Run.purpose).order_by(Run.name)).all() == [("A", "new"), ("B", "")]
        assert sorted(session.scalars(select(Text.text))) == ["B", "new"]


@pytest.mark.parametrize(
    "statement",
    [
        lambda: text("SELECT name FROM run WHERE run.municipality_id = 'x' /*scope*/"),  # as limited as we look at it
        lambda: select(Run.__table__.c.name),
        lambda: update(Run).where(Run.id == Text.run_id).values(name="x"),
    ],
)
def test_what_can_not_be_limited_is_refused(database: Database, sides: tuple[Side, Side], statement: Statement):
    with pytest.raises(UnscopedQuery), database.write() as session:
        limit(session, sides[0])
        session.execute(statement())
