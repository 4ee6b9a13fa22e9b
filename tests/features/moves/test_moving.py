"""A run goes on with a newer version of its plan: through the pages, without scripts, on both databases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.engine.run import ParkedKind, Run, StageRef, StageStatus, StepStatus
from app.engine.run_migration.changes import ChangeClass
from app.engine.run_migration.items import Choice, Item
from app.features.moves.queries import ChoiceTotal, count_choices
from app.storage.database import Database
from app.storage.run_store import load_run
from app.storage.verify import verify_run
from tests.features.client import World, a_world
from tests.features.moves.versions import release
from tests.features.steps.pages import text_of
from tests.journey.visitor import Visitor
from tests.security.prepared import Prepared, prepare, visitor

QUERIES_MAX = 8
FIRST = StageRef("verkennen")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path / "data")


@pytest.fixture
def prepared(world: World) -> Prepared:
    """A run whose first stage is approved, with answers of every kind and evidence."""
    return prepare(world, officer="anna", manager="carla", word="merel")


def run_of(world: World, prepared: Prepared) -> Run:
    with world.reading() as session:
        return load_run(session, prepared.run)[1]


def check_history(world: World, prepared: Prepared) -> None:
    with world.reading() as session:
        assert verify_run(session, prepared.run).findings == ()


def address(prepared: Prepared, rest: str = "") -> str:
    return f"/trajecten/{prepared.run}/nieuwe-versie{rest}"


def proposed(world: World, prepared: Prepared) -> Visitor:
    """Anna looks at the new version, tries it out and asks the manager."""
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.send("Bekijk wat er verandert")
    anna.reads("Zo staat het traject er daarna voor", "Opnieuw vast te stellen")
    anna.send("Leg voor aan een leidinggevende")
    return anna


def moved(world: World, prepared: Prepared) -> None:
    proposed(world, prepared)
    carla = visitor(world, "carla")
    carla.open(address(prepared))
    carla.send("Bevestig en ga over")


def test_without_a_newer_version_there_is_nothing_to_choose(world: World, prepared: Prepared):
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.reads("Er is geen nieuwere versie")


def test_version_that_asks_nothing_is_taken_by_the_team_itself(world: World, prepared: Prepared):
    before = run_of(world, prepared)
    release(world, "1.1.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.send("Bekijk wat er verandert")
    anna.reads("Dit raakt geen akkoord")
    anna.send("Ga verder met versie 1.1.0")
    anna.reads("Het traject gaat verder met de nieuwe versie")
    after = run_of(world, prepared)
    assert after.plan_version == "1.1.0"
    assert after.stages == before.stages
    assert after.parked == ()
    check_history(world, prepared)


def test_page_says_what_the_new_version_means_for_this_run(world: World, prepared: Prepared):
    release(world, "2.0.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.reads(
        "De visie telt pas als de raad die vaststelde.",
        "1 antwoord vraagt om een keuze",
        "Is er al een visie?",
        "verwijderd: Is er",
        "toegevoegd: Heeft de raad",
        "Een losse notitie bleek niet genoeg.",
        "Hoeveel besluiten?",
        "Dit onderdeel staat niet in de nieuwere versie.",
    )


def test_dry_run_changes_nothing(world: World, prepared: Prepared):
    before = run_of(world, prepared)
    release(world, "2.0.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.send("Bekijk wat er verandert")
    anna.reads("Zo staat het traject er daarna voor", "Opnieuw vast te stellen", "Stappen om opnieuw te bekijken")
    assert run_of(world, prepared) == before


def test_touched_approval_takes_a_proposal_and_a_manager(world: World, prepared: Prepared):
    release(world, "2.0.0")
    before = run_of(world, prepared)
    anna = proposed(world, prepared)
    anna.reads("Wacht op een leidinggevende", "Anna de Wit")
    anna.reads("Dit raakt een akkoord. Daarom moet een leidinggevende dit bevestigen.")
    assert run_of(world, prepared).plan_version == "1.0.0"
    carla = visitor(world, "carla")
    carla.open(address(prepared))
    carla.send("Bevestig en ga over")
    after = run_of(world, prepared)
    assert after.plan_version == "2.0.0"
    stage = after.stages[FIRST]
    assert stage.status is StageStatus.OPEN
    assert stage.changed_since_approval
    assert stage.approvals == before.stages[FIRST].approvals
    assert stage.step("overzicht").status is StepStatus.REVISIT
    assert stage.step("overzicht").answers["visie"].is_proposal
    earlier = before.stages[FIRST].step("overzicht").answers
    assert stage.step("overzicht").answers["titel"] == earlier["naam"]
    assert [(item.key, item.answer) for item in after.parked] == [("aantal", earlier["aantal"])]
    assert after.stages[StageRef("beleid", "wonen")] == before.stages[StageRef("beleid", "wonen")]
    check_history(world, prepared)


def test_nobody_confirms_an_own_proposal(world: World, prepared: Prepared):
    release(world, "2.0.0")
    carla = visitor(world, "carla")
    carla.open(address(prepared))
    carla.send("Bekijk wat er verandert")
    carla.send("Leg voor aan een leidinggevende")
    carla.reads("U deed dit voorstel zelf")
    shown = run_of(world, prepared).proposal
    assert shown is not None
    answer = world.browser("carla").post(address(prepared, "/bevestigen"), {"shown": shown.outcome})
    assert answer.status_code == 409
    assert run_of(world, prepared).plan_version == "1.0.0"


def test_officer_cannot_confirm(world: World, prepared: Prepared):
    release(world, "2.0.0")
    proposed(world, prepared)
    proposal = run_of(world, prepared).proposal
    assert proposal is not None
    answer = world.browser("bram").post(address(prepared, "/bevestigen"), {"shown": proposal.outcome})
    assert answer.status_code == 409
    assert run_of(world, prepared).plan_version == "1.0.0"


def test_manager_finds_the_proposal_on_the_overview(world: World, prepared: Prepared):
    release(world, "2.0.0")
    carla = visitor(world, "carla")
    carla.open("/")
    assert "Bevestig: verder met versie" not in carla.text
    proposed(world, prepared)
    carla.open("/")
    carla.follow("Bevestig: verder met versie 2.0.0")
    carla.send("Bevestig en ga over")
    carla.open("/")
    assert "Bevestig: verder met versie" not in carla.text


def test_overview_tells_decisions_in_the_words_of_their_version(world: World, prepared: Prepared):
    """Also of a stage that the present version does not have, without a link to where it is not."""
    release(world, "3.0.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.send("Bekijk wat er verandert")
    anna.send("Ga verder met versie 3.0.0")
    emma = visitor(world, "emma")
    emma.open("/")
    emma.reads("Werkgroep")
    assert "/fasen/werkgroep.1" not in emma.page.text
    with world.counting_queries() as statements:
        assert world.browser("carla").get("/").status_code == 200
    assert len(statements) <= QUERIES_MAX, statements


def test_keeping_an_answer_under_another_question_takes_a_reason_and_keeps_what_was_typed(
    world: World, prepared: Prepared
):
    release(world, "2.0.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    item = "verkennen.1/overzicht/visie"
    anna.send("Bekijk wat er verandert", {f"keuze.{item}": "keep"}, status=422)
    anna.reads("Schrijf waarom.")
    assert anna.form_with("Bekijk wat er verandert").values[f"keuze.{item}"] == ["keep"]
    anna.send("Bekijk wat er verandert", {f"reden.{item}": "De raad stelde haar vast in 2024."})
    anna.send("Leg voor aan een leidinggevende")
    anna.reads("Houden", "De raad stelde haar vast in 2024.")
    visitor(world, "carla").open(address(prepared))
    carla = visitor(world, "carla")
    carla.open(address(prepared))
    carla.send("Bevestig en ga over")
    after = run_of(world, prepared)
    assert not after.stages[FIRST].step("overzicht").answers["visie"].is_proposal
    assert after.stages[FIRST].changed_since_approval  # the approval was about another question all the same


def test_page_says_how_many_choices_are_made(world: World, prepared: Prepared):
    release(world, "2.0.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.reads("1 van 1 keuze gemaakt. Overal zoals voorgesteld.")
    item = "verkennen.1/overzicht/visie"
    anna.send("Bekijk wat er verandert", {f"keuze.{item}": "keep"}, status=422)
    anna.reads("0 van 1 keuze gemaakt. Bij 1 antwoord moet u nog schrijven waarom.")
    anna.send("Bekijk wat er verandert", {f"reden.{item}": "De raad stelde haar vast in 2024."})
    anna.reads("1 van 1 keuze gemaakt. Bij 1 antwoord koos u iets anders dan het voorstel.")


def test_choices_are_counted_while_somebody_chooses_and_nothing_else_happens(world: World, prepared: Prepared):
    release(world, "2.0.0")
    before = run_of(world, prepared)
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    sent = {name: values[0] for name, values in anna.form_with("Bekijk wat er verandert").values.items()}
    item = "verkennen.1/overzicht/visie"
    browser, there = world.browser("anna"), address(prepared, "/bekijken")
    for changes, said in (
        ({f"keuze.{item}": "keep"}, "0 van 1 keuze gemaakt. Bij 1 antwoord moet u nog schrijven waarom."),
        ({f"keuze.{item}": "keep", f"reden.{item}": "Daarom"}, "1 van 1 keuze gemaakt. Bij 1 antwoord koos u iets"),
        ({f"keuze.{item}": "onzin"}, "0 van 1 keuze gemaakt."),
        ({}, "1 van 1 keuze gemaakt. Overal zoals voorgesteld."),
    ):
        part = browser.post(there, {**sent, **changes}, htmx=True)
        assert part.status_code == 200
        assert text_of(part.text).startswith(said)
        assert "<p" not in part.text
    assert browser.post(there, {**sent, "naar": "onzin"}, htmx=True).status_code == 404
    assert run_of(world, prepared) == before


def test_choices_are_counted_with_what_they_lack():
    def item(id: str, proposed: Choice, change_class: ChangeClass = ChangeClass.ANSWER_AGAIN) -> Item:
        place, reasoned = StageRef("verkennen"), tuple(each for each in (Choice.KEEP, Choice.PARK) if each != proposed)
        return Item(
            id, ParkedKind.ANSWER, place, "stap", id, None, id, None, change_class, proposed, tuple(Choice), reasoned
        )

    asking = [item(id, Choice.AGAIN) for id in "abcdef"]
    items = [*asking, item("stil", Choice.KEEP, ChangeClass.COSMETIC)]
    items.append(replace(item("weg", Choice.PARK), allowed=(Choice.PARK,)))
    assert count_choices(items, {}, {}) == ChoiceTotal(total=6, made=6, otherwise=0, without_reason=0)
    chosen = {"a": "keep", "b": "park", "c": "keep", "d": "again", "e": "iets", "stil": "park"}
    reasons = {"a": "Het klopt nog", "b": "  ", "d": "Hoeft niet"}
    assert count_choices(items, chosen, reasons) == ChoiceTotal(total=6, made=3, otherwise=4, without_reason=3)


def test_work_after_the_proposal_is_shown_before_anything_moves(world: World, prepared: Prepared):
    release(world, "2.0.0")
    proposed(world, prepared)
    proposal = run_of(world, prepared).proposal
    assert proposal is not None
    step = f"/trajecten/{prepared.run}/fasen/beleid.wonen.1/stappen/tekst"
    bram = visitor(world, "anna")
    bram.open(step)
    bram.send("Opslaan", {"antwoord.tekst": "Intussen verder gewerkt"})
    answer = world.browser("carla").post(address(prepared, "/bevestigen"), {"shown": proposal.outcome})
    assert answer.status_code == 409
    assert run_of(world, prepared).plan_version == "1.0.0"


def test_request_for_approval_waits_first(world: World, prepared: Prepared):
    release(world, "2.0.0")
    anna = visitor(world, "anna")
    stage = f"/trajecten/{prepared.run}/fasen/beleid.wonen.1"
    anna.open(f"{stage}/stappen/tekst")
    anna.send("Stap afronden", {"antwoord.tekst": "Af"})
    anna.open(f"{stage}/akkoord-vragen")
    anna.send("Akkoord vragen")
    anna.open(address(prepared))
    anna.reads("Nog niet mogelijk", "Wacht op de beslissing of trek het verzoek in.")


def test_undo_brings_back_the_run_as_it_was(world: World, prepared: Prepared):
    release(world, "2.0.0")
    before = run_of(world, prepared)
    moved(world, prepared)
    carla = visitor(world, "carla")
    carla.open(address(prepared, "/terugdraaien"))
    carla.reads("Niets van wat daarna is gedaan, gaat verloren.")
    carla.send("Ga terug naar versie 1.0.0")
    after = run_of(world, prepared)
    assert (after.plan_version, after.parked) == ("1.0.0", ())
    assert contents(after) == contents(before)
    assert after.stages[FIRST].status is StageStatus.APPROVED
    check_history(world, prepared)


def contents(run: Run) -> dict[str, Any]:
    """All but the counters that only go up."""
    return {
        f"{ref}/{step}": (state.status, dict(state.answers), state.evidence, state.finding)
        for ref, instance in run.stages.items()
        for step, state in instance.steps.items()
    }


def test_undo_sets_later_work_aside_and_only_with_consent(world: World, prepared: Prepared):
    release(world, "2.0.0")
    moved(world, prepared)
    anna = visitor(world, "anna")
    anna.open(f"/trajecten/{prepared.run}/fasen/verkennen.1/stappen/conclusie")
    anna.send("Opslaan", {"antwoord.waarom": "Omdat de raad erom vroeg"})
    carla = visitor(world, "carla")
    carla.open(address(prepared, "/terugdraaien"))
    carla.reads("Omdat de raad erom vroeg", "Waarom komt dat eerst?")
    carla.send("Ga terug naar versie 1.0.0", status=409)
    carla.send("Ga terug naar versie 1.0.0", {"parkeren": "ja"})
    after = run_of(world, prepared)
    assert after.plan_version == "1.0.0"
    assert [item.key for item in after.parked] == ["waarom"]
    carla.open(f"/trajecten/{prepared.run}/geparkeerd")
    carla.reads("Omdat de raad erom vroeg", "Waarom komt dat eerst?", "versie 2.0.0")
    check_history(world, prepared)


def test_officer_cannot_bring_back_an_approval(world: World, prepared: Prepared):
    release(world, "2.0.0")
    moved(world, prepared)
    anna = visitor(world, "anna")
    anna.open(address(prepared, "/terugdraaien"))
    anna.reads("Er komt een akkoord terug. Daarom moet een leidinggevende dit doen.")
    revision = run_of(world, prepared).revision
    answer = world.browser("anna").post(address(prepared, "/terugdraaien"), {"revision": str(revision)})
    assert answer.status_code == 409
    assert run_of(world, prepared).plan_version == "2.0.0"


def test_what_was_set_aside_is_found_by_its_words(world: World, prepared: Prepared):
    release(world, "2.0.0")
    moved(world, prepared)
    emma = visitor(world, "emma")
    emma.open(f"/trajecten/{prepared.run}/geparkeerd")
    emma.reads("Hoeveel besluiten?", "12", "versie 1.0.0", "Anna de Wit")
    emma.open(f"/trajecten/{prepared.run}/geparkeerd?zoek=hoeveel")
    emma.reads("Hoeveel besluiten?")
    emma.open(f"/trajecten/{prepared.run}/geparkeerd?zoek=iets-anders")
    emma.reads("Er is niets gevonden.")


def test_move_and_undo_and_move_again(world: World, prepared: Prepared):
    release(world, "1.1.0", "2.0.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared) + "?naar=1.1.0")
    anna.send("Bekijk wat er verandert")
    anna.send("Ga verder met versie 1.1.0")
    moved(world, prepared)
    carla = visitor(world, "carla")
    carla.open(address(prepared, "/terugdraaien"))
    carla.send("Ga terug naar versie 1.1.0")
    moved(world, prepared)
    run = run_of(world, prepared)
    assert run.plan_version == "2.0.0"
    assert [(move.from_version, move.to_version, move.undone_at is None) for move in run.moves] == [
        ("1.0.0", "1.1.0", True),
        ("1.1.0", "2.0.0", False),
        ("1.1.0", "2.0.0", True),
    ]
    check_history(world, prepared)


BAD_INPUT: list[tuple[dict[str, Any], int]] = [
    ({"naar": "9.9.9"}, 404),
    ({"naar": "1.0.0"}, 404),
    ({}, 422),
    ({"naar": "2.0.0", "shown": "geen digest"}, 422),
    ({"naar": "2.0.0", "keuze.verkennen.1/overzicht/visie": "weggooien"}, 422),
    ({"naar": "2.0.0", "keuze.bestaat.1/niet/echt": "keep"}, 404),
    ({"naar": "2.0.0", "keuze.x": "keep"}, 404),
    ({"naar": "2.0.0", "reden.verkennen.1/overzicht/visie": "x" * 2_001}, 422),
    ({"naar": "2.0.0", "reden.verkennen.1/overzicht/visie": "nul\x00teken"}, 422),
    ({"naar": "2.0.0", "keuze.verkennen.1/overzicht/visie": ["keep", "park"]}, 422),
    ({"naar": "2.0.0", "onbekend": "veld"}, 422),
]


def test_bad_input_is_refused_and_changes_nothing(world: World, prepared: Prepared):
    """All of it on one run: making one takes longer than what is tried here."""
    release(world, "2.0.0")
    before = run_of(world, prepared)
    for where in ("/bekijken", "/voorleggen", "/uitvoeren"):
        for fields, status in BAD_INPUT:
            shown = {} if where == "/bekijken" else {"shown": "0" * 64}
            answer = world.browser("anna").post(address(prepared, where), {**shown, **fields})
            assert answer.status_code == status, f"{where} {fields}: {answer.text}"
    assert run_of(world, prepared) == before


def test_double_click_moves_once(world: World, prepared: Prepared):
    release(world, "1.1.0")
    anna = visitor(world, "anna")
    anna.open(address(prepared))
    anna.send("Bekijk wat er verandert")
    form = anna.form_with("Ga verder met versie 1.1.0")
    fields = form.values
    first = world.browser("anna").post(address(prepared, "/uitvoeren"), fields, follow_redirects=False)
    second = world.browser("anna").post(address(prepared, "/uitvoeren"), fields, follow_redirects=False)
    assert first.status_code == 303
    assert second.status_code in (303, 404, 409)
    assert len(run_of(world, prepared).moves) == 1


def test_pages_stay_within_their_queries(world: World, prepared: Prepared):
    release(world, "2.0.0")
    for page in (address(prepared), f"/trajecten/{prepared.run}/geparkeerd"):
        world.browser("anna").get(page)
        with world.counting_queries() as statements:
            assert world.browser("anna").get(page).status_code == 200
        assert len(statements) <= QUERIES_MAX, statements
    proposed(world, prepared)
    with world.counting_queries() as statements:
        assert world.browser("carla").get(address(prepared)).status_code == 200
    assert len(statements) <= QUERIES_MAX, statements
    carla = visitor(world, "carla")
    carla.open(address(prepared))
    carla.send("Bevestig en ga over")
    for page in (f"/trajecten/{prepared.run}/geparkeerd", address(prepared, "/terugdraaien")):
        world.browser("anna").get(page)
        with world.counting_queries() as statements:
            assert world.browser("anna").get(page).status_code == 200
        assert len(statements) <= QUERIES_MAX, statements
