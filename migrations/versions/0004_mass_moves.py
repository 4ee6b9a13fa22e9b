"""Many runs that move by one act"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mass_move",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("to_version", sa.String(), nullable=False),
        sa.Column("to_digest", sa.String(), nullable=False),
        sa.Column("chosen", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worker", sa.Uuid(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.Uuid(), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=op.f("fk_mass_move_municipality_id")),
        sa.ForeignKeyConstraint(["started_by"], ["user_account.id"], name=op.f("fk_mass_move_started_by")),
        sa.ForeignKeyConstraint(["stopped_by"], ["user_account.id"], name=op.f("fk_mass_move_stopped_by")),
        sa.ForeignKeyConstraint(["to_digest"], ["plan_version.digest"], name=op.f("fk_mass_move_to_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mass_move")),
    )
    with op.batch_alter_table("mass_move", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mass_move_municipality_id_started_at", ["municipality_id", "started_at"], unique=False
        )

    op.create_table(
        "mass_move_run",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("mass_move_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("from_digest", sa.String(), nullable=False),
        sa.Column("shown", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("told", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('waiting', 'moved', 'proposed', 'refused', 'failed')", name=op.f("ck_mass_move_run_outcome")
        ),
        sa.ForeignKeyConstraint(["from_digest"], ["plan_version.digest"], name=op.f("fk_mass_move_run_from_digest")),
        sa.ForeignKeyConstraint(["mass_move_id"], ["mass_move.id"], name=op.f("fk_mass_move_run_mass_move_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_mass_move_run_municipality_id")
        ),
        sa.PrimaryKeyConstraint("mass_move_id", "run_id", name=op.f("pk_mass_move_run")),
    )
    with op.batch_alter_table("mass_move_run", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mass_move_run_mass_move_id_outcome_run_id", ["mass_move_id", "outcome", "run_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("mass_move_run", schema=None) as batch_op:
        batch_op.drop_index("ix_mass_move_run_mass_move_id_outcome_run_id")

    op.drop_table("mass_move_run")
    with op.batch_alter_table("mass_move", schema=None) as batch_op:
        batch_op.drop_index("ix_mass_move_municipality_id_started_at")

    op.drop_table("mass_move")
