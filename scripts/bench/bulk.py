"""Many rows into many tables, past the checks of the application: values come encoded for the driver."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import JSON, Column, Engine, Table

from app.storage.tickets import INSTALLATION_WIDE

Row = list[Any]


class Writer(Protocol):
    def add(self, table: Table, row: Row) -> None: ...
    def flush(self) -> None: ...


def json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encoder(column: Column[Any], engine: Engine) -> Callable[[Any], Any]:
    """From a value of Python to what the driver stores in this column; None stays None."""
    if isinstance(column.type, JSON):
        return json_text
    if engine.dialect.name == "sqlite":
        # SQLite has no times and ids of its own; SQLAlchemy decides how they are written.
        return column.type.dialect_impl(engine.dialect).bind_processor(engine.dialect) or _same
    return _same


def _same(value: Any) -> Any:
    return value


@contextmanager
def bulk_writer(engine: Engine, tables: Sequence[Table]) -> Iterator[Writer]:
    if engine.dialect.name == "sqlite":
        with _sqlite_writer(engine, tables) as writer:
            yield writer
        return
    connection = engine.raw_connection()
    try:
        yield _PostgresqlWriter(connection.driver_connection, tables)
        cursor = connection.cursor()
        cursor.execute("ANALYZE")  # a server at work did this long ago by itself
        connection.commit()
    finally:
        connection.close()


class _Rows:
    """Kept per table until there is a municipality full of them."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        self.rows: dict[str, list[Row]] = defaultdict(list)

    def add(self, table: Table, row: Row) -> None:
        self.rows[table.name].append(row)


def _columns(table: Table) -> str:
    """In the order of the model, as the rows are; a migration may have another."""
    return ", ".join(f'"{column.name}"' for column in table.columns)


class _SqliteWriter(_Rows):
    def __init__(self, connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
        super().__init__(tables)
        self.connection = connection

    def flush(self) -> None:
        self.connection.execute("BEGIN")
        for table in self.tables:
            places = ", ".join("?" * len(table.columns))
            insert = f'INSERT INTO "{table.name}" ({_columns(table)}) VALUES ({places})'
            self.connection.executemany(insert, self._rows_of(table))
        self.connection.execute("COMMIT")
        self.rows.clear()

    def _rows_of(self, table: Table) -> list[Row]:
        return self.rows[table.name]


@contextmanager
def _sqlite_writer(engine: Engine, tables: Sequence[Table]) -> Iterator[Writer]:
    """Without foreign keys, indexes and waiting for the disk; all of that is put right at the end."""
    assert engine.url.database is not None
    engine.dispose()
    connection = sqlite3.connect(engine.url.database, isolation_level=None)
    try:
        for pragma in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -200000"):
            connection.execute(f"PRAGMA {pragma}")
        names = ", ".join(f"'{table.name}'" for table in tables)
        indexes = connection.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        yield _SqliteWriter(connection, tables)
        for _, sql in indexes:
            connection.execute(sql)
        assert not connection.execute("PRAGMA foreign_key_check").fetchone(), "a row refers to nothing"
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


class _PostgresqlWriter(_Rows):
    def __init__(self, connection: Any, tables: Sequence[Table]) -> None:
        super().__init__(tables)
        self.connection = connection

    def flush(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {INSTALLATION_WIDE} = 'on'")
            for table in self.tables:
                # By way of a table of its own: PostgreSQL copies nothing into one with row-level security.
                columns, copied = _columns(table), f'"copied_{table.name}"'
                cursor.execute(f'CREATE TEMPORARY TABLE {copied} (LIKE "{table.name}") ON COMMIT DROP')
                with cursor.copy(f"COPY {copied} ({columns}) FROM STDIN") as copy:
                    for row in self.rows[table.name]:
                        copy.write_row(row)
                cursor.execute(f'INSERT INTO "{table.name}" ({columns}) SELECT {columns} FROM {copied}')
        self.connection.commit()
        self.rows.clear()
