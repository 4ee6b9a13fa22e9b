"""Two administrators write the same version of a plan of their municipality."""

from __future__ import annotations

import pytest

from app.storage.database import Database
from tests.features.client import World, a_world
from tests.features.local_plans.sending import ADD, SMALL_OVERLAY, a_draft
from tests.features.steps.pages import form_data, text_of

OTHER = SMALL_OVERLAY.replace("In welke wijken?", "In welke buurten?")


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def test_draft_of_a_colleague_is_shown_beside_mine_and_not_overwritten(world: World):
    ferry = world.browser("ferry")
    address = a_draft(ferry)
    mine = {"tekst": OTHER, "based_on": ""}
    refused = ferry.post(ADD, mine, follow_redirects=False)
    assert refused.status_code == 409
    assert "In welke wijken?" in text_of(refused.text)
    assert "In welke wijken?" in ferry.get(address).text
    again = form_data(refused.text, ADD)
    assert "In welke buurten?" in again["tekst"][0]
    assert ferry.post(ADD, again, follow_redirects=False).status_code == 303
    assert "In welke buurten?" in ferry.get(address).text


def test_draft_goes_on_from_its_own_page(world: World):
    ferry = world.browser("ferry")
    id = a_draft(ferry).rsplit("/", 1)[1]
    form = form_data(ferry.get(f"{ADD}?van={id}").text, ADD)
    assert ferry.post(ADD, {**form, "tekst": OTHER}, follow_redirects=False).status_code == 303
    assert ferry.post(ADD, {**form, "tekst": SMALL_OVERLAY}, follow_redirects=False).status_code == 409
