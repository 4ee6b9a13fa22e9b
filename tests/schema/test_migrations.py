"""Migrations from nothing give the tables that the code describes, on both databases, and go back to nothing."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from app.resources import migrations_dir
from app.storage.database import Database, create_engine_for
from app.storage.going_back import DataWouldBeLost
from app.storage.scope import unscoped
from app.storage.tables import AuthenticatorApp, EventRow
from app.storage.upgrade import SchemaError, downgrade, is_current, migrating, upgrade
from tests.databases import PostgreSQL, behind
from tests.storage.rows import NOW, a_municipality_with_a_run, an_event


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = create_engine_for(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield engine
        engine.dispose()
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        with server.scratch("schema") as engine:
            yield engine


def test_migrations_give_the_tables_of_the_code(empty_engine: Engine):
    upgrade(empty_engine)

    with empty_engine.connect() as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, parents: name != "isolation_key",  # as in migrations/env.py
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)
    assert differences == [], "run `make schema` (before the first release) or `make revision m=...`"


def test_check_constraints_are_migrated_too(empty_engine: Engine):
    """Alembic's comparison does not look at them."""
    upgrade(empty_engine)

    found = inspect(empty_engine)
    for table in SQLModel.metadata.sorted_tables:
        wanted = {c.name for c in table.constraints if isinstance(c, CheckConstraint)}
        assert {check["name"] for check in found.get_check_constraints(table.name)} == wanted, table.name


def test_every_constraint_and_index_has_a_name(empty_engine: Engine):
    upgrade(empty_engine)

    found = inspect(empty_engine)
    nameless = []
    for table in found.get_table_names():
        if table == "alembic_version":
            continue
        things: list[Any] = [
            found.get_pk_constraint(table),
            *found.get_foreign_keys(table),
            *found.get_unique_constraints(table),
            *found.get_check_constraints(table),
            *found.get_indexes(table),
        ]
        nameless += [f"{table}: {thing}" for thing in things if not thing["name"]]
    assert nameless == []


def test_constraint_names_follow_the_convention_so_that_postgresql_does_not_cut_them():
    names = [
        str(thing.name)
        for table in SQLModel.metadata.sorted_tables
        for things in (table.constraints, table.indexes)
        for thing in things
    ]
    assert [name for name in names if len(name) > 63] == []
    assert [name for name in names if name[:3] not in {"pk_", "fk_", "uq_", "ck_", "ix_"}] == []


def test_downgrade_removes_everything(empty_engine: Engine):
    upgrade(empty_engine)
    downgrade(empty_engine, "base")

    assert inspect(empty_engine).get_table_names() == ["alembic_version"]
    assert not is_current(empty_engine)
    with empty_engine.connect() as connection:
        left = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if empty_engine.dialect.name == "sqlite"
            else "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'public'"
        )
        assert connection.execute(text(left)).all() == []
    upgrade(empty_engine)
    assert is_current(empty_engine)


@pytest.mark.parametrize(
    ("back_to", "lost", "put"),
    [
        (
            "0012",
            "provider_account",
            "INSERT INTO provider_account (issuer, subject, user_id, provider, made_account, linked_at, seen_at)"
            " SELECT 'https://a.example', 'anna-1', id, 'a', true, created_at, created_at FROM user_account",
        ),
        ("0018", "run_text.commitment, run_text.salt", "UPDATE run_text SET salt = 's', commitment = 'c'"),
        ("0016", "authenticator_app.wrong_codes", "UPDATE authenticator_app SET wrong_codes = 3"),
    ],
)
def test_going_back_is_refused_when_something_would_be_lost(empty_engine: Engine, back_to: str, lost: str, put: str):
    """With what there was before, it goes back."""
    upgrade(empty_engine)
    with Database(empty_engine).write() as session:
        unscoped(session, "fills a municipality")
        side = a_municipality_with_a_run(session, "A")
        session.add(AuthenticatorApp(user_id=side.user, secret="x", created_at=NOW))
    with migrating(empty_engine) as connection:
        connection.execute(text(put))

    with pytest.raises(DataWouldBeLost, match=f"would lose what is in {lost}; nothing was changed. Put back a backup"):
        downgrade(empty_engine, back_to)

    assert is_current(empty_engine)
    with migrating(empty_engine) as connection:
        connection.execute(text("UPDATE run_text SET salt = NULL, commitment = NULL"))
        connection.execute(text("UPDATE authenticator_app SET wrong_codes = 0"))
        connection.execute(text("DELETE FROM provider_account"))
    downgrade(empty_engine, back_to)
    assert not is_current(empty_engine)


def test_upgrade_twice_changes_nothing(empty_engine: Engine):
    assert not is_current(empty_engine)
    upgrade(empty_engine)
    assert is_current(empty_engine)
    upgrade(empty_engine)
    assert is_current(empty_engine)


def test_upgrade_is_quiet(empty_engine: Engine, capfd: pytest.CaptureFixture[str]):
    upgrade(empty_engine)
    assert capfd.readouterr() == ("", "")


def test_two_processes_that_start_at_once_all_succeed(empty_engine: Engine):
    program = """
import sys
from app.storage.database import create_engine_for
from app.storage.upgrade import is_current, upgrade
engine = create_engine_for(sys.argv[1])
upgrade(engine)
assert is_current(engine)
engine.dispose()
"""
    url = empty_engine.url.render_as_string(hide_password=False)
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    results = [process.communicate(timeout=60)[1] for process in started]
    assert [(process.returncode, error) for process, error in zip(started, results, strict=True)] == [(0, "")] * 2


def test_database_of_a_newer_version_is_left_alone(empty_engine: Engine):
    upgrade(empty_engine)
    with empty_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaError, match="9999"):
        upgrade(empty_engine)


def test_database_of_another_application_is_left_alone(empty_engine: Engine):
    with empty_engine.begin() as connection:
        connection.execute(text("CREATE TABLE somebody_else (id integer)"))

    with pytest.raises(SchemaError, match="somebody_else"):
        upgrade(empty_engine)
    assert inspect(empty_engine).get_table_names() == ["somebody_else"]


def test_migration_that_fails_leaves_the_schema_as_it_was(empty_engine: Engine, monkeypatch, tmp_path: Path):
    """A copy of the migrations with one more, that fails halfway."""
    upgrade(empty_engine)
    copy = tmp_path / "migrations"
    shutil.copytree(migrations_dir(), copy)
    head = max(path.name[:4] for path in (copy / "versions").glob("[0-9]*.py"))
    (copy / "versions" / "9000_fails.py").write_text(
        f"from alembic import op\nrevision = '9000'\ndown_revision = '{head}'\n"
        "def upgrade():\n    op.execute('CREATE TABLE half (id integer)')\n    op.execute('nonsense')\n"
    )
    monkeypatch.setattr("app.storage.upgrade.migrations_dir", lambda: copy)

    with pytest.raises(Exception, match="nonsense"):
        upgrade(empty_engine)

    monkeypatch.undo()
    assert is_current(empty_engine)
    assert "half" not in inspect(empty_engine).get_table_names()


@pytest.mark.parametrize(
    "change", ["UPDATE run_event SET kind = 'x'", "DELETE FROM run_event", "TRUNCATE run_event CASCADE"]
)
def test_events_can_not_be_changed_or_removed(database: Database, change: str):
    if database.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM run_event WHERE sequence = 1"  # SQLite has no TRUNCATE
    with database.write() as session:
        unscoped(session, "fills a municipality")
        session.add(an_event(a_municipality_with_a_run(session, "A")))

    with pytest.raises(IntegrityError, match="run_event is append-only"), behind(database).begin() as connection:
        connection.execute(text(change))

    with database.read() as session:
        unscoped(session, "looks")
        assert session.scalars(select(EventRow)).one().kind == "RunStarted"
