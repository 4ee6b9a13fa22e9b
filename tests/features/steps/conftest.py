"""The room of steps on both databases."""

import pytest

from app.storage.database import Database
from tests.features.steps.room import Room, a_room


@pytest.fixture
def room(database: Database) -> Room:
    return a_room(database)
