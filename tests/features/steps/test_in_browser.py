"""What only a browser can tell: accessibility of the pages, small screens, and a form that goes on while one types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.databases import new_sqlite_database
from tests.features.steps.room import Room, a_room
from tests.web.browsing import a_context, a_server, findings

pytestmark = pytest.mark.browser


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    database = new_sqlite_database(tmp_path)
    yield a_room(database)
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


def field(page: Page, name: str):
    return page.locator(f'[id="antwoord.{name}"]')


def choice(page: Page, name: str, value: str):
    return page.locator(f'input[name="antwoord.{name}"][value="{value}"]')


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(chromium: Browser, room: Room, address: str, width: int):
    room.browser("anna").post(room.step, {"based_on": "0", "antwoord.naam": "Begonnen", "antwoord.visie": "ja"})
    run = f"/trajecten/{room.run}"
    pages = {
        "anna": [
            room.stage,
            room.step,
            room.checklist,
            f"{run}/checklist",
            f"{run}/checklist/leeftijd",
            f"{run}/checklist/leeftijd/verkennen.1",
            f"{run}/fasen/beleid.wonen.1",
            f"{run}/fasen/werkgroep.1",
        ],
        "emma": [room.stage, room.step, room.checklist],
    }
    for login, paths in pages.items():
        page = context_of(chromium, room, address, login, width=width, csp=False).new_page()
        for path in paths:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert findings(page) == [], path
            sticks_out = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not page.evaluate(sticks_out), path


def cell_of(page: Page, ground: str):
    return page.locator(f"#rij-{ground} [data-cells] a[hx-get]")


def test_cell_of_the_grid_opens_in_place_and_the_arrow_keys_go_on(chromium: Browser, room: Room, address: str):
    room.browser("anna").post(room.checklist, {"based_on": "0", "antwoord.jong-en-oud": "unknown"})
    page = context_of(chromium, room, address, "anna").new_page()
    page.goto(f"/trajecten/{room.run}/checklist")
    expect(page.get_by_text("Met de pijltoetsen gaat u van vak naar vak.")).to_be_visible()
    first, second = cell_of(page, "leeftijd").first, cell_of(page, "samenloop").first
    first.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#vak-leeftijd")
    expect(panel).to_contain_text("We weten hoe jong en oud dit ervaart.")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-expanded", "true")
    assert page.url == f"{address}/trajecten/{room.run}/checklist"
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#vak-samenloop")).to_be_visible()
    expect(panel).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#rij-samenloop th a")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#rij-samenloop th a")).to_be_focused()
    page.keyboard.press("End")
    expect(cell_of(page, "samenloop").last).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(page.locator("#rij-leeftijd th a")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(panel).to_have_count(0)
    expect(first).to_be_focused()
    second.press("Tab")
    page.locator("#vak-samenloop").get_by_text("Sluiten").press("Enter")
    expect(page.locator("#vak-samenloop")).to_have_count(0)
    expect(second).to_be_focused()


def test_cell_opens_in_place_without_scripts_too(chromium: Browser, room: Room, address: str):
    page = context_of(chromium, room, address, "emma", scripts=False).new_page()
    page.goto(f"/trajecten/{room.run}/checklist")
    expect(page.get_by_text("Met de pijltoetsen gaat u van vak naar vak.")).to_be_hidden()
    cell_of(page, "leeftijd").first.click()
    expect(page.locator("#vak-leeftijd")).to_be_visible()
    expect(page.locator("#rij-samenloop")).to_be_visible()
    page.locator("#vak-leeftijd").get_by_text("Sluiten").click()
    expect(page.locator("#vak-leeftijd")).to_have_count(0)


def test_on_a_small_screen_the_arrow_keys_follow_what_one_sees(chromium: Browser, room: Room, address: str):
    page = context_of(chromium, room, address, "anna", width=320).new_page()
    page.goto(f"/trajecten/{room.run}/checklist")
    page.locator("#rij-leeftijd th a").focus()
    page.keyboard.press("ArrowDown")
    expect(cell_of(page, "leeftijd").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#rij-leeftijd th a")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_in_errors_and_conflicts(chromium: Browser, room: Room, address: str, width: int):
    anna = context_of(chromium, room, address, "anna", width=width, csp=False).new_page()
    bram = context_of(chromium, room, address, "bram", width=width, csp=False).new_page()
    for page in (anna, bram):
        page.goto(room.step)
    field(anna, "naam").fill("Van Anna")
    field(anna, "aantal").fill("veel")
    field(anna, "inbreng.rij.1.op").evaluate("field => { field.type = 'text'; field.value = 'ooit'; }")
    anna.click("#opslaan")
    expect(anna.locator(".error-summary")).to_be_focused()
    assert findings(anna) == []
    field(anna, "aantal").fill("3")
    field(anna, "inbreng.rij.1.op").evaluate("field => { field.value = ''; }")
    anna.click("#afronden")
    expect(anna.locator(".error-summary")).to_contain_text("Opgeslagen, maar nog niet klaar")
    assert findings(anna) == []
    field(bram, "naam").fill("Van Bram")
    bram.click("#opslaan")
    expect(bram.locator(".conflict")).to_be_visible()
    assert findings(bram) == []


def test_question_appears_and_goes_while_text_elsewhere_stays(chromium: Browser, room: Room, address: str):
    page = context_of(chromium, room, address, "anna").new_page()
    page.goto(room.step)
    dependent = page.locator("#vraag-visie-bekend")
    expect(dependent).to_be_hidden()
    field(page, "naam").fill("Nog niet opgeslagen")
    choice(page, "visie", "ja").check()
    expect(dependent).to_be_visible()
    expect(choice(page, "visie", "ja")).to_be_focused()
    choice(page, "visie-bekend", "team").check()
    choice(page, "visie", "nee").check()
    expect(dependent).to_be_hidden()
    choice(page, "visie", "ja").check()
    expect(dependent).to_be_visible()
    expect(choice(page, "visie-bekend", "team")).to_be_checked()
    expect(field(page, "naam")).to_have_value("Nog niet opgeslagen")
    assert room.answers() == {}


def test_text_typed_while_the_question_is_fetched_is_not_overwritten(chromium: Browser, room: Room, address: str):
    page = context_of(chromium, room, address, "anna").new_page()
    page.goto(room.step)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(f"**{room.step}", hold)
    choice(page, "visie", "ja").check()
    field(page, "beschrijving").fill("Intussen getypt")
    for route in waiting:
        route.continue_()
    assert waiting
    expect(page.locator("#vraag-visie-bekend")).to_be_visible()
    expect(field(page, "beschrijving")).to_have_value("Intussen getypt")


def test_saving_stays_where_one_was_and_says_so(chromium: Browser, room: Room, address: str):
    page = context_of(chromium, room, address, "anna").new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.goto(room.step)
    field(page, "naam").fill("Ons overzicht")
    page.click("#opslaan")
    expect(page.locator("#live")).to_have_text("Opgeslagen")
    expect(page.locator("#opslaan")).to_be_focused()
    expect(page).to_have_url(re.compile(f"{room.step}$"))
    field(page, "naam").fill("Met Enter")
    with page.expect_response(f"**{room.step}"):
        field(page, "naam").press("Enter")
    expect(field(page, "naam")).to_be_focused()
    assert room.answers() == {"naam": "Met Enter"}
    assert faults == []


def test_more_rows_keep_the_typed_text_and_lead_to_the_first_new_one(chromium: Browser, room: Room, address: str):
    page = context_of(chromium, room, address, "anna").new_page()
    page.goto(room.step)
    field(page, "inbreng.rij.2.inbreng").fill("Laatste rij")
    page.locator('[id="antwoord.inbreng.meer"]').click()
    expect(field(page, "inbreng.rij.3.inbreng")).to_be_focused()
    expect(field(page, "inbreng.rij.2.inbreng")).to_have_value("Laatste rij")


def test_finished_step_leads_to_the_stage(chromium: Browser, room: Room, address: str):
    room.add_evidence()
    page = context_of(chromium, room, address, "anna").new_page()
    page.goto(room.step)
    field(page, "naam").fill("Ons overzicht")
    choice(page, "visie", "nee").check()
    choice(page, "draagvlak", "yes").check()
    page.click("#afronden")
    expect(page).to_have_url(re.compile(f"{room.stage}$"))
    expect(page.locator("#page-alert")).to_contain_text("De stap is klaar.")


def test_two_people_without_scripts_both_keep_their_text(chromium: Browser, room: Room, address: str):
    anna = context_of(chromium, room, address, "anna", scripts=False).new_page()
    bram = context_of(chromium, room, address, "bram", scripts=False).new_page()
    for page in (anna, bram):
        page.goto(room.step)
    expect(anna.locator("#vraag-visie-bekend")).to_be_visible()
    field(anna, "beschrijving").fill("Van Anna")
    anna.click("#opslaan")
    field(bram, "beschrijving").fill("Van Bram")
    field(bram, "naam").fill("Ook van Bram")
    bram.click("#opslaan")
    expect(bram.locator(".conflict")).to_contain_text("Tekst van Anna de Wit")
    bram.get_by_label("Schrijf de twee samen").check()
    bram.get_by_role("button", name="Mijn keuze opslaan").click()
    expect(bram).to_have_url(re.compile(f"{room.step}$"))
    assert room.answers() == {"naam": "Ook van Bram", "beschrijving": "Van Anna\n\nVan Bram"}
