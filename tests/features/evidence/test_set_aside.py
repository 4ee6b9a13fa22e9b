"""Evidence that was set aside when its trajectory moved to another version: found, read, taken along, not withdrawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.storage.database import Database
from tests.features.client import World, a_world
from tests.features.evidence.files import a_pdf
from tests.features.evidence.sending import a_started_run, send
from tests.features.moving import a_full_room, moved, moved_back, release
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room

QUERIES_MAX = 8


@pytest.fixture
def room(database: Database) -> Room:
    room = a_full_room(database)
    moved(room.world, room.run, "2.0.0")
    return room


def _id(room: Room, title: str) -> str:
    marks = [p.evidence for p in room.loaded().parked if p.evidence]
    [mark] = marks
    assert title in text_of(_page(room, f"bewijsstukken/{mark.id}"))
    return mark.id


def _page(room: Room, path: str, login: str = "anna") -> str:
    answer = room.browser(login).get(f"/trajecten/{room.run}/{path}")
    assert answer.status_code == 200, answer.text
    html: str = answer.text
    return html


def test_list_shows_what_was_set_aside_with_the_words_of_its_version(room: Room):
    text = text_of(_page(room, "bewijsstukken").replace("<br>", " "))
    assert "Verslag bij de conclusie Verslag – Conclusie Verkennen (versie 1.0.0) Intern Apart gezet" in text
    assert "Verslag over leeftijd Verslag – Overzicht maken Verkennen Intern In gebruik" in text


@pytest.mark.parametrize(
    ("query", "is_aside", "is_in_use"),
    [
        ("stand=apart-gezet", True, False),
        ("stand=in-gebruik", False, True),
        ("stand=ingetrokken", False, False),
        ("fase=verkennen&stand=apart-gezet", True, False),
        ("fase=werkgroep", False, False),
        ("grond=leeftijd", False, True),
        ("soort=verslag", True, True),
        ("soort=besluit", False, False),
    ],
)
def test_list_can_be_filtered_by_what_any_version_knows(room: Room, query: str, is_aside: bool, is_in_use: bool):
    text = text_of(_page(room, f"bewijsstukken?{query}"))
    assert ("Verslag bij de conclusie" in text) is is_aside
    assert ("Verslag over leeftijd" in text) is is_in_use


def test_page_of_a_piece_says_why_it_was_set_aside_and_links_to_no_step(room: Room):
    html = _page(room, f"bewijsstukken/{_id(room, 'Verslag bij de conclusie')}")
    text = text_of(html)
    assert "Dit bewijsstuk is apart gezet" in text
    assert "Het hoort bij versie 1.0.0" in text
    assert "stappen/conclusie" not in html
    assert f"/trajecten/{room.run}/geparkeerd" in html


def test_withdrawing_what_was_set_aside_is_refused_and_said_why(room: Room):
    id = _id(room, "Verslag bij de conclusie")
    html = _page(room, f"bewijsstukken/{id}")
    assert "/intrekken" not in html
    assert "U kunt dit nu niet intrekken" in text_of(html)
    answer = room.browser("anna").post(f"/trajecten/{room.run}/bewijsstukken/{id}/intrekken", {"reden": "Oud."})
    assert answer.status_code == 409
    assert "telt niet meer mee en blijft precies zoals het is" in text_of(answer.text)
    assert _id(room, "Verslag bij de conclusie") == id


def test_ground_that_is_gone_keeps_its_name(room: Room):
    kept = next(e for e in room.state().evidence if e.grounds)
    assert "Leeftijd" in text_of(_page(room, f"bewijsstukken/{kept.id}"))


def test_page_of_a_step_that_is_gone_is_not_found(room: Room):
    assert room.browser("anna").get(f"{room.stage}/stappen/conclusie/bewijs").status_code == 404


def test_what_came_back_is_in_use_again_and_can_be_withdrawn(room: Room):
    id = _id(room, "Verslag bij de conclusie")
    moved_back(room.world, room.run)
    room.browser("carla").post(f"{room.stage}/akkoord-intrekken", {"reden": "Nog eens kijken."})
    html = _page(room, f"bewijsstukken/{id}")
    assert "Apart gezet" not in text_of(html)
    assert f"{room.stage}/stappen/conclusie" in html
    answer = room.browser("anna").post(f"/trajecten/{room.run}/bewijsstukken/{id}/intrekken", {"reden": "Oud."})
    assert "ingetrokken" in text_of(answer.text)


def test_list_of_a_run_that_moved_costs_at_most_eight_queries(room: Room):
    moved(room.world, room.run, "3.0.0")
    _page(room, "bewijsstukken")
    for path in ("bewijsstukken", f"bewijsstukken/{room.state('conclusie').evidence[0].id}"):
        with room.world.counting_queries() as statements:
            _page(room, path)
        assert len(statements) <= QUERIES_MAX, statements


def test_file_that_was_set_aside_can_be_downloaded(database: Database, tmp_path: Path):
    world: World = a_world(database, data_dir=tmp_path)
    run = a_started_run(world)
    release(world, "2.0.0")
    content = a_pdf()
    assert send(world.browser("anna"), run, {"soort": "besluit"}, [("besluit.pdf", content)]).status_code == 303
    moved(world, run, "2.0.0")
    room = Room(world, run)
    answer = world.browser("emma").get(f"/trajecten/{run}/bewijsstukken/{_id(room, 'besluit')}/bestand")
    assert answer.status_code == 200
    assert answer.content == content
    assert "Besluit" not in text_of(_page(room, "fasen/verkennen.1/stappen/overzicht/bewijs"))


def test_link_that_was_set_aside_can_be_added_again(room: Room):
    """It was added on a version that the trajectory went back from, and is not with the step now."""
    link = {"vorm": "link", "titel": "Raadsbesluit", "adres": "https://raad.example.nl/besluit"}
    anna = room.browser("anna")
    assert send(anna, room.run, link).status_code == 303
    moved_back(room.world, room.run)
    room.browser("carla").post(f"{room.stage}/akkoord-intrekken", {"reden": "Nog eens kijken."})
    assert "Raadsbesluit" not in text_of(_page(room, "fasen/verkennen.1/stappen/overzicht/bewijs"))
    assert send(anna, room.run, link).status_code == 303
    text = text_of(_page(room, "bewijsstukken"))
    assert text.count("Raadsbesluit") == 2
