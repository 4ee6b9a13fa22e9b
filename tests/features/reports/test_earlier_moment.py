"""The report of an earlier day is the one that would have been made then."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pikepdf
import pytest
from sqlmodel import select

from app.features.reports.composed import composed
from app.features.reports.values import Report
from app.storage.database import Database
from app.storage.run_at import NotBegunYet
from app.storage.tables import AccountEvent
from app.web.formats import day_of
from tests.features.accounts.building import MONDAY, a_session
from tests.features.client import Browser
from tests.features.moving import a_full_room, approve, moved, moved_back
from tests.features.steps.pages import form_data, text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8
BEGUN = date(2026, 11, 23)


def report(room: Room, *, on: date | None = None) -> Report:
    with room.world.reading() as session:
        at = room.world.clock()
        contents = composed(session, room.run, at=at, on=on).contents
        return Report.of(contents, municipality="Zonnedijk", by="Emma Kok", at=at)


def visitor(room: Room, login: str) -> Browser:
    """Signed in today."""
    token, csrf = f"{login}-{uuid.uuid4()}", f"csrf-{login}-{uuid.uuid4()}"
    world = room.world
    a_session(world.database, uuid.UUID(world.users[login]), token=token, csrf_token=csrf, at=world.clock())
    world._browsers[login] = Browser(world.app, token, csrf)
    return world._browsers[login]


def answer(room: Room, step: str, **answers: str) -> None:
    page = f"{room.stage}/stappen/{step}"
    anna = visitor(room, "anna")
    data = {**form_data(anna.get(page).text, page), **{f"antwoord.{id}": [value] for id, value in answers.items()}}
    assert anna.post(page, {**data, "actie": "opslaan"}, follow_redirects=False).status_code == 303


def rename(room: Room) -> None:
    page = f"/trajecten/{room.run}/bewerken"
    anna = visitor(room, "anna")
    data = {**form_data(anna.get(page).text, page), "naam": ["Anders genoemd"], "doel": ["Een ander doel."]}
    assert anna.post(page, data, follow_redirects=False).status_code == 303


def withdraw_evidence(room: Room) -> None:
    [piece, *_] = room.state("conclusie").evidence
    page = f"/trajecten/{room.run}/bewijsstukken/{piece.id}"
    anna = visitor(room, "anna")
    fields = {"reden": "Verouderd."}
    assert anna.post(f"{page}/intrekken", fields, follow_redirects=False).status_code == 303


def send_back(room: Room) -> None:
    room.ask_approval()
    room.send_back("overzicht", "Noem ook de moties.")


def complete_again(room: Room) -> None:
    visitor(room, "anna")
    room.add_evidence("Nog een verslag", step="conclusie")
    room.complete_everything()
    answer(room, "conclusie", eerst="Toch eerst de dorpen.")
    page = f"{room.stage}/stappen/conclusie"
    anna = room.browser("anna")
    data = form_data(anna.get(page).text, page)
    assert anna.post(page, {**data, "actie": "afronden"}, follow_redirects=False).status_code == 303


def approve_it(room: Room) -> None:
    visitor(room, "anna"), visitor(room, "carla")
    approve(room)


DAYS: tuple[Callable[[Room], None], ...] = (
    lambda room: answer(room, "overzicht", naam="Een andere naam"),
    rename,
    withdraw_evidence,
    complete_again,
    send_back,
    complete_again,
    approve_it,
    lambda room: moved(room.world, room.run, "2.0.0"),
    lambda room: moved(room.world, room.run, "3.0.0"),
    lambda room: moved_back(room.world, room.run),
)


def test_report_of_a_day_is_the_one_that_was_made_at_its_end(database: Database):
    room = a_full_room(database, is_approved=False)
    made: list[Report] = [report(room)]
    for act in DAYS:
        room.world.clock.advance(days=1)
        act(room)
        made.append(report(room))
    room.world.clock.advance(days=1)

    assert len({then.revision for then in made}) == len(made)
    for then in made:
        again = report(room, on=day_of(then.made_at))
        assert again == replace(then, made_at=again.made_at, on=day_of(then.made_at))


@pytest.fixture
def room(database: Database) -> Room:
    """Begun on Monday; on Thursday one answer is another one."""
    room = a_room(database)
    answer(room, "overzicht", naam="Zo was het")
    room.world.clock.advance(days=3)
    answer(room, "overzicht", naam="Zo werd het")
    return room


def page_of(room: Room, address: str, status: int = 200) -> str:
    found = visitor(room, "emma").get(f"/trajecten/{room.run}/rapport{address}")
    assert found.status_code == status, found.text
    return text_of(found.text)


def test_page_shows_the_day_that_was_chosen_and_says_so(room: Room):
    now, then = page_of(room, ""), page_of(room, "?stand=2026-11-25")
    assert ("Zo werd het" in now, "Zo was het" in now, "Stand op 25 november 2026" in now) == (True, False, False)
    assert ("Zo werd het" in then, "Zo was het" in then, "Stand op 25 november 2026" in then) == (False, True, True)
    assert "Wat later gebeurde, staat er niet in." in then
    assert page_of(room, "?stand=23-11-2026").count("Zo was het") == 1, "as people type it"
    assert "Zo werd het" in page_of(room, "?stand=2026-11-26"), "today"


def test_files_are_of_the_same_day_as_the_page_that_they_are_taken_from(room: Room):
    emma = visitor(room, "emma")
    address = f"/trajecten/{room.run}/rapport"
    page = emma.get(f"{address}?stand=2026-11-25").text
    pdf, csv = (emma.get(f"{address}/{form}?stand=2026-11-25") for form in ("pdf", "csv"))
    for file, form in ((pdf, "pdf"), (csv, "csv")):
        assert f'href="{address}/{form}?stand=2026-11-25"' in page
        assert f"rapport-{room.run}-stand-20261125.{form}" in file.headers["content-disposition"]
    with pikepdf.open(io.BytesIO(pdf.content)) as document:
        attached = document.attachments["rapport.json"].get_file().read_bytes().decode()
    for text in (csv.content.decode("utf-8-sig"), attached):
        assert ("Zo werd het" in text, "Zo was het" in text, "Stand op" in text) == (False, True, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2026-11-27", "Die dag moet nog komen. Kies vandaag of een eerdere dag."),
        ("9999-12-31", "Die dag moet nog komen."),
        ("2026-11-22", "Het traject was toen nog niet begonnen. Kies 23 november 2026 of een latere dag."),
        ("0001-01-01", "Het traject was toen nog niet begonnen."),
        ("morgen", "Typ een datum bij ‘Stand op’"),
        ("2026-02-30", "Typ een datum bij ‘Stand op’"),
    ],
)
def test_day_of_which_there_is_no_report(room: Room, typed: str, said: str):
    emma = visitor(room, "emma")
    address = f"/trajecten/{room.run}/rapport"
    page = emma.get(address, params={"stand": typed})
    assert page.status_code == 422
    assert said in text_of(page.text)
    assert "Zo werd het" in text_of(page.text), "the report of now is there"
    for file in ("pdf", "csv"):
        told = emma.get(f"{address}/{file}", params={"stand": typed})
        assert (told.status_code, told.url.path) == (422, address)
        assert said in text_of(told.text)


def test_what_was_typed_stays(room: Room):
    emma = visitor(room, "emma")
    page = emma.get(f"/trajecten/{room.run}/rapport", params={"stand": "2026-11-22"})
    assert 'name="stand" value="2026-11-22"' in page.text


def test_run_of_another_municipality_has_no_earlier_moment_either(room: Room):
    room.world.clock.at = MONDAY
    for address in ("", "/pdf", "/csv"):
        found = visitor(room, "hugo").get(f"/trajecten/{room.run}/rapport{address}?stand=2026-11-23")
        assert found.status_code == 404


def test_adviser_reads_what_the_team_says_now_and_not_what_it_said_before(room: Room):
    address = f"/trajecten/{room.run}/rapport"
    kees, anna = room.world.users["kees"], visitor(room, "anna")
    assert visitor(room, "kees").get(f"{address}?stand=2026-11-25").status_code == 404
    shared = {"adviseur": kees, "vraag": "Wat vindt u?"}
    assert anna.post(f"/trajecten/{room.run}/advies/delen", shared, follow_redirects=False).status_code == 303
    adviser = visitor(room, "kees")
    page = adviser.get(address)
    assert (page.status_code, "Kies een ander moment" in page.text) == (200, False)
    for part in ("", "/pdf", "/csv"):
        refused = adviser.get(f"{address}{part}?stand=2026-11-25")
        assert refused.status_code == 403
        assert "Zo was het" not in refused.text


def test_which_day_an_auditor_read_is_recorded(room: Room):
    page_of(room, "?stand=2026-11-25")
    visitor(room, "emma").get(f"/trajecten/{room.run}/rapport/csv?stand=2026-11-25")
    with room.world.reading() as session:
        told = [event.detail for event in session.exec(select(AccountEvent)) if event.act.endswith("report")]
    assert told == [{"run": room.run, "day": "2026-11-25"}] * 2


def test_earlier_moment_of_a_run_that_moved_costs_at_most_eight_queries(database: Database):
    room = a_full_room(database)
    for version in ("2.0.0", "3.0.0"):
        room.world.clock.advance(hours=1)
        moved(room.world, room.run, version)
    emma = visitor(room, "emma")
    address = f"/trajecten/{room.run}/rapport?stand={BEGUN}"
    assert emma.get(address).status_code == 200
    with room.world.counting_queries() as statements:
        emma.get(address)
    assert len(statements) <= QUERIES_MAX, statements


def test_moment_before_the_first_event_names_that_event(room: Room):
    with pytest.raises(NotBegunYet) as refused:
        report(room, on=BEGUN - timedelta(days=1))
    assert refused.value.began_at == MONDAY
