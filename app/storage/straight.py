"""A statement that is compiled once and then goes to the driver, with nothing in between.

What SQLAlchemy does for a statement, also for one that it compiled before, costs five to ten times as much as what
SQLite does to find a few rows, and hardly any of it depends on the values. Kept here are the SQL, how each value goes
in and how each column comes out, as SQLAlchemy says; errors are those of SQLAlchemy too. Who listens to
`before_cursor_execute` hears of every statement, without a context. Other events of statements are not sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Connection, CursorResult, Dialect
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import WARN_LINTING, SQLCompiler

Values = Mapping[str, Any]

FORMS_MAX: Final = 64  # of one statement, each for other numbers of values in its INs


class Rows(IteratorResult[*tuple[Any, ...]]):
    """All of them were `fetched`, as the driver gave them; what is read from here is made of that. `rowcount`: how many
    a change reached."""

    def __init__(self, columns: SimpleResultMetaData, fetched: Sequence[Any], rowcount: int) -> None:
        super().__init__(columns, iter(fetched))
        self.fetched: Final = fetched
        self.rowcount: Final = rowcount


class Straight:
    """`check` gets the finished SQL before it is used for the first time, and raises what is wrong with it."""

    def __init__(self, statement: Any, check: Callable[[str], None]) -> None:
        self.statement: Final = statement
        self._check: Final = check
        self._shapes: Final[WeakKeyDictionary[Dialect, dict[tuple[str, ...], _Shape]]] = WeakKeyDictionary()

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> Rows | CursorResult[*tuple[Any, ...]]:
        """What SQLAlchemy gives, for the few statements that ask more of it."""
        rows = [values] if isinstance(values, Mapping) else values
        shape = self._shape(connection.dialect, rows)
        if not shape.is_plain:
            return connection.execute(self.statement, values)
        form = shape.form(rows[0])
        given: Any = None
        found: Sequence[Any] = ()
        try:
            sets = [form.parameters(row) for row in rows]
            is_many = len(sets) > 1
            given = sets if is_many else sets[0]
            cursor = connection.connection.cursor()
            for listener in connection.dispatch.before_cursor_execute:
                listener(connection, cursor, form.sql, given, None, is_many)
            (cursor.executemany if is_many else cursor.execute)(form.sql, given)
            if shape.has_columns:
                found = cursor.fetchall()
        except BaseException as error:  # noqa: BLE001  # always raised again
            connection._handle_dbapi_exception(error, form.sql, given, None, None)  # noqa: SLF001  # as execute() does
        return Rows(shape.columns, found, cursor.rowcount)

    def _shape(self, dialect: Dialect, rows: Sequence[Values]) -> _Shape:
        shapes = self._shapes.get(dialect)
        if shapes is None:
            shapes = self._shapes[dialect] = {}
        # Which columns are set decides about the SQL of a change; a query is always the same.
        key = (str(len(rows) > 1), *rows[0]) if self.statement.is_dml else ()
        shape = shapes.get(key)
        if shape is None:
            compiled = self.statement.compile(
                dialect=dialect,
                column_keys=sorted(rows[0]),
                for_executemany=len(rows) > 1,
                linting=dialect.compiler_linting | WARN_LINTING,
            )
            shape = shapes[key] = _Shape(compiled, rows[0], self._check)
        return shape


class _Shape:
    """The statement in the SQL of one database, which sets certain columns."""

    def __init__(self, compiled: SQLCompiler, values: Values, check: Callable[[str], None]) -> None:
        self._compiled: Final = compiled
        self._check: Final = check
        self._lists: Final = sorted(bind.key for bind in compiled.post_compile_params if bind.key in values)
        self._forms: Final[dict[tuple[int, ...], _Form]] = {}
        self.is_plain: Final = not (
            compiled.insert_prefetch  # defaults that Python makes
            or compiled.update_prefetch
            or compiled.effective_returning
            or compiled.literal_execute_params
            or compiled.escaped_bind_names
        )
        found, dialect = compiled._result_columns, compiled.dialect  # noqa: SLF001  # names and types, as they come
        names = [column.keyname for column in found]
        self.has_columns: Final = bool(found)
        self.columns: Final = SimpleResultMetaData(
            names,
            _processors=[column.type.dialect_impl(dialect).result_processor(dialect, None) for column in found],
            _ambiguous_keys=frozenset(name for name, times in Counter(names).items() if times > 1),
        )

    def form(self, values: Values) -> _Form:
        lengths = tuple([len(values[name]) for name in self._lists])
        form = self._forms.get(lengths)
        if form is None:
            form = _Form(self._compiled, values)
            self._check(form.sql)
            if len(self._forms) >= FORMS_MAX:
                self._forms.clear()
            self._forms[lengths] = form
        return form


class _Form:
    """What goes to the driver, for as many values in each IN as there were in `values`."""

    def __init__(self, compiled: SQLCompiler, values: Values) -> None:
        state = compiled.construct_expanded_state(values)
        self.sql: Final = state.statement
        self._is_positional: Final = state.positiontup is not None
        part_of = {
            name: (whole, number)
            for whole, names in state.parameter_expansion.items()
            for number, name in enumerate(names)
        }
        self._places: Final[list[tuple[str, str, int | None, Any, BindParameter[Any] | None]]] = []
        for name in state.positiontup if state.positiontup is not None else state.parameters:
            whole, number = part_of.get(name, (name, None))
            bind = compiled.binds[whole]
            processor = bind.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
            self._places.append((name, whole, number, processor, None if whole in values else bind))

    def parameters(self, values: Values) -> list[Any] | dict[str, Any]:
        found = []
        for _, whole, number, processor, bind in self._places:
            value: Any = values[whole] if bind is None else bind.effective_value
            if number is not None:
                value = value[number]
            found.append(value if processor is None else processor(value))
        if self._is_positional:
            return found
        return {place[0]: value for place, value in zip(self._places, found, strict=True)}
