"""Going back to an earlier schema takes away what the newer one added. Not with what people put there: then a backup of
before the upgrade is the way back, or else work would be gone without a word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

# What ends by itself within a day, or what a start makes anew.
PASSING: Final = frozenset(
    {
        "alembic_version",
        "isolation_key",
        "answered_form",
        "login_attempt",
        "login_session",
        "pending_sign_in",
        "provider_flow",
        "spent_challenge",
    }
)
# What follows from a column that stays: the way up fills it again.
FOLLOWING: Final = frozenset({"run.advice_waits_since"})
NAMED_MAX: Final = 8  # of what would be lost, in the sentence that says so


class DataWouldBeLost(Exception):
    """The schema stays as it is; the message says what would go and what to do."""


@contextmanager
def keeping_data(connection: Connection) -> Iterator[None]:
    """Around migrations that go back, in their transaction.  Raises DataWouldBeLost if one leaves something behind."""
    filled = _filled(connection)
    yield
    left = {name: set(columns) for name, columns in _columns(connection).items()}
    lost = {name for name, column in filled if column is None and name not in left}
    lost |= {f"{name}.{column}" for name, column in filled if column and name in left and column not in left[name]}
    if lost := lost - FOLLOWING:
        named = ", ".join(sorted(lost)[:NAMED_MAX]) + (f" and {len(lost) - NAMED_MAX} more" * (len(lost) > NAMED_MAX))
        raise DataWouldBeLost(
            f"going back to an earlier version of the schema would lose what is in {named}; nothing was changed. "
            "Put back a backup from before the upgrade (docs/upgrading.md)"
        )


def _columns(connection: Connection) -> dict[str, dict[str, Any]]:
    found = inspect(connection)
    names = [name for name in found.get_table_names() if name not in PASSING]
    return {name: {column["name"]: column for column in found.get_columns(name)} for name in names}


def _filled(connection: Connection) -> set[tuple[str, str | None]]:
    """Tables with a row (None), and columns with a value that is not the one of every new row."""
    filled: set[tuple[str, str | None]] = set()
    for name, columns in _columns(connection).items():
        has = {
            key: f"max(CASE WHEN {_differs(key, column['default'])} THEN 1 ELSE 0 END)"
            for key, column in columns.items()
        }
        row = connection.execute(text(f'SELECT count(*), {", ".join(has.values())} FROM "{name}"')).one()  # noqa: S608  # names of our tables
        if row[0]:
            filled |= {(name, None), *((name, key) for key, some in zip(has, row[1:], strict=True) if some)}
    return filled


def _differs(column: str, default: str | None) -> str:
    return f'"{column}" IS NOT NULL' if default is None else f'"{column}" <> {default}'
