"""Who stands in for an absent manager judges open points in that name, and everybody can see it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlmodel import select

from app.engine.points import PointState
from app.storage.database import Database
from app.storage.tables import AccountEvent
from app.storage.verify import verify_run
from tests.features.approvals.test_approvals import ask, complete_everything
from tests.features.approvals.test_conditions import QUERIES_MAX, address_of, on_conditions, the_point
from tests.features.approvals.test_who_decides import a_new_session, mandate
from tests.features.client import Browser
from tests.features.runs.test_manager_and_mandate import change
from tests.features.steps.pages import form_data, text_of
from tests.features.steps.room import Room, a_room

GROUND = "Mandaatbesluit 2026-14, artikel 3"


@pytest.fixture
def room(database: Database) -> Room:
    """A stage that Carla approved on a condition, which Anna sees to; Carla is absent this week, and Bram stands in."""
    room = a_room(database)
    complete_everything(room)
    assert ask(room).status_code == 303
    assert on_conditions(room).status_code == 303
    assert mandate(room.world).status_code == 303
    return room


def report(room: Room, login: str = "anna") -> None:
    sent = room.browser(login).post(f"{address_of(room)}/melden", {"gedaan": "Zie bijlage 3"}, follow_redirects=False)
    assert sent.status_code == 303, sent.text


def judge(room: Room, login: str, act: str, *, browser: Browser | None = None, **fields: str) -> Any:
    """With what the page of the point offers."""
    address, browser = address_of(room), browser or room.browser(login)
    page = browser.get(address)
    assert f'action="{address}/{act}"' in page.text, text_of(page.text)
    form = form_data(page.text, f"{address}/{act}")
    return browser.post(f"{address}/{act}", {**form, **fields}, follow_redirects=False)


def seen_everywhere(room: Room, *sentences: str) -> None:
    run = f"/trajecten/{room.run}"
    emma = room.browser("emma")
    history, page = (text_of(emma.get(address).text) for address in (f"{run}/geschiedenis", f"{run}/rapport"))
    rows = csv.reader(io.StringIO(emma.get(f"{run}/rapport/csv").text), delimiter=";")
    assert f"Namens Carla Smit (mandaat: {GROUND})." in history
    assert f"Bram Bos, namens Carla Smit (mandaat: {GROUND})" in page
    assert any(f"Bram Bos, namens Carla Smit (mandaat: {GROUND})" in row for row in rows)
    point = text_of(room.browser("anna").get(address_of(room)).text)
    assert "Bram Bos (namens Carla Smit, met mandaat)" in point
    for sentence in sentences:
        assert sentence in point
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_deputy_closes_a_point_in_the_name_of_the_absent_manager(room: Room):
    report(room)
    overview = text_of(room.browser("bram").get("/").text)
    assert "Wacht op u namens Carla Smit" in overview
    assert address_of(room) in room.browser("bram").get("/").text
    assert f"Namens Carla Smit. Tot en met 27 november 2026. Grondslag: {GROUND}" in text_of(
        room.browser("bram").get(address_of(room)).text
    )
    form = form_data(room.browser("bram").get(address_of(room)).text, f"{address_of(room)}/afsluiten")

    assert judge(room, "bram", "afsluiten").status_code == 303

    before = room.loaded().revision
    again = room.browser("bram").post(f"{address_of(room)}/afsluiten", {**form, "once": ""}, follow_redirects=False)
    assert (again.status_code, room.loaded().revision) == (303, before), "the same click once more"
    point = the_point(room)
    assert (point.state, point.judged_by, point.on_behalf_of) == (
        PointState.CLOSED,
        room.world.users["bram"],
        room.world.users["carla"],
    )
    seen_everywhere(room)
    with room.world.reading() as session:
        acts = [event.act for event in session.exec(select(AccountEvent))]
    assert acts.count("mandate_used") == 1


def test_deputy_gives_a_point_back_and_to_somebody_else(room: Room):
    report(room)
    assert judge(room, "bram", "teruggeven", reden="Per wijk graag").status_code == 303
    seen_everywhere(room, "Per wijk graag")
    changed = judge(
        room, "bram", "wijzigen", eigenaar=room.world.users["bram"], datum="1-4-2027", waarom="Anna is ziek"
    )
    assert changed.status_code == 303
    assert the_point(room).owner == room.world.users["bram"]
    report(room, "bram")

    page = text_of(room.browser("bram").get(address_of(room)).text)
    assert "U werkte zelf aan Verkennen" in page
    assert "Accepteren en afsluiten" not in page
    refused = room.browser("bram").post(f"{address_of(room)}/afsluiten", {"namens": the_point(room).mandate or ""})
    assert (refused.status_code, the_point(room).state) == (409, PointState.REPORTED)
    assert judge(room, "dirk", "afsluiten").status_code == 303, "another manager still may"


def test_point_that_the_absent_manager_saw_to_is_judged_by_no_deputy(room: Room):
    users = room.world.users
    assert change(room.world, "anna", room.run, team=[users["anna"], users["carla"]]) == ""
    moved = judge(room, "dirk", "wijzigen", eigenaar=users["carla"], datum="1-4-2027", waarom="Zij weet het")
    assert moved.status_code == 303
    report(room, "carla")

    page = room.browser("bram").get(address_of(room)).text
    assert "De leidinggevende namens wie u handelt, werkte aan" in text_of(page)
    assert "/afsluiten" not in page
    assert "Wacht op u namens" not in text_of(room.browser("bram").get("/").text)


@pytest.mark.parametrize("ending", ["over", "withdrawn", "of another"])
def test_without_a_mandate_in_force_nothing_is_judged(room: Room, ending: str):
    report(room)
    form = form_data(room.browser("bram").get(address_of(room)).text, f"{address_of(room)}/afsluiten")
    browser = room.browser("bram")
    match ending:
        case "over":
            room.world.clock.advance(days=5)
            browser = a_new_session(room.world, "bram")
        case "withdrawn":
            ended = room.browser("carla").post(f"/vervanging/{form['namens'][0]}/intrekken", {})
            assert ended.status_code == 200, ended.text
        case "of another":
            browser = room.browser("anna")

    answer = browser.post(f"{address_of(room)}/afsluiten", {**form, "csrf_token": browser.csrf_token})

    assert answer.status_code == 403
    assert the_point(room).state is PointState.REPORTED


def test_manager_who_stands_in_chooses_in_whose_name(room: Room):
    world = room.world
    assert mandate(world, vervanger=world.users["dirk"]).status_code == 303
    report(room)

    page = room.browser("dirk").get(address_of(room)).text
    assert text_of(page).count("Namens wie beslist u?") == 2
    assert 'id="namens"' in page
    assert 'id="teruggeven-namens"' in page
    assert judge(room, "dirk", "afsluiten", namens="").status_code == 303
    assert the_point(room).on_behalf_of is None


def test_pages_ask_the_database_little(room: Room):
    report(room)
    for page in ("/", address_of(room)):
        room.browser("bram").get(page)
        with room.world.counting_queries() as queries:
            room.browser("bram").get(page)
        assert len(queries) <= QUERIES_MAX, "\n".join(queries)
