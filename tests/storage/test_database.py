"""Transactions: what is saved when, and what a reading session may do."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlmodel import Session, func, select

from app.storage.database import Database
from app.storage.tables import Municipality


def a_municipality(name: str = "Zuiderdam") -> Municipality:
    return Municipality(name=name, created_at=datetime(2027, 3, 1, 9, 0, tzinfo=UTC))


def names(session: Session) -> list[str]:
    return list(session.exec(select(Municipality.name).order_by(Municipality.name)))


def test_writing_is_saved_at_the_end_of_the_block(database: Database):
    with database.write() as session:
        session.add(a_municipality())

    with database.read() as session:
        assert names(session) == ["Zuiderdam"]


def test_writing_that_fails_leaves_nothing(database: Database):
    with pytest.raises(LookupError), database.write() as session:
        session.add(a_municipality())
        session.flush()
        raise LookupError

    with database.read() as session:
        assert names(session) == []
