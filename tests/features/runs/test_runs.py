"""Overview, starting a run, the run page, and steering a run."""

from __future__ import annotations

from typing import Any

import pytest

from app.storage.database import Database
from app.storage.history.verify import verify_log
from app.storage.run_header import run_header
from app.storage.run_store import load_stages
from tests.features.client import World, a_world
from tests.features.steps.pages import form_data, text_of


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def test_empty_overview_teaches_the_first_step(world: World):
    page = world.browser("anna").get("/")
    assert page.status_code == 200
    assert "Nog geen trajecten" in page.text
    assert 'href="/trajecten/nieuw"' in page.text


def test_started_run_is_on_the_overview_and_has_a_page_of_its_own(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    assert "Wonen voor iedereen" in anna.get("/").text
    page = anna.get(f"/trajecten/{run}")
    assert page.status_code == 200
    assert "Wat is nu wijs" in page.text
    assert "Carla Smit" in page.text


def test_start_form_that_lacks_something_keeps_what_was_typed(world: World):
    anna = world.browser("anna")
    answer = anna.post("/trajecten/nieuw", {"stappenplan": world.plan.digest, "naam": "Wonen", "doel": "Kort & goed"})
    assert answer.status_code == 422
    assert "Kort &amp; goed" in answer.text
    assert 'href="#team' in answer.text
    assert 'href="#leidinggevende' in answer.text
    assert 'href="#domeinen' in answer.text, "what only the plan asks is said at once too"
    assert answer.text.index('href="#domeinen') < answer.text.index('href="#team')


def test_run_with_domain_stages_needs_a_domain(world: World):
    anna = world.browser("anna")
    fields = {
        "stappenplan": world.plan.digest,
        "naam": "Wonen",
        "doel": "Iedereen een thuis",
        "team": world.users["anna"],
        "leidinggevende": world.users["carla"],
    }
    answer = anna.post("/trajecten/nieuw", fields)
    assert answer.status_code == 422
    assert "Kies minstens één domein" in answer.text or "Kies ten minste één domein" in answer.text


@pytest.mark.parametrize("field", ["team", "leidinggevende"])
def test_nobody_from_another_municipality_can_be_chosen(world: World, field: str):
    anna = world.browser("anna")
    fields = {
        "stappenplan": world.plan.digest,
        "naam": "Wonen",
        "doel": "Iedereen een thuis",
        "domeinen": "wonen",
        "team": world.users["anna"],
        "leidinggevende": world.users["carla"],
        field: world.users["hugo"],
    }
    answer = anna.post("/trajecten/nieuw", fields)
    assert answer.status_code == 422
    assert world.browser("gwen").get("/").text.count("Wonen voor iedereen") == 0


@pytest.mark.parametrize("login", ["emma", "ferry"])
def test_auditor_and_administrator_cannot_start_a_run(world: World, login: str):
    browser = world.browser(login)
    assert browser.get("/trajecten/nieuw").status_code == 403
    assert browser.post("/trajecten/nieuw", {}).status_code == 403


def test_run_of_another_municipality_is_as_absent_as_one_that_never_was(world: World):
    run = world.a_run(world.browser("anna"))
    gwen = world.browser("gwen")
    there, nowhere = gwen.get(f"/trajecten/{run}"), gwen.get("/trajecten/00000000-0000-4000-8000-000000000000")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace(run, "") == nowhere.text.replace("00000000-0000-4000-8000-000000000000", "")
    assert gwen.get("/trajecten/geen-id").status_code == 404


def test_stage_is_started_once_however_often_the_button_is_clicked(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    address = f"/trajecten/{run}/fasen/verkennen.1/starten"
    assert anna.post(address, {}, follow_redirects=False).status_code == 303
    assert anna.post(address, {}, follow_redirects=False).status_code == 409
    with world.reading() as session:
        assert load_stages(session, run)[1].revision == 2


def test_who_does_not_work_on_a_run_reads_that_the_team_does(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    for login, words in (("anna", "U bent hiermee bezig"), ("carla", "Het team is"), ("emma", "Het team is")):
        advice = world.browser(login).get(f"/trajecten/{run}").text.split('id="next-title"')[1].split("</section>")[0]
        assert words in advice, login


def test_stage_that_waits_for_another_says_which(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    answer = anna.post(f"/trajecten/{run}/fasen/beleid.wonen.1/starten", {})
    assert answer.status_code == 409
    assert "Verkennen" in answer.text


@pytest.mark.parametrize(
    "ref", ["verkennen.2", "nietbestaand.1", "verkennen", "verkennen.01", "beleid.1", "beleid.jeugd.1"]
)
def test_stage_that_does_not_exist_is_not_found(world: World, ref: str):
    anna = world.browser("anna")
    run = world.a_run(anna)
    assert anna.post(f"/trajecten/{run}/fasen/{ref}/starten", {}).status_code == 404


def test_optional_stage_is_skipped_with_a_reason_only(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    address = f"/trajecten/{run}/fasen/werkgroep.1/overslaan"
    refused = anna.post(address, {"reden": "  "})
    assert refused.status_code == 409
    assert "reden" in refused.text.lower()
    assert anna.post(address, {"reden": "Iedereen is verantwoordelijk."}, follow_redirects=False).status_code == 303
    page = anna.get(f"/trajecten/{run}")
    assert "Overgeslagen" in page.text
    assert "Iedereen is verantwoordelijk." in page.text


def test_somebody_outside_the_team_cannot_work_on_a_stage(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna, team=("anna",))
    answer = world.browser("bram").post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    assert answer.status_code == 409
    assert "team" in answer.text


def test_name_team_and_domains_are_changed_and_recorded(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna, team=("anna",))
    fields = {
        "naam": "Wonen en werk voor iedereen",
        "doel": "Iedereen een thuis en werk.",
        "domeinen": ["wonen", "werk"],
        "team": [world.users["anna"], world.users["bram"]],
        "leidinggevende": world.users["dirk"],
    }
    assert anna.post(f"/trajecten/{run}/bewerken", fields, follow_redirects=False).status_code == 303
    page = anna.get(f"/trajecten/{run}")
    assert "Wonen en werk voor iedereen" in page.text
    assert "Dirk Vos" in page.text
    with world.reading() as session:
        _, loaded = load_stages(session, run)
    assert (loaded.revision, loaded.domains) == (4, ("wonen", "werk"))


def test_change_that_is_refused_leaves_nothing_and_signs_nothing(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna, team=("anna",))
    for minutes in (20, 20, 25):  # an hour after the last head the next change is signed
        world.clock.advance(minutes=minutes)
        anna.get("/")
    wrong = settings(world, run, domeinen="bestaat-niet", naam="Anders")
    fields = {**wrong, "team": [world.users["anna"], world.users["bram"]]}
    assert change(world, "anna", run, fields).status_code == 422
    with world.reading() as session:
        assert [problem.problem for problem in verify_log(session).problems] == []
        assert (load_stages(session, run)[1].revision, run_header(session, run).name) == (1, "Wonen voor iedereen")


def settings(world: World, run: str, **typed: str) -> dict[str, list[str]]:
    """The form as its page gives it, with other texts in some fields."""
    address = f"/trajecten/{run}/bewerken"
    found = form_data(world.browser("anna").get(address).text, address)
    return {**found, **{name: [value] for name, value in typed.items()}}


def change(world: World, login: str, run: str, form: dict[str, list[str]]) -> Any:
    return world.browser(login).post(f"/trajecten/{run}/bewerken", form, follow_redirects=False)


def name_and_purpose(world: World, run: str) -> tuple[str, str]:
    form = settings(world, run)
    return form["naam"][0], form["doel"][0]


def test_two_people_who_change_different_settings_do_not_hinder_each_other(world: World):
    run = world.a_run(world.browser("anna"))
    annas, brams = settings(world, run, naam="Wonen"), settings(world, run, doel="Een thuis voor ieder.")
    world.browser("anna").post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
    assert [change(world, "anna", run, annas).status_code, change(world, "bram", run, brams).status_code] == [303, 303]
    assert name_and_purpose(world, run) == ("Wonen", "Een thuis voor ieder.")


def test_two_people_who_change_the_same_setting_see_both_and_choose(world: World):
    run = world.a_run(world.browser("anna"))
    annas = settings(world, run, doel="Van Anna.")
    brams = settings(world, run, doel="Van Bram.", naam="Naam van Bram")
    change(world, "anna", run, annas)
    refused = change(world, "bram", run, brams)
    assert refused.status_code == 409
    assert "Van Anna." in text_of(refused.text)
    assert name_and_purpose(world, run) == ("Wonen voor iedereen", "Van Anna.")
    again = form_data(refused.text, f"/trajecten/{run}/bewerken")
    assert (again["doel"], again["naam"]) == (["Van Bram."], ["Naam van Bram"])
    without_choice = change(world, "bram", run, again)
    assert without_choice.status_code == 422
    assert "Kies wat blijft staan bij ‘Doel’." in text_of(without_choice.text)
    assert form_data(without_choice.text, f"/trajecten/{run}/bewerken") == again
    together = {**again, "keuze.doel": ["mijn"], "doel": ["Van Anna en Bram."]}
    assert change(world, "bram", run, together).status_code == 303
    assert name_and_purpose(world, run) == ("Naam van Bram", "Van Anna en Bram.")


def test_choosing_what_a_colleague_saved_keeps_it_and_my_other_changes(world: World):
    run = world.a_run(world.browser("anna"))
    annas = settings(world, run, doel="Van Anna.")
    brams = settings(world, run, doel="Van Bram.", naam="Naam van Bram")
    change(world, "anna", run, annas)
    again = form_data(change(world, "bram", run, brams).text, f"/trajecten/{run}/bewerken")
    assert change(world, "bram", run, {**again, "keuze.doel": ["ander"]}).status_code == 303
    assert name_and_purpose(world, run) == ("Naam van Bram", "Van Anna.")


def test_third_change_meanwhile_asks_again(world: World):
    run = world.a_run(world.browser("anna"))
    annas, brams = settings(world, run, doel="Van Anna."), settings(world, run, doel="Van Bram.")
    change(world, "anna", run, annas)
    again = form_data(change(world, "bram", run, brams).text, f"/trajecten/{run}/bewerken")
    change(world, "anna", run, settings(world, run, doel="Nog eens van Anna."))
    answer = change(world, "bram", run, {**again, "keuze.doel": ["mijn"]})
    assert answer.status_code == 422
    assert "Nog eens van Anna." in text_of(answer.text)
    assert name_and_purpose(world, run)[1] == "Nog eens van Anna."


def test_form_that_lacks_something_does_not_forget_what_it_was_based_on(world: World):
    run = world.a_run(world.browser("anna"))
    annas, brams = settings(world, run, doel="Van Anna."), settings(world, run, doel="Van Bram.", naam="")
    change(world, "anna", run, annas)
    again = form_data(change(world, "bram", run, brams).text, f"/trajecten/{run}/bewerken")
    assert again["based_on"] == brams["based_on"]
    assert change(world, "bram", run, {**again, "naam": ["Wonen"]}).status_code == 409


def test_decision_that_opens_another_road_is_for_managers_and_needs_what_it_needs(world: World):
    anna, carla = world.browser("anna"), world.browser("carla")
    run = world.a_run(anna)
    address = f"/trajecten/{run}/besluiten/bestaand-volstaat"
    fields = {"domein": "wonen", "reden": "Het beleid uit 2024 volstaat."}
    assert anna.post(address, fields).status_code == 403
    assert carla.post(address, fields).status_code == 409
    assert carla.post(f"/trajecten/{run}/besluiten/onbekend", fields).status_code == 404
    assert carla.post(address, {"domein": "werk", "reden": "x"}).status_code == 404


@pytest.mark.parametrize("address", ["/", "/trajecten/{run}", "/trajecten/{run}/bewerken"])
def test_page_costs_at_most_eight_queries(world: World, address: str):
    anna = world.browser("anna")
    runs = [world.a_run(anna, name=f"Traject {n}") for n in range(25)]
    anna.post(f"/trajecten/{runs[0]}/fasen/verkennen.1/starten", {})
    with world.counting_queries() as statements:
        assert anna.get(address.format(run=runs[0])).status_code == 200
    assert len(statements) <= 8, statements


def test_overview_lists_twenty_runs_a_page_and_finds_by_name(world: World):
    anna = world.browser("anna")
    for number in range(22):
        world.a_run(anna, name=f"Traject nummer {number:02}")
    first, second = anna.get("/"), anna.get("/?pagina=2")
    assert first.text.count('class="run-list__item"') == 20
    assert second.text.count('class="run-list__item"') == 2
    found = anna.get("/?zoek=nummer 07")
    assert found.text.count('class="run-list__item"') == 1
    assert anna.get("/?zoek=100%25").text.count('class="run-list__item"') == 0
    assert anna.get("/?pagina=nul").status_code == 400


def test_htmx_gets_the_list_alone(world: World):
    anna = world.browser("anna")
    world.a_run(anna)
    part = anna.get("/?mijn=ja", htmx=True)
    assert part.text.lstrip().startswith("<section")
    assert "<html" not in part.text


def test_missing_csrf_token_changes_nothing(world: World):
    anna = world.browser("anna")
    run = world.a_run(anna)
    answer = anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {}, token="")
    assert answer.status_code == 403
    with world.reading() as session:
        assert load_stages(session, run)[1].revision == 1
