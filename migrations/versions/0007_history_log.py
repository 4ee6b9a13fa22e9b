"""A log of all events per municipality, as a Merkle tree, with signed heads; events that are there get their place"""

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPEND_ONLY = ("log_entry", "signed_head")
ROWS_AT_ONCE = 1000

POSTGRESQL_UP = (
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in APPEND_ONLY
    ),
    *(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table in (*APPEND_ONLY, "log_head")
    ),
    """
    CREATE FUNCTION refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head FOR EACH ROW
    WHEN (NEW.size <= OLD.size OR NEW.municipality_id <> OLD.municipality_id) EXECUTE FUNCTION refuse_shrinking()
    """,
    "CREATE TRIGGER log_head_stays BEFORE DELETE ON log_head FOR EACH ROW EXECUTE FUNCTION refuse_shrinking()",
)
SQLITE_UP = (
    *(
        f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in APPEND_ONLY
        for change in ("update", "delete")
    ),
    """
    CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head
    WHEN NEW.size <= OLD.size OR NEW.municipality_id <> OLD.municipality_id
    BEGIN SELECT RAISE(ABORT, 'log_head only grows'); END
    """,
    "CREATE TRIGGER log_head_stays BEFORE DELETE ON log_head BEGIN SELECT RAISE(ABORT, 'log_head only grows'); END",
)


def upgrade() -> None:
    _create_tables()
    _fill(op.get_bind())
    for statement in SQLITE_UP if op.get_context().dialect.name == "sqlite" else POSTGRESQL_UP:
        op.execute(statement)


def _create_tables() -> None:
    municipality = ["municipality_id"], ["municipality.id"]
    op.create_table(
        "log_entry",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("leaf", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(*municipality, name=op.f("fk_log_entry_municipality_id")),
        sa.ForeignKeyConstraint(
            ["run_id", "sequence"],
            ["run_event.run_id", "run_event.sequence"],
            name=op.f("fk_log_entry_run_id_sequence"),
        ),
        sa.PrimaryKeyConstraint("municipality_id", "position", name=op.f("pk_log_entry")),
        sa.UniqueConstraint("run_id", "sequence", name=op.f("uq_log_entry_run_id_sequence")),
    )
    op.create_table(
        "log_head",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("peaks", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(*municipality, name=op.f("fk_log_head_municipality_id")),
        sa.PrimaryKeyConstraint("municipality_id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "signed_head",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(*municipality, name=op.f("fk_signed_head_municipality_id")),
        sa.PrimaryKeyConstraint("municipality_id", "number", name=op.f("pk_signed_head")),
    )
    op.create_table(
        "witness_progress",
        sa.Column("municipality_id", sa.Uuid(), nullable=False),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(*municipality, name=op.f("fk_witness_progress_municipality_id")),
        sa.PrimaryKeyConstraint("municipality_id", "witness", name=op.f("pk_witness_progress")),
    )


# --- events that are there ---------------------------------------------------------------------------------------------
# In the order in which they happened. What a request calls now can lie a moment before the event that it followed, so
# that within a run the time is the latest so far: sequence numbers keep their order.

EVENTS = sa.text(
    """
    SELECT municipality_id, run_id, sequence, kind, data, by, at FROM (
        SELECT *, MAX(at) OVER (PARTITION BY run_id ORDER BY sequence) AS happened FROM run_event
    ) AS event ORDER BY municipality_id, happened, run_id, sequence
    """
).columns(
    municipality_id=sa.Uuid(),
    run_id=sa.Uuid(),
    sequence=sa.Integer(),
    kind=sa.String(),
    data=sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
    by=sa.Uuid(),
    at=sa.DateTime(timezone=True),
)
ENTRIES = sa.table(
    "log_entry",
    sa.column("municipality_id", sa.Uuid()),
    sa.column("position", sa.Integer()),
    sa.column("run_id", sa.Uuid()),
    sa.column("sequence", sa.Integer()),
    sa.column("origin", sa.String()),
    sa.column("leaf", sa.String()),
)
HEADS = sa.table(
    "log_head",
    sa.column("municipality_id", sa.Uuid()),
    sa.column("size", sa.Integer()),
    sa.column("peaks", sa.String()),
)


def _fill(connection: sa.Connection) -> None:
    rows = []
    municipality, size, peaks = None, 0, []
    found = connection.execute(EVENTS.execution_options(yield_per=ROWS_AT_ONCE))
    for event in found:
        if event.municipality_id != municipality:
            _write_head(connection, municipality, size, peaks)
            municipality, size, peaks = event.municipality_id, 0, []
        leaf = hashlib.sha256(b"\x00" + _entry(size, event)).digest()
        rows.append(
            {
                "municipality_id": municipality,
                "position": size,
                "run_id": event.run_id,
                "sequence": event.sequence,
                "origin": "earlier",
                "leaf": leaf.hex(),
            }
        )
        _append(peaks, size, leaf)
        size += 1
        if len(rows) == ROWS_AT_ONCE:
            connection.execute(sa.insert(ENTRIES), rows)
            rows = []
    if rows:
        connection.execute(sa.insert(ENTRIES), rows)
    _write_head(connection, municipality, size, peaks)


def _write_head(connection: sa.Connection, municipality: object, size: int, peaks: list[bytes]) -> None:
    if size:
        row = {"municipality_id": municipality, "size": size, "peaks": b"".join(peaks).hex()}
        connection.execute(sa.insert(HEADS), row)


def _append(peaks: list[bytes], size: int, node: bytes) -> None:
    while size & 1:
        node = hashlib.sha256(b"\x01" + peaks.pop() + node).digest()
        size >>= 1
    peaks.append(node)


def _entry(position: int, event: sa.Row) -> bytes:
    """Format 1, as in app/engine/log.py; a later one is no matter of this migration."""
    entry = {
        "format": 1,
        "position": position,
        "run": str(event.run_id),
        "sequence": event.sequence,
        "kind": event.kind,
        "data": event.data,
        "by": str(event.by),
        "at": _moment(event.at),
        "origin": "earlier",
    }
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f").encode("ascii")


def _moment(at: datetime) -> str:
    if at.tzinfo is not None:
        at = at.astimezone(UTC).replace(tzinfo=None)
    return at.isoformat(timespec="microseconds") + "Z"


def downgrade() -> None:
    """Signed heads are lost; those that a witness has are not."""
    for table in ("witness_progress", "signed_head", "log_head", "log_entry"):
        op.drop_table(table)
    if op.get_context().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_shrinking()")
