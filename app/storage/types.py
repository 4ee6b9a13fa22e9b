"""Column types that behave the same on SQLite and PostgreSQL, and how constraints are called."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Uuid
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

# Here because every file with tables imports this one before it makes any.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# Values are replaced, never edited in place: a change inside a dict or list is not noticed and not saved.
# None is stored as SQL NULL, so that `IS NULL` and NOT NULL mean what they say.
JSONValue = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: aware in (any zone), aware UTC out. SQLite forgets zones, so there it is stored as UTC without one.

    Raises ValueError for a naive datetime, because nobody can tell which moment it is."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone can't be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _utc_moment if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


@lru_cache(maxsize=4096)
def _utc_moment(stored: str | None) -> datetime | None:
    """SQLite gives a text, and a page reads the same few in hundreds of rows: all that was saved at once."""
    return None if stored is None else datetime.fromisoformat(stored).replace(tzinfo=UTC)


class IdText(TypeDecorator[str]):
    """For `type_coerce` in a SELECT: an id as the text that the engine and addresses know it by.

    A page reads the same few ids in hundreds of rows (who wrote this, of which run is it); making a UUID of each and a
    text of that costs more than fetching the row."""

    impl = Uuid
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None]:
        return _id_text


@lru_cache(maxsize=4096)
def _id_text(stored: uuid.UUID | str | None) -> str | None:
    """SQLite has no ids of its own: it gives 32 digits, PostgreSQL a UUID."""
    return None if stored is None else str(uuid.UUID(stored) if isinstance(stored, str) else stored)


def enum_by_value(members: type[Enum], *, name: str) -> SqlEnum:
    """Text column with a CHECK constraint on the values; the database never sees member names.

    `name` is the end of the constraint's name: ck_<table>_<name>."""
    values: list[Any] = [member.value for member in members]
    return SqlEnum(
        members,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=max(len(value) for value in values),
        values_callable=lambda _: values,
    )
