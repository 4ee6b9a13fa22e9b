"""What only a browser can tell about moving many runs: progress that comes by itself, the keyboard, accessibility."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.features.mass_moves.building import (
    CHOOSE,
    GO,
    Killed,
    begun_mass,
    counted,
    killed_after,
    loaded,
    many_runs,
    mass_of,
    release_1_1,
    spoil,
    work_on,
)
from tests.features.moving import a_full_room
from tests.web.browsing import AXE, AXE_RULES, a_context, a_server

pytestmark = pytest.mark.browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database)
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


def context_of(
    chromium: Browser, world: World, address: str, *, width: int = 1280, csp: bool = True, lang: str = "nl"
) -> BrowserContext:
    world.browser("ferry")  # opens the session
    return a_context(chromium, address, "ferry", width=width, csp=csp, lang=lang)


def messages_of(page: Page) -> list[str]:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    return messages


def assert_good(page: Page, width: int, state: str) -> None:
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
    assert [f"{v['id']}: {n['html'][:200]} {n['failureSummary']}" for v in found for n in v["nodes"]] == [], state
    assert page.evaluate("document.documentElement.scrollWidth") <= width, state


def test_two_hundred_runs_move_of_which_five_are_made_to_fail(chromium: Browser, world: World, address: str):
    ids = many_runs(world, 200, begun=True)
    release_1_1(world)
    spoiled = ids[3::40]
    assert len(spoiled) == 5
    spoil(world, *spoiled)
    page = context_of(chromium, world, address).new_page()
    messages = messages_of(page)
    page.goto(CHOOSE)
    expect(page.get_by_role("heading", name="200 trajecten, naar versie 1.1.0")).to_be_visible()
    page.get_by_label("Alle 200 trajecten van deze selectie").check()
    page.get_by_label("Waarom gaan ze over?").fill("De tip helpt iedereen.")
    page.get_by_role("button", name=GO).click()
    # Nobody presses anything: the page asks how far it is by itself.
    progress = page.locator("#voortgang")
    expect(progress).to_contain_text("200 van 200 gedaan", timeout=60_000)
    expect(progress).to_contain_text("Klaar")
    expect(progress).to_contain_text("195 trajecten hebben de nieuwe versie.")
    expect(progress).to_contain_text("5 zijn mislukt en bleven zoals ze waren.")
    assert progress.get_attribute("hx-trigger") is None
    page.get_by_role("link", name="Toon de uitkomst per traject").click()
    page.get_by_role("link", name="Mislukt (5)").click()
    expect(page.locator("#uitkomst .task-list__row")).to_have_count(5)
    expect(page.locator("#uitkomst")).to_contain_text("Geef dit nummer aan wie het systeem beheert")
    assert messages == []
    good = [id for id in ids if id not in spoiled]
    assert {loaded(world, id).plan_version for id in good} == {"1.1.0"}


def test_progress_is_told_aloud_when_it_is_done_and_the_focus_stays(chromium: Browser, world: World, address: str):
    release_1_1(world)
    id = begun_mass(world, many_runs(world, 4))
    page = context_of(chromium, world, address).new_page()
    page.goto(f"{CHOOSE}/{id}")
    page.get_by_role("link", name="Ververs").focus()
    work_on(world, id)
    expect(page.locator("#live")).to_have_text("Klaar. 4 van 4 gedaan", timeout=10_000)
    expect(page.locator("#refresh")).to_be_focused()


def test_everything_goes_by_keyboard(chromium: Browser, world: World, address: str):
    ids = many_runs(world, 2)
    release_1_1(world)
    page = context_of(chromium, world, address).new_page()
    page.goto(CHOOSE)
    page.get_by_role("checkbox", name="Traject 002").focus()
    page.keyboard.press("Space")
    page.get_by_label("Waarom gaan ze over?").focus()
    page.keyboard.type("Daarom.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=GO)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#voortgang")).to_contain_text("1 van 1 gedaan")
    assert [loaded(world, id).plan_version for id in ids] == ["1.1.0", "1.0.0"]


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_where_one_chooses(chromium: Browser, tmp_path: Path, width: int, lang: str):
    database = new_sqlite_database(tmp_path)
    room = a_full_room(database, is_approved=False)
    world = room.world
    with a_server(world.app) as address:
        page = context_of(chromium, world, address, width=width, csp=False, lang=lang).new_page()
        page.goto(f"{CHOOSE}/eerdere")
        assert_good(page, width, "nothing was moved yet")
        room.complete_everything()
        room.ask_approval()
        spoil(world, *many_runs(world, 30, begun=True)[:1])
        for query, state in (
            ("", "first page"),
            ("?pagina=2&naar=2.0.0", "second page"),
            ("?fase=nergens", "what is not there"),
            ("?domein=werk&fase=uitvoeren", "none found"),
        ):
            page.goto(CHOOSE + query)
            assert_good(page, width, state)
        page.goto(CHOOSE)
        page.locator("form[method=post] button.utrecht-button--primary-action").click()
        expect(page.locator(".error-summary")).to_be_focused()
        assert_good(page, width, "refused form")
        many_runs(world, 1, name="Later")
        page.locator("textarea[name=reden]").fill("Daarom.")
        page.locator("input[name=wie][value=alle]").check()
        page.locator("form[method=post] button.utrecht-button--primary-action").click()
        expect(page.locator(".utrecht-alert--error")).to_be_focused()
        assert_good(page, width, "selection that changed")
    database.dispose()


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_at_any_state_of_the_progress(
    chromium: Browser, world: World, address: str, width: int, lang: str
):
    ids = many_runs(world, 6, begun=True)
    release_1_1(world)
    spoil(world, ids[0])
    ids.append("00000000-0000-4000-8000-000000000000")
    page = context_of(chromium, world, address, width=width, csp=False, lang=lang).new_page()
    id = begun_mass(world, ids)
    page.goto(f"{CHOOSE}/{id}")
    assert_good(page, width, "busy")
    with pytest.raises(Killed):
        work_on(world, id, clock=killed_after(world, 4))
    world.clock.advance(seconds=61)
    page.goto(f"{CHOOSE}/{id}")
    expect(page.locator("#go-on")).to_be_visible()
    assert_good(page, width, "interrupted")
    page.locator("#go-on").click()
    expect(page.locator("#stop")).to_have_count(0, timeout=10_000)
    assert counted(world, id) == {"moved": 5, "refused": 1, "failed": 1}
    page.goto(f"{CHOOSE}/{id}")
    assert_good(page, width, "done")
    other = begun_mass(world, ids)
    page.goto(f"{CHOOSE}/{other}")
    page.locator("#stop").click()
    expect(page.locator("#stop")).to_have_count(0)
    assert mass_of(world, other).stopped_at is not None
    assert_good(page, width, "stopped")
    page.goto(f"{CHOOSE}/eerdere")
    assert_good(page, width, "earlier times")
