"""Which plans a run can start on: the newest of each, earlier ones if one asks for them, no retired ones."""

from __future__ import annotations

from typing import Any

import pytest

from app.catalogue.loader import LoadedPlan, load_bytes
from app.storage.database import Database
from app.storage.plans import pin
from tests.features.accounts.building import MONDAY
from tests.features.client import SMALL, World, a_world


def a_plan(version: str, *, id: str = "klein-plan", title: str = "Klein plan") -> LoadedPlan:
    text = SMALL.read_text().replace("id: klein-plan", f"id: {id}").replace("nl: Klein plan", f"nl: {title}")
    return load_bytes(text.replace("version: 1.0.0", f"version: {version}").encode(), "small.yaml")


@pytest.fixture
def world(sqlite_database: Database) -> World:
    """Knows klein-plan 1.0.0 and 1.1.0, and a plan of another name."""
    world = a_world(sqlite_database)
    pin_all(world)
    return world


def pin_all(world: World, *, retired: str = "", more: tuple[LoadedPlan, ...] = ()) -> None:
    plans = [a_plan("1.0.0"), a_plan("1.1.0"), a_plan("1.0.0", id="ander-plan", title="Ander plan"), *more]
    gone = [each.plan.digest for each in plans if f"{each.plan.id}@{each.plan.version}" == retired]
    with world.database.write() as session:
        pin(session, plans, retired=gone, at=MONDAY)


def start(world: World, digest: str) -> Any:
    fields: dict[str, Any] = {
        "stappenplan": digest,
        "naam": "Wonen voor iedereen",
        "doel": "Een thuis.",
        "domeinen": ["wonen"],
        "team": [world.users["anna"]],
        "leidinggevende": world.users["carla"],
    }
    return world.browser("anna").post("/trajecten/nieuw", fields, follow_redirects=False)


def test_newest_version_of_each_plan_is_offered_and_earlier_ones_can_be_reached(world: World):
    page = world.browser("anna").get("/trajecten/nieuw?stappenplan=ander-plan@1.0.0").text
    assert "Ander plan 1.0.0" in page
    assert 'href="/trajecten/nieuw?stappenplan=klein-plan%401.1.0">Klein plan 1.1.0' in page
    before, _, earlier = page.partition("Eerdere versies:")
    assert "klein-plan%401.0.0" not in before
    assert "klein-plan%401.0.0" in earlier


def test_run_starts_on_an_earlier_version_when_one_asks_for_it(world: World):
    page = world.browser("anna").get("/trajecten/nieuw?stappenplan=klein-plan@1.0.0").text
    assert a_plan("1.0.0").plan.digest in page
    assert start(world, a_plan("1.0.0").plan.digest).status_code == 303


def test_main_plan_is_offered_first(world: World):
    pin_all(world, more=(a_plan("1.0.0", id="inclusief-beleid", title="Zeker het hoofdplan"),))
    page = world.browser("anna").get("/trajecten/nieuw").text
    assert ">Zeker het hoofdplan 1.0.0</h2>" in page


def test_no_run_starts_on_a_retired_version_and_the_page_says_why(world: World):
    pin_all(world, retired="klein-plan@1.1.0")
    anna = world.browser("anna")
    refused = start(world, a_plan("1.1.0").plan.digest)
    assert refused.status_code == 422
    assert "Met deze versie kan geen nieuw traject beginnen" in refused.text
    assert "Wonen voor iedereen" not in anna.get("/").text
    page = anna.get("/trajecten/nieuw?stappenplan=klein-plan@1.1.0").text
    assert "Klein plan 1.1.0 is uitgefaseerd" in page
    assert 'href="/trajecten/nieuw?stappenplan=klein-plan%401.0.0"' in page
    assert 'href="/trajecten/nieuw?stappenplan=klein-plan%401.1.0"' not in page


def test_run_on_a_version_that_is_retired_goes_on(world: World):
    anna = world.browser("anna")
    run = start(world, a_plan("1.1.0").plan.digest).headers["location"]
    pin_all(world, retired="klein-plan@1.1.0")
    assert anna.get(run).status_code == 200
    started = anna.post(f"{run}/fasen/verkennen.1/starten", {}, follow_redirects=False)
    assert started.status_code == 303


def test_choosing_among_more_plans_takes_no_more_questions_to_the_database(world: World):
    anna = world.browser("anna")
    anna.get("/trajecten/nieuw")
    with world.counting_queries() as few:
        anna.get("/trajecten/nieuw")
    pin_all(world, more=tuple(a_plan("1.0.0", id=f"plan-{n}", title=f"Plan {n}") for n in range(5)))
    with world.counting_queries() as many:
        anna.get("/trajecten/nieuw")
    assert len(many) <= len(few) + 1  # the plans that this process had not read yet, all at once
