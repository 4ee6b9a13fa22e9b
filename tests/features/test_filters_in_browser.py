"""A filter that replaces the list under it, by keyboard: whoever used it reads on from the new list."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from app.storage.database import Database
from tests.features.client import World, a_world
from tests.web.browsing import a_context, a_server

pytestmark = pytest.mark.browser


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return a_world(sqlite_database)


@pytest.mark.parametrize(
    ("address", "query", "told"), [("/", "mijn=ja", "1 traject"), ("{run}/geschiedenis", "wat=traject", "gebeurtenis")]
)
def test_focus_goes_to_the_new_list(world: World, chromium: Browser, address: str, query: str, told: str):
    run = f"/trajecten/{world.a_run(world.browser('anna'))}"
    with a_server(world.app) as base:
        page = a_context(chromium, base, "anna").new_page()
        page.goto(address.format(run=run))
        name, value = query.split("=")
        field = page.locator(f"main form.filter [name={name}]")
        field.check() if name == "mijn" else field.select_option(value)
        page.get_by_role("button", name="Toon").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{query}**")
        expect(page.locator("main [role=status]")).to_be_focused()
        expect(page.locator("main [role=status]")).to_contain_text(told)
        page.keyboard.press("Tab")
        expect(page.locator("main :is(.run-list, .event-list) a").first).to_be_focused()
