"""A mandate that begins tomorrow: what somebody does today counts when that person decides in another's name."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.engine.run import StageStatus
from app.storage import mandates, people
from app.storage.database import Database
from tests.features.approvals.test_approvals import ask
from tests.features.approvals.test_who_decides import a_new_session, mandate, stage_of
from tests.features.client import Browser
from tests.features.runs.test_manager_and_mandate import change
from tests.features.steps.pages import form_data, text_of
from tests.features.steps.room import Room, a_room

TOMORROW = "24-11-2026"
CHOSE = "U maakte de afwezige leidinggevende de leidinggevende van dit traject"


@pytest.fixture
def room(database: Database) -> Room:
    """A stage with all of its work done by Anna, on a run of Dirk; from tomorrow Bram stands in for Carla."""
    room = a_room(database)
    room.complete_everything()
    assert change(room.world, "anna", room.run, leidinggevende=room.world.users["dirk"]) == ""
    assert mandate(room.world, van=TOMORROW).status_code == 303
    return room


def tomorrow(room: Room, login: str = "bram") -> Browser:
    room.world.clock.advance(days=1)
    return a_new_session(room.world, login)


def decide(room: Room, browser: Browser, **fields: str) -> Any:
    """As the page offers it, with the mandate; with made-up values where it offers nothing."""
    address = f"{room.stage}/beoordelen"
    page = browser.get(address)
    assert page.status_code == 200, page.text
    form = form_data(page.text, address) if f'action="{address}"' in page.text else {}
    made_up = {"shown": "0" * 64, "revision": "1", "namens": _mandate_id(room)}
    return browser.post(address, {**made_up, **form, "besluit": "akkoord", **fields}, follow_redirects=False)


def _mandate_id(room: Room) -> str:
    with room.world.reading() as session:
        return mandates.all_of(session)[0].id


def refused(room: Room, answer: Any, sentence: str) -> None:
    assert answer.status_code == 409, answer.text
    assert sentence in text_of(answer.text)
    assert stage_of(room).status is StageStatus.SUBMITTED


def test_deputy_who_made_the_absent_manager_the_manager_today_does_not_decide_tomorrow(room: Room):
    assert change(room.world, "bram", room.run, leidinggevende=room.world.users["carla"]) == ""
    ask(room)

    refused(room, decide(room, tomorrow(room)), CHOSE)


def test_nor_does_a_second_account_that_is_connected_later(room: Room):
    dirk, bram = uuid.UUID(room.world.users["dirk"]), uuid.UUID(room.world.users["bram"])
    assert change(room.world, "dirk", room.run, leidinggevende=room.world.users["carla"]) == ""
    ask(room)
    with room.world.database.write() as session:
        people.connect(session, dirk, bram, municipality_id=None, by=None, at=room.world.clock())

    refused(room, decide(room, tomorrow(room)), CHOSE)


def test_a_colleague_may_make_the_absent_manager_the_manager(room: Room):
    assert change(room.world, "anna", room.run, leidinggevende=room.world.users["carla"]) == ""
    assert change(room.world, "bram", room.run, doel="Een huis voor iedereen.") == ""
    ask(room)

    assert decide(room, tomorrow(room)).status_code == 303
    assert stage_of(room).approvals[-1].on_behalf_of == room.world.users["carla"]


def test_deputy_who_works_on_it_today_does_not_decide_on_it_tomorrow(room: Room):
    assert change(room.world, "anna", room.run, leidinggevende=room.world.users["carla"]) == ""
    ask(room, "bram")

    refused(room, decide(room, tomorrow(room)), "U werkte zelf aan Verkennen")


def test_absent_manager_who_works_on_it_today_is_stood_in_for_by_nobody(room: Room):
    users = room.world.users
    team = [users["anna"], users["carla"]]
    assert change(room.world, "anna", room.run, leidinggevende=users["carla"], team=team) == ""
    ask(room, "carla")

    refused(room, decide(room, tomorrow(room)), "De leidinggevende namens wie u handelt, werkte aan")


def test_deputy_who_becomes_the_manager_today_decides_in_the_own_name_only(database: Database):
    room = a_room(database)
    room.complete_everything()
    assert mandate(room.world, van=TOMORROW, vervanger=room.world.users["dirk"]).status_code == 303
    assert change(room.world, "dirk", room.run, leidinggevende=room.world.users["dirk"]) == ""
    ask(room)

    later = tomorrow(room, "dirk")
    refused(room, decide(room, later, namens=_mandate_id(room)), "Uw mandaat geldt nu niet")
    assert decide(room, later, namens="").status_code == 303
    assert stage_of(room).approvals[-1].on_behalf_of is None
