"""A name is found however it was typed, and exactly that is cut out."""

from typing import Any

import pytest

from app.engine.definition import Column, Question, QuestionType, Text
from app.storage.erasure.items import (
    MARK,
    Item,
    Key,
    Kind,
    Passage,
    PassageGone,
    erased,
    from_json,
    is_erased,
    texts_in_answer,
)
from app.storage.erasure.matching import Terms, TermTooShort

KEY = Key(Kind.ANSWER, "r", "c")


def cut(text: str, *terms: str) -> str:
    passages = tuple(Passage((), *place) for place in Terms(terms).places(text))
    found: str = erased(text, {(): text}, Item(KEY, passages))
    return found


@pytest.mark.parametrize(
    ("text", "terms", "left"),
    [
        ("Dit zei Jan de Vries.", ["jan de vries"], "Dit zei [gewist]."),
        ("JAN  DE\nVRIES en jan de vries", ["Jan de Vries"], "[gewist] en [gewist]"),
        ("Renée belde; Rene\u0301e ook", ["renee"], "[gewist] belde; [gewist] ook"),
        ("De straße en STRASSE", ["strasse"], "De [gewist] en [gewist]"),
        ("Jan de Vries, De Vries", ["de vries", "Jan de Vries"], "[gewist], [gewist]"),
        ("Bel 06-1234 (5678)", ["06-1234 (5678)"], "Bel [gewist]"),
        ("ﬁnn en İlker", ["finn", "ilker"], "[gewist] en [gewist]"),
        ("https://x.nl/jan-de_vries%20", ["Jan de Vries"], "https://x.nl/[gewist]%20"),
        ("Niemand", ["Jan"], "Niemand"),
    ],
)
def test_names_are_cut_out_of_texts(text: str, terms: list[str], left: str):
    assert cut(text, *terms) == left


@pytest.mark.parametrize("term", ["a", "-", "é", ". ,"])
def test_a_term_that_stands_everywhere_is_refused(term: str):
    with pytest.raises(TermTooShort):
        Terms([term])
    assert not Terms(["", "  "])


def a_question(type: QuestionType, *columns: Column) -> Question:
    return Question(id="q", text=Text("Vraag"), type=type, columns=columns, is_addition=True)


def test_only_what_people_typed_themselves_is_text():
    table = a_question(
        QuestionType.TABLE,
        Column("wie", Text("Wie"), QuestionType.SHORT_TEXT),
        Column("wanneer", Text("Wanneer"), QuestionType.DATE),
    )
    rows = [{"wie": "Jan", "wanneer": "2027-03-01"}]
    assert texts_in_answer("12", a_question(QuestionType.NUMBER)) == {}
    assert texts_in_answer("ja", a_question(QuestionType.SINGLE_CHOICE)) == {}
    assert texts_in_answer(["ja"], None) == {}
    assert texts_in_answer({"grade": "yes", "reason": "Jan"}, None) == {("reason",): "Jan"}
    assert texts_in_answer(rows, table) == {(0, "wie"): "Jan"}
    assert texts_in_answer(rows, None) == {(0, "wie"): "Jan", (0, "wanneer"): "2027-03-01"}


def test_all_of_a_value_goes_and_its_form_stays():
    value = {"grade": "yes", "reason": "Zie Jan"}
    gone = erased(value, {("reason",): "Zie Jan"}, Item(KEY))
    assert gone == {"grade": "yes", "reason": MARK}
    assert is_erased(gone)
    assert not is_erased(value)


@pytest.mark.parametrize("place", [(-1, 2), (0, 0), (3, 9), (5, 4)])
def test_a_passage_that_is_not_there_is_refused(place: tuple[int, int]):
    with pytest.raises(PassageGone):
        erased("Jan", {(): "Jan"}, Item(KEY, (Passage((), *place),)))
    with pytest.raises(PassageGone):
        erased("Jan", {(): "Jan"}, Item(KEY, (Passage(("reden",), 0, 1),)))


def test_items_are_read_as_they_were_written():
    item = Item(KEY, (Passage((0, "wie"), 1, 4), Passage((), 0, 2)))
    assert from_json(item.to_json()) == item
    assert from_json(Item(KEY).to_json()) == Item(KEY)
    wrong: list[Any] = [{}, [], {**item.to_json(), "kind": "x"}, {**item.to_json(), "passages": 1}]
    for nonsense in wrong:
        with pytest.raises(ValueError, match=r".+"):
            from_json(nonsense)
