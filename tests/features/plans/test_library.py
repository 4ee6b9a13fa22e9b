"""The library of step plans: what there is, which version counts, and what a plan asks."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from app.catalogue.loader import LoadedPlan, load_bytes
from app.storage.database import Database
from app.storage.plans import pin
from tests.features.accounts.building import MONDAY
from tests.features.client import SMALL, World, a_world


def a_plan(version: str = "1.0.0", *, id: str = "klein-plan", title: str = "Klein plan") -> LoadedPlan:
    text = SMALL.read_text().replace("id: klein-plan", f"id: {id}").replace("nl: Klein plan", f"nl: {title}")
    return load_bytes(text.replace("version: 1.0.0", f"version: {version}").encode(), "small.yaml")


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def pin_all(world: World, plans: Iterable[LoadedPlan], *, retired: Iterable[LoadedPlan] = ()) -> None:
    with world.database.write() as session:
        pin(session, plans, retired={loaded.plan.digest for loaded in retired}, at=MONDAY)


def lines(page: str) -> list[str]:
    """The items of the list of plans."""
    return re.split(r'<li class="run-list__item">', page)[1:]


def test_each_plan_is_listed_once_with_its_newest_version_and_the_others_folded(world: World):
    pin_all(world, [a_plan("1.0.0"), a_plan("1.1.0"), a_plan("1.10.0"), a_plan(id="ander-plan", title="Ander plan")])
    other, ours = lines(world.browser("anna").get("/stappenplannen").text)
    assert "Ander plan" in other
    assert "Andere versies" not in other
    shown, _, folded = ours.partition("Andere versies")
    assert 'href="/stappenplannen/klein-plan/1.10.0">Klein plan</a>' in shown
    assert "Laat elk onderdeel van het formaat zien." in shown
    assert "Op basis van bronnen van Movisie" in shown
    assert folded.index("Versie 1.1.0") < folded.index("Versie 1.0.0")
    assert "Versie 1.10.0" not in folded.partition("</details>")[0]
    assert "<details" in shown


def test_status_of_a_version_is_a_word(world: World):
    pin_all(world, [a_plan("1.0.0"), a_plan("1.1.0")], retired=[a_plan("1.0.0")])
    [ours] = lines(world.browser("anna").get("/stappenplannen").text)
    shown, _, folded = ours.partition("Andere versies")
    assert "Uitgefaseerd" in folded.partition("</details>")[0]
    assert "Uitgefaseerd" not in shown
    assert "Vastgesteld" in ours


def test_plan_of_which_all_versions_are_retired_stays_in_the_library(world: World):
    pin_all(world, [a_plan("1.0.0")], retired=[a_plan("1.0.0")])
    anna = world.browser("anna")
    [ours] = lines(anna.get("/stappenplannen").text)
    assert "Uitgefaseerd" in ours
    page = anna.get("/stappenplannen/klein-plan/1.0.0").text
    assert "Deze versie is uitgefaseerd" in page
    assert "Bekijk versie" not in page
    assert "Traject starten</a>" not in page.partition('<main id="main"')[2]


def test_page_of_an_older_version_leads_to_the_newer_one(world: World):
    pin_all(world, [a_plan("1.0.0"), a_plan("1.1.0"), a_plan("2.0.0")], retired=[a_plan("2.0.0")])
    anna = world.browser("anna")
    old = anna.get("/stappenplannen/klein-plan/1.0.0").text
    assert "Er is een nieuwere versie" in old
    assert 'href="/stappenplannen/klein-plan/1.1.0">Bekijk versie 1.1.0</a>' in old
    assert "Er is een nieuwere versie" not in anna.get("/stappenplannen/klein-plan/1.1.0").text
    retired = anna.get("/stappenplannen/klein-plan/2.0.0").text
    assert "Deze versie is uitgefaseerd" in retired
    assert "Bekijk versie" not in retired  # 1.1.0 is the one to start on, and not newer


def test_page_shows_graph_sentences_versions_and_sources(world: World):
    pin_all(world, [a_plan("1.0.0"), a_plan("1.1.0")])
    page = world.browser("anna").get("/stappenplannen/klein-plan/1.0.0").text
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="plan-graph__svg" role="img"' in page
    assert 'role="region" tabindex="0" aria-labelledby="plan-graph-title"' in page
    assert "<li>Verkennen kan meteen beginnen. Deze fase komt terug in rondes.</li>" in page
    assert "doorgetrokken pijl: nodig voordat het volgende kan beginnen" in page
    assert "(deze bekijkt u nu)" in page
    assert 'href="/stappenplannen/klein-plan/1.1.0">Versie 1.1.0</a>' in page
    assert 'href="https://www.movisie.nl/artikel/voorbeeld"' in page
    assert a_plan("1.0.0").plan.digest in page
    assert "style=" not in page
    assert 'href="/stappenplannen/klein-plan/1.0.0/verschillen?met=1.1.0">Verschillen met 1.1.0</a>' in page


def test_page_in_english_says_the_same(world: World):
    anna = world.browser("anna")
    anna.client.cookies.set("taal", "en")
    page = anna.get("/stappenplannen/klein-plan/1.0.0").text
    assert "can begin at once. It comes back in rounds." in page
    assert "Released" in page


@pytest.mark.parametrize("address", ["klein-plan/9.9.9", "weg/1.0.0", "klein-plan/1.0.0/verder"])
def test_version_that_is_not_there_is_not_found(world: World, address: str):
    assert world.browser("anna").get(f"/stappenplannen/{address}").status_code == 404


def test_auditor_reads_the_library_and_starts_nothing(world: World):
    page = world.browser("emma").get("/stappenplannen/klein-plan/1.0.0")
    assert page.status_code == 200
    assert "/trajecten/nieuw?stappenplan" not in page.text


def test_list_asks_no_more_of_the_database_for_more_plans(world: World):
    anna = world.browser("anna")
    anna.get("/stappenplannen")
    with world.counting_queries() as few:
        anna.get("/stappenplannen")
    kind = world.database.engine.dialect.name  # compiled plans stay in memory from test to test
    more = [a_plan(f"1.{n}.0", id=f"plan-{m}", title=f"Bibliotheek {kind} {m}") for n in range(3) for m in range(6)]
    pin_all(world, more)
    with world.counting_queries() as first:
        assert len(lines(anna.get("/stappenplannen").text)) == 7
    with world.counting_queries() as again:
        anna.get("/stappenplannen")
    assert len(first) == len(few) + 1  # the documents that were never read, all at once
    assert len(again) == len(few)
