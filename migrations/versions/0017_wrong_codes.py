"""Wrong codes of an authenticator app are counted over any time"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("authenticator_app", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wrong_codes", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("authenticator_app", schema=None) as batch_op:
        batch_op.drop_column("wrong_codes")
