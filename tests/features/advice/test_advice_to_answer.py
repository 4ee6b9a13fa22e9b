"""Advice that nobody answered waits on the overview of who may answer it, and of nobody else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.policy import Role
from app.storage.database import Database
from app.storage.tables import Membership, RunRow
from app.storage.verify import verify_run
from tests.features.advice.test_advice import give, share
from tests.features.advice.test_advice_after_a_move import advised_before_a_move
from tests.features.client import World, a_world
from tests.features.runs.test_manager_and_mandate import change
from tests.features.steps.pages import text_of

QUERIES_MAX = 8
TASK = "Zeg wat u deed met het advies over: "


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def a_shared_run(world: World, name: str = "Wonen voor iedereen") -> str:
    """Of Anna and Carla; Kees advises on it."""
    anna = world.browser("anna")
    run = world.a_run(anna, name=name, team=("anna",))
    anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    assert share(world, anna, run).status_code == 303
    return run


def advise(world: World, run: str, text: str = "Vraag ook jongeren.", **fields: str) -> None:
    assert give(world, run, advies=text, **fields).status_code == 303


def overview(world: World, login: str) -> str:
    return text_of(world.browser(login).get("/").text)


def addresses(world: World, login: str) -> list[str]:
    """To which the overview leads to answer advice, in order."""
    page = world.browser(login).get("/").text
    return [part.split('"')[0] for part in page.split('href="')[1:] if part.split('"')[0].endswith("/antwoord")]


def answer(world: World, login: str, address: str) -> Any:
    fields = {"gevolg": "wholly", "reden": "Dat doen wij."}
    return world.browser(login).post(address, fields, follow_redirects=False)


@pytest.mark.parametrize("login", ["anna", "carla"])
def test_advice_waits_for_team_and_manager_until_somebody_answers(world: World, login: str):
    run = a_shared_run(world)
    assert TASK not in overview(world, login)
    advise(world, run, fase="verkennen.1")

    page = overview(world, login)
    assert f"{TASK}Verkennen Wonen voor iedereen Gegeven door Kees Maas op 23 november 2026" in page
    assert "Nog niet beantwoord" in page
    [address] = addresses(world, login)
    assert "Vraag ook jongeren." in world.browser(login).get(address).text
    assert answer(world, login, address).status_code == 303

    for each in ("anna", "carla"):
        assert TASK not in overview(world, each)
    with world.reading() as session:
        assert verify_run(session, run).findings == ()


@pytest.mark.parametrize("login", ["bram", "dirk", "emma", "ferry", "kees", "hugo"])
def test_it_waits_for_nobody_who_may_not_answer(world: World, login: str):
    run = a_shared_run(world)
    advise(world, run)
    assert TASK in overview(world, "anna")
    [address] = addresses(world, "anna")

    assert addresses(world, login) == []
    assert answer(world, login, address).status_code in (403, 404, 409)


def test_deputy_of_the_manager_does_not_answer_and_so_has_no_task(world: World):
    run = a_shared_run(world)
    advise(world, run)
    days = {"van": "23-11-2026", "tot": "27-11-2026", "grondslag": "Mandaatbesluit 2026-14"}
    fields = {"afwezig": world.users["carla"], "vervanger": world.users["bram"], **days}
    assert world.browser("ferry").post("/vervanging", fields, follow_redirects=False).status_code == 303
    [address] = addresses(world, "carla")

    assert addresses(world, "bram") == []
    assert answer(world, "bram", address).status_code == 409


def test_who_joins_the_team_gets_the_task_and_who_leaves_loses_it(world: World):
    run = a_shared_run(world)
    advise(world, run)
    assert change(world, "anna", run, team=[world.users["bram"]]) == ""

    assert len(addresses(world, "bram")) == 1
    assert addresses(world, "anna") == []


def test_advice_stays_to_be_answered_when_sharing_ends(world: World):
    run = a_shared_run(world)
    advise(world, run)
    ended = world.browser("anna").post(
        f"/trajecten/{run}/advies/delen/{world.users['kees']}/stoppen", {}, follow_redirects=False
    )
    assert ended.status_code == 303

    [address] = addresses(world, "anna")
    assert answer(world, "anna", address).status_code == 303
    assert addresses(world, "anna") == []


def test_each_advice_is_a_task_and_what_waits_longest_comes_first(world: World):
    first, second = a_shared_run(world, "Wonen"), a_shared_run(world, "Werk")
    waiting = []
    for run, place in ((second, ""), (first, "verkennen.1"), (second, "verkennen.1")):
        world.clock.advance(minutes=1)
        advise(world, run, fase=place)
        with world.reading() as session:
            row = session.exec(select(RunRow).where(RunRow.id == uuid.UUID(run))).one()
            waiting.append((run, row.advice_waits_since))
    began = world.clock() - timedelta(minutes=2)
    assert waiting == [(second, began), (first, began + timedelta(minutes=1)), (second, began)]

    page = overview(world, "anna")
    assert page.count(TASK) == 3
    assert page.index("het hele traject Werk") < page.index("Verkennen Werk") < page.index("Verkennen Wonen")
    whole, of_stage, last = addresses(world, "anna")
    assert answer(world, "anna", whole).status_code == 303
    assert addresses(world, "anna") == [last, of_stage], "the run of the second waits since a later moment now"
    assert answer(world, "anna", whole).status_code == 303, "another answer to the same"
    assert addresses(world, "anna") == [last, of_stage]


def test_advice_on_what_a_newer_version_does_not_have_waits_all_the_same(database: Database):
    """2.0.0 has no stage `werkgroep`, and no domain `werk`."""
    room = advised_before_a_move(database)
    world = room.world

    page = overview(world, "anna")
    assert page.count(TASK + "een fase van een eerdere versie") == 2
    assert TASK + "Verkennen" in page
    waiting = addresses(world, "anna")
    assert len(waiting) == 3
    for address in waiting:
        assert answer(world, "anna", address).status_code == 303
    assert addresses(world, "anna") == []


def test_english_words(world: World):
    run = a_shared_run(world)
    advise(world, run)
    anna = world.browser("anna")
    assert anna.post("/taal", {"taal": "en"}).status_code == 200
    page = text_of(anna.get("/").text)
    assert "Say what you did with the advice on: the whole trajectory" in page
    assert "Given by Kees Maas on 23 November 2026" in page


def test_overview_of_somebody_with_every_role_costs_at_most_eight_queries(world: World):
    runs = [a_shared_run(world, f"Traject {number}") for number in range(3)]
    for run in runs:
        advise(world, run, fase="verkennen.1")
    anna, here = uuid.UUID(world.users["anna"]), world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        for role in (Role.MANAGER, Role.ADVISER, Role.ADMINISTRATOR):
            session.add(Membership(user_id=anna, municipality_id=here, role=role, created_at=world.clock()))

    with world.counting_queries() as statements:
        page = overview(world, "anna")
    assert page.count(TASK) == 3
    assert len(statements) <= QUERIES_MAX, statements
