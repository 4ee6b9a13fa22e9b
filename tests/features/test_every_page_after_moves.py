"""A run that moved, moved again and went back: every page of it opens for everybody who may see it, says nothing about
a part that is gone but 404, and costs at most eight queries; on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.engine.run import StageRef
from app.storage.database import Database
from app.storage.run_store import load_run
from app.storage.verify import verify_run
from tests.features.client import Browser
from tests.features.moving import a_full_room, moved, moved_back, proposed, release
from tests.features.steps.pages import form_data, pressed
from tests.features.steps.room import Room

QUERIES_MAX = 8
READERS = ("anna", "bram", "carla", "dirk", "emma")
PAGES = (
    *("", "bewerken", "checklist", "bewijsstukken", "bewijsstukken?stand=apart-gezet", "geschiedenis"),
    *("geschiedenis?wat=versies", "rapport", "rapport/csv", "rapport/pdf", "geparkeerd", "nieuwe-versie"),
)


def _forward_twice(room: Room) -> None:
    moved(room.world, room.run, "2.0.0")
    moved(room.world, room.run, "3.0.0")


def _twice_and_back_once(room: Room) -> None:
    _forward_twice(room)
    moved_back(room.world, room.run)


def _twice_and_back_with_work_between(room: Room) -> None:
    moved(room.world, room.run, "2.0.0")
    anna = room.browser("anna")
    data = form_data(anna.get(room.step).text, room.step)
    data |= {"bevestig.visie": ["ja"], "antwoord.beschrijving": ["Na de overgang geschreven."]}
    assert anna.post(room.step, pressed(data, "opslaan"), follow_redirects=False).status_code == 303
    room.add_evidence("Verslag na de overgang")
    moved(room.world, room.run, "3.0.0")
    moved_back(room.world, room.run)
    moved_back(room.world, room.run)


def _forward_again_after_going_back(room: Room) -> None:
    _twice_and_back_with_work_between(room)
    moved(room.world, room.run, "2.0.0")


def _to_another_name(room: Room) -> None:
    release(room.world, "4.0.0")
    moved(room.world, room.run, "4.0.0")


def _with_rounds_domains_and_decisions(room: Room) -> None:
    """A second round of `verkennen`, and work and a decision in a domain that 2.0.0 does not have."""
    anna, carla, base = room.browser("anna"), room.browser("carla"), f"/trajecten/{room.run}"
    fields = form_data(anna.get(f"{base}/bewerken").text, f"{base}/bewerken") | {"domeinen": ["wonen", "werk"]}
    _post(anna, f"{base}/bewerken", fields)
    for stage in ("verkennen.2", "beleid.werk.1"):
        _post(anna, f"{base}/fasen/{stage}/starten", {"reden": "Wij beginnen vast."})
    step = f"{base}/fasen/beleid.werk.1/stappen/tekst"
    text = form_data(anna.get(step).text, step) | {"antwoord.tekst": ["Werk voor iedereen."]}
    _post(anna, step, pressed(text, "opslaan"))
    _post(carla, f"{base}/besluiten/bestaand-volstaat", {"domein": "werk", "reden": "Dat volstaat."})
    moved(room.world, room.run, "2.0.0")


def _post(browser: Browser, address: str, fields: Mapping[str, Any]) -> None:
    answer = browser.post(address, fields, follow_redirects=False)
    assert answer.status_code == 303, answer.text


def _waiting_for_a_manager(room: Room) -> None:
    proposed(room.world, room.run, "3.0.0")


ROADS = (
    *(_twice_and_back_once, _twice_and_back_with_work_between, _forward_again_after_going_back),
    *(_to_another_name, _with_rounds_domains_and_decisions, _waiting_for_a_manager),
)


@pytest.fixture(params=ROADS, ids=lambda road: road.__name__.strip("_"))
def room(database: Database, request: pytest.FixtureRequest) -> Room:
    road: Callable[[Room], None] = request.param
    found = a_full_room(database)
    road(found)
    return found


def _addresses(room: Room) -> list[str]:
    """Of every page about what the run has now, and about what was set aside."""
    with room.world.reading() as session:
        plan, run = load_run(session, room.run)
    found = [f"/trajecten/{room.run}/{page}".rstrip("/") for page in PAGES]
    for ref, instance in run.stages.items():
        stage = f"/trajecten/{room.run}/fasen/{ref}"
        found += [stage, f"{stage}/beoordelen", f"{stage}/checklist"] if plan.stage(ref.stage).checklist else [stage]
        for step in plan.stage(ref.stage).steps:
            found += [f"{stage}/stappen/{step.id}", f"{stage}/stappen/{step.id}/bewijs"]
        marks = [mark for state in instance.steps.values() for mark in state.evidence]
        found += [f"/trajecten/{room.run}/bewijsstukken/{mark.id}" for mark in marks]
    found += [f"/trajecten/{room.run}/checklist/{ground.id}" for ground in plan.grounds]
    found += [f"/trajecten/{room.run}/bewijsstukken/{item.evidence.id}" for item in run.parked if item.evidence]
    return found


def test_every_page_opens_for_every_role(room: Room):
    for address in _addresses(room):
        for login in READERS:
            if address.endswith("bewerken") and login == "emma":
                continue  # an auditor changes nothing
            answer = room.browser(login).get(address)
            assert answer.status_code == 200, (login, address)
            ids = re.findall(r' id="([^"]+)"', answer.text)
            assert len(ids) == len(set(ids)), (login, address, [id for id in ids if ids.count(id) > 1])
            for table in answer.text.split("<table")[1:]:
                opening, inside = table.split(">", 1)
                assert "aria-label" in opening or inside.lstrip().startswith("<caption"), (login, address, opening)


def test_title_of_every_page_says_which_run_it_is_about(room: Room):
    run, anna = f"/trajecten/{room.run}", room.browser("anna")
    name = re.findall(r"<title>(.+) – Stappenplan</title>", anna.get(run).text)[0]
    for address in _addresses(room):
        if address.partition("?")[0] != run and not address.endswith(("csv", "pdf")):
            assert f" – {name} – Stappenplan</title>" in anna.get(address).text, address


def test_adviser_finds_no_link_that_is_refused(room: Room):
    run, kees = f"/trajecten/{room.run}", room.browser("kees")
    room.browser("carla").post(f"{run}/advies/delen", {"adviseur": room.world.users["kees"], "vraag": "Voor wie niet?"})
    seen: set[str] = set()
    for address in _addresses(room):
        if address.endswith(("csv", "pdf", "bewerken")):
            continue
        for link in re.findall(r'<a [^>]*href="(/[^"#]+)"', kees.get(address).text):
            if (link := link.replace("&amp;", "&")) not in seen:
                seen.add(link)
                assert kees.get(link).status_code == 200, (address, link)


def test_every_page_costs_at_most_eight_queries(room: Room):
    for address in _addresses(room):
        if address.endswith("nieuwe-versie"):
            continue  # the page of the move itself, which works out everything that it asks
        room.browser("carla").get(address)
        with room.world.counting_queries() as statements:
            room.browser("carla").get(address)
        assert len(statements) <= QUERIES_MAX, (address, len(statements))


def test_no_page_links_to_something_that_is_not_there(room: Room):
    browser, seen = room.browser("anna"), set()
    for address in _addresses(room):
        if address.endswith(("csv", "pdf")):
            continue
        for link in re.findall(r'<a [^>]*href="(/trajecten/[^"#]+)"', browser.get(address).text):
            if (link := link.replace("&amp;", "&")) not in seen:
                seen.add(link)
                assert browser.get(link).status_code == 200, (address, link)


def test_page_of_a_part_that_is_gone_is_not_found(room: Room):
    run = room.loaded()
    base = f"/trajecten/{room.run}/fasen"
    for path in (
        "werkgroep.1",
        "werkgroep.1/stappen/opdracht",
        "verkennen.1",
        "verkennen.1/stappen/conclusie",
        "verkennen.1/stappen/conclusie/bewijs",
    ):
        ref, _, step = path.partition("/stappen/")
        instance = run.stages.get(StageRef.parse(ref))
        is_there = instance is not None and (not step or step.partition("/")[0] in _steps(room, ref))
        for login in READERS:
            assert room.browser(login).get(f"{base}/{path}").status_code == (200 if is_there else 404), (login, path)


def _steps(room: Room, ref: str) -> set[str]:
    with room.world.reading() as session:
        plan, _ = load_run(session, room.run)
    return set(plan.stage(StageRef.parse(ref).stage).steps_by_id)


def test_people_of_another_municipality_find_nothing(room: Room):
    for address in _addresses(room):
        assert room.browser("gwen").get(address).status_code == 404, address


def test_history_agrees_with_the_tables(room: Room):
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()
