"""Runs with advice that waits for an answer"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RUN = sa.table(
    "run",
    sa.column("id", sa.Uuid()),
    sa.column("state", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
    sa.column("advice_waits_since", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("advice_waits_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_run_advice_waits_since_municipality_id", ["advice_waits_since", "municipality_id"], unique=False
        )
    connection = op.get_bind()
    advised = sa.select(RUN.c.id, RUN.c.state).where(sa.cast(RUN.c.state, sa.Text()).like('%"advice"%'))
    waiting = []
    for run_id, state in connection.execute(advised):
        given = [each["at"] for each in state.get("advice", ()) if not each.get("answer")]
        if given:
            waiting.append((run_id, min(datetime.fromisoformat(at).astimezone(UTC) for at in given)))
    for run_id, since in waiting:
        connection.execute(sa.update(RUN).where(RUN.c.id == run_id).values(advice_waits_since=since))


def downgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_advice_waits_since_municipality_id")
        batch_op.drop_column("advice_waits_since")
