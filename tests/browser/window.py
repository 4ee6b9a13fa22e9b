"""One person's browser, for tests that play a whole job with several people."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.features.accounts.building import PASSWORD


class Window:
    """One person's browser. What the browser itself complains of (scripts, content policy) is kept in `complaints`."""

    def __init__(self, chromium: Browser, address: str, login: str) -> None:
        self.context: BrowserContext = chromium.new_context(
            base_url=address, viewport={"width": 1280, "height": 900}, locale="nl-NL", bypass_csp=False
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto("/inloggen")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        expect(self.page.locator("h1")).to_have_text("Overzicht")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def link(self, text: str) -> None:
        self.page.locator("main").get_by_role("link", name=text).first.click()

    def press(self, text: str) -> None:
        self.page.locator("main").get_by_role("button", name=text, exact=True).click()

    def reads(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text)

    def fill(self, answers: Mapping[str, str | list[str]]) -> None:
        for name, value in answers.items():
            for each in [value] if isinstance(value, str) else value:
                self._fill(name, each)

    def _fill(self, name: str, value: str) -> None:
        fields = self.page.locator(f'main [name="{name}"]')
        kind = fields.first.evaluate("field => field.type || field.localName")
        if kind in ("radio", "checkbox"):
            self.page.locator(f'main [name="{name}"][value="{value}"]').check()
        elif kind == "select-one":
            fields.first.select_option(value)
        else:
            fields.first.fill(value)
