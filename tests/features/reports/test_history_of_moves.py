"""The history of a run that moved speaks in the words of each moment, and tells what was chosen, on both databases."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.engine.definition import Text
from app.engine.run import Move, StageRef
from app.engine.run_migration.timeline import Timeline
from app.features.reports.plan_titles import PlanTitles
from app.features.reports.texts import Words
from app.storage.database import Database
from app.storage.scope import set_scope
from app.storage.tables import TextRow
from tests.features.accounts.building import MONDAY
from tests.features.client import small_plan
from tests.features.moving import a_full_room, a_version, digest_of, moved, moved_back, proposed
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room

QUERIES_MAX = 8
KEEP = "verkennen.1/overzicht/visie"


@pytest.fixture
def room(database: Database) -> Room:
    return a_full_room(database)


def _history(room: Room, query: str = "", login: str = "anna") -> str:
    page = room.browser(login).get(f"/trajecten/{room.run}/geschiedenis{query}")
    assert page.status_code == 200, page.text
    html: str = page.text
    return html


def _line(html: str, sentence: str) -> str:
    """The part of the page about one event."""
    items = re.findall(r'<li class="event-list__item">.*?\n          </li>', html, re.DOTALL)
    return str(next(item for item in items if sentence in text_of(item)))


def test_events_before_a_move_keep_the_words_of_their_version(room: Room):
    moved(room.world, room.run, "2.0.0")
    text = text_of(_history(room))
    assert "Werkgroep is begonnen." in text
    assert "opgeslagen bij Conclusie (Verkennen)" in text
    assert "bewijsstuk toegevoegd bij Conclusie (Verkennen): Verslag bij de conclusie." in text


def test_event_about_a_part_that_is_gone_links_to_what_was_set_aside(room: Room):
    moved(room.world, room.run, "2.0.0")
    html = _history(room)
    line = _line(html, "opgeslagen bij Conclusie")
    assert f'href="/trajecten/{room.run}/geparkeerd"' in line
    events = html[html.index('class="event-list"') :]
    for address in set(re.findall(r'href="(/trajecten/[^"#]+)"', events)):
        assert room.browser("anna").get(address).status_code == 200, address


def test_move_tells_versions_digests_people_choices_and_reasons(room: Room):
    moved(room.world, room.run, "2.0.0", choices={KEEP: "keep"}, reason="De raad stelde hem vast.")
    line = _line(_history(room), "Het traject ging van versie 1.0.0 naar 2.0.0.")
    text = text_of(line)
    assert "2 antwoorden bij gewijzigde vragen gehouden, 1 opnieuw bekijken, 6 apart gezet." in text
    assert digest_of("1.0.0") in text
    assert digest_of("2.0.0") in text
    assert "Voorgesteld door Anna de Wit" in text
    assert "Bevestigd door Carla Smit" in text
    assert "Houden : Is er al een visie? Overzicht maken (Verkennen) De raad stelde hem vast." in text.replace(
        "Houden:", "Houden :"
    )
    assert "Apart zetten : Verslag bij de conclusie" in text.replace("Apart zetten:", "Apart zetten :")
    assert f"/stappenplannen/{small_plan().plan.id}/2.0.0/verschillen?met=1.0.0" in line
    assert f'href="/trajecten/{room.run}/geparkeerd"' in line


def test_proposal_and_its_withdrawal_and_an_undone_move_are_told(room: Room):
    proposed(room.world, room.run, "2.0.0")
    assert f'href="/trajecten/{room.run}/nieuwe-versie"' in _line(_history(room), "verdergaan met versie 2.0.0")
    answer = room.browser("carla").post(f"/trajecten/{room.run}/nieuwe-versie/intrekken", {"reden": "Nu even niet."})
    assert answer.status_code == 200
    moved(room.world, room.run, "2.0.0")
    moved_back(room.world, room.run, reason="Toch te vroeg.")
    html = _history(room, "?wat=versies")
    text = text_of(html)
    assert "Het voorstel om verder te gaan met versie 2.0.0 is ingetrokken." in text
    assert "Nu even niet." in text
    assert "Het traject ging terug naar versie 1.0.0." in text
    assert "Toch te vroeg." in text
    assert "opgeslagen" not in text
    assert "5 gebeurtenissen" in text


def test_history_reads_in_english_too(room: Room):
    moved(room.world, room.run, "2.0.0")
    moved_back(room.world, room.run)
    room.browser("anna").client.cookies.set("taal", "en")
    text = text_of(_history(room))
    assert "The trajectory went from version 1.0.0 to 2.0.0." in text
    assert "The trajectory went back to version 1.0.0." in text


def test_history_of_a_run_that_moved_twice_and_back_costs_at_most_eight_queries(room: Room):
    moved(room.world, room.run, "2.0.0")
    moved(room.world, room.run, "3.0.0")
    moved_back(room.world, room.run)
    _history(room)
    with room.world.counting_queries() as statements:
        _history(room)
    assert len(statements) <= QUERIES_MAX, statements


def test_erased_reason_leaves_the_history_readable(room: Room):
    moved(room.world, room.run, "2.0.0", choices={KEEP: "keep"}, reason="Geheim.")
    with room.world.database.write() as session:
        set_scope(session, room.world.municipalities["Zonnedijk"])
        session.execute(update(TextRow).where(col(TextRow.text) == "Geheim.").values(text=None))
    text = text_of(_line(_history(room), "Het traject ging van versie 1.0.0 naar 2.0.0."))
    assert "Geheim" not in text
    assert "gewist" in text


def _move(revision: int, old: str, new: str, undone: int | None = None) -> Move:
    at = MONDAY if undone else None
    return Move("m", old, f"d{old}", new, f"d{new}", "anna", MONDAY, revision, "anna" if undone else None, at, undone)


def test_each_event_is_read_with_the_version_that_was_in_force():
    timeline = Timeline("d1", [_move(5, "1", "2", undone=9), _move(7, "2", "3", undone=8)])
    read = [timeline.in_force(sequence) for sequence in range(4, 11)]
    assert read == ["d1", "d1", "d2", "d2", "d3", "d2", "d1"]
    assert timeline.digests == {"d1", "d2", "d3"}


def test_part_that_no_version_knows_gets_a_readable_name():
    titles = PlanTitles(Words("nl"), a_version("2.0.0").plan)
    assert titles.place(StageRef("oude-fase", "een-domein", 2)) == "Oude fase · Een domein · ronde 2"
    assert titles.step("oude-fase", "oude-stap") == "Oude stap"
    assert titles.question("verkennen", "overzicht", "oude-vraag") == "Oude vraag"
    assert titles.decision("oud-besluit") == "Oud besluit"


def test_part_that_only_another_version_knows_gets_its_title():
    titles = PlanTitles(Words("nl"), a_version("2.0.0").plan, [small_plan().plan])
    assert titles.step("verkennen", "conclusie") == "Conclusie"
    assert titles.stage("werkgroep") == small_plan().plan.stage("werkgroep").title.in_language("nl")
    assert isinstance(small_plan().plan.stage("werkgroep").title, Text)
