"""Sharing a run with an adviser, the advice, and what the team did with it."""

import re
import uuid
from typing import Any

import pytest

from app.policy import Role
from app.storage.database import Database
from app.storage.tables import Membership
from app.storage.verify import verify_run
from tests.features.client import Browser, World, a_world
from tests.features.steps.pages import form_data

QUESTION = "Voor wie pakt dit slecht uit?"
ADVICE = "Vraag ook mensen die niet digitaal vaardig zijn."


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def shared(world: World, *, question: str = QUESTION) -> str:
    anna = world.browser("anna")
    run = world.a_run(anna)
    anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    answer = share(world, anna, run, vraag=question, voor="2027-04-01")
    assert answer.status_code == 303
    return run


def share(world: World, browser: Browser, run: str, *, adviser: str = "kees", **fields: str) -> Any:
    return browser.post(
        f"/trajecten/{run}/advies/delen", {"adviseur": world.users[adviser], **fields}, follow_redirects=False
    )


def give(world: World, run: str, **fields: str) -> Any:
    return world.browser("kees").post(f"/trajecten/{run}/advies/geven", fields, follow_redirects=False)


def given_advice(world: World, run: str) -> str:
    assert give(world, run, fase="verkennen.1", advies=ADVICE, gronden="leeftijd").status_code == 303
    page = world.browser("anna").get(f"/trajecten/{run}/advies").text
    [advice] = set(re.findall(r"/advies/([0-9a-f-]{36})/antwoord", page))
    return str(advice)


def test_adviser_sees_shared_runs_only(world: World):
    run, other = shared(world), world.a_run(world.browser("anna"), name="Niet gedeeld")
    kees = world.browser("kees")
    overview = kees.get("/").text
    assert "Wonen voor iedereen" in overview
    assert "Niet gedeeld" not in overview
    assert "Onze trajecten" not in overview, "whoever advises does not belong to the municipality"
    assert "Alleen die van mij" not in overview, "that would always be none"
    assert "1 traject<" in overview.replace("\n", "")
    assert "Niet gedeeld" not in kees.get("/?zoek=Niet", htmx=True).text
    for part in ("", "/advies", "/checklist", "/bewijsstukken", "/rapport", "/rapport/pdf", "/geschiedenis"):
        assert kees.get(f"/trajecten/{run}{part}").status_code == 200, part
        assert kees.get(f"/trajecten/{other}{part}").status_code == 404, part
    for elsewhere in ("/stappenplannen", "/beheer/gebruikers", "/beheer/logboek", "/geschiedenis", "/trajecten/nieuw"):
        assert kees.get(elsewhere).status_code == 403, elsewhere


def test_advice_and_its_answer_are_shown_to_everybody_on_the_run(world: World):
    run = shared(world)
    kees, anna = world.browser("kees"), world.browser("anna")
    assert QUESTION in kees.get(f"/trajecten/{run}/advies").text
    assert "1 april 2027" in kees.get(f"/trajecten/{run}/advies").text
    advice = given_advice(world, run)
    assert "1 zonder antwoord" in anna.get(f"/trajecten/{run}").text
    assert ADVICE in anna.get(f"/trajecten/{run}/fasen/verkennen.1").text
    answer = anna.post(
        f"/trajecten/{run}/advies/{advice}/antwoord",
        {"gevolg": "partly", "reden": "Twee van de drie groepen spreken wij nog."},
        follow_redirects=False,
    )
    assert answer.status_code == 303
    for address in ("/advies", "/fasen/verkennen.1", "/rapport", "/geschiedenis"):
        page = kees.get(f"/trajecten/{run}{address}").text
        assert ADVICE in page, address
        assert "Twee van de drie groepen spreken wij nog." in page, address
    assert "Deels overgenomen" in kees.get(f"/trajecten/{run}/advies").text
    assert "Kees Maas" in kees.get(f"/trajecten/{run}/geschiedenis?wat=advies").text
    csv = anna.get(f"/trajecten/{run}/rapport/csv").content.decode("utf-8-sig")
    assert ADVICE in csv
    assert kees.get(f"/trajecten/{run}/rapport/pdf").status_code == 200
    with world.reading() as session:
        assert verify_run(session, run).findings == ()


def test_advice_is_no_work_on_the_stage(world: World):
    run = shared(world)
    before = world.browser("anna").get(f"/trajecten/{run}/rapport").text
    assert "Kees Maas" not in before
    give(world, run, fase="verkennen.1", advies=ADVICE)
    contributors = re.findall(
        r"<dd>[^<]*Kees Maas[^<]*</dd>", world.browser("anna").get(f"/trajecten/{run}/rapport").text
    )
    assert contributors == []


def test_taking_back_counts_at_the_next_request_and_keeps_the_advice(world: World):
    run = shared(world)
    given_advice(world, run)
    address = f"/trajecten/{run}/advies/delen/{world.users['kees']}/stoppen"
    assert world.browser("carla").post(address, {}, follow_redirects=False).status_code == 303
    kees = world.browser("kees")
    assert kees.get(f"/trajecten/{run}").status_code == 404
    assert give(world, run, advies="Nog iets").status_code == 404
    assert "Wonen voor iedereen" not in kees.get("/").text
    assert ADVICE in world.browser("anna").get(f"/trajecten/{run}/advies").text
    with world.reading() as session:
        assert verify_run(session, run).findings == ()


@pytest.mark.parametrize("login", ["bram", "dirk"])
def test_only_the_team_and_the_manager_share_and_answer(world: World, login: str):
    anna = world.browser("anna")
    run = world.a_run(anna, team=("anna",))
    assert share(world, world.browser(login), run).status_code == 409
    share(world, anna, run)
    advice = given_advice_on_run(world, run)
    answer = {"gevolg": "not", "reden": "Geen tijd."}
    refused = world.browser(login).post(f"/trajecten/{run}/advies/{advice}/antwoord", answer)
    assert refused.status_code == 409
    assert "Geen tijd." not in anna.get(f"/trajecten/{run}/advies").text


def given_advice_on_run(world: World, run: str) -> str:
    assert give(world, run, advies=ADVICE).status_code == 303
    page = world.browser("anna").get(f"/trajecten/{run}/advies").text
    [advice] = set(re.findall(r"/advies/([0-9a-f-]{36})/antwoord", page))
    return str(advice)


def test_what_is_missing_is_said_and_what_was_typed_stays(world: World):
    run = shared(world)
    empty = give(world, run, fase="verkennen.1", advies=" ")
    assert empty.status_code == 422
    unknown = give(world, run, fase="bestaat-niet.1", advies=ADVICE)
    assert unknown.status_code == 422
    assert ADVICE in unknown.text
    ground = give(world, run, advies=ADVICE, gronden="bestaat-niet")
    assert ground.status_code == 422
    anna = world.browser("anna")
    nobody = share(world, anna, run, adviser="bram", vraag="Iets")
    assert nobody.status_code == 422
    assert "Kies een adviseur uit de lijst." in nobody.text
    elsewhere = share(world, anna, run, adviser="gwen")
    assert elsewhere.status_code == 422
    part = world.browser("kees").post(f"/trajecten/{run}/advies/geven", {"advies": ""}, htmx=True)
    assert part.status_code == 422
    assert part.text.lstrip().startswith("<section")


def add_two_notes(world: World, run: str) -> dict[str, str]:
    """A confidential one and one that is not: their ids by title."""
    anna = world.browser("anna")
    place = f"/trajecten/{run}/fasen/verkennen.1/stappen/overzicht/bewijs"
    for kind, title in (("confidential", "Gespreksnotities"), ("internal", "Overzicht")):
        fields = {"vorm": "notitie", "soort": "verslag", "titel": title, "datum": "2026-11-02"}
        secret = {"notitie": f"Inhoud van {title}", "vertrouwelijkheid": kind, "sleutel": str(uuid.uuid4())}
        assert anna.post(place, {**fields, **secret}).status_code == 200
    page = anna.get(f"/trajecten/{run}/bewijsstukken").text
    return {title: id for id, title in re.findall(r"/bewijsstukken/([0-9a-f-]{36})\">(\w+)", page)}


def make_auditor_of(world: World, login: str, run: str) -> None:
    """Of this run only."""
    user = uuid.UUID(world.users[login])
    with world.database.write() as session:
        place = world.municipalities["Zonnedijk"]
        session.add(Membership(user_id=user, municipality_id=place, role=Role.AUDITOR, created_at=world.clock.at))
    address = f"/beheer/gebruikers/{user}/auditor"
    answer = world.browser("ferry").post(address, {"welke": "gekozen", "trajecten": [run]}, follow_redirects=False)
    assert answer.status_code == 303


def test_adviser_who_is_also_an_auditor_of_another_run_does_not_open_confidential_evidence(world: World):
    shared_run, audited_run = shared(world), world.a_run(world.browser("anna"), name="Onderzocht")
    world.browser("anna").post(f"/trajecten/{audited_run}/fasen/verkennen.1/starten", {})
    make_auditor_of(world, "kees", audited_run)
    kees = world.browser("kees")
    for run, expected in ((shared_run, 403), (audited_run, 200)):
        ids = add_two_notes(world, run)
        assert kees.get(f"/trajecten/{run}/bewijsstukken/{ids['Overzicht']}").status_code == 200
        for end in ("", "/bestand"):
            page = kees.get(f"/trajecten/{run}/bewijsstukken/{ids['Gespreksnotities']}{end}")
            assert page.status_code == expected, (run, end)
        for end in ("", "/csv"):
            report = kees.get(f"/trajecten/{run}/rapport{end}").text
            assert "Inhoud van Overzicht" in report
            assert ("Inhoud van Gespreksnotities" in report) == (expected == 200), (run, end)
    assert kees.get("/trajecten/geen-id/rapport").status_code == 404


def test_adviser_does_not_open_confidential_evidence(world: World):
    run = shared(world)
    anna, kees = world.browser("anna"), world.browser("kees")
    ids = add_two_notes(world, run)
    assert kees.get(f"/trajecten/{run}/bewijsstukken/{ids['Overzicht']}").status_code == 200
    assert kees.get(f"/trajecten/{run}/bewijsstukken/{ids['Gespreksnotities']}").status_code == 403
    assert "Inhoud van Gespreksnotities" in anna.get(f"/trajecten/{run}/rapport").text
    for end in ("", "/csv"):
        report = kees.get(f"/trajecten/{run}/rapport{end}").text
        assert "Inhoud van Overzicht" in report
        assert "Inhoud van Gespreksnotities" not in report


def test_two_who_ask_the_same_adviser_see_what_the_other_asked(world: World):
    run = shared(world)
    anna, bram = world.browser("anna"), world.browser("bram")
    address = f"/trajecten/{run}/advies/delen"
    brams = {**form_data(bram.get(address).text, address), "adviseur": world.users["kees"], "vraag": "Vraag van Bram"}
    share(world, anna, run, vraag="Vraag van Anna")
    refused = bram.post(address, brams, follow_redirects=False)
    assert refused.status_code == 409
    assert "Vraag van Anna" in refused.text
    again = form_data(refused.text, address)
    assert again["vraag"] == ["Vraag van Bram"]
    assert bram.post(address, again, follow_redirects=False).status_code == 303


def test_two_answers_to_one_advice_are_both_shown(world: World):
    run = shared(world)
    address = f"/trajecten/{run}/advies/{given_advice(world, run)}/antwoord"
    anna, bram = world.browser("anna"), world.browser("bram")
    brams = {**form_data(bram.get(address).text, address), "gevolg": "not", "reden": "Reden van Bram"}
    anna.post(address, {"gevolg": "wholly", "reden": "Reden van Anna"})
    refused = bram.post(address, brams, follow_redirects=False)
    assert refused.status_code == 409
    assert "Reden van Anna" in refused.text
    again = form_data(refused.text, address)
    assert (again["gevolg"], again["reden"]) == (["not"], ["Reden van Bram"])
    assert bram.post(address, again, follow_redirects=False).status_code == 303
