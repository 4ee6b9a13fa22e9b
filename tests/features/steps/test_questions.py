"""Every type of question: what can be typed, what is refused, tables, and questions that depend on others."""

from __future__ import annotations

import re

import pytest

from app.engine.answers import LONG_TEXT_MAX, SHORT_TEXT_MAX, TABLE_ROWS_MAX
from tests.features.steps.pages import filled, form_data, ids_in, pressed, text_of
from tests.features.steps.room import Room


@pytest.mark.parametrize(
    ("question", "typed", "stored", "shown"),
    [
        ("naam", "x" * SHORT_TEXT_MAX, "x" * SHORT_TEXT_MAX, "x" * SHORT_TEXT_MAX),
        ("beschrijving", "a\r\n\r\n\tb", "a\n\n\tb", "a\n\n\tb"),
        ("beschrijving", "x" * LONG_TEXT_MAX, "x" * LONG_TEXT_MAX, "x" * LONG_TEXT_MAX),
        ("aantal", "12,50", "12.5", "12,5"),
        ("aantal", "1.000", "1000", "1000"),
        ("aantal", "0", "0", "0"),
        ("datum", "1-3-2026", "2026-03-01", "2026-03-01"),
        ("datum", "2026-03-01", "2026-03-01", "2026-03-01"),
        ("visie", "ja", "ja", "ja"),
    ],
)
def test_what_people_type_is_stored_once_and_shown_as_typed(
    room: Room, question: str, typed: str, stored: str, shown: str
):
    answer = room.browser("anna").post(room.step, filled(room.form(), **{question: typed}), follow_redirects=False)
    assert answer.status_code == 303
    assert room.answers() == {question: stored}
    assert room.form()[f"antwoord.{question}"] == [shown]


def test_several_choices_are_stored_in_the_order_of_the_plan(room: Room):
    room.browser("anna").post(room.step, filled(room.form(), visie="ja", visie_bekend=["raad", "team", "raad"]))
    assert room.answers()["visie-bekend"] == ["team", "raad"]


@pytest.mark.parametrize("grade", ["yes", "partly", "no", "not_applicable", "unknown"])
def test_each_grade_can_be_given_with_a_reason(room: Room, grade: str):
    data = filled(room.form(), draagvlak=grade, draagvlak__reden="Omdat <b>dit</b> zo is.")
    room.browser("anna").post(room.step, data)
    assert room.answers()["draagvlak"] == {"grade": grade, "reason": "Omdat <b>dit</b> zo is."}
    again = room.form()
    assert again["antwoord.draagvlak"] == [grade]
    assert again["antwoord.draagvlak.reden"] == ["Omdat <b>dit</b> zo is."]


@pytest.mark.parametrize(
    ("question", "typed", "field", "sentence"),
    [
        ("naam", "x" * (SHORT_TEXT_MAX + 1), "naam", "Maak ‘Hoe heet het overzicht?’ korter: 301 tekens is te veel"),
        ("beschrijving", "x" * (LONG_TEXT_MAX + 1), "beschrijving", "20.001 tekens is te veel, er passen er 20.000"),
        ("aantal", "veel", "aantal", "‘Hoeveel besluiten?’"),
        ("aantal", "1e9999999", "aantal", "‘Hoeveel besluiten?’"),
        ("aantal", "-1", "aantal", "moet 0 of hoger zijn"),
        ("aantal", "1000,01", "aantal", "moet 1.000 of lager zijn"),
        ("datum", "31-2-2026", "datum", "‘Wanneer was de laatste?’"),
        ("datum", "morgen", "datum", "‘Wanneer was de laatste?’"),
        ("visie", "misschien", "visie", "‘Is er al een visie?’"),
        ("visie_bekend", "iedereen", "visie-bekend", "‘Wie kennen die visie?’"),
        ("draagvlak", "top", "draagvlak", "‘Is er genoeg steun?’"),
        ("draagvlak__reden", "x" * (LONG_TEXT_MAX + 1), "draagvlak.reden", "‘Is er genoeg steun?’"),
        (
            "inbreng__rij__1__op",
            "gisteren",
            "inbreng.rij.1.op",
            "‘Wat is er met inbreng gedaan?, regel 2, Datum’",
        ),
    ],
)
def test_answer_that_cannot_be_stored_is_named_at_its_field_and_everything_typed_stays(
    room: Room, question: str, typed: str, field: str, sentence: str
):
    data = filled(filled(room.form(), naam="Blijft staan"), **{question: typed})
    answer = room.browser("anna").post(room.step, data)
    assert answer.status_code == 422
    assert sentence in text_of(answer.text)
    assert f'href="#antwoord.{field}"' in answer.text
    assert f"antwoord.{field}" in ids_in(answer.text)
    assert f'id="antwoord.{field}-error"' in answer.text
    again = form_data(answer.text, room.step)
    kept = [value.replace("\r\n", "\n") for value in again.get(f"antwoord.{field}", [])]
    if question not in {"visie", "visie_bekend", "draagvlak"}:  # no radio can show an answer that does not exist
        assert kept == [typed]
    if question != "naam":
        assert again["antwoord.naam"] == ["Blijft staan"]
    assert room.answers() == {}
    assert "<title>Fout:" in answer.text


def test_all_problems_are_named_at_once(room: Room):
    answer = room.browser("anna").post(room.step, filled(room.form(), aantal="veel", datum="ooit"))
    assert "Er kloppen nog 2 dingen niet" in text_of(answer.text) or answer.text.count('href="#antwoord.') >= 2


# --- tables --------------------------------------------------------------------------------------------------------


def rows_of(html: str, question: str = "inbreng") -> int:
    return len(set(re.findall(rf'name="antwoord\.{question}\.rij\.(\d+)\.', html)))


def test_table_starts_with_a_few_empty_rows_and_always_keeps_one_free(room: Room):
    anna = room.browser("anna")
    assert rows_of(anna.get(room.step).text) == 3
    answers = {f"inbreng__rij__{n}__inbreng": f"Inbreng {n}" for n in range(3)}
    anna.post(room.step, filled(room.form(), **answers))
    assert rows_of(anna.get(room.step).text) == 4
    assert [row["inbreng"] for row in room.answers()["inbreng"]] == ["Inbreng 0", "Inbreng 1", "Inbreng 2"]


@pytest.mark.parametrize("htmx", [False, True])
def test_more_rows_keep_everything_that_was_typed_and_save_nothing(room: Room, htmx: bool):
    data = filled(room.form(), naam="Getypt", aantal="geen getal", inbreng__rij__0__inbreng="Eerste", visie="ja")
    answer = room.browser("anna").post(room.step, pressed(data, "regel.inbreng"), htmx=htmx)
    assert answer.status_code == 200
    assert rows_of(answer.text) == 6
    again = form_data(answer.text, room.step)
    assert again["antwoord.naam"] == ["Getypt"]
    assert again["antwoord.aantal"] == ["geen getal"]
    assert again["antwoord.inbreng.rij.0.inbreng"] == ["Eerste"]
    assert again["antwoord.visie"] == ["ja"]
    assert again["based_on"] == data["based_on"]
    assert re.search(r'id="antwoord\.inbreng\.rij\.3\.inbreng"[^>]* data-focus', answer.text)
    assert room.answers() == {}


def test_rows_that_are_emptied_go(room: Room):
    anna = room.browser("anna")
    answers = {f"inbreng__rij__{n}__inbreng": f"Inbreng {n}" for n in range(3)}
    anna.post(room.step, filled(room.form(), **answers))
    anna.post(room.step, filled(room.form(), inbreng__rij__1__inbreng=""))
    assert [row["inbreng"] for row in room.answers()["inbreng"]] == ["Inbreng 0", "Inbreng 2"]


def test_table_with_the_most_rows_fits_and_one_more_is_refused(room: Room):
    def rows(n: int) -> dict[str, str]:
        return {f"inbreng__rij__{number}__inbreng": f"Regel {number}" for number in range(n)}

    anna = room.browser("anna")
    answer = anna.post(room.step, filled(room.form(), **rows(TABLE_ROWS_MAX + 1)))
    assert answer.status_code == 422
    assert "heeft 201 regels; er passen er 200." in text_of(answer.text)
    assert form_data(answer.text, room.step)["antwoord.inbreng.rij.200.inbreng"] == ["Regel 200"]
    assert "antwoord.inbreng" in ids_in(answer.text)
    assert anna.post(room.step, filled(room.form(), **rows(TABLE_ROWS_MAX)), follow_redirects=False).status_code == 303
    assert len(room.answers()["inbreng"]) == TABLE_ROWS_MAX
    assert rows_of(anna.get(room.step).text) == TABLE_ROWS_MAX


def test_row_numbers_with_gaps_are_rows_in_order(room: Room):
    data = {"based_on": "0", "antwoord.inbreng.rij.7.inbreng": "later", "antwoord.inbreng.rij.2.inbreng": "eerder"}
    room.browser("anna").post(room.step, data)
    assert [row["inbreng"] for row in room.answers()["inbreng"]] == ["eerder", "later"]


# --- questions that depend on others ---------------------------------------------------------------------------------


def question(html: str, id: str) -> str:
    found = re.search(
        rf'<div class="question[^"]*" id="vraag-{id}".*?(?=<div class="question|<div class="form-end)', html, re.DOTALL
    )
    assert found, f"no question {id}"
    return found[0]


def test_without_scripts_a_dependent_question_says_when_to_fill_it_in(room: Room):
    html = question(room.browser("anna").get(room.step).text, "visie-bekend")
    assert "Alleen invullen als u bij ‘Is er al een visie?’ antwoordt: Ja." in text_of(html)
    assert "question--undecided" in html


def test_dependent_question_appears_or_goes_after_saving_and_keeps_its_answer(room: Room):
    anna = room.browser("anna")
    anna.post(room.step, filled(room.form(), visie="ja", visie_bekend=["raad"]))
    html = question(anna.get(room.step).text, "visie-bekend")
    assert "Alleen invullen" not in html
    assert "question--undecided" not in html
    anna.post(room.step, filled(room.form(), visie="nee"))
    html = question(anna.get(room.step).text, "visie-bekend")
    assert " hidden" in html.split(">", 1)[0]
    assert room.answers()["visie-bekend"] == ["raad"]
    anna.post(room.step, filled(room.form(), visie="ja"))
    assert room.form()["antwoord.visie-bekend"] == ["raad"]


@pytest.mark.parametrize("htmx", [False, True])
def test_changing_the_answer_above_shows_the_question_without_saving(room: Room, htmx: bool):
    data = filled(room.form(), visie="nee", naam="Getypt")
    hidden = room.browser("anna").post(room.step, pressed(data, "verversen"), htmx=htmx)
    assert " hidden" in question(hidden.text, "visie-bekend").split(">", 1)[0]
    shown = room.browser("anna").post(room.step, pressed(filled(data, visie="ja"), "verversen"), htmx=htmx)
    html = question(shown.text, "visie-bekend")
    assert " hidden" not in html.split(">", 1)[0]
    assert "question--undecided" not in html
    assert form_data(shown.text, room.step)["antwoord.naam"] == ["Getypt"]
    assert room.answers() == {}


def test_what_was_typed_in_a_question_that_goes_away_is_not_lost(room: Room):
    anna = room.browser("anna")
    data = filled(room.form(), visie="ja", visie_bekend=["team"])
    hidden = anna.post(room.step, pressed(filled(data, visie="nee"), "verversen"))
    again = form_data(hidden.text, room.step)
    assert again["antwoord.visie-bekend"] == ["team"]
    anna.post(room.step, again)
    assert room.answers() == {"visie": "nee", "visie-bekend": ["team"]}


def test_problem_in_a_question_that_went_away_is_shown_and_can_be_mended(room: Room):
    """Otherwise nobody could save any more without guessing what is wrong."""
    data = filled(room.form(), visie="nee", visie_bekend=["onbekend"])
    answer = room.browser("anna").post(room.step, data)
    assert answer.status_code == 422
    tag = question(answer.text, "visie-bekend").split(">", 1)[0]
    assert " hidden" not in tag
    assert "question--undecided" not in tag


def test_governing_question_refreshes_only_what_depends_on_it(room: Room):
    html = question(room.browser("anna").get(room.step).text, "visie")
    tag = html.split(">", 1)[0]
    assert 'hx-select-oob="#vraag-visie-bekend"' in tag
    assert f'hx-post="{room.step}"' in tag
    assert 'hx-swap="none"' in tag


def test_answer_that_was_chosen_can_be_taken_back(room: Room):
    anna = room.browser("anna")
    assert "Nog geen antwoord" not in anna.get(room.step).text
    anna.post(room.step, filled(room.form(), visie="ja"))
    assert "Nog geen antwoord" in anna.get(room.step).text
    anna.post(room.step, filled(room.form(), visie=""))
    assert room.answers() == {"visie": None}


# --- what stands around a question ------------------------------------------------------------------------------------


def test_each_question_tells_where_it_comes_from(room: Room):
    html = room.browser("anna").get(room.step).text
    assert "Bron: Movisie, Voorbeeldbron" in text_of(question(html, "visie"))
    assert "aanvulling" in text_of(question(html, "naam"))


def test_bounds_and_unit_of_a_number_are_said(room: Room):
    read = text_of(question(room.browser("anna").get(room.step).text, "aantal"))
    assert "Van 0 tot en met 1.000." in read
    assert "besluiten" in read


def test_missing_answer_is_said_at_the_field_once_work_began(room: Room):
    anna = room.browser("anna")
    assert "Nog nodig" not in text_of(question(anna.get(room.step).text, "visie"))
    anna.post(room.step, filled(room.form(), naam="Begonnen"))
    html = anna.get(room.step).text
    assert "Nog nodig" in text_of(question(html, "visie"))
    assert "Nog nodig" not in text_of(question(html, "naam"))
    assert "Nog nodig" not in text_of(question(html, "beschrijving"))


def test_enter_in_a_field_saves(room: Room):
    """The first submit button of a form is the one that Enter presses."""
    html = room.browser("anna").get(room.step).text
    form = html[html.index(f'action="{room.step}"') :]
    first = re.search(r"<button[^>]*>", form)
    assert first
    assert 'value="opslaan"' in first[0]


def test_english_page_marks_dutch_texts(room: Room):
    anna = room.browser("anna")
    anna.client.cookies.set("taal", "en")
    page = anna.get(room.step)
    assert "Finish this step" in page.text
    assert '<span lang="nl">Is er al een visie?</span>' in page.text
