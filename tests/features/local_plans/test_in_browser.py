"""What only a browser can tell: accessibility, small screens, the keyboard; and all of it with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.features.local_plans.sending import ADD, ADDITIONS, HERE, SMALL_OVERLAY, a_draft, a_released
from tests.features.local_plans.test_newer_versions import RENAMED, pin_second
from tests.web.browsing import a_context, a_server, findings

pytestmark = pytest.mark.browser

BROKEN = SMALL_OVERLAY.replace("verkennen/overzicht", "verkennen/overzichten")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database)
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


def context_of(
    chromium: Browser, world: World, address: str, *, width: int = 1280, csp: bool = True, lang: str = "nl"
) -> BrowserContext:
    world.browser("ferry")  # opens the session
    return a_context(chromium, address, "ferry", width=width, csp=csp, lang=lang)


def assert_fine(page: Page, width: int) -> None:
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert findings(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, world: World, address: str, width: int, lang: str):
    ferry = world.browser("ferry")
    page = context_of(chromium, world, address, width=width, csp=False, lang=lang).new_page()
    page.goto(HERE)
    assert_fine(page, width)  # without any
    released = a_released(ferry, ADDITIONS.read_text(), reason="Besproken in het college")
    draft = a_draft(ferry, SMALL_OVERLAY.replace("version: 1.0.0", "version: 1.1.0"))
    pin_second(world, ("- id: overzicht\n", "- id: beeld\n"), ("sources:", RENAMED))
    local = "/stappenplannen/klein-plan-zonnedijk/1.0.0"
    for path in (HERE, ADD, released, draft, f"{released}/opnieuw-toepassen", local, f"{local}/verschillen"):
        page.goto(path)
        assert_fine(page, width)
    page.goto(ADD)
    page.locator('[name="tekst"]').fill(BROKEN)
    page.locator("main form button").first.click()
    expect(page.locator("#problems-title")).to_be_visible()
    assert_fine(page, width)


def test_file_is_mended_in_the_page_and_released_by_keyboard(chromium: Browser, world: World, address: str):
    complaints: list[str] = []
    page = context_of(chromium, world, address).new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(ADD)
    page.get_by_label("Bestand", exact=True).set_input_files(
        FilePayload(name="aanvullingen.yaml", mimeType="application/yaml", buffer=BROKEN.encode())
    )
    page.get_by_role("button", name="Controleren en bewaren als concept").press("Enter")
    expect(page.get_by_text("Regel 6, teken 27")).to_be_visible()
    text = page.get_by_label("Tekst van het bestand")
    expect(text).to_have_value(BROKEN)
    text.fill(SMALL_OVERLAY)
    page.get_by_role("button", name="Controleren en bewaren als concept").press("Enter")
    expect(page.get_by_text("In welke wijken?").first).to_be_visible()
    page.get_by_label("Waarom stelt u dit vast?").fill("Besproken")
    page.get_by_role("button", name="Versie 1.0.0 vaststellen").press("Enter")
    expect(page.get_by_text("Vastgesteld door Ferry Mol")).to_be_visible()
    assert [complaint for complaint in complaints if "422" not in complaint] == []


def test_without_scripts_all_of_it_works(chromium: Browser, world: World, address: str):
    world.browser("ferry")
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    context.add_cookies([{"name": "stappenplan", "value": "sessie-ferry", "url": address}])
    page = context.new_page()
    page.goto(ADD)
    page.get_by_label("Tekst van het bestand").fill(SMALL_OVERLAY)
    page.get_by_role("button", name="Controleren en bewaren als concept").click()
    page.get_by_role("button", name="Versie 1.0.0 vaststellen").click()
    page.get_by_role("button", name="Deze versie buiten gebruik stellen").click()
    expect(page.get_by_text("Buiten gebruik gesteld door Ferry Mol")).to_be_visible()
