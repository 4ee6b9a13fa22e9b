"""Runs that are open to somebody who may not see all, and the period of an auditor"""

import sqlalchemy as sa
from alembic import op

from app.storage.row_level import protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auditor_limit",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("chosen_runs_only", sa.Boolean(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_auditor_limit_period")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_auditor_limit_municipality_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_auditor_limit_user_id")),
        sa.PrimaryKeyConstraint("user_id", "municipality_id", name=op.f("pk_auditor_limit")),
    )
    with op.batch_alter_table("auditor_limit", schema=None) as batch_op:
        batch_op.create_index("ix_auditor_limit_municipality_id", ["municipality_id"], unique=False)

    op.create_table(
        "run_access",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.CheckConstraint("role IN ('adviser', 'auditor')", name=op.f("ck_run_access_role")),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=op.f("fk_run_access_municipality_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_access_run_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_run_access_user_id")),
        sa.PrimaryKeyConstraint("user_id", "run_id", "role", name=op.f("pk_run_access")),
    )
    with op.batch_alter_table("run_access", schema=None) as batch_op:
        batch_op.create_index("ix_run_access_run_id", ["run_id"], unique=False)
    protect("run_access")


def downgrade() -> None:
    with op.batch_alter_table("run_access", schema=None) as batch_op:
        batch_op.drop_index("ix_run_access_run_id")

    op.drop_table("run_access")
    with op.batch_alter_table("auditor_limit", schema=None) as batch_op:
        batch_op.drop_index("ix_auditor_limit_municipality_id")

    op.drop_table("auditor_limit")
