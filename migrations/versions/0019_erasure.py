"""Personal data can be erased: who asked and confirmed what, and commitments to texts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.storage.row_level import protect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# PostgreSQL keeps values of a column for its planner, also of what was erased. Nothing is planned by what people wrote.
WRITTEN = {
    "answer": ("value",),
    "run_text": ("text",),
    "evidence": ("title", "source", "file_name", "url", "note"),
    "run": ("name", "purpose"),
    "mass_move": ("reason",),
    "local_plan": ("reason",),
    "user_account": ("name",),
    "login_session": ("address", "device"),
    "passkey": ("name",),
}
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("run_text", schema=None) as batch_op:
        batch_op.add_column(sa.Column("salt", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("commitment", sa.String(), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("items", JSON, nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("files", JSON, nullable=True),
        sa.Column("cleaned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('asked', 'declined', 'done')", name=op.f("ck_erasure_status")),
        sa.CheckConstraint(
            "status = 'asked' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)", name=op.f("ck_erasure_decided")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["user_account.id"], name=op.f("fk_erasure_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.id"], name=op.f("fk_erasure_decided_by")),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=op.f("fk_erasure_municipality_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.create_index("ix_erasure_municipality_id_asked_at", ["municipality_id", "asked_at"], unique=False)

    protect("erasure")
    if op.get_context().dialect.name != "sqlite":
        for table, column in ((table, column) for table, columns in WRITTEN.items() for column in columns):
            kind = "jsonb" if column == "value" else "varchar"
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
            # To the type that it has: this forgets the values that were kept so far.
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}")


def downgrade() -> None:
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.drop_index("ix_erasure_municipality_id_asked_at")

    op.drop_table("erasure")
    with op.batch_alter_table("run_text", schema=None) as batch_op:
        batch_op.drop_column("commitment")
        batch_op.drop_column("salt")
    if op.get_context().dialect.name != "sqlite":
        for table, column in ((table, column) for table, columns in WRITTEN.items() for column in columns):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS -1")
