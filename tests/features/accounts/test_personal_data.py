"""Everybody takes along what is held about them, and nothing of others; an administrator does it for somebody."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any, get_args

import pytest
from sqlalchemy import event
from sqlmodel import select

from app.engine import events as e
from app.features.accounts.data_words import ACTS, COLUMNS, PARTS
from app.policy import Role
from app.storage import account_log, installation
from app.storage.account_log import Act, Trace
from app.storage.database import Database
from app.storage.personal_data import parts_about
from app.storage.scope import set_scope, unscoped
from app.storage.tables import AccountEvent, Membership, RunRow, TextRow
from app.web.forms import ONCE_FIELD
from tests.features.accounts.building import MONDAY, a_session
from tests.features.client import Browser, World, a_world
from tests.features.steps.pages import form_data, text_of

OWN = "/account/gegevens"


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def taken(answer: Any) -> tuple[dict[str, Any], str]:
    """The JSON, and the page."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["gegevens.json", "gegevens.html"]
        return json.loads(archive.read("gegevens.json")), archive.read("gegevens.html").decode()


def of(world: World, login: str) -> str:
    return f"/beheer/gebruikers/{world.users[login]}/gegevens"


def answered(world: World, login: str, run: str, text: str) -> None:
    browser, stage = world.browser(login), f"/trajecten/{run}/fasen/verkennen.1"
    browser.post(f"{stage}/starten", {"based_on": "not-begun"})
    address = f"{stage}/stappen/overzicht"
    form = {**form_data(browser.get(address).text, address), "antwoord.naam": text, "actie": "opslaan"}
    assert browser.post(address, form, follow_redirects=False).status_code == 303


def logged(world: World) -> list[tuple[str, str]]:
    with world.reading() as session:
        rows = session.exec(select(AccountEvent).where(AccountEvent.act == "personal_data_taken"))
        return [(str(row.about), str(row.by)) for row in rows]


def test_person_takes_along_what_was_done_and_written_and_nothing_of_others(world: World):
    run = world.a_run(world.browser("anna"))
    answered(world, "anna", run, "Mijn <eigen> woorden")
    answered(world, "bram", run, "Woorden van een ander")

    page = world.browser("anna").get("/account").text
    assert f'action="{OWN}"' in page
    data, readable = taken(world.browser("anna").post(OWN, {}))

    assert (data["gemeente"], data["account"][0]["naam"], data["rollen"][0]["rol"]) == (
        "Zonnedijk",
        "Anna de Wit",
        "policy_officer",
    )
    [answer] = [each for each in data["antwoorden"] if "Mijn <eigen> woorden" in json.dumps(each)]
    assert answer["traject"] == "Wonen voor iedereen"
    assert {"RunStarted", "StageStarted", "StepSaved"} <= {each["soort"] for each in data["handelingen"]}
    assert [(each["traject"], each["in_het_team"]) for each in data["trajecten"]] == [("Wonen voor iedereen", True)]
    assert len(data["sessies"]) == 1
    for words in ("Wat er over Anna de Wit is vastgelegd", "Antwoorden die u opsloeg", "Traject begonnen"):
        assert words in readable
    assert "Mijn &lt;eigen&gt; woorden" in readable
    told = json.dumps(data, ensure_ascii=False) + readable
    for other in ("bram", "carla", "ferry"):
        assert world.users[other] not in told
    for words in ("Woorden van een ander", "Bram", "Carla"):
        assert words not in told
    assert logged(world) == [(world.users["anna"], world.users["anna"])]


def test_administrator_does_it_for_somebody_and_that_is_recorded(world: World):
    run = world.a_run(world.browser("anna"))
    answered(world, "anna", run, "Mijn woorden")
    ferry = world.browser("ferry")
    assert f'action="{of(world, "anna")}"' in ferry.get(f"/beheer/gebruikers/{world.users['anna']}").text

    data, _ = taken(ferry.post(of(world, "anna"), {}))

    assert "Mijn woorden" in json.dumps(data["antwoorden"], ensure_ascii=False)
    assert logged(world) == [(world.users["anna"], world.users["ferry"])]
    log = text_of(world.browser("emma").get("/beheer/logboek?wat=wissen").text)
    assert "Gegevens over deze persoon gedownload" in log
    # What Ferry did to Anna's account is told to Ferry without saying to whom.
    [act] = [each for each in taken(ferry.post(OWN, {}))[0]["logboek"] if each["hoedanigheid"] == "by"]
    assert (act["wat"], act["rollen"]) == ("personal_data_taken", None)


def test_address_of_who_did_something_to_an_account_is_not_in_it(world: World):
    anna, ferry = uuid.UUID(world.users["anna"]), uuid.UUID(world.users["ferry"])
    with world.database.write() as session:
        for act, by, address in (
            (Act.SIGN_IN_REFUSED, None, "192.0.2.5"),
            (Act.NAME_CHANGED, ferry, "198.51.100.7"),
            (Act.SIGNED_OUT, anna, "203.0.113.9"),
        ):
            account_log.note(session, act, about=anna, trace=Trace(by=by, at=MONDAY, address=address))

    of_anna, readable = taken(world.browser("anna").post(OWN, {}))
    of_ferry, _ = taken(world.browser("ferry").post(OWN, {}))

    places = {each["wat"]: each["vanaf"] for each in of_anna["logboek"]}
    assert (places["sign_in_refused"], places["signed_out"]) == ("192.0.2.*", "203.0.113.*")
    assert places["name_changed"] is None
    assert "198.51.100" not in readable
    assert [each["vanaf"] for each in of_ferry["logboek"] if each["wat"] == "name_changed"] == ["198.51.100.*"]


def test_nobody_else_gets_it(world: World):
    assert world.browser("carla").post(of(world, "anna"), {}).status_code == 403
    assert world.browser("ilse").post(of(world, "anna"), {}).status_code == 404
    assert world.browser("ferry").post("/beheer/gebruikers/x/gegevens", {}).status_code == 404
    assert logged(world) == []


def test_second_click_gives_the_file_again(world: World):
    for login, address in (("anna", OWN), ("ferry", of(world, "anna"))):
        browser, form = world.browser(login), {ONCE_FIELD: f"page-of-{login}"}
        for _click in range(2):
            data, _ = taken(browser.post(address, form, follow_redirects=False))
            assert data["naam"] == "Anna de Wit"
    assert len(logged(world)) == 4


def test_others_write_meanwhile_and_both_files_are_of_one_moment(world: World):
    """Somebody writes between the reading of the texts for the first file and for the second."""
    world.a_run(world.browser("anna"))
    with world.reading() as session:
        run = session.exec(select(RunRow.id)).one()
    anna, here = uuid.UUID(world.users["anna"]), world.municipalities["Zonnedijk"]
    written: list[str] = []

    def write(*statement: Any) -> None:
        if "FROM run_text" not in statement[2] or written:
            return
        written.append(statement[2])
        assert logged(world) == [(str(anna), str(anna))]
        with world.database.write() as session:
            set_scope(session, here)
            row = TextRow(municipality_id=here, run_id=run, text="Meanwhile", written_by=anna, written_at=MONDAY)
            session.add(row)

    browser = world.browser("anna")
    event.listen(world.database.engine, "after_cursor_execute", write)
    data, readable = taken(browser.post(OWN, {}))

    assert written
    assert ("Meanwhile" in json.dumps(data), "Meanwhile" in readable) == (False, False)


def test_each_municipality_gives_its_own(world: World):
    """Anna works for Veldermeer too: what is of the account as a whole is for Anna alone."""
    run = world.a_run(world.browser("anna"))
    answered(world, "anna", run, "Alleen van Zonnedijk")
    anna, there = uuid.UUID(world.users["anna"]), world.municipalities["Veldermeer"]
    with world.database.write() as session:
        role = Membership(user_id=anna, municipality_id=there, role=Role.MANAGER.value, created_at=MONDAY)
        session.add(role)

    ours, _ = taken(world.browser("ferry").post(of(world, "anna"), {}))
    theirs, _ = taken(world.browser("ilse").post(of(world, "anna"), {}))

    assert "sessies" not in ours
    assert "Alleen van Zonnedijk" in json.dumps(ours)
    assert ([each["rol"] for each in ours["rollen"]], [each["rol"] for each in theirs["rollen"]]) == (
        ["policy_officer"],
        ["manager"],
    )
    assert (theirs["antwoorden"], theirs["trajecten"], theirs["handelingen"]) == ([], [], [])
    assert "sessies" in taken(world.browser("anna").post(OWN, {}))[0]


def test_adviser_takes_along_own_words_also_of_a_run_that_is_open_no_more(world: World):
    world.a_run(world.browser("anna"))
    with world.database.write() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        run, here = session.exec(select(RunRow.id)).one(), world.municipalities["Zonnedijk"]
        for login, text in (("kees", "Advies van Kees"), ("anna", "Reden van Anna")):
            by = uuid.UUID(world.users[login])
            session.add(TextRow(municipality_id=here, run_id=run, text=text, written_by=by, written_at=MONDAY))

    data, readable = taken(world.browser("kees").post(OWN, {}))

    assert [each["tekst"] for each in data["teksten"]] == ["Advies van Kees"]
    assert "Reden van Anna" not in readable
    assert data["trajecten"] == []


def test_operator_without_a_municipality_takes_along_the_account(world: World):
    with world.database.write() as session:
        unscoped(session, "operators belong to no municipality")
        user, _ = installation.add_operator(session, login="otto", name="Otto Beheer", at=MONDAY)
    a_session(world.database, user, token="sessie-otto", csrf_token="csrf", at=world.clock.at)

    data, _ = taken(Browser(world.app, "sessie-otto", "csrf").post(OWN, {}))

    assert (data["gemeente"], data["account"][0]["inlognaam"], len(data["beheer_installatie"])) == (None, "otto", 1)
    assert "antwoorden" not in data


def test_everything_has_words(world: World):
    assert set(ACTS) == {kind.__name__ for kind in get_args(e.Event)}
    with world.reading() as session:
        anna = uuid.UUID(world.users["anna"])
        parts = [*parts_about(session, anna, is_own=True, whole_account=True)]
    assert {part.name for part in parts} == set(PARTS)
    assert {column for part in parts for column in part.columns} == set(COLUMNS)
    for part in parts:
        names = [COLUMNS[column][0] for column in part.columns]
        assert len(set(names)) == len(names), part.name
    assert len({name for name, _ in PARTS.values()}) == len(PARTS)
