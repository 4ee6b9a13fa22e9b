"""Operators of the installation, and municipalities that are closed"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# What an operator did is told to the municipality concerned, for which the operator does not work.
TOLD = """
    act IN ('municipality_added', 'municipality_renamed', 'municipality_closed', 'municipality_reopened')
    AND EXISTS (SELECT 1 FROM operator WHERE operator.user_id = account_event.by AND operator.disabled_at IS NULL)
"""


def upgrade() -> None:
    op.create_table(
        "operator",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_operator_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_operator")),
    )
    with op.batch_alter_table("municipality", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"CREATE POLICY told_by_operators ON account_event FOR INSERT WITH CHECK ({TOLD})")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP POLICY told_by_operators ON account_event")
    with op.batch_alter_table("municipality", schema=None) as batch_op:
        batch_op.drop_column("closed_at")

    op.drop_table("operator")
