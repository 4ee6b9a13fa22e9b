"""Row-level security: the second layer that keeps municipalities apart, in PostgreSQL itself.

The first layer (scope.py) is in our code. Where it fails (a mistake, plain SQL, an injection) the database gives no
row of another municipality, since the transaction carries a ticket for one. A ticket is the id of the municipality
with a code over it (HMAC-SHA-256); the key is in a table that the application's role may not read. So whoever gets
SQL of his own into a page can copy or remove the ticket there, but can't make one for another municipality.

Here is what migrations need. A migration that is on main is never edited and goes on meaning the same, so what
`protect` makes doesn't change either: for something else there will be another function.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from app.storage.tickets import INSTALLATION_WIDE, TICKET

OF_MUNICIPALITY: Final = "of_municipality"
OF_INSTALLATION: Final = "of_installation"

# In parentheses of its own, the function is asked once per statement and not once per row; an index still serves.
_HERE = "municipality_id = (SELECT permitted_municipality())"
_EVERYWHERE = f"(SELECT current_setting('{INSTALLATION_WIDE}', true)) = 'on'"

_CHANCE = " || ".join(["uuid_send(gen_random_uuid())"] * 4)
_KEY = (
    """
    CREATE TABLE isolation_key (
        inner_key bytea NOT NULL,
        outer_key bytea NOT NULL,
        is_only boolean DEFAULT true CONSTRAINT pk_isolation_key PRIMARY KEY,
        CONSTRAINT ck_isolation_key_one CHECK (is_only)
    )
    """,
    "REVOKE ALL ON isolation_key FROM PUBLIC",
    f"INSERT INTO isolation_key (inner_key, outer_key) SELECT {_CHANCE}, {_CHANCE}",
    # Names are looked up now (RETURN, PostgreSQL 14), so that nobody can slip in a table of his own later.
    f"""
    CREATE FUNCTION permitted_municipality() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    RETURN (
        SELECT CAST(left(given.ticket, 32) AS uuid)
        FROM isolation_key, (SELECT current_setting('{TICKET}', true)) AS given (ticket)
        WHERE substr(given.ticket, 33)
            = encode(sha256(outer_key || sha256(inner_key || convert_to(left(given.ticket, 32), 'UTF8'))), 'hex')
    )
    """,  # noqa: S608  # the one name in it is ours
)


def protect(table: str) -> None:
    """For the migration that makes a table with `MunicipalityScoped`. SQLite has no such thing: nothing happens."""
    if _is_postgresql():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")  # for its owner too
        op.execute(f"CREATE POLICY {OF_MUNICIPALITY} ON {table} USING ({_HERE}) WITH CHECK ({_HERE})")
        everywhere = f"USING ({_EVERYWHERE}) WITH CHECK ({_EVERYWHERE})"
        op.execute(f"CREATE POLICY {OF_INSTALLATION} ON {table} TO CURRENT_USER {everywhere}")


def unprotect(table: str) -> None:
    """For the downgrade of a migration that protected a table that stays. A dropped table takes all of it along."""
    if _is_postgresql():
        op.execute(f"DROP POLICY {OF_INSTALLATION} ON {table}")
        op.execute(f"DROP POLICY {OF_MUNICIPALITY} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def add_key() -> None:
    """The key of the tickets, made by the database's own source of chance, and the function that checks a ticket."""
    if _is_postgresql():
        for statement in _KEY:
            op.execute(statement)


def remove_key() -> None:
    if _is_postgresql():
        op.execute("DROP FUNCTION permitted_municipality()")
        op.execute("DROP TABLE isolation_key")


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"
