"""What a version says that it changed: checked in the file, and beside the version that it names."""

import json
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.catalogue.catalogue import Catalogue, lint
from app.catalogue.loader import PlanInvalid, load_bytes
from app.catalogue.lock import Lock, Release
from app.catalogue.problems import PROBLEMS_MAX, Problem
from app.catalogue.rules import changes_since
from tests.catalogue.files import GOLDEN, TINY, codes_of, told

CHANGES = GOLDEN / "changes"
SINCE = "changes: {since: 1.0.0, summary: {text: Er is iets anders., addition: true}}\n"
GOAL = "{text: Weten., addition: true}"
MEMORY_MAX = 48 * 1024**2  # bytes; two files, one of them of nearly the largest size
STEP = "{id: overzicht, title: Overzicht maken,"


def put(folder: Path, version: str, text: str = TINY) -> Path:
    path = folder / "klein" / f"{version}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace("version: 1.0.0", f"version: {version}"))
    return path


def with_changes(more: str, text: str = TINY) -> str:
    return text + SINCE.replace("}}", f"}}, {more}}}") if more else text + SINCE


def found(folder: Path, old: str, new: str) -> list[Problem]:
    put(folder, "1.0.0", old)
    return lint([put(folder, "1.1.0", new)])


def codes(folder: Path, old: str, new: str) -> list[str]:
    return [problem.code for problem in found(folder, old, new)]


def release(folder: Path, version: str) -> None:
    loaded = load_bytes((folder / "klein" / f"{version}.yaml").read_bytes(), version)
    made = Release.of(loaded.document, loaded.plan.digest, on=date(2026, 11, 23))
    Lock.read(folder).with_release(("klein", version), made).write()


# --- beside the earlier version --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0", "1.3.0"])
def test_declarations_are_laid_beside_the_version_that_they_name(version: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(CHANGES)
    problems = tuple(lint([Path("klein") / f"{version}.yaml"]))
    assert told(problems) == (CHANGES / "klein" / f"{version}.txt").read_text()
    assert all(problem.is_warning for problem in problems) == (version == "1.2.0")


def test_folder_says_the_same_about_declarations_as_lint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(CHANGES)
    with pytest.raises(PlanInvalid) as refused:
        Catalogue.load(Path())
    files = [Path("klein") / f"{version}.yaml" for version in ("1.1.0", "1.3.0")]
    assert list(refused.value.problems) == lint(files)


def test_problems_in_the_file_and_beside_the_other_are_told_in_one_go(tmp_path: Path):
    more = "renamed: [{before: verkennen/weg, after: verkennen/ook-weg}]"
    wrong = with_changes(more).replace("goal: {text: Weten wat er al is., addition: true}", "goal: {text: Weten.}")
    assert codes(tmp_path, TINY, wrong) == ["no_origin", "part_unknown_before", "part_unknown"]


def test_version_that_has_errors_itself_is_not_compared_with(tmp_path: Path):
    (problem,) = found(tmp_path, TINY.replace("title: Klein plan", "titel: Klein plan"), with_changes(""))
    assert problem.is_warning
    assert problem.sentence().endswith(
        "changes.since: warning: version 1.0.0 has errors of its own, so this was not compared with it; mend that file "
        "first"
    )


def test_file_that_is_not_named_after_a_version_has_no_others_beside_it(tmp_path: Path):
    path = tmp_path / "plan.yaml"
    path.write_text(with_changes("").replace("version: 1.0.0", "version: 1.1.0"))
    assert lint([path]) == []


def test_drafts_are_not_read_for_what_a_release_says_about_them(tmp_path: Path):
    put(tmp_path, "1.0.0", "dit is nog niets")
    put(tmp_path, "1.1.0", with_changes(""))
    release(tmp_path, "1.1.0")
    assert len(Catalogue.load(tmp_path, with_drafts=False)) == 1


def test_version_without_a_word_about_its_changes_is_told_when_it_takes_the_place_of_a_release(tmp_path: Path):
    assert codes(tmp_path, TINY, TINY) == []
    release(tmp_path, "1.0.0")
    (problem,) = found(tmp_path, TINY, TINY)
    assert problem.is_warning
    assert problem.sentence().endswith(
        "1.1.0.yaml:3:28  plan.version: warning: takes the place of 1.0.0 and does not say what changed; add changes: "
        "with since: 1.0.0 and a summary (in the next version, if this one was released)"
    )
    release(tmp_path, "1.1.0")
    assert codes(tmp_path, TINY, TINY) == ["changes_missing"]
    assert codes(tmp_path, TINY, with_changes("")) != ["changes_missing"]
    assert lint([tmp_path / "klein" / "1.0.0.yaml"]) == []


# --- only words ------------------------------------------------------------------------------------------------

QUESTION = "{id: vraag, text: Wat is er?, type: number, unit: stuks, minimum: 1, addition: true}"


def with_question(question: str = QUESTION) -> str:
    goal = "goal: {text: Weten wat er al is., addition: true}"
    return TINY.replace(goal, f"{goal}, questions: [{question}]")


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("Wat is er?", "Wat is er nu?", []),
        ("Wat is er?", "Wat is er nu?, help: Denk aan alles.", []),
        ("Wat is er?", "Wat is er?, help: Denk aan alles.", ["cosmetic_without_effect"]),
        ("Wat is er?", "Wat is er nu?, required: true", ["cosmetic_meaning"]),
        ("unit: stuks", "unit: euro", ["cosmetic_meaning"]),
        ("minimum: 1", "minimum: 0", ["cosmetic_meaning"]),
        ("type: number, unit: stuks, minimum: 1", "type: date", ["cosmetic_meaning"]),
        ("id: vraag", "id: andere-vraag", ["part_unknown"]),
    ],
)
def test_only_words_can_be_declared_as_only_words(tmp_path: Path, before: str, after: str, code: list[str]):
    new = with_question(QUESTION.replace(before, after))
    assert codes(tmp_path, with_question(), with_changes("cosmetic: [verkennen/overzicht/vraag]", new)) == code


def test_words_of_stages_steps_grounds_and_decisions_can_be_declared_as_only_words(tmp_path: Path):
    old = TINY + "grounds: [{id: a, title: Een}]\n"
    old += "decisions: [{id: b, title: Twee, per_domain: false, explanation: {text: Zo., addition: true}}]\n"
    old = old.replace("    goal:", "    requires: [{decision: b}]\n    goal:", 1)
    new = old.replace("Een}", "Eén}").replace("Twee", "Besluit twee").replace("Is het klaar?", "Is dit klaar?")
    new = new.replace("title: Overzicht maken", "title: Het overzicht maken")
    more = "cosmetic: [grounds.a, decisions.b, verkennen, verkennen/overzicht]"
    assert codes(tmp_path, old, with_changes(more, new)) == []
    new = new.replace("title: Eén", "crossing: true, title: Eén")
    assert codes(tmp_path, old, with_changes(more, new)) == ["cosmetic_meaning"]


def test_pieces_of_a_step_and_steps_that_became_one_can_be_declared_as_only_words(tmp_path: Path):
    """Their title and goal are other words for what the questions in them still ask."""
    one, two = with_steps("een en twee"), with_steps("een", "twee")
    split = "split: [{before: verkennen/een-en-twee, after: [verkennen/een, verkennen/twee]}]"
    assert codes(tmp_path, one, with_changes(f"{split}, cosmetic: [verkennen/een, verkennen/twee]", two)) == []
    merged = "merged: [{before: [verkennen/een, verkennen/twee], after: verkennen/een-en-twee}]"
    assert codes(tmp_path, two, with_changes(f"{merged}, cosmetic: [verkennen/een-en-twee]", one)) == []
    optional = one.replace("title: een en twee", "required: false, title: een en twee")
    told = codes(tmp_path, two, with_changes(f"{merged}, cosmetic: [verkennen/een-en-twee]", optional))
    assert told == ["cosmetic_meaning"]


def test_questions_that_became_one_are_never_only_words(tmp_path: Path):
    old = with_question(f"{QUESTION}, {QUESTION.replace('id: vraag', 'id: ook')}")
    more = "merged: [{before: [verkennen/overzicht/vraag, verkennen/overzicht/ook], after: verkennen/overzicht/vraag}]"
    new = with_changes(f"{more}, cosmetic: [verkennen/overzicht/vraag]", with_question())
    assert codes(tmp_path, old, new) == ["cosmetic_not_same"]


# --- forgotten -------------------------------------------------------------------------------------------------


def test_question_that_moved_with_its_step_is_told_once_with_the_step(tmp_path: Path):
    new = with_changes("", with_question().replace(STEP, "{id: lijst, title: Overzicht maken,"))
    (problem,) = found(tmp_path, with_question(), new)
    assert (problem.code, problem.path) == ("renamed_undeclared", "stages.0.steps.0")


def test_stage_with_another_id_is_told(tmp_path: Path):
    (problem,) = found(tmp_path, TINY, with_changes("", TINY.replace("id: verkennen", "id: verken")))
    assert (problem.code, problem.path) == ("renamed_undeclared", "stages.0")
    more = "renamed: [{before: verkennen, after: verken}]"
    assert codes(tmp_path, TINY, with_changes(more, TINY.replace("id: verkennen", "id: verken"))) == []


def test_other_words_or_another_type_are_another_part(tmp_path: Path):
    other = with_question(QUESTION.replace("id: vraag, text: Wat is er?", "id: ander, text: Hoe nu verder?"))
    assert codes(tmp_path, with_question(), with_changes("", other)) == []
    other = with_question("{id: ander, text: Wat is er?, type: date, addition: true}")
    assert codes(tmp_path, with_question(), with_changes("", other)) == []


# --- made to hurt ----------------------------------------------------------------------------------------------


def test_many_declarations_are_refused_in_few_words():
    entries = ", ".join(f"{{before: a/b{n}, after: c/d{n}}}" for n in range(201))
    assert "too_many_items" in codes_of(with_changes(f"renamed: [{entries}]"))
    entries = ", ".join(f"{{before: a/b, after: [{', '.join(['c/d'] * 20)}]}}" for _ in range(100))
    problems = codes_of(with_changes(f"split: [{entries}], cosmetic: [{', '.join(['a'] * 500)}]"))
    assert len(problems) == PROBLEMS_MAX + 1


NEVER_A_PART: list[Any] = [
    None,
    1,
    True,
    "",
    " ",
    "a.b",
    "a/b/c/d/e",
    "decisions.a/b",
    "/",
    "checklist",
    [],
    ["a"],
    {},
    "\u0430",
]


@pytest.mark.parametrize("value", NEVER_A_PART, ids=repr)
def test_whatever_stands_in_a_declaration_is_loaded_or_refused_in_words(value: Any, tmp_path: Path):
    written = json.dumps(value)
    for more in (
        f"renamed: [{{before: {written}, after: {written}}}]",
        f"split: [{{before: {written}, after: [{written}, {written}]}}]",
        f"merged: [{{before: [{written}, {written}], after: {written}}}]",
        f"cosmetic: [{written}], reasons: [{{part: {written}, text: {written}}}]",
        f"renamed: {written}, split: [{written}], merged: {{before: {written}}}, cosmetic: {written}",
    ):
        problems = found(tmp_path, TINY, with_changes(more))
        assert problems
        assert all(problem.code != "other_shape" for problem in problems)
    text = with_changes("cosmetic: [verkennen/overzicht]")
    for id in ("verkennen", "overzicht"):
        assert found(tmp_path, TINY, text.replace(f"id: {id}", f"id: {written}"))


def with_steps(*titles: str) -> str:
    step = TINY[TINY.index(f"      - {STEP}") : TINY.index("    gate:")]
    steps = (f"      - {{id: {title.replace(' ', '-')}, title: {title}, goal: {GOAL}}}\n" for title in titles[1:])
    first = step.replace("overzicht", titles[0].replace(" ", "-")).replace("Overzicht maken", titles[0])
    return TINY.replace(step, first + "".join(steps))


def test_parts_are_compared_up_to_a_limit_and_in_little_memory(tmp_path: Path):
    old = with_steps("samen leven", "wonen en werken")
    others = [f"{chr(97 + n % 26) * 40} {n}" for n in range(400)]
    assert codes(tmp_path, old, with_changes("", with_steps("wonen of werken", *others))) == ["renamed_undeclared"]
    tracemalloc.start()
    try:
        many = [*others, *(f"{other}x" for other in others[:99])]
        assert len(many) == 499 < changes_since.PAIRS_MAX
        assert codes(tmp_path, old, with_changes("", with_steps("wonen of werken", *many))) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_MAX
