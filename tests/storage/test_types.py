"""Values come back from both databases as they went in."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, insert, select, text, type_coerce
from sqlalchemy.exc import IntegrityError, StatementError

from app.storage.database import Database
from app.storage.types import IdText, JSONValue, UTCDateTime, enum_by_value


class Colour(StrEnum):
    RED = "rood"
    BLUE = "blauw"


THINGS = Table(
    "thing",
    MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s", "pk": "pk_%(table_name)s"}),
    Column("id", Integer, primary_key=True),
    Column("at", UTCDateTime()),
    Column("data", JSONValue),
    Column("owner", Uuid()),
    Column("colour", enum_by_value(Colour, name="colour")),
)


@pytest.fixture
def things(database: Database) -> Iterator[Database]:
    THINGS.create(database.owner)
    yield database
    THINGS.drop(database.owner)


def stored(database: Database, column: str, value: Any) -> Any:
    with database.owner.begin() as connection:
        connection.execute(insert(THINGS), {column: value})
        return connection.execute(select(THINGS.c[column])).scalar_one()


def test_moment_comes_back_as_the_same_moment_in_utc(things: Database):
    summer = datetime(2027, 7, 1, 0, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
    found = stored(things, "at", summer)
    assert found == summer
    assert found.tzinfo is UTC
    assert found.isoformat() == "2027-06-30T22:30:15.123456+00:00"


def test_moments_compare_in_the_database_whatever_zone_they_came_in(things: Database):
    stored(things, "at", datetime(2027, 7, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))))
    midnight = datetime(2027, 7, 1, 0, 0, tzinfo=UTC)
    with things.owner.connect() as connection:
        assert connection.execute(select(THINGS.c.id).where(THINGS.c.at < midnight)).all()


def test_id_comes_back_as_text_where_that_is_asked(things: Database):
    id = uuid.uuid4()
    with things.owner.begin() as connection:
        connection.execute(insert(THINGS), [{"owner": id}, {"owner": None}])
        found = connection.execute(select(type_coerce(THINGS.c.owner, IdText)).order_by(THINGS.c.id)).scalars().all()
    assert found == [str(id), None]


def test_time_without_a_zone_is_refused(things: Database):
    with pytest.raises(StatementError, match="without a zone"):
        stored(things, "at", datetime(2027, 7, 1))  # noqa: DTZ001  # that is what is refused


@pytest.mark.parametrize("column", ["at", "data", "colour"])
def test_nothing_stays_nothing(things: Database, column: str):
    assert stored(things, column, None) is None
    with things.owner.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM thing WHERE {column} IS NULL")).scalar() == 1


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, "één ☃"]}, [], "text", 3, True, {"": ""}])
def test_json_comes_back_as_it_went_in(things: Database, value: Any):
    assert stored(things, "data", value) == value


def test_enum_is_stored_by_value_and_comes_back_as_member(things: Database):
    assert stored(things, "colour", Colour.RED) is Colour.RED
    with things.owner.connect() as connection:
        assert connection.execute(text("SELECT colour FROM thing")).scalar() == "rood"


def test_database_refuses_a_value_outside_the_enum(things: Database):
    with pytest.raises(IntegrityError, match="ck_thing_colour"), things.owner.begin() as connection:
        connection.execute(text("INSERT INTO thing (colour) VALUES ('RED')"))
