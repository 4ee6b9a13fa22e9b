"""From signing in to a saved step with the keyboard alone: Tab, Enter and Space."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Site
from tests.browser.person import a_person
from tests.features.accounts.building import PASSWORD

pytestmark = pytest.mark.browser


def test_step_is_filled_in_with_the_keyboard_alone(chromium: Browser, site: Site):
    world = site.world
    run = world.a_run(world.browser("anna"))
    stage = f"/trajecten/{run}/fasen/verkennen.1"
    world.browser("anna").post(f"{stage}/starten", {})
    with a_person(chromium, site.address) as anna:
        page = anna.page
        page.goto("/inloggen")
        anna.tab_to(page.get_by_label("Inlognaam"))
        page.keyboard.type("anna")
        anna.tab_to(page.get_by_label("Wachtwoord"))
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/$"))
        for link in ("Wonen voor iedereen", "Verkennen", "Overzicht maken"):
            anna.tab_to(page.locator("main").get_by_role("link", name=link).first)
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", level=1)).to_contain_text(link)
        anna.tab_to(page.locator('[id="antwoord.naam"]'))
        page.keyboard.type("Overzicht zonder muis")
        anna.tab_to(page.locator('input[name="antwoord.visie"]').first)
        page.keyboard.press("Space")
        anna.tab_to(page.locator('input[name="antwoord.visie-bekend"][value="raad"]'))
        page.keyboard.press("Space")
        anna.tab_to(page.locator("#opslaan"))
        page.keyboard.press("Enter")
        expect(page.locator("#live")).to_have_text("Opgeslagen")
        page.reload()
        expect(page.locator('[id="antwoord.naam"]')).to_have_value("Overzicht zonder muis")
        expect(page.locator('input[name="antwoord.visie"][value="ja"]')).to_be_checked()
        expect(page.locator('input[name="antwoord.visie-bekend"][value="raad"]')).to_be_checked()
