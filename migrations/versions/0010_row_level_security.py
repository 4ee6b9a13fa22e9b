"""On PostgreSQL a transaction sees the rows of the municipality for which it carries a ticket"""

from alembic import op

from app.storage.row_level import add_key, protect, remove_key, unprotect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = (
    "account_event",
    "answer",
    "evidence",
    "local_plan",
    "log_entry",
    "log_head",
    "mass_move",
    "mass_move_run",
    "run",
    "run_event",
    "run_member",
    "run_text",
    "seal",
    "signed_head",
    "stage_instance",
    "step_state",
    "witness_progress",
)
# What happens to an account is told to each municipality that it works for, also before somebody is signed in.
TOLD = "EXISTS (SELECT 1 FROM membership WHERE user_id = about AND membership.municipality_id = account_event.municipality_id)"


def upgrade() -> None:
    add_key()
    for table in TABLES:
        protect(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"CREATE POLICY told_to_members ON account_event FOR INSERT WITH CHECK ({TOLD})")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP POLICY told_to_members ON account_event")
    for table in TABLES:
        unprotect(table)
    remove_key()
