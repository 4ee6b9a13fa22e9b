"""On PostgreSQL the application has no right to change or remove what is append-only; SQLite knows no rights"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# UPDATE on run_event stays: PostgreSQL needs it for the foreign key of log_entry. There the trigger refuses it.
RIGHTS = {
    "log_entry": "UPDATE, DELETE, TRUNCATE",
    "signed_head": "UPDATE, DELETE, TRUNCATE",
    "log_head": "DELETE, TRUNCATE",
    "run_event": "DELETE, TRUNCATE",
}


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        for table, rights in RIGHTS.items():
            op.execute(f"REVOKE {rights} ON {table} FROM PUBLIC, CURRENT_USER")


def downgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        for table, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON {table} TO CURRENT_USER")
