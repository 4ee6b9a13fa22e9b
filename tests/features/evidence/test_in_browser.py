"""What only a browser can tell about evidence: files really chosen, accessibility, small screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.features.evidence.files import a_pdf, a_windows_program, an_image
from tests.features.evidence.sending import STEP, a_started_run
from tests.web.browsing import AXE, AXE_RULES, a_server

pytestmark = pytest.mark.browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database, data_dir=tmp_path)
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


def context_of(
    chromium: Browser, address: str, login: str = "anna", *, width: int = 1280, scripts: bool = True, csp: bool = True
) -> BrowserContext:
    context = chromium.new_context(
        base_url=address, viewport={"width": width, "height": 800}, java_script_enabled=scripts, bypass_csp=not csp
    )
    context.add_cookies([{"name": "stappenplan", "value": f"sessie-{login}", "url": address}])
    return context


def choose_and_add(page: Page, files: dict[str, bytes]) -> None:
    payloads: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files.items()
    ]
    page.get_by_label("Bestanden").set_input_files(payloads)
    page.get_by_label("Soort").select_option("verslag")
    page.get_by_role("button", name="Toevoegen").click()


def assert_nothing_wrong(page: Page, width: int) -> None:
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
    assert [f"{v['id']}: {n['html'][:200]}" for v in found for n in v["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripts", [True, False])
def test_files_are_added_and_taken_along(chromium: Browser, world: World, address: str, scripts: bool):
    run = a_started_run(world)
    context = context_of(chromium, address, scripts=scripts)
    messages: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: messages.append(message.text))
    page.goto(f"/trajecten/{run}{STEP}")
    report = a_pdf()
    choose_and_add(page, {"Verslag één.pdf": report, "foto.jpg": an_image("JPEG")})
    expect(page.get_by_text("Het bewijsstuk is toegevoegd.")).to_be_visible()
    page.get_by_role("link", name="Verslag één").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Downloaden").click()
    assert download.value.suggested_filename == "Verslag één.pdf"
    assert download.value.path().read_bytes() == report
    assert messages == []
    context.close()


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, world: World, address: str, width: int):
    run = a_started_run(world)
    context = context_of(chromium, address, width=width, csp=False)
    page = context.new_page()
    page.goto(f"/trajecten/{run}/bewijsstukken")
    assert_nothing_wrong(page, width)
    for way in ("link", "notitie", "bestand"):
        page.goto(f"/trajecten/{run}{STEP}?vorm={way}")
        assert_nothing_wrong(page, width)
    choose_and_add(page, {"goed.pdf": a_pdf(), "programma.pdf": a_windows_program(), "leeg.pdf": b""})
    expect(page.locator(".error-summary")).to_be_focused()
    assert_nothing_wrong(page, width)
    page.goto(f"/trajecten/{run}/bewijsstukken")
    assert_nothing_wrong(page, width)
    page.get_by_role("link", name="Goed").click()
    page.get_by_text("Dit bewijsstuk intrekken").click()
    page.get_by_text("Controleren dat er niets is gewijzigd").click()
    assert_nothing_wrong(page, width)
    page.get_by_label("Waarom trekt u het in?").fill("Er is een nieuwe versie.")
    page.get_by_role("button", name="Intrekken").click()
    expect(page.get_by_text("Er is een nieuwe versie.")).to_be_visible()
    assert_nothing_wrong(page, width)
    context.close()
