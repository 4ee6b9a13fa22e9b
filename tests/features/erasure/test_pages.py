"""Looking for somebody, asking to erase, and a second person who decides."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import col, delete, select
from starlette.testclient import TestClient

from app.policy import Role
from app.storage import people
from app.storage.account_log import Act
from app.storage.attempt_keys import keys_of
from app.storage.database import Database
from app.storage.erasure.register import Register
from app.storage.scope import unscoped
from app.storage.tables import AccountEvent, LoginAttempt, Membership, Operator, Passkey
from tests.features.accounts.building import OURS
from tests.features.client import World, a_world
from tests.journey.visitor import Visitor
from tests.security.prepared import add_evidence, begin, fill_step, visitor

QUERIES_MAX = 8
HERE = "/beheer/gegevens-wissen"
RESIDENT = "Zangvogel Kanarie"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path)


def a_run(world: World) -> str:
    begun = begin(world, officer="anna", manager="carla", word=RESIDENT)
    fill_step(begun.team, f"{begun.stage}/stappen/overzicht", {}, RESIDENT, button="Opslaan")
    add_evidence(begun.team, begun.evidence_page, "bestand", RESIDENT)
    return begun.run


def search(world: World, *terms: str, login: str = "ferry") -> Visitor:
    person = visitor(world, login)
    person.open(HERE)
    person.send("Zoek", {"namen": "\n".join(terms)})
    return person


def ask(world: World, **choices: str) -> str:
    """Gives the address of the request."""
    person = search(world, RESIDENT)
    person.send("Vraag om dit te wissen", {"grond": "unlawful", **choices})
    assert "Er is nog niets gewist" in person.text
    return person.here


def test_an_administrator_asks_and_a_manager_erases(world: World):
    run = a_run(world)
    address = ask(world)
    carla = visitor(world, "carla")
    carla.open("/")
    assert "Beslis over het wissen van persoonsgegevens" in carla.text
    assert "Gevraagd door Ferry Mol" in carla.text
    carla.open(HERE)
    assert "Wacht op een beslissing" in carla.text
    carla.open(address)
    assert "Ferry Mol vraagt om dit voorgoed te wissen" in carla.text
    assert f"<mark>{RESIDENT}</mark>" in carla.page.text
    carla.send("Voorgoed wissen")
    assert "Het is voorgoed gewist" in carla.text
    assert RESIDENT not in carla.text
    for page in (
        address,
        HERE,
        run,
        f"{run}/rapport",
        f"{run}/geschiedenis",
        f"{run}/fasen/verkennen.1/stappen/overzicht",
    ):
        carla.open(page)
        assert "Zangvogel" not in carla.text, page
    found = search(world, "zangvogel")
    assert "Het staat nergens in de teksten" in found.text
    [kept] = Register(world.app.state.settings.erasure_register).read()
    assert address.endswith(kept.id)
    with world.reading() as session:
        told = session.exec(select(AccountEvent.act, AccountEvent.detail).order_by(AccountEvent.act)).all()
    detail = {"erasure": kept.id, "ground": "unlawful"}
    assert told == [(Act.ERASURE_ASKED, detail), (Act.PERSONAL_DATA_ERASED, detail)]


def test_what_should_stay_stays(world: World):
    run = a_run(world)
    ask(world, **{"keuze.0": "niets"})
    ferry = search(world, RESIDENT)
    names = re.findall(r'name="(keuze\.\d+)"', ferry.page.text)
    choices = {**dict.fromkeys(names, "niets"), "grond": "unlawful"}
    ferry.send("Vraag om dit te wissen", choices, status=422)
    assert "Kies minstens één ding dat weg moet" in ferry.text
    assert run


def test_who_asks_does_not_decide_and_nobody_decides_twice(world: World):
    a_run(world)
    address = ask(world)
    ferry = world.browser("ferry")
    assert "Voorgoed wissen" not in ferry.get(address).text
    refused = ferry.post(f"{address}/wissen", {})
    assert (refused.status_code, "U hebt dit zelf gevraagd" in refused.text) == (409, True)
    dirk, carla = world.browser("dirk"), world.browser("carla")
    assert dirk.post(f"{address}/afwijzen", {}, follow_redirects=False).status_code == 303
    refused = carla.post(f"{address}/wissen", {})
    assert (refused.status_code, "Iemand anders heeft hier al over beslist" in refused.text) == (409, True)
    assert carla.post(f"{address}/afwijzen", {}).status_code == 409
    assert RESIDENT in search(world, RESIDENT).text


def test_overview_of_who_asked_names_nothing_to_decide(world: World):
    a_run(world)
    address = ask(world)
    for login, waits in (("ferry", False), ("carla", True), ("emma", False), ("anna", False)):
        person = visitor(world, login)
        person.open("/")
        assert (address in person.page.text) is waits, login


@pytest.mark.parametrize("role", Role)
def test_administrator_sees_it_on_the_overview_whatever_else_that_person_does(world: World, role: Role):
    a_run(world)
    address = ask(world)
    emma, here = uuid.UUID(world.users["emma"]), world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        session.execute(delete(Membership).where(col(Membership.user_id) == emma))
        for each in {role, Role.ADMINISTRATOR}:
            session.add(Membership(user_id=emma, municipality_id=here, role=each.value, created_at=world.clock()))
    browser = world.browser("emma")
    browser.get("/")
    with world.counting_queries() as queries:
        page = browser.get("/").text
    assert address in page
    assert len(queries) <= QUERIES_MAX, "\n".join(queries)


def test_second_account_of_who_asked_does_not_decide_but_may_take_it_back(world: World):
    a_run(world)
    address = ask(world)
    ferry, carla = uuid.UUID(world.users["ferry"]), uuid.UUID(world.users["carla"])
    with world.database.write() as session:
        people.connect(session, ferry, carla, municipality_id=None, by=None, at=world.clock())
    browser = world.browser("carla")
    assert "Voorgoed wissen" not in browser.get(address).text
    refused = browser.post(f"{address}/wissen", {})
    assert (refused.status_code, "U hebt dit zelf gevraagd" in refused.text) == (409, True)
    assert RESIDENT in search(world, RESIDENT).text
    assert browser.post(f"{address}/afwijzen", {}, follow_redirects=False).status_code == 303


def test_decision_on_a_page_of_before_another_decision_changes_nothing(world: World):
    a_run(world)
    address = ask(world)
    carla, dirk = world.browser("carla"), world.browser("dirk")
    shown = carla.basis(f"{address}/wissen", {})
    assert f'value="{shown["based_on"]}"' in carla.get(address).text
    assert dirk.post(f"{address}/afwijzen", {}, follow_redirects=False).status_code == 303
    for act in ("wissen", "afwijzen"):
        refused = carla.post(f"{address}/{act}", shown)
        assert (refused.status_code, "Iemand anders heeft hier al over beslist" in refused.text) == (409, True)
    assert RESIDENT in search(world, RESIDENT).text


def test_who_asked_takes_it_back(world: World):
    a_run(world)
    ferry = visitor(world, "ferry")
    ferry.open(ask(world))
    ferry.send("Verzoek intrekken")
    assert "Er is niets gewist" in ferry.text


def test_places_that_shifted_are_not_erased_unseen(world: World):
    a_run(world)
    first, second = ask(world), ask(world)
    carla = world.browser("carla")
    assert carla.post(f"{first}/wissen", {}, follow_redirects=False).status_code == 303
    refused = carla.post(f"{second}/wissen", {})
    assert (refused.status_code, "Zoek opnieuw" in refused.text) == (409, True)


def test_an_account_is_erased_and_its_work_stays(world: World):
    run = a_run(world)
    ferry = visitor(world, "ferry")
    ferry.open(f"/beheer/gebruikers/{world.users['anna']}")
    assert f"{HERE}/personen/{world.users['anna']}" in ferry.page.text
    ferry.open(f"{HERE}/personen/{world.users['anna']}")
    assert "Deze persoon werkt nog aan trajecten" in ferry.text
    ferry.send("Vraag om dit account te wissen", {"grond": "not_needed"})
    carla = visitor(world, "carla")
    carla.open(ferry.here)
    assert "Anna de Wit" in carla.text
    carla.send("Voorgoed wissen")
    carla.open(f"{run}/geschiedenis")
    assert "Anna de Wit" not in carla.text
    assert "een voormalig medewerker (" in carla.text
    assert world.browser("anna").get("/", follow_redirects=False).status_code == 303
    ferry.open(f"{HERE}/personen/{world.users['anna']}")
    assert "Dit account is gewist" in ferry.text


def test_account_of_an_operator_is_not_erased_from_a_municipality(world: World):
    """It counts for the whole installation, as for its password and for disabling it."""
    with world.database.write() as session:
        unscoped(session, "operators belong to no municipality")
        session.add(Operator(user_id=uuid.UUID(world.users["anna"]), added_at=world.clock()))
    ferry, address = world.browser("ferry"), f"{HERE}/personen/{world.users['anna']}"
    assert ferry.get(address).status_code == 404
    assert ferry.post(address, {"grond": "unlawful"}).status_code == 404


def test_own_account_and_last_administrator_are_refused(world: World):
    ferry = world.browser("ferry")
    refused = ferry.post(f"{HERE}/personen/{world.users['ferry']}", {"grond": "unlawful"})
    assert (refused.status_code, "uw eigen account" in refused.text) == (409, True)


def test_another_municipality_finds_nothing_and_reaches_nothing(world: World):
    a_run(world)
    address = ask(world)
    assert "Het staat nergens" in search(world, RESIDENT, login="ilse").text
    ilse, hugo = world.browser("ilse"), world.browser("hugo")
    for browser in (ilse, hugo):
        assert browser.get(address).status_code == 404
        assert browser.post(f"{address}/wissen", {}).status_code == 404
        assert browser.post(f"{address}/afwijzen", {}).status_code == 404
    assert ilse.get(f"{HERE}/personen/{world.users['bram']}").status_code == 404
    assert ilse.post(f"{HERE}/personen/{world.users['bram']}", {"grond": "unlawful"}).status_code == 404
    page = search(world, RESIDENT)
    fields = page.form_with("Vraag om dit te wissen").values
    stolen = {name: value for name, value in fields.items() if name != "csrf_token"}
    refused = ilse.post(f"{HERE}/vragen", {**stolen, "grond": "unlawful"})
    assert (refused.status_code, "Zangvogel" in refused.text) == (409, False)


def an_item(places: str = "[[[],0,1]]", id: str = '"1"', run: str = "null") -> str:
    return f'{{"kind":"answer","run":{run},"id":{id},"passages":{places}}}'


SEARCHED = {"gezocht": "2026-11-23T09:00:00+00:00"}


@pytest.mark.parametrize(
    "fields",
    [
        *({**SEARCHED, "stuk.0": an_item(f"[[[],{end},1]]")} for end in ("Infinity", "NaN", "1e400", '"0"', "0.5")),
        *({**SEARCHED, "stuk.0": an_item(id=id)} for id in ('"\\u0000"', '"\\ud800"', "7", "null", "{}", '""')),
        *({**SEARCHED, "stuk.0": an_item(run=run)} for run in ('"\\u0000"', '"\\ud800"', "7")),
        {"gezocht": "0001-01-01T00:00+14:00", "stuk.0": an_item()},
        {"gezocht": "9999-12-31T23:59-14:00", "stuk.0": an_item()},
        {"gezocht": "9999-12-31T23:59+00:00", "stuk.0": an_item()},
        {"gezocht": ""},
        {"gezocht": "gisteren", "stuk.0": "{}"},
        {"gezocht": "2026-11-23T09:00:00+00:00", "stuk.0": "[" * 5000},
        {"gezocht": "2026-11-23T09:00:00+00:00", "stuk.0": '{"kind":"text","run":null,"id":"1","passages":null}'},
        {"gezocht": "2026-11-23T09:00:00", "stuk.0": '{"kind":"text","run":null,"id":"1","passages":[[[],0,1]]}'},
    ],
)
def test_what_no_page_of_ours_sends_is_refused(world: World, fields: dict[str, str]):
    answer = world.browser("ferry").post(f"{HERE}/vragen", {**fields, "grond": "unlawful"})
    assert answer.status_code == 400


def test_a_term_that_stands_everywhere_and_a_forgotten_ground_are_told(world: World):
    a_run(world)
    ferry = visitor(world, "ferry")
    ferry.open(HERE)
    ferry.send("Zoek", {"namen": "x"}, status=422)
    assert "minstens twee letters" in ferry.text
    ferry = search(world, RESIDENT)
    ferry.send("Vraag om dit te wissen", {"keuze.0": "geheel"}, status=422)
    assert RESIDENT in ferry.text
    assert re.search(r'name="keuze.0" value="geheel" checked', ferry.page.text)


def test_form_sent_twice_asks_once(world: World):
    a_run(world)
    page = search(world, RESIDENT)
    fields = {**page.form_with("Vraag om dit te wissen").values, "grond": ["unlawful"]}
    send = world.browser("ferry").client.post
    answers = [send(f"{HERE}/vragen", data=fields, follow_redirects=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]


def test_erased_account_leaves_no_attempt_under_a_key_that_can_be_guessed(world: World):
    ferry, anna = world.browser("ferry"), uuid.UUID(world.users["anna"])
    with world.database.write() as session:
        for name, user in (("anna", anna), ("bram", uuid.UUID(world.users["bram"]))):
            session.add(a_passkey(user, f"passkey-{name}", at=world.clock()))
            for key in keys_of(user, login=name, passkeys=[f"passkey-{name}"]):
                session.add(LoginAttempt(key=key, at=world.clock()))
    sign_in = {"login": "Anna ", "wachtwoord": "niet het goede wachtwoord"}
    TestClient(world.app, base_url=OURS).post("/inloggen", data=sign_in)
    asked = ferry.post(f"{HERE}/personen/{anna}", {"grond": "not_needed"}, follow_redirects=False)
    carla = world.browser("carla")
    assert carla.post(f"{asked.headers['location']}/wissen", {}, follow_redirects=False).status_code == 303
    with world.database.read() as session:
        left = set(session.exec(select(LoginAttempt.key)))
    assert left.isdisjoint(keys_of(anna, login="anna", passkeys=["passkey-anna"]))
    assert left >= set(keys_of(uuid.UUID(world.users["bram"]), login="bram", passkeys=["passkey-bram"]))


def a_passkey(user: uuid.UUID, credential_id: str, *, at: datetime) -> Passkey:
    return Passkey(
        user_id=user,
        credential_id=credential_id,
        public_key="",
        sign_count=0,
        transports=[],
        name="Telefoon",
        created_at=at,
    )
