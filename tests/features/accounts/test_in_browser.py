"""What only a browser can tell: passkeys, accessibility, small screens, the keyboard; with and without scripts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from app.features.accounts.passkey_checks import relying_party
from app.storage import account_links
from tests.databases import new_sqlite_database
from tests.features.accounts.building import MONDAY, PASSWORD, code_of, with_app
from tests.features.client import World, a_world
from tests.web.browsing import a_context, a_server, findings

pytestmark = pytest.mark.browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database)
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """By name: passkeys do not exist on a bare address."""
    state = world.app.state
    with a_server(world.app) as base:
        named = base.replace("127.0.0.1", "localhost")
        before, state.relying_party = state.relying_party, relying_party(named)
        yield named
        state.relying_party = before


def context_of(
    chromium: Browser,
    world: World,
    address: str,
    login: str | None,
    *,
    width: int = 1280,
    csp: bool = True,
    lang: str = "nl",
    scripts: bool = True,
) -> BrowserContext:
    if login:
        world.browser(login)  # opens the session
    return a_context(chromium, address, login, width=width, scripts=scripts, csp=csp, lang=lang)


def an_authenticator(page: Page) -> tuple[CDPSession, str]:
    """A passkey of the browser itself, that verifies its user without asking."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return cdp, cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def complaints_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


# --- passkeys -----------------------------------------------------------------------------------------------------


def test_passkey_is_added_and_signs_in_without_complaint_of_the_browser(chromium: Browser, world: World, address: str):
    with_app(world.database, uuid.UUID(world.users["anna"]))
    page = context_of(chromium, world, address, "anna").new_page()
    complaints = complaints_of(page)
    an_authenticator(page)
    page.goto("/account/passkeys")
    expect(page.locator("[data-passkey-absent]")).to_be_hidden()
    page.fill("[name=naam]", "Mijn laptop")
    page.fill("[name=wachtwoord]", PASSWORD)
    page.get_by_role("button", name="Passkey toevoegen").click()
    expect(page.locator("main")).to_contain_text("De passkey is toegevoegd.")
    expect(page.locator(".task-list__title")).to_have_text("Mijn laptop")
    page.locator(".account__summary").click()
    page.get_by_role("button", name="Uitloggen").click()
    expect(page.locator("h1")).to_have_text("Inloggen")

    page.goto("/inloggen?verder=/stappenplannen")
    page.get_by_role("button", name="Inloggen met een passkey").click()

    expect(page).to_have_url(f"{address}/stappenplannen")
    page.goto("/account")
    expect(page.locator("main")).to_contain_text("Deze sessie")
    assert complaints == []


def test_user_who_is_not_verified_stays_out_and_reads_why(chromium: Browser, world: World, address: str):
    with_app(world.database, uuid.UUID(world.users["anna"]))
    page = context_of(chromium, world, address, "anna").new_page()
    cdp, authenticator = an_authenticator(page)
    page.goto("/account/passkeys")
    page.fill("[name=naam]", "Mijn laptop")
    page.fill("[name=wachtwoord]", PASSWORD)
    page.get_by_role("button", name="Passkey toevoegen").click()
    expect(page.locator("main")).to_contain_text("De passkey is toegevoegd.")
    page.context.clear_cookies(name="stappenplan")
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})

    page.goto("/inloggen")
    page.get_by_role("button", name="Inloggen met een passkey").click()

    expect(page.locator("[data-passkey-failed]")).to_be_visible()
    expect(page.locator("h1")).to_have_text("Inloggen")


def test_passkey_that_was_removed_here_is_refused_with_words(chromium: Browser, world: World, address: str):
    with_app(world.database, uuid.UUID(world.users["anna"]))
    page = context_of(chromium, world, address, "anna").new_page()
    an_authenticator(page)
    page.goto("/account/passkeys")
    page.fill("[name=naam]", "Mijn laptop")
    page.fill("[name=wachtwoord]", PASSWORD)
    page.get_by_role("button", name="Passkey toevoegen").click()
    page.get_by_role("button", name=re.compile("Verwijderen")).click()
    expect(page.locator("main")).to_contain_text("De passkey is verwijderd.")
    page.context.clear_cookies(name="stappenplan")
    page.goto("/inloggen")
    page.get_by_role("button", name="Inloggen met een passkey").click()
    expect(page.locator("main")).to_contain_text("Inloggen met deze passkey lukte niet")


def test_without_scripts_everything_but_passkeys_works(chromium: Browser, world: World, address: str):
    anna = uuid.UUID(world.users["anna"])
    page = context_of(chromium, world, address, None, scripts=False).new_page()
    page.goto("/inloggen")
    assert page.get_by_role("button", name="Inloggen met een passkey").count() == 0
    page.fill("[name=login]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Inloggen", exact=True).click()
    page.goto("/account/tweede-stap")
    page.fill("[name=wachtwoord]", PASSWORD)
    page.get_by_role("button", name="Beginnen").click()
    page.fill("[name=code]", code_of(world.database, anna, MONDAY))
    page.get_by_role("button", name="Controleren en aanzetten").click()
    assert page.locator(".recovery-codes li").count() == 10
    page.get_by_role("link", name="Ik heb ze bewaard").click()
    page.goto("/account/passkeys")
    expect(page.locator("[data-passkey-absent]")).to_be_visible()
    assert page.locator("[data-passkey]").is_hidden()
    page.locator(".account__summary").click()
    page.get_by_role("button", name="Uitloggen").click()
    world.clock.advance(minutes=1)
    page.fill("[name=login]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Inloggen", exact=True).click()
    page.fill("[name=code]", code_of(world.database, anna, world.clock.at))
    page.get_by_role("button", name="Inloggen", exact=True).click()
    expect(page.locator("h1")).to_have_text("Overzicht")


# --- accessibility ------------------------------------------------------------------------------------------------


def assert_fine(page: Page, width: int) -> None:
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert findings(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def submit(page: Page, button: str) -> None:
    page.locator("main").get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_on_the_own_account(chromium: Browser, world: World, address: str, width: int, lang: str):
    page = context_of(chromium, world, address, "anna", width=width, csp=False, lang=lang).new_page()
    for path in ("/account", "/account/wachtwoord", "/account/tweede-stap", "/account/passkeys"):
        page.goto(path)
        assert_fine(page, width)
    page.goto("/account/tweede-stap")
    page.locator("main form button").click()  # empty: with an error
    expect(page.locator(".error-summary")).to_be_focused()
    assert_fine(page, width)
    page.fill("[name=wachtwoord]", PASSWORD)
    page.locator("main form button").click()
    expect(page.locator(".qr")).to_be_visible()
    assert_fine(page, width)
    page.fill("[name=code]", code_of(world.database, uuid.UUID(world.users["anna"]), MONDAY))
    page.locator("main form button").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    assert_fine(page, width)
    for path in ("/account/tweede-stap", "/account/passkeys", "/account"):
        page.goto(path)
        assert_fine(page, width)


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_while_signing_in(chromium: Browser, world: World, address: str, width: int):
    anna = uuid.UUID(world.users["anna"])
    page = context_of(chromium, world, address, None, width=width, csp=False).new_page()
    world.app.state.second_factor_required = True
    try:
        sign_in(page)
        expect(page.locator(".qr")).to_be_visible()
        assert_fine(page, width)
    finally:
        world.app.state.second_factor_required = False
    with_app(world.database, anna)
    sign_in(page)
    expect(page.locator("[name=code]")).to_be_visible()
    assert_fine(page, width)
    submit(page, "Inloggen")  # empty
    assert_fine(page, width)
    page.goto("/wachtwoord/bestaat-niet")
    assert_fine(page, width)
    with world.database.write() as session:
        token = account_links.make_link(session, anna, made_by=None, at=MONDAY)
    page.goto(f"/wachtwoord/{token}")
    assert_fine(page, width)
    submit(page, "Wachtwoord opslaan")
    expect(page.locator(".error-summary")).to_be_focused()
    assert_fine(page, width)


def sign_in(page: Page) -> None:
    page.goto("/inloggen")
    page.fill("[name=login]", "anna")
    page.fill("[name=password]", PASSWORD)
    submit(page, "Inloggen")


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_on_the_pages_of_users(chromium: Browser, world: World, address: str, width: int, lang: str):
    page = context_of(chromium, world, address, "ferry", width=width, csp=False, lang=lang).new_page()
    page.goto("/beheer/gebruikers?zoek=niemand-die-zo-heet")
    assert_fine(page, width)
    page.goto("/beheer/logboek")
    assert_fine(page, width)  # empty
    with_app(world.database, uuid.UUID(world.users["anna"]))
    ferry = world.browser("ferry")
    anna, bram = (f"/beheer/gebruikers/{world.users[login]}" for login in ("anna", "bram"))
    ferry.post(f"{bram}/uitschakelen", {})
    ferry.post(f"{anna}/rollen", {"rollen": ["policy_officer", "auditor"]})
    own = f"/beheer/gebruikers/{world.users['ferry']}"
    for path in ("/beheer/gebruikers", "/beheer/gebruikers/toevoegen", anna, bram, own, "/beheer/logboek"):
        page.goto(path)
        assert_fine(page, width)
    page.goto("/beheer/gebruikers/toevoegen")
    page.locator("main form button").click()
    expect(page.locator(".error-summary")).to_be_focused()
    assert_fine(page, width)
    page.goto(anna)
    page.locator(f'form[action="{anna}/link"] button').click()
    expect(page.locator("#link")).to_be_visible()
    assert_fine(page, width)


def test_user_is_added_by_keyboard_and_the_link_works_elsewhere(chromium: Browser, world: World, address: str):
    page = context_of(chromium, world, address, "ferry").new_page()
    complaints = complaints_of(page)
    page.goto("/beheer/gebruikers/toevoegen")
    page.locator("[name=naam]").focus()
    page.keyboard.type("Sanne Groen")
    page.keyboard.press("Tab")
    page.keyboard.type("sanne@zonnedijk.example")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("main .utrecht-alert--warning")).to_be_focused()
    link = page.locator("#link").input_value()
    assert complaints == []

    other = context_of(chromium, world, address, None).new_page()
    other.goto(link)
    for name in ("nieuw-wachtwoord", "nieuw-wachtwoord-2"):
        other.fill(f'[name="{name}"]', "zes paarse laarzen fluiten")
    submit(other, "Wachtwoord opslaan")
    expect(other.locator("main")).to_contain_text("Uw wachtwoord is opgeslagen.")
