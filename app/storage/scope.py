"""Every query is limited to one municipality, here and nowhere else.

A session gets its municipality once, with `set_scope`; tables that derive from `MunicipalityScoped` are from then
on filtered in each ORM statement: entities, columns, joins, aliases, subqueries, counts, `get()`, update, delete.
A session without municipality that touches such a table raises `UnscopedQuery`. Work that really is about all
municipalities says so with `unscoped(session, reason)`.

Two layers. The filter is a loader criterion added to every statement. What it does not reach (Core tables, text(),
a column that only occurs in an ORDER BY) is refused by a look at the finished SQL, remembered per text of SQL.

A session whose user may see some runs only gets that limit with `set_reach`. It works the same way: one condition for
every table that belongs to a run, and a look at the finished SQL that none was forgotten.

Statements that run on every request are `Prepared`: limited and checked the same, at a fifth of the cost.

Not seen at all: statements on `session.connection()`, the legacy `bulk_*` methods, and the database's own cascades.
An UPDATE of a table with a text() expression that names another table in a string is not understood either.

On PostgreSQL the database itself stands behind this: see row_level.py. There `unscoped` takes the session to the
connection of the owner of the tables.
"""

import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    String,
    Uuid,
    bindparam,
    column,
    event,
    select,
    table,
    true,
)
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, sessionmaker, with_loader_criteria
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import Field, SQLModel

from app.policy import CAN_BE_LIMITED, Reach
from app.storage.straight import Rows, Straight


class UnscopedQuery(DontWrapMixin, RuntimeError):
    """A statement would reach rows of other municipalities. Always a fault in our code, so it ends in a 500."""


class MunicipalityScoped(SQLModel):
    """Base of each table whose rows belong to one municipality.

    Deliberately without an index: rows below a run are found by run_id, and an index on the municipality would tempt
    SQLite to walk all of a municipality's rows instead. Tables that are listed per municipality add their own."""

    municipality_id: uuid.UUID = Field(foreign_key="municipality.id")

    @classmethod
    def scope_column(cls) -> ColumnElement[uuid.UUID]:
        # SQLAlchemy tries the criterion once on this class itself, which has no table and so no such attribute.
        return getattr(cls, "municipality_id", None) or column("municipality_id", Uuid())

    @classmethod
    def run_column(cls) -> ColumnElement[uuid.UUID] | None:
        """Of the run that a row belongs to; None for a table that belongs to no run."""
        return getattr(cls, "run_id", None)


def set_scope(session: Session, municipality_id: uuid.UUID) -> None:
    """From here on the session sees this municipality only.

    Raises UnscopedQuery when it already sees another or all: objects that were loaded would stay in reach."""
    if unscoped_reason := session.info.get("all_municipalities"):
        raise UnscopedQuery(f"this session already sees all municipalities ({unscoped_reason}); open another")
    if session.info.setdefault("municipality_id", municipality_id) != municipality_id:
        raise UnscopedQuery("a session serves one municipality; open another session")
    if (show_ticket := session.info.get("show_ticket")) is not None and session.in_transaction():
        show_ticket(session.connection(), municipality_id)  # later transactions: see Database


def set_reach(session: Session, user_id: uuid.UUID, reach: Reach) -> None:
    """Of everything that belongs to a run, the session sees from here on what is within reach. Call it once more to
    narrow or widen: what a request may, is known in two steps (app/web/access.py)."""
    if reach.all_runs:
        session.info.pop("opened_to", None)
        return
    roles = sorted(reach.opened_as)
    assert len(roles) <= len(CAN_BE_LIMITED) == 2, "the condition below names two roles"
    first, second = (*roles, "", "")[:2]
    session.info["opened_to"] = (user_id, str(first), str(second))


def roles_of_reach(session: Session) -> frozenset[str]:
    """In which roles the runs that the session sees were opened; empty when it sees all."""
    return frozenset(filter(None, session.info.get("opened_to", ())[1:]))


def unscoped(session: Session, reason: str) -> None:
    """Let the session see all municipalities, before its first statement. `reason` is for whoever audits the callers;
    it must say something."""
    if not reason.strip():
        raise ValueError("seeing all municipalities needs a reason")
    if "municipality_id" in session.info:
        raise UnscopedQuery("this session is limited to one municipality; open another")
    if session.in_transaction() and "all_municipalities" not in session.info:
        raise UnscopedQuery("this session is at work already; open another")
    session.info["all_municipalities"] = reason
    session.bind = session.info["installation"]


def municipality_of(session: Session) -> uuid.UUID | None:
    """What the session is limited to; None for one that sees all municipalities, or none."""
    found: uuid.UUID | None = session.info.get("municipality_id")
    return found


def enforce_scope(sessions: "sessionmaker[Any]", engine: Engine) -> None:
    """Make all sessions of this maker, which run on this engine, keep to the rules above."""
    event.listen(sessions, "do_orm_execute", _limit_statement)
    event.listen(sessions, "before_flush", _check_flush)
    event.listen(engine, "before_cursor_execute", _refuse_unlimited_sql)


# The filter. An ordinary bound value in a loader criterion costs 50 microseconds a statement, because SQLAlchemy
# copies and compares it for every table; an element of our own that reads the value when it is sent costs a tenth.

_MARK = "/*scope*/"  # lets the check below tell our filter from a comparison that somebody wrote
_current: ContextVar[uuid.UUID | None] = ContextVar("municipality_of_this_statement", default=None)


def _current_municipality() -> uuid.UUID:
    if (municipality_id := _current.get()) is None:
        raise UnscopedQuery("set_scope() or unscoped() must come before a query on tables of a municipality")
    return municipality_id


_PARAMETER = bindparam("scope_municipality_id", callable_=_current_municipality, type_=Uuid())


class _CurrentMunicipality(ColumnElement[uuid.UUID]):
    inherit_cache = True
    _traverse_internals: list[Any] = []  # no parts; SQLAlchemy asks every element for its parts
    type = Uuid()


@compiles(_CurrentMunicipality)
def _render_current_municipality(element: _CurrentMunicipality, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(_PARAMETER, **kw)} {_MARK}"


_CURRENT_MUNICIPALITY = _CurrentMunicipality()
_CRITERION = with_loader_criteria(
    MunicipalityScoped,
    lambda cls: cls.scope_column() == _CURRENT_MUNICIPALITY,
    include_aliases=True,
    propagate_to_loaders=False,  # whatever a loaded object loads later passes _limit_statement itself
)


# The same for the runs that were opened to one user. Rows in `run_access` say which those are.

_NOBODY = (uuid.UUID(int=0), "", "")
_opened_to: ContextVar[tuple[uuid.UUID, str, str]] = ContextVar("whose_runs", default=_NOBODY)
_OPENED = table(
    "run_access", column("municipality_id", Uuid()), column("run_id", Uuid()), column("user_id", Uuid()), column("role")
).alias("opened")  # the check below knows our condition by this name
_OPENED_RUNS = (
    select(_OPENED.c.run_id)
    .where(
        _OPENED.c.municipality_id == _CURRENT_MUNICIPALITY,
        _OPENED.c.user_id == bindparam("scope_user", callable_=lambda: _opened_to.get()[0], type_=Uuid()),
        _OPENED.c.role.in_(
            [
                bindparam("scope_role", callable_=lambda: _opened_to.get()[1], type_=String()),
                bindparam("scope_other_role", callable_=lambda: _opened_to.get()[2], type_=String()),
            ]
        ),
    )
    .correlate(None)
)


def _is_opened(cls: type[MunicipalityScoped]) -> ColumnElement[bool]:
    run = cls.run_column()
    return true() if run is None else run.in_(_OPENED_RUNS)


_OPENED_ONLY = with_loader_criteria(MunicipalityScoped, _is_opened, include_aliases=True, propagate_to_loaders=False)


def _limit_statement(state: ORMExecuteState) -> None:
    info = state.session.info
    if "all_municipalities" in info:
        return
    if state.is_column_load:
        return  # rereads columns of one row that this session already holds, by its key
    # Set for each statement, directly before it runs: sessions may take turns in one thread.
    _current.set(info.get("municipality_id"))
    check = "sql"
    if state.is_insert and _is_scoped(state.bind_mapper):
        _check_inserted_rows(state.bind_mapper, state.parameters)
        check = "sql, rows are checked"
    elif state.is_update and isinstance(state.parameters, list):
        raise UnscopedQuery("an update of many rows by their keys can't be limited; write it with a WHERE")
    state.statement = state.statement.options(_CRITERION)
    state.update_execution_options(municipality_check=check)
    if (opened_to := info.get("opened_to")) is not None:
        _opened_to.set(opened_to)
        state.statement = state.statement.options(_OPENED_ONLY)
        state.update_execution_options(opened_check=True)


def _is_scoped(mapper: Any) -> bool:
    return mapper is not None and issubclass(mapper.class_, MunicipalityScoped)


def _check_inserted_rows(mapper: Any, given: object) -> None:
    rows = given if isinstance(given, Sequence) else [given]
    for row in rows:
        if not isinstance(row, Mapping) or row.get("municipality_id") != _current_municipality():
            raise UnscopedQuery(
                f"insert into {mapper.class_.__name__}: give rows as parameters, each with the session's municipality"
            )


def _check_flush(session: Session, flush_context: UOWTransaction, instances: object) -> None:
    if "all_municipalities" in session.info:
        return
    scope = session.info.get("municipality_id")
    for changed in (session.new, session.dirty, session.deleted):
        for row in changed:
            if isinstance(row, MunicipalityScoped) and (scope is None or row.municipality_id != scope):
                raise UnscopedQuery(
                    f"{type(row).__name__} of municipality {row.municipality_id} in a session of {scope}"
                )


class Prepared:
    """A statement on columns, made once with bindparam() for its values.

    For what runs on every request: building a statement, and having the ORM look at it, costs many times as much as
    running it. It gives rows, never objects. Name the parameters in a WHERE differently from the columns of an
    UPDATE: those names are what it sets.
    """

    def __init__(self, statement: Any) -> None:
        self._bare = Straight(statement, lambda sql: None)
        self._changes: bool = statement.is_dml
        self._inserted_into: Any = None
        check = "sql"
        if statement.is_insert:
            mapper = getattr(statement.entity_description.get("entity"), "__mapper__", None)
            if _is_scoped(mapper):
                self._inserted_into, check = mapper, "sql, rows are checked"
        limited = statement.options(_CRITERION).execution_options(municipality_check=check)
        opened = limited.options(_OPENED_ONLY).execution_options(opened_check=True)
        rows_are_checked = check != "sql"
        self._limited = Straight(limited, partial(_refuse_unlimited, rows_are_checked=rows_are_checked))
        self._opened = Straight(opened, partial(_refuse_unopened, rows_are_checked=rows_are_checked))

    def run(
        self, session: Session, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> Rows | CursorResult[*tuple[Any, ...]]:
        info = session.info
        assert not (self._changes and info.get("is_reading")), f"a reading session may not run {self._bare.statement}"
        if session.autoflush:
            session.flush()  # as the ORM does before a query
        connection = session.connection()
        if "all_municipalities" in info:
            return self._bare.run(connection, values)
        _current.set(info.get("municipality_id"))
        if self._inserted_into is not None:
            _check_inserted_rows(self._inserted_into, values)
        if (opened_to := info.get("opened_to")) is not None:
            _opened_to.set(opened_to)
            return self._opened.run(connection, values)
        return self._limited.run(connection, values)


# The check of the finished SQL.


def _refuse_unlimited_sql(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: object,
    context: Any,
    executemany: bool,
) -> None:
    check = context.execution_options.get("municipality_check") if context is not None else None
    if check is not None:
        is_opened = context.execution_options.get("opened_check")
        (_refuse_unopened if is_opened else _refuse_unlimited)(statement, rows_are_checked=check != "sql")


def _refuse_unlimited(sql: str, *, rows_are_checked: bool) -> None:
    problem = _unlimited_table(sql, rows_are_checked=rows_are_checked)
    if problem is not None:
        raise UnscopedQuery(f"{problem}; see app/storage/scope.py for what can be limited: {sql}")


def _refuse_unopened(sql: str, *, rows_are_checked: bool) -> None:
    _refuse_unlimited(sql, rows_are_checked=rows_are_checked)
    if forgotten := _table_of_all_runs(sql):
        raise UnscopedQuery(f"not limited to the runs that were opened: {forgotten}: {sql}")


_STRING = re.compile(r"'(?:[^']|'')*'")
_INSERT = re.compile(r'^\s*(?:INSERT|REPLACE)\b[^(]*?\bINTO\s+"?(\w+)"?(?:\s*\([^)]*\))?', re.IGNORECASE)
_TABLE_PLACE = r'(?:\b(?:FROM|JOIN|UPDATE|USING|ONLY|LATERAL)\s+\(*|,\s*)"?({names})"?(?![\w".])(?:\s+AS\s+"?(\w+)"?)?'
_LIMITED = re.compile(r'(\w+)"?\."?\w*municipality_id"? = \S+ /\*scope\*/')
_OF_OPENED_RUNS = re.compile(r'(\w+)"?\."?(?:run_)?id"? IN \(SELECT opened\.run_id')


@lru_cache(maxsize=4096)
def _unlimited_table(sql: str, *, rows_are_checked: bool) -> str | None:
    """What is wrong with this SQL, or None. A name counts where SQL expects a table: after FROM, JOIN, a comma …"""
    bare = _STRING.sub("''", sql)
    names = "|".join(sorted(map(re.escape, scoped_tables()), key=len, reverse=True))
    if insert := _INSERT.match(bare):
        if insert.group(1) in scoped_tables():
            if not rows_are_checked:
                return f"rows for {insert.group(1)} that could belong to another municipality"
            if " ON CONFLICT" in bare:
                return "ON CONFLICT could change a row of another municipality"
        bare = bare[insert.end() :]
    missing = _read(bare, names) - Counter(_LIMITED.findall(bare))
    return f"not limited to a municipality: {', '.join(missing)}" if missing else None


@lru_cache(maxsize=1024)
def _table_of_all_runs(sql: str) -> str | None:
    """The table of which this SQL would read rows of runs that were not opened, or None."""
    bare = _STRING.sub("''", sql)
    if insert := _INSERT.match(bare):
        bare = bare[insert.end() :]
    names = "|".join(sorted(map(re.escape, scoped_tables(of_runs=True)), key=len, reverse=True))
    read = _read(bare, names)
    del read["opened"]
    return ", ".join(read - Counter(_OF_OPENED_RUNS.findall(bare))) or None


def _read(bare: str, names: str) -> Counter[str]:
    """The tables of these names, or their aliases, where SQL expects a table, and how often."""
    places = re.finditer(_TABLE_PLACE.format(names=names), bare, re.IGNORECASE)
    return Counter(place.group(2) or place.group(1) for place in places)


def scoped_tables(*, of_runs: bool = False) -> set[str]:
    """The names of all tables whose rows belong to one municipality."""
    found, ahead = set(), [MunicipalityScoped]
    while ahead:
        for subclass in ahead.pop().__subclasses__():
            ahead.append(subclass)
            made = getattr(subclass, "__table__", None)
            if made is not None and not (of_runs and subclass.run_column() is None):
                found.add(made.name)
    return found
