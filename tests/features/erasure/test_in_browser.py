"""What only a browser can tell about erasing: accessibility, small screens, the keyboard, both languages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.features.erasure.test_pages import HERE, RESIDENT, a_run
from tests.web.browsing import a_context, a_server, findings

pytestmark = pytest.mark.browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database, data_dir=tmp_path)
    database.dispose()


def look(page: Page, state: str) -> None:
    """At two widths, and in the one language that the page was asked in."""
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{state}-{width}.png", full_page=True)
        assert findings(page) == [], state
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state


def test_every_page_is_for_everybody(chromium: Browser, world: World):
    a_run(world)
    for login in ("ferry", "carla"):
        world.browser(login)  # opens the session
    with a_server(world.app) as address:
        asker = a_context(chromium, address, "ferry", csp=False).new_page()
        asker.goto(HERE)
        look(asker, "overview")
        asker.get_by_label("Namen of woorden").fill("x")
        asker.keyboard.press("Tab")
        asker.keyboard.press("Enter")
        asker.wait_for_selector(".utrecht-form-field-error-message")
        look(asker, "refused")
        asker.get_by_label("Namen of woorden").fill(RESIDENT)
        asker.get_by_role("button", name="Zoek", exact=True).click()
        asker.wait_for_selector("mark")
        look(asker, "found")
        asker.get_by_label("Waarom").select_option("unlawful")
        asker.get_by_role("button", name="Vraag om dit te wissen").click()
        asker.wait_for_selector("text=Verzoek intrekken")
        look(asker, "asked")
        request = asker.url
        asker.goto(f"{HERE}/personen/{world.users['bram']}")
        look(asker, "person")
        decider = a_context(chromium, address, "carla", csp=False, lang="en").new_page()
        decider.goto(request)
        look(decider, "deciding-in-english")
        decider.get_by_role("button", name="Erase for good").click()
        decider.wait_for_url(request)
        decider.wait_for_selector("text=This was erased for good")
        look(decider, "done")
        decider.goto(HERE)
        look(decider, "list")
