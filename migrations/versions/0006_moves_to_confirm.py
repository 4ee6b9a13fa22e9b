"""Runs whose manager is asked to confirm a move"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_to_move_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_run_asked_to_move_at_municipality_id", ["asked_to_move_at", "municipality_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_asked_to_move_at_municipality_id")
        batch_op.drop_column("asked_to_move_at")
