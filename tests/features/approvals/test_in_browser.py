"""What only a browser can tell about asking and deciding: accessibility, small screens, and the whole way without
scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.engine.run import StageRef, StageStatus
from tests.databases import new_sqlite_database
from tests.features.steps.room import Room, a_room
from tests.web.browsing import AXE, AXE_RULES, a_context, a_server

pytestmark = pytest.mark.browser


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    database = new_sqlite_database(tmp_path)
    room = a_room(database)
    room.complete_everything()
    yield room
    database.dispose()


@pytest.fixture
def address(room: Room) -> Iterator[str]:
    with a_server(room.world.app) as base:
        yield base


def context_of(
    chromium: Browser,
    room: Room,
    address: str,
    login: str,
    *,
    width: int = 1280,
    scripts: bool = True,
    csp: bool = True,
) -> BrowserContext:
    room.browser(login)  # opens the session
    return a_context(chromium, address, login, width=width, scripts=scripts, csp=csp)


def assert_nothing_wrong(page: Page, width: int) -> None:
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
    assert [f"{v['id']}: {n['html'][:200]}" for v in found for n in v["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripts", [True, False])
def test_team_asks_and_manager_sends_back_and_then_approves(chromium: Browser, room: Room, address: str, scripts: bool):
    team = context_of(chromium, room, address, "anna", scripts=scripts).new_page()
    manager = context_of(chromium, room, address, "carla", scripts=scripts).new_page()
    messages: list[str] = []
    for page in (team, manager):
        page.on("console", lambda message: messages.append(message.text))

    def ask() -> None:
        team.goto(f"{room.stage}/akkoord-vragen")
        team.get_by_label("Bericht voor de leidinggevende").fill("Graag uw oordeel.")
        team.get_by_role("button", name="Akkoord vragen").click()
        expect(team.get_by_text("Er is akkoord gevraagd.")).to_be_visible()

    ask()
    manager.goto(f"{room.stage}/beoordelen")
    expect(manager.get_by_text("Graag uw oordeel.")).to_be_visible()
    manager.get_by_text("Terugsturen naar het team").click()
    manager.get_by_role("textbox", name="Overzicht maken").fill("Noem ook de moties.")
    manager.get_by_role("button", name="Terugsturen", exact=True).click()
    expect(manager.get_by_text("De fase is terug bij het team")).to_be_visible()
    team.goto(room.step)
    expect(team.get_by_text("Noem ook de moties.")).to_be_visible()
    team.get_by_role("button", name="Stap afronden").click()
    expect(team.get_by_text("De stap is klaar.")).to_be_visible()
    ask()
    manager.goto(f"{room.stage}/beoordelen")
    manager.get_by_role("button", name="Akkoord", exact=True).click()
    manager.wait_for_url(f"**{room.stage}")
    assert room.loaded().stages[StageRef.parse(room.ref)].status is StageStatus.APPROVED
    assert messages == []
    for page in (team, manager):
        page.context.close()


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, room: Room, address: str, width: int):
    team = context_of(chromium, room, address, "anna", width=width, csp=False).new_page()
    team.goto(f"{room.stage}/akkoord-vragen")
    assert_nothing_wrong(team, width)
    room.ask_approval()
    team.goto(f"{room.stage}/akkoord-vragen")
    assert_nothing_wrong(team, width)
    manager = context_of(chromium, room, address, "carla", width=width, csp=False).new_page()
    manager.goto(f"{room.stage}/beoordelen")
    manager.get_by_text("Terugsturen naar het team").click()
    assert_nothing_wrong(manager, width)
    room.add_evidence("Later verslag")  # meanwhile
    manager.get_by_label("Opmerking").fill("Mijn opmerking")
    manager.get_by_role("button", name="Akkoord", exact=True).click()
    expect(manager.get_by_text("Er is iets gewijzigd sinds u deze pagina opende")).to_be_visible()
    expect(manager.get_by_label("Opmerking")).to_have_value("Mijn opmerking")
    assert_nothing_wrong(manager, width)
    manager.get_by_role("button", name="Akkoord", exact=True).click()
    manager.wait_for_url(f"**{room.stage}")
    manager.goto(f"{room.stage}/beoordelen")
    manager.get_by_text("Akkoord intrekken").first.click()
    assert_nothing_wrong(manager, width)
    for page in (team, manager):
        page.context.close()
