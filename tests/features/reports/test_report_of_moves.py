"""The report of a run that moved: which versions, on which one was decided, and everything that was set aside."""

from __future__ import annotations

import csv
import io
import json

import pikepdf
import pytest

from app.engine.run import ParkedKind, ParkedWhy
from app.features.reports import pdf, sheet
from app.features.reports.composed import composed
from app.features.reports.moved import MovedRun
from app.features.reports.texts import PARKED_KINDS, PARKED_WHY, Words
from app.features.reports.values import Report
from app.storage.database import Database
from app.storage.run_store import load_run
from tests.features.accounts.building import MONDAY
from tests.features.moving import a_full_room, a_version, digest_of, moved, moved_back, release
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8
NL = Words("nl")


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


@pytest.fixture
def moved_room(room: Room) -> Room:
    moved(room.world, room.run, "2.0.0")
    return room


def _report(room: Room) -> Report:
    with room.world.reading() as session:
        contents = composed(session, room.run, at=MONDAY).contents
        return Report.of(contents, municipality="Zonnedijk", by="Emma Kok", at=MONDAY)


def _page(room: Room, part: str = "rapport"):
    answer = room.browser("emma").get(f"/trajecten/{room.run}/{part}")
    assert answer.status_code == 200, answer.text
    return answer


def _rows(report: Report) -> list[list[str]]:
    text = sheet.write(report, NL).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def _attached(report: Report):
    with pikepdf.open(io.BytesIO(pdf.write(report, NL))) as document:
        return json.loads(document.attachments["rapport.json"].get_file().read_bytes())


def test_report_of_a_run_that_never_moved_says_nothing_of_versions(room: Room):
    report = _report(room)
    assert (report.versions, report.parked) == ((), ())
    text = text_of(_page(room).text)
    assert "Wat apart is gezet" not in text
    assert "Versies van het stappenplan" not in text


def test_page_tells_everything_that_was_set_aside_in_the_words_of_its_version(moved_room: Room):
    text = text_of(_page(moved_room).text)
    chapter = text[text.index("Wat apart is gezet Dit heeft geen plaats") : text.rindex("Over dit rapport")]
    for wanted in (
        "Hoeveel besluiten? Antwoord 12 besluiten Stond bij Overzicht maken (Verkennen) Wie en wanneer Anna de Wit",
        "Wat komt eerst? Antwoord Eerst de wijken.",
        "We weten hoe jong en oud dit ervaart.",
        "Wat is de opdracht? Antwoord Trek dit. Stond bij Opdracht (Werkgroep)",
        "Verslag bij de conclusie",
        f"Waarom apart gezet {NL.say(PARKED_WHY[ParkedWhy.GONE])}",
        f"versie 1.0.0, SHA-256 {digest_of('1.0.0')}",
    ):
        assert wanted in chapter, wanted


def test_summary_names_the_versions_with_dates_people_and_digests(moved_room: Room):
    moved_back(moved_room.world, moved_room.run)
    text = text_of(_page(moved_room).text)
    assert "Begonnen op versie 1.0.0, door Anna de Wit op 23 november 2026" in text
    assert "Naar versie 2.0.0, door Carla Smit op 23 november 2026" in text
    assert "Terug naar versie 1.0.0, door Carla Smit" in text
    assert digest_of("2.0.0") in text
    assert [line.kind for line in _report(moved_room).versions] == ["started", "moved", "undone"]


def test_approval_on_an_earlier_version_names_it(moved_room: Room):
    report = _report(moved_room)
    [decision] = report.stages[0].decisions
    assert (decision.kind, decision.version) == ("approved", "1.0.0")
    assert "(op versie 1.0.0)" in text_of(_page(moved_room).text)
    assert "Akkoord (op versie 1.0.0)" in [row[7] for row in _rows(report)]
    assert "Akkoord (op versie 1.0.0)" in [row[1] for row in _attached(report)["decisions"]["rows"]]


def test_answer_that_waits_is_told_as_such(moved_room: Room):
    assert "Van eerder, nog niet bevestigd" in text_of(_page(moved_room).text)
    assert "Van eerder, nog niet bevestigd" in [row[7] for row in _rows(_report(moved_room))]


def test_step_that_a_move_opened_again_was_not_sent_back(moved_room: Room):
    text = text_of(_page(moved_room).text)
    assert "Het stappenplan is gewijzigd, opnieuw bekijken: Overzicht maken." in text
    assert "Teruggestuurd" not in text


def test_evidence_that_was_set_aside_supports_nothing_and_is_told(moved_room: Room):
    report = _report(moved_room)
    aside = [line for line in report.evidence if line.set_aside]
    assert [line.title for line in aside] == ["Verslag bij de conclusie"]
    assert report.evidence_in_force == len(report.evidence) - 1
    assert "Apart gezet, van versie 1.0.0" in text_of(_page(moved_room).text)


def test_sheet_has_a_row_for_everything_that_was_set_aside(moved_room: Room):
    report = _report(moved_room)
    rows = [row for row in _rows(report) if row[0] == "Apart gezet"]
    assert len(rows) == len(report.parked) == 6
    assert ["Werkgroep", "Opdracht", "Antwoord: Wat is de opdracht?", "Trek dit.", "versie 1.0.0"] in [
        [row[1], *row[4:8]] for row in rows
    ]
    assert {row[11] for row in rows} == {digest_of("1.0.0")}
    assert [row[5:7] for row in _rows(report) if row[11] in (digest_of("1.0.0"), digest_of("2.0.0"))][:3] == [
        ["Stappenplan", f"{a_version('2.0.0').plan.title.nl} 2.0.0"],
        ["Begonnen op versie", "1.0.0"],
        ["Naar versie", "2.0.0"],
    ]


def test_pdf_holds_what_was_set_aside_and_the_versions(moved_room: Room):
    content = _attached(_report(moved_room))
    assert len(content["parked"]) == 6
    assert len(content["versions"]) == 2
    [number] = [item for item in content["parked"] if item["title"] == "Hoeveel besluiten?"]
    assert ["Antwoord", "12 besluiten"] in number["facts"]


@pytest.mark.parametrize("part", ["rapport", "rapport/csv", "rapport/pdf", "geschiedenis"])
def test_report_of_a_run_that_moved_costs_at_most_eight_queries(moved_room: Room, part: str):
    moved(moved_room.world, moved_room.run, "3.0.0")
    _page(moved_room, part)
    with moved_room.world.counting_queries() as statements:
        _page(moved_room, part)
    assert len(statements) <= QUERIES_MAX, statements


def test_decision_stays_with_its_stage_when_that_gets_another_name(database: Database):
    room = a_room(database)
    room.complete_everything()
    room.ask_approval()
    room.send_back("overzicht", "Noem ook de moties.")
    release(room.world, "4.0.0")
    moved(room.world, room.run, "4.0.0")
    report = _report(room)
    [decision] = next(line for line in report.stages if line.ref.stage == "orienteren").decisions
    assert decision.kind == "sent_back"
    assert decision.remarks[0][1] == "Noem ook de moties."
    with room.world.reading() as session:
        plan, run = load_run(session, room.run)
        moving = MovedRun(session, plan, run)
    assert str(moving.ref_now(next(iter(run.stages)), run.moves[0].revision + 1)) == "orienteren.1"


def test_every_kind_of_parked_thing_and_every_reason_has_words():
    assert all(NL.say(sentence) != sentence for sentence in PARKED_WHY.values())
    assert all(NL.say(sentence) for sentence in PARKED_KINDS.values())
    assert (set(PARKED_WHY), set(PARKED_KINDS)) == (set(ParkedWhy), set(ParkedKind))
