"""The whole job in a real browser, in Dutch, with scripts: officer, manager and auditor, each in their own window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.window import Window
from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.journey import work
from tests.web.browsing import AXE, AXE_RULES, a_server

pytestmark = pytest.mark.browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database, plan=work.the_real_plan(), data_dir=tmp_path / "data")
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


def test_a_policy_goes_from_start_to_report_in_the_browser(chromium: Browser, world: World, address: str):
    anna = Window(chromium, address, "anna")
    anna.link("Traject starten")
    anna.fill({"naam": work.NAME, "doel": work.PURPOSE, "domeinen": ["wonen"], "team": [world.users["anna"]]})
    anna.fill({"leidinggevende": world.users["carla"]})
    anna.press("Traject starten")
    anna.reads("Wat is nu wijs")
    run = anna.page.url
    stage = f"{run}/fasen/{work.STAGE}"

    anna.link("Verkennen wat er speelt")
    anna.press("Begin met deze fase")
    anna.reads("De fase is begonnen.", "Voordat u akkoord kunt vragen, moet dit klaar zijn:")

    anna.page.goto(f"{stage}/stappen/signalen")
    anna.press("Stap afronden")
    anna.reads("Nog te beantwoorden")

    anna.page.goto(f"{stage}/stappen/signalen/bewijs")
    anna.page.set_input_files(
        "input[type=file]", {"name": work.FILE_NAME, "mimeType": "application/pdf", "buffer": work.the_report()}
    )
    anna.fill({"titel": work.FILE_TITLE})
    anna.press("Toevoegen")
    anna.reads(work.FILE_TITLE)
    anna.page.goto(f"{stage}/stappen/bestaand-beleid/bewijs")
    anna.link("Link")
    anna.fill({"adres": work.LINK, "titel": work.LINK_TITLE})
    anna.press("Toevoegen")
    anna.reads(work.LINK_TITLE)

    for step, answers in work.ANSWERS.items():
        anna.page.goto(f"{stage}/stappen/{step}")
        anna.fill(answers)
        anna.press("Stap afronden")
        expect(anna.page).to_have_url(stage)
    anna.page.goto(f"{stage}/checklist")
    for statement in work.statements():
        anna.fill({f"antwoord.{statement}": "unknown", f"antwoord.{statement}.reden": work.UNKNOWN_REASON})
    anna.press("Checklist afronden")
    expect(anna.page).to_have_url(stage)
    anna.link("Akkoord vragen")
    anna.fill({"bericht": work.MESSAGE})
    anna.press("Akkoord vragen")
    anna.reads("Er is akkoord gevraagd.")

    carla = Window(chromium, address, "carla")
    carla.link("Beoordeel: Verkennen")
    carla.reads(work.MESSAGE)
    carla.page.get_by_text("Terugsturen naar het team").click()
    carla.fill({"reden.conclusie": work.FINDING})
    carla.press("Terugsturen")
    carla.reads("De fase is terug bij het team")

    anna.page.goto("/")
    anna.link("Bekijk opnieuw")
    anna.reads(work.FINDING)
    anna.fill({"antwoord.waarom": work.MENDED})
    anna.press("Stap afronden")
    anna.link("Akkoord vragen")
    anna.press("Akkoord vragen")
    anna.reads("Er is akkoord gevraagd.")

    carla.page.goto("/")
    carla.link("Beoordeel: Verkennen")
    carla.reads(work.FIRST_CONCLUSION, work.MENDED)
    carla.press("Akkoord")
    carla.reads("Uw akkoord is vastgelegd en verzegeld.")

    emma = Window(chromium, address, "emma")
    emma.page.goto(f"{run}/rapport")
    for link, ending in (("Download als PDF", ".pdf"), ("Download voor een rekenblad", ".csv")):
        with emma.page.expect_download() as download:
            emma.link(link)
        assert download.value.suggested_filename.endswith(ending)
        assert download.value.path().stat().st_size > 1000
    emma.page.goto(f"{run}/geschiedenis")
    emma.reads(work.FINDING, "Verkennen wat er speelt is vastgesteld.")

    gwen = Window(chromium, address, "gwen")
    answer = gwen.page.goto(run)
    assert answer is not None
    assert answer.status == 404

    for window in (anna, carla, emma):
        # A refusal (409) is an answer to htmx, which the console lists as a failed load.
        assert [c for c in window.complaints if "409" not in c] == []


def test_every_page_of_a_run_is_accessible_and_fits_a_small_screen(chromium: Browser, world: World, address: str):
    run = world.a_run(world.browser("anna"))
    world.browser("anna").post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    stage = f"/trajecten/{run}/fasen/verkennen.1"
    pages = [
        *("/", "/trajecten/nieuw", f"/trajecten/{run}", f"/trajecten/{run}/bewerken", f"/trajecten/{run}/checklist"),
        *(f"/trajecten/{run}/bewijsstukken", f"/trajecten/{run}/rapport", f"/trajecten/{run}/geschiedenis"),
        *(stage, f"{stage}/stappen/bestaand-beleid", f"{stage}/checklist", f"{stage}/akkoord-vragen"),
        *(f"{stage}/stappen/signalen/bewijs", "/stappenplannen", "/stappenplannen/inclusief-beleid/1.0.0"),
    ]
    context = chromium.new_context(base_url=address, locale="nl-NL", bypass_csp=True)
    context.add_cookies([{"name": "stappenplan", "value": "sessie-anna", "url": address}])
    page = context.new_page()
    problems = []
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for path in pages:
            page.goto(path)
            page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
            found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
            problems += [f"{width} {path}: {item['id']}" for item in found]
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                problems.append(f"{width} {path}: scrolls sideways")
    assert problems == []


def test_a_step_is_filled_in_and_saved_with_the_keyboard_alone(chromium: Browser, world: World, address: str):
    run = world.a_run(world.browser("anna"))
    world.browser("anna").post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    anna = Window(chromium, address, "anna")
    page = anna.page
    page.goto(f"/trajecten/{run}/fasen/verkennen.1/stappen/conclusie")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link
    assert page.evaluate("document.activeElement.id") == "main"
    _tab_to(page, "antwoord.waarom")
    page.keyboard.type("Omdat wij nog niet iedereen spraken.")
    _tab_to(page, "Opslaan")
    page.keyboard.press("Enter")

    anna.reads("Opgeslagen")
    page.reload()
    assert page.locator('[name="antwoord.waarom"]').input_value() == "Omdat wij nog niet iedereen spraken."


def _tab_to(page: Page, wanted: str) -> None:
    """Presses Tab until the field or button with this name has the focus; it must be visible there."""
    for _ in range(120):
        page.keyboard.press("Tab")
        name, visible = page.evaluate(
            """() => {
                const e = document.activeElement, b = e.getBoundingClientRect();
                return [e.name && e.localName != 'button' ? e.name : e.textContent.trim(),
                        b.bottom > 0 && b.top < innerHeight];
            }"""
        )
        if name == wanted:
            assert visible, f"{wanted} has the focus out of sight"
            return
    pytest.fail(f"the keyboard does not reach {wanted}")
