"""Fixtures for databases, and the browser. A test that should hold on both databases takes `database`; most of what is
above storage does."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from app.storage.database import Database
    from tests.databases import PostgreSQL

# tests.databases brings SQLAlchemy and Alembic along, which take half a second, and the browser brings Playwright:
# imported where they are needed, so that the tests of the engine start at once.


def pytest_configure(config: pytest.Config) -> None:
    # A machine that is busy with other work is no reason to fail: speed is measured in benchmarks.
    settings.register_profile("stappenplan", deadline=None)
    settings.load_profile("stappenplan")
    if hasattr(config, "workerinput"):
        return
    from tests.databases import start_run

    start_run()
    # A run that is told to stop (by CI, say) ends like one that is interrupted: it stops its server first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    from tests.databases import end_run

    end_run()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> "Iterator[Database]":
    from tests.databases import new_sqlite_database

    database = new_sqlite_database(tmp_path)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def postgresql() -> "Iterator[PostgreSQL]":
    from tests.databases import PostgreSQL

    server = PostgreSQL(os.environ.get("PYTEST_XDIST_WORKER", "main"))
    yield server
    server.close()


@pytest.fixture
def postgresql_database(postgresql: "PostgreSQL") -> "Iterator[Database]":
    from tests.databases import empty_tables

    yield postgresql.database
    postgresql.database.keeper = None
    postgresql.database.dispose()  # no test inherits a transaction that another left open
    empty_tables(postgresql.superuser)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> "Database":
    """Migrated and empty."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    from tests.web.browsing import a_chromium

    with a_chromium() as browser:
        yield browser
