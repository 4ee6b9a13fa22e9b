"""The page of a trajectory says what a newer version would mean for it, what waits, and what can be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.engine.progress import NOTHING
from app.engine.run import StageRef
from app.engine.standing import StageState, Standing
from app.features.runs.drawing import MIXED, states_by_stage
from app.storage.database import Database
from tests.features.client import a_world
from tests.features.moving import a_full_room, moved, moved_back, proposed, release
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


def _page(room: Room, login: str = "anna") -> str:
    answer = room.browser(login).get(f"/trajecten/{room.run}")
    assert answer.status_code == 200, answer.text
    html: str = answer.text
    return html


def _notice(room: Room, login: str = "anna") -> str:
    html = _page(room, login)
    start = html.index('id="versies"')
    return text_of(html[start : html.index("</section>", start)])


def test_run_on_the_newest_version_has_no_notice(database: Database):
    world = a_world(database)
    anna = world.browser("anna")
    assert 'id="versies"' not in anna.get(f"/trajecten/{world.a_run(anna)}").text


@pytest.mark.parametrize("login", ["anna", "carla", "emma"])
def test_notice_says_what_a_newer_version_would_mean_for_this_run(room: Room, login: str):
    text = _notice(room, login)
    assert "Er is een nieuwere versie: 3.0.0." in text
    assert "2 antwoorden moet u opnieuw bekijken." in text
    assert "7 onderdelen worden apart gezet en blijven leesbaar." in text
    assert "Opnieuw akkoord is nodig voor: Verkennen." in text
    assert f"/trajecten/{room.run}/nieuwe-versie" in _page(room, login)


def test_notice_comes_below_the_advice(room: Room):
    html = _page(room)
    assert html.index('id="next-title"') < html.index('id="versies"') < html.index('id="stages-title"')


def test_version_that_asks_nothing_leaves_everything_as_it_is(database: Database):
    room = a_room(database)
    release(room.world, "1.1.0")
    assert "Er is een nieuwere versie: 1.1.0. Alles wat u maakte blijft zoals het is." in _notice(room)


def test_notice_of_a_proposal_says_who_asked(room: Room):
    proposed(room.world, room.run, "2.0.0")
    text = _notice(room, "carla")
    assert "Anna de Wit vroeg een leidinggevende om verder te gaan met versie 2.0.0." in text
    assert "Bekijk het voorstel" in text
    assert "Er is een nieuwere versie" not in text


def test_notice_after_a_move_says_who_moved_what_is_set_apart_and_how_to_go_back(room: Room):
    moved(room.world, room.run, "2.0.0")
    text = _notice(room)
    assert "Ging naar versie 2.0.0, door Carla Smit." in text
    assert "6 onderdelen apart gezet" in text
    html = _page(room)
    assert f'href="/trajecten/{room.run}/nieuwe-versie/terugdraaien"' in html
    assert f'href="/trajecten/{room.run}/geparkeerd"' in html


def test_undone_move_cannot_be_undone_again(room: Room):
    moved(room.world, room.run, "3.0.0")
    moved_back(room.world, room.run)
    assert "terugdraaien" not in _page(room)
    assert "Er is een nieuwere versie: 3.0.0." in _notice(room)


def test_retired_version_says_that_nothing_new_starts_on_it(room: Room):
    moved(room.world, room.run, "3.0.0")
    release(room.world, "2.0.0", "3.0.0", retired=("3.0.0",))
    assert "Op uw versie beginnen geen nieuwe trajecten meer." in _notice(room)


def test_run_page_costs_at_most_eight_queries(room: Room):
    moved(room.world, room.run, "2.0.0")
    _page(room)
    with room.world.counting_queries() as statements:
        assert "Er is een nieuwere versie: 3.0.0." in _notice(room)
    assert len(statements) <= QUERIES_MAX, statements


def test_drawing_shows_each_stage_with_its_state_and_leads_to_it(room: Room):
    html = _page(room)
    drawing = html[html.index("De fasen als tekening") :]
    assert f'class="plan-graph__link" href="{room.stage}"' in drawing
    assert "Vastgesteld" in drawing[drawing.index("<svg") : drawing.index("</svg>")]
    assert "Hetzelfde in zinnen" in text_of(drawing) or "<ul" in drawing


def test_stage_that_differs_per_domain_has_one_word_for_that():
    here = Standing(StageRef("beleid", "wonen"), StageState.BUSY, NOTHING)
    there = replace(here, ref=StageRef("beleid", "werk"))
    assert states_by_stage([here, there]) == {"beleid": "busy"}
    assert states_by_stage([here, replace(there, state=StageState.APPROVED)]) == {"beleid": MIXED}
    assert states_by_stage([here, replace(there, state=StageState.APPROVED), here]) == {"beleid": MIXED}
