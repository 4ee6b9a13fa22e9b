"""Saving and completing a step."""

from __future__ import annotations

import pytest
from starlette.datastructures import FormData

from app.engine.run import StepStatus
from app.storage.verify import verify_run
from app.web.forms import typed_text
from tests.features.steps.pages import filled, form_data, ids_in, pressed, text_of
from tests.features.steps.room import COMPLETE, Room


def test_half_finished_work_is_saved_and_shown_again(room: Room):
    anna = room.browser("anna")
    answer = anna.post(room.step, filled(room.form(), naam="Ons overzicht"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, room.step)
    page = anna.get(room.step)
    assert form_data(page.text, room.step)["antwoord.naam"] == ["Ons overzicht"]
    assert "Uw antwoorden zijn opgeslagen." in text_of(page.text)
    assert "Opgeslagen door Anna de Wit" in text_of(page.text)
    assert room.state().status is StepStatus.BUSY


def test_saving_without_changes_changes_nothing(room: Room):
    anna = room.browser("anna")
    anna.post(room.step, filled(room.form(), naam="Ons overzicht"))
    before = room.loaded()
    answer = anna.post(room.step, room.form(), follow_redirects=False)
    assert answer.status_code == 303
    assert room.loaded() == before


def test_only_changed_answers_get_a_new_version(room: Room):
    anna = room.browser("anna")
    anna.post(room.step, filled(room.form(), naam="Ons overzicht", beschrijving="Wat er ligt."))
    first = room.answer_rows()
    anna.post(room.step, filled(room.form(), naam="Ons nieuwe overzicht"))
    second = room.answer_rows()
    assert second["beschrijving"].commitment == first["beschrijving"].commitment
    assert second["naam"].commitment != first["naam"].commitment


def test_emptied_answer_is_empty(room: Room):
    anna = room.browser("anna")
    anna.post(room.step, filled(room.form(), naam="Ons overzicht", visie="ja", visie_bekend=["team", "raad"]))
    anna.post(room.step, filled(room.form(), naam="", visie="", visie_bekend=[]))
    assert room.answers() == {"naam": None, "visie": None, "visie-bekend": None}
    assert not room.state().is_filled("naam")


def test_step_with_everything_is_completed(room: Room):
    room.add_evidence()
    answer = room.browser("anna").post(
        room.step, pressed(filled(room.form(), **COMPLETE), "afronden"), follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, room.stage)
    assert room.state().status is StepStatus.COMPLETED
    assert "De stap is klaar." in text_of(room.browser("anna").get(room.stage).text)
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_completing_too_early_saves_and_says_what_is_missing_with_links_to_the_fields(room: Room):
    anna = room.browser("anna")
    answer = anna.post(room.step, pressed(filled(room.form(), naam="Ons overzicht"), "afronden"))
    assert answer.status_code == 409
    read = text_of(answer.text)
    assert "Opgeslagen, maar nog niet klaar" in read
    assert "Nog te beantwoorden: Is er al een visie?" in read
    assert "Er ontbreekt een bewijsstuk: Verslag (0 van 1)." in read
    for anchor in ("antwoord.visie", "antwoord.draagvlak", "bewijs"):
        assert f'href="#{anchor}"' in answer.text
        assert anchor in ids_in(answer.text)
    assert room.answers() == {"naam": "Ons overzicht"}
    assert room.state().status is StepStatus.BUSY


def test_not_applicable_needs_a_reason_before_the_step_can_be_completed(room: Room):
    room.add_evidence()
    data = filled(room.form(), **{**COMPLETE, "draagvlak": "not_applicable"})
    refused = room.browser("anna").post(room.step, pressed(data, "afronden"))
    assert refused.status_code == 409
    assert 'href="#antwoord.draagvlak.reden"' in refused.text
    data = filled(room.form(), draagvlak__reden="Er is geen team.")
    done = room.browser("anna").post(room.step, pressed(data, "afronden"), follow_redirects=False)
    assert done.status_code == 303
    assert room.answers()["draagvlak"] == {"grade": "not_applicable", "reason": "Er is geen team."}


def test_double_click_on_complete_completes_once(room: Room):
    room.add_evidence()
    data = pressed(filled(room.form(), **COMPLETE), "afronden")
    first = room.browser("anna").post(room.step, data, follow_redirects=False)
    revision = room.loaded().revision
    second = room.browser("anna").post(room.step, data, follow_redirects=False)
    assert (first.status_code, second.status_code) == (303, 303)
    assert room.loaded().revision == revision


def test_changing_a_completed_step_opens_it_again(room: Room):
    room.add_evidence()
    anna = room.browser("anna")
    anna.post(room.step, pressed(filled(room.form(), **COMPLETE), "afronden"))
    anna.post(room.step, filled(room.form(), naam="Anders"))
    assert room.state().status is StepStatus.BUSY


def test_htmx_gets_the_panel_and_says_that_it_was_saved(room: Room):
    answer = room.browser("anna").post(room.step, filled(room.form(), naam="Ons overzicht"), htmx=True)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section class="stack" id="step-panel"')
    assert 'data-announce="Opgeslagen"' in answer.text
    assert form_data(answer.text, room.step)["based_on"] == ["1"]


def test_htmx_goes_to_the_stage_once_the_step_is_done(room: Room):
    room.add_evidence()
    data = pressed(filled(room.form(), **COMPLETE), "afronden")
    answer = room.browser("anna").post(room.step, data, htmx=True, follow_redirects=False)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, room.stage)


# --- refusals ------------------------------------------------------------------------------------------------------


def test_answer_whose_name_holds_the_word_code_is_given_back_too():
    """Fields that look like secrets are not repeated on error pages; an answer is never one."""
    form = FormData([("antwoord.gedragscode", "Onze tekst"), ("wachtwoord", "geheim"), ("code", "123456")])
    assert typed_text(form) == {"antwoord.gedragscode": ("Onze tekst",)}


def test_auditor_and_administrator_cannot_save(room: Room):
    data = filled(room.form(), naam="Van buiten")
    for login in ("emma", "ferry"):
        assert room.browser(login).post(room.step, data).status_code == 403
    assert room.answers() == {}


def test_somebody_outside_the_team_is_told_why_and_keeps_the_text(room: Room):
    answer = room.browser("dirk").post(room.step, filled(room.form(), naam="Van buiten het team"))
    assert answer.status_code == 409
    assert "U zit niet in het team" in text_of(answer.text)
    assert "Van buiten het team" in answer.text
    assert room.answers() == {}


def test_saving_without_the_token_is_refused(room: Room):
    answer = room.browser("anna").post(room.step, filled(room.form(), naam="Zonder"), token="")
    assert answer.status_code in {401, 403}
    assert room.answers() == {}


def test_other_municipality_finds_nothing(room: Room):
    gwen = room.browser("gwen")
    data = filled(room.form(), naam="Van elders")
    for address in (room.stage, room.step, room.checklist):
        assert gwen.get(address).status_code == 404
    for address in (room.step, room.checklist):
        assert gwen.post(address, data).status_code == 404
    assert room.answers() == {}


@pytest.mark.parametrize(
    "path",
    [
        "fasen/verkennen.1/stappen/bestaat-niet",
        "fasen/bestaat-niet.1/stappen/overzicht",
        "fasen/verkennen/stappen/overzicht",
        "fasen/verkennen.7/stappen/overzicht",
        "fasen/beleid.sport.1/stappen/tekst",
        "fasen/beleid.1/stappen/tekst",
    ],
)
def test_part_that_does_not_exist_is_not_found(room: Room, path: str):
    anna = room.browser("anna")
    assert anna.get(f"/trajecten/{room.run}/{path}").status_code == 404
    assert anna.post(f"/trajecten/{room.run}/{path}", room.form()).status_code == 404


def test_run_that_does_not_exist_is_not_found(room: Room):
    for run in ("nee", "00000000-0000-0000-0000-000000000000"):
        assert room.browser("anna").get(f"/trajecten/{run}/fasen/verkennen.1/stappen/overzicht").status_code == 404


def test_stage_that_has_not_begun_takes_no_answers(room: Room):
    address = f"/trajecten/{room.run}/fasen/werkgroep.1/stappen/opdracht"
    page = room.browser("anna").get(address)
    assert page.status_code == 200
    assert f'action="{address}"' not in page.text
    answer = room.browser("anna").post(address, {"based_on": "0", "antwoord.opdracht": "Nu al"})
    assert answer.status_code == 409
    assert "is nog niet begonnen" in text_of(answer.text)


def test_approved_stage_takes_no_answers(room: Room):
    room.complete_everything()
    data = room.form()
    room.ask_approval()
    room.approve()
    answer = room.browser("anna").post(room.step, filled(data, naam="Te laat"))
    assert answer.status_code == 409
    assert room.answers()["naam"] == COMPLETE["naam"]
    assert f'action="{room.step}"' not in room.browser("anna").get(room.step).text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("antwoord.onbekend", "x"),
        ("antwoord.naam.reden", "x"),
        ("antwoord.naam.rij.0.x", "x"),
        ("antwoord.draagvlak.anders", "x"),
        ("antwoord.inbreng", "x"),
        ("antwoord.inbreng.rij.0.onbekend", "x"),
        ("antwoord.inbreng.rij.-1.inbreng", "x"),
        ("antwoord.inbreng.rij.99999.inbreng", "x"),
        ("antwoord.inbreng.rij.².inbreng", "x"),
        ("antwoord", "x"),
        ("", "x"),
        ("basis.onbekend", "x"),
        ("keuze.naam", "gooi-weg"),
        ("keuze.onbekend", "mijn.x"),
        ("status", "completed"),
        ("actie", "goedkeuren"),
        ("actie", "regel"),
        ("actie", "regel.onbekend"),
        ("actie", "opslaan.naam"),
        ("based_on", "-1"),
        ("based_on", "x"),
        ("based_on", "9" * 400),
    ],
)
def test_field_that_does_not_belong_here_is_refused(room: Room, name: str, value: str):
    answer = room.browser("anna").post(room.step, {**room.form(), name: value})
    assert answer.status_code == 422, answer.text
    assert room.answers() == {}


def test_answer_that_comes_twice_is_refused(room: Room):
    answer = room.browser("anna").post(room.step, filled(room.form(), naam=["een", "twee"]))
    assert answer.status_code == 422
    assert room.answers() == {}


def test_file_in_place_of_an_answer_is_refused(room: Room):
    anna = room.browser("anna")
    answer = anna.client.post(
        room.step,
        data={"based_on": "0", "csrf_token": anna.csrf_token},
        files={"antwoord.naam": ("naam.txt", b"tekst")},
    )
    assert answer.status_code == 422


def test_hostile_text_is_kept_as_text(room: Room):
    hostile = (
        "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> {{ 7*7 }} %(label)s </textarea> \u202e\u0000 é"
    )
    room.browser("anna").post(room.step, filled(room.form(), naam="<b>vet</b>", beschrijving=hostile))
    page = room.browser("anna").get(room.step)
    assert "<script>alert" not in page.text
    assert "<b>vet" not in page.text
    assert "<img src=x" not in page.text
    assert form_data(page.text, room.step)["antwoord.beschrijving"] == [hostile.replace("\u0000", "")]
    assert "<img src=x" not in room.browser("emma").get(room.step).text


def test_broken_utf8_is_no_server_error(room: Room):
    anna = room.browser("anna")
    body = f"based_on=0&csrf_token={anna.csrf_token}&antwoord.naam=%ED%A0%80%FF%00x"
    answer = anna.client.post(
        room.step, content=body, headers={"content-type": "application/x-www-form-urlencoded"}, follow_redirects=False
    )
    assert answer.status_code in {303, 422}
    assert anna.get(room.step).status_code == 200


# --- after a decision ----------------------------------------------------------------------------------------------


def test_finding_is_on_top_until_the_step_is_done_again(room: Room):
    room.complete_everything()
    room.ask_approval()
    room.send_back("overzicht", "Noem ook <b>de besluiten</b> van 2025.")
    read = text_of(room.browser("anna").get(room.step).text)
    assert "Noem ook <b>de besluiten</b> van 2025." in read
    assert "Teruggestuurd door Carla Smit" in read
    assert "Opnieuw bekijken" in read
    room.browser("anna").post(room.step, filled(room.form(), beschrijving="Met de besluiten."))
    assert "Noem ook" in text_of(room.browser("anna").get(room.step).text)
    room.browser("anna").post(room.step, pressed(room.form(), "afronden"))
    assert "Noem ook" not in text_of(room.browser("anna").get(room.step).text)


def test_after_asking_for_approval_people_are_told_that_changes_are_seen(room: Room):
    room.complete_everything()
    room.ask_approval()
    assert "Voor deze fase is akkoord gevraagd." in text_of(room.browser("anna").get(room.step).text)
