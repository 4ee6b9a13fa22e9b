"""Which pinned plans runs can still start on"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plan_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("status", sa.String(), server_default="released", nullable=False))
        batch_op.create_check_constraint(op.f("ck_plan_version_status"), "status IN ('released', 'retired')")


def downgrade() -> None:
    with op.batch_alter_table("plan_version", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_plan_version_status"), type_="check")
        batch_op.drop_column("status")
