"""Somebody at a real Chromium: signs in, clicks, types; every page they look at is checked on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Locator, Page, expect

from tests.features.accounts.building import PASSWORD
from tests.web.browsing import AXE, AXE_RULES

SMALL, LARGE = {"width": 320, "height": 640}, {"width": 1280, "height": 800}

# The browser, and htmx, also tell it on the console when the answer is a no; that is no fault of the page.
REFUSED = re.compile(
    r"(Failed to load resource: the server responded with a status of|Response Status Error Code) 4(01|03|04|09|22) "
)

OPEN_ALL = """() => document.querySelectorAll("details:not([open])").forEach((each) => {
    each.open = true; each.dataset.wasClosed = ""; })"""
CLOSE_AGAIN = """() => document.querySelectorAll("details[data-was-closed]").forEach((each) => {
    each.open = false; delete each.dataset.wasClosed; })"""


@dataclass
class Person:
    page: Page
    has_scripts: bool = True
    faults: list[str] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)

    def sign_in(self, login: str) -> None:
        self.page.goto("/inloggen")
        self.check("signing in")
        self.page.get_by_label("Inlognaam").fill(login)
        self.page.get_by_label("Wachtwoord").fill(PASSWORD)
        self.press("Inloggen")
        expect(self.page).to_have_url(re.compile("/$"))

    def follow(self, text: str) -> None:
        """A link in the page itself, not in the menu above it if both have it."""
        links = self.page.locator("main").get_by_role("link", name=text)
        (links if links.count() else self.page.get_by_role("link", name=text)).first.click()

    def press(self, text: str) -> None:
        self.page.get_by_role("button", name=text, exact=True).last.click()

    def type(self, answers: Mapping[str, str | list[str]]) -> None:
        for name, value in answers.items():
            for each in [value] if isinstance(value, str) else value:
                self._fill(name, each)

    def _fill(self, name: str, value: str) -> None:
        choice = self.page.locator(f'input[type=radio][name="{name}"], input[type=checkbox][name="{name}"]')
        if choice.count():
            self.page.locator(f'input[name="{name}"][value="{value}"]').check()
            return
        typed = self.page.locator(f'input[name="{name}"], textarea[name="{name}"], select[name="{name}"]')
        if typed.evaluate("field => field.tagName") == "SELECT":
            typed.select_option(value)
        else:
            typed.fill(value)

    def reads(self, *sentences: str) -> None:
        for sentence in sentences:
            expect(self.page.locator("body")).to_contain_text(sentence)

    def check(self, name: str) -> None:
        """Axe finds nothing, with everything folded open; a small screen does not scroll sideways. Once per name,
        and only where scripts run: axe is one."""
        if name in self.checked or not self.has_scripts:
            return
        self.checked.add(name)
        self.page.evaluate(OPEN_ALL)
        assert findings(self.page) == [], name
        self.page.set_viewport_size(SMALL)  # type: ignore[arg-type]  # a plain dict is what it takes
        assert sticks_out(self.page) == [], name
        self.page.set_viewport_size(LARGE)  # type: ignore[arg-type]
        self.page.evaluate(CLOSE_AGAIN)

    def download(self, link: str) -> tuple[str, bytes]:
        """Name and content."""
        with self.page.expect_download() as waiting:
            self.follow(link)
        return waiting.value.suggested_filename, waiting.value.path().read_bytes()

    def tab_to(self, target: Locator, *, at_most: int = 150) -> None:
        """With the keyboard alone; where one is can be seen all the way."""
        for _ in range(at_most):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                assert self.page.evaluate(IS_SEEN), f"the focus cannot be seen: {target}"
                return
        raise AssertionError(f"the keyboard does not reach {target} within {at_most} stops")


IS_SEEN = """() => {
    const element = document.activeElement, box = element.getBoundingClientRect();
    const shown = (each) => { const style = getComputedStyle(each);
        return style.outlineStyle !== "none" || style.boxShadow !== "none"; };
    const label = element.labels?.[0];
    return element.matches(":focus-visible") && box.bottom > 0 && box.top < innerHeight
        && (shown(element) || (label && shown(label)));
}"""
STICKS_OUT = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? []
    : [...document.body.querySelectorAll("*")].filter((each) =>
        each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map((each) => each.outerHTML.slice(0, 120))"""


def findings(page: Page) -> list[str]:
    """As a program of the browser, so that the Content-Security-Policy of the page stays as it is."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
    return [f"{v['id']}: {n['html'][:200]} {n['failureSummary']}" for v in found for n in v["nodes"]]


def sticks_out(page: Page) -> list[str]:
    found: list[str] = page.evaluate(STICKS_OUT)
    return found


@contextmanager
def a_person(
    chromium: Browser, address: str, checked: set[str] | None = None, *, scripts: bool = True
) -> Iterator[Person]:
    """`checked`: the names of pages that others looked at already.  Fails at the end for anything on the console."""
    context = chromium.new_context(
        base_url=address,
        locale="nl-NL",
        viewport=LARGE,  # type: ignore[arg-type]
        java_script_enabled=scripts,
        accept_downloads=True,
    )
    context.set_default_timeout(15_000)
    person = Person(context.new_page(), scripts, checked=set() if checked is None else checked)

    def note(text: str) -> None:
        if not REFUSED.match(text):
            person.faults.append(f"{person.page.url}: {text}")

    person.page.on("console", lambda message: note(message.text))
    person.page.on("pageerror", lambda error: note(str(error)))
    yield person
    assert not person.faults, person.faults
    context.close()
