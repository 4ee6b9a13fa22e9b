"""A gate that asks for a manager and an adviser, and what is changed after they agreed: through the pages."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
from sqlmodel import select

from app.catalogue.loader import LoadedPlan, from_document
from app.engine.run import StageStatus
from app.policy import Role
from app.storage.database import Database
from app.storage.tables import MandateRow, Membership
from app.storage.verify import verify_run
from tests.features.approvals.test_approvals import (
    ask,
    change_answer,
    complete_everything,
    decide,
    decision_form,
    stage_of,
    words_of,
)
from tests.features.approvals.test_who_decides import mandate
from tests.features.client import a_world, small_plan
from tests.features.steps.room import Room


@cache
def of_each() -> LoadedPlan:
    """The small plan, whose first stage stays open and takes an approval by a manager and one by an adviser."""
    loaded = small_plan()
    document = deepcopy(loaded.document)
    document["stages"][0]["continuous"] = True
    document["stages"][0]["gate"] |= {
        "approvers": ["manager", "adviser"],
        "approvals": 2,
        "of_which": [{"role": "manager"}, {"role": "adviser"}],
    }
    return replace(loaded, document=document, plan=from_document(document))


@pytest.fixture
def room(database: Database) -> Room:
    """Approval was asked, and the run is shared with the adviser Kees."""
    world = a_world(database, plan=of_each())
    anna = world.browser("anna")
    room = Room(world, world.a_run(anna))
    anna.post(f"{room.stage}/starten", {})
    complete_everything(room)
    anna.post(f"/trajecten/{room.run}/advies/delen", {"adviseur": world.users["kees"], "vraag": "Wat vindt u?"})
    assert ask(room).status_code == 303
    return room


def test_two_managers_are_not_enough_where_an_adviser_is_asked(room: Room):
    assert decide(room, "carla", besluit="akkoord").status_code == 303
    page = words_of(room.browser("dirk").get(f"{room.stage}/beoordelen").text)
    assert "Nog nodig: 1 van een adviseur." in page
    assert decide(room, "dirk", besluit="akkoord").status_code == 303
    assert not stage_of(room).passed
    assert f"{room.stage}/beoordelen" in room.browser("kees").get("/").text
    assert decide(room, "kees", besluit="akkoord").status_code == 303
    assert stage_of(room).status is StageStatus.APPROVED


def test_own_approval_is_taken_back_while_the_other_has_yet_to_decide(room: Room):
    decide(room, "carla", besluit="akkoord")
    withdraw = f"{room.stage}/akkoord-intrekken"
    assert withdraw in room.browser("carla").get(f"{room.stage}/beoordelen").text
    assert withdraw not in room.browser("dirk").get(f"{room.stage}/beoordelen").text
    assert room.browser("carla").post(withdraw, {"reden": ""}, follow_redirects=False).status_code == 409
    assert room.browser("carla").post(withdraw, {"reden": "Te vlug"}, follow_redirects=False).status_code == 303
    assert stage_of(room).status is StageStatus.SUBMITTED
    decide(room, "kees", besluit="akkoord")
    assert not stage_of(room).passed


def test_absent_manager_takes_back_what_the_deputy_agreed_to_in_that_name(room: Room):
    assert mandate(room.world).status_code == 303
    assert decide(room, "bram", besluit="akkoord").status_code == 303
    page, withdraw = f"{room.stage}/beoordelen", f"{room.stage}/akkoord-intrekken"
    carla, dirk = room.browser("carla"), room.browser("dirk")
    assert "Trek het akkoord in dat Bram Bos gaf" in words_of(carla.get(page).text)
    assert withdraw not in dirk.get(page).text
    assert dirk.post(withdraw, {"reden": "Niet van mij"}, follow_redirects=False).status_code == 409
    assert carla.post(withdraw, {"reden": ""}, follow_redirects=False).status_code == 409

    assert carla.post(withdraw, {"reden": "Eerst de cijfers"}, follow_redirects=False).status_code == 303

    (approval,) = stage_of(room).approvals
    assert (approval.by, approval.withdrawn_by) == (room.world.users["bram"], room.world.users["carla"])
    assert stage_of(room).status is StageStatus.SUBMITTED
    history = words_of(room.browser("emma").get(f"/trajecten/{room.run}/geschiedenis").text)
    assert "Het akkoord op Verkennen dat Bram Bos gaf, is ingetrokken." in history
    assert "Eerst de cijfers" in history
    assert "Ingetrokken door Carla Smit" in words_of(room.browser("anna").get(page).text)
    assert "Eerst de cijfers" in words_of(room.browser("emma").get(f"/trajecten/{room.run}/rapport").text)
    assert decide(room, "carla", besluit="akkoord").status_code == 303
    assert decide(room, "kees", besluit="akkoord").status_code == 303
    assert stage_of(room).passed
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_adviser_decides_on_shared_runs_only_and_takes_no_other_act_of_a_manager(room: Room):
    elsewhere = Room(room.world, room.world.a_run(room.browser("anna"), name="Niet gedeeld"))
    room.browser("anna").post(f"{elsewhere.stage}/starten", {})
    kees = room.browser("kees")
    decision = {"shown": "0" * 64, "revision": "3", "besluit": "akkoord"}
    assert kees.post(f"{elsewhere.stage}/beoordelen", decision).status_code == 404
    assert kees.get(f"{elsewhere.stage}/wijzigingen").status_code == 404
    assert kees.post(f"/trajecten/{room.run}/besluiten/bestaand-volstaat", {"reden": "x"}).status_code == 403


def test_going_on_after_approval_takes_a_reason_and_marks_what_changed(room: Room):
    decide(room, "carla", besluit="akkoord")
    decide(room, "kees", besluit="akkoord")
    anna = room.browser("anna")
    assert "Heropen" in anna.get(room.stage).text
    assert f'action="{room.step}"' not in anna.get(room.step).text
    reopen = f"{room.stage}/heropenen"
    assert anna.post(reopen, {"reden": " "}, follow_redirects=False).status_code == 409
    assert anna.post(reopen, {"reden": "Nieuwe <cijfers>"}, follow_redirects=False).status_code == 303
    assert stage_of(room).passed
    change_answer(room, naam="Overzicht 2027, derde versie")
    changes = f"{room.stage}/wijzigingen"
    for page in (room.stage, f"/trajecten/{room.run}", f"/trajecten/{room.run}/rapport"):
        html = anna.get(page).text
        assert "Gewijzigd na akkoord" in words_of(html), page
        assert changes in html, page
    read = words_of(room.browser("emma").get(changes).text)
    assert "Het akkoord dekt niet wat hier nu staat" in read
    assert "verwijderd: 2026" in read
    assert "toegevoegd: 2027, derde versie" in read
    assert "Nieuwe <cijfers>" in read
    assert "Nieuwe <cijfers>" in words_of(anna.get(f"/trajecten/{room.run}/rapport").text)
    assert f"{room.stage}/akkoord-vragen" in anna.get(changes).text
    assert ask(room).status_code == 303
    assert stage_of(room).status is StageStatus.SUBMITTED
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_mandate_is_of_no_use_to_who_only_advises_by_now(room: Room):
    world, dirk, ferry = room.world, room.browser("dirk"), room.browser("ferry")
    days = {"van": "23-11-2026", "tot": "27-11-2026", "grondslag": "Mandaatbesluit 2026-14"}
    ferry.post("/vervanging", {"afwezig": world.users["carla"], "vervanger": world.users["dirk"], **days})
    form = decision_form(room, "dirk")
    page = dirk.get(f"{room.stage}/beoordelen").text
    with world.reading() as session:
        mandate = str(session.scalars(select(MandateRow.id)).one())
    assert mandate in page
    ferry.post(f"/beheer/gebruikers/{world.users['dirk']}/rollen", {"rollen": ["adviser"]})
    room.browser("anna").post(f"/trajecten/{room.run}/advies/delen", {"adviseur": world.users["dirk"], "vraag": "?"})

    answer = decide(room, "dirk", form=form, besluit="akkoord", namens=mandate)

    assert answer.status_code == 409
    assert "Uw mandaat geldt nu niet" in words_of(answer.text)
    assert not stage_of(room).approvals


@pytest.mark.parametrize("by_mandate", [False, True])
def test_manager_who_advises_elsewhere_fills_no_place_of_an_adviser_here(room: Room, by_mandate: bool):
    world = room.world
    login = "bram" if by_mandate else "carla"
    with world.database.write() as session:
        also = {"user_id": uuid.UUID(world.users["carla"]), "municipality_id": world.municipalities["Zonnedijk"]}
        session.add(Membership(**also, role=Role.ADVISER, created_at=world.clock()))
    if by_mandate:
        days = {"van": "23-11-2026", "tot": "27-11-2026", "grondslag": "Mandaatbesluit 2026-14"}
        who = {"afwezig": world.users["carla"], "vervanger": world.users["bram"]}
        world.browser("ferry").post("/vervanging", {**who, **days})

    assert decide(room, login, besluit="akkoord").status_code == 303

    assert stage_of(room).approvals[-1].roles == ("manager",)
    page = words_of(room.browser("dirk").get(f"{room.stage}/beoordelen").text)
    assert "Nog nodig: 1 van een adviseur." in page
    assert decide(room, "dirk", besluit="akkoord").status_code == 303
    assert not stage_of(room).passed


def test_gate_for_advisers_asks_nothing_of_a_manager_who_advises_elsewhere(database: Database):
    loaded = small_plan()
    document = deepcopy(loaded.document)
    document["stages"][0]["gate"] |= {"approvers": ["adviser"]}
    world = a_world(database, plan=replace(loaded, document=document, plan=from_document(document)))
    with world.database.write() as session:
        also = {"user_id": uuid.UUID(world.users["dirk"]), "municipality_id": world.municipalities["Zonnedijk"]}
        session.add(Membership(**also, role=Role.ADVISER, created_at=world.clock()))
    anna, dirk = world.browser("anna"), world.browser("dirk")
    room = Room(world, world.a_run(anna))
    anna.post(f"{room.stage}/starten", {})
    complete_everything(room)
    anna.post(f"/trajecten/{room.run}/advies/delen", {"adviseur": world.users["kees"], "vraag": "Wat vindt u?"})
    assert ask(room).status_code == 303

    assert f"{room.stage}/beoordelen" not in dirk.get("/").text
    page = words_of(dirk.get(f"{room.stage}/beoordelen").text)
    assert "Met uw rol kunt u niet beslissen over Verkennen" in page
    assert "Kees Maas" in page
    form = decision_form(room, "kees")
    assert decide(room, "dirk", form=form, besluit="akkoord").status_code == 409
    anna.post(f"/trajecten/{room.run}/advies/delen", {"adviseur": world.users["dirk"], "vraag": "Wat vindt u?"})
    assert f"{room.stage}/beoordelen" in dirk.get("/").text
    assert decide(room, "dirk", besluit="akkoord").status_code == 303
    assert stage_of(room).status is StageStatus.APPROVED
