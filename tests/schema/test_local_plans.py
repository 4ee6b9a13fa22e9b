"""The migration that gives documents of plans a table of their own keeps what there is, there and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from app.storage.database import create_engine_for
from app.storage.tickets import INSTALLATION_WIDE
from app.storage.upgrade import downgrade, upgrade
from tests.databases import PostgreSQL

ID = "00000000000040008000000000000001"
BEFORE = (
    "INSERT INTO municipality (id, name, created_at) VALUES (:id, 'A', '2027-03-01 09:00:00')",
    "INSERT INTO user_account (id, login, name, language, is_demonstration, created_at)"
    " VALUES (:id, 'a', 'A', 'nl', false, '2027-03-01 09:00:00')",
    "INSERT INTO plan_version (digest, plan_id, version, title, document, status, added_at)"
    " VALUES ('d', 'p', '1', 'P', '{\"a\": \"b\"}', 'retired', '2027-03-01 09:00:00')",
    "INSERT INTO run (municipality_id, id, plan_digest, plan_id, plan_version, name, purpose, manager_id, state,"
    " revision, started_by, started_at, changed_at)"
    " VALUES (:id, :id, 'd', 'p', '1', 'R', '', :id, '{}', 0, :id, '2027-03-01 09:00:00', '2027-03-01 09:00:00')",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        found = create_engine_for(f"sqlite:///{tmp_path / 'filled.sqlite3'}")
        yield found
        found.dispose()
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        with server.scratch("local_plans") as found:
            yield found


@contextmanager
def changing(engine: Engine) -> Iterator[Connection]:
    """Rows of a municipality, which on PostgreSQL their owner too reaches only when he says so. Migrations must say it
    themselves, so the engine doesn't."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL {INSTALLATION_WIDE} = 'on'"))
        yield connection


def plan_versions(engine: Engine) -> list[tuple[str, ...]]:
    with engine.connect() as connection:
        return [
            tuple(row) for row in connection.execute(text("SELECT digest, plan_id, version, status FROM plan_version"))
        ]


def document_of(engine: Engine, table: str) -> str:
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT document FROM {table} WHERE digest = 'd'")).scalar_one()
    return str(found).replace(" ", "").replace("'", '"')


def test_pinned_plans_and_runs_stay_there_and_back(engine: Engine):
    upgrade(engine, "0004")
    with engine.begin() as connection:
        for statement in BEFORE:
            connection.execute(text(statement), {"id": ID})

    upgrade(engine)

    assert plan_versions(engine) == [("d", "p", "1", "retired")]
    assert document_of(engine, "plan_document") == '{"a":"b"}'
    with changing(engine) as connection:
        values = {"id": ID}
        connection.execute(text("INSERT INTO plan_document (digest, document) VALUES ('e', '{}')"))
        connection.execute(
            text(
                "INSERT INTO local_plan (municipality_id, id, plan_id, version, title, source, digest, status,"
                " uploaded_by, uploaded_at, released_by, released_at, reason) VALUES (:id, :id, 'q', '1', 'Q', '', 'e',"
                " 'released', :id, '2027-03-01 09:00:00', :id, '2027-03-01 09:00:00', '')"
            ),
            values,
        )

    downgrade(engine, "0004", may_lose_data=True)

    assert sorted(plan_versions(engine)) == [("d", "p", "1", "retired"), ("e", "q", "1", "retired")]
    assert document_of(engine, "plan_version") == '{"a":"b"}'
    upgrade(engine)


def test_run_cannot_be_pinned_to_a_document_that_is_not_there(engine: Engine):
    upgrade(engine, "0004")
    with engine.begin() as connection:
        for statement in BEFORE:
            connection.execute(text(statement), {"id": ID})
    upgrade(engine)
    with pytest.raises(Exception, match=r"(?i)foreign key"), changing(engine) as connection:
        connection.execute(text("UPDATE run SET plan_digest = 'x'"))
