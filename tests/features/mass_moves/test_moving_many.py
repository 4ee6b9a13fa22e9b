"""Many runs move: what happens to each of them, and that nothing goes wrong for the others."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.engine.events import RunMoved
from app.engine.run import StageRef
from app.storage import mass_moves
from app.storage.database import Database
from app.storage.mass_moves import RunOutcome
from app.storage.run_moves import OF_THE_MOVE
from app.storage.run_store import events_of
from app.storage.scope import set_scope
from app.storage.texts import read_texts
from tests.features.client import World, a_world
from tests.features.mass_moves.building import (
    CHOOSE,
    GO,
    WHY,
    all_masses,
    assert_history_holds,
    begun_mass,
    counted,
    loaded,
    many_runs,
    mass_of,
    release_1_1,
    spoil,
    versions,
    work_on,
)
from tests.features.moving import a_full_room, proposed
from tests.features.steps.room import Room
from tests.journey.visitor import Visitor
from tests.security.prepared import visitor

FIRST = StageRef("verkennen")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path / "data")


def to_version_2(room: Room) -> Visitor:
    ferry = visitor(room.world, "ferry")
    ferry.open(f"{CHOOSE}?naar=2.0.0")
    ferry.send(GO, {"reden": "De raad vraagt het."})
    return ferry


def test_ticked_runs_move_and_the_others_stay(world: World):
    ids = many_runs(world, 3, begun=True)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ticked = ferry.form_with(GO).values["traject"][:2]
    ferry.send(GO, {**WHY, "traject": ticked})
    ferry.reads("Het is begonnen.", "2 van 2 gedaan", "2 trajecten hebben de nieuwe versie.", "Klaar")
    assert versions(world, ids) == ["1.1.0", "1.1.0", "1.0.0"]
    assert_history_holds(world)


def test_history_tells_it_as_a_move_by_the_administrator_with_the_reason(world: World):
    ids = many_runs(world, 1, begun=True)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ferry.send(GO, WHY)
    with world.reading() as session:
        event = list(events_of(session, ids[0]))[-1]
        assert isinstance(event, RunMoved)
        texts = read_texts(session, event.reasons.values())
    assert event.by == world.users["ferry"]
    assert texts[event.reasons[OF_THE_MOVE]] == "De tip helpt iedereen."
    ferry.open(f"/trajecten/{ids[0]}/geschiedenis")
    ferry.reads("Het traject ging van versie 1.0.0 naar 1.1.0.", "Ferry Mol", "De tip helpt iedereen.")


def test_all_runs_of_the_selection_move_beyond_the_page(world: World):
    ids = many_runs(world, 30)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    assert len(ferry.form_with(GO).values["traject"]) == 25
    ferry.send(GO, {**WHY, "wie": "alle"})
    ferry.reads("30 van 30 gedaan", "Alle van de selectie", "Pagina 1 van 2")
    assert set(versions(world, ids)) == {"1.1.0"}


def test_selection_that_grew_since_the_page_was_shown_is_shown_again_first(world: World):
    ids = many_runs(world, 26)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ids += many_runs(world, 1, name="Later")
    ferry.send(GO, {**WHY, "wie": "alle"}, status=409)
    ferry.reads("De selectie is veranderd sinds u deze pagina opende", "27 trajecten, naar versie 1.1.0")
    assert all_masses(world) == []
    ferry.send(GO)
    ferry.reads("27 van 27 gedaan")
    assert set(versions(world, ids)) == {"1.1.0"}


def test_same_page_sent_twice_starts_one(world: World):
    ids = many_runs(world, 2)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    values = {**ferry.form_with(GO).values, "reden": ["Daarom."]}
    answers = [world.browser("ferry").post(CHOOSE, values, follow_redirects=False) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(all_masses(world)) == 1
    assert counted(world, all_masses(world)[0].id) == {"moved": 2}
    assert [len(loaded(world, id).moves) for id in ids] == [1, 1]


def test_without_the_token_nothing_starts(world: World):
    ids = many_runs(world, 1)
    release_1_1(world)
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    values = {**ferry.form_with(GO).values, "reden": ["Daarom."]}
    del values["csrf_token"]
    assert world.browser("ferry").post(CHOOSE, values, token="").status_code == 403
    assert versions(world, ids) == ["1.0.0"]


# --- approvals ---------------------------------------------------------------------------------------------------


def test_touched_approval_is_put_to_the_manager_who_confirms_as_usual(database: Database):
    room = a_full_room(database)
    before = room.loaded()
    ferry = to_version_2(room)
    ferry.reads(
        "1 is voorgelegd aan de leidinggevende, omdat het een akkoord raakt.",
        "Voorgelegd aan de leidinggevende",
        "Opnieuw vast te stellen: Verkennen.",
    )
    run = room.loaded()
    assert run.plan_version == "1.0.0"
    assert run.stages == before.stages
    assert run.proposal is not None
    assert run.proposal.by == room.world.users["ferry"]
    carla = visitor(room.world, "carla")
    carla.open(f"/trajecten/{room.run}/nieuwe-versie")
    carla.reads("Ferry Mol")
    carla.send("Bevestig en ga over")
    after = room.loaded()
    assert after.plan_version == "2.0.0"
    assert after.stages[FIRST].changed_since_approval
    with room.world.reading() as session:
        event = list(events_of(session, room.run))[-1]
        assert isinstance(event, RunMoved)
    assert (event.by, event.proposed_by) == (room.world.users["carla"], room.world.users["ferry"])
    assert set(event.reasons) == {OF_THE_MOVE}
    assert_history_holds(room.world)


def test_proposal_that_waits_already_is_left_alone(database: Database):
    room = a_full_room(database)
    proposed(room.world, room.run, "2.0.0")
    before = room.loaded()
    ferry = visitor(room.world, "ferry")
    ferry.open(f"{CHOOSE}?naar=2.0.0")
    ferry.reads("Er ligt een voorstel voor versie 2.0.0 bij de leidinggevende. Dat gaat voor.")
    assert room.loaded() == before


# --- refused, each with its reason -------------------------------------------------------------------------------


def test_run_that_changed_since_the_preview_stays_and_says_so(database: Database):
    room = a_full_room(database, is_approved=False)
    ferry = visitor(room.world, "ferry")
    ferry.open(f"{CHOOSE}?naar=2.0.0")
    room.add_evidence("Nog een verslag", step="conclusie")
    before = room.loaded()
    ferry.send(GO, WHY)
    ferry.reads("1 is geweigerd en bleef zoals het was.", "Gewijzigd sinds de proef", "Geweigerd")
    assert room.loaded() == before


def test_run_in_which_approval_was_asked_meanwhile_stays_and_says_so(database: Database):
    room = a_full_room(database, is_approved=False)
    ferry = visitor(room.world, "ferry")
    ferry.open(f"{CHOOSE}?naar=2.0.0")
    room.ask_approval()
    ferry.send(GO, WHY)
    ferry.reads("Voor Verkennen is akkoord gevraagd.", "Geweigerd")
    assert room.loaded().plan_version == "1.0.0"


def test_run_that_moved_meanwhile_stays_and_says_so(world: World):
    many_runs(world, 2)
    release_1_1(world)
    first, second = visitor(world, "ferry"), visitor(world, "ferry")
    first.open(CHOOSE)
    second.open(CHOOSE)
    one = first.form_with(GO).values["traject"][:1]
    first.send(GO, {**WHY, "traject": one})
    second.send(GO, {**WHY, "traject": one})
    second.reads("Het heeft al versie 1.1.0.", "Geweigerd")


def test_run_that_is_gone_is_told(world: World):
    ids = [*many_runs(world, 1), str(uuid.uuid4())]
    release_1_1(world)
    id = begun_mass(world, ids)
    work_on(world, id)
    assert counted(world, id) == {"moved": 1, "refused": 1}
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}/{id}")
    ferry.reads("Een traject dat er niet meer is", "Dit traject is er niet meer.")


def test_run_of_another_municipality_is_not_found_by_the_work(world: World):
    theirs = many_runs(world, 1, place="Veldermeer")
    release_1_1(world)
    id = begun_mass(world, theirs)
    work_on(world, id)
    assert counted(world, id) == {"refused": 1}
    assert loaded(world, theirs[0], "Veldermeer").plan_version == "1.0.0"


def test_version_that_was_withdrawn_meanwhile_takes_no_run(world: World):
    ids = many_runs(world, 2)
    release_1_1(world)
    id = begun_mass(world, ids)
    release_1_1(world, is_retired=True)
    work_on(world, id)
    assert counted(world, id) == {"refused": 2}
    assert versions(world, ids) == ["1.0.0", "1.0.0"]


# --- failures ----------------------------------------------------------------------------------------------------


def test_one_failing_run_neither_stops_nor_harms_the_others(world: World):
    ids = many_runs(world, 30, begun=True)
    release_1_1(world)
    spoil(world, ids[7], ids[20])
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    ferry.send(GO, {**WHY, "wie": "alle"})
    ferry.reads("30 van 30 gedaan", "28 trajecten hebben de nieuwe versie.", "2 zijn mislukt")
    ferry.follow("Mislukt (2)")
    ferry.reads("Traject 008", "Traject 021", "Geef dit nummer aan wie het systeem beheert:")
    others = [id for number, id in enumerate(ids) if number not in (7, 20)]
    assert set(versions(world, others)) == {"1.1.0"}


def test_failure_has_a_reference_that_is_in_the_log(world: World):
    ids = many_runs(world, 1)
    release_1_1(world)
    spoil(world, *ids)
    id = begun_mass(world, ids)
    with capture_logs() as logged:
        work_on(world, id)
    with world.reading() as session:
        told = mass_moves.settled(session, id, outcome=RunOutcome.FAILED, most=1, before=0)[0].told
    failure = next(line for line in logged if line["event"] == "mass_move_run_failed")
    assert (failure["reference"], failure["run"]) == (told["reference"], ids[0])


# --- none, stopping, reading -------------------------------------------------------------------------------------


def test_mass_move_of_no_runs_is_done_at_once(world: World):
    release_1_1(world)
    id = begun_mass(world, [])
    work_on(world, id)
    assert mass_of(world, id).finished_at is not None
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}/{id}")
    ferry.reads("0 van 0 gedaan", "Klaar")


def test_stop_leaves_the_rest_as_it_is(world: World):
    ids = many_runs(world, 2)
    release_1_1(world)
    id = begun_mass(world, ids)
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}/{id}")
    ferry.reads("Bezig", "2 moeten nog worden gedaan.")
    ferry.send("Stop")
    ferry.reads("Gestopt door Ferry Mol", "2 zijn niet gedaan en blijven zoals ze zijn.", "Niet gedaan")
    work_on(world, id)
    assert versions(world, ids) == ["1.0.0", "1.0.0"]
    assert world.browser("ferry").post(f"{CHOOSE}/{id}/stoppen", {}).status_code == 200
    assert mass_of(world, id).finished_at is None


def test_other_municipality_finds_the_same_as_where_nothing_is(world: World):
    ids = many_runs(world, 1)
    release_1_1(world)
    ours, theirs = begun_mass(world, ids), begun_mass(world, [], place="Veldermeer")
    browser = world.browser("ferry")
    for id in (theirs, str(uuid.uuid4()), "nergens"):
        assert browser.get(f"{CHOOSE}/{id}").status_code == 404
        assert browser.post(f"{CHOOSE}/{id}/stoppen", {}).status_code == 404
        assert browser.post(f"{CHOOSE}/{id}/verder", {}).status_code == 404
    assert browser.get(f"{CHOOSE}/{ours}").status_code == 200


def test_id_of_another_municipality_cannot_be_taken(world: World):
    many_runs(world, 1)
    release_1_1(world)
    theirs = begun_mass(world, [], place="Veldermeer")
    ferry = visitor(world, "ferry")
    ferry.open(CHOOSE)
    values = {**ferry.form_with(GO).values, "reden": ["Daarom."], "overzetting": [theirs]}
    assert world.browser("ferry").post(CHOOSE, values).status_code == 409
    assert all_masses(world) == []


def test_earlier_times_are_listed_with_the_newest_first(world: World):
    release_1_1(world)
    for _ in range(21):
        begun_mass(world, [])
        world.clock.advance(minutes=1)
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}/eerdere")
    ferry.reads("21 keer", "Pagina 1 van 2", "23 november 2026 om 10:20")
    ferry.open(f"{CHOOSE}/eerdere?pagina=2")
    ferry.reads("23 november 2026 om 10:00")


@pytest.mark.parametrize("query", ["uitkomst=anders", "pagina=99", "kwart=-1", "uitkomst=moved&pagina=0"])
def test_result_page_answers_to_whatever_is_asked(world: World, query: str):
    ids = many_runs(world, 1)
    release_1_1(world)
    id = begun_mass(world, ids)
    work_on(world, id)
    ferry = visitor(world, "ferry")
    ferry.open(f"{CHOOSE}/{id}?{query}")
    ferry.reads("Traject 001")


def test_mass_moves_of_one_municipality_are_out_of_reach_of_another(world: World):
    release_1_1(world)
    id = begun_mass(world, many_runs(world, 1))
    with world.database.write() as session:
        set_scope(session, world.municipalities["Veldermeer"])
        assert mass_moves.find(session, id) is None
        assert not mass_moves.claim(session, id, uuid.uuid4(), at=world.clock())
        assert not mass_moves.stop(session, id, by=world.users["hugo"], at=world.clock())
        assert mass_moves.next_waiting(session, id) is None
        assert mass_moves.newest(session, most=10) == []
