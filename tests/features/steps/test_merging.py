"""What is put together when two people saved the same step: pure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.engine.answers import LONG_TEXT_MAX, Value
from app.engine.definition import QuestionType
from app.features.steps.forms import Keep, StepForm
from app.features.steps.merging import joined, merge
from app.storage.answer_store import Answer
from tests.builders import a_question, a_step

STEP = a_step("stap", a_question("een"), a_question("twee"), a_question("drie", QuestionType.LONG_TEXT))


def an_answer(question: str, value: Value, commitment: str) -> Answer:
    return Answer("fase.1", "stap", question, value, commitment, "bram", datetime(2026, 11, 24, tzinfo=UTC))


def a_form(
    basis: dict[str, str] | None = None, chosen: dict[str, tuple[Keep, str]] | None = None, based_on: int = 1
) -> StepForm:
    return StepForm(based_on, basis=basis or {}, chosen=chosen or {})


def test_answer_that_nobody_else_changed_is_written():
    current = {"een": an_answer("een", "oud", "c1")}
    merged = merge(STEP, a_form({"een": "c1"}), {"een": "nieuw"}, current, {})
    assert (merged.changes, merged.kept, merged.conflicts) == ({"een": "nieuw"}, (), ())


def test_answer_that_only_somebody_else_changed_stays():
    theirs = an_answer("een", "van bram", "c2")
    merged = merge(STEP, a_form({"een": "c1"}), {"een": "oud"}, {"een": theirs}, {"c1": an_answer("een", "oud", "c1")})
    assert (merged.changes, merged.kept, merged.conflicts) == ({}, (theirs,), ())


def test_answer_that_was_empty_and_that_only_somebody_else_filled_stays():
    theirs = an_answer("een", "van bram", "c2")
    merged = merge(STEP, a_form({"een": ""}), {"een": None}, {"een": theirs}, {})
    assert (merged.changes, merged.kept) == ({}, (theirs,))


def test_answer_that_both_changed_is_a_conflict():
    theirs = an_answer("een", "van bram", "c2")
    merged = merge(
        STEP, a_form({"een": "c1"}), {"een": "van anna"}, {"een": theirs}, {"c1": an_answer("een", "oud", "c1")}
    )
    assert merged.changes == {}
    assert [(c.question.id, c.mine, c.theirs) for c in merged.conflicts] == [("een", "van anna", theirs)]


def test_emptying_what_somebody_else_changed_is_a_conflict():
    theirs = an_answer("een", "van bram", "c2")
    merged = merge(STEP, a_form({"een": "c1"}), {"een": None}, {"een": theirs}, {"c1": an_answer("een", "oud", "c1")})
    assert [c.question.id for c in merged.conflicts] == ["een"]


def test_unknown_base_counts_as_changed_by_me():
    theirs = an_answer("een", "van bram", "c2")
    assert merge(STEP, a_form({"een": "gewist"}), {"een": "x"}, {"een": theirs}, {}).conflicts
    assert merge(STEP, a_form(), {"een": "x"}, {"een": theirs}, {}).conflicts


def test_questions_that_were_not_on_the_form_stay_out_of_it():
    merged = merge(STEP, a_form(), {}, {"een": an_answer("een", "oud", "c1")}, {})
    assert (merged.changes, merged.kept, merged.conflicts) == ({}, (), ())


@pytest.mark.parametrize(
    ("keep", "expected"), [(Keep.MINE, "van anna"), (Keep.THEIRS, None), (Keep.BOTH, "van bram\n\nvan anna")]
)
def test_choice_settles_a_conflict(keep: Keep, expected: str | None):
    theirs = an_answer("drie", "van bram", "c2")
    merged = merge(STEP, a_form({"drie": "c1"}, {"drie": (keep, "c2")}), {"drie": "van anna"}, {"drie": theirs}, {})
    assert merged.conflicts == ()
    assert merged.changes == ({"drie": expected} if expected else {})
    assert merged.kept == (() if expected else (theirs,))


def test_choice_about_an_older_text_settles_nothing():
    theirs = an_answer("drie", "nog nieuwer", "c3")
    form = a_form({"drie": "c1"}, {"drie": (Keep.MINE, "c2")})
    assert merge(STEP, form, {"drie": "van anna"}, {"drie": theirs}, {}).conflicts


def test_texts_that_do_not_fit_together_cannot_both_be_kept():
    question = STEP.question("drie")
    half = "x" * (LONG_TEXT_MAX // 2)
    assert joined(question, half, half) is None
    assert joined(question, half[:-2], half) == f"{half}\n\n{half[:-2]}"


def test_joined_table_keeps_each_row_once():
    question = a_question("tabel", QuestionType.TABLE)
    row, other, mine = {"a": "1"}, {"a": "2"}, {"a": "3"}
    assert joined(question, [row, mine], [row, other]) == [row, other, mine]


def test_nothing_to_join_with_an_empty_answer():
    assert joined(STEP.question("drie"), None, "tekst") is None
    assert joined(STEP.question("een"), "a", "b") is None
