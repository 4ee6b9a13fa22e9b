"""Conditions of approvals that somebody still has to do something about"""

import sqlalchemy as sa
from alembic import op

from app.storage.row_level import protect, unprotect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_point",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("text_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'reported')", name=op.f("ck_open_point_state")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_open_point_municipality_id_municipality")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_open_point_owner_id_user_account")),
        sa.ForeignKeyConstraint(
            ["run_id", "ref"],
            ["stage_instance.run_id", "stage_instance.ref"],
            name=op.f("fk_open_point_run_id_ref_stage_instance"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_open_point_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "id", name=op.f("pk_open_point")),
    )
    with op.batch_alter_table("open_point") as table:
        table.create_index(op.f("ix_open_point_owner_id"), ["owner_id"])
        table.create_index("ix_open_point_state_municipality_id_due", ["state", "municipality_id", "due"])
    protect("open_point")


def downgrade() -> None:
    unprotect("open_point")
    op.drop_table("open_point")
