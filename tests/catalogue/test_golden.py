"""Files that load, files that do not, and every word that is said about them."""

from pathlib import Path

import pytest

from app.catalogue.catalogue import lint
from app.catalogue.loader import from_document, load_bytes, load_file
from app.catalogue.overlay.sentences import OVERLAY_SENTENCES
from app.catalogue.sentences import SENTENCES, WARNINGS
from tests.catalogue.files import RELEASED, golden, problems_of, told

# No file can stand for these: they are about the file itself, or only come with thousands of values.
TESTED_ELSEWHERE = {
    "unreadable",  # test_loader.py
    "wrong_place",  # test_catalogue.py
    "wrong_suffix",
    "no_plans",
    "nothing_released",
    "released_changed",  # test_lock.py
    "released_added",
    "released_missing",
    "released_order",
    "released_other_digest",
    "released_gone",
    "lock_not_json",
    "lock_repeated_key",
    "lock_shape",
    "since_missing",  # test_changes.py, as it takes another file beside the plan
    "since_invalid",
    "part_unknown_before",
    "part_unknown_anywhere",
    "part_domains_differ",
    "part_type_differs",
    "cosmetic_not_same",
    "cosmetic_meaning",
    "renamed_without_effect",
    "cosmetic_without_effect",
    "reason_without_effect",
    "renamed_undeclared",
    "changes_missing",
    "too_large",  # test_hostile_files.py
    "not_utf8",
    "unwanted_character",
    "too_many_values",
    "too_many_items",
    "more_problems",
    "other_shape",  # for an answer of pydantic that we do not know; test_mutations.py sees to it that there is none
}


@pytest.mark.parametrize("path", [*golden("valid"), *RELEASED], ids=lambda path: path.stem)
def test_valid_plan_loads_without_a_word(path: Path):
    loaded = load_bytes(path.read_bytes(), path.name)
    assert loaded.warnings == ()
    assert loaded.plan == from_document(loaded.document) == load_file(path)


@pytest.mark.parametrize("path", golden("invalid"), ids=lambda path: path.stem)
def test_invalid_plan_is_refused_in_these_words(path: Path):
    assert told(problems_of(path.read_bytes(), path.name)) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize("path", golden("warnings"), ids=lambda path: path.stem)
def test_plan_with_warnings_loads_and_they_are_told(path: Path):
    loaded = load_bytes(path.read_bytes(), path.name)
    assert told(loaded.warnings) == path.with_suffix(".txt").read_text()
    assert all(problem.is_warning for problem in loaded.warnings)
    assert [problem.code for problem in lint([path])] == [problem.code for problem in loaded.warnings]


def test_every_sentence_is_seen_in_a_golden_file():
    seen = {problem.code for path in golden("invalid") for problem in problems_of(path.read_bytes())}
    for path in golden("warnings"):
        seen |= {problem.code for problem in load_bytes(path.read_bytes(), path.name).warnings}
    assert set(SENTENCES) - seen == TESTED_ELSEWHERE | set(OVERLAY_SENTENCES)  # test_golden_additions.py
    assert set(SENTENCES) >= WARNINGS


def test_every_sentence_says_what_to_do_in_both_languages():
    for code, sentence in SENTENCES.items():
        for language in ("en", "nl"):
            assert ";" in sentence[language] or "{hint}" in sentence[language], (code, language)


def test_problems_are_told_by_line():
    for path in golden("invalid"):
        places = [(problem.line, problem.column) for problem in problems_of(path.read_bytes())]
        assert places == sorted(places)
        assert all(line >= 1 and column >= 1 for line, column in places)
