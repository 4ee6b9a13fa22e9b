"""Plans of a municipality; documents of plans in a table of their own, which says nothing of whose they are"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OF_A_VERSION = ("plan_id", "version", "title", "status", "added_at")

# A released plan is what runs follow and what people were told; only whether it is in use may change.
STAYS = ("source", "digest", "plan_id", "version", "extends_plan", "extends_version", "released_by", "released_at")
SQLITE_TRIGGER = f"""
CREATE TRIGGER local_plan_stays BEFORE UPDATE OF {", ".join(STAYS)} ON local_plan WHEN OLD.status <> 'draft'
BEGIN SELECT RAISE(ABORT, 'a released local_plan never changes'); END
"""
POSTGRESQL_TRIGGER = f"""
CREATE TRIGGER local_plan_stays BEFORE UPDATE OF {", ".join(STAYS)} ON local_plan
FOR EACH ROW WHEN (OLD.status <> 'draft') EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    # Renamed, so that what refers to a digest goes along; the list of national versions is made anew beside it.
    op.rename_table("plan_version", "plan_document")
    if not is_sqlite:
        op.drop_constraint(op.f("uq_plan_version_plan_id_version"), "plan_document", type_="unique")
        op.drop_constraint(op.f("ck_plan_version_status"), "plan_document", type_="check")
        op.execute("ALTER TABLE plan_document RENAME CONSTRAINT pk_plan_version TO pk_plan_document")
    _create_plan_version()
    columns = ", ".join(("digest", *OF_A_VERSION))
    op.execute(f"INSERT INTO plan_version ({columns}) SELECT {columns} FROM plan_document")  # noqa: S608  # ours
    with op.batch_alter_table("plan_document", copy_from=_documents()) as batch_op:
        for name in OF_A_VERSION if not is_sqlite else ():
            batch_op.drop_column(name)
        if is_sqlite:
            batch_op.alter_column("document", existing_type=DOCUMENT, nullable=False)
    _create_local_plan()
    op.execute(SQLITE_TRIGGER if is_sqlite else POSTGRESQL_TRIGGER)


def _documents() -> sa.Table:
    """As it is afterwards: SQLite copies these columns to a new table."""
    return sa.Table(
        "plan_document",
        sa.MetaData(),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_plan_document")),
    )


def _create_plan_version() -> None:
    op.create_table(
        "plan_version",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="released", nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('released', 'retired')", name=op.f("ck_plan_version_status")),
        sa.ForeignKeyConstraint(["digest"], ["plan_document.digest"], name=op.f("fk_plan_version_digest")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("plan_id", "version", name=op.f("uq_plan_version_plan_id_version")),
    )


def _create_local_plan() -> None:
    op.create_table(
        "local_plan",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("extends_plan", sa.String(), nullable=True),
        sa.Column("extends_version", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("retired_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'released', 'retired')", name=op.f("ck_local_plan_status")),
        sa.CheckConstraint(
            "status = 'draft' OR (released_by IS NOT NULL AND released_at IS NOT NULL)",
            name=op.f("ck_local_plan_released"),
        ),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=op.f("fk_local_plan_municipality_id")),
        sa.ForeignKeyConstraint(["released_by"], ["user_account.id"], name=op.f("fk_local_plan_released_by")),
        sa.ForeignKeyConstraint(["retired_by"], ["user_account.id"], name=op.f("fk_local_plan_retired_by")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["user_account.id"], name=op.f("fk_local_plan_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_plan")),
        sa.UniqueConstraint(
            "municipality_id", "plan_id", "version", name=op.f("uq_local_plan_municipality_id_plan_id_version")
        ),
    )
    with op.batch_alter_table("local_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_local_plan_digest"), ["digest"], unique=False)


def downgrade() -> None:
    """Plans of a municipality that runs follow become plans of everybody: the earlier version knows no other."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    with op.batch_alter_table("plan_document") as batch_op:
        for name in OF_A_VERSION:
            kind = sa.DateTime(timezone=True) if name == "added_at" else sa.String()
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    for name in OF_A_VERSION:
        local = {"status": "'retired'", "added_at": "MIN(released_at)"}.get(name, f"MIN({name})")
        op.execute(
            f"UPDATE plan_document SET {name} = COALESCE("  # noqa: S608  # ours
            f"(SELECT {name} FROM plan_version v WHERE v.digest = plan_document.digest), "
            f"(SELECT {local} FROM local_plan l WHERE l.digest = plan_document.digest))"
        )
    op.drop_table("local_plan")
    op.drop_table("plan_version")
    op.rename_table("plan_document", "plan_version")
    if not is_sqlite:
        op.execute("ALTER TABLE plan_version RENAME CONSTRAINT pk_plan_document TO pk_plan_version")
    with op.batch_alter_table("plan_version") as batch_op:
        for name in OF_A_VERSION:
            kind = sa.DateTime(timezone=True) if name == "added_at" else sa.String()
            default = "released" if name == "status" else None
            batch_op.alter_column(name, existing_type=kind, nullable=False, server_default=default)
        batch_op.create_unique_constraint(op.f("uq_plan_version_plan_id_version"), ["plan_id", "version"])
        batch_op.create_check_constraint(op.f("ck_plan_version_status"), "status IN ('released', 'retired')")
