"""A database in which people worked before PostgreSQL kept municipalities apart comes along with everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from app.startup import prepare
from app.storage.database import Database, create_engine_for
from app.storage.history.verify import verify_log
from app.storage.rights import isolation_problems
from app.storage.scope import set_scope
from app.storage.upgrade import downgrade, migrating, upgrade
from tests.databases import PostgreSQL
from tests.features.accounts.building import MONDAY
from tests.features.client import a_world

BEFORE = "0009"


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Of an empty database: for who owns its tables, and for the application."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'stappenplan.sqlite3'}"
        yield url, url
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        with server.scratch("upgrading") as engine:
            name = engine.url.database or ""
            yield server.url_of(name), server.url_of(name, server.app)


def rows_in(database: Database, like: dict[str, list[dict[str, Any]]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Of every table; `like`: only its tables, and of those the columns that they had."""
    with database.owner.connect() as connection:
        names = [*like] if like is not None else sorted({*inspect(connection).get_table_names()} - {"alembic_version"})
        found = {name: connection.execute(text(f'SELECT * FROM "{name}"')).mappings().all() for name in names}
    columns = {name: rows[0].keys() for name, rows in (like or found).items() if rows}
    return {name: [{key: row[key] for key in columns.get(name, ())} for row in rows] for name, rows in found.items()}


def test_work_of_before_row_level_security_comes_along(urls: tuple[str, str]):
    owner, application = urls
    old = Database(create_engine_for(owner))  # one role did everything then
    upgrade(old.owner)
    world = a_world(old)
    runs = {
        "anna": world.a_run(world.browser("anna")),
        "gwen": world.a_run(world.browser("gwen"), team=["gwen"], manager="hugo"),
    }
    downgrade(old.owner, BEFORE, may_lose_data=True)
    before = rows_in(old)
    assert {name for name in ("run", "run_event", "run_text", "log_entry", "membership") if not before[name]} == set()
    old.dispose()

    database = Database(create_engine_for(application), create_engine_for(owner))
    prepare(database, at=MONDAY)

    after = rows_in(database, before)
    assert [(name, row) for name, rows in before.items() for row in rows if row not in after[name]] == []
    assert [*isolation_problems(database)] == []
    world.app.state.database = database
    for login, other in (("anna", "gwen"), ("gwen", "anna")):
        assert world.browser(login).get(f"/trajecten/{runs[login]}").status_code == 200
        assert world.browser(login).get(f"/trajecten/{runs[other]}").status_code == 404
    start = {"based_on": "not-begun"}
    begun = world.browser("anna").post(f"/trajecten/{runs['anna']}/fasen/verkennen.1/starten", start)
    assert begun.status_code == 200
    with database.read() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        assert verify_log(session).problems == []
    plain = create_engine_for(owner)  # as Alembic's own command line has it
    with migrating(plain) as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar_one() == 2, "a migration finds all rows"
    plain.dispose()
    database.dispose()
