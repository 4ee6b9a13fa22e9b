"""A team with approved work goes on with version 2.0.0 of the national plan, back, and on again: in a real browser."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.catalogue.loader import load_bytes
from app.demo.worker import Worker
from app.engine.run import StageRef, StageStatus
from app.resources import stepplans_dir
from app.storage import plans
from app.storage.evidence_files import EvidenceFiles
from app.storage.run_store import load_run
from app.storage.scope import set_scope
from app.storage.verify import verify_run
from tests.browser.window import Window
from tests.databases import new_sqlite_database
from tests.features.accounts.building import MONDAY
from tests.features.client import World, a_world
from tests.journey import work
from tests.web.browsing import AXE, AXE_RULES, a_server

pytestmark = pytest.mark.browser

VISION = StageRef("visie")
PARKED = "Wij testten vooral de vorige tekst; dit past niet meer."
ANSWERED_AGAIN = "Wij kijken per huishouden, en noemen geen groepen in de tekst."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    yield a_world(database, plan=work.the_real_plan(), data_dir=tmp_path / "data")
    database.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with a_server(world.app) as base:
        yield base


@pytest.fixture
def run(world: World, tmp_path: Path) -> str:
    """At 1.0.0, explored and with an approved vision; the newer versions are there too."""
    anna, bram, carla = (world.users[login] for login in ("anna", "bram", "carla"))
    with world.database.write() as session:
        newer = [stepplans_dir() / "inclusief-beleid" / f"{version}.yaml" for version in ("1.1.0", "2.0.0")]
        plans.pin(session, [load_bytes(path.read_bytes(), path.name) for path in newer], at=MONDAY)
    with world.database.write() as session:
        set_scope(session, uuid.UUID(str(world.municipalities["Zonnedijk"])))
        worker = Worker.start(
            session,
            EvidenceFiles(tmp_path / "data" / "evidence"),
            world.plan,
            name=work.NAME,
            purpose=work.PURPOSE,
            domains=("wonen",),
            team=(anna, bram),
            manager=carla,
            at=MONDAY - timedelta(weeks=30),
            number=0,
        )
        for ref in (StageRef("verkennen"), VISION):
            worker.start_stage(ref, by=anna)
            worker.complete_all(ref, by=anna, helper=bram)
            worker.request(ref, by=anna, message="Graag uw oordeel.")
            worker.approve(ref, by=carla, remark="Akkoord.")
        return worker.run.id


def test_approved_work_moves_to_2_0_0_is_approved_again_undone_and_moved_again(
    chromium: Browser, world: World, address: str, run: str
):
    base = f"/trajecten/{run}"
    anna = Window(chromium, address, "anna")
    anna.page.goto(base)
    anna.reads("2.0.0")
    propose(anna, base)
    carla = Window(chromium, address, "carla")
    carla.page.goto(f"{base}/nieuwe-versie")
    carla.reads("Voorgesteld door Anna de Wit", PARKED, "Visie ontwikkelen")
    carla.press("Bevestig en ga over")
    carla.reads("Het traject gaat verder met de nieuwe versie.")

    anna.page.goto(f"{base}/fasen/{VISION}/stappen/keuze-per-grond")
    anna.fill({"antwoord.geen-hokjes": ANSWERED_AGAIN})
    anna.press("Stap afronden")
    expect(anna.page).to_have_url(f"{address}{base}/fasen/{VISION}")
    anna.page.goto(f"{base}/fasen/{VISION}/stappen/vaststellen")
    anna.fill({"antwoord.leesbaar": "partly", "antwoord.leesbaar.reden": "Met vier taalambassadeurs."})
    anna.press("Stap afronden")
    expect(anna.page).to_have_url(f"{address}{base}/fasen/{VISION}")
    anna.page.goto(f"{base}/fasen/{VISION}/akkoord-vragen")
    anna.press("Akkoord vragen")
    anna.reads("Er is akkoord gevraagd.")
    carla.page.goto(f"{base}/fasen/{VISION}/beoordelen")
    carla.press("Akkoord")
    carla.reads("Uw akkoord is vastgelegd en verzegeld.")

    carla.page.goto(f"{base}/nieuwe-versie/terugdraaien")
    carla.reads(ANSWERED_AGAIN, "Visie ontwikkelen")
    carla.page.get_by_label("Zet apart wat daarna is gedaan").check()
    carla.press("Ga terug naar versie 1.0.0")
    carla.reads("Het traject is zoals het was vóór de nieuwe versie.")
    assert standing(world, run) == ("1.0.0", StageStatus.APPROVED, False)

    propose(anna, base)
    carla.page.goto(f"{base}/nieuwe-versie")
    carla.press("Bevestig en ga over")
    carla.reads("Het traject gaat verder met de nieuwe versie.")
    assert standing(world, run) == ("2.0.0", StageStatus.OPEN, True)

    emma = Window(chromium, address, "emma")
    emma.page.goto(f"{base}/rapport")
    emma.reads("Ze zijn apart gezet.", "1.0.0", "2.0.0", ANSWERED_AGAIN)
    emma.page.goto(f"{base}/geparkeerd")
    emma.reads(ANSWERED_AGAIN, "Waarom nu?")
    emma.page.goto(f"{base}/geschiedenis")
    emma.reads("2.0.0", PARKED)
    with world.reading() as session:
        assert verify_run(session, run).findings == ()
    for window in (anna, carla, emma):
        assert window.complaints == []


def test_choices_are_counted_while_they_are_made(chromium: Browser, address: str, run: str):
    anna = Window(chromium, address, "anna")
    anna.page.goto(f"/trajecten/{run}/nieuwe-versie")
    total = anna.page.locator("#choice-total")
    said = total.inner_text()
    assert said.endswith("keuzes gemaakt. Overal zoals voorgesteld.")
    number = int(said.split()[0])
    assert said.startswith(f"{number} van {number} ")
    assert number > 1

    item = f"{VISION}/vaststellen/leesbaar"
    anna.fill({f"keuze.{item}": "park"})
    missing = f"{number - 1} van {number} keuzes gemaakt. Bij 1 antwoord moet u nog schrijven waarom."
    expect(total).to_have_text(missing)
    assert anna.page.evaluate("document.activeElement.name") == f"keuze.{item}", "the focus stays"

    anna.fill({f"reden.{item}": PARKED})
    anna.page.keyboard.press("Tab")
    chosen = f"{number} van {number} keuzes gemaakt. Bij 1 antwoord koos u iets anders dan het voorstel."
    expect(total).to_have_text(chosen)
    assert anna.complaints == []


def propose(anna: Window, base: str) -> None:
    """One answer is set aside with a reason, the others stay as proposed; then a manager is asked."""
    anna.page.goto(f"{base}/nieuwe-versie")
    anna.reads("Dit heeft geen plek in de nieuwe versie", "Waarom nu?")
    item = f"{VISION}/vaststellen/leesbaar"
    anna.fill({f"keuze.{item}": "park", f"reden.{item}": PARKED})
    anna.press("Bekijk wat er verandert")
    anna.reads("Zo staat het traject er daarna voor", "Opnieuw vast te stellen", "Visie ontwikkelen")
    anna.press("Leg voor aan een leidinggevende")
    anna.reads("Wacht op een leidinggevende")


def standing(world: World, run: str) -> tuple[str, StageStatus, bool]:
    with world.reading() as session:
        loaded = load_run(session, run)[1]
    stage = loaded.stages[VISION]
    return loaded.plan_version, stage.status, stage.changed_since_approval


def test_pages_about_a_new_version_are_accessible_and_fit_a_small_screen(
    chromium: Browser, world: World, address: str, run: str
):
    base = f"/trajecten/{run}"
    anna = Window(chromium, address, "anna")
    context = chromium.new_context(base_url=address, locale="nl-NL", bypass_csp=True)
    context.add_cookies(anna.context.cookies())  # type: ignore[arg-type]  # what Playwright gives, it also takes
    page = context.new_page()
    problems: list[str] = []

    def look(path: str, state: str) -> None:
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
            found = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)["violations"]
            problems.extend(f"{width} {path} ({state}): {item['id']}" for item in found)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                problems.append(f"{width} {path} ({state}): scrolls sideways")

    page.goto(base)
    look(base, "newer version")
    page.goto(f"{base}/nieuwe-versie")
    look("nieuwe-versie", "choices")
    item = f"{VISION}/vaststellen/leesbaar"
    page.locator(f'[name="keuze.{item}"][value="park"]').check()
    page.get_by_role("button", name="Bekijk wat er verandert").click()
    expect(page.locator("main")).to_contain_text("Schrijf waarom.")
    look("nieuwe-versie", "error")
    page.locator(f'[name="reden.{item}"]').fill(PARKED)
    page.get_by_role("button", name="Bekijk wat er verandert").click()
    expect(page.locator("main")).to_contain_text("Zo staat het traject er daarna voor")
    look("nieuwe-versie", "try-out")
    page.get_by_role("button", name="Leg voor aan een leidinggevende").click()
    expect(page.locator("main")).to_contain_text("Wacht op een leidinggevende")
    look("nieuwe-versie", "proposed")
    carla = Window(chromium, address, "carla")
    carla.page.goto(f"{base}/nieuwe-versie")
    carla.press("Bevestig en ga over")
    carla.reads("Het traject gaat verder met de nieuwe versie.")
    for path in ("", "/nieuwe-versie", "/nieuwe-versie/terugdraaien", "/geparkeerd", "/geparkeerd?zoek=niets-daarvan"):
        page.goto(base + path)
        look(path or base, "moved")
    assert problems == []
