"""Where the data sets are: SQLite files in a folder, or databases of a PostgreSQL server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, create_engine, make_url, text

PREFIX = "stappenplan_bench_"


class Store(Protocol):
    """Databases by name. `stamp` says what a finished one was made from; None for one that is absent or half done."""

    def url(self, name: str) -> str: ...
    def fresh(self, name: str) -> str: ...
    def stamp(self, name: str) -> str | None: ...
    def finish(self, name: str, stamp: str) -> None: ...
    def copy(self, name: str, to: str) -> str: ...
    def drop(self, name: str) -> None: ...


class SqliteStore:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    def url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"

    def fresh(self, name: str) -> str:
        self.drop(name)
        return self.url(name)

    def stamp(self, name: str) -> str | None:
        stamp = self._file(name).with_suffix(".stamp")
        return stamp.read_text() if stamp.exists() and self._file(name).exists() else None

    def finish(self, name: str, stamp: str) -> None:
        self._file(name).with_suffix(".stamp").write_text(stamp)

    def copy(self, name: str, to: str) -> str:
        self.drop(to)
        shutil.copyfile(self._file(name), self._file(to))
        return self.url(to)

    def drop(self, name: str) -> None:
        for path in self.folder.glob(f"{name}.*"):
            path.unlink()


class PostgresqlStore:
    """On the server that `url` names; its other databases are left alone."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url).set(drivername="postgresql+psycopg")

    def url(self, name: str) -> str:
        return self._server.set(database=PREFIX + name).render_as_string(hide_password=False)

    def fresh(self, name: str) -> str:
        self.drop(name)
        with self._admin() as connection:
            connection.execute(text(f'CREATE DATABASE "{PREFIX}{name}"'))
        return self.url(name)

    def stamp(self, name: str) -> str | None:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name"
        with self._admin() as connection:
            found: str | None = connection.execute(text(query), {"name": PREFIX + name}).scalar_one_or_none()
            return found

    def finish(self, name: str, stamp: str) -> None:
        assert stamp.isalnum(), stamp
        with self._admin() as connection:
            connection.execute(text(f"COMMENT ON DATABASE \"{PREFIX}{name}\" IS '{stamp}'"))

    def copy(self, name: str, to: str) -> str:
        self.drop(to)
        with self._admin() as connection:
            connection.execute(text(f'CREATE DATABASE "{PREFIX}{to}" TEMPLATE "{PREFIX}{name}"'))
        return self.url(to)

    def drop(self, name: str) -> None:
        with self._admin() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{PREFIX}{name}" WITH (FORCE)'))

    @contextmanager
    def _admin(self) -> Iterator[Connection]:
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
