"""No statement in a session of one municipality reaches rows of another; what can't be limited is refused."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    Executable,
    Integer,
    Table,
    bindparam,
    case,
    cast,
    delete,
    event,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel

from app.storage.database import Database
from app.storage.scope import MunicipalityScoped, Prepared, UnscopedQuery, set_scope, unscoped
from app.storage.tables import RunMember, RunRow, TextRow, User
from tests.storage.rows import Side, a_municipality_with_a_run, a_run, a_text, run_values

Statement = Callable[[], Executable]


@pytest.fixture
def sides(database: Database) -> tuple[Side, Side]:
    with database.write() as session:
        unscoped(session, "fills both municipalities")
        return a_municipality_with_a_run(session, "A"), a_municipality_with_a_run(session, "B")


# Any, because SQLModel types a column as the value that it holds.
Run: Any = RunRow
Text: Any = TextRow
Person: Any = User
Member: Any = RunMember
OtherRun: Any = aliased(RunRow)
in_run = Run.manager_id == Person.id

# What each statement gives in the session of A, when its rows are the only ones that it sees.
LIMITED: dict[str, tuple[Statement, list[tuple[Any, ...]]]] = {
    "column": (lambda: select(Run.name), [("A",)]),
    "expression": (lambda: select(Run.name + "!"), [("A!",)]),
    "case": (lambda: select(case((Run.revision == 0, Run.name), else_="")), [("A",)]),
    "cast": (lambda: select(cast(Run.revision, Integer)), [(0,)]),
    "count of a table": (lambda: select(func.count()).select_from(Run), [(1,)]),
    "count of a column": (lambda: select(func.count(Run.id)), [(1,)]),
    "highest": (lambda: select(func.max(Run.name)), [("A",)]),
    "group": (lambda: select(Run.revision, func.count()).group_by(Run.revision), [(0, 1)]),
    "condition only": (lambda: select(literal(1)).where(Run.name == "B"), []),
    "join": (lambda: select(Run.name, Text.text).join(Text, Text.run_id != literal(uuid.uuid4())), [("A", "A")]),
    "left join from another table": (
        lambda: select(Person.name, Run.name).join(Run, in_run, isouter=True).order_by(Person.name),
        [("A", "A"), ("B", None)],
    ),
    "cross join": (lambda: select(Person.name).where(in_run), [("A",)]),
    "alias": (lambda: select(OtherRun.name), [("A",)]),
    "table and its alias": (lambda: select(Run.name).join(OtherRun, OtherRun.id != Run.id), []),
    "exists": (lambda: select(Person.name).where(exists().where(in_run)), [("A",)]),
    "exists as column": (lambda: select(exists().where(Run.name == "B")), [(False,)]),
    "select exists": (lambda: select(select(Run.id).where(Run.name == "B").exists()), [(False,)]),
    "in": (lambda: select(Person.name).where(Person.id.in_(select(Run.manager_id))), [("A",)]),
    "scalar subquery": (
        lambda: select(Person.name, select(func.count(Run.id)).where(in_run).scalar_subquery()).order_by(Person.name),
        [("A", 1), ("B", 0)],
    ),
    "subquery": (lambda: select(select(Run.name).subquery().c.name), [("A",)]),
    "common table expression": (lambda: select(select(Run.name).cte().c.name), [("A",)]),
    "union": (lambda: union(select(Run.name), select(Text.text)), [("A",)]),
    "subquery of a union": (lambda: select(union(select(Run.name), select(Text.text)).subquery().c.name), [("A",)]),
    "alias of a subquery": (lambda: select(aliased(Run, select(Run).subquery()).name), [("A",)]),
    "text columns": (lambda: select(text("count(*)")).select_from(Run), [(1,)]),
    "sorted page": (lambda: select(Run.name).order_by(Run.changed_at).limit(5).offset(0), [("A",)]),
    "for update": (lambda: select(Run.name).with_for_update(), [("A",)]),
}

# What B sees where that is more than the same with another name.
FOR_B: dict[str, list[tuple[Any, ...]]] = {
    "condition only": [(1,)],
    "left join from another table": [("A", None), ("B", "B")],
    "exists as column": [(True,)],
    "select exists": [(True,)],
    "scalar subquery": [("A", 0), ("B", 1)],
}

# Out of reach for the filter.
REFUSED: dict[str, Statement] = {
    "Core table": lambda: select(SQLModel.metadata.tables["run"]),
    "Core column": lambda: select(SQLModel.metadata.tables["run"].c.name),
    "plain SQL": lambda: text("SELECT name FROM run"),
    "plain SQL, quoted": lambda: text('SELECT name FROM "run"'),
    "plain SQL, alias": lambda: text("SELECT r.name FROM municipality, run AS r"),
    "plain SQL, brackets": lambda: text("SELECT 1 FROM (run JOIN run_text ON true)"),
    "plain SQL in an entity": lambda: select(Run).from_statement(text("SELECT * FROM run")),
    "plain SQL as a table": lambda: select(literal(1)).select_from(text("run")),
    "window over a column that is not selected": lambda: select(func.row_number().over(order_by=Run.name)),
    "filter on a column that is not selected": lambda: select(func.count().filter(Run.name == "B")),
    "own comparison instead of the filter": lambda: text("SELECT name FROM run WHERE run.municipality_id = 'x'"),
    "update of a Core table": lambda: update(SQLModel.metadata.tables["run"]).values(name="x"),
    "delete of a Core table": lambda: delete(SQLModel.metadata.tables["run_text"]),
    "update from another table": lambda: update(Run).where(Run.id == Text.run_id).values(name="x"),
    "update of an open table": lambda: update(Person).where(in_run).values(name=Run.name),
    "plain update": lambda: text("UPDATE run SET name = 'x'"),
    "insert into a Core table": lambda: insert(SQLModel.metadata.tables["run"]).values(name="x"),
    "plain insert": lambda: text("INSERT INTO run (name) VALUES ('x')"),
    "plain insert from a select": lambda: text("INSERT INTO municipality (name) SELECT name FROM run"),
    "plain replace": lambda: text("INSERT OR REPLACE INTO run (name) VALUES ('x')"),
    "plain delete": lambda: text("DELETE FROM run_text"),
}


@pytest.mark.parametrize("case", LIMITED)
def test_statement_sees_its_municipality_only(database: Database, sides: tuple[Side, Side], case: str):
    statement, for_a = LIMITED[case]
    for _ in range(2):  # the second time from SQLAlchemy's cache of statements
        for side, expected in zip(sides, (for_a, FOR_B.get(case) or in_b(for_a)), strict=True):
            with database.write() as session:
                set_scope(session, side.municipality)
                assert [tuple(row) for row in session.execute(statement())] == expected


@pytest.mark.parametrize("case", LIMITED)
def test_prepared_statement_sees_its_municipality_only(database: Database, sides: tuple[Side, Side], case: str):
    statement, for_a = LIMITED[case]
    prepared = Prepared(statement())
    for _ in range(2):
        for side, expected in zip(sides, (for_a, FOR_B.get(case) or in_b(for_a)), strict=True):
            with database.write() as session:
                set_scope(session, side.municipality)
                assert [tuple(row) for row in prepared.run(session, {})] == expected


def in_b(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(v.replace("A", "B") if isinstance(v, str) else v for v in row) for row in rows]


@pytest.mark.parametrize("case", LIMITED)
def test_statement_without_scope_is_refused(database: Database, sides: tuple[Side, Side], case: str):
    with pytest.raises(UnscopedQuery, match=r"set_scope\(\) or unscoped\(\)"), database.write() as session:
        session.execute(LIMITED[case][0]())


@pytest.mark.parametrize("case", LIMITED)
def test_prepared_statement_without_scope_is_refused(database: Database, sides: tuple[Side, Side], case: str):
    with pytest.raises(UnscopedQuery, match=r"set_scope\(\) or unscoped\(\)"), database.write() as session:
        Prepared(LIMITED[case][0]()).run(session, {})


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("with_scope", [True, False], ids=["scope", "no scope"])
def test_prepared_statement_that_can_not_be_limited_is_refused(
    database: Database, sides: tuple[Side, Side], case: str, with_scope: bool
):
    with pytest.raises(UnscopedQuery), database.write() as session:
        if with_scope:
            set_scope(session, sides[0].municipality)
        Prepared(REFUSED[case]()).run(session, {})


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("with_scope", [True, False], ids=["scope", "no scope"])
def test_statement_that_can_not_be_limited_is_refused(
    database: Database, sides: tuple[Side, Side], case: str, with_scope: bool
):
    with pytest.raises(UnscopedQuery), database.write() as session:
        if with_scope:
            set_scope(session, sides[0].municipality)
        session.execute(REFUSED[case]())


def test_entities_and_get_stay_inside(database: Database, sides: tuple[Side, Side]):
    a, b = sides
    with database.read() as session:
        set_scope(session, a.municipality)
        assert [run.name for run in session.scalars(select(Run))] == ["A"]
        assert session.get(Run, b.run) is None
        assert session.get_one(Run, a.run).name == "A"


def test_refresh_of_a_row_in_reach_works(database: Database, sides: tuple[Side, Side]):
    with database.write() as session:
        set_scope(session, sides[0].municipality)
        run = session.get_one(Run, sides[0].run)
        session.expire(run)
        assert run.name == "A"
        session.refresh(run)


@pytest.fixture
def members(database: Database, sides: tuple[Side, Side]) -> None:
    """One in the run of either side: rows that can be removed."""
    with database.write() as session:
        unscoped(session, "fills both municipalities")
        session.add_all(RunMember(municipality_id=s.municipality, run_id=s.run, user_id=s.user) for s in sides)


@pytest.mark.usefixtures("members")
def test_update_and_delete_stay_inside(database: Database, sides: tuple[Side, Side]):
    a, b = sides
    with database.write() as session:
        set_scope(session, a.municipality)
        session.execute(update(Run).values(purpose="new"))
        session.execute(update(Run).where(Run.id == b.run), {"purpose": "new"})
        session.execute(delete(Member))

    with database.read() as session:
        unscoped(session, "looks at both")
        assert session.execute(select(Run.name, Run.purpose).order_by(Run.name)).all() == [("A", "new"), ("B", "")]
        assert session.scalars(select(Member.user_id)).all() == [b.user]


@pytest.mark.usefixtures("members")
def test_prepared_update_and_delete_stay_inside(database: Database, sides: tuple[Side, Side]):
    a, b = sides
    with database.write() as session:
        set_scope(session, a.municipality)
        assert (
            Prepared(update(Run).where(Run.revision == bindparam("old")))
            .run(session, {"old": 0, "purpose": "new"})
            .rowcount
            == 1
        )
        assert (
            Prepared(update(Run).where(Run.id == bindparam("of")))
            .run(session, {"of": b.run, "purpose": "new"})
            .rowcount
            == 0
        )
        assert Prepared(delete(Member)).run(session, {}).rowcount == 1

    with database.read() as session:
        unscoped(session, "looks at both")
        found = Prepared(select(Run.name, Run.purpose).order_by(Run.name)).run(session, {}).all()
        assert found == [("A", "new"), ("B", "")]
        assert Prepared(select(Member.user_id)).run(session, {}).all() == [(b.user,)]


def test_update_by_a_subquery_stays_inside(database: Database, sides: tuple[Side, Side]):
    with database.write() as session:
        set_scope(session, sides[0].municipality)
        session.execute(update(Person).where(Person.id.in_(select(Run.manager_id))).values(name="changed"))

    with database.read() as session:
        assert sorted(session.scalars(select(Person.name))) == ["B", "changed"]


def test_update_of_many_rows_by_their_keys_is_refused(database: Database, sides: tuple[Side, Side]):
    with pytest.raises(UnscopedQuery, match="WHERE"), database.write() as session:
        set_scope(session, sides[0].municipality)
        session.execute(update(Run), [{"id": sides[1].run, "name": "x"}])


def test_insert_with_the_session_s_municipality_works(database: Database, sides: tuple[Side, Side]):
    a, _ = sides
    with database.write() as session:
        set_scope(session, a.municipality)
        session.execute(insert(Run), run_values(a) | {"id": uuid.uuid4()})
        session.execute(insert(Run), [run_values(a) | {"id": uuid.uuid4()} for _ in range(2)])
        session.add(a_run(a, id=uuid.uuid4()))
        session.flush()
        assert session.scalar(select(func.count()).select_from(Run)) == 5


def other(side: Side, **changes: Any) -> dict[str, Any]:
    return run_values(side) | {"id": uuid.uuid4()} | changes


@pytest.mark.parametrize(
    "attempt",
    [
        lambda s, a, b: s.execute(insert(Run), other(a, municipality_id=b.municipality)),
        lambda s, a, b: s.execute(insert(Run), [other(a), other(a, municipality_id=b.municipality)]),
        lambda s, a, b: s.execute(insert(Run), [{k: v for k, v in other(a).items() if k != "municipality_id"}]),
        lambda s, a, b: s.execute(insert(Run).values(other(a, municipality_id=b.municipality))),
        lambda s, a, b: s.execute(insert(Run).from_select(["name"], select(Run.name))),
        lambda s, a, b: Prepared(insert(Run)).run(s, other(a, municipality_id=b.municipality)),
        lambda s, a, b: Prepared(insert(Run)).run(s, [other(a), other(a, municipality_id=b.municipality)]),
        lambda s, a, b: Prepared(insert(Run)).run(s, {k: v for k, v in other(a).items() if k != "municipality_id"}),
        lambda s, a, b: Prepared(insert(Run).values(other(a, municipality_id=b.municipality))).run(s, {}),
        lambda s, a, b: s.add(a_run(a, id=uuid.uuid4(), municipality_id=b.municipality)),
        lambda s, a, b: s.add(a_run(a, id=uuid.uuid4(), municipality_id=None)),
        lambda s, a, b: setattr(s.get(Run, a.run), "municipality_id", b.municipality),
    ],
    ids=[
        "one row",
        "among many",
        "left out",
        "inline",
        "from select",
        "prepared",
        "prepared, among many",
        "prepared, left out",
        "prepared, inline",
        "new object",
        "object without",
        "moved object",
    ],
)
def test_row_of_another_municipality_is_refused(database: Database, sides: tuple[Side, Side], attempt):
    with pytest.raises(UnscopedQuery), database.write() as session:
        set_scope(session, sides[0].municipality)
        attempt(session, *sides)


def test_upsert_that_could_change_another_municipality_is_refused(database: Database, sides: tuple[Side, Side]):
    a, b = sides
    dialect = sqlite if database.is_sqlite else postgresql
    upsert = dialect.insert(Run).on_conflict_do_update(index_elements=["id"], set_={"name": "stolen"})
    with pytest.raises(UnscopedQuery, match="ON CONFLICT"), database.write() as session:
        set_scope(session, a.municipality)
        session.execute(upsert, [run_values(a) | {"id": b.run}])


def test_prepared_insert_with_the_session_s_municipality_works(database: Database, sides: tuple[Side, Side]):
    a, _ = sides
    with database.write() as session:
        set_scope(session, a.municipality)
        session.add(a_text(a))  # what waits to be written comes first
        prepared = Prepared(insert(Run))
        prepared.run(session, run_values(a) | {"id": uuid.uuid4()})
        prepared.run(session, [run_values(a) | {"id": uuid.uuid4()} for _ in range(2)])
        assert Prepared(select(func.count(Run.id))).run(session, {}).scalar_one() == 4
        assert Prepared(select(func.count(Text.id))).run(session, {}).scalar_one() == 2


def test_prepared_change_is_refused_in_a_reading_session(database: Database, sides: tuple[Side, Side]):
    a, _ = sides
    for change in (insert(Run), update(Run), delete(Run)):
        with pytest.raises(AssertionError, match="reading session"), database.read() as session:
            set_scope(session, a.municipality)
            Prepared(change).run(session, run_values(a))


def test_tables_of_no_municipality_need_no_scope(database: Database, sides: tuple[Side, Side]):
    with database.write() as session:
        assert len(session.scalars(select(Person)).all()) == 2
        assert session.scalar(select(literal(1))) == 1
        session.execute(update(Person).values(language="en"))


def test_session_that_says_why_sees_all(database: Database, sides: tuple[Side, Side]):
    with database.read() as session:
        unscoped(session, "counts runs for the operator")
        assert session.scalar(select(func.count()).select_from(Run)) == 2
        assert session.scalar(text("SELECT count(*) FROM run")) == 2


def test_seeing_all_needs_a_reason(database: Database):
    with pytest.raises(ValueError, match="reason"), database.read() as session:
        unscoped(session, " ")


def test_session_can_not_change_sides(database: Database, sides: tuple[Side, Side]):
    a, b = (side.municipality for side in sides)
    with database.read() as session:
        set_scope(session, a)
        set_scope(session, a)
        with pytest.raises(UnscopedQuery):
            set_scope(session, b)
        with pytest.raises(UnscopedQuery):
            unscoped(session, "curious")
    with database.read() as session:
        unscoped(session, "starts wide")
        with pytest.raises(UnscopedQuery):
            set_scope(session, a)


def test_sessions_that_take_turns_keep_their_own_scope(database: Database, sides: tuple[Side, Side]):
    with database.read() as one, database.read() as two, database.read() as none:
        set_scope(one, sides[0].municipality)
        set_scope(two, sides[1].municipality)
        for _ in range(2):
            assert one.scalars(select(Run.name)).all() == ["A"]
            assert two.scalars(select(Run.name)).all() == ["B"]
            with pytest.raises(UnscopedQuery):
                none.scalars(select(Run.name)).all()


def test_every_table_with_a_municipality_is_limited():
    """The other ones say which municipalities somebody may enter, and as what: they are asked before there is one. That
    two accounts are one person's counts in every municipality; the column says where it was told."""
    limited = {
        t.__tablename__
        for t in SQLModel.__subclasses__() + MunicipalityScoped.__subclasses__()
        if issubclass(t, MunicipalityScoped) and hasattr(t, "__table__")
    }
    with_column = {name for name, table in SQLModel.metadata.tables.items() if "municipality_id" in table.columns}
    before_there_is_one = {"membership", "login_session", "auditor_limit", "provider_role"}
    assert with_column - limited == {*before_there_is_one, "same_person"}


ASKED_BY = {"mass_move_run": "mass_move_id"}  # its runs are listed and taken per mass move, never asked by run


@pytest.mark.parametrize("table", [t for t in SQLModel.metadata.tables.values() if "run_id" in t.columns], ids=str)
def test_the_filter_keeps_sqlite_from_no_index_on_the_run(sqlite_database: Database, table: Table):
    """An index that begins with the municipality would tempt it to read all rows of a municipality where the run's
    own few would do."""
    asked_by = ASKED_BY.get(table.name, "run_id")
    statement = select(table).where(table.c[asked_by] == uuid.uuid4(), table.c.municipality_id == uuid.uuid4())
    sql = str(statement.compile(sqlite_database.engine, compile_kwargs={"literal_binds": True}))
    with sqlite_database.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]

    assert plan
    assert all(f"({asked_by}=?" in line for line in plan), plan


def test_limiting_costs_no_extra_statement(database: Database, sides: tuple[Side, Side]):
    sent: list[str] = []
    with database.read() as session:
        set_scope(session, sides[0].municipality)
        session.scalars(select(Run)).all()
        event.listen(database.engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
        session.scalars(select(Run)).all()
    assert len(sent) == 1
