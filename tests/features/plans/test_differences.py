"""The page that shows what is different between two versions of a plan."""

from __future__ import annotations

import re

import pytest

from app.catalogue.loader import load_bytes
from app.engine.run_migration.compare import ChangeClass, compare
from app.storage.database import Database
from app.storage.plans import pin
from tests.features.accounts.building import MONDAY
from tests.features.client import SMALL, World, a_world
from tests.plan_versions import small_versions

PAGE = "/stappenplannen/klein-plan/2.0.0/verschillen"


@pytest.fixture
def world(database: Database) -> World:
    world = a_world(database)
    with world.database.write() as session:
        pin(session, small_versions().values(), at=MONDAY)
    return world


def words(html: str) -> str:
    """What one reads, without the tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def section(html: str, id: str) -> str:
    found = re.search(rf'<section class="stack" id="{id}".*?</section>', html, re.DOTALL)
    assert found is not None, id
    return found.group()


def test_summary_comes_first_with_a_count_for_each_class(world: World):
    page = world.browser("anna").get(f"{PAGE}?met=1.1.0")
    assert page.status_code == 200
    assert "<title>Verschillen tussen 1.1.0 en 2.0.0 – Stappenplan</title>" in page.text
    shown = words(page.text)
    versions = small_versions()
    counted = compare([versions["1.1.0"].plan, versions["2.0.0"].plan]).counted()
    assert "Steun is nu een eigen stap. Voortaan kijken twee mensen mee." in shown
    assert "Opnieuw vaststellen 1 wijziging: neem opnieuw een besluit over de fase" in shown
    n = counted[ChangeClass.ANSWER_AGAIN]
    assert f"Opnieuw beantwoorden {n} wijzigingen: kijk een antwoord opnieuw na" in shown
    assert "Cosmetisch" not in shown
    assert shown.index("In het kort") < shown.index("Fase: Verkennen")


def test_stage_shows_its_heaviest_change_first_and_folds_away_what_asks_nothing(world: World):
    stage = section(world.browser("anna").get(PAGE).text, "fase-verkennen")
    first, _, folded = stage.partition("<details")
    badges = re.findall(r"utrecht-status-badge--\w+\">([^<]+)<", first)
    assert badges[0] == "Opnieuw vaststellen"
    assert set(badges[1:]) == {"Opnieuw beantwoorden"}
    assert set(re.findall(r"utrecht-status-badge--\w+\">([^<]+)<", folded)) == {"Veilig"}


def test_question_shows_old_and_new_word_by_word_with_the_reason(world: World):
    stage = section(world.browser("anna").get(PAGE).text, "fase-verkennen")
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;" in stage
    assert "<img" not in stage
    shown = words(stage)
    assert "Was Wat staat erin? Nu Wat staat erin toegevoegd: en wat &lt;img" in shown
    assert "Waarom: De oude vraag werd verschillend gelezen." in shown


def test_page_speaks_in_words_and_not_in_codes(world: World):
    page = world.browser("anna").get(f"{PAGE}?met=1.0.0").text
    main = words(page.partition("<main")[2].partition("</main>")[0])
    assert "verplicht" in main
    assert "korte tekst" in main
    assert "2.000.000" in main
    for code in ("short_text", "true", "false", "any_of", "approve_again", "Requirement(", "e+06"):
        assert code not in main


def test_where_a_part_came_from_is_told(world: World):
    shown = words(world.browser("anna").get(PAGE).text)
    assert "“Overzicht maken” is gesplitst in “Overzicht maken” en “Steun peilen”." in shown
    assert "Komt samen uit “Wat staat erin?” en “Wat komt eerst?”." in shown
    assert "Stond eerst bij “Overzicht maken”." in shown


def test_stage_that_is_gone_is_not_folded_away_and_says_why(world: World):
    stage = section(world.browser("anna").get(PAGE).text, "fase-werkgroep")
    assert "<details" not in stage
    assert "Fase · Vervallen Veilig Werkgroep Waarom: Een werkgroep heeft haar eigen plan." in words(stage)


def test_stages_without_a_change_are_named_in_one_line(world: World):
    page = world.browser("anna").get(PAGE).text
    assert "Niets veranderd in: Uitvoeren." in words(page)
    assert 'id="fase-uitvoeren"' not in page


def test_versions_that_are_no_neighbours_tell_what_each_version_between_says(world: World):
    shown = words(world.browser("anna").get(f"{PAGE}?met=1.0.0").text)
    assert "Versie 1.1.0 Vragen zijn duidelijker. Er is een tip bij. Versie 2.0.0 Steun is nu een eigen stap." in shown
    assert "Cosmetisch 1 wijziging: andere woorden, zelfde betekenis" in shown
    assert "verwijderd: heet einde" in shown


def test_without_another_version_the_page_compares_with_the_one_before(world: World):
    anna = world.browser("anna")
    assert "Verschillen tussen 1.1.0 en 2.0.0" in anna.get(PAGE).text
    assert "Verschillen tussen 1.0.0 en 1.1.0" in anna.get(PAGE.replace("2.0.0", "1.1.0")).text


def test_order_of_the_two_versions_does_not_matter(world: World):
    anna = world.browser("anna")
    turned = anna.get("/stappenplannen/klein-plan/1.0.0/verschillen?met=2.0.0").text
    assert "Verschillen tussen 1.0.0 en 2.0.0" in turned


def test_first_version_and_a_version_with_itself_ask_for_a_choice(world: World):
    anna = world.browser("anna")
    for address in ("/stappenplannen/klein-plan/1.0.0/verschillen", f"{PAGE}?met=2.0.0"):
        page = anna.get(address)
        assert page.status_code == 200
        assert "Kies een andere versie" in page.text
        assert "verschillen?met=1.1.0" in page.text


def test_changes_that_ask_nothing_are_told_so_and_stand_open(world: World):
    page = world.browser("anna").get("/stappenplannen/klein-plan/1.1.0/verschillen").text
    assert "Deze wijzigingen vragen niets van een team." in page
    assert '<details class="more" open>' in section(page, "fase-verkennen")


def test_only_version_of_a_plan_says_that_there_is_no_other(sqlite_database: Database):
    world = a_world(sqlite_database)
    page = world.browser("anna").get("/stappenplannen/klein-plan/1.0.0/verschillen")
    assert page.status_code == 200
    assert "Er is één versie van dit plan" in page.text


def test_page_of_a_plan_leads_to_the_differences_with_each_other_version(world: World):
    page = world.browser("anna").get("/stappenplannen/klein-plan/2.0.0").text
    for other in ("1.0.0", "1.1.0"):
        assert f'href="{PAGE}?met={other}"' in page


@pytest.mark.parametrize(
    "address",
    [
        f"{PAGE}?met=9.9.9",
        f"{PAGE}?met=",
        "/stappenplannen/klein-plan/3.0.0/verschillen",
        "/stappenplannen/ander-plan/1.0.0/verschillen",
    ],
)
def test_unknown_version_is_not_found(world: World, address: str):
    assert world.browser("anna").get(address).status_code == 404


def test_part_for_htmx_is_the_block_of_the_page(world: World):
    anna = world.browser("anna")
    part = anna.get(PAGE, htmx=True).text
    assert part.lstrip().startswith('<div id="differences"')
    assert part in anna.get(PAGE).text


def test_english_page_marks_what_is_dutch(world: World):
    anna = world.browser("anna")
    anna.client.cookies.set("taal", "en")
    page = anna.get(PAGE).text
    anna.client.cookies.delete("taal")
    assert "Approve again" in page
    assert '<span lang="nl">Hoeveel besluiten?</span>' in page
    assert '<p class="user-text" lang="nl">Wat staat erin' in page


def test_page_needs_a_reader_who_is_signed_in(world: World):
    world.browser("anna").client.cookies.clear()
    answer = world.browser("anna").get(PAGE, follow_redirects=False)
    assert answer.status_code == 303


def test_more_versions_and_changes_take_no_more_questions_to_the_database(world: World):
    anna = world.browser("anna")
    near, far = f"{PAGE}?met=1.1.0", f"{PAGE}?met=1.0.0"
    for address in (near, far):
        anna.get(address)
    with world.counting_queries() as few:
        anna.get(near)
    text = SMALL.read_text()
    more = [load_bytes(text.replace("version: 1.0.0", f"version: 0.{n}.0").encode(), "") for n in range(1, 9)]
    with world.database.write() as session:
        pin(session, more, at=MONDAY)
    with world.counting_queries() as many:
        anna.get(far)
    assert len(many) == len(few)
