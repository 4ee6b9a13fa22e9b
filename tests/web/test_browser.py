"""What only a browser can tell: accessibility of every component, small screens, and the helps of app.js."""

from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from structlog.testing import capture_logs

from app.resources import static_dir
from app.web.access import CurrentLogin
from app.web.assets import BUNDLES, Assets
from tests.web.browsing import AXE, AXE_RULES, a_chromium, a_server
from tests.web.gallery import a_gallery

pytestmark = pytest.mark.browser

PAGES = ["/onderdelen", "/formulier", "/traject", "/help", "/over", "/toegankelijkheid", "/bestaat-niet"]
WIDTHS = [1280, 320]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = a_gallery()
    app.dependency_overrides[get_args(CurrentLogin)[1].dependency] = lambda: None
    # Unconfigured, structlog paints tracebacks for a terminal, which takes seconds.
    with capture_logs(), a_server(app) as base:
        yield base


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address, locale="nl-NL")
    yield context.new_page()
    context.close()


@pytest.fixture
def page_without_scripts(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_link_to_the_content_is_seen_when_it_has_the_focus(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/onderdelen")
    page.keyboard.press("Tab")
    expect(page.locator(".utrecht-skip-link")).to_be_focused()
    on_top = """() => { const box = document.activeElement.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === document.activeElement; }"""
    assert page.evaluate(on_top)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(browser: Browser, address: str, path: str, width: int):
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 800}, bypass_csp=True)
    page = context.new_page()
    page.goto(path)
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))

    findings = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in findings] == []
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_small_screen_does_not_scroll_sideways(browser: Browser, address: str, path: str):
    context = browser.new_context(base_url=address, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()


@pytest.mark.parametrize("path", PAGES[:-1])
def test_browser_has_nothing_to_complain_about(page: Page, path: str):
    """A style or script that the Content-Security-Policy refuses shows up here."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(path)
    page.wait_for_load_state("networkidle")

    assert complaints == []


# The computed style of each element, without custom properties: those that nothing uses are what was left out.
STYLES_OF_ALL = """() => [document.body, ...document.body.querySelectorAll("*")].map(element => {
    const style = getComputedStyle(element);
    return [...style].filter(name => !name.startsWith("--")).map(name => name + ": " + style.getPropertyValue(name));
})"""
DIFFERENCES = """() => all().flatMap((style, index) =>
    style.flatMap((line, at) => line === before[index][at] ? [] : [`${index} ${before[index][at]} -> ${line}`])
).slice(0, 20)"""


@pytest.mark.parametrize("path", ["/onderdelen", "/formulier"])
def test_leaving_out_unused_styles_changes_nothing_on_the_page(browser: Browser, address: str, path: str):
    context = browser.new_context(base_url=address, bypass_csp=True)
    page = context.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.evaluate(f"() => {{ window.all = {STYLES_OF_ALL}; window.before = window.all(); }}")
    assets = Assets(static_dir())
    everything = "\n".join(assets._read(name).decode() for name in BUNDLES["css/site.css"])
    page.evaluate("() => document.querySelector('link[rel=stylesheet]').remove()")
    page.add_style_tag(content=everything)
    page.wait_for_load_state("networkidle")

    assert page.evaluate(DIFFERENCES) == []
    context.close()


def test_buttons_and_choices_are_large_enough_to_touch(page: Page):
    page.goto("/formulier")

    for selector in (".utrecht-button", ".choice__label", ".utrecht-textbox", ".account__summary", ".plain-button"):
        for box in page.locator(selector).all():
            if box.is_visible():
                size = box.bounding_box()
                assert size is not None
                assert size["height"] >= 43.9, selector


def test_skip_link_is_the_first_stop_of_the_keyboard(page: Page):
    page.goto("/traject")
    page.keyboard.press("Tab")

    expect(page.locator(".utrecht-skip-link")).to_be_focused()
    expect(page.locator(".utrecht-skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_refused_form_gets_the_focus_and_leads_to_its_fields(page: Page):
    page.goto("/gesprek?htmx=1")
    page.get_by_label("Verslag").fill("Met twaalf inwoners gesproken")
    page.get_by_role("button", name="Opslaan").click()

    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_label("Verslag")).to_have_value("Met twaalf inwoners gesproken")
    page.get_by_role("link", name="Vul ‘Soort’ in.").click()
    expect(page.get_by_label("Kort")).to_be_focused()


def test_saved_part_gets_the_focus_and_is_said_aloud(page: Page):
    page.goto("/gesprek?htmx=1")
    fill(page, "Met twaalf inwoners gesproken")
    page.get_by_role("button", name="Opslaan").click()

    expect(page.locator(".utrecht-alert--ok")).to_be_focused()
    expect(page.locator("#live")).to_have_text("Opgeslagen.")
    assert drafts(page) == []


@pytest.mark.parametrize(("word", "title"), [("ander", "Iemand anders wijzigde"), ("bug", "Er ging bij ons iets mis")])
def test_trouble_appears_beside_the_form_which_keeps_its_text(page: Page, word: str, title: str):
    page.goto("/gesprek?htmx=1")
    fill(page, f"{word}: met twaalf inwoners gesproken")
    page.get_by_role("button", name="Opslaan").click()

    expect(page.locator("#page-alert .page-error")).to_be_focused()
    expect(page.locator("#page-alert")).to_contain_text(title)
    expect(page.locator("form").get_by_label("Verslag")).to_have_value(f"{word}: met twaalf inwoners gesproken")


def test_lost_connection_is_said_and_loses_nothing(page: Page):
    page.goto("/gesprek?htmx=1")
    fill(page, "Met twaalf inwoners gesproken")
    page.route("**/gesprek*", lambda route: route.abort())
    page.get_by_role("button", name="Opslaan").click()

    expect(page.locator("#page-alert")).to_contain_text("Geen verbinding")
    expect(page.get_by_label("Verslag")).to_have_value("Met twaalf inwoners gesproken")


def test_text_that_was_never_saved_can_be_put_back(page: Page):
    page.goto("/gesprek")
    fill(page, "Met twaalf inwoners gesproken")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/help")
    page.goto("/gesprek")

    expect(page.locator("#page-alert")).to_contain_text("U heeft tekst die niet is opgeslagen")
    page.get_by_role("button", name="Zet mijn tekst terug").click()
    expect(page.get_by_label("Verslag")).to_have_value("Met twaalf inwoners gesproken")
    expect(page.get_by_label("Kort")).to_be_checked()


def test_text_that_was_saved_is_not_offered_again(page: Page):
    page.goto("/gesprek")
    fill(page, "Met twaalf inwoners gesproken")
    page.get_by_role("button", name="Opslaan").click()
    expect(page.locator("[data-saved]")).to_be_visible()
    page.goto("/gesprek")

    expect(page.locator("#page-alert")).to_be_empty()


def test_text_of_one_user_is_not_kept_for_the_next(page: Page):
    page.goto("/gesprek")
    page.evaluate('sessionStorage.setItem(\'draft:iemand-anders:gesprek\', \'{"typed":[["verslag","geheim"]]}\')')
    page.goto("/gesprek")

    assert drafts(page) == []
    expect(page.locator("#page-alert")).to_be_empty()


def test_leaving_with_unsaved_text_asks_first(page: Page):
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.goto("/gesprek")
    page.goto("/help")
    assert asked == []

    page.goto("/gesprek")
    page.get_by_label("Verslag").press_sequentially("x")
    page.goto("/help")

    assert asked == ["beforeunload"]


def test_all_of_it_works_without_scripts(page_without_scripts: Page):
    page = page_without_scripts
    page.goto("/gesprek?htmx=1")
    page.get_by_label("Verslag").fill("Met twaalf inwoners gesproken")
    page.get_by_role("button", name="Opslaan").click()
    expect(page.get_by_role("link", name="Vul ‘Soort’ in.")).to_be_visible()
    expect(page.get_by_label("Verslag")).to_have_value("Met twaalf inwoners gesproken")

    page.get_by_label("Kort").check()
    page.get_by_role("button", name="Opslaan").click()
    expect(page.locator("[data-saved]")).to_contain_text("Klaar")


def test_error_page_without_scripts_gives_the_text_back(page_without_scripts: Page):
    page = page_without_scripts
    page.goto("/gesprek")
    fill(page, "bug: met twaalf inwoners gesproken")
    page.get_by_role("button", name="Opslaan").click()

    expect(page.get_by_label("Verslag")).to_have_value("bug: met twaalf inwoners gesproken")


def fill(page: Page, report: str) -> None:
    page.get_by_label("Verslag").fill(report)
    page.get_by_label("Kort").check()


def drafts(page: Page) -> list[str]:
    keys: list[str] = page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('draft:'))")
    return keys
