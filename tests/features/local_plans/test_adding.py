"""An administrator adds a step plan of the own municipality: checked, kept, released, retired."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.catalogue.loader import load_bytes
from app.storage.database import Database
from app.storage.plans import pin, pinned_plans
from tests.features.accounts.building import MONDAY
from tests.features.client import World, a_world, small_plan
from tests.features.local_plans.sending import (
    ADD,
    ADDITIONS,
    HEAD,
    HERE,
    QUESTION,
    SMALL_OVERLAY,
    a_draft,
    a_released,
    release,
    rows,
    send_file,
    send_text,
    shown_in,
    typed_in,
)

BROKEN = (
    HEAD
    + QUESTION.replace("verkennen/overzicht", "verkennen/overzichten")
    + "tighten:\n  - {gate: nergens, approvals: 2}\n"
)
OPEN, LOOSENED = Path("tests/golden/valid/open.yaml"), Path("tests/golden/overlays/valid/loosened.yaml")
OWN_PLAN = Path("tests/golden/valid/small.yaml").read_text().replace("id: klein-plan", "id: eigen-plan")


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


@pytest.fixture
def small_world(sqlite_database: Database) -> World:
    return a_world(sqlite_database)


def test_additions_are_kept_shown_and_released(world: World):
    ferry = world.browser("ferry")
    assert "Er zijn nog geen eigen stappenplannen" in ferry.get(HERE).text
    answer = send_file(ferry, ADDITIONS.read_bytes())
    assert answer.status_code == 303
    address = answer.headers["location"]
    page = ferry.get(address).text
    assert "Dit is een concept" in page
    assert "Klein plan, met aanvullingen van Zonnedijk" in page
    assert "Toegevoegd door Ferry Mol" in page
    assert "Langs de wijktafels" in page
    assert page.count("van ons</span>") > 5
    assert "vraagt meer</span>" in page
    assert "1 → 2" in page
    assert "klein-plan-zonnedijk" not in ferry.get("/stappenplannen").text
    assert release(ferry, address, "Besproken in het college").status_code == 303
    released = ferry.get(address).text
    assert "Vastgesteld door Ferry Mol" in released
    assert "Besproken in het college" in released
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]


def test_everybody_of_the_municipality_sees_who_released_it_and_what_it_adds(world: World):
    a_released(world.browser("ferry"), reason="Besproken in het college")
    for login in ("anna", "carla", "emma", "ferry"):
        browser = world.browser(login)
        assert "Klein plan, met aanvullingen van Zonnedijk" in browser.get("/stappenplannen").text
        page = browser.get("/stappenplannen/klein-plan-zonnedijk/1.0.0").text
        assert "Vastgesteld door Ferry Mol" in page
        assert "Besproken in het college" in page
        differences = browser.get("/stappenplannen/klein-plan-zonnedijk/1.0.0/verschillen").text
        assert "In welke wijken?" in differences


def test_run_can_start_on_it_and_asks_what_was_added(world: World):
    a_released(world.browser("ferry"))
    anna = world.browser("anna")
    page = anna.get("/trajecten/nieuw?stappenplan=klein-plan-zonnedijk@1.0.0").text
    assert "met aanvullingen van Zonnedijk" in page
    with world.reading() as session:
        digest = next(plan.digest for plan in pinned_plans(session) if plan.local)
    fields = {
        "stappenplan": digest,
        "naam": "Wonen",
        "doel": "Een thuis.",
        "domeinen": ["wonen"],
        "team": [world.users["anna"]],
        "leidinggevende": world.users["carla"],
    }
    answer = anna.post("/trajecten/nieuw", fields, follow_redirects=False)
    assert answer.status_code == 303
    run = answer.headers["location"]
    anna.post(f"{run}/fasen/verkennen.1/starten", {})
    assert "In welke wijken?" in anna.get(f"{run}/fasen/verkennen.1/stappen/overzicht").text
    gwen = world.browser("gwen").post("/trajecten/nieuw", fields, follow_redirects=False)
    assert gwen.status_code == 422


def test_whole_plan_of_the_municipality_can_be_added(small_world: World):
    ferry = small_world.browser("ferry")
    address = a_released(ferry, OWN_PLAN)
    assert "Klein plan" in ferry.get(address).text
    assert small_world.browser("anna").get("/stappenplannen/eigen-plan/1.0.0").status_code == 200


def test_what_the_plan_allowed_to_be_loosened_is_marked(small_world: World):
    with small_world.database.write() as session:
        pin(session, [small_plan(), load_bytes(OPEN.read_bytes(), OPEN.name)], at=MONDAY)
    ferry = small_world.browser("ferry")
    page = ferry.get(a_draft(ferry, LOOSENED.read_text())).text
    assert page.count("vraagt minder</span>") >= 3
    assert "vraagt meer</span>" not in page


# --- what is wrong ---------------------------------------------------------------------------------------------


def test_every_problem_is_shown_with_its_place_and_the_text_stays(world: World):
    ferry = world.browser("ferry")
    answer = send_file(ferry, BROKEN.encode())
    assert answer.status_code == 422
    assert "Regel 6, teken 27" in answer.text
    assert "heeft geen &#34;verkennen/overzichten&#34;, bedoelt u &#34;verkennen/overzicht&#34;?" in answer.text
    assert "Regel 8, teken 12" in answer.text
    assert "- {gate: nergens, approvals: 2}" in answer.text
    assert typed_in(answer.text) == BROKEN
    assert rows(world) == []
    mended = typed_in(answer.text).replace("overzichten", "overzicht").replace("nergens", "verkennen")
    assert send_text(ferry, mended).status_code == 303


def test_problems_are_told_in_the_language_of_the_visitor(small_world: World):
    ferry = small_world.browser("ferry")
    ferry.post("/taal", {"taal": "en", "terug": "/"})
    answer = send_text(ferry, BROKEN)
    assert "has no &#34;verkennen/overzichten&#34;, did you mean" in answer.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Kies een bestand, of typ de tekst ervan."),
        (b"\xff\xfe", "is hier geen UTF-8"),
        (b"a" * (256 * 1024 + 1), "is groter dan 256 KiB"),
        (b"add: !!python/object:os.system {}\noverlay: {}\n", "os.system"),
        (b"extends: &a [*a]\n", "staat binnen zijn eigen anker"),
        (HEAD.replace("klein-plan@1.0.0", "klein-plan@9.0.0").encode(), "er is geen vastgesteld klein-plan@9.0.0"),
        (b"format: 1\nplan: {id: x}\n", "ontbreekt"),
    ],
)
def test_file_that_cannot_be_used_is_refused_in_words(small_world: World, content: bytes, words: str):
    answer = send_file(small_world.browser("ferry"), content)
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(small_world) == []


def test_file_that_is_far_too_large_is_not_even_read(small_world: World):
    assert send_file(small_world.browser("ferry"), b"a" * (3 * 1024**2)).status_code == 413


def test_hostile_words_are_words_on_the_page(small_world: World):
    attack = "<script>alert(1)</script>"
    ferry = small_world.browser("ferry")
    text = SMALL_OVERLAY.replace("by: Zonnedijk", f"by: '{attack}'").replace("In welke wijken?", f"'{attack}'")
    address = a_released(ferry, text, reason=attack)
    for place in (HERE, address, "/stappenplannen", "/stappenplannen/klein-plan-zonnedijk/1.0.0"):
        assert attack not in ferry.get(place).text
    assert attack not in send_text(ferry, attack).text


def test_id_of_a_national_plan_is_refused(small_world: World):
    answer = send_text(small_world.browser("ferry"), OWN_PLAN.replace("id: eigen-plan", "id: klein-plan"))
    assert answer.status_code == 422
    assert "is de id van een plan dat bij de software hoort" in answer.text


# --- released is released --------------------------------------------------------------------------------------


def test_draft_is_replaced_by_the_next_and_what_was_released_is_not(world: World):
    ferry = world.browser("ferry")
    address = a_draft(ferry)
    assert a_draft(ferry, SMALL_OVERLAY.replace("wijken", "buurten")) == address
    assert "In welke buurten?" in ferry.get(address).text
    release(ferry, address)
    assert a_draft(ferry, SMALL_OVERLAY.replace("wijken", "buurten")) == address
    answer = send_text(ferry, SMALL_OVERLAY)
    assert answer.status_code == 422
    assert "is al vastgesteld" in answer.text
    assert "Regel 2, teken" in answer.text
    assert a_draft(ferry, SMALL_OVERLAY.replace("version: 1.0.0", "version: 1.1.0")) != address
    assert rows(world) == [("klein-plan-zonnedijk", "1.1.0", "draft"), ("klein-plan-zonnedijk", "1.0.0", "released")]


def test_only_what_was_looked_at_is_released(world: World):
    ferry = world.browser("ferry")
    address = a_draft(ferry)
    seen = shown_in(ferry.get(address).text)
    a_draft(ferry, SMALL_OVERLAY.replace("wijken", "buurten"))
    answer = ferry.post(f"{address}/vaststellen", {"shown": seen, "reden": "Mooi zo"}, follow_redirects=False)
    assert answer.status_code == 409
    assert "Mooi zo" in answer.text
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "draft")]


def test_second_click_changes_nothing(world: World):
    ferry = world.browser("ferry")
    assert a_draft(ferry) == a_draft(ferry)
    address = a_draft(ferry)
    shown = shown_in(ferry.get(address).text)
    for reason in ("Eerste", "Tweede"):
        fields = {"shown": shown, "reden": reason}
        assert ferry.post(f"{address}/vaststellen", fields, follow_redirects=False).status_code == 303
    page = ferry.get(address).text
    assert "Eerste" in page
    assert "Tweede" not in page
    for _ in range(2):
        assert ferry.post(f"{address}/buiten-gebruik", {}, follow_redirects=False).status_code == 303
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "retired")]
    for _ in range(2):
        assert ferry.post(f"{address}/weer-gebruiken", {}, follow_redirects=False).status_code == 303
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]


def test_retired_plan_stays_readable_and_no_run_starts_on_it(world: World):
    ferry, anna = world.browser("ferry"), world.browser("anna")
    address = a_released(ferry)
    ferry.post(f"{address}/buiten-gebruik", {})
    assert "Buiten gebruik gesteld door Ferry Mol" in ferry.get(address).text
    page = anna.get("/stappenplannen/klein-plan-zonnedijk/1.0.0").text
    assert "Trajecten die" in page
    assert "Traject starten</a>" not in page.split("<main")[1]
    assert "klein-plan-zonnedijk@1.0.0" not in anna.get("/trajecten/nieuw").text


def test_draft_can_be_removed_and_what_was_released_cannot(world: World):
    ferry = world.browser("ferry")
    address = a_draft(ferry)
    assert ferry.post(f"{address}/verwijderen", {}, follow_redirects=False).status_code == 303
    assert rows(world) == []
    assert ferry.post(f"{address}/verwijderen", {}, follow_redirects=False).status_code == 404
    address = a_released(ferry)
    assert ferry.post(f"{address}/verwijderen", {}, follow_redirects=False).status_code == 409
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]


def test_next_version_begins_with_the_text_of_this_one(small_world: World):
    ferry = small_world.browser("ferry")
    address = a_released(ferry)
    assert typed_in(ferry.get(f"{ADD}?van={address.rsplit('/', 1)[1]}").text).strip() == SMALL_OVERLAY.strip()


# --- who may ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["anna", "carla", "emma"])
def test_other_roles_may_not(small_world: World, login: str):
    address = a_draft(small_world.browser("ferry"))
    browser = small_world.browser(login)
    for place in (HERE, ADD, address, f"{address}/opnieuw-toepassen"):
        assert browser.get(place).status_code == 403
    assert send_text(browser, SMALL_OVERLAY).status_code == 403
    for act in ("vaststellen", "buiten-gebruik", "weer-gebruiken", "verwijderen"):
        assert browser.post(f"{address}/{act}", {}, follow_redirects=False).status_code == 403
    assert "Eigen stappenplannen" not in browser.get("/").text
    assert rows(small_world) == [("klein-plan-zonnedijk", "1.0.0", "draft")]


def test_change_without_the_token_is_refused(small_world: World):
    ferry = small_world.browser("ferry")
    assert send_text(ferry, SMALL_OVERLAY, token="").status_code == 403
    address = a_draft(ferry)
    for act in ("vaststellen", "buiten-gebruik", "weer-gebruiken", "verwijderen"):
        assert ferry.post(f"{address}/{act}", {}, token="van-een-ander", follow_redirects=False).status_code == 403
    assert rows(small_world) == [("klein-plan-zonnedijk", "1.0.0", "draft")]


def test_another_municipality_finds_the_same_as_where_nothing_is(world: World):
    ferry, ilse, gwen = (world.browser(login) for login in ("ferry", "ilse", "gwen"))
    address = a_released(ferry)
    nowhere = f"{HERE}/00000000-0000-4000-8000-000000000000"
    for browser, there, absent in (
        (ilse, address, nowhere),
        (ilse, f"{address}/opnieuw-toepassen", f"{nowhere}/opnieuw-toepassen"),
        (ilse, f"{ADD}?van={address.rsplit('/', 1)[1]}", f"{ADD}?van=niets"),
        (gwen, "/stappenplannen/klein-plan-zonnedijk/1.0.0", "/stappenplannen/klein-plan-nergens/1.0.0"),
        (gwen, "/stappenplannen/klein-plan-zonnedijk/1.0.0/verschillen", "/stappenplannen/niets/1.0.0/verschillen"),
    ):
        assert browser.get(there).status_code == browser.get(absent).status_code == 404
    for act in ("vaststellen", "buiten-gebruik", "weer-gebruiken", "verwijderen"):
        fields = {"shown": "0" * 64} if act == "vaststellen" else {}
        assert ilse.post(f"{address}/{act}", fields, follow_redirects=False).status_code == 404
    for place in ("/stappenplannen", "/trajecten/nieuw"):
        assert "zonnedijk" not in gwen.get(place).text.lower()
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]


def test_two_municipalities_can_have_the_same_additions(world: World):
    ferry, ilse = world.browser("ferry"), world.browser("ilse")
    ours = a_released(ferry)
    assert a_released(ilse) != ours
    ilse.post(f"{a_draft(ilse)}/buiten-gebruik", {})
    assert rows(world) == [("klein-plan-zonnedijk", "1.0.0", "released")]
    assert rows(world, "Veldermeer") == [("klein-plan-zonnedijk", "1.0.0", "retired")]


def test_list_asks_the_database_as_often_for_many_plans_as_for_one(small_world: World):
    ferry = small_world.browser("ferry")
    a_released(ferry)
    with small_world.counting_queries() as one:
        ferry.get(HERE)
    for number in range(1, 6):
        a_released(ferry, SMALL_OVERLAY.replace("version: 1.0.0", f"version: 1.{number}.0"))
    with small_world.counting_queries() as many:
        ferry.get(HERE)
    assert len(many) == len(one)
