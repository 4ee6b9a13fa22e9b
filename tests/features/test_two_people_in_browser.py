"""The pages for two people who changed the same, in a browser: by keyboard, on a narrow screen, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.storage.database import Database
from tests.features.client import World, a_world
from tests.features.steps.pages import filled, form_data
from tests.web.browsing import a_context, a_server, findings

SHOTS: Path | None = None  # a folder, for whoever wants to look at them


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return a_world(sqlite_database)


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as address:
        yield address


def save_meanwhile(world: World, page: str, **answers: str) -> None:
    anna = world.browser("anna")
    form = form_data(anna.get(page).text, page)
    assert anna.post(page, {**filled(form, **answers), "actie": "opslaan"}, follow_redirects=False).status_code == 303


def looks_good(page: Page, name: str) -> None:
    """No finding of axe, and no sideways scrolling."""
    if SHOTS is not None:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    assert findings(page) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0, name


@pytest.mark.parametrize(("scripts", "width"), [(True, 1280), (True, 320), (False, 320)])
def test_step_that_a_colleague_saved_meanwhile(
    world: World, address: str, chromium: Browser, scripts: bool, width: int
):
    run = f"/trajecten/{world.a_run(world.browser('anna'))}"
    world.browser("anna").post(f"{run}/fasen/verkennen.1/starten", {})
    world.browser("bram")
    step = f"{run}/fasen/verkennen.1/stappen/overzicht"
    context = a_context(chromium, address, "bram", width=width, scripts=scripts, csp=False)
    page = context.new_page()
    page.goto(step)
    page.fill("[name='antwoord.naam']", "Naam van Bram")
    page.fill("[name='antwoord.beschrijving']", "Lange tekst van Bram")
    save_meanwhile(world, step, naam="Naam van Anna")
    page.focus("#opslaan")
    page.keyboard.press("Enter")
    expect(page.locator("#step-panel")).to_contain_text("Naam van Anna")
    if scripts:
        looks_good(page, f"stap-{width}")
    elif SHOTS is not None:
        page.screenshot(path=SHOTS / f"stap-zonder-script-{width}.png", full_page=True)
    page.focus("[name='keuze.naam']")
    page.keyboard.press("ArrowUp")  # from the first to the last: written together
    page.focus("[name='samen.naam']")
    page.keyboard.press("Control+A")
    page.keyboard.type("Naam van ons beiden")
    page.focus("[name='actie'][value='opslaan']")
    page.keyboard.press("Enter")
    expect(page.locator("[name='antwoord.naam']")).to_have_value("Naam van ons beiden")
    expect(page.locator("[name='antwoord.beschrijving']")).to_have_value("Lange tekst van Bram")
    context.close()


@pytest.mark.parametrize(("scripts", "width"), [(True, 320), (False, 1280)])
def test_settings_that_a_colleague_changed_meanwhile(
    world: World, address: str, chromium: Browser, scripts: bool, width: int
):
    run = f"/trajecten/{world.a_run(world.browser('anna'))}/bewerken"
    anna, _ = world.browser("anna"), world.browser("bram")
    context = a_context(chromium, address, "bram", width=width, scripts=scripts, csp=False)
    page = context.new_page()
    page.goto(run)
    page.fill("[name=naam]", "Naam van Bram")
    page.fill("[name=doel]", "Doel van Bram")
    annas: dict[str, Any] = {**form_data(anna.get(run).text, run), "doel": "Doel van Anna"}
    assert anna.post(run, annas, follow_redirects=False).status_code == 303
    page.get_by_role("button", name="Opslaan").press("Enter")
    expect(page.locator("#edit-form")).to_contain_text("Doel van Anna")
    if scripts:
        looks_good(page, f"bewerken-{width}")
    elif SHOTS is not None:
        page.screenshot(path=SHOTS / f"bewerken-zonder-script-{width}.png", full_page=True)
    page.focus("[name='keuze.doel']")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Opslaan").press("Enter")
    expect(page.locator("h1")).to_contain_text("Naam van Bram")
    assert form_data(anna.get(run).text, run)["doel"] == ["Doel van Anna"]
    context.close()


def test_page_of_before_an_update_keeps_the_text(world: World, address: str, chromium: Browser):
    """Without the version that it was based on, and the same form twice with other content."""
    run = f"/trajecten/{world.a_run(world.browser('anna'))}"
    world.browser("anna").post(f"{run}/fasen/verkennen.1/starten", {})
    step = f"{run}/fasen/verkennen.1/stappen/overzicht"
    context = a_context(chromium, address, "anna", width=320, csp=False)
    page = context.new_page()
    page.goto(step)
    page.fill("[name='antwoord.naam']", "Wat ik typte")
    page.evaluate("document.querySelectorAll('[name=based_on]').forEach(field => field.remove())")
    page.click("#opslaan")
    expect(page.locator("#page-alert")).to_contain_text("Deze pagina was te oud om op te slaan")
    expect(page.locator("[name='antwoord.naam']")).to_have_value("Wat ik typte")
    looks_good(page, "te-oud-320")
    context.close()
