"""A newer national version: the additions are applied again, and runs go along."""

from __future__ import annotations

import pytest

from app.catalogue.loader import LoadedPlan, load_bytes
from app.storage.database import Database
from app.storage.plans import pin
from app.storage.verify import verify_run
from tests.features.accounts.building import MONDAY
from tests.features.client import SMALL, World, a_world
from tests.features.local_plans.sending import (
    HEAD,
    HERE,
    SMALL_OVERLAY,
    a_draft,
    a_released,
    rows,
    send_text,
    typed_in,
)
from tests.security.prepared import visitor

RENAMED = """changes:
  since: 1.0.0
  summary: {text: Het overzicht heet beeld., addition: true}
  renamed:
    - {before: verkennen/overzicht, after: verkennen/beeld}

sources:"""


def second_version(*edits: tuple[str, str]) -> LoadedPlan:
    text = SMALL.read_text().replace("version: 1.0.0", "version: 2.0.0", 1)
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load_bytes(text.encode(), "small.yaml")


def pin_second(world: World, *edits: tuple[str, str]) -> LoadedPlan:
    loaded = second_version(*edits)
    with world.database.write() as session:
        pin(session, [loaded], at=MONDAY)
    return loaded


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def test_additions_are_applied_again_with_what_was_renamed(world: World):
    ferry = world.browser("ferry")
    address = a_released(ferry)
    assert "opnieuw-toepassen" not in ferry.get(HERE).text
    assert ferry.get(f"{address}/opnieuw-toepassen").status_code == 404
    pin_second(world, ("- id: overzicht\n", "- id: beeld\n"), ("sources:", RENAMED))
    assert f"{address}/opnieuw-toepassen" in ferry.get(HERE).text
    assert f"{address}/opnieuw-toepassen" in ferry.get(address).text
    page = ferry.get(f"{address}/opnieuw-toepassen").text
    assert "De aanvullingen passen op de nieuwere versie" in page
    assert "heet &#34;verkennen/beeld&#34; in klein-plan@2.0.0" in page
    text = typed_in(page)
    assert "extends: klein-plan@2.0.0" in text
    assert "step: verkennen/beeld" in text
    assert "version: 2.0.0" in text
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]
    assert a_draft(ferry, text) != address
    assert rows(world)[0] == ("klein-plan-zonnedijk", "2.0.0", "draft")


def test_conflicts_are_listed_with_their_place_and_nothing_is_kept(world: World):
    ferry = world.browser("ferry")
    tightened = SMALL_OVERLAY + "tighten:\n  - {step: verkennen/conclusie, required: true}\n"
    address = a_released(ferry, tightened)
    pin_second(world, ("- id: overzicht\n", "- id: anders\n"), ("- id: conclusie\n", "- id: slot\n"))
    page = ferry.get(f"{address}/opnieuw-toepassen").text
    assert "De aanvullingen passen nog niet op de nieuwere versie" in page
    assert "&#34;verkennen/overzicht&#34; zat in klein-plan@1.0.0 en zit niet in klein-plan@2.0.0" in page
    assert "Regel 6, teken 27" in page
    assert "Regel 8, teken 12" in page
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]
    answer = send_text(ferry, typed_in(page))
    assert answer.status_code == 422
    mended = typed_in(page).replace("verkennen/overzicht", "verkennen/anders").replace("/conclusie", "/slot")
    assert send_text(ferry, mended).status_code == 303


def a_run_with_an_answer(world: World) -> str:
    anna = world.browser("anna")
    run = f"/trajecten/{world.a_run(anna)}"
    anna.post(f"{run}/fasen/verkennen.1/starten", {})
    save(world, f"{run}/fasen/verkennen.1/stappen/overzicht", {"antwoord.naam": "Alles bij elkaar"})
    return run


def save(world: World, address: str, answers: dict[str, str]) -> None:
    anna = visitor(world, "anna")
    anna.open(address)
    anna.send("Opslaan", dict(answers))


def move(world: World, run: str, to: str) -> None:
    """What asks nothing, the team carries out itself."""
    anna = visitor(world, "anna")
    anna.open(f"{run}/nieuwe-versie?naar={to}")
    anna.send("Bekijk wat er verandert")
    anna.send(f"Ga verder met versie {to.rpartition('@')[2]}")


def test_run_moves_to_the_plan_of_its_municipality_and_on_to_the_next_with_its_answers(world: World):
    ferry, run = world.browser("ferry"), a_run_with_an_answer(world)
    address = a_released(ferry)
    move(world, run, "klein-plan-zonnedijk@1.0.0")
    step = "/fasen/verkennen.1/stappen"
    page = world.browser("anna").get(f"{run}{step}/overzicht").text
    assert "Alles bij elkaar" in page
    assert "In welke wijken?" in page
    save(world, f"{run}{step}/overzicht", {"antwoord.zd-wijk": "In het centrum"})
    pin_second(world, ("- id: overzicht\n", "- id: beeld\n"), ("sources:", RENAMED))
    a_released(ferry, typed_in(ferry.get(f"{address}/opnieuw-toepassen").text))
    move(world, run, "klein-plan-zonnedijk@2.0.0")
    page = world.browser("anna").get(f"{run}{step}/beeld").text
    assert "Alles bij elkaar" in page
    assert "In het centrum" in page
    with world.reading() as session:
        assert verify_run(session, run.rsplit("/", 1)[1]).findings == ()


def test_run_on_the_national_plan_is_offered_the_plan_of_its_own_municipality(world: World):
    a_released(world.browser("ferry"))
    run = a_run_with_an_answer(world)
    page = world.browser("anna").get(f"{run}/nieuwe-versie").text
    assert "Dit is het stappenplan met aanvullingen van Zonnedijk" in page
    assert 'name="naar" value="klein-plan-zonnedijk@1.0.0"' in page


def test_run_of_another_municipality_is_not(world: World):
    a_released(world.browser("ilse"), SMALL_OVERLAY.replace("Zonnedijk", "Veldermeer"))
    run = a_run_with_an_answer(world)
    page = world.browser("anna").get(f"{run}/nieuwe-versie").text
    assert "Veldermeer" not in page
    assert "klein-plan-" not in page
    assert world.browser("anna").get(f"{run}/nieuwe-versie?naar=klein-plan-zonnedijk@1.0.0").status_code == 404


def test_version_of_the_municipality_and_national_one_of_the_same_number_are_told_apart(world: World):
    pin_second(world)
    a_released(world.browser("ferry"), HEAD.replace("version: 1.0.0", "version: 2.0.0") + SMALL_OVERLAY[len(HEAD) :])
    run = a_run_with_an_answer(world)
    anna = world.browser("anna")
    assert 'name="naar" value="2.0.0"' in anna.get(f"{run}/nieuwe-versie?naar=2.0.0").text
    local = anna.get(f"{run}/nieuwe-versie?naar=klein-plan-zonnedijk@2.0.0").text
    assert 'name="naar" value="klein-plan-zonnedijk@2.0.0"' in local
