"""Additions that load, additions that do not, and every word that is said about them."""

import json
from pathlib import Path

import pytest

from app.catalogue.catalogue import lint
from app.catalogue.loader import from_document
from app.catalogue.overlay.sentences import OVERLAY_SENTENCES, OVERLAY_WARNINGS
from app.catalogue.sentences import SENTENCES, WARNINGS
from tests.catalogue.files import SMALL, told
from tests.catalogue.overlay.additions import ADDITIONS, golden, loaded, refused

TESTED_ELSEWHERE = {
    "overlay_part_gone",  # test_reapplying.py
    "overlay_part_split",
    "overlay_followed",
    "overlay_overtaken",
    "overlay_not_rewritten",
    "overlay_base_unknown",  # tests/features/local_plans
    "local_national_name",
    "local_version_taken",
}


@pytest.mark.parametrize("path", golden("valid"), ids=lambda path: path.stem)
def test_valid_additions_load_without_a_word(path: Path):
    found = loaded(path.read_bytes(), path.name)
    assert found.warnings == ()
    assert found.plan == from_document(found.document)


@pytest.mark.parametrize("path", golden("invalid"), ids=lambda path: path.stem)
def test_invalid_additions_are_refused_in_these_words(path: Path):
    assert told(refused(path.read_bytes(), path.name)) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize("path", golden("warnings"), ids=lambda path: path.stem)
def test_additions_with_warnings_load_and_they_are_told(path: Path):
    assert told(loaded(path.read_bytes(), path.name).warnings) == path.with_suffix(".txt").read_text()


def test_every_sentence_about_additions_is_seen_in_a_golden_file():
    seen = {problem.code for path in golden("invalid") for problem in refused(path.read_bytes())}
    seen |= {problem.code for path in golden("warnings") for problem in loaded(path.read_bytes()).warnings}
    assert set(OVERLAY_SENTENCES) - seen == TESTED_ELSEWHERE
    assert set(OVERLAY_SENTENCES) <= set(SENTENCES)
    assert OVERLAY_WARNINGS <= WARNINGS


def a_folder(folder: Path) -> Path:
    plan = folder / "klein-plan" / "1.0.0.yaml"
    plan.parent.mkdir(parents=True)
    plan.write_bytes(SMALL.read_bytes())
    overlay = folder / "zonnedijk" / "1.0.0.yaml"
    overlay.parent.mkdir()
    overlay.write_bytes(ADDITIONS.read_bytes())
    return overlay


def test_lint_finds_the_plan_beside_the_folder_of_the_additions(tmp_path: Path):
    overlay = a_folder(tmp_path)
    assert lint([overlay]) == []
    (tmp_path / "klein-plan" / "1.0.0.yaml").write_text("format: 1\n")
    assert [problem.code for problem in lint([overlay])] == ["overlay_base_invalid"]


def test_lint_finds_the_plan_in_another_folder(tmp_path: Path):
    overlay = a_folder(tmp_path / "plans")
    alone = tmp_path / "eigen" / "overlay.yaml"
    alone.parent.mkdir()
    alone.write_bytes(overlay.read_bytes())
    assert lint([alone], also_in=[tmp_path / "plans"]) == []
    [problem] = lint([alone])
    assert problem.code == "overlay_base_missing"
    assert problem.params["where"] == "../klein-plan/1.0.0.yaml"


def test_lint_does_not_extend_a_draft(tmp_path: Path):
    overlay = a_folder(tmp_path)
    release = {"digest": "0" * 64, "released": "2026-01-01", "parts": {}}
    lock = {"format": 1, "plans": {"klein-plan": {"0.9.0": release}}}
    (tmp_path / "released.json").write_text(json.dumps(lock))
    problems = {problem.code: problem for problem in lint([overlay])}
    assert problems["overlay_base_missing"].suggestion == "klein-plan@0.9.0"
