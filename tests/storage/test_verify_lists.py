"""What only lists read is compared with the history too."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.storage.database import Database
from app.storage.scope import set_scope
from app.storage.tables import RunRow
from app.storage.verify import Finding, Part, Trouble, verify_run
from tests.features.accounts.building import MONDAY
from tests.features.moving import a_full_room, proposed
from tests.features.steps.room import Room


@pytest.fixture
def room(database: Database) -> Room:
    room = a_full_room(database)
    proposed(room.world, room.run, "2.0.0")
    return room


def findings(room: Room) -> tuple[Finding, ...]:
    with room.world.reading() as session:
        return verify_run(session, room.run).findings


@pytest.mark.parametrize("values", [{"asked_to_move_at": None}, {"advice_waits_since": MONDAY}])
def test_what_waits_for_somebody_is_what_the_history_says(room: Room, values: dict[str, object]):
    assert findings(room) == ()
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        session.execute(update(RunRow).where(col(RunRow.id) == uuid.UUID(room.run)).values(**values))
    assert findings(room) == (Finding(room.run, Part.WAITING, "", Trouble.TABLES_DIFFER),)
