"""Approval on conditions, and what becomes of them: through the pages, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.engine.points import Point, PointState
from app.engine.run import StageStatus
from app.storage import people
from app.storage.database import Database
from app.storage.verify import verify_run
from tests.features.approvals.test_approvals import (
    ask,
    change_answer,
    complete_everything,
    decide,
    decision_form,
    stage_of,
)
from tests.features.steps.pages import form_data, text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8


@pytest.fixture
def room(database: Database) -> Room:
    """Approval of the first stage was asked by Anna."""
    room = a_room(database)
    complete_everything(room)
    assert ask(room).status_code == 303
    return room


def on_conditions(
    room: Room, *, owner: str = "anna", due: str = "2027-03-01", form: dict[str, Any] | None = None, **fields: str
) -> Any:
    typed: dict[str, Any] = {
        "voorwaarde__1": "Vul de <cijfers> aan",
        "eigenaar__1": room.world.users[owner],
        "datum__1": due,
    }
    return decide(room, form=form, besluit="voorwaarden", **{**typed, **fields})


def the_point(room: Room) -> Point:
    (point,) = stage_of(room).points
    return point


def address_of(room: Room) -> str:
    return f"{room.stage}/open-punten/{the_point(room).id}"


def do(room: Room, login: str, act: str, **fields: str) -> Any:
    address = address_of(room)
    room.browser(login).get(address)
    return room.browser(login).post(f"{address}/{act}", fields, follow_redirects=False)


def verified(room: Room) -> list[Any]:
    with room.world.reading() as session:
        return [*verify_run(session, room.run).findings]


def test_conditions_become_open_points_everywhere(room: Room):
    assert on_conditions(room).status_code == 303
    assert stage_of(room).status is StageStatus.APPROVED
    assert the_point(room).state is PointState.OPEN
    anna = room.browser("anna")
    for page in (room.stage, "/", f"/trajecten/{room.run}/rapport", f"/trajecten/{room.run}/geschiedenis"):
        assert "Vul de <cijfers> aan" in text_of(anna.get(page).text), page
    assert "1 open punt" in text_of(anna.get(f"/trajecten/{room.run}").text)
    assert "Akkoord met voorwaarden" in text_of(anna.get(room.stage).text)
    assert verified(room) == []


def test_condition_needs_a_text_an_owner_and_a_date(room: Room):
    answer = on_conditions(room, datum__1="", voorwaarde__2="Nog iets")
    assert answer.status_code == 422
    for field in ("datum.1", "eigenaar.2", "datum.2"):
        assert f'href="#{field}"' in answer.text
    assert "Nog iets" in answer.text
    assert "‘Wie zorgt voor voorwaarde 2’" in text_of(answer.text), "said of which condition"
    nothing = decide(room, besluit="voorwaarden")
    assert nothing.status_code == 422
    assert "ten minste één voorwaarde" in text_of(nothing.text)
    assert stage_of(room).status is StageStatus.SUBMITTED


def test_condition_for_somebody_elsewhere_or_before_today_is_refused_and_kept(room: Room):
    elsewhere = on_conditions(room, owner="emma")
    assert elsewhere.status_code == 409
    assert "Kies iemand uit het team" in text_of(elsewhere.text)
    late = on_conditions(room, due="2020-01-01")
    assert late.status_code == 409
    assert "Vul de &lt;cijfers&gt; aan" in late.text
    assert stage_of(room).points == ()


def test_owner_reports_and_manager_gives_back_and_accepts(room: Room):
    on_conditions(room)
    assert do(room, "bram", "melden", gedaan="Niet mijn punt").status_code == 409
    assert do(room, "anna", "melden", gedaan=" ").status_code == 409
    assert do(room, "anna", "melden", gedaan="Zie bijlage <3>").status_code == 303
    assert do(room, "anna", "melden", gedaan="Zie bijlage <3>").status_code == 303, "the same click once more"
    carla = room.browser("carla")
    assert address_of(room) in carla.get("/").text
    assert "Zie bijlage <3>" in text_of(carla.get(address_of(room)).text)
    assert do(room, "carla", "teruggeven", reden="").status_code == 409
    assert do(room, "carla", "teruggeven", reden="Per wijk graag").status_code == 303
    assert "Per wijk graag" in text_of(room.browser("anna").get(address_of(room)).text)
    assert do(room, "carla", "afsluiten").status_code == 409
    do(room, "anna", "melden", gedaan="Nu per wijk")
    before = room.loaded().revision
    assert do(room, "carla", "afsluiten").status_code == 303
    assert do(room, "carla", "afsluiten").status_code == 303, "the same click once more"
    assert room.loaded().revision == before + 1
    assert the_point(room).state is PointState.CLOSED
    assert "Open punt:" not in text_of(room.browser("anna").get("/").text)
    assert verified(room) == []


def refused_with(answer: Any, *texts: str) -> None:
    """Nothing was recorded, and the page holds what is recorded and what was typed."""
    assert answer.status_code == 409, answer.text
    for text in texts:
        assert text in text_of(answer.text), text


def test_report_with_other_words_is_not_the_same_click_once_more(room: Room):
    on_conditions(room)
    do(room, "anna", "melden", gedaan="Zie bijlage 3")
    before = room.loaded().revision

    refused_with(do(room, "anna", "melden", gedaan="Zie bijlage 4"), "Zie bijlage 3", "Zie bijlage 4")
    stale = room.browser("anna").post(f"{address_of(room)}/melden", {"gedaan": "Zie bijlage 4", "based_on": "eerder"})
    refused_with(stale, "Zie bijlage 3", "Zie bijlage 4", "Dit staat er nu")
    assert room.loaded().revision == before


def test_giving_back_with_other_words_is_not_the_same_click_once_more(room: Room):
    on_conditions(room)
    do(room, "anna", "melden", gedaan="Zie bijlage 3")
    do(room, "carla", "teruggeven", reden="Per wijk graag")
    before = room.loaded().revision

    assert do(room, "carla", "teruggeven", reden="Per wijk graag").status_code == 303
    refused_with(do(room, "carla", "teruggeven", reden="Per straat graag"), "Per wijk graag", "Per straat graag")
    assert room.loaded().revision == before


def test_same_conditions_once_more_are_recorded_once_and_others_are_refused(room: Room):
    form = decision_form(room)
    assert on_conditions(room, form=form, opmerking="Goed zo").status_code == 303
    before = room.loaded().revision

    assert on_conditions(room, form=form, opmerking="Goed zo").status_code == 303
    other = {"voorwaarde__1": "Vul de teksten aan", "opmerking": "Goed zo"}
    refused_with(on_conditions(room, form=form, **other), "Vul de <cijfers> aan", "Vul de teksten aan")
    for fields in ({"opmerking": "Toch niet"}, {"owner": "bram", "opmerking": "Goed zo"}, {"due": "2027-04-01"}):
        assert on_conditions(room, form=form, **fields).status_code == 409, fields
    assert decide(room, form=form, besluit="akkoord", opmerking="Goed zo").status_code == 409
    assert room.loaded().revision == before


def test_manager_gives_a_point_to_somebody_else_with_a_reason(room: Room):
    on_conditions(room)
    bram = room.world.users["bram"]
    assert do(room, "carla", "wijzigen", eigenaar=bram, datum="2027-04-01").status_code == 409
    assert do(room, "carla", "wijzigen", eigenaar=bram, datum="ooit", waarom="x").status_code == 422
    assert do(room, "carla", "wijzigen", eigenaar=bram, datum="1-4-2027", waarom="Anna is ziek").status_code == 303
    assert the_point(room).owner == bram
    assert "Anna is ziek" in text_of(room.browser("bram").get(address_of(room)).text)
    assert address_of(room) in room.browser("bram").get("/").text
    assert address_of(room) not in room.browser("anna").get("/").text


@pytest.mark.parametrize("act", ["afsluiten", "teruggeven", "wijzigen"])
def test_who_may_not_decide_cannot_judge_a_point(room: Room, act: str):
    on_conditions(room)
    for login in ("anna", "emma"):
        assert do(room, login, act, reden="x").status_code == 403
    assert room.browser("emma").post(f"{address_of(room)}/melden", {"gedaan": "x"}).status_code == 403
    assert room.browser("emma").get(address_of(room)).status_code == 200
    assert room.browser("anna").get(f"{room.stage}/open-punten/bestaat-niet").status_code == 404


@pytest.mark.parametrize("act", ["afsluiten", "teruggeven"])
def test_second_account_of_who_reported_a_point_does_not_judge_it(room: Room, act: str):
    on_conditions(room, owner="bram")
    do(room, "bram", "melden", gedaan="Zie bijlage")
    bram, carla = (uuid.UUID(room.world.users[login]) for login in ("bram", "carla"))
    with room.world.database.write() as session:
        people.connect(session, bram, carla, municipality_id=None, by=None, at=room.world.clock())

    refused = do(room, "carla", act, reden="Per wijk graag")

    assert (refused.status_code, "U werkte zelf aan Verkennen" in text_of(refused.text)) == (409, True)
    assert the_point(room).state is PointState.REPORTED
    assert do(room, "dirk", act, reden="Per wijk graag").status_code == 303


def test_second_account_of_who_did_the_work_gives_a_point_to_nobody_else(room: Room):
    on_conditions(room, owner="bram")
    anna, carla = (uuid.UUID(room.world.users[login]) for login in ("anna", "carla"))
    with room.world.database.write() as session:
        people.connect(session, anna, carla, municipality_id=None, by=None, at=room.world.clock())

    refused = do(room, "carla", "wijzigen", eigenaar=str(anna), datum="2027-04-01", waarom="Ik doe het")

    assert (refused.status_code, the_point(room).owner) == (409, room.world.users["bram"])


def test_late_point_is_said_in_words(room: Room):
    on_conditions(room, owner="bram", due=f"{room.world.clock():%Y-%m-%d}")
    room.world.clock.advance(days=3)
    for page in ("/", room.stage, f"/trajecten/{room.run}", address_of(room)):
        read = text_of(room.browser("bram").get(page).text).lower()
        assert "te laat" in read or "voorbij" in read, page


def test_conditions_lapse_with_the_approval(room: Room):
    on_conditions(room)
    room.browser("carla").post(f"{room.stage}/akkoord-intrekken", {"reden": "Toch niet"})
    assert the_point(room).state is PointState.LAPSED
    assert "Vervallen" in text_of(room.browser("anna").get(room.stage).text)
    assert "Open punt:" not in text_of(room.browser("anna").get("/").text)
    assert verified(room) == []


def test_change_between_showing_and_sending_back_is_refused_and_shown(room: Room):
    form = decision_form(room)
    change_answer(room, naam="Overzicht 2027")
    before = room.loaded().revision
    answer = decide(room, form=form, besluit="terugsturen", reden__overzicht="Waarom?")
    assert answer.status_code == 409
    assert "2027" in answer.text
    assert "Waarom?" in answer.text
    assert room.loaded().revision == before
    again = form_data(answer.text, f"{room.stage}/beoordelen")
    assert decide(room, form=dict(again), besluit="terugsturen", reden__overzicht="Waarom?").status_code == 303


def test_pages_about_points_ask_the_database_little(room: Room):
    on_conditions(room)
    for login, page in (("carla", "/"), ("anna", "/"), ("carla", address_of(room)), ("carla", room.stage)):
        browser = room.browser(login)
        browser.get(page)
        with room.world.counting_queries() as queries:
            browser.get(page)
        assert len(queries) <= QUERIES_MAX, "\n".join(queries)
