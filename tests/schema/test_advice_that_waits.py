"""Migration 0022 finds the advice of before that still waits for an answer; going back loses nothing of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import select

from app.storage.database import Database
from app.storage.tables import RunRow
from app.storage.upgrade import downgrade, upgrade
from tests.features.advice.test_advice_to_answer import a_shared_run, addresses, advise, answer
from tests.features.client import World, a_world


def since(world: World) -> dict[str, Any]:
    with world.reading() as session:
        return {str(id): at for id, at in session.exec(select(RunRow.id, RunRow.advice_waits_since))}


def test_runs_of_before_are_found(database: Database):
    """Nobody advised on the first, all is answered on the second, one of two on the third, and none on the fourth."""
    world = a_world(database)
    quiet, answered, half, waiting = (a_shared_run(world, name) for name in ("Stil", "Klaar", "Half", "Wacht"))
    expected: dict[str, datetime | None] = {quiet: None, answered: None}
    for run in (answered, half):
        advise(world, run)
        world.clock.advance(minutes=1)
        [address] = addresses(world, "anna")
        assert answer(world, "anna", address).status_code == 303
    for run in (half, waiting):
        expected[run] = world.clock()
        advise(world, run)
        world.clock.advance(minutes=1)
        advise(world, run, "En nog iets.")
    assert since(world) == expected

    downgrade(database.owner, "0021")
    upgrade(database.owner)

    assert since(world) == expected
