"""Nobody loses text: two people at one step, and somebody whose session ended while typing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from playwright.sync_api import Browser, Locator, expect

from app.engine.run import StageRef
from app.storage.answer_store import current_answers
from tests.browser.conftest import Site
from tests.browser.person import Person, a_person
from tests.features.accounts.building import PASSWORD

pytestmark = pytest.mark.browser

FROM_ANNA = "Anna schreef: de woonvisie.\nMet een tweede regel."
FROM_BRAM = "Bram schreef: <b>het</b> & jeugdbeleid."


def a_step(site: Site) -> str:
    """The address of the first step of a run of Anna and Bram."""
    anna = site.world.browser("anna")
    run = site.world.a_run(anna)
    assert anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {}, follow_redirects=False).status_code == 303
    return f"/trajecten/{run}/fasen/verkennen.1/stappen/overzicht"


def stored(site: Site, step: str) -> Mapping[str, object]:
    run = step.split("/")[2]
    with site.world.reading() as session:
        found = current_answers(session, run, StageRef.parse("verkennen.1"), "overzicht")
    return {answer.question: answer.value for answer in found.values()}


def answer(person: Person, question: str) -> Locator:
    return person.page.locator(f'[id="antwoord.{question}"]')


def open_both(anna: Person, bram: Person, step: str) -> None:
    for person, login in ((anna, "anna"), (bram, "bram")):
        person.sign_in(login)
        person.page.goto(step)


def test_second_who_saves_the_same_answer_sees_both_texts_and_neither_is_lost(chromium: Browser, site: Site):
    step = a_step(site)
    with a_person(chromium, site.address) as anna, a_person(chromium, site.address) as bram:
        open_both(anna, bram, step)
        answer(anna, "beschrijving").fill(FROM_ANNA)
        anna.press("Opslaan")
        expect(anna.page.locator("#live")).to_have_text("Opgeslagen")
        answer(bram, "beschrijving").fill(FROM_BRAM)
        answer(bram, "naam").fill("Naam van Bram")
        bram.press("Opslaan")
        conflict = bram.page.locator(".conflict")
        expect(conflict).to_contain_text("Tekst van Anna de Wit")
        expect(conflict).to_contain_text(FROM_BRAM)
        for line in FROM_ANNA.splitlines():
            expect(conflict).to_contain_text(line)
        # Until Bram chooses, what Anna saved stands as it is.
        assert stored(site, step) == {"beschrijving": FROM_ANNA}
        bram.check("conflict")
        bram.page.get_by_label("Bewaar allebei").check()
        bram.press("Mijn keuze opslaan")
        expect(answer(bram, "beschrijving")).to_have_value(f"{FROM_ANNA}\n\n{FROM_BRAM}")
        expect(answer(bram, "naam")).to_have_value("Naam van Bram")
    assert stored(site, step) == {"beschrijving": f"{FROM_ANNA}\n\n{FROM_BRAM}", "naam": "Naam van Bram"}


def test_two_people_at_different_answers_are_not_bothered(chromium: Browser, site: Site):
    step = a_step(site)
    with a_person(chromium, site.address) as anna, a_person(chromium, site.address) as bram:
        open_both(anna, bram, step)
        answer(anna, "beschrijving").fill(FROM_ANNA)
        anna.press("Opslaan")
        expect(anna.page.locator("#live")).to_have_text("Opgeslagen")
        answer(bram, "naam").fill("Naam van Bram")
        bram.press("Opslaan")
        bram.reads("Een collega heeft intussen andere antwoorden opgeslagen")
        expect(answer(bram, "beschrijving")).to_have_value(FROM_ANNA)
    assert stored(site, step) == {"beschrijving": FROM_ANNA, "naam": "Naam van Bram"}


@pytest.mark.parametrize("scripts", [True, False], ids=["with_scripts", "without_scripts"])
def test_text_survives_a_session_that_ended_while_typing(chromium: Browser, site: Site, scripts: bool):
    step = a_step(site)
    with a_person(chromium, site.address, scripts=scripts) as anna:
        anna.sign_in("anna")
        anna.page.goto(step)
        answer(anna, "beschrijving").fill(FROM_BRAM)
        answer(anna, "naam").fill("Getypt voor de pauze")
        site.world.clock.advance(minutes=31)
        anna.press("Opslaan")
        anna.reads("U bent uitgelogd. Daarom is dit nog niet opgeslagen", "Uw tekst is er nog.")
        assert stored(site, step) == {}
        if scripts:
            expect(answer(anna, "beschrijving")).to_have_value(FROM_BRAM)
            anna.check("signed out while typing")
        anna.page.get_by_label("Inlognaam").fill("anna")
        anna.page.get_by_label("Wachtwoord").fill(PASSWORD)
        anna.press("Inloggen")
        anna.reads("Uw tekst is bewaard")
        anna.press("Opnieuw versturen")
        anna.reads("Uw antwoorden zijn opgeslagen.")
        expect(answer(anna, "beschrijving")).to_have_value(FROM_BRAM)
    assert stored(site, step) == {"beschrijving": FROM_BRAM, "naam": "Getypt voor de pauze"}


def test_text_of_who_walks_away_after_the_session_ended_is_offered_again(chromium: Browser, site: Site):
    """Not sent, but signed in again elsewhere on the page: the browser kept it."""
    step = a_step(site)
    with a_person(chromium, site.address) as anna:
        anna.sign_in("anna")
        anna.page.goto(step)
        answer(anna, "beschrijving").fill(FROM_BRAM)
        site.world.clock.advance(minutes=31)
        anna.page.on("dialog", lambda dialog: dialog.accept())  # "leave this page?"
        anna.sign_in("anna")
        anna.page.goto(step)
        anna.press("Zet mijn tekst terug")
        expect(answer(anna, "beschrijving")).to_have_value(FROM_BRAM)
        anna.press("Opslaan")
        expect(anna.page.locator("#live")).to_have_text("Opgeslagen")
    assert stored(site, step) == {"beschrijving": FROM_BRAM}
