"""Races on both databases, each served by two processes. `make prove` runs them longer and with more at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.races.place import Place, a_place
from tests.races.races import RACES, Race

AT_ONCE = 8


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from tests.databases import empty_tables, new_sqlite_database

    folder = tmp_path_factory.mktemp("races")
    if request.param == "sqlite":
        database = new_sqlite_database(folder)
        with a_place(database, folder / "data") as found:
            yield found
        database.dispose()
        return
    postgresql = request.getfixturevalue("postgresql")
    with a_place(postgresql.database, folder / "data") as found:
        yield found
    postgresql.database.dispose()
    empty_tables(postgresql.superuser)


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_race_has_exactly_one_effect(place: Place, race: Race):
    race(place, AT_ONCE)
