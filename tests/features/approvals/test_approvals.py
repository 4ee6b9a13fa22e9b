"""Asking for approval, deciding, and taking either back: through the pages, on both databases."""

from __future__ import annotations

import uuid
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import sqlalchemy
from sqlmodel import col, select

from app.catalogue.loader import LoadedPlan, from_document
from app.engine.answers import commitment
from app.engine.run import StageInstance, StageRef, StageStatus, StepStatus
from app.engine.seal import digest
from app.storage.database import Database
from app.storage.scope import set_scope
from app.storage.tables import AnswerRow, EvidenceRow, SealRow, TextRow
from app.storage.verify import verify_run
from tests.features.client import a_world, small_plan
from tests.features.evidence.sending import send
from tests.features.steps.pages import filled, form_data, pressed, text_of
from tests.features.steps.room import COMPLETE, Room, a_room

QUERIES_MAX = 8


@pytest.fixture
def room(database: Database) -> Room:
    """The first stage with all of its work done by Anna."""
    room = a_room(database)
    complete_everything(room)
    return room


def complete_everything(room: Room) -> None:
    """As `room.complete_everything`, with evidence that the evidence room added itself: seals are followed here."""
    add_note(room, "Verslag van 3 maart")
    answers = {f"antwoord.{id}": value for id, value in COMPLETE.items()}
    statements = {"antwoord.jong-en-oud": "yes", "antwoord.stapeling": "unknown"}
    for address, values in ((room.step, answers), (room.checklist, statements)):
        data = pressed({**room.form(address=address), **{name: [value] for name, value in values.items()}}, "afronden")
        assert room.browser("anna").post(address, data, follow_redirects=False).status_code == 303


def add_note(room: Room, title: str) -> None:
    note = {"vorm": "notitie", "notitie": "Wij spraken af: dit", "titel": title, "datum": "2026-11-20"}
    answer = send(room.browser("anna"), room.run, {**note})
    assert answer.status_code == 303, answer.text


def stage_of(room: Room) -> StageInstance:
    return room.loaded().stages[StageRef.parse(room.ref)]


def ask(room: Room, login: str = "anna", **fields: str) -> Any:
    address = f"{room.stage}/akkoord-vragen"
    data = {**form_data(room.browser(login).get(address).text, address), **fields}
    return room.browser(login).post(address, data, follow_redirects=False)


def decision_form(room: Room, login: str = "carla") -> dict[str, Any]:
    address = f"{room.stage}/beoordelen"
    page = room.browser(login).get(address)
    assert page.status_code == 200, page.text
    return dict(form_data(page.text, address))


def decide(room: Room, login: str = "carla", *, form: dict[str, Any] | None = None, **fields: str) -> Any:
    """`reden__overzicht="…"` is the reason at that step."""
    typed = {name.replace("__", "."): value for name, value in fields.items()}
    data = {**(form or decision_form(room, login)), **typed}
    return room.browser(login).post(f"{room.stage}/beoordelen", data, follow_redirects=False)


def change_answer(room: Room, **answers: str) -> None:
    saved = room.browser("anna").post(
        room.step, pressed(filled(room.form(), **answers), "afronden"), follow_redirects=False
    )
    assert saved.status_code == 303, saved.text


def words_of(html: str) -> str:
    return " ".join(text_of(html).split())


# --- asking --------------------------------------------------------------------------------------------------------


def test_request_is_refused_while_something_is_missing(database: Database):
    room = a_room(database)
    address = f"{room.stage}/akkoord-vragen"
    page = room.browser("anna").get(address)
    assert page.status_code == 200
    assert f'action="{address}"' not in page.text
    assert f'href="{room.step}"' in page.text
    answer = room.browser("anna").post(address, {"shown": "0" * 64, "revision": "2", "bericht": "Graag vandaag"})
    assert answer.status_code == 409
    assert "Overzicht maken" in text_of(answer.text)
    assert stage_of(room).status is StageStatus.OPEN


def test_request_shows_everything_and_reaches_the_manager(room: Room):
    page = text_of(room.browser("anna").get(f"{room.stage}/akkoord-vragen").text)
    for wanted in ("Overzicht 2026", "Verslag van 3 maart", "We weten hoe jong en oud dit ervaart."):
        assert wanted in page
    assert ask(room, bericht="Let op de <b>woonvisie</b>").headers["location"].startswith(room.stage)
    assert stage_of(room).status is StageStatus.SUBMITTED
    shown = room.browser("carla").get(f"{room.stage}/beoordelen")
    assert "Let op de <b>woonvisie</b>" in text_of(shown.text)
    assert "Anna de Wit" in shown.text
    assert f"{room.stage}/beoordelen" in room.browser("carla").get("/").text


def test_request_of_what_has_changed_shows_the_change_and_keeps_the_message(room: Room):
    address = f"{room.stage}/akkoord-vragen"
    form = form_data(room.browser("anna").get(address).text, address)
    change_answer(room, naam="Overzicht 2027")
    answer = room.browser("anna").post(address, {**form, "bericht": "Mijn bericht"})
    assert answer.status_code == 409
    read = words_of(answer.text)
    assert "verwijderd: 2026" in read
    assert "toegevoegd: 2027" in read
    assert "Mijn bericht" in answer.text
    assert stage_of(room).request is None


def test_request_asked_twice_is_recorded_once(room: Room):
    address = f"{room.stage}/akkoord-vragen"
    form = form_data(room.browser("anna").get(address).text, address)
    first = room.browser("anna").post(address, form, follow_redirects=False)
    before = room.loaded().revision
    second = room.browser("anna").post(address, form, follow_redirects=False)
    assert (first.status_code, second.status_code) == (303, 303)
    assert room.loaded().revision == before


def test_request_by_somebody_else_meanwhile_is_said(room: Room):
    address = f"{room.stage}/akkoord-vragen"
    form = form_data(room.browser("bram").get(address).text, address)
    ask(room)
    answer = room.browser("bram").post(address, form, follow_redirects=False)
    assert answer.status_code == 409
    assert "al akkoord gevraagd" in text_of(answer.text)


def test_request_can_be_withdrawn(room: Room):
    ask(room)
    assert f"{room.stage}/akkoord-vragen" in room.browser("anna").get(room.stage).text
    assert f"{room.stage}/verzoek-intrekken" in room.browser("anna").get(f"{room.stage}/akkoord-vragen").text
    take_back = partial(room.browser("anna").post, f"{room.stage}/verzoek-intrekken", follow_redirects=False)
    assert take_back({"reden": " "}).status_code == 409
    assert take_back({"reden": "Te <vroeg>"}).status_code == 303
    assert stage_of(room).status is StageStatus.OPEN
    assert take_back({"reden": "Nog eens"}).status_code == 409
    assert "Te <vroeg>" in text_of(room.browser("emma").get(f"/trajecten/{room.run}/geschiedenis").text)
    assert decide(room, form={"shown": "0" * 64, "revision": "9", "besluit": "akkoord"}).status_code == 409


# --- deciding ------------------------------------------------------------------------------------------------------


def test_manager_approves_exactly_what_was_shown(room: Room):
    ask(room)
    form = decision_form(room)
    answer = decide(room, form=form, besluit="akkoord", opmerking="Mooi werk")
    assert answer.status_code == 303
    stage = stage_of(room)
    assert stage.status is StageStatus.APPROVED
    assert stage.passed
    assert stage.approvals[0].by == room.world.users["carla"]
    assert stage.approvals[0].seal == form["shown"][0]
    page = text_of(room.browser("anna").get(room.stage).text)
    assert "Mooi werk" in page
    assert "Carla Smit" in page


def test_htmx_is_told_where_to_go_after_the_decision(room: Room):
    """Following the redirect it would put the next page inside this one."""
    ask(room)
    data = {**decision_form(room), "besluit": "akkoord"}
    answer = room.browser("carla").post(f"{room.stage}/beoordelen", data, htmx=True, follow_redirects=False)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, room.stage)
    assert "location" not in answer.headers
    assert "Uw akkoord is vastgelegd" in text_of(room.browser("carla").get(room.stage).text)


def test_seal_can_be_followed_from_the_texts_in_the_database(room: Room):
    ask(room)
    decide(room, besluit="akkoord")
    approval = stage_of(room).approvals[0]
    with room.world.reading() as session:
        manifest = session.exec(select(SealRow.manifest).where(SealRow.digest == approval.seal)).one()
        answers = {(row.step, row.question): row for row in session.exec(select(AnswerRow).where(AnswerRow.is_current))}
        evidence = {str(row.id): row for row in session.exec(select(EvidenceRow))}
        assert verify_run(session, room.run).findings == ()
    assert digest(manifest) == approval.seal
    assert manifest["plan"]["digest"] == room.world.plan.digest
    sealed = {(step, id): proof for step, part in manifest["steps"].items() for id, proof in part["answers"].items()}
    assert set(sealed) == {key for key, row in answers.items() if row.value is not None}
    for key, proof in sealed.items():
        assert commitment(answers[key].value, answers[key].salt) == proof
    assert manifest["steps"]["overzicht"]["evidence"] == {id: row.commitment for id, row in evidence.items()}


def test_nobody_approves_work_of_their_own_and_another_manager_can(database: Database):
    room = a_room(database)
    complete_everything(room)
    carla = room.browser("carla")
    saved = carla.post(
        room.step, pressed(filled(room.form("carla"), naam="Van Carla"), "afronden"), follow_redirects=False
    )
    assert saved.status_code == 303, saved.text
    ask(room)
    page = carla.get(f"{room.stage}/beoordelen")
    assert page.status_code == 200
    assert f'action="{room.stage}/beoordelen"' not in page.text
    assert "zelf" in text_of(page.text)
    form = decision_form(room, "dirk")
    assert decide(room, form=form, besluit="akkoord").status_code == 409
    assert decide(room, form=form, besluit="terugsturen", reden__overzicht="Nee").status_code == 409
    assert stage_of(room).status is StageStatus.SUBMITTED
    assert decide(room, "dirk", form=form, besluit="akkoord").status_code == 303
    assert stage_of(room).approvals[0].by == room.world.users["dirk"]


def test_sent_back_marks_the_steps_and_shows_why(room: Room):
    ask(room)
    answer = decide(room, besluit="terugsturen", reden__overzicht="Noem ook de <i>moties</i>.", reden__checklist=" ")
    assert answer.status_code == 303
    stage = stage_of(room)
    assert stage.status is StageStatus.OPEN
    assert stage.step("overzicht").status is StepStatus.REVISIT
    assert stage.step("checklist").status is StepStatus.COMPLETED
    for address in (room.stage, room.step):
        assert "Noem ook de <i>moties</i>." in text_of(room.browser("anna").get(address).text)
    assert "Opnieuw bekijken" in text_of(room.browser("anna").get(room.stage).text)


def test_sending_back_takes_a_reason(room: Room):
    ask(room)
    answer = decide(room, besluit="terugsturen", reden__overzicht="  ")
    assert answer.status_code == 409
    assert "reden" in text_of(answer.text)
    assert stage_of(room).status is StageStatus.SUBMITTED


@pytest.mark.parametrize("htmx", [False, True])
def test_change_between_showing_and_approving_is_refused_and_shown(room: Room, htmx: bool):
    ask(room)
    form = decision_form(room)
    change_answer(room, naam="Overzicht <2027>")
    add_note(room, "Later verslag")
    before = room.loaded().revision
    data = {**form, "besluit": "akkoord", "opmerking": "Mijn opmerking"}
    answer = room.browser("carla").post(f"{room.stage}/beoordelen", data, htmx=htmx)
    assert answer.status_code == 409
    read = words_of(answer.text)
    assert "verwijderd: 2026" in read
    assert "toegevoegd: <2027>" in read
    assert "Later verslag" in read
    assert "Mijn opmerking" in answer.text
    assert ("<html" in answer.text) is not htmx
    assert room.loaded().revision == before
    with room.world.reading() as session:
        texts = session.execute(select(TextRow.text)).scalars().all()
    assert "Mijn opmerking" not in texts
    again = form_data(answer.text, f"{room.stage}/beoordelen")
    assert again["shown"] != form["shown"]
    assert decide(room, form=again, besluit="akkoord").status_code == 303


def test_change_is_shown_also_when_the_page_was_never_sealed(room: Room):
    """Between the request and the page the team saved; then it saved once more."""
    ask(room)
    change_answer(room, naam="Tweede naam")
    form = decision_form(room)
    change_answer(room, naam="Derde naam")
    answer = decide(room, form=form, besluit="akkoord")
    assert answer.status_code == 409
    changes = words_of(answer.text.split('class="change-list"')[1].split("</ul>")[0])
    assert "verwijderd: Tweede" in changes
    assert "toegevoegd: Derde" in changes
    assert "2026" not in changes


def test_what_is_unfinished_cannot_be_approved_and_the_page_says_so(room: Room):
    ask(room)
    room.browser("anna").post(room.step, pressed(filled(room.form(), naam="Half"), "opslaan"))
    page = room.browser("carla").get(f"{room.stage}/beoordelen")
    assert 'value="akkoord"' not in page.text
    assert 'value="terugsturen"' in page.text
    answer = decide(room, besluit="akkoord")
    assert answer.status_code == 409
    assert "Overzicht maken" in text_of(answer.text)


@pytest.mark.parametrize("choice", ["akkoord", "terugsturen"])
def test_double_click_has_one_effect_and_is_no_error(room: Room, choice: str):
    ask(room)
    form = decision_form(room)
    first = decide(room, form=form, besluit=choice, reden__overzicht="Kijk nog eens")
    before = room.loaded().revision
    second = decide(room, form=form, besluit=choice, reden__overzicht="Kijk nog eens")
    assert (first.status_code, second.status_code) == (303, 303)
    assert room.loaded().revision == before
    other = decide(room, "dirk", form=form, besluit=choice, reden__overzicht="Kijk nog eens")
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("choice", "field"), [("akkoord", "opmerking"), ("terugsturen", "reden__overzicht")], ids=["akkoord", "terugsturen"]
)
def test_second_click_with_other_words_is_another_decision(room: Room, choice: str, field: str):
    ask(room)
    form = decision_form(room)
    decide(room, form=form, besluit=choice, **{field: "Kijk nog eens"})
    before = room.loaded().revision
    second = decide(room, form=form, besluit=choice, **{field: "Vraag de bewoners"})
    assert second.status_code == 409
    assert "Kijk nog eens" in second.text
    assert "Vraag de bewoners" in second.text
    assert room.loaded().revision == before


def test_request_with_another_message_is_another_request(room: Room):
    address = f"{room.stage}/akkoord-vragen"
    form = form_data(room.browser("anna").get(address).text, address)
    assert room.browser("anna").post(address, {**form, "bericht": "Graag vandaag"}, follow_redirects=False).is_redirect
    before = room.loaded().revision
    second = room.browser("anna").post(address, {**form, "bericht": "Graag morgen"}, follow_redirects=False)
    assert second.status_code == 409
    assert "Graag vandaag" in second.text
    assert "Graag morgen" in second.text
    assert room.loaded().revision == before


def test_who_decides_too_late_reads_who_decided(room: Room):
    ask(room)
    form = decision_form(room)
    assert decide(room, form=form, besluit="akkoord").status_code == 303
    late = decide(room, "dirk", form=form, besluit="terugsturen", reden__overzicht="Noem ook de wijken")
    assert late.status_code == 409
    assert "Het laatste besluit over deze fase: Akkoord Carla" in words_of(late.text)


def test_approving_after_sending_back_is_refused(room: Room):
    ask(room)
    form = decision_form(room)
    decide(room, form=form, besluit="terugsturen", reden__overzicht="Kijk nog eens")
    assert decide(room, form=form, besluit="akkoord").status_code == 409


def test_decision_after_the_last_shows_what_changed_since(room: Room):
    ask(room)
    decide(room, besluit="terugsturen", reden__overzicht="Andere naam")
    change_answer(room, naam="Betere naam")
    ask(room)
    changes = room.browser("carla").get(f"{room.stage}/beoordelen").text.split('class="change-list"')[1]
    changes = changes.split("</ul>")[0]
    assert "Overzicht 2026" in changes
    assert "Betere naam" in changes


def test_manager_is_told_what_changed_after_the_request(room: Room):
    ask(room)
    page = room.browser("carla").get(f"{room.stage}/beoordelen").text
    assert "Gewijzigd nadat akkoord is gevraagd" not in page
    change_answer(room, naam="Toch anders")
    for login, part in (("carla", "beoordelen"), ("anna", "akkoord-vragen")):
        page = room.browser(login).get(f"{room.stage}/{part}").text
        changes = page.split("Gewijzigd nadat akkoord is gevraagd")[1].split("</ul>")[0]
        assert "Overzicht 2026" in changes
        assert "Toch anders" in changes


def test_text_that_was_erased_is_no_missing_answer(room: Room):
    ask(room)
    decide(room, besluit="terugsturen", reden__overzicht="Andere naam")
    change_answer(room, naam="Betere naam")
    ask(room)
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        is_name = col(AnswerRow.question) == "naam"
        session.execute(sqlalchemy.update(AnswerRow).where(is_name).values(value=None))
    page = room.browser("carla").get(f"{room.stage}/beoordelen").text
    read = text_of(page.split('class="change-list"')[1].split("</ul>")[0])
    assert "Was gewist Nu gewist" in read
    assert "Hoe heet het overzicht? gewist" in text_of(page)


def test_blind_spots_are_sentences(room: Room):
    ask(room)
    read = text_of(room.browser("carla").get(f"{room.stage}/beoordelen").text)
    assert "Onbekend: We weten voor wie nadelen zich opstapelen. (Samenloop van gronden)" in read


def test_seal_of_another_stage_is_no_seal_of_this_one(room: Room):
    """Both are kept for this run, so a page that was made up can carry either."""
    ask(room)
    decide(room, besluit="akkoord")
    sealed = stage_of(room).approvals[0].seal
    room.browser("anna").post(f"/trajecten/{room.run}/fasen/werkgroep.1/starten", {"reden": "Nu kan het"})
    other = f"/trajecten/{room.run}/fasen/werkgroep.1"
    form = form_data(room.browser("anna").get(f"{other}/stappen/opdracht").text, f"{other}/stappen/opdracht")
    room.browser("anna").post(f"{other}/stappen/opdracht", pressed(filled(form, opdracht="Doen"), "afronden"))
    answer = room.browser("anna").post(f"{other}/akkoord-vragen", {"shown": sealed, "revision": "3"})
    assert answer.status_code == 409
    assert "Overzicht 2026" not in answer.text


# --- several approvals ---------------------------------------------------------------------------------------------


def test_gate_for_two_takes_two_different_managers(database: Database):
    document = deepcopy(small_plan().document)
    document["stages"][0]["gate"]["approvals"] = 2
    world = a_world(database, plan=LoadedPlan(from_document(document), document))
    room = Room(world, world.a_run(world.browser("anna")))
    world.browser("anna").post(f"{room.stage}/starten", {})
    complete_everything(room)
    ask(room)
    form = decision_form(room)
    assert decide(room, form=form, besluit="akkoord").status_code == 303
    assert stage_of(room).status is StageStatus.SUBMITTED
    assert decide(room, form=form, besluit="akkoord").status_code == 303  # the same click, once more
    assert len(stage_of(room).approvals) == 1
    page = room.browser("carla").get(f"{room.stage}/beoordelen")
    assert 'value="akkoord"' not in page.text
    assert "Carla Smit" in text_of(room.browser("dirk").get(f"{room.stage}/beoordelen").text)
    assert decide(room, "dirk", besluit="akkoord").status_code == 303
    assert stage_of(room).status is StageStatus.APPROVED
    assert len(stage_of(room).approvals) == 2


def test_evidence_under_an_approval_stays(room: Room):
    ask(room)
    decide(room, besluit="akkoord")
    [evidence] = room.state().evidence
    address = f"/trajecten/{room.run}/bewijsstukken/{evidence.id}"
    page = room.browser("anna").get(address).text
    assert f'action="{address}/intrekken"' not in page
    assert "is vastgesteld en gesloten" in text_of(page)
    answer = room.browser("anna").post(f"{address}/intrekken", {"reden": "Toch niet"})
    assert answer.status_code == 409
    assert room.state().evidence[0].counts


# --- withdrawing an approval -----------------------------------------------------------------------------------------


def test_approval_is_withdrawn_with_a_reason_only(room: Room):
    ask(room)
    decide(room, besluit="akkoord")
    carla, address = room.browser("carla"), f"{room.stage}/akkoord-intrekken"
    decided = f"{room.stage}/beoordelen"
    assert decided in carla.get(room.stage).text
    assert address in carla.get(decided).text
    assert address not in room.browser("anna").get(room.stage).text
    refused = carla.post(address, {"reden": " "})
    assert refused.status_code == 409
    assert "reden" in text_of(refused.text)
    assert carla.post(address, {"reden": "Er is een fout."}, follow_redirects=False).status_code == 303
    stage = stage_of(room)
    assert stage.status is StageStatus.OPEN
    assert not stage.passed
    assert stage.approvals[0].withdrawn_by == room.world.users["carla"]
    assert carla.post(address, {"reden": "Nog eens."}).status_code == 409
    read = text_of(room.browser("anna").get(room.stage).text)
    assert "Ingetrokken" in read
    ask(room)
    assert "Ingetrokken" in text_of(carla.get(f"{room.stage}/beoordelen").text)


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["emma", "ferry"])
def test_auditor_and_administrator_neither_ask_nor_decide(room: Room, login: str):
    ask(room)
    browser = room.browser(login)
    assert browser.get(f"{room.stage}/akkoord-vragen").status_code == 403
    for part in ("akkoord-vragen", "verzoek-intrekken", "beoordelen", "akkoord-intrekken"):
        assert browser.post(f"{room.stage}/{part}", {}).status_code == 403


@pytest.mark.parametrize("login", ["anna", "emma", "ferry"])
def test_who_may_not_decide_sees_what_is_decided_on_and_why_not(room: Room, login: str):
    ask(room)
    browser = room.browser(login)
    page = browser.get(f"{room.stage}/beoordelen")
    assert page.status_code == 200
    assert "Overzicht 2026" in text_of(page.text)
    assert "Met uw rol kunt u niet beslissen over Verkennen." in text_of(page.text)
    assert f'action="{room.stage}/beoordelen"' not in page.text
    assert f'action="{room.stage}/akkoord-intrekken"' not in page.text
    assert browser.post(f"{room.stage}/beoordelen", {"besluit": "akkoord"}).status_code == 403
    assert browser.post(f"{room.stage}/akkoord-intrekken", {"reden": "x"}).status_code == 403


def test_stage_of_another_municipality_does_not_exist(room: Room):
    ask(room)
    good = {"shown": "0" * 64, "revision": "3", "besluit": "akkoord", "reden": "x"}
    gwen, hugo = room.browser("gwen"), room.browser("hugo")
    assert gwen.get(f"{room.stage}/akkoord-vragen").status_code == 404
    assert hugo.get(f"{room.stage}/beoordelen").status_code == 404
    assert gwen.post(f"{room.stage}/akkoord-vragen", {"shown": "0" * 64, "revision": "3"}).status_code == 404
    assert gwen.post(f"{room.stage}/verzoek-intrekken", {}).status_code == 404
    assert hugo.post(f"{room.stage}/beoordelen", {k: v for k, v in good.items() if k != "reden"}).status_code == 404
    assert hugo.post(f"{room.stage}/beoordelen", {**good, "besluit": "maybe"}).status_code == 404
    assert hugo.post(f"{room.stage}/akkoord-intrekken", {"reden": "x"}).status_code == 404
    assert stage_of(room).status is StageStatus.SUBMITTED


def test_without_the_token_of_the_form_nothing_happens(room: Room):
    ask(room)
    before = room.loaded().revision
    data = {**decision_form(room), "besluit": "akkoord"}
    assert room.browser("carla").post(f"{room.stage}/beoordelen", data, token="").status_code == 403
    assert room.browser("carla").post(f"{room.stage}/akkoord-intrekken", {"reden": "x"}, token="").status_code == 403
    assert room.browser("anna").post(f"{room.stage}/akkoord-vragen", data, token="").status_code == 403
    assert room.browser("anna").post(f"{room.stage}/verzoek-intrekken", {}, token="").status_code == 403
    assert room.loaded().revision == before


def test_somebody_outside_the_team_cannot_ask(database: Database):
    room = a_room(database)
    room.run = room.world.a_run(room.browser("anna"), team=("anna",))
    room.browser("anna").post(f"{room.stage}/starten", {})
    complete_everything(room)
    address = f"{room.stage}/akkoord-vragen"
    page = room.browser("bram").get(address)
    assert f'action="{address}"' not in page.text
    assert "team" in text_of(page.text)
    assert ask(room).status_code == 303
    assert room.browser("bram").post(f"{room.stage}/verzoek-intrekken", {}).status_code == 409


# --- hostile input ---------------------------------------------------------------------------------------------------

GOOD = {"shown": "0" * 64, "revision": "3", "besluit": "akkoord"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 428),
        ({**GOOD, "shown": ""}, 422),
        ({**GOOD, "shown": "geen-zegel"}, 422),
        ({**GOOD, "shown": "0" * 63 + "G"}, 422),
        ({**GOOD, "shown": "0" * 64 + "\n0"}, 422),
        ({**GOOD, "revision": "-1"}, 422),
        ({**GOOD, "revision": "0"}, 422),
        ({**GOOD, "revision": "9" * 400}, 422),
        ({**GOOD, "revision": "1e400"}, 422),
        ({**GOOD, "revision": str(10**9)}, 409),
        ({**GOOD, "besluit": "misschien"}, 422),
        ({**GOOD, "opmerking": "x" * 2001}, 422),
        ({**GOOD, "opmerking": "\x00"}, 422),
        ({**GOOD, "zomaar": "x"}, 422),
        ({**GOOD, "besluit": ["akkoord", "terugsturen"]}, 422),
        ({**GOOD, "besluit": "terugsturen", "reden.bestaat-niet": "x"}, 404),
        ({**GOOD, "besluit": "terugsturen", "reden.": "x"}, 404),
        ({**GOOD, "besluit": "terugsturen", "reden.overzicht": "x\x00y"}, 422),
        ({**GOOD, "besluit": "terugsturen", "reden.overzicht": "x" * 2001}, 422),
        ({**GOOD, "besluit": "terugsturen", "reden.overzicht": ["a", "b"]}, 422),
    ],
)
def test_hostile_decision_is_refused_and_records_nothing(room: Room, fields: dict[str, Any], status: int):
    ask(room)
    before = room.loaded().revision
    answer = room.browser("carla").post(f"{room.stage}/beoordelen", fields, follow_redirects=False)
    assert answer.status_code == status, answer.text
    assert room.loaded().revision == before


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 428),
        ({"shown": "x", "revision": "3"}, 422),
        ({"shown": "0" * 64, "revision": "9" * 400}, 422),
        ({"shown": "0" * 64, "revision": str(10**9), "bericht": "Hallo"}, 409),
        ({"shown": "0" * 64, "revision": "3", "bericht": "x" * 2001}, 422),
        ({"shown": "0" * 64, "revision": "3", "bericht": "\x00"}, 422),
    ],
)
def test_hostile_request_is_refused_and_keeps_what_was_typed(room: Room, fields: dict[str, Any], status: int):
    before = room.loaded().revision
    answer = room.browser("anna").post(f"{room.stage}/akkoord-vragen", fields, follow_redirects=False)
    assert answer.status_code == status, answer.text
    assert room.loaded().revision == before
    if (typed := fields.get("bericht", "\x00")) != "\x00":
        assert typed in answer.text


@pytest.mark.parametrize("ref", ["verkennen.2", "verkennen.99999999999999999999", "niets.1", "beleid.1", "x", "%00"])
@pytest.mark.parametrize("part", ["akkoord-vragen", "beoordelen"])
def test_stage_that_was_never_begun_has_no_such_page(room: Room, ref: str, part: str):
    address = f"/trajecten/{room.run}/fasen/{ref}/{part}"
    assert room.browser("carla").get(address).status_code == 404
    assert room.browser("carla").post(address, GOOD).status_code == 404


def test_absent_run_has_no_such_pages(room: Room):
    for run in (uuid.uuid4(), "geen-id"):
        for part in ("akkoord-vragen", "beoordelen"):
            assert room.browser("carla").get(f"/trajecten/{run}/fasen/verkennen.1/{part}").status_code == 404


# --- cost ------------------------------------------------------------------------------------------------------------


def test_pages_cost_at_most_eight_queries_at_their_fullest(room: Room):
    ask(room, bericht="Eerste keer")
    decide(room, besluit="terugsturen", reden__overzicht="Andere naam")
    change_answer(room, naam="Betere naam")
    add_note(room, "Nog een verslag")
    ask(room, bericht="Tweede keer")
    for login, part in (("anna", "akkoord-vragen"), ("carla", "beoordelen")):
        address = f"{room.stage}/{part}"
        room.browser(login).get(address)
        with room.world.counting_queries() as statements:
            assert room.browser(login).get(address).status_code == 200
        assert len(statements) <= QUERIES_MAX, statements


def test_seals_are_kept_once_for_the_same_content(room: Room):
    ask(room)
    decide(room, besluit="akkoord")
    with room.world.reading() as session:
        count = session.execute(sqlalchemy.select(sqlalchemy.func.count(col(SealRow.digest)))).scalar_one()
    assert count == 1
