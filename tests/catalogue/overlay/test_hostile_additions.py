"""Files that are made to hurt are refused as additions in the same words as when they pose as a plan."""

import pytest

from app.catalogue.overlay.loading import means_overlay
from tests.catalogue.files import codes_of
from tests.catalogue.overlay.additions import HEAD, refused
from tests.catalogue.test_hostile_files import HOSTILE, filled

# Not what is only wrong in a plan.
OF_THE_READER = {name: data for name, (data, code) in HOSTILE.items() if code not in {"unknown_key", "requires_itself"}}


@pytest.mark.parametrize("name", OF_THE_READER)
def test_hostile_file_gets_the_same_answer_as_a_plan(name: str):
    data = OF_THE_READER[name]
    reader = {problem.code for problem in refused(data)}
    assert HOSTILE[name][1] in reader
    assert reader - set(codes_of(data)) <= {"missing_key", "unknown_key"}
    assert not means_overlay(data)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("add: {questions: [" + "{}," * 600 + "]}\n", "too_many_items"),
        (filled("#", HEAD).decode() + "#" * 1024, "too_large"),
        ("tighten: [{step: a/b, required: true}, &x [*x]]\n", "alias_in_itself"),
    ],
)
def test_hostile_additions_are_refused(more: str, code: str):
    text = more if more.startswith("format") else HEAD + more
    assert code in {problem.code for problem in refused(text)}


def test_many_references_to_what_is_not_there_are_told_in_a_moment():
    entry = "  - {question: verkennen/overzicht/niet-er-%d, required: true}\n"
    problems = refused(HEAD + "tighten:\n" + "".join(entry % number for number in range(490)))
    assert problems[-1].code == "more_problems"
