"""Pages of a run that moved, in a browser: accessibility, small screens, and confirming answers without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.databases import new_sqlite_database
from tests.features.moving import a_full_room, moved, moved_back
from tests.features.steps.room import Room
from tests.features.steps.test_in_browser import context_of
from tests.web.browsing import a_server, findings

pytestmark = pytest.mark.browser


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    database = new_sqlite_database(tmp_path)
    room = a_full_room(database)
    again = {f"verkennen.1/overzicht/{id}": "again" for id in ("naam", "visie")}
    moved(room.world, room.run, "2.0.0", choices=again, reason="De raad kijkt er anders naar.")
    moved(room.world, room.run, "3.0.0")
    moved_back(room.world, room.run)
    yield room
    database.dispose()


@pytest.fixture
def address(room: Room) -> Iterator[str]:
    with a_server(room.world.app) as base:
        yield base


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, room: Room, address: str, width: int):
    parked = next(item.evidence.id for item in room.loaded().parked if item.evidence)
    base = f"/trajecten/{room.run}"
    for login, path in (
        ("anna", base),
        ("anna", room.stage),
        ("anna", room.step),
        ("anna", room.checklist),
        ("emma", room.step),
        ("carla", f"{room.stage}/beoordelen"),
        ("emma", f"{base}/geschiedenis"),
        ("emma", f"{base}/bewijsstukken?stand=apart-gezet"),
        ("anna", f"{base}/bewijsstukken/{parked}"),
        ("emma", f"{base}/rapport"),
    ):
        context = context_of(chromium, room, address, login, width=width, csp=False)
        page = context.new_page()
        page.goto(path)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_answers_from_before_are_confirmed_at_their_fields(chromium: Browser, room: Room, address: str, scripts: bool):
    context = context_of(chromium, room, address, "bram", scripts=scripts)
    page = context.new_page()
    page.goto(room.step)
    expect(page.get_by_text("Uit een eerdere versie")).to_have_count(2)
    page.get_by_label("Dit antwoord klopt nog").first.check()
    page.get_by_role("button", name="Opslaan", exact=True).last.click()
    expect(page.get_by_text("Uit een eerdere versie")).to_have_count(1)
    assert room.answer_rows()["titel"].saved_by == room.world.users["bram"]
    page.get_by_label("Dit antwoord klopt nog").check()
    page.get_by_role("button", name="Stap afronden").click()
    expect(page).to_have_url(f"{address}{room.stage}")
    assert not any(mark.is_proposal for mark in room.state().answers.values())
    context.close()


def test_still_needed_leads_to_the_field_by_keyboard(chromium: Browser, room: Room, address: str):
    context = context_of(chromium, room, address, "anna")
    page = context.new_page()
    page.goto(room.step)
    page.get_by_role("link", name="Dit antwoord is van eerder.").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.question') !== null")
    context.close()
