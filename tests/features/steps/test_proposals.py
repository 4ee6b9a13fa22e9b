"""Answers that came along from an earlier version wait until somebody confirms or changes them; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.definition import QuestionType
from app.engine.run import StepStatus
from app.features.steps.forms import is_untouched
from app.storage.database import Database
from app.storage.verify import verify_run
from tests.builders import a_question
from tests.features.client import World
from tests.features.moving import a_full_room, moved
from tests.features.steps.pages import Data, filled, ids_in, pressed, text_of
from tests.features.steps.room import Room

MARK = "Uit een eerdere versie"
TICK = "Dit antwoord klopt nog"
VISION = "Heeft de raad een visie vastgesteld?"


@pytest.fixture
def room(database: Database) -> Room:
    """On 2.0.0: at the step `visie` waits, at the checklist `stapeling`."""
    room = a_full_room(database)
    moved(room.world, room.run, "2.0.0")
    return room


@pytest.fixture
def several(database: Database) -> Room:
    """On 2.0.0 with three answers at the step that wait."""
    room = a_full_room(database)
    again = {f"verkennen.1/overzicht/{id}": "again" for id in ("naam", "visie")}
    moved(room.world, room.run, "2.0.0", choices=again)
    return room


def _page(room: Room, address: str = "", login: str = "anna") -> str:
    answer = room.browser(login).get(address or room.step)
    assert answer.status_code == 200, answer.text
    html: str = answer.text
    return html


def _save(room: Room, data: Data, *, login: str = "anna", address: str = "", htmx: bool = False) -> Any:
    return room.browser(login).post(address or room.step, data, follow_redirects=False, htmx=htmx)


def _mark(room: Room, question: str = "visie", step: str = "overzicht"):
    return room.state(step).answers[question]


def test_answer_from_before_is_at_its_field_with_a_mark_and_a_tick(room: Room):
    html = _page(room)
    text = text_of(html)
    assert text.count(MARK) == 1
    assert text.count(TICK) == 1
    assert 'name="bevestig.visie"' in html
    assert "Nog nodig: bevestig of wijzig dit antwoord" in text
    assert room.form()["antwoord.visie"] == ["nee"]


def test_still_needed_lists_it_with_a_link_to_its_field(room: Room):
    html = _page(room)
    assert f"Dit antwoord is van eerder. Bevestig het of wijzig het: {VISION}" in text_of(html)
    assert 'href="#antwoord.visie"' in html
    assert "antwoord.visie" in ids_in(html)


def test_saving_without_the_tick_leaves_it_waiting(room: Room):
    before = _mark(room)
    data = pressed(filled(room.form(), beschrijving="Nieuw"), "opslaan")
    assert _save(room, data).status_code == 303
    assert _mark(room) == before
    assert before.is_proposal
    assert room.answers()["visie"] == "nee"
    assert room.answers()["beschrijving"] == "Nieuw"


def test_tick_makes_it_an_answer_of_who_ticked(room: Room):
    before = _mark(room)
    data = {**room.form("bram"), "bevestig.visie": ["ja"]}
    assert _save(room, pressed(data, "opslaan"), login="bram").status_code == 303
    after = _mark(room)
    assert not after.is_proposal
    assert after.commitment != before.commitment
    assert room.answer_rows()["visie"].saved_by == room.world.users["bram"]
    assert room.answers()["visie"] == "nee"
    assert MARK not in text_of(_page(room))


def test_changed_value_makes_it_an_answer(room: Room):
    assert _save(room, pressed(filled(room.form(), visie="ja"), "opslaan")).status_code == 303
    assert not _mark(room).is_proposal
    assert room.answers()["visie"] == "ja"


def test_it_may_be_emptied(room: Room):
    assert _save(room, pressed(filled(room.form(), visie=""), "opslaan")).status_code == 303
    assert not _mark(room).is_filled
    assert room.answers()["visie"] is None
    assert MARK not in text_of(_page(room))


def test_step_cannot_be_finished_while_one_waits_and_can_once_it_is_confirmed(room: Room):
    answer = _save(room, pressed(room.form(), "afronden"))
    assert answer.status_code == 409
    assert "Bevestig het of wijzig het" in text_of(answer.text)
    answer = _save(room, pressed({**room.form(), "bevestig.visie": ["ja"]}, "afronden"))
    assert answer.status_code == 303
    assert room.state().status is StepStatus.COMPLETED


def test_checklist_works_the_same(room: Room):
    html = _page(room, room.checklist)
    assert text_of(html).count(MARK) == 1
    assert "0 van 1 beantwoord" in text_of(html)
    data = {**room.form(address=room.checklist), "bevestig.stapeling": ["ja"]}
    assert _save(room, pressed(data, "afronden"), address=room.checklist).status_code == 303
    assert not _mark(room, "stapeling", "checklist").is_proposal
    assert "1 van 1 beantwoord" in text_of(_page(room, room.checklist))


def test_one_that_waits_has_no_tick_for_all(room: Room):
    assert "bevestig-alles" not in _page(room)


def test_tick_for_all_confirms_what_is_shown(several: Room):
    html = _page(several)
    assert "2 antwoorden kwamen mee van eerder." in text_of(html)
    assert text_of(html).count(MARK) == 2
    data = {**several.form(), "bevestig-alles": ["ja"]}
    assert _save(several, pressed(data, "opslaan")).status_code == 303
    assert not any(mark.is_proposal for mark in several.state().answers.values())


def test_htmx_gives_the_same_block_and_keeps_ticks_when_it_only_looks_again(several: Room):
    data = pressed({**several.form(), "bevestig.visie": ["ja"], "bevestig-alles": ["ja"]}, "verversen")
    html = _save(several, data, htmx=True).text
    assert html.count("checked") >= 2
    assert 'name="bevestig-alles"' in html
    assert all(mark.is_proposal for id, mark in several.state().answers.items() if id in ("titel", "visie"))
    html = _save(several, pressed({**several.form(), "bevestig.visie": ["ja"]}, "opslaan"), htmx=True).text
    assert text_of(html).count(MARK) == 1


def test_invalid_answer_beside_it_keeps_the_tick(room: Room):
    data = filled({**room.form(), "bevestig.visie": ["ja"]}, datum="gisteren")
    answer = _save(room, pressed(data, "opslaan"))
    assert answer.status_code == 422
    assert _mark(room).is_proposal
    tick = answer.text[answer.text.index('name="bevestig.visie"') :][:200]
    assert "checked" in tick


def test_what_a_colleague_changed_is_not_confirmed_by_an_older_page(room: Room):
    mine = {**room.form("anna"), "bevestig.visie": ["ja"]}
    assert _save(room, pressed(filled(room.form("bram"), visie="ja"), "opslaan"), login="bram").status_code == 303
    assert _save(room, pressed(mine, "opslaan")).status_code == 303
    assert room.answers()["visie"] == "ja"
    assert room.answer_rows()["visie"].saved_by == room.world.users["bram"]


def test_tick_holds_when_a_colleague_saved_something_else(room: Room):
    mine = {**room.form("anna"), "bevestig.visie": ["ja"]}
    other = pressed(filled(room.form("bram"), beschrijving="Van Bram"), "opslaan")
    assert _save(room, other, login="bram").status_code == 303
    assert _save(room, pressed(mine, "opslaan")).status_code == 303
    assert not _mark(room).is_proposal
    assert room.answers()["beschrijving"] == "Van Bram"


def test_tick_travels_through_a_conflict_about_another_answer(room: Room):
    mine = filled({**room.form("anna"), "bevestig.visie": ["ja"]}, beschrijving="Van Anna")
    theirs = filled(room.form("bram"), beschrijving="Van Bram")
    assert _save(room, pressed(theirs, "opslaan"), login="bram").status_code == 303
    answer = _save(room, pressed(mine, "opslaan"))
    assert answer.status_code == 409
    assert '<input type="hidden" name="bevestig.visie" value="ja">' in answer.text
    assert _mark(room).is_proposal


def test_form_of_before_the_move_confirms_nothing_that_it_did_not_show(database: Database):
    room = a_full_room(database, is_approved=False)
    data = room.form(address=room.checklist)
    moved(room.world, room.run, "2.0.0")
    data = {name: value for name, value in data.items() if "jong-en-oud" not in name}
    assert _save(room, pressed(data, "opslaan"), address=room.checklist).status_code == 409
    assert _mark(room, "stapeling", "checklist").is_proposal
    without_version = {name: value for name, value in data.items() if name != "stappenplan"}
    assert _save(room, pressed(without_version, "opslaan"), address=room.checklist).status_code == 303
    assert _mark(room, "stapeling", "checklist").is_proposal


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("bevestig.aantal", 422),
        ("bevestig.", 422),
        ("bevestig", 422),
        ("bevestig.visie.x", 422),
        ("bevestig.titel", 303),
    ],
)
def test_tick_for_something_else_is_refused_or_says_nothing(room: Room, field: str, status: int):
    assert _save(room, pressed({**room.form(), field: ["ja"]}, "opslaan")).status_code == status


def test_who_only_reads_sees_the_mark_and_no_tick(room: Room):
    html = _page(room, login="emma")
    assert MARK in text_of(html)
    assert "bevestig." not in html


def test_history_still_agrees_with_the_tables(several: Room):
    data = {**several.form(), "bevestig-alles": ["ja"]}
    assert _save(several, pressed(data, "opslaan")).status_code == 303
    world: World = several.world
    with world.reading() as session:
        assert verify_run(session, several.run).findings == ()


def test_text_that_is_too_long_for_its_question_now_can_wait():
    question = a_question("tekst")
    assert is_untouched(question, "x" * 400 + "\r\n", "x" * 400)
    assert not is_untouched(question, "x", "y")


def test_order_of_options_makes_no_other_answer():
    question = a_question("keuze", QuestionType.MULTIPLE_CHOICE, options=("a", "b"))
    assert is_untouched(question, ["b", "a"], ["a", "b"])
    assert not is_untouched(question, ["b"], ["a", "b"])
