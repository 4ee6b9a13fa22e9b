"""Bring the database schema to the version that this code needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from app.resources import migrations_dir
from app.storage.tickets import INSTALLATION_WIDE

# Any number will do as long as it is the same in every process of this application.
_ADVISORY_LOCK = 7_418_203_365
# A migration that waits for a lock holds up everyone who comes after it, so it gives up soon instead.
_LOCK_TIMEOUT = "5s"
_WAIT_FOR_OTHER_PROCESS = "5min"


class SchemaError(Exception):
    """The database can't be brought to this version; the message says why and what to do."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the schema to `revision`, all or nothing. Of two processes that start at once, one waits.

    Raises SchemaError when the database comes from a newer version of this application."""
    with migrating(engine) as connection:
        _refuse_unknown(connection)
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str, *, may_lose_data: bool = False) -> None:
    """ "base" removes all tables.  Raises DataWouldBeLost, after which nothing has changed."""
    with migrating(engine) as connection:
        config = _config(connection)
        config.attributes["must_keep_data"] = not may_lose_data
        command.downgrade(config, revision)


def is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return _revisions(connection) == set(_scripts().get_heads())


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A connection for migrations: alone, in one transaction."""
    if engine.dialect.name == "sqlite":
        with _migrating_sqlite(engine) as connection:
            yield connection
    else:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_FOR_OTHER_PROCESS}'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            # Or a migration that changes rows would, without a word, find none.
            connection.execute(text(f"SET LOCAL {INSTALLATION_WIDE} = 'on'"))
            yield connection


@contextmanager
def _migrating_sqlite(engine: Engine) -> Iterator[Connection]:
    """Foreign keys are off, because batch mode drops and renames tables; afterwards all of them are checked."""
    with engine.connect().execution_options(sqlite_begin="IMMEDIATE") as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        # SQLite ignores this pragma inside a transaction, and SQLAlchemy would start one.
        driver.execute("PRAGMA foreign_keys = OFF")
        [(usual_wait,)] = driver.execute("PRAGMA busy_timeout").fetchall()
        driver.execute("PRAGMA busy_timeout = 120000")  # ms: another process may be making all tables
        try:
            with connection.begin():
                yield connection
                if orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                    raise SchemaError(f"the migration would leave rows without what they refer to: {orphans[:5]}")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")
            driver.execute(f"PRAGMA busy_timeout = {usual_wait}")


def _revisions(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _refuse_unknown(connection: Connection) -> None:
    scripts = _scripts()
    known = {script.revision for script in scripts.walk_revisions()}
    if unknown := _revisions(connection) - known:
        raise SchemaError(
            f"this database has schema version {', '.join(unknown)}, which this version of Stappenplan does not know; "
            "install the newer version again, or restore a backup"
        )
    strange = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    if strange and not _revisions(connection):
        raise SchemaError(f"this database holds tables of something else ({', '.join(strange[:5])}); use an empty one")


def _config(connection: Connection | None = None) -> Config:
    config = Config()  # no file: alembic.ini is for the command line, and is not in the wheel
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
