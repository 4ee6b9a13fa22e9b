"""The log of accounts ends at its term of keeping, in no other way, and it is written down."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from app.policy import Role
from app.storage import account_log, account_sweep
from app.storage.account_log import Act, Trace
from app.storage.database import Database
from app.storage.scope import set_scope, unscoped
from app.storage.tables import (
    AccountEvent,
    AccountLink,
    AccountLogCut,
    LoginAttempt,
    LoginSession,
    PendingSignIn,
    ProviderFlow,
    SpentChallenge,
)
from tests.features.accounts.building import a_municipality, a_session, a_user

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
KEEP = timedelta(days=730)


@pytest.fixture
def place(database: Database) -> uuid.UUID:
    """With an event of three years ago, one of 729 days ago, and one of today."""
    found = a_municipality(database)
    anna = a_user(database, roles={found: {Role.AUDITOR}})
    with database.write() as session:
        for days in (3 * 365, 729, 0):
            trace = Trace(by=anna, at=NOW - timedelta(days=days), address=None)
            account_log.note(session, Act.SIGNED_IN, about=anna, trace=trace)
    return found


def events(database: Database) -> int:
    with database.read() as session:
        unscoped(session, "tests look at everything")
        return len(session.exec(select(AccountEvent)).all())


def test_old_events_go_and_that_is_written_down_per_municipality(database: Database, place: uuid.UUID):
    with database.write() as session:
        (cut,) = account_sweep.cut_account_log(session, keep=KEEP, at=NOW)
    assert (cut.municipality, cut.removed) == ("Zonnedam", 1)
    assert events(database) == 2
    with database.read() as session:
        set_scope(session, place)
        (row,) = session.exec(select(AccountLogCut)).all()
        assert (row.removed, row.until, row.at) == (1, NOW - KEEP, NOW)
        assert account_sweep.last_cut(session) == NOW - KEEP
    with database.write() as session:
        assert account_sweep.cut_account_log(session, keep=KEEP, at=NOW) == []


def test_events_younger_than_a_year_never_go(database: Database, place: uuid.UUID):
    with pytest.raises(DBAPIError, match="a year at least"), database.write() as session:
        account_sweep.cut_account_log(session, keep=timedelta(days=300), at=datetime.now(UTC))
    assert events(database) == 3


@pytest.mark.parametrize("table", ["account_event", "account_log_cut"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET at = at"])
def test_nothing_else_removes_or_changes_them(database: Database, place: uuid.UUID, table: str, change: str):
    with database.write() as session:
        account_sweep.cut_account_log(session, keep=KEEP, at=NOW)
    with pytest.raises(DBAPIError), database.owner.begin() as connection:
        connection.execute(sa.text(change.format(table)))
    assert events(database) == 2


def test_cut_of_one_municipality_frees_no_events_of_another(database: Database, place: uuid.UUID):
    other = a_municipality(database, "Veldam")
    with database.write() as session:
        unscoped(session, "a test")
        session.add(AccountLogCut(municipality_id=other, until=NOW - KEEP, removed=0, at=NOW))
    with pytest.raises(DBAPIError), database.owner.begin() as connection:
        connection.execute(sa.text("DELETE FROM account_event WHERE at < '2024-06-01'"))
    assert events(database) == 3


def test_what_sign_ins_left_behind_goes(database: Database):
    anna = a_user(database, roles={a_municipality(database): {Role.AUDITOR}})
    a_session(database, anna, token="oud", at=NOW - timedelta(days=8))
    a_session(database, anna, token="nieuw", at=NOW)
    ended = NOW - timedelta(seconds=1)
    with database.write() as session:
        for expires_at in (ended, NOW + timedelta(minutes=1)):
            name = str(expires_at)
            session.add(PendingSignIn(id=name, user_id=anna, created_at=ended, expires_at=expires_at))
            session.add(SpentChallenge(id=name, expires_at=expires_at))
            flow = ProviderFlow(id=name, browser="b", provider="p", verder="/", sealed="s", expires_at=expires_at)
            session.add(flow)
        for days in (31, 29):
            moment = NOW - timedelta(days=days)
            session.add(AccountLink(id=str(days), user_id=anna, created_at=moment, expires_at=moment))
        for hours in (24, 23):
            session.add(LoginAttempt(key="k", at=NOW - timedelta(hours=hours)))
    with database.write() as session:
        account_sweep.sweep_sign_ins(session, at=NOW)
    with database.read() as session:
        left = {
            table.__tablename__: len(session.exec(select(table)).all())
            for table in (LoginSession, PendingSignIn, SpentChallenge, ProviderFlow, AccountLink, LoginAttempt)
        }
    assert set(left.values()) == {1}, left
