"""What only a browser can tell about the library: accessibility, small screens, a drawing that scrolls by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from app.catalogue.loader import load_bytes
from app.storage.plans import pin
from tests.catalogue.files import RELEASED
from tests.databases import new_sqlite_database
from tests.features.accounts.building import MONDAY
from tests.features.client import World, a_world, small_plan
from tests.web.browsing import a_context, a_server, findings

pytestmark = pytest.mark.browser

PLAN = "/stappenplannen/inclusief-beleid/1.0.0"
PAGES = ("/stappenplannen", PLAN, "/stappenplannen/klein-plan/1.0.0", "/trajecten/nieuw?stappenplan=klein-plan@1.0.0")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """With every shipped plan, and one that is retired."""
    database = new_sqlite_database(tmp_path)
    world = a_world(database)
    shipped = [load_bytes(path.read_bytes(), path.name) for path in RELEASED]
    with database.write() as session:
        pin(session, [small_plan(), *shipped], retired=[small_plan().plan.digest], at=MONDAY)
    yield world
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


def context_of(
    chromium: Browser, world: World, address: str, *, width: int, csp: bool = True, lang: str = "nl"
) -> BrowserContext:
    world.browser("anna")  # opens the session
    return a_context(chromium, address, "anna", width=width, csp=csp, lang=lang)


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, world: World, address: str, width: int, lang: str):
    page = context_of(chromium, world, address, width=width, csp=False, lang=lang).new_page()
    for path in PAGES:
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        assert findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_drawing_scrolls_by_itself_with_the_keyboard(chromium: Browser, world: World, address: str):
    page = context_of(chromium, world, address, width=320).new_page()
    page.goto(PLAN)
    drawing = page.get_by_role("region", name="Wat kan beginnen na wat: Stappenplan Inclusief Beleid")
    drawing.focus()
    expect(drawing).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("element => element.scrollLeft > 0", arg=drawing.element_handle())
    assert page.evaluate("scrollX") == 0


def test_words_fit_in_their_boxes_in_the_font_of_the_page(chromium: Browser, world: World, address: str):
    """The layout estimates how wide a text is; a browser knows."""
    page = context_of(chromium, world, address, width=1280).new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    for path in (PLAN, "/stappenplannen/klein-plan/1.0.0"):
        page.goto(path)
        page.evaluate("document.fonts.ready")
        too_wide = page.evaluate(
            """() => [...document.querySelectorAll('.plan-graph g')].flatMap(group => {
                const box = group.querySelector('rect').getBoundingClientRect();
                return [...group.querySelectorAll('tspan')].filter(line => {
                    const text = line.getBoundingClientRect();
                    return text.left < box.left || text.right > box.right || text.bottom > box.bottom;
                }).map(line => line.textContent);
            })"""
        )
        assert too_wide == [], path
        assert page.locator(".plan-graph rect").count() > 5
    assert refused == []  # nothing that the content security policy had to stop
