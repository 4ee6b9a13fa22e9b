"""The checklist: of one stage, of the run as a grid, and of one ground."""

from __future__ import annotations

import re

from app.engine.run import StepStatus
from tests.features.steps.pages import Data, filled, ids_in, pressed, text_of
from tests.features.steps.room import Room


def answered(room: Room, **answers: str) -> Data:
    return filled(room.form(address=room.checklist), **answers)


def links_of(html: str) -> dict[str, str]:
    return {href: text_of(text) for href, text in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)}


def test_statements_stand_under_their_ground_with_help_and_origin(room: Room):
    html = room.browser("anna").get(room.checklist).text
    read = text_of(html)
    assert read.index("Leeftijd Denk aan: leeftijd.") < read.index("We weten hoe jong en oud dit ervaart.")
    assert "Is duidelijk waarom we jongeren vragen?" in read
    assert "Denk aan school en zorg." in read
    assert {"grond-leeftijd", "grond-samenloop"} <= ids_in(html)
    assert "0 van 2 beantwoord" in read
    assert "Leeftijd: 1 stelling" in read


def test_answers_are_saved_counted_and_unknown_is_said_in_words(room: Room):
    anna = room.browser("anna")
    answer = anna.post(room.checklist, answered(room, jong_en_oud="unknown"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, room.checklist)
    html = anna.get(room.checklist).text
    read = text_of(html)
    assert "1 van 2 beantwoord" in read
    assert "1 onbekend" in read
    statement = re.search(r'id="vraag-stapeling".*?</fieldset>', html, re.DOTALL)
    assert statement
    assert "Nog niet beantwoord" in text_of(statement[0])
    assert room.answers("checklist") == {"jong-en-oud": {"grade": "unknown", "reason": ""}}


def test_full_checklist_can_be_finished(room: Room):
    data = answered(room, jong_en_oud="yes", stapeling="no", stapeling__reden="Komt in mei.")
    answer = room.browser("anna").post(room.checklist, pressed(data, "afronden"), follow_redirects=False)
    assert answer.headers["location"] == room.stage
    assert room.state("checklist").status is StepStatus.COMPLETED
    assert "2 van 2 beantwoord" in text_of(room.browser("anna").get(room.stage).text)


def test_two_people_at_the_checklist_keep_both_answers(room: Room):
    annas, brams = answered(room, jong_en_oud="yes"), answered(room, stapeling="no")
    room.browser("anna").post(room.checklist, annas)
    answer = room.browser("bram").post(room.checklist, brams, follow_redirects=False)
    assert answer.status_code == 303
    assert {id: value["grade"] for id, value in room.answers("checklist").items()} == {
        "jong-en-oud": "yes",
        "stapeling": "no",
    }


def test_checklist_has_one_address(room: Room):
    anna = room.browser("anna")
    answer = anna.get(f"{room.stage}/stappen/checklist", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, room.checklist)
    assert anna.post(f"{room.stage}/stappen/checklist", answered(room)).status_code == 404


def test_stage_without_statements_has_no_checklist(room: Room):
    assert room.browser("anna").get(f"/trajecten/{room.run}/fasen/werkgroep.1/checklist").status_code == 404


def test_checklist_that_was_sent_back_shows_the_reason(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.send_back("checklist", "Waarom is dit onbekend?")
    read = text_of(room.browser("anna").get(room.checklist).text)
    assert "Waarom is dit onbekend?" in read
    assert "Opnieuw bekijken" in read


# --- the grid ------------------------------------------------------------------------------------------------------


def test_grid_says_in_words_what_is_known_and_what_is_not(room: Room):
    anna = room.browser("anna")
    anna.post(room.checklist, answered(room, jong_en_oud="unknown"))
    html = anna.get(f"/trajecten/{room.run}/checklist").text
    read = text_of(html)
    assert "Leeftijd: 1 onbekend (Verkennen)." in read
    assert "Samenloop van gronden: 1 stelling niet beantwoord (Verkennen)." in read
    assert re.search(r'<th[^>]*scope="col"[^>]*>Verkennen</th>', html)
    assert re.search(r'<th[^>]*scope="row"[^>]*>.*?Leeftijd', html)
    assert (read_at := links_of(html))[f"/trajecten/{room.run}/checklist/leeftijd/verkennen.1#rij-leeftijd"] == (
        "1 onbekend: Leeftijd, Verkennen"
    )
    assert read_at[f"/trajecten/{room.run}/checklist/samenloop/verkennen.1#rij-samenloop"] == (
        "1 leeg: Samenloop van gronden, Verkennen"
    )


def test_grid_without_blind_spots_says_so(room: Room):
    data = answered(room, jong_en_oud="yes", stapeling="partly")
    room.browser("anna").post(room.checklist, data)
    read = text_of(room.browser("anna").get(f"/trajecten/{room.run}/checklist").text)
    assert "Geen blinde vlekken" in read
    assert "1 ja" in read
    assert "1 deels" in read


def test_grid_counts_the_newest_round_and_says_that_it_has_not_begun(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.approve()
    room.browser("anna").post(f"/trajecten/{room.run}/fasen/verkennen.2/starten", {"reden": "Opnieuw nodig."})
    html = room.browser("anna").get(f"/trajecten/{room.run}/checklist").text
    assert "checklist/leeftijd/verkennen.2" in html
    assert "fasen/verkennen.2/checklist#grond-leeftijd" in html
    assert "verkennen.1" not in html


def test_everybody_of_the_municipality_can_read_the_grid_and_nobody_else(room: Room):
    for path in ("checklist", "checklist/leeftijd", "checklist/leeftijd/verkennen.1"):
        for login in ("anna", "dirk", "emma", "ferry"):
            assert room.browser(login).get(f"/trajecten/{room.run}/{path}").status_code == 200
        assert room.browser("gwen").get(f"/trajecten/{room.run}/{path}").status_code == 404


def test_cell_opens_in_place_with_answers_reasons_and_who(room: Room):
    anna = room.browser("anna")
    anna.post(room.checklist, answered(room, jong_en_oud="no", jong_en_oud__reden="<b>Plan</b> volgt."))
    cell = f"/trajecten/{room.run}/checklist/leeftijd/verkennen.1"
    html = anna.get(cell).text
    assert "We weten hoe jong en oud dit ervaart. Nee, actie gepland <b>Plan</b> volgt." in text_of(html)
    assert "Beantwoord door Anna de Wit" in text_of(html)
    assert html.count('aria-expanded="true"') == html.count("data-focus") == 1
    assert 'aria-controls="vak-leeftijd"' in html
    assert "vak-leeftijd" in ids_in(html)
    links = links_of(html)
    assert links[f"{room.checklist}#grond-leeftijd"].startswith("Naar de stellingen")
    closed = anna.get(f"{cell}?dicht=ja").text
    assert "We weten hoe jong en oud dit ervaart." not in text_of(closed)
    assert 'aria-expanded="true"' not in closed


def test_htmx_gets_the_row_of_the_cell_only(room: Room):
    anna, cell = room.browser("anna"), f"/trajecten/{room.run}/checklist/leeftijd/verkennen.1"
    part = anna.get(cell, htmx=True).text
    assert part.lstrip().startswith("<tbody")
    assert "We weten hoe jong en oud dit ervaart." in text_of(part)
    assert "Samenloop" not in part
    assert part.strip() in anna.get(cell).text
    closed = anna.get(f"{cell}?dicht=ja", htmx=True).text
    assert "We weten hoe jong en oud dit ervaart." not in text_of(closed)
    assert closed.count("data-focus") == 1


def test_cell_of_a_stage_that_has_not_begun_shows_what_will_be_asked(room: Room):
    anna = room.browser("anna")
    fresh = f"/trajecten/{room.world.a_run(anna)}/checklist"
    address, text = next((at, text) for at, text in links_of(anna.get(fresh).text).items() if "leeftijd/" in at)
    assert text == "nog niet begonnen: Leeftijd, Verkennen"
    read = text_of(anna.get(address.partition("#")[0]).text)
    assert "We weten hoe jong en oud dit ervaart." in read
    assert "Deze fase is nog niet begonnen. Dan komen deze stellingen aan bod." in read


def test_cell_without_statements_is_not_found(room: Room):
    for cell in ("haarkleur/verkennen.1", "leeftijd/verkennen.2", "leeftijd/werkgroep.1", "leeftijd/onzin.1"):
        assert room.browser("anna").get(f"/trajecten/{room.run}/checklist/{cell}").status_code == 404
    strange = room.browser("anna").get(f"/trajecten/{room.run}/checklist/leeftijd/verkennen.1?dicht=nee")
    assert strange.status_code == 400


# --- one ground ----------------------------------------------------------------------------------------------------


def test_ground_shows_answers_reasons_who_and_evidence(room: Room):
    anna = room.browser("anna")
    anna.post(room.checklist, answered(room, jong_en_oud="no", jong_en_oud__reden="<b>Plan</b> volgt."))
    id = room.add_evidence("Gesprek met jongeren", grounds=["leeftijd"])
    room.add_evidence("Iets anders", grounds=["samenloop"])
    html = anna.get(f"/trajecten/{room.run}/checklist/leeftijd").text
    read = text_of(html)
    assert "We weten hoe jong en oud dit ervaart. Nee, actie gepland <b>Plan</b> volgt." in read
    assert "Beantwoord door Anna de Wit" in read
    assert f'href="/trajecten/{room.run}/bewijsstukken/{id}">Gesprek met jongeren' in html
    assert "Iets anders" not in read
    assert "Verslag · Verkennen" in read


def test_ground_that_does_not_exist_is_not_found(room: Room):
    assert room.browser("anna").get(f"/trajecten/{room.run}/checklist/haarkleur").status_code == 404
