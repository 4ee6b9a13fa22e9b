"""The page with the history of a run: looking for a stage in it, and whether it checks out; on both databases."""

from __future__ import annotations

import itertools
import re

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.features.reports.finding_words import PARTS, TROUBLES, sentence
from app.storage.database import Database
from app.storage.scope import set_scope
from app.storage.tables import StageRow
from app.storage.verify import Finding, Part, Trouble
from tests.features.moving import a_full_room, moved
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room
from tests.security.test_access_matrix import a_limited_auditor

CHECKS_OUT = "Deze geschiedenis klopt"


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


def _page(room: Room, query: str = "", login: str = "anna") -> str:
    answer = room.browser(login).get(f"/trajecten/{room.run}/geschiedenis{query}")
    assert answer.status_code == 200
    text: str = answer.text
    return text


def _numbers(page: str) -> list[str]:
    return re.findall(r'event-list__number" aria-hidden="true">(\d+)<', page)


def test_history_of_one_stage_leaves_out_the_others(room: Room):
    everything, of_stage = _page(room), _page(room, "?fase=werkgroep")
    assert 0 < len(_numbers(of_stage)) < len(_numbers(everything))
    told = text_of(of_stage.split('class="event-list"')[1])
    assert "Werkgroep" in told
    assert "Het traject is gestart" not in told
    assert f"{len(_numbers(of_stage))} gebeurtenissen" in text_of(of_stage)
    assert '<option value="werkgroep" selected>' in of_stage


def test_filters_on_person_kind_and_stage_hold_together(room: Room):
    anna = room.world.users["anna"]
    both = set(_numbers(_page(room, f"?fase=verkennen&wat=besluiten&wie={anna}")))
    assert both
    for alone in ("?fase=verkennen", "?wat=besluiten", f"?wie={anna}"):
        assert both < set(_numbers(_page(room, alone))), alone


def test_stage_that_does_not_exist_filters_nothing(room: Room):
    for stage in ("bestaat-niet", "%25", "verkennen.1"):
        assert _numbers(_page(room, f"?fase={stage}")) == _numbers(_page(room)), stage


def test_history_of_a_stage_stays_within_its_queries(room: Room):
    moved(room.world, room.run, "2.0.0")
    _page(room, "?fase=verkennen")
    with room.world.counting_queries() as statements:
        _page(room, "?fase=verkennen")
    assert len(statements) <= 8, statements


def test_everybody_who_reads_the_history_can_ask_whether_it_checks_out(room: Room):
    moved(room.world, room.run, "2.0.0")
    run = f"/trajecten/{room.run}"
    share = {"adviseur": room.world.users["kees"], "vraag": "Voor wie werkt dit niet?"}
    assert room.browser("carla").post(f"{run}/advies/delen", share, follow_redirects=False).status_code == 303
    assert CHECKS_OUT not in _page(room), "nothing is replayed unasked"
    assert "controle=ja" in _page(room)
    for login in ("anna", "carla", "emma", "ferry", "kees"):
        assert CHECKS_OUT in _page(room, "?controle=ja", login), login
    limited = a_limited_auditor(room.world, room.run)
    assert CHECKS_OUT in limited.get(f"{run}/geschiedenis?controle=ja").text


def test_table_that_was_changed_outside_the_history_is_told(room: Room):
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        session.execute(update(StageRow).where(col(StageRow.ref) == "verkennen.1").values(status="open"))
    page = _page(room, "?controle=ja", "emma")
    assert "Deze geschiedenis klopt niet" in page
    assert "Fase verkennen.1: De pagina’s zeggen iets anders dan de geschiedenis." in page
    assert "than the history" not in page


def test_every_finding_has_words_in_both_languages():
    assert (set(PARTS), set(TROUBLES)) == (set(Part), set(Trouble))
    for part, trouble in itertools.product(Part, Trouble):
        found = Finding("id", part, "verkennen.1", trouble, "100% {x} %(y)s")
        dutch, english = sentence(found, "nl"), sentence(found, "en")
        assert dutch != english
        assert not re.search(r"%\(key|%\(detail", dutch + english)
        assert found.place
        assert found.problem
