"""Auditors, managers and administrators take the history of their municipality along from the browser."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.engine.log import Origin
from app.storage.database import Database
from app.storage.history import verify_export
from app.storage.history.keys import load_key
from app.storage.history.log import head
from app.storage.history.verify import verify_log
from app.storage.tables import LogEntry
from tests.features.client import World, a_world
from tests.storage.history.making import a_keeper, files_in


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    """An installation that signs, as one that serves does."""
    made = a_world(database, data_dir=tmp_path / "data")
    keeper = a_keeper(database, tmp_path)
    database.keeper = keeper
    yield made
    database.keeper = None


def test_page_says_how_far_the_history_is_signed_and_how_to_check_it(world: World, tmp_path: Path):
    world.a_run(world.browser("anna"))
    page = world.browser("emma").get("/geschiedenis")
    key = load_key(tmp_path / "keys" / "history.pem")
    assert key is not None
    assert key.fingerprint[:8] in page.text
    assert "/geschiedenis/export" in page.text
    assert "Geschiedenis downloaden" in page.text
    assert "Wat niemand ziet zonder eerder bewijs" in page.text


def test_page_says_so_when_nothing_is_signed_yet(world: World):
    page = world.browser("emma").get("/geschiedenis")
    assert "Er is nog niets ondertekend" in page.text
    assert "/geschiedenis/export" not in page.text
    answer = world.browser("emma").get("/geschiedenis/export", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/geschiedenis")


def test_download_is_in_order_for_who_knows_the_fingerprint(world: World, tmp_path: Path):
    anna = world.browser("anna")
    run = world.a_run(anna)
    anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    answer = world.browser("emma").get("/geschiedenis/export")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="geschiedenis-')
    assert answer.headers["x-content-sha256"] == hashlib.sha256(answer.content).hexdigest()
    path = tmp_path / "export.zip"
    path.write_bytes(answer.content)
    key = load_key(tmp_path / "keys" / "history.pem")
    assert key is not None
    heads, runs = verify_export.verify(path, key.fingerprint, [])
    assert (heads[-1]["municipality"], heads[-1]["size"], runs) == (str(world.municipalities["Zonnedijk"]), 1, 1)
    assert "door Emma Kok" in "\n".join(line.decode() for line in files_in(answer.content)["README.txt"])


def test_download_holds_nothing_of_another_municipality_and_no_text_of_people(world: World):
    world.a_run(world.browser("anna"), name="Wonen voor iedereen")
    gwen = world.browser("gwen")
    theirs = world.a_run(gwen, name="Kanarie", team=("gwen",), manager="hugo")
    files = files_in(world.browser("emma").get("/geschiedenis/export").content)
    whole = b"\n".join(line for name, lines in files.items() if name != "README.txt" for line in lines)
    for word in (theirs, world.users["gwen"], "Kanarie", "Wonen voor iedereen", "Anna de Wit"):
        assert word.encode() not in whole


def test_page_tells_of_events_that_wait_for_the_next_proof(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    world.clock.at += timedelta(minutes=1)
    anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    page = world.browser("emma").get("/geschiedenis").text
    assert "1 nieuwere gebeurtenis komt bij het volgende bewijs" in page


@pytest.mark.parametrize(("login", "is_there"), [("carla", True), ("emma", True), ("ferry", True), ("anna", False)])
def test_history_page_links_to_it_for_who_may(world: World, login: str, is_there: bool):
    run = world.a_run(world.browser("anna"))
    page = world.browser(login).get(f"/trajecten/{run}/geschiedenis").text
    assert ('href="/geschiedenis"' in page) == is_there
    assert (world.browser(login).get("/geschiedenis").status_code == 200) == is_there


def test_what_people_do_in_the_browser_is_logged_as_that(world: World):
    world.a_run(world.browser("anna"))
    with world.reading() as session:
        assert {*session.exec(select(LogEntry.origin))} == {Origin.REQUEST}
        assert head(session).size == 1
        assert verify_log(session).problems == []


def test_pages_cost_at_most_eight_queries(world: World):
    world.a_run(world.browser("anna"))
    emma = world.browser("emma")
    for address in ("/geschiedenis", "/geschiedenis/export"):
        emma.get(address)
        with world.counting_queries() as statements:
            assert emma.get(address).status_code == 200
        assert len(statements) <= 8, statements


def test_download_comes_as_a_whole_zip_each_time(world: World):
    world.a_run(world.browser("anna"))
    first, second = (world.browser("emma").get("/geschiedenis/export").content for _ in range(2))
    assert {name: lines for name, lines in files_in(first).items() if name != "README.txt"} == {
        name: lines for name, lines in files_in(second).items() if name != "README.txt"
    }
    assert io.BytesIO(first).read(2) == b"PK"
