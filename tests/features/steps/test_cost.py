"""A page costs at most eight queries, and working on a step costs the same in a plan of 30 steps and one of 300."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from app.catalogue.loader import LoadedPlan, from_document
from tests.databases import new_sqlite_database
from tests.features.client import a_world, small_plan
from tests.features.steps.pages import filled, pressed
from tests.features.steps.room import COMPLETE, Room

QUERIES_MAX = 8


def test_no_page_costs_more_than_eight_queries(room: Room):
    """At their fullest: evidence, a finding, an earlier approval, answers of several people."""
    room.complete_everything()
    room.ask_approval()
    room.send_back("overzicht", "Noem ook de moties.")
    room.add_evidence("Nog een", grounds=["leeftijd"])
    room.browser("bram").post(room.step, filled(room.form("bram"), beschrijving="Van Bram"))
    pages = (room.stage, room.step, room.checklist, *(f"/trajecten/{room.run}/{p}" for p in _RUN_PAGES))
    for address in pages:
        room.browser("anna").get(address)
        with room.world.counting_queries() as statements:
            assert room.browser("anna").get(address).status_code == 200
        assert len(statements) <= QUERIES_MAX, (address, statements)


_RUN_PAGES = (
    *("checklist", "checklist/leeftijd", "checklist/leeftijd/verkennen.1", "bewijsstukken", "geschiedenis"),
    *("rapport", "rapport/csv", "rapport/pdf"),
)


def a_plan(steps: int) -> LoadedPlan:
    """The small plan, its first stage filled up with steps of one question each."""
    document = deepcopy(small_plan().document)
    document["plan"]["id"] = f"plan-van-{steps}"
    stage = document["stages"][0]
    pattern = stage["steps"][-1]
    while len(stage["steps"]) < steps:
        stage["steps"].append({**deepcopy(pattern), "id": f"stap-{len(stage['steps'])}"})
    return LoadedPlan(from_document(document), document)


@pytest.mark.parametrize("act", ["opslaan", "afronden"])
def test_working_on_a_step_takes_the_same_statements_whatever_the_size_of_the_plan(tmp_path: Path, act: str):
    counts = []
    for steps in (30, 300):
        folder = tmp_path / str(steps)
        folder.mkdir()
        database = new_sqlite_database(folder)
        world = a_world(database, plan=a_plan(steps))
        anna = world.browser("anna")
        room = Room(world, world.a_run(anna))
        anna.post(f"{room.stage}/starten", {})
        room.add_evidence()
        data = pressed(filled(room.form(), **COMPLETE), act)
        with world.counting_queries() as statements:
            assert anna.post(room.step, data, follow_redirects=False).status_code == 303
        with world.counting_queries() as reading:
            assert anna.get(room.step).status_code == 200
        counts.append((len(statements), len(reading)))
        database.dispose()
    assert counts[0] == counts[1]
    assert counts[0][1] <= QUERIES_MAX
