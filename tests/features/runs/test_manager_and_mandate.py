"""Who stands in for a manager does not also choose of which runs that is the manager."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest

from app.storage import people
from app.storage.database import Database
from tests.features.client import World, a_world
from tests.features.steps.pages import form_data

SAID = "U vervangt deze leidinggevende nu"


@pytest.fixture
def world(database: Database) -> World:
    """Bram stands in for Carla this week, if nothing else is said."""
    world = a_world(database)
    days = {"van": "23-11-2026", "tot": "27-11-2026", "grondslag": "Mandaatbesluit 2026-14"}
    fields = {"afwezig": world.users["carla"], "vervanger": world.users["bram"], **days}
    assert world.browser("ferry").post("/vervanging", fields, follow_redirects=False).status_code == 303
    return world


def change(world: World, login: str, run: str, **fields: str | Sequence[str]) -> str:
    """Gives the page of the refusal; nothing if it was changed."""
    address, browser = f"/trajecten/{run}/bewerken", world.browser(login)
    form = form_data(browser.get(address).text, address)
    answer = browser.post(address, {**form, **fields}, follow_redirects=False)
    assert answer.status_code in (303, 422), answer.text
    return str(answer.text) if answer.status_code == 422 else ""


def test_deputy_does_not_make_the_absent_manager_the_manager_of_a_run(world: World):
    run = world.a_run(world.browser("anna"), manager="dirk")

    refused = change(world, "bram", run, leidinggevende=world.users["carla"], doel="Een huis voor iedereen.")

    assert SAID in refused
    assert "Een huis voor iedereen." in refused, "what was typed stays"
    assert not change(world, "anna", run, leidinggevende=world.users["carla"]), "a colleague may"
    assert not change(world, "bram", run, doel="Een huis voor iedereen."), "what was so already stays"
    assert not change(world, "bram", run, leidinggevende=world.users["dirk"]), "it gives nothing"


def test_second_account_of_the_deputy_does_not_either(world: World):
    run = world.a_run(world.browser("anna"), manager="dirk")
    anna, bram = uuid.UUID(world.users["anna"]), uuid.UUID(world.users["bram"])
    with world.database.write() as session:
        here = world.municipalities["Zonnedijk"]
        people.connect(session, anna, bram, municipality_id=here, by=anna, at=world.clock())

    assert SAID in change(world, "anna", run, leidinggevende=world.users["carla"])


def test_deputy_starts_no_run_of_the_absent_manager(world: World):
    fields = {
        "stappenplan": world.plan.digest,
        "naam": "Wonen",
        "doel": "Iedereen een thuis",
        "domeinen": "wonen",
        "team": world.users["anna"],
        "leidinggevende": world.users["carla"],
    }
    answer = world.browser("bram").post("/trajecten/nieuw", fields)
    assert answer.status_code == 422
    assert SAID in answer.text
