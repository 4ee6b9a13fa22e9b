"""Approvals of a trajectory that went on with another version: what they were about stays readable and true."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlmodel import select

from app.engine.run import StageRef, StageStatus
from app.storage.database import Database
from app.storage.scope import unscoped
from app.storage.tables import SealRow
from tests.features.moving import a_full_room, approve, moved, moved_back, release
from tests.features.steps.pages import form_data, pressed, text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8
DIFFERENCES = "/stappenplannen/klein-plan/2.0.0/verschillen?met=1.0.0"


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


def _page(room: Room, part: str = "", login: str = "carla") -> str:
    answer = room.browser(login).get(f"{room.stage}{part}")
    assert answer.status_code == 200, answer.text
    html: str = answer.text
    return html


def _send(room: Room, login: str, address: str, data: dict[str, Any]) -> Any:
    return room.browser(login).post(address, data, follow_redirects=False)


def _finish(room: Room) -> None:
    """What 2.0.0 asks again, through the pages."""
    for address in (room.step, room.checklist):
        data = room.form(address=address)
        data |= {f"bevestig.{id}": ["ja"] for id in re.findall(r'name="bevestig\.([^"]+)"', _page(room, login="anna"))}
        if address == room.step:
            data |= {"antwoord.visie": ["ja"], "antwoord.visie-bekend": ["raad"]}
        else:
            data |= {"antwoord.stapeling": ["yes"]}
        assert _send(room, "anna", address, pressed(data, "afronden")).status_code == 303


def test_stage_says_that_its_approval_was_given_on_an_earlier_version(room: Room):
    moved(room.world, room.run, "2.0.0")
    for part in ("", "/beoordelen"):
        html = _page(room, part)
        text = text_of(html)
        assert "Vastgesteld op versie 1.0.0. Daarna ging het traject verder met versie 2.0.0." in text
        assert "(op versie 1.0.0)" in text
        assert DIFFERENCES in html.replace("&amp;", "&")
    assert "Gewijzigd na akkoord" in text_of(_page(room))
    assert "waarin deze fase anders is" in text_of(_page(room))


def test_approval_on_the_present_version_says_nothing_of_it_and_the_earlier_one_does(room: Room):
    moved(room.world, room.run, "2.0.0")
    _finish(room)
    approve(room)
    text = text_of(_page(room))
    assert "Vastgesteld op versie" not in text
    assert text.count("(op versie 1.0.0)") == 1
    assert "op versie 2.0.0" not in text


def test_approval_that_the_move_left_alone_names_its_version(database: Database):
    room = a_room(database)
    room.complete_everything()
    approve(room)
    release(room.world, "1.1.0")
    moved(room.world, room.run, "1.1.0")
    for part in ("", "/beoordelen"):
        text = text_of(_page(room, part))
        assert "Vastgesteld op versie 1.0.0. Voor deze fase vraagt de huidige versie hetzelfde." in text
    assert room.loaded().stages[StageRef("verkennen")].status is StageStatus.APPROVED


def test_decision_shows_changes_in_the_words_of_either_version(room: Room):
    moved(room.world, room.run, "2.0.0")
    _finish(room)
    text = text_of(_page(room, "/beoordelen"))
    changes = text[text.index("Gewijzigd sinds het vorige besluit") : text.index("Waarover wordt beslist")]
    assert "Heeft de raad een visie vastgesteld?" in changes
    assert "Toen gevraagd: Is er al een visie? Nee" in changes
    assert "Hoeveel besluiten?" in changes
    assert "Conclusie: Wat komt eerst?" in changes
    assert "De huidige versie van het stappenplan vraagt dit niet." in changes
    assert "Verslag bij de conclusie" in changes
    assert "Hoe heet het overzicht?" not in changes  # it only got another id


def test_pages_of_a_decision_cost_at_most_eight_queries(room: Room):
    moved(room.world, room.run, "2.0.0")
    for part, login in (("/beoordelen", "carla"), ("/akkoord-vragen", "anna"), ("", "anna"), ("", "carla")):
        _page(room, part, login)
        with room.world.counting_queries() as statements:
            _page(room, part, login)
        assert len(statements) <= QUERIES_MAX, (part, statements)


def test_undone_move_brings_back_the_approval_without_a_word_about_versions(room: Room):
    moved(room.world, room.run, "2.0.0")
    moved_back(room.world, room.run)
    text = text_of(_page(room))
    assert "Vastgesteld" in text
    assert "op versie" not in text


def test_decision_on_a_page_of_before_the_move_is_refused_and_shows_what_changed(room: Room):
    carla = room.browser("carla")
    assert carla.post(f"{room.stage}/akkoord-intrekken", {"reden": "Nog eens."}).status_code == 200
    address = f"{room.stage}/akkoord-vragen"
    page = form_data(_page(room, "/akkoord-vragen", "anna"), address)
    moved(room.world, room.run, "2.0.0")
    _finish(room)
    answer = _send(room, "anna", address, dict(page))
    assert answer.status_code == 409
    text = text_of(answer.text)
    assert "Wat komt eerst?" in text
    assert "Hoeveel besluiten?" in text


def test_seal_that_names_an_unknown_version_leaves_the_page_readable(room: Room):
    moved(room.world, room.run, "2.0.0")
    with room.world.database.write() as session:
        unscoped(session, "spoils a seal, as the owner of the database can")
        for row in session.exec(select(SealRow)):
            row.manifest = {**row.manifest, "plan": {"id": "klein-plan", "version": "0.9.0", "digest": "0" * 64}}
            session.add(row)
    text = text_of(_page(room, "/beoordelen"))
    assert "Conclusie: Eerst" in text
    assert "Vastgesteld op versie 0.9.0" in text


def test_answer_that_was_not_confirmed_is_marked_where_is_decided(room: Room):
    moved(room.world, room.run, "2.0.0")
    assert "Van eerder, nog niet bevestigd" in text_of(_page(room, "/beoordelen"))
    _finish(room)
    assert "Van eerder, nog niet bevestigd" not in text_of(_page(room, "/beoordelen"))


def test_page_of_a_stage_that_is_gone_is_not_found(room: Room):
    moved(room.world, room.run, "2.0.0")
    for part in ("", "/beoordelen", "/akkoord-vragen"):
        assert (
            room.browser("carla" if part == "/beoordelen" else "anna")
            .get(f"/trajecten/{room.run}/fasen/werkgroep.1{part}")
            .status_code
            == 404
        )
    assert StageRef("werkgroep") not in room.loaded().stages
