"""Old events of accounts may go, but only when it is written down what goes, and none younger than a year"""

import sqlalchemy as sa
from alembic import op

from app.storage.row_level import protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CUT = "SELECT 1 FROM account_log_cut c WHERE c.municipality_id = OLD.municipality_id AND c.until > OLD.at"
POSTGRESQL_UP = (
    "DROP TRIGGER account_event_append_only ON account_event",
    f"""
    CREATE FUNCTION refuse_without_cut() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS ({CUT}) THEN RETURN OLD; END IF;
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE FUNCTION refuse_young_cut() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.until <= now() - interval '365 days' THEN RETURN NEW; END IF;
        RAISE EXCEPTION 'events of accounts stay a year at least' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    "CREATE TRIGGER account_event_append_only BEFORE UPDATE ON account_event "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER account_event_no_delete BEFORE DELETE ON account_event "
    "FOR EACH ROW EXECUTE FUNCTION refuse_without_cut()",
    "CREATE TRIGGER account_log_cut_not_young BEFORE INSERT ON account_log_cut "
    "FOR EACH ROW EXECUTE FUNCTION refuse_young_cut()",
    "CREATE TRIGGER account_log_cut_append_only BEFORE UPDATE OR DELETE ON account_log_cut "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER account_log_cut_no_truncate BEFORE TRUNCATE ON account_log_cut "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER account_event_no_delete ON account_event",
    "DROP TRIGGER account_event_append_only ON account_event",
    "CREATE TRIGGER account_event_append_only BEFORE UPDATE OR DELETE ON account_event "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
)
SQLITE_UP = (
    "DROP TRIGGER account_event_no_delete",
    f"CREATE TRIGGER account_event_no_delete BEFORE DELETE ON account_event WHEN NOT EXISTS ({CUT}) "
    "BEGIN SELECT RAISE(ABORT, 'account_event is append-only'); END",
    "CREATE TRIGGER account_log_cut_not_young BEFORE INSERT ON account_log_cut "
    "WHEN NEW.until > datetime('now', '-365 days') "
    "BEGIN SELECT RAISE(ABORT, 'events of accounts stay a year at least'); END",
    *(
        f"CREATE TRIGGER account_log_cut_no_{change} BEFORE {change} ON account_log_cut "
        "BEGIN SELECT RAISE(ABORT, 'account_log_cut is append-only'); END"
        for change in ("update", "delete")
    ),
)
SQLITE_DOWN = (
    "DROP TRIGGER account_event_no_delete",
    "CREATE TRIGGER account_event_no_delete BEFORE DELETE ON account_event "
    "BEGIN SELECT RAISE(ABORT, 'account_event is append-only'); END",
)


def upgrade() -> None:
    op.create_table(
        "account_log_cut",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_account_log_cut_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_log_cut")),
    )
    with op.batch_alter_table("account_log_cut", schema=None) as batch_op:
        batch_op.create_index("ix_account_log_cut_municipality_id_until", ["municipality_id", "until"], unique=False)
    protect("account_log_cut")
    for statement in SQLITE_UP if op.get_context().dialect.name == "sqlite" else POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_DOWN if is_sqlite else POSTGRESQL_DOWN:
        op.execute(statement)
    with op.batch_alter_table("account_log_cut", schema=None) as batch_op:
        batch_op.drop_index("ix_account_log_cut_municipality_id_until")

    op.drop_table("account_log_cut")
    if not is_sqlite:
        op.execute("DROP FUNCTION refuse_young_cut()")
        op.execute("DROP FUNCTION refuse_without_cut()")
