"""A new run starts from an earlier one: its answers come along as proposals, its approvals do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.run import Run, StageRef, StageStatus, StepStatus
from app.storage.answer_store import current_answers
from app.storage.database import Database
from app.storage.run_store import load_run
from app.storage.verify import verify_run
from tests.features.client import World, a_world
from tests.features.moves.versions import a_version, release
from tests.security.prepared import Prepared, prepare, visitor

FIRST = StageRef("verkennen")
QUERIES_MAX = 8


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path / "data")


@pytest.fixture
def earlier(world: World) -> Prepared:
    return prepare(world, officer="anna", manager="carla", word="merel")


def start_from(world: World, earlier: str, digest: str = "", status: int = 303) -> str:
    fields = {
        "stappenplan": digest or world.plan.digest,
        "naam": "Wonen, het tweede jaar",
        "doel": "Verder waar wij waren.",
        "domeinen": "wonen",
        "team": world.users["bram"],
        "leidinggevende": world.users["dirk"],
        "eerder": earlier,
    }
    answer = world.browser("bram").post("/trajecten/nieuw", fields, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return str(answer.headers["location"].rsplit("/", 1)[1]) if status == 303 else str(answer.text)


def begin(world: World, run: str, ref: str = "verkennen.1", **fields: str) -> Run:
    answer = world.browser("bram").post(f"/trajecten/{run}/fasen/{ref}/starten", fields, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    with world.reading() as session:
        assert verify_run(session, run).findings == ()
        return load_run(session, run)[1]


def test_start_page_offers_earlier_runs(world: World, earlier: Prepared):
    page = visitor(world, "bram")
    page.open("/trajecten/nieuw")
    page.reads("Verdergaan op een eerder traject", "Nee, begin met lege antwoorden")
    assert earlier.run in page.form_with("Traject starten").options["eerder"]


def test_answers_come_along_as_proposals_when_a_stage_begins(world: World, earlier: Prepared):
    run = start_from(world, earlier.run)
    with world.reading() as session:
        assert load_run(session, run)[1].stages == {}
        old = load_run(session, earlier.run)[1].stages[FIRST]
    after = begin(world, run)
    step = after.stages[FIRST].step("overzicht")
    assert set(step.answers) == {id for id, mark in old.step("overzicht").answers.items() if mark.is_filled}
    assert all(mark.is_proposal for mark in step.answers.values())
    assert step.status is StepStatus.BUSY
    assert not step.evidence
    assert after.stages[FIRST].contributors == (world.users["bram"], world.users["anna"])  # Anna wrote them
    with world.reading() as session:
        ours = current_answers(session, run, FIRST, "overzicht")
        theirs = current_answers(session, earlier.run, FIRST, "overzicht")
    ours_by_question = {question: answer for (_, _, question), answer in ours.items()}
    for (_, _, question), answer in theirs.items():
        assert ours_by_question[question].value == answer.value
        assert ours_by_question[question].saved_by == answer.saved_by  # still the writer's words


def test_approvals_never_come_along(world: World, earlier: Prepared):
    after = begin(world, start_from(world, earlier.run))
    stage = after.stages[FIRST]
    assert (stage.status, stage.passed, stage.approvals) == (StageStatus.OPEN, False, ())
    answer = world.browser("bram").get(f"/trajecten/{after.id}/fasen/verkennen.1/akkoord-vragen")
    assert "Stap nog niet klaar" in answer.text or "stap" in answer.text.lower()


def test_answers_of_an_older_version_follow_what_was_renamed(world: World, earlier: Prepared):
    release(world, "2.0.0")
    after = begin(world, start_from(world, earlier.run, a_version("2.0.0").plan.digest))
    answers = after.stages[FIRST].step("overzicht").answers
    assert answers["titel"].is_proposal
    assert "aantal" not in answers


def test_a_run_of_a_newer_version_cannot_be_chosen(world: World, earlier: Prepared):
    release(world, "2.0.0")
    newer = start_from(world, "", a_version("2.0.0").plan.digest)
    page = start_from(world, newer, status=422)
    assert "Kies een eerder traject uit de lijst." in page


@pytest.mark.parametrize("id", ["onzin", "00000000-0000-4000-8000-000000000000"])
def test_unknown_earlier_run_is_refused_and_what_was_typed_stays(world: World, earlier: Prepared, id: str):
    page = start_from(world, id, status=422)
    assert "Kies een eerder traject uit de lijst." in page
    assert "Verder waar wij waren." in page


def test_run_of_another_municipality_is_no_choice(world: World, earlier: Prepared):
    page = world.browser("gwen").get("/trajecten/nieuw").text
    assert earlier.run not in page
    assert "Verdergaan op een eerder traject" not in page


def test_report_shows_what_changed_since(world: World, earlier: Prepared):
    run = start_from(world, earlier.run)
    begin(world, run)
    bram = visitor(world, "bram")
    bram.open(f"/trajecten/{run}/fasen/verkennen.1/stappen/overzicht")
    bram.send("Opslaan", {"antwoord.naam": "Een heel ander overzicht", "bevestig.beschrijving": "ja"})
    page = f"/trajecten/{run}/rapport/sinds-vorige"
    emma = visitor(world, "emma")
    emma.open(page)
    emma.reads("1 antwoord is gewijzigd.", "1 antwoord is bevestigd zoals het was.", "Nog te bevestigen")
    emma.reads("Een heel ander overzicht", "Beter merel")
    with world.counting_queries() as statements:
        world.browser("emma").get(page)
    assert len(statements) <= QUERIES_MAX, statements
    assert world.browser("gwen").get(page).status_code == 404


def test_run_that_began_empty_has_nothing_to_compare(world: World, earlier: Prepared):
    emma = visitor(world, "emma")
    emma.open(f"/trajecten/{earlier.run}/rapport/sinds-vorige")
    emma.reads("Dit traject begon met lege antwoorden")
