"""Word by word: what was taken out, what came in, and that long texts do not keep anybody waiting."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.web.word_diff import PAIRS_MAX, Part, differing_lines, word_diff

SAME, REMOVED, ADDED = Part.SAME, Part.REMOVED, Part.ADDED


def pieces(before: str, after: str) -> list[tuple[Part, str]]:
    return [(piece.part, piece.text) for piece in word_diff(before, after)]


def test_one_word_that_changed_is_told_as_that_word():
    assert pieces("Wie kent de visie?", "Wie kent ons doel?") == [
        (SAME, "Wie kent "),
        (REMOVED, "de visie"),
        (ADDED, "ons doel"),
        (SAME, "?"),
    ]


def test_word_that_came_in_leaves_its_neighbours_alone():
    assert pieces("Vraag inwoners mee.", "Vraag alle inwoners mee.") == [
        (SAME, "Vraag "),
        (ADDED, "alle "),
        (SAME, "inwoners mee."),
    ]


def test_sign_is_no_part_of_the_word_before_it():
    assert pieces("Weten wie meedoet", "Weten, wie meedoet.") == [
        (SAME, "Weten"),
        (REMOVED, " "),
        (ADDED, ", "),
        (SAME, "wie meedoet"),
        (ADDED, "."),
    ]


def test_words_with_a_hyphen_or_an_apostrophe_are_one_word():
    assert pieces("Stuur een e-mail naar collega's", "Stuur een e-bericht naar collega's") == [
        (SAME, "Stuur een "),
        (REMOVED, "e-mail "),
        (ADDED, "e-bericht "),
        (SAME, "naar collega's"),
    ]


def test_sign_between_two_changes_goes_with_them():
    assert pieces("Wij kiezen nu rood, geel voor iedereen hier", "Wij kiezen nu groen, blauw voor iedereen hier") == [
        (SAME, "Wij kiezen nu "),
        (REMOVED, "rood, geel "),
        (ADDED, "groen, blauw "),
        (SAME, "voor iedereen hier"),
    ]


def test_texts_with_hardly_a_word_in_common_are_told_as_a_whole():
    assert pieces("Wat is de vraag van dit team?", "Hoe lang duurt de reis met een trein?") == [
        (REMOVED, "Wat is de vraag van dit team?"),
        (ADDED, "Hoe lang duurt de reis met een trein?"),
    ]


def test_text_that_only_grew_is_no_other_text():
    assert pieces("Kort.", "Kort. En dan komen er nog heel veel woorden achteraan.")[0] == (SAME, "Kort.")


def test_words_that_stay_keep_the_space_or_sign_that_each_side_has():
    assert pieces("Wat staat erin?", "Wat staat erin en niet?") == [
        (SAME, "Wat staat erin"),
        (ADDED, " en niet"),
        (SAME, "?"),
    ]
    assert pieces("Wat staat erin en niet?", "Wat staat erin?") == [
        (SAME, "Wat staat erin"),
        (REMOVED, " en niet"),
        (SAME, "?"),
    ]


def test_lines_that_are_in_both_are_left_out_and_counted():
    assert differing_lines("Ja\nNee", "Ja\nDeels\nNee") == ("", "Deels", 2)
    assert differing_lines("Ja\nJa", "Ja") == ("Ja", "", 1)
    assert differing_lines("Ja\nNee", "Nee\nJa") == ("Ja\nNee", "Nee\nJa", 0)


def test_other_spaces_are_no_difference():
    assert pieces("Twee  woorden", "Twee woorden") == [(SAME, "Twee woorden")]


def test_text_that_was_not_there_is_all_new_and_nothing_is_nothing():
    assert pieces("", "Nieuw") == [(ADDED, "Nieuw")]
    assert pieces("Oud", "") == [(REMOVED, "Oud")]
    assert pieces("", "") == []


def test_line_that_came_in_is_told_as_a_line():
    assert pieces("Eerste punt\nTweede punt", "Eerste punt\nNog een punt\nTweede punt") == [
        (SAME, "Eerste punt\n"),
        (ADDED, "Nog een punt\n"),
        (SAME, "Tweede punt"),
    ]


def test_long_text_is_still_compared_word_by_word_within_its_lines():
    lines = [f"regel {n} van een lange lijst over de dingen die de raad van de stad wil" for n in range(200)]
    changed = [*lines[:100], lines[100].replace("stad", "gemeente"), *lines[101:]]
    assert sum(1 for _ in lines) ** 2 > PAIRS_MAX
    found = pieces("\n".join(lines), "\n".join(changed))
    assert [piece for piece in found if piece[0] is not SAME] == [(REMOVED, "stad "), (ADDED, "gemeente ")]


def test_work_on_a_hostile_text_is_bounded():
    before, after = "a b " * 50_000, "b a " * 50_000
    assert pieces(before, after) == [(REMOVED, before), (ADDED, after)]
    many_lines = "\n".join("ab" * 20_000), "\n".join("ba" * 20_000)
    assert [part for part, _ in pieces(*many_lines)] == [REMOVED, ADDED]


texts = st.text(alphabet="ab .,-'\n\u00e9", max_size=60)


@settings(deadline=None)
@given(texts, texts)
def test_both_texts_can_be_read_back_from_the_pieces(before: str, after: str):
    found = word_diff(before, after)
    assert "".join(piece.text for piece in found if piece.part is not REMOVED) == after
    old = "".join(piece.text for piece in found if piece.part is not ADDED)
    assert "".join(old.split()) == "".join(before.split())
    assert all(a.part is not b.part for a, b in pairwise(found))
