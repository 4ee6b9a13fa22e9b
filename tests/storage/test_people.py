"""Accounts that hang together are one person's, also when that is said of them at the same moment."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from app.policy import Role
from app.storage import people
from app.storage.database import Database
from app.storage.user_admin import lock
from tests.features.accounts.building import a_municipality, a_user
from tests.storage.rows import NOW
from tests.together import together

ROUNDS = 8


def test_accounts_that_are_connected_at_the_same_moment_are_one_person(database: Database):
    """A–B in one municipality, B–C in another, C–D by the installation: all four."""
    places = [a_municipality(database, name) for name in ("Zonnedijk", "Meerdam")]
    for number in range(ROUNDS):
        roles = {place: {Role.POLICY_OFFICER} for place in places}
        users = [a_user(database, f"{name}{number}", roles=roles) for name in "abcd"]

        def act(one: int, place: uuid.UUID | None, users: list[uuid.UUID] = users) -> None:
            with database.write() as session:
                if place:
                    lock(session, place)
                people.connect(session, users[one], users[one + 1], municipality_id=place, by=None, at=NOW)

        together(lambda: act(0, places[0]), lambda: act(1, places[1]), lambda: act(2, None))
        with database.read() as session:
            found = people.persons_of(session, map(str, users))
        assert {found.is_same(str(users[0]), str(other)) for other in users} == {True}


def test_account_is_connected_before_somebody_else_commits_and_both_count(database: Database):
    """Whatever the moment: the second begins while the first has written and not committed."""
    here = a_municipality(database, "Zonnedijk")
    one, two, three = (a_user(database, name, roles={here: {Role.POLICY_OFFICER}}) for name in "abc")

    def second() -> None:
        with database.write() as session:
            people.connect(session, two, three, municipality_id=None, by=None, at=NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            people.connect(session, one, two, municipality_id=here, by=None, at=NOW)
            waiting = pool.submit(second)
            threading.Event().wait(0.5)  # seconds: time enough to get as far as it can
        waiting.result()
    with database.read() as session:
        found = people.persons_of(session, [str(one), str(two), str(three)])
    assert found.is_same(str(one), str(three))
