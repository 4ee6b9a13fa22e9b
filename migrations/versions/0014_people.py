"""Accounts that belong to one person, and mandates for who is absent"""

import sqlalchemy as sa
from alembic import op

from app.storage.row_level import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A mandate is what a decision was taken on: nothing of it changes but its end, once.
FIXED = "id, municipality_id, mandator_id, deputy_id, first_day, last_day, ground, recorded_by, recorded_at"
POSTGRESQL = (
    f"CREATE TRIGGER mandate_fixed BEFORE UPDATE OF {FIXED} ON mandate FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    """
    CREATE TRIGGER mandate_withdrawn_once BEFORE UPDATE ON mandate
    FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL) EXECUTE FUNCTION refuse_change()
    """,
    "CREATE TRIGGER mandate_stays BEFORE DELETE ON mandate FOR EACH ROW EXECUTE FUNCTION refuse_change()",
)
SQLITE = (
    f"""
    CREATE TRIGGER mandate_fixed BEFORE UPDATE OF {FIXED} ON mandate
    BEGIN SELECT RAISE(ABORT, 'mandate is fixed'); END
    """,
    """
    CREATE TRIGGER mandate_withdrawn_once BEFORE UPDATE ON mandate WHEN OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'mandate was withdrawn'); END
    """,
    "CREATE TRIGGER mandate_stays BEFORE DELETE ON mandate BEGIN SELECT RAISE(ABORT, 'mandate stays'); END",
)


def upgrade() -> None:
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("person_id", sa.Uuid(), nullable=True))
    op.create_table(
        "same_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("one", sa.Uuid(), nullable=False),
        sa.Column("other", sa.Uuid(), nullable=False),
        sa.Column("municipality_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ended_by"], ["user_account.id"], name=op.f("fk_same_person_ended_by")),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=op.f("fk_same_person_municipality_id")),
        sa.ForeignKeyConstraint(["one"], ["user_account.id"], name=op.f("fk_same_person_one")),
        sa.ForeignKeyConstraint(["other"], ["user_account.id"], name=op.f("fk_same_person_other")),
        sa.ForeignKeyConstraint(["recorded_by"], ["user_account.id"], name=op.f("fk_same_person_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_same_person")),
    )
    with op.batch_alter_table("same_person", schema=None) as batch_op:
        batch_op.create_index("ix_same_person_one", ["one"], unique=False)
        batch_op.create_index("ix_same_person_other", ["other"], unique=False)
    op.create_table(
        "mandate",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mandator_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_mandate_period")),
        sa.CheckConstraint("mandator_id <> deputy_id", name=op.f("ck_mandate_two_people")),
        sa.ForeignKeyConstraint(["deputy_id"], ["user_account.id"], name=op.f("fk_mandate_deputy_id")),
        sa.ForeignKeyConstraint(["mandator_id"], ["user_account.id"], name=op.f("fk_mandate_mandator_id")),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name=op.f("fk_mandate_municipality_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["user_account.id"], name=op.f("fk_mandate_recorded_by")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["user_account.id"], name=op.f("fk_mandate_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index("ix_mandate_deputy_id", ["deputy_id"], unique=False)
        batch_op.create_index("ix_mandate_mandator_id", ["mandator_id"], unique=False)
        batch_op.create_index("ix_mandate_municipality_id_last_day", ["municipality_id", "last_day"], unique=False)
    protect("mandate")
    for statement in SQLITE if op.get_context().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("mandate")
    op.drop_table("same_person")
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_column("person_id")
