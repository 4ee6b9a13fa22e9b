"""What is erased is gone, also from the bytes that databases leave behind, and what is left still checks out."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from app.storage.database import Database
from app.storage.erasure import requests
from app.storage.erasure.checking import verify_erasures
from app.storage.erasure.items import MARK, Kind
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope
from app.storage.verify import verify_run
from tests.databases import PostgreSQL
from tests.features.client import World, a_world
from tests.security.prepared import Prepared, add_evidence, begin, prepare
from tests.storage.erasure.erasing import (
    RESIDENT,
    ask,
    cleaner,
    confirm,
    erase,
    files_of,
    files_with,
    hits_for,
)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path / "data")


def problems(world: World, run: Prepared) -> list[str]:
    with world.reading() as session:
        found = [problem.problem for problem in (*verify_log(session).problems, *verify_erasures(session))]
        return [*found, *(f"{each.place}: {each.problem}" for each in verify_run(session, run.run).findings)]


def test_everything_that_names_somebody_is_found_and_goes(world: World, request: pytest.FixtureRequest):
    run = prepare(world, officer="anna", manager="carla", word=RESIDENT)
    assert problems(world, run) == []
    hits = hits_for(world, "wiéléwaal   KANARIE")
    assert {hit.place.key.kind for hit in hits} == {Kind.ANSWER, Kind.TEXT, Kind.EVIDENCE}
    assert any(not hit.place.is_current for hit in hits), "earlier versions too"
    paths = [files_of(world).path_of(hit.place.file) for hit in hits if hit.place.file]
    assert [path for path in paths if path.exists()] == paths != []
    before, folder = seals(world), data_folder(world, request)
    assert files_with(folder, "Wielewaal") != []
    for page in ("/rapport", "/rapport/csv", "/fasen/verkennen.1/stappen/overzicht"):
        assert "Wielewaal" in world.browser("anna").get(f"/trajecten/{run.run}{page}").text, page

    id = erase(world, [hit.whole_item for hit in hits])

    assert hits_for(world, RESIDENT) == []
    assert problems(world, run) == []
    assert seals(world) == before
    assert [path for path in paths if path.exists()] == []
    assert files_with(data_folder(world, request), "Wielewaal") == []
    assert_pages_are_whole(world, run)
    with world.reading() as session:
        assert requests.find(session, id).is_clean


def assert_pages_are_whole(world: World, run: Prepared) -> None:
    """Whatever shows what was erased shows that it was, and not what it was."""
    pages = ["", "/geschiedenis", "/rapport", "/rapport/pdf", "/rapport/csv", "/bewijsstukken", "/fasen/verkennen.1"]
    pages += [f"/fasen/verkennen.1/{part}" for part in ("stappen/overzicht", "checklist", "stappen/overzicht/bewijs")]
    pages += [f"/bewijsstukken/{id}" for id in run.evidence]
    for page in pages:
        answer = world.browser("anna").get(f"/trajecten/{run.run}{page}")
        assert answer.status_code == 200, page
        assert "Wielewaal" not in answer.text, page
        if page in ("/rapport", "/bewijsstukken", "/fasen/verkennen.1/stappen/overzicht"):
            assert MARK in answer.text, page


def test_a_passage_goes_and_the_rest_of_the_text_stays(world: World):
    run = prepare(world, officer="anna", manager="carla", word=RESIDENT)
    hits = hits_for(world, RESIDENT)
    paths = [files_of(world).path_of(hit.place.file) for hit in hits if hit.place.file]

    erase(world, [hit.passage_item for hit in hits])

    assert hits_for(world, RESIDENT) == []
    assert problems(world, run) == []
    assert [path for path in paths if path.exists()] == paths, "a name in a file itself is not a passage"
    with world.reading() as session:
        texts = session.connection().execute(text("SELECT text FROM run_text")).scalars().all()
    assert f"Kijk nog eens {MARK}" in texts
    page = world.browser("anna").get(f"/trajecten/{run.run}/geschiedenis").text
    assert "zijn persoonsgegevens gewist" in page
    assert_pages_are_whole(world, run)


def test_a_file_stays_for_as_long_as_other_evidence_uses_it(world: World):
    begun = begin(world, officer="anna", manager="carla", word=RESIDENT)
    for step in ("overzicht", "conclusie"):
        add_evidence(begun.team, f"{begun.stage}/stappen/{step}/bewijs", "bestand", RESIDENT)
    first, second = (hit for hit in hits_for(world, RESIDENT) if hit.place.file)
    assert first.place.file == second.place.file
    path = files_of(world).path_of(first.place.file or "")

    erase(world, [first.whole_item])
    assert path.exists()
    erase(world, [second.whole_item])
    assert not path.exists()


def test_cleaning_waits_for_readers_and_for_files_that_come_in(world: World):
    begun = begin(world, officer="anna", manager="carla", word=RESIDENT)
    add_evidence(begun.team, begun.evidence_page, "bestand", RESIDENT)
    [hit] = [hit for hit in hits_for(world, RESIDENT) if hit.place.file]
    id, place = ask(world, [hit.whole_item]), world.municipalities["Zonnedijk"]
    path = files_of(world).path_of(hit.place.file or "")
    if world.database.is_sqlite:
        world.database.engine.dispose()
        with world.database.engine.connect() as connection:  # the one that is used below
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")

    with world.database.read() as reading:
        set_scope(reading, place)
        requests.find(reading, id)  # from here on it sees the database as it is now
        with files_of(world).placing(), pytest.raises(AssertionError):
            confirm(world, id)
        assert path.exists()
        assert not cleaner(world).finish(place)
        assert not path.exists()
    with world.reading() as session:
        assert not requests.find(session, id).is_clean
    assert cleaner(world).finish_all()
    with world.reading() as session:
        assert requests.find(session, id).is_clean


def seals(world: World) -> list[tuple[str, str]]:
    with world.reading() as session:
        found = session.connection().execute(text("SELECT digest, CAST(manifest AS text) FROM seal ORDER BY digest"))
        return [(digest, manifest) for digest, manifest in found]


def data_folder(world: World, request: pytest.FixtureRequest) -> Path:
    """All that the application writes, with the database: on SQLite its file, -wal and -shm, on PostgreSQL the files
    of its tables and indexes."""
    if world.database.is_sqlite:
        folder: Path = request.getfixturevalue("tmp_path")
        return folder
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.admin() as connection:
        connection.execute(text("CHECKPOINT"))  # what is only in memory so far is written
        found = connection.execute(text("SHOW data_directory")).scalar_one()
        oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = :n"), {"n": server.name}).scalar()
    return Path(found) / "base" / str(oid)
