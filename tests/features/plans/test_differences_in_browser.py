"""What only a browser can tell about the page of differences: accessibility, small screens, sides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from app.storage.plans import pin
from tests.databases import new_sqlite_database
from tests.features.accounts.building import MONDAY
from tests.features.client import World, a_world
from tests.plan_versions import HOSTILE, small_versions
from tests.web.browsing import a_context, a_server, findings

pytestmark = pytest.mark.browser

PAGE = "/stappenplannen/klein-plan/2.0.0/verschillen"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    world = a_world(database)
    with database.write() as session:
        pin(session, small_versions().values(), at=MONDAY)
    yield world
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


def context_of(
    chromium: Browser, world: World, address: str, *, width: int = 1280, csp: bool = True, lang: str = "nl"
) -> BrowserContext:
    world.browser("anna")  # opens the session
    return a_context(chromium, address, "anna", width=width, csp=csp, lang=lang)


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, world: World, address: str, width: int, lang: str):
    page = context_of(chromium, world, address, width=width, csp=False, lang=lang).new_page()
    for path in (
        PAGE,
        f"{PAGE}?met=1.0.0",
        f"{PAGE}?met=2.0.0",
        PAGE.replace("2.0.0", "1.1.0"),
        PAGE.replace("2.0.0", "1.0.0"),
    ):
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        assert findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (320, False)])
def test_old_and_new_stand_beside_each_other_or_below_where_there_is_no_room(
    chromium: Browser, world: World, address: str, width: int, beside: bool
):
    page = context_of(chromium, world, address, width=width).new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(PAGE)
    sides = page.locator("#fase-verkennen .change-list__sides").first.locator("> div")
    old, new = sides.nth(0).bounding_box(), sides.nth(1).bounding_box()
    assert old is not None
    assert new is not None
    assert (old["y"] == new["y"]) is beside
    assert (old["x"] == new["x"]) is not beside
    assert messages == []


def test_hostile_text_of_a_plan_is_text_on_the_page(chromium: Browser, world: World, address: str):
    page = context_of(chromium, world, address).new_page()
    page.goto(PAGE)
    expect(page.locator("ins", has_text=HOSTILE)).to_be_visible()
    assert page.locator("main img").count() == 0
