"""What PostgreSQL itself refuses to the application's role, whatever SQL gets into a page: the second layer, alone.

Every statement is sent as plain SQL on the connection of a session of municipality A, below the limit of scope.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from app.storage.database import Database, create_engine_for
from app.storage.rights import RIGHTS, give_rights, isolation_problems
from app.storage.scope import UnscopedQuery, scoped_tables, set_scope, unscoped
from app.storage.tables import RunMember
from app.storage.tickets import INSTALLATION_WIDE, TICKET
from tests.databases import PostgreSQL, behind
from tests.storage.rows import Side, a_municipality_with_a_run


@pytest.fixture
def database(postgresql_database: Database) -> Database:
    return postgresql_database


@pytest.fixture
def sides(database: Database) -> tuple[Side, Side]:
    with database.write() as session:
        unscoped(session, "fills both municipalities")
        sides = a_municipality_with_a_run(session, "A"), a_municipality_with_a_run(session, "B")
        session.add_all(RunMember(municipality_id=s.municipality, run_id=s.run, user_id=s.user) for s in sides)
    return sides


@contextmanager
def injected(database: Database, side: Side | None) -> Iterator[Connection]:
    """The connection of a page of this side, or of one that nobody signed in for. Nothing is kept."""
    session = database._writing()
    try:
        if side is not None:
            set_scope(session, side.municipality)
        yield session.connection()
    finally:
        session.close()


def send(connection: Connection, sql: str, **values: Any) -> Any:
    return connection.execute(text(sql), values)


# --- reading -----------------------------------------------------------------------------------------------------

READS = {
    "rows": "SELECT name FROM run",
    "its id": "SELECT name FROM run WHERE id = :run",
    "its municipality": "SELECT name FROM run WHERE municipality_id = :municipality",
    "anything": "SELECT name FROM run WHERE name = 'A' OR 1 = 1",
    "join": "SELECT run.name FROM run_text JOIN run ON run.id = run_text.run_id OR true",
    "left join": "SELECT run.name FROM municipality LEFT JOIN run ON true WHERE run.name IS NOT NULL",
    "union": "SELECT text FROM run_text UNION SELECT name FROM run",
    "subquery": "SELECT (SELECT max(name) FROM run)",
    "lateral": "SELECT r.name FROM user_account u, LATERAL (SELECT name FROM run WHERE manager_id = u.id) r",
    "common table expression": "WITH all_runs AS MATERIALIZED (SELECT name FROM run) SELECT name FROM all_runs",
    "as json": "SELECT json_agg(run) FROM run",
    "function over rows": "SELECT run.name FROM run, json_populate_record(run, '{}')",
    "other spelling of the table": 'SELECT name FROM ONLY "public"."run"',
    "lock": "SELECT name FROM run FOR UPDATE",
    "returning": "UPDATE run SET purpose = 'x' RETURNING name",
    "row as a whole": "SELECT r.name FROM (SELECT (run).* FROM run) AS r",
    "aggregate": "SELECT string_agg(name, ',') FROM run",
}


@pytest.mark.parametrize("case", READS)
def test_plain_sql_in_a_page_reads_no_other_municipality(database: Database, sides: tuple[Side, Side], case: str):
    a, b = sides
    values = {"run": b.run, "municipality": b.municipality}
    sql = READS[case]
    given = {name: value for name, value in values.items() if f":{name}" in sql}
    for here in (a, None):
        with injected(database, here) as connection:
            found = " ".join(str(value) for row in send(connection, sql, **given) for value in row)
        assert b.name not in found.replace("NULL", ""), case
        if here is None:
            assert "A" not in found.replace("NAME", ""), case


@pytest.mark.parametrize("table", sorted(scoped_tables()))
def test_without_a_municipality_there_is_nothing_to_count(database: Database, sides: tuple[Side, Side], table: str):
    with injected(database, None) as connection:
        assert send(connection, f"SELECT count(*) FROM {table}").scalar_one() == 0


def test_copy_reads_no_other_municipality(database: Database, sides: tuple[Side, Side]):
    with injected(database, sides[0]) as connection:
        driver: Any = connection.connection.driver_connection
        for what in ("run", "(SELECT * FROM run)"):
            with driver.cursor().copy(f"COPY {what} TO STDOUT") as copying:
                copied = b"".join(bytes(part) for part in copying).decode()
            assert str(sides[0].run) in copied
            assert str(sides[1].run) not in copied


def test_the_own_rows_are_there(database: Database, sides: tuple[Side, Side]):
    """Or the tests above would be content with a wall around everything."""
    for side in sides:
        with injected(database, side) as connection:
            assert send(connection, "SELECT name FROM run").scalars().all() == [side.name]
            assert send(connection, "SELECT text FROM run_text").scalars().all() == [side.name]


# --- writing -----------------------------------------------------------------------------------------------------

HITS_NOTHING = {
    "update of all": "UPDATE run SET purpose = 'taken' WHERE name = 'B'",
    "update by id": "UPDATE run SET purpose = 'taken' WHERE id = :run",
    "update from": "UPDATE run SET purpose = 'taken' FROM municipality m WHERE m.name = 'B' AND run.name = 'B'",
    "delete": "DELETE FROM run_member WHERE user_id = :user",
    "delete using": "DELETE FROM run_member USING user_account u WHERE u.id = run_member.user_id AND u.name = 'B'",
}


@pytest.mark.parametrize("case", HITS_NOTHING)
def test_change_of_another_municipality_s_rows_hits_nothing(database: Database, sides: tuple[Side, Side], case: str):
    sql, values = HITS_NOTHING[case], {"run": sides[1].run, "user": sides[1].user}
    with injected(database, sides[0]) as connection:
        found = send(connection, sql, **{name: value for name, value in values.items() if f":{name}" in sql})
        assert found.rowcount == 0


REFUSED = {
    "row for another": "INSERT INTO run_member (municipality_id, run_id, user_id) VALUES (:b, :b_run, :a_user)",
    "own row given away": "UPDATE run SET municipality_id = :b WHERE id = :a_run",
    "merge": """
        MERGE INTO run_member USING (SELECT :b_run AS run, :a_user AS person) AS given ON run_id = given.run AND false
        WHEN NOT MATCHED THEN INSERT (municipality_id, run_id, user_id) VALUES (:b, :b_run, :a_user)""",
    "upsert of a row of another": """
        INSERT INTO run_member (municipality_id, run_id, user_id) VALUES (:a, :b_run, :b_user)
        ON CONFLICT (run_id, user_id) DO UPDATE SET municipality_id = :a""",
    "event of an account elsewhere": """
        INSERT INTO account_event (municipality_id, id, act, about, at, place)
        VALUES (:b, gen_random_uuid(), 'signed_in', :a_user, now(), '')""",
    "truncate": "TRUNCATE run_member",
    "alter": "ALTER TABLE run NO FORCE ROW LEVEL SECURITY",
    "switch off": "ALTER TABLE run DISABLE ROW LEVEL SECURITY",
    "drop policy": "DROP POLICY of_municipality ON run",
    "new policy": "CREATE POLICY all_of_it ON run USING (true)",
    "trigger": "ALTER TABLE run_event DISABLE TRIGGER ALL",
    "drop": "DROP TABLE run CASCADE",
    "own table": "CREATE TABLE mine (id integer)",
    "own function": "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1",
    "other function": "CREATE OR REPLACE FUNCTION permitted_municipality() RETURNS uuid LANGUAGE sql RETURN NULL",
    "key": "SELECT inner_key FROM isolation_key",
    "other key": "UPDATE isolation_key SET inner_key = ''",
    "replication role": "SET session_replication_role = replica",
    "past the policies": "SET row_security = off; SELECT * FROM run",
    "role of the owner": "SET ROLE {owner}",
    "role of the superuser": "SET ROLE {superuser}",
    "session of the owner": "SET SESSION AUTHORIZATION {owner}",
    "itself as superuser": "ALTER ROLE {app} SUPERUSER",
    "itself past the policies": "ALTER ROLE {app} BYPASSRLS",
    "history": "DELETE FROM run_event",
    "log": "UPDATE log_entry SET leaf = ''",
    "national plan": "UPDATE plan_version SET status = 'retired'",
    "file of the server": "COPY run FROM '/etc/passwd'",
    "program of the server": "COPY run TO PROGRAM 'true'",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(database: Database, postgresql: PostgreSQL, sides: tuple[Side, Side], case: str):
    with behind(database).connect() as superuser:
        known = {"superuser": send(superuser, "SELECT current_user").scalar_one()}
    sql = REFUSED[case].format(owner=postgresql.owner, app=postgresql.app, **known)
    values = {
        f"{side.name.lower()}{what}": id
        for side in sides
        for what, id in (("", side.municipality), ("_run", side.run), ("_user", side.user))
    }
    with injected(database, sides[0]) as connection, pytest.raises(DBAPIError) as refused:
        send(connection, sql, **{name: value for name, value in values.items() if f":{name}" in sql})
    sqlstate = getattr(refused.value.orig, "sqlstate", None)
    assert sqlstate == "42501", f"{sqlstate}: {refused.value.orig}"  # insufficient_privilege, and no slip of this test


def test_role_can_not_give_itself_a_right(database: Database, postgresql: PostgreSQL):
    """PostgreSQL warns here, and does nothing."""
    with injected(database, None) as connection:
        send(connection, f"GRANT DELETE ON run_event TO {postgresql.app}")
        assert not send(connection, "SELECT has_table_privilege('run_event', 'DELETE')").scalar_one()


# --- tickets -----------------------------------------------------------------------------------------------------

FORGED = {
    "id alone": "{b}",
    "id with the code of another": "{b}{code}",
    "id with nothing": "{b}" + "0" * 64,
    "capitals": "{B}{code}",
    "empty": "",
    "half": "{a}",
}


@pytest.mark.parametrize("case", FORGED)
def test_ticket_for_another_municipality_can_not_be_made(database: Database, sides: tuple[Side, Side], case: str):
    a, b = sides[0].municipality.hex, sides[1].municipality.hex
    with injected(database, sides[0]) as connection:
        own = send(connection, f"SELECT current_setting('{TICKET}')").scalar_one()
        assert own.startswith(a)
        forged = FORGED[case].format(a=a, b=b, B=b.upper(), code=own[32:])
        send(connection, f"SELECT set_config('{TICKET}', :forged, true)", forged=forged)
        assert send(connection, "SELECT count(*) FROM run").scalar_one() == 0


SETTINGS = [INSTALLATION_WIDE, "role", "row_security", "is_superuser", "session_authorization"]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("value", ["on", "off", "none"])
def test_no_setting_opens_more(database: Database, sides: tuple[Side, Side], setting: str, value: str):
    with injected(database, sides[0]) as connection:
        try:
            send(connection, f"SELECT set_config('{setting}', :value, true)", value=value)
            found = send(connection, "SELECT name FROM run").scalars().all()
        except DBAPIError:
            return
        assert found in (["A"], [])


def test_going_back_to_the_role_of_the_connection_changes_nothing(database: Database, sides: tuple[Side, Side]):
    with injected(database, sides[0]) as connection:
        for sql in ("RESET ROLE", "SET ROLE NONE", "RESET SESSION AUTHORIZATION", "RESET ALL"):
            send(connection, sql)
            assert send(connection, "SELECT name FROM run").scalars().all() in (["A"], [])


def test_connection_that_goes_back_to_the_pool_carries_no_ticket_over(database: Database, sides: tuple[Side, Side]):
    seen = set()
    for side in (*sides, None, *sides):
        with injected(database, side) as connection:
            seen.add(send(connection, "SELECT pg_backend_pid()").scalar_one())
            names = send(connection, "SELECT name FROM run").scalars().all()
            assert names == ([side.name] if side else [])
    assert len(seen) == 1, "it was the same connection each time"


def test_every_transaction_of_a_session_has_the_ticket(database: Database, sides: tuple[Side, Side]):
    with database.write() as session:
        set_scope(session, sides[0].municipality)
        for end in (session.commit, session.rollback, session.commit):
            with session.begin_nested():
                assert session.connection().execute(text("SELECT name FROM run")).scalars().all() == ["A"]
            end()


def test_session_gets_its_ticket_while_it_is_at_work(database: Database, sides: tuple[Side, Side]):
    """As in a request: who is asking is looked up first."""
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM run")).scalar_one() == 0
        set_scope(session, sides[1].municipality)
        assert session.connection().execute(text("SELECT name FROM run")).scalars().all() == ["B"]


def test_seeing_all_takes_another_connection_and_comes_first(database: Database, sides: tuple[Side, Side]):
    with database.read() as session:
        unscoped(session, "looks")
        assert session.connection().execute(text("SELECT count(*) FROM run")).scalar_one() == 2
    with database.read() as session, pytest.raises(UnscopedQuery, match="at work"):
        session.connection()
        unscoped(session, "too late")


def test_owner_sees_nothing_without_saying_so(database: Database, sides: tuple[Side, Side], postgresql: PostgreSQL):
    plain = create_engine_for(postgresql.url_of(postgresql.name))
    with plain.begin() as connection:
        assert send(connection, "SELECT count(*) FROM run").scalar_one() == 0
        send(connection, f"SET LOCAL {INSTALLATION_WIDE} = 'on'")
        assert send(connection, "SELECT count(*) FROM run").scalar_one() == 2
    plain.dispose()


# --- rights ------------------------------------------------------------------------------------------------------


def test_every_table_has_its_rights_decided():
    """For a new table: add it to app/storage/rights.py, with no more than it needs."""
    assert {*RIGHTS} == {*SQLModel.metadata.tables, "alembic_version"}


@pytest.mark.parametrize("table", ["run_event", "log_entry", "signed_head", "account_event"])
def test_history_is_only_added_to(table: str):
    assert RIGHTS[table] == {"SELECT", "INSERT"}


def test_role_of_the_application_has_these_rights_and_no_others(database: Database):
    assert [*isolation_problems(database)] == []


def test_rights_that_went_astray_are_told_and_put_right_at_the_next_start(database: Database, postgresql: PostgreSQL):
    with behind(database).begin() as superuser:
        send(superuser, f"GRANT UPDATE, TRUNCATE ON log_entry TO {postgresql.app}")
        send(superuser, "GRANT SELECT ON isolation_key TO PUBLIC")
        send(superuser, "GRANT DELETE ON run_event TO PUBLIC")
        send(superuser, f"REVOKE SELECT ON run FROM {postgresql.app}")
    told = "\n".join(isolation_problems(database))
    assert "DELETE on run_event, UPDATE on log_entry, TRUNCATE on log_entry" in told
    assert "can read the key" in told
    give_rights(database)
    assert [*isolation_problems(database)] == []
    with database.read() as session:
        set_scope(session, uuid.uuid4())
        assert session.connection().execute(text("SELECT count(*) FROM run")).scalar_one() == 0


def test_protection_that_was_switched_off_is_told(database: Database):
    with behind(database).begin() as superuser:
        send(superuser, "ALTER TABLE evidence NO FORCE ROW LEVEL SECURITY")
    try:
        assert [*isolation_problems(database)] == [
            "row-level security is off for evidence: restore it from the migrations, or from a backup"
        ]
    finally:
        with behind(database).begin() as superuser:
            send(superuser, "ALTER TABLE evidence FORCE ROW LEVEL SECURITY")


def test_one_role_for_everything_is_told(postgresql: PostgreSQL, database: Database):
    for url, what in (
        (postgresql.url_of(postgresql.name), "owns tables"),
        (postgresql.url_of(postgresql.name, None), "is a superuser"),
    ):
        alone = Database(create_engine_for(url))
        told = "\n".join(isolation_problems(alone))
        assert what in told
        assert "DATABASE_OWNER_URL" in told
        alone.dispose()


def test_sqlite_has_no_roles_to_complain_about(sqlite_database: Database):
    give_rights(sqlite_database)
    assert [*isolation_problems(sqlite_database)] == []
