"""Every page of a run costs an auditor at most eight statements, the one that records the reading among them."""

from __future__ import annotations

import pytest

from app.storage.database import Database
from tests.features.client import a_world
from tests.security.prepared import prepare

QUERIES_MAX = 8
PAGES = (
    *("", "/checklist", "/bewijsstukken", "/advies", "/rapport", "/geschiedenis", "/rapport?stand=2026-11-23"),
    *("/fasen/verkennen.1", "/fasen/verkennen.1/checklist", "/fasen/verkennen.1/stappen/overzicht"),
    *("/fasen/verkennen.1/beoordelen", "/fasen/verkennen.1/wijzigingen"),
)


@pytest.mark.parametrize("page", PAGES)
def test_page_of_a_run_with_work_in_it(database: Database, page: str):
    world = a_world(database)
    run = prepare(world, officer="anna", manager="carla", word="merel")
    emma = world.browser("emma")
    assert emma.get(f"/trajecten/{run.run}{page}").status_code == 200
    with world.counting_queries() as statements:
        emma.get(f"/trajecten/{run.run}{page}")
    assert len(statements) <= QUERIES_MAX, statements
