"""Two people at one step: nothing is lost, and only the same answer twice asks for a choice."""

from __future__ import annotations

from app.storage.verify import verify_run
from tests.features.steps.pages import Data, filled, form_data, pressed, text_of
from tests.features.steps.room import COMPLETE, Room


def both_opened(room: Room) -> tuple[Data, Data]:
    room.browser("anna").post(room.step, filled(room.form(), naam="Eerste", beschrijving="Begin"))
    return room.form("anna"), room.form("bram")


def test_different_answers_are_put_together_without_asking(room: Room):
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, naam="Van Anna"))
    bram = room.browser("bram")
    answer = bram.post(room.step, filled(brams, beschrijving="Van Bram"), follow_redirects=False)
    assert answer.status_code == 303
    assert room.answers() == {"naam": "Van Anna", "beschrijving": "Van Bram"}
    assert "Een collega heeft intussen andere antwoorden opgeslagen" in text_of(bram.get(room.step).text)


def test_htmx_tells_about_the_colleague_in_the_panel(room: Room):
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, naam="Van Anna"))
    answer = room.browser("bram").post(room.step, filled(brams, beschrijving="Van Bram"), htmx=True)
    assert "Een collega heeft intussen andere antwoorden opgeslagen" in text_of(answer.text)
    assert form_data(answer.text, room.step)["antwoord.naam"] == ["Van Anna"]


def test_same_answer_twice_shows_both_texts_and_writes_nothing(room: Room):
    annas, brams = both_opened(room)
    room.world.clock.advance(minutes=5)
    room.browser("anna").post(room.step, filled(annas, naam="Van <b>Anna</b>"))
    answer = room.browser("bram").post(room.step, filled(brams, naam="Van <i>Bram</i>", beschrijving="Ook van Bram"))
    assert answer.status_code == 409
    read = text_of(answer.text)
    assert "Uw tekst Van <i>Bram</i>" in read
    assert "Tekst van Anna de Wit 23 november 2026 om 10:05 Van <b>Anna</b>" in read
    assert "<i>Bram" not in answer.text
    assert room.answers() == {"naam": "Van <b>Anna</b>", "beschrijving": "Begin"}


def choose(room: Room, html: str, *, login: str = "bram", keep: str | None) -> int:
    data = form_data(html, room.step)
    if keep:
        commitment = room.answer_rows()["naam"].commitment
        data["keuze.naam"] = [f"{keep}.{commitment}"]
    answer = room.browser(login).post(room.step, {**data, "actie": "opslaan"}, follow_redirects=False)
    code: int = answer.status_code
    return code


def in_conflict(room: Room) -> str:
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, naam="Van Anna"))
    answer = room.browser("bram").post(room.step, filled(brams, naam="Van Bram", beschrijving="Ook van Bram"))
    assert answer.status_code == 409
    html: str = answer.text
    return html


def test_choosing_my_text_keeps_it_and_the_rest(room: Room):
    assert choose(room, in_conflict(room), keep="mijn") == 303
    assert room.answers() == {"naam": "Van Bram", "beschrijving": "Ook van Bram"}
    with room.world.reading() as session:
        assert verify_run(session, room.run).findings == ()


def test_choosing_the_other_text_keeps_it_and_my_other_answers(room: Room):
    assert choose(room, in_conflict(room), keep="ander") == 303
    assert room.answers() == {"naam": "Van Anna", "beschrijving": "Ook van Bram"}


def test_without_a_choice_both_texts_stay_on_the_page(room: Room):
    html = in_conflict(room)
    answer = room.browser("bram").post(room.step, {**form_data(html, room.step), "actie": "opslaan"})
    assert answer.status_code == 422
    assert "Kies welke tekst blijft staan: ‘Hoe heet het overzicht?’." in text_of(answer.text)
    assert form_data(answer.text, room.step) == form_data(html, room.step)
    assert "Van Anna" in answer.text
    assert "Van Bram" in answer.text


def test_third_save_meanwhile_asks_again_about_the_newest_text(room: Room):
    html = in_conflict(room)
    seen = room.answer_rows()["naam"].commitment
    room.browser("anna").post(room.step, filled(room.form("anna"), naam="Nog eens van Anna"))
    data = {**form_data(html, room.step), "keuze.naam": [f"mijn.{seen}"], "actie": ["opslaan"]}
    answer = room.browser("bram").post(room.step, data)
    assert answer.status_code == 422
    assert "Nog eens van Anna" in answer.text
    assert "Van Bram" in answer.text
    assert room.answers()["naam"] == "Nog eens van Anna"


def test_both_long_texts_can_be_kept(room: Room):
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, beschrijving="Van Anna"))
    answer = room.browser("bram").post(room.step, filled(brams, beschrijving="Van Bram"))
    data = form_data(answer.text, room.step)
    data["keuze.beschrijving"] = [f"beide.{room.answer_rows()['beschrijving'].commitment}"]
    room.browser("bram").post(room.step, {**data, "actie": "opslaan"})
    assert room.answers()["beschrijving"] == "Van Anna\n\nVan Bram"


def test_texts_can_be_written_together_in_a_field(room: Room):
    html = in_conflict(room)
    data = {**form_data(html, room.step), "actie": ["opslaan"]}
    assert data["samen.naam"] == ["Van Anna Van Bram"]
    data["keuze.naam"] = [f"beide.{room.answer_rows()['naam'].commitment}"]
    too_long = room.browser("bram").post(room.step, {**data, "samen.naam": ["x" * 301]})
    assert too_long.status_code == 422
    assert "x" * 301 in too_long.text
    assert "hoogstens 300 tekens" in text_of(too_long.text)
    assert room.answers()["naam"] == "Van Anna"
    room.browser("bram").post(room.step, {**data, "samen.naam": ["Van ons beiden"]})
    assert room.answers()["naam"] == "Van ons beiden"


def test_choice_is_made_with_one_form_that_also_completes(room: Room):
    room.add_evidence()
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, naam="Van Anna"))
    answer = room.browser("bram").post(room.step, pressed(filled(brams, **COMPLETE), "afronden"))
    assert answer.status_code == 409
    assert 'name="actie" value="afronden"' in answer.text
    data = form_data(answer.text, room.step)
    data["keuze.naam"] = [f"ander.{room.answer_rows()['naam'].commitment}"]
    done = room.browser("bram").post(room.step, pressed(data, "afronden"), follow_redirects=False)
    assert done.headers["location"] == room.stage
    assert room.answers()["naam"] == "Van Anna"


def test_same_text_from_two_people_is_no_conflict(room: Room):
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, naam="Zelfde"))
    answer = room.browser("bram").post(room.step, filled(brams, naam="Zelfde"), follow_redirects=False)
    assert answer.status_code == 303


def test_table_and_choices_of_two_people_are_shown_side_by_side(room: Room):
    annas, brams = both_opened(room)
    annas = filled(annas, inbreng__rij__0__inbreng="Meer banken", visie="ja", visie_bekend=["team"])
    room.browser("anna").post(room.step, annas)
    brams = filled(brams, inbreng__rij__0__inbreng="Beter licht", visie="ja", visie_bekend=["raad"])
    answer = room.browser("bram").post(room.step, brams)
    assert answer.status_code == 409
    read = text_of(answer.text)
    assert "Meer banken" in read
    assert "Beter licht" in read
    rows = room.answer_rows()
    data = form_data(answer.text, room.step)
    for question in ("inbreng", "visie-bekend"):
        data[f"keuze.{question}"] = [f"beide.{rows[question].commitment}"]
    room.browser("bram").post(room.step, {**data, "actie": "opslaan"})
    answers = room.answers()
    assert [row["inbreng"] for row in answers["inbreng"]] == ["Meer banken", "Beter licht"]
    assert answers["visie-bekend"] == ["team", "raad"]


def test_conflict_by_htmx_replaces_the_panel(room: Room):
    annas, brams = both_opened(room)
    room.browser("anna").post(room.step, filled(annas, naam="Van Anna"))
    answer = room.browser("bram").post(room.step, filled(brams, naam="Van Bram"), htmx=True)
    assert answer.status_code == 409
    assert answer.text.lstrip().startswith('<section class="stack" id="step-panel"')


def test_colleague_who_saved_a_moment_ago_is_named(room: Room):
    both_opened(room)
    assert "Anna de Wit werkt hier waarschijnlijk ook aan." in text_of(room.browser("bram").get(room.step).text)
    assert "werkt hier waarschijnlijk ook aan" not in text_of(room.browser("anna").get(room.step).text)
    room.world.clock.advance(minutes=20)
    assert "werkt hier waarschijnlijk ook aan" not in text_of(room.browser("bram").get(room.step).text)


def test_form_without_a_basis_never_overwrites(room: Room):
    """A page of somebody who took fields away, or an older page of ours."""
    both_opened(room)
    answer = room.browser("bram").post(room.step, {"based_on": "0", "antwoord.naam": "Zomaar"})
    assert answer.status_code == 409
    assert room.answers()["naam"] == "Eerste"
