"""Events can't be changed or removed, not even by a mistake in our own code"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

POSTGRESQL_UP = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER run_event_append_only BEFORE UPDATE OR DELETE ON run_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER run_event_no_truncate BEFORE TRUNCATE ON run_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)
SQLITE_UP = tuple(
    f"""
    CREATE TRIGGER run_event_no_{change} BEFORE {change} ON run_event
    BEGIN SELECT RAISE(ABORT, 'run_event is append-only'); END
    """
    for change in ("update", "delete")
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER run_event_no_truncate ON run_event",
    "DROP TRIGGER run_event_append_only ON run_event",
    "DROP FUNCTION refuse_change()",
)
SQLITE_DOWN = ("DROP TRIGGER run_event_no_update", "DROP TRIGGER run_event_no_delete")


def upgrade() -> None:
    for statement in SQLITE_UP if op.get_context().dialect.name == "sqlite" else POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in SQLITE_DOWN if op.get_context().dialect.name == "sqlite" else POSTGRESQL_DOWN:
        op.execute(statement)
