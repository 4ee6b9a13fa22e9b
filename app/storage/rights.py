"""What the application's role may do in PostgreSQL, table by table; the owner of the tables gives it at each start.

A right that is not here it does not have: a mistake or an injection in a page can't remove history, change what was
sealed or add a national plan. Which rows of a table it reaches is a matter of its own: see row_level.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, text

from app.storage.database import Database
from app.storage.row_level import OF_INSTALLATION
from app.storage.scope import scoped_tables
from app.storage.upgrade import migrating

READ: Final = frozenset({"SELECT"})
ADD: Final = READ | {"INSERT"}
CHANGE: Final = ADD | {"UPDATE"}
ADD_AND_REMOVE: Final = ADD | {"DELETE"}
ALL: Final = CHANGE | {"DELETE"}

KEY_TABLE: Final = "isolation_key"  # see row_level.py; no right at all

# Comments where it is not plain from what the table is for.
RIGHTS: Final[Mapping[str, frozenset[str]]] = {
    "alembic_version": READ,  # to say that it is ready
    "municipality": CHANGE,  # UPDATE also to lock the row while its administrators change
    # Accounts: of no municipality, and asked for before anybody is signed in.
    "user_account": CHANGE,  # names are erased by changing them
    "same_person": CHANGE,  # taken back by writing when
    "membership": ADD_AND_REMOVE,
    "auditor_limit": ALL,
    "operator": READ,  # made on the command line, over the connection of the owner
    "login_session": ALL,
    "pending_sign_in": ADD_AND_REMOVE,
    "authenticator_app": ALL,
    "recovery_code": ALL,
    "passkey": ALL,
    "spent_challenge": ADD_AND_REMOVE,
    "account_link": ALL,
    "account_event": ADD,
    "mandate": CHANGE,  # withdrawn, once, and erased from; triggers keep the rest as it was
    "account_log_cut": READ,  # only the owner removes events, and writes that down
    "login_attempt": ADD_AND_REMOVE,
    "provider_account": ALL,
    "provider_role": ADD_AND_REMOVE,
    "provider_flow": ADD_AND_REMOVE,
    "answered_form": ADD_AND_REMOVE,
    # Plans: the national ones come with the software, so they are added by the owner.
    "plan_document": ADD,
    "plan_version": READ,
    "local_plan": ALL,  # a draft can be removed; what was released a trigger protects
    # Runs. Whatever people gave stays, so hardly anything is ever removed.
    "run": CHANGE,
    "run_member": ADD_AND_REMOVE,
    "run_access": ADD_AND_REMOVE,
    "open_point": ADD_AND_REMOVE,
    "stage_instance": ALL,
    "step_state": ALL,
    "answer": CHANGE,
    "evidence": CHANGE,
    "run_text": CHANGE,
    "seal": ADD,
    "run_event": ADD,
    "log_entry": ADD,
    "log_head": CHANGE,
    "signed_head": ADD,
    "witness_progress": CHANGE,
    "mass_move": CHANGE,
    "mass_move_run": CHANGE,
    "erasure": CHANGE,
}


def give_rights(database: Database) -> None:
    """Exactly these to the application's role, and none to everybody. For the owner, after an upgrade."""
    if database.is_sqlite:
        return
    role = None if database.has_one_role else str(database.engine.url.username)
    with database.owner.connect() as connection:
        is_done = not any(_statements(connection, role))
    if not is_done:  # a start takes no locks without need
        with migrating(database.owner) as connection:
            for statement in [*_statements(connection, role)]:
                connection.execute(text(statement))


def _statements(connection: Connection, role: str | None) -> Iterator[str]:
    # The tables came to another owner, by restoring a backup for instance: what lets the owner through, goes along.
    for table in connection.execute(text(_POLICIES_OF_ANOTHER), {"policy": OF_INSTALLATION}).scalars():
        yield f"ALTER POLICY {OF_INSTALLATION} ON {table} TO CURRENT_USER"
    if role is not None:
        quoted = connection.dialect.identifier_preparer.quote(role)
        for table in _differences(connection, role):
            yield f"REVOKE ALL ON {table} FROM PUBLIC, {quoted}"
            if rights := _rights_on(table):
                yield f"GRANT {', '.join(sorted(rights))} ON {table} TO {quoted}"


_POLICIES_OF_ANOTHER: Final = """
SELECT relname FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
WHERE polname = :policy AND polroles <> ARRAY[(SELECT oid FROM pg_roles WHERE rolname = current_user)]
    AND relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
"""


def _differences(connection: Connection, role: str) -> Iterator[str]:
    """Tables on which this role, or everybody, has other rights than it should."""
    found: dict[str, set[tuple[bool, str]]] = {table: set() for table in (*RIGHTS, KEY_TABLE)}
    for table, is_everybody, right in connection.execute(text(_GIVEN), {"role": role, "tables": [*found]}):
        found[table].add((is_everybody, right))
    for table, given in found.items():
        if given != {(False, right) for right in _rights_on(table)}:
            yield table


def _rights_on(table: str) -> frozenset[str]:
    return RIGHTS.get(table, frozenset())


_GIVEN: Final = """
SELECT relname, grantee = 0, privilege_type
FROM pg_class, aclexplode(relacl), (SELECT oid AS role FROM pg_roles WHERE rolname = :role) AS asked
WHERE relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace) AND relname = ANY(:tables)
    AND grantee IN (0, role)
"""


# --- does it hold? ---------------------------------------------------------------------------------------------


def isolation_problems(database: Database) -> Iterator[str]:
    """Why PostgreSQL does not keep municipalities apart from whoever gets SQL into a page. Each is one sentence, with
    its remedy. Nothing on SQLite, which has neither roles nor row-level security."""
    if database.is_sqlite:
        return
    with database.engine.connect() as connection:
        role = connection.execute(text(_ROLE)).one()
        name = f"DATABASE_URL: the role {role.name}"
        for is_wrong, what in (
            (role.is_superuser, "is a superuser, or can become one"),
            (role.bypasses, "bypasses row-level security, or can become a role that does"),
            (role.is_owner, "owns tables, or can become their owner"),
            (role.creates_roles, "can create roles"),
            (role.creates_tables, "can create tables"),
            (role.reads_key, "can read the key with which tickets are made"),
            (role.reaches_server, "can read or write files of the server, or run programs on it"),
        ):
            if is_wrong:
                yield f"{name} {what}; {_REMEDY}"
        # An owner has them all, and that was said already.
        if not role.is_owner and (too_many := [*_rights_too_many(connection)]):
            yield f"{name} has rights that it should not have ({', '.join(too_many)}); {_REMEDY}"
        tables = sorted(scoped_tables())
        if bare := connection.execute(text(_BARE), {"tables": tables}).scalars().all():
            yield f"row-level security is off for {', '.join(bare)}: restore it from the migrations, or from a backup"


_REMEDY: Final = "give the application a role of its own, and the owner in DATABASE_OWNER_URL (docs/postgresql.md)"

_ROLE: Final = """
SELECT rolname AS name, rolcreaterole AS creates_roles,
    EXISTS (SELECT FROM pg_roles other WHERE other.rolsuper AND pg_has_role(me.oid, other.oid, 'MEMBER'))
        AS is_superuser,
    EXISTS (SELECT FROM pg_roles other WHERE other.rolbypassrls AND pg_has_role(me.oid, other.oid, 'MEMBER'))
        AS bypasses,
    EXISTS (
        SELECT FROM pg_class
        WHERE relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
            AND pg_has_role(me.oid, relowner, 'MEMBER')
    ) AS is_owner,
    has_schema_privilege(me.oid, current_schema(), 'CREATE') AS creates_tables,
    has_table_privilege(me.oid, 'isolation_key', 'SELECT') AS reads_key,
    EXISTS (
        SELECT FROM pg_roles other
        WHERE other.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
            AND pg_has_role(me.oid, other.oid, 'MEMBER')
    ) AS reaches_server
FROM pg_roles me WHERE rolname = current_user
"""
_BARE: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace) AND relname = ANY(:tables)
    AND NOT (relrowsecurity AND relforcerowsecurity)
ORDER BY relname
"""


def _rights_too_many(connection: Connection) -> Iterator[str]:
    asked = [(table, right) for table, given in RIGHTS.items() for right in _EVERY_RIGHT if right not in given]
    tables, rights = zip(*asked, strict=True)
    for table, right in connection.execute(text(_HELD), {"tables": [*tables], "rights": [*rights]}):
        yield f"{right} on {table}"


_EVERY_RIGHT: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_HELD: Final = """
SELECT named, held FROM unnest(CAST(:tables AS text[]), CAST(:rights AS text[])) AS asked (named, held)
WHERE has_table_privilege(current_user, named, held)
"""
