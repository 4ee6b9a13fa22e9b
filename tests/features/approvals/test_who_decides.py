"""Who may decide, through the pages: not with a second account, with a mandate only for the absent manager, and not
who takes no part."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import pytest
from sqlmodel import select

from app.engine.run import StageInstance, StageRef, StageStatus
from app.storage import people
from app.storage.database import Database
from app.storage.tables import AccountEvent
from app.storage.verify import verify_run
from tests.features.accounts.building import a_session
from tests.features.client import Browser, World
from tests.features.steps.pages import form_data, text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8


@pytest.fixture
def room(database: Database) -> Room:
    """A stage that waits for Carla, its manager; all of its work was done by Anna."""
    room = a_room(database)
    room.complete_everything()
    room.ask_approval()
    return room


def mandate(world: World, by: str = "ferry", **fields: str) -> Any:
    """Bram stands in for Carla this week, if nothing else is said."""
    data = {
        "afwezig": world.users["carla"],
        "vervanger": world.users["bram"],
        "van": "23-11-2026",
        "tot": "27-11-2026",
        "grondslag": "Mandaatbesluit 2026-14, artikel 3",
        **fields,
    }
    return world.browser(by).post("/vervanging", data, follow_redirects=False)


def decide(room: Room, login: str, besluit: str = "akkoord", **fields: str) -> Any:
    """With what the page sends for this person; for who may not, with what it sends for somebody who may."""
    address = f"{room.stage}/beoordelen"
    pages = (room.browser(each).get(address).text for each in (login, "carla", "dirk"))
    form = form_data(next(page for page in pages if f'action="{address}"' in page), address)
    return room.browser(login).post(address, {**form, "besluit": besluit, **fields}, follow_redirects=False)


def stage_of(room: Room) -> StageInstance:
    return room.loaded().stages[StageRef.parse(room.ref)]


def page_of(room: Room, login: str, part: str = "/beoordelen") -> str:
    answer = room.browser(login).get(room.stage + part)
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


def test_a_second_account_of_who_did_the_work_does_not_decide(room: Room):
    world = room.world
    anna, carla = uuid.UUID(world.users["anna"]), uuid.UUID(world.users["carla"])
    here = world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        people.connect(session, anna, carla, municipality_id=here, by=anna, at=world.clock())

    refused = decide(room, "carla")

    assert refused.status_code in (409, 422)
    assert "U werkte zelf aan Verkennen" in page_of(room, "carla")
    assert "Beslis over" not in text_of(room.browser("carla").get("/").text)
    assert stage_of(room).status is StageStatus.SUBMITTED
    assert decide(room, "dirk").status_code == 303


def test_a_deputy_decides_in_the_name_of_the_absent_manager_and_everybody_can_see_it(room: Room):
    world = room.world
    assert decide(room, "bram").status_code == 403, "without a mandate a policy officer decides nothing"
    assert mandate(world).status_code == 303

    assert "Wacht op u namens Carla Smit" in text_of(room.browser("bram").get("/").text)
    assert "Namens Carla Smit" in page_of(room, "bram")
    for part in ("", "/beoordelen"):
        with world.counting_queries() as statements:
            page_of(room, "bram", part)
        assert len(statements) <= QUERIES_MAX, statements
    for reader in ("anna", "emma"):
        run_page = text_of(room.browser(reader).get(f"/trajecten/{room.run}").text)
        assert "Afwezig tot en met 27 november 2026. Bram Bos beslist namens Carla Smit." in run_page
        assert "Mandaatbesluit 2026-14, artikel 3" in run_page
    assert decide(room, "bram").status_code == 303

    approval = stage_of(room).approvals[-1]
    assert (approval.by, approval.on_behalf_of) == (world.users["bram"], world.users["carla"])
    assert stage_of(room).status is StageStatus.APPROVED
    said = "namens Carla Smit (mandaat: Mandaatbesluit 2026-14, artikel 3)"
    assert "Bram Bos (namens Carla Smit, met mandaat)" in page_of(room, "anna", "")
    assert "N" + said[1:] in text_of(room.browser("emma").get(f"/trajecten/{room.run}/geschiedenis").text)
    assert f"Bram Bos, {said}" in text_of(room.browser("emma").get(f"/trajecten/{room.run}/rapport").text)
    rows = csv.reader(io.StringIO(room.browser("emma").get(f"/trajecten/{room.run}/rapport/csv").text), delimiter=";")
    assert any(f"Bram Bos, {said}" in row for row in rows)
    with world.reading() as session:
        assert verify_run(session, room.run).findings == ()
        acts = [event.act for event in session.exec(select(AccountEvent).order_by(AccountEvent.at))]  # type: ignore[arg-type]
    assert sorted(act for act in acts if act.startswith("mandate")) == ["mandate_recorded", "mandate_used"]


def test_the_absent_manager_takes_back_the_approval_of_a_stage_that_the_deputy_gave(room: Room):
    assert mandate(room.world).status_code == 303
    assert decide(room, "bram").status_code == 303
    assert stage_of(room).status is StageStatus.APPROVED

    carla = room.browser("carla")
    taken_back = carla.post(f"{room.stage}/akkoord-intrekken", {"reden": "Toch niet goed"}, follow_redirects=False)

    assert taken_back.status_code == 303
    assert stage_of(room).status is StageStatus.OPEN
    assert [each.withdrawn_by for each in stage_of(room).approvals] == [room.world.users["carla"]]
    assert "Toch niet goed" in text_of(room.browser("emma").get(f"/trajecten/{room.run}/geschiedenis").text)


def test_a_mandate_gives_nothing_on_the_run_of_another_manager(room: Room):
    world = room.world
    other = world.a_run(room.browser("anna"), manager="dirk")
    assert mandate(world).status_code == 303
    address = f"/trajecten/{other}/fasen/verkennen.1"
    for act in ("beoordelen", "akkoord-intrekken", "niet-deelnemen", "weer-deelnemen"):
        assert room.browser("bram").post(f"{address}/{act}", {}).status_code == 403
    # What is not about approval stays with managers, also on the run of the absent one.
    decision = f"/trajecten/{room.run}/besluiten/bestaand"
    assert room.browser("bram").post(decision, {"reden": "goed"}).status_code == 403


@pytest.mark.parametrize("ending", ["withdrawn", "over", "not begun", "no manager any more", "deputy lost the role"])
def test_a_mandate_ends(room: Room, ending: str):
    world, ferry = room.world, room.browser("ferry")
    days = {"van": "26-11-2026"} if ending == "not begun" else {}
    assert mandate(world, **days).status_code == 303
    address = f"{room.stage}/beoordelen"
    form = {} if days else form_data(room.browser("bram").get(address).text, address)
    match ending:
        case "withdrawn":
            page = room.browser("ferry").get("/vervanging").text
            id = page.split('action="/vervanging/')[1].split("/")[0]
            assert ferry.post(f"/vervanging/{id}/intrekken", {}, follow_redirects=False).status_code == 303
        case "over":
            world.clock.advance(days=4, hours=14, minutes=1)  # past midnight in the Netherlands, not yet in UTC
        case "no manager any more":
            ferry.post(f"/beheer/gebruikers/{world.users['carla']}/rollen", {"rollen": ["policy_officer"]})
        case "deputy lost the role":
            ferry.post(f"/beheer/gebruikers/{world.users['bram']}/rollen", {"rollen": ["auditor"]})

    bram = world.browser("bram") if ending != "over" else a_new_session(world, "bram")
    answer = bram.post(address, {**form, "besluit": "akkoord"}, follow_redirects=False)

    assert answer.status_code in (403, 409), answer.text
    assert stage_of(room).status is StageStatus.SUBMITTED


def a_new_session(world: World, login: str) -> Browser:
    a_session(world.database, uuid.UUID(world.users[login]), token="later", csrf_token="later", at=world.clock())
    return Browser(world.app, "later", "later")


def test_a_manager_who_stands_in_chooses_in_whose_name(room: Room):
    world = room.world
    assert mandate(world, vervanger=world.users["dirk"]).status_code == 303

    page = page_of(room, "dirk")
    assert "Namens wie beslist u?" in page
    assert "In uw eigen naam" in page
    assert decide(room, "dirk", namens="").status_code == 303
    assert stage_of(room).approvals[-1].on_behalf_of is None


def test_who_takes_no_part_cannot_decide_and_others_are_named(room: Room):
    world, carla = room.world, room.browser("carla")
    assert mandate(world).status_code == 303
    address = f"{room.stage}/niet-deelnemen"

    empty = carla.post(address, {"waarom": ""})
    assert empty.status_code == 409, "a reason is needed"
    fold = empty.text.split('action="' + address)[0].rsplit("<details", 1)[1]
    assert " open" in fold.split(">")[0], "what is to be mended is in view"
    assert carla.post(address, {"waarom": "Mijn zus woont er."}, follow_redirects=False).status_code == 303
    again = carla.post(address, {"waarom": "Mijn zus woont er."})

    assert again.status_code == 409
    assert "Mijn zus woont er." in again.text, "what was typed stays"
    assert decide(room, "carla", besluit="terugsturen").status_code in (409, 422)
    assert decide(room, "bram").status_code in (409, 422), "a mandate gives no more than Carla could do"
    for reader in ("carla", "anna", "emma"):
        page = page_of(room, reader)
        assert "Mijn zus woont er." in page
        assert "Wie nog meer kan beslissen" in page
        assert "Dirk Vos" in page
    team = room.browser("anna")
    assert "Carla Smit neemt niet deel" in text_of(team.get(room.stage).text)
    assert "is gevraagd om te beoordelen" not in text_of(team.get(room.stage).text)
    assert "De leidinggevende neemt niet deel" in text_of(team.get(f"/trajecten/{room.run}").text)
    assert "Mijn zus woont er." in text_of(room.browser("emma").get(f"/trajecten/{room.run}/geschiedenis").text)
    assert "Neemt niet deel" in text_of(room.browser("emma").get(f"/trajecten/{room.run}/rapport").text)
    assert "Beslis over" not in text_of(carla.get("/").text)
    with world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_manager_who_takes_no_part_with_another_account_is_not_announced(room: Room):
    world = room.world
    dirk, carla = uuid.UUID(world.users["dirk"]), uuid.UUID(world.users["carla"])
    room.browser("dirk").post(f"{room.stage}/niet-deelnemen", {"waarom": "Mijn zus woont er."})
    with world.database.write() as session:
        people.connect(session, dirk, carla, municipality_id=None, by=None, at=world.clock())
    team = room.browser("anna")
    assert "Carla Smit neemt niet deel" in text_of(team.get(room.stage).text)
    assert "De leidinggevende neemt niet deel" in text_of(team.get(f"/trajecten/{room.run}").text)


def test_it_is_taken_back_with_a_reason_until_somebody_decides(room: Room):
    carla = room.browser("carla")
    carla.post(f"{room.stage}/niet-deelnemen", {"waarom": "Mijn zus woont er."})
    back = f"{room.stage}/weer-deelnemen"

    assert carla.post(back, {"waarom": ""}).status_code == 409
    assert carla.post(back, {"waarom": "Zij is verhuisd."}, follow_redirects=False).status_code == 303
    assert "Zij is verhuisd." in page_of(room, "anna")
    carla.post(f"{room.stage}/niet-deelnemen", {"waarom": "Toch niet."})
    assert decide(room, "dirk").status_code == 303
    assert "al een beslissing genomen" in carla.post(back, {"waarom": "Toch wel."}).text


@pytest.mark.parametrize("login", ["anna", "emma", "ferry", "bram"])
def test_who_may_not_decide_has_nothing_to_stay_out_of(room: Room, login: str):
    for act in ("niet-deelnemen", "weer-deelnemen"):
        assert room.browser(login).post(f"{room.stage}/{act}", {"waarom": "x"}).status_code == 403
    assert "Ik neem niet deel" not in page_of(room, login)
