"""Recording who stands in for a manager: by an administrator, or by the manager; never a chain, never for oneself."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.storage import people
from app.storage.database import Database
from app.storage.scope import unscoped
from app.storage.tables import Membership
from tests.features.approvals.test_who_decides import mandate
from tests.features.client import World, a_world
from tests.features.steps.pages import text_of


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def refused(answer: Any) -> str:
    assert answer.status_code == 422, answer.text
    return text_of(answer.text)


def test_an_administrator_records_a_deputy_and_everybody_inside_reads_it(world: World):
    assert mandate(world).status_code == 303

    for login in ("anna", "carla", "emma", "ferry"):
        page = text_of(world.browser(login).get("/vervanging").text)
        assert "Bram Bos beslist namens Carla Smit" in page
        assert "Van 23 november 2026 tot en met 27 november 2026. Grondslag: Mandaatbesluit 2026-14, artikel 3" in page
    log = text_of(world.browser("emma").get("/beheer/logboek?wat=vervanging").text)
    assert "Legde een vervanger vast: Bram Bos" in log
    assert "Carla Smit" in log
    assert "Bram Bos" not in world.browser("hugo").get("/vervanging").text


def test_a_manager_records_and_withdraws_the_own_absence_only(world: World):
    assert mandate(world, "carla").status_code == 303
    assert "U kunt alleen uw eigen afwezigheid vastleggen." in refused(mandate(world, "dirk"))
    id = world.browser("carla").get("/vervanging").text.split('action="/vervanging/')[1].split("/")[0]
    address = f"/vervanging/{id}/intrekken"

    assert "/intrekken" not in world.browser("dirk").get("/vervanging").text
    assert world.browser("dirk").post(address, {}).status_code == 403
    assert world.browser("ilse").post(address, {}).status_code == 404, "of another municipality"
    for _ in range(2):
        assert world.browser("carla").post(address, {}, follow_redirects=False).status_code == 303
    assert "Ingetrokken" in text_of(world.browser("anna").get("/vervanging").text)


@pytest.mark.parametrize("login", ["anna", "bram", "emma"])
def test_others_record_nothing(world: World, login: str):
    assert mandate(world, login).status_code == 403
    assert world.browser(login).post(f"/vervanging/{uuid.uuid4()}/intrekken", {}).status_code == 403
    assert "Een vervanger vastleggen" not in world.browser(login).get("/vervanging").text


def test_what_cannot_be_is_refused_and_what_was_typed_stays(world: World):
    users = world.users
    assert "leidinggevende is" in refused(mandate(world, afwezig=users["anna"]))
    assert "beleidsmedewerker of leidinggevende is" in refused(mandate(world, vervanger=users["emma"]))
    assert "beleidsmedewerker of leidinggevende is" in refused(mandate(world, vervanger=users["gwen"]))
    assert "dezelfde persoon" in refused(mandate(world, vervanger=users["carla"]))
    assert "voor de eerste dag" in refused(mandate(world, tot="22-11-2026"))
    assert "al voorbij" in refused(mandate(world, van="1-11-2026", tot="22-11-2026"))
    assert "vijf jaar" in refused(mandate(world, tot="31-12-9999"))
    page = mandate(world, van="gisteren", grondslag="Besluit 7")
    refused(page)
    assert 'value="Besluit 7"' in page.text
    assert refused(mandate(world, grondslag=""))


def test_a_second_account_of_the_manager_is_no_deputy(world: World):
    carla, bram = uuid.UUID(world.users["carla"]), uuid.UUID(world.users["bram"])
    with world.database.write() as session:
        people.connect(session, carla, bram, municipality_id=None, by=None, at=world.clock())

    assert "dezelfde persoon" in refused(mandate(world))


def deputies_offered(page: Any, world: World) -> set[str]:
    """By login."""
    [select] = re.findall(r'<select[^>]*name="vervanger".*?</select>', page.text, re.DOTALL)
    return {login for login, id in world.users.items() if f'value="{id}"' in select}


def test_a_manager_is_not_offered_as_the_own_deputy(world: World):
    assert deputies_offered(world.browser("carla").get("/vervanging"), world) == {"anna", "bram", "dirk"}
    refusal = mandate(world, "carla", vervanger=world.users["carla"])
    assert "dezelfde persoon als de afwezige leidinggevende" in refused(refusal)
    assert 'href="#vervanger"' in refusal.text, "the summary leads to the field"
    assert deputies_offered(refusal, world) == {"anna", "bram", "dirk"}


def test_who_was_chosen_as_absent_is_not_offered_as_deputy(world: World):
    ferry = world.browser("ferry")
    assert deputies_offered(ferry.get("/vervanging"), world) == {"anna", "bram", "carla", "dirk"}
    page = ferry.get(f"/vervanging?afwezig={world.users['carla']}&vervanger={world.users['bram']}")
    assert deputies_offered(page, world) == {"anna", "bram", "dirk"}
    assert f'<option value="{world.users["bram"]}" selected>' in page.text
    part = ferry.get(f"/vervanging?afwezig={world.users['dirk']}", htmx=True)
    assert "<h1" not in part.text
    assert deputies_offered(part, world) == {"anna", "bram", "carla"}
    assert deputies_offered(ferry.get("/vervanging?afwezig=niemand"), world) == {"anna", "bram", "carla", "dirk"}
    assert deputies_offered(mandate(world, grondslag=""), world) == {"anna", "bram", "dirk"}


def test_other_accounts_of_the_absent_manager_and_of_who_records_are_not_offered(world: World):
    carla, ferry = uuid.UUID(world.users["carla"]), uuid.UUID(world.users["ferry"])
    anna, bram = uuid.UUID(world.users["anna"]), uuid.UUID(world.users["bram"])
    with world.database.write() as session:
        people.connect(session, carla, bram, municipality_id=None, by=None, at=world.clock())
        people.connect(session, ferry, anna, municipality_id=None, by=None, at=world.clock())

    assert deputies_offered(world.browser("carla").get("/vervanging"), world) == {"anna", "dirk"}
    assert deputies_offered(world.browser("ferry").get("/vervanging"), world) == {"bram", "carla", "dirk"}
    assert deputies_offered(mandate(world, vervanger=str(bram)), world) == {"dirk"}


def test_a_deputy_of_a_deputy_is_refused_both_ways_round(world: World):
    dirk = world.users["dirk"]
    assert mandate(world, vervanger=dirk).status_code == 303

    assert "zelf vervanger" in refused(mandate(world, afwezig=dirk, van="27-11-2026", tot="30-11-2026"))
    assert mandate(world, afwezig=dirk, van="28-11-2026", tot="30-11-2026").status_code == 303
    assert "zelf afwezig" in refused(mandate(world, vervanger=dirk, van="29-11-2026", tot="29-11-2026"))
    assert mandate(world).status_code == 303, "overlapping ones of one manager are fine"


def test_nobody_makes_oneself_a_deputy(world: World):
    ferry, here = uuid.UUID(world.users["ferry"]), world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        session.add(Membership(user_id=ferry, municipality_id=here, role="policy_officer", created_at=world.clock()))

    assert "uzelf niet als vervanger" in refused(mandate(world, vervanger=world.users["ferry"]))


@pytest.mark.parametrize(
    "change",
    ["UPDATE mandate SET ground = 'anders'", "UPDATE mandate SET last_day = '2030-01-01'", "DELETE FROM mandate"],
)
def test_the_database_keeps_a_mandate_as_it_was(world: World, change: str):
    assert mandate(world).status_code == 303
    with world.database.write() as session:
        unscoped(session, "what somebody with the database in hand could try")
        with pytest.raises(IntegrityError):
            session.connection().execute(text(change))
        session.rollback()
