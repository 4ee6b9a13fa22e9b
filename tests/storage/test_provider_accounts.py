"""A link that ends while its person signs in: whichever is first, no role is left without a link."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session, select

from app.policy import Role
from app.storage import provider_accounts
from app.storage.database import Database
from app.storage.provider_accounts import SaidBy
from app.storage.tables import Membership, ProviderAccount, ProviderRole
from tests.features.accounts.building import a_municipality, a_user
from tests.storage.rows import NOW

ISSUER, SUBJECT, KEY = "https://login.example.org", "anna-1", "zonnedam"
LONG_ENOUGH = 0.5  # seconds, for another thread to get as far as it can


@pytest.fixture
def anna(database: Database) -> tuple[uuid.UUID, uuid.UUID]:
    """Linked; and where she works."""
    here = a_municipality(database)
    user = a_user(database, roles={here: {Role.POLICY_OFFICER}})
    with database.write() as session:
        provider_accounts.link(session, user, issuer=ISSUER, subject=SUBJECT, provider=KEY, at=NOW)
    return user, here


def sign_in(session: Session, here: uuid.UUID) -> bool:
    known = provider_accounts.find_known(session, ISSUER, SUBJECT)
    if known is None:
        return False
    provider_accounts.was_seen(session, ISSUER, SUBJECT, at=NOW)
    said_by = SaidBy(KEY, ISSUER, SUBJECT)
    change = provider_accounts.compare_roles(session, known.user_id, here, [Role.MANAGER], said_by=said_by)
    provider_accounts.take_roles(session, change, at=NOW)
    return True


def unlink(session: Session, user: uuid.UUID) -> bool:
    return provider_accounts.unlink(session, user, KEY, siblings=[KEY], at=NOW)


@pytest.mark.parametrize("signs_in_first", [True, False])
def test_no_role_outlives_a_link_that_ends_during_a_sign_in(
    database: Database, anna: tuple[uuid.UUID, uuid.UUID], signs_in_first: bool
):
    user, here = anna

    def second() -> bool:
        with database.write() as session:
            return unlink(session, user) if signs_in_first else sign_in(session, here)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            assert sign_in(session, here) if signs_in_first else unlink(session, user)
            waiting = pool.submit(second)
            threading.Event().wait(LONG_ENOUGH)
        assert waiting.result() is signs_in_first  # who comes back to a link that is gone, is not known

    with database.read() as session:
        assert session.exec(select(ProviderAccount)).all() == []
        assert session.exec(select(ProviderRole)).all() == []
        assert session.exec(select(Membership.role)).all() == ["policy_officer"]
