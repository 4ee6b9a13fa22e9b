"""Personal data in the legal ground of a mandate can be erased; for the rest a mandate stays as it is"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# As in 0014, without the ground.
FIXED = "id, municipality_id, mandator_id, deputy_id, first_day, last_day, recorded_by, recorded_at"
END = "withdrawn_by, withdrawn_at"
MARK = "[gewist]"
ASKED = "SELECT 1 FROM erasure WHERE municipality_id = OLD.municipality_id AND status = 'done' AND cleaned_at IS NULL"

DROP = ("mandate_fixed", "mandate_withdrawn_once")
POSTGRESQL_UP = (
    # To the type that it has: this forgets what the planner kept of it so far, and cannot be done under a trigger.
    "ALTER TABLE mandate ALTER COLUMN ground SET STATISTICS 0",
    "ALTER TABLE mandate ALTER COLUMN ground TYPE varchar",
    f"""
    CREATE FUNCTION refuse_without_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.ground LIKE '%{MARK}%' AND EXISTS (
            {ASKED} AND items @> jsonb_build_array(jsonb_build_object('kind', 'mandate', 'id', CAST(OLD.id AS text)))
        ) THEN RETURN NEW; END IF;
        RAISE EXCEPTION 'the ground of a mandate stays' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    f"CREATE TRIGGER mandate_fixed BEFORE UPDATE OF {FIXED} ON mandate FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    f"""
    CREATE TRIGGER mandate_withdrawn_once BEFORE UPDATE OF {END} ON mandate
    FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL) EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER mandate_ground_stays BEFORE UPDATE OF ground ON mandate
    FOR EACH ROW EXECUTE FUNCTION refuse_without_erasure()
    """,
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER mandate_ground_stays ON mandate",
    "DROP FUNCTION refuse_without_erasure()",
    "ALTER TABLE mandate ALTER COLUMN ground SET STATISTICS -1",
    f"""
    CREATE TRIGGER mandate_fixed BEFORE UPDATE OF {FIXED}, ground ON mandate
    FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER mandate_withdrawn_once BEFORE UPDATE ON mandate
    FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL) EXECUTE FUNCTION refuse_change()
    """,
)
SQLITE_UP = (
    f"""
    CREATE TRIGGER mandate_fixed BEFORE UPDATE OF {FIXED} ON mandate
    BEGIN SELECT RAISE(ABORT, 'mandate is fixed'); END
    """,
    f"""
    CREATE TRIGGER mandate_withdrawn_once BEFORE UPDATE OF {END} ON mandate WHEN OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'mandate was withdrawn'); END
    """,
    f"""
    CREATE TRIGGER mandate_ground_stays BEFORE UPDATE OF ground ON mandate
    WHEN NEW.ground NOT LIKE '%{MARK}%' OR NOT EXISTS (
        {ASKED} AND EXISTS (
            SELECT 1 FROM json_each(erasure.items) AS item
            WHERE json_extract(item.value, '$.kind') = 'mandate'
                AND replace(json_extract(item.value, '$.id'), '-', '') = OLD.id
        )
    )
    BEGIN SELECT RAISE(ABORT, 'the ground of a mandate stays'); END
    """,  # noqa: S608  # ours
)
SQLITE_DOWN = (
    "DROP TRIGGER mandate_ground_stays",
    f"""
    CREATE TRIGGER mandate_fixed BEFORE UPDATE OF {FIXED}, ground ON mandate
    BEGIN SELECT RAISE(ABORT, 'mandate is fixed'); END
    """,
    """
    CREATE TRIGGER mandate_withdrawn_once BEFORE UPDATE ON mandate WHEN OLD.withdrawn_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'mandate was withdrawn'); END
    """,
)


def upgrade() -> None:
    _replace(SQLITE_UP if _is_sqlite() else POSTGRESQL_UP)


def downgrade() -> None:
    _replace(SQLITE_DOWN if _is_sqlite() else POSTGRESQL_DOWN)


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _replace(statements: tuple[str, ...]) -> None:
    for name in DROP:
        op.execute(f"DROP TRIGGER {name}" if _is_sqlite() else f"DROP TRIGGER {name} ON mandate")
    for statement in statements:
        op.execute(statement)
