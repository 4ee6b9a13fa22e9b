"""Forms that were answered, so that the same one sent again has no second effect"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answered_form",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_answered_form_user_id")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_answered_form")),
    )
    with op.batch_alter_table("answered_form", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answered_form_answered_at"), ["answered_at"], unique=False)


def downgrade() -> None:
    op.drop_table("answered_form")
