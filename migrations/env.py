"""Runs migrations on the connection that app/storage/upgrade.py hands over, or else on the configured database."""

from contextlib import nullcontext
from typing import Any

from alembic import command, context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.types import JSON
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from app.settings import load_settings
from app.storage import (
    tables,  # noqa: F401  # puts the tables into SQLModel.metadata
    upgrade,
)
from app.storage.database import create_engine_for
from app.storage.going_back import keeping_data
from app.storage.types import UTCDateTime


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    """Migrations spell out plain SQLAlchemy types: a merged one may not change when our own types do."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if isinstance(item, JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Only PostgreSQL has this table, and only the database itself uses it (app/storage/row_level.py)."""
    return name != "isolation_key"


OPTIONS: dict[str, Any] = {
    "target_metadata": SQLModel.metadata,
    "include_name": include_name,
    # SQLite can hardly alter a table; batch mode copies it, and is plain ALTER on PostgreSQL.
    "render_as_batch": True,
    "render_item": render_item,
    "compare_server_default": True,
    # True for SQLite too, because our connections send BEGIN themselves: all migrations succeed, or none.
    "transactional_ddl": True,
}


def must_keep_data() -> bool:
    """Going back, unless it was said that data may go: `alembic -x lose downgrade …`."""
    chosen = context.config.cmd_opts
    if chosen is None:
        return bool(context.config.attributes.get("must_keep_data"))
    return chosen.cmd[0] is command.downgrade and "lose" not in context.get_x_argument(as_dictionary=True)


def run_on(connection: Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction(), keeping_data(connection) if must_keep_data() else nullcontext():
        context.run_migrations()


if context.is_offline_mode():
    context.configure(url=load_settings().url, literal_binds=True, dialect_opts={"paramstyle": "named"}, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
elif (handed_over := context.config.attributes.get("connection")) is not None:
    run_on(handed_over)
else:
    engine = create_engine_for(load_settings())
    with upgrade.migrating(engine) as own:
        run_on(own)
    engine.dispose()
