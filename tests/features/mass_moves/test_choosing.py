"""Choosing which runs move: the filter, the previews, who may do it, and what is refused at the form."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from app.storage.database import Database
from tests.features.client import World, a_world
from tests.features.mass_moves.building import (
    CHOOSE,
    GO,
    WHY,
    all_masses,
    loaded,
    many_runs,
    release_1_1,
    spoil,
    versions,
)
from tests.features.moving import a_full_room, release
from tests.security.prepared import visitor

QUERIES_MAX = 8


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path / "data")


def test_without_a_newer_version_there_is_nothing_to_choose(world: World):
    many_runs(world, 1)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ferry.reads("Alle trajecten hebben de nieuwste versie")


@pytest.mark.parametrize("login", ["anna", "carla"])
def test_officers_and_managers_neither_see_nor_do_it(world: World, login: str):
    ids = many_runs(world, 1)
    release_1_1(world)
    browser = world.browser(login)
    assert browser.get(CHOOSE).status_code == 403
    assert browser.get(f"{CHOOSE}/eerdere").status_code == 403
    assert browser.post(CHOOSE, {}).status_code == 403
    assert versions(world, ids) == ["1.0.0"]


def test_auditor_reads_what_was_done_and_can_do_nothing(world: World):
    ids = many_runs(world, 2)
    release_1_1(world)
    ferry, emma = visitor(world, "ferry"), visitor(world, "emma")
    emma.open(CHOOSE)
    emma.reads("Er is nog niets overgezet")
    ferry.open(CHOOSE)
    ferry.send(GO, WHY)
    emma.open(CHOOSE)
    emma.follow("Klein plan naar versie 1.1.0")
    emma.reads("2 van 2 gedaan", "De tip helpt iedereen.", "Ferry Mol")
    assert [form.action for form in emma.forms() if form.method == "post"] == ["/taal", "/uitloggen"]
    for rest in ("", f"/{all_masses(world)[0].id}/stoppen", f"/{all_masses(world)[0].id}/verder"):
        assert world.browser("emma").post(CHOOSE + rest, {}).status_code == 403
    assert versions(world, ids) == ["1.1.0", "1.1.0"]


def test_every_run_has_its_preview_and_nothing_changes(database: Database):
    room = a_full_room(database)
    before = room.loaded()
    ferry = visitor(room.world, "ferry")
    ferry.open(f"{CHOOSE}?naar=2.0.0")
    ferry.reads(
        "1 traject, naar versie 2.0.0",
        "Opnieuw vast te stellen: Verkennen.",
        "om opnieuw te bekijken.",
        "apart gezet.",
        "Vraagt een leidinggevende",
    )
    assert room.loaded() == before


def test_run_that_cannot_move_now_says_why_and_has_no_box(database: Database):
    room = a_full_room(database, is_approved=False)
    room.ask_approval()
    ferry = visitor(room.world, "ferry")
    ferry.open(CHOOSE)
    ferry.reads("In 1 traject is akkoord gevraagd.", "Voor Verkennen is akkoord gevraagd.", "Kan nu niet over")
    assert "traject" not in ferry.form_with(GO).options
    ferry.send(GO, WHY, status=422)
    ferry.reads("Vink minstens één traject aan.")


def test_run_that_cannot_be_read_leaves_the_others_on_the_page(world: World):
    ids = many_runs(world, 3)
    release_1_1(world)
    spoil(world, ids[1])
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ferry.reads("Er gaat bij ons iets mis met dit traject.", "Traject 001", "Traject 003")
    assert len(ferry.form_with(GO).options["traject"]) == 2


def test_filter_chooses_by_version_stage_and_domain(world: World):
    begun = many_runs(world, 2, begun=True, name="Begonnen")
    many_runs(world, 1, domains=("werk",), name="Werk")
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ferry.reads("3 trajecten, naar versie 1.1.0")
    ferry.send("Toon", {"fase": "verkennen"})
    ferry.reads("2 trajecten, naar versie 1.1.0", "Begonnen 001")
    assert "Werk 001" not in ferry.text
    ferry.open(f"{CHOOSE}?domein=werk")
    ferry.reads("1 traject, naar versie 1.1.0", "Werk 001")
    ferry.open(f"{CHOOSE}?domein=werk&fase=verkennen")
    ferry.reads("Geen traject past bij deze selectie.")
    ferry.open(f"{CHOOSE}?fase=verkennen")
    ferry.send(GO, WHY)
    assert versions(world, begun) == ["1.1.0", "1.1.0"]
    release(world, "2.0.0")
    ferry.open(f"{CHOOSE}?naar=2.0.0&van=1.1.0")
    ferry.reads("2 trajecten, naar versie 2.0.0")
    ferry.open(f"{CHOOSE}?naar=2.0.0&van=1.1.0&van=1.0.0")
    ferry.reads("3 trajecten, naar versie 2.0.0")


def test_stage_that_was_skipped_only_was_not_begun(world: World):
    many_runs(world, 1, begun=True)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}?fase=werkgroep")
    ferry.reads("Geen traject past bij deze selectie.")


@pytest.mark.parametrize(
    "query",
    ["stappenplan=anders", "naar=9.9.9", "van=0.1.0", "van=1.0.0&van=x", "fase=nergens", "domein=%27--", "naar=1.0.0"],
)
def test_what_is_not_there_selects_nothing(world: World, query: str):
    """Never more runs than somebody meant."""
    many_runs(world, 1)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}?{query}")
    ferry.reads("Deze selectie bestaat niet")
    assert "Traject 001" not in ferry.text


def test_page_that_does_not_exist_gives_the_last(world: World):
    many_runs(world, 26)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}?pagina=99")
    ferry.reads("Pagina 2 van 2", "Traject 026")
    ferry.open(f"{CHOOSE}?pagina=-3")
    ferry.reads("Pagina 1 van 2", "Traject 025")


def test_runs_of_another_municipality_are_not_there(world: World):
    theirs = many_runs(world, 1, place="Veldermeer", name="Van hen")
    ours = many_runs(world, 1)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    assert "Van hen" not in ferry.text
    form = ferry.form_with(GO)
    for run_id in (*theirs, str(uuid.uuid4())):
        values = {**form.values, "traject": [f"{run_id}:{'0' * 64}"], "reden": ["Waarom niet."]}
        answer = world.browser("ferry").post(CHOOSE, values)
        assert answer.status_code == 409
        assert "De selectie is veranderd" in answer.text
    assert all_masses(world) == []
    assert loaded(world, theirs[0], "Veldermeer").plan_version == "1.0.0"
    assert versions(world, ours) == ["1.0.0"]


def test_a_reason_is_asked_and_what_was_ticked_is_kept(world: World):
    many_runs(world, 2)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    one = ferry.form_with(GO).values["traject"][:1]
    ferry.send(GO, {"traject": one}, status=422)
    ferry.reads("Vul ‘Waarom gaan ze over?’ in")
    assert ferry.form_with(GO).values["traject"] == one
    assert all_masses(world) == []
    ferry.send(GO, WHY)
    ferry.reads("1 van 1 gedaan")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("traject", "x"),
        ("traject", "1:2"),
        ("wie", "iedereen"),
        ("aantal", "-1"),
        ("overzetting", "geen"),
        ("reden", "x" * 2001),
        ("onbekend", "1"),
        ("pagina", "0"),
    ],
)
def test_value_that_the_page_does_not_offer_is_refused(world: World, field: str, value: str):
    ids = many_runs(world, 1)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    values = {**ferry.form_with(GO).values, "reden": ["Daarom."], field: [value]}
    assert world.browser("ferry").post(CHOOSE, values).status_code == 422
    assert all_masses(world) == []
    assert versions(world, ids) == ["1.0.0"]


@pytest.mark.parametrize(("field", "value"), [("naar", "3.0.0"), ("stappenplan", "x"), ("van", "0.9.0"), ("fase", "x")])
def test_selection_that_is_not_there_moves_nothing(world: World, field: str, value: str):
    ids = many_runs(world, 1)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    values = {**ferry.form_with(GO).values, "reden": ["Daarom."], field: [value]}
    assert world.browser("ferry").post(CHOOSE, values).status_code == 409
    assert versions(world, ids) == ["1.0.0"]


def test_page_asks_eight_queries_whatever_the_number_of_runs(world: World):
    many_runs(world, 2, begun=True)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)  # from here on the plans and their comparison are in memory
    with world.counting_queries() as few:
        ferry.open(CHOOSE)
    many_runs(world, 60, begun=True, name="Meer")
    with world.counting_queries() as many:
        ferry.open(CHOOSE)
    assert len(many) == len(few), many
    assert len(many) <= QUERIES_MAX, "\n".join(many)
