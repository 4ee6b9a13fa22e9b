"""`stappenplan diff`: text and JSON, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.root import app
from app.engine.run_migration.compare import compare
from tests.plan_versions import small_versions, write_versions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_versions(tmp_path / "stepplans")


def diff(folder: Path, *words: str, columns: int = 80) -> Any:
    env = {"COLUMNS": str(columns)}
    return CliRunner().invoke(app, ["diff", *words, "--folder", str(folder)], env=env)


def refused(folder: Path, *words: str) -> str:
    result = diff(folder, *words)
    assert result.exit_code == 1, result.output
    lines: list[str] = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_text_begins_with_the_summaries_and_the_counts(folder: Path):
    result = diff(folder, "klein-plan@1.0.0", "klein-plan@2.0.0")
    assert result.exit_code == 0
    versions = small_versions()
    counted = list(compare([loaded.plan for loaded in versions.values()]).counted().values())
    assert result.stdout.splitlines()[:14] == [
        "Klein plan  (klein-plan)",
        f"from 1.0.0  sha256:{versions['1.0.0'].plan.digest}",
        f"to   2.0.0  sha256:{versions['2.0.0'].plan.digest}",
        "",
        "1.1.0: Vragen zijn duidelijker. Er is een tip bij.",
        "",
        "2.0.0: Steun is nu een eigen stap. Voortaan kijken twee mensen mee.",
        "",
        f"   {counted[3]}  Approve again  decide about the stage again",
        f"   {counted[2]}  Answer again   look at an answer again, or answer something new",
        f"   {counted[1]}  Safe           asks nothing of you",
        f"   {counted[0]}  Cosmetic       other words, same meaning",
        "Nothing changed in: Uitvoeren",
        "",
    ]


def test_text_tells_each_change_with_its_class_place_sides_and_reason(folder: Path):
    text = diff(folder, "klein-plan@1.0.0", "klein-plan@2.0.0").stdout
    assert (
        """
Stage: Verkennen  (verkennen)
=============================

[Approve again] Approval, changed: Weten we waar we staan?
    (verkennen)
    How many people must agree
      - 1
      + 2

[Answer again] Question, merged: Wat staat erin en wat <img src=x
    onerror="alert(1)"> ontbreekt?
    (verkennen/overzicht/beschrijving, verkennen/conclusie/eerst ->
    verkennen/overzicht/inhoud)
    It was made of “Wat staat erin?” and “Wat komt eerst?”.
    Text
      - Wat staat erin?
      + Wat staat erin en wat <img src=x onerror="alert(1)"> ontbreekt?
    Help with the question
      + Noem ook wat er niet lukte.
    Why: De oude vraag werd verschillend gelezen.

[Answer again] Question, changed: Is er al een visie?
    (verkennen/overzicht/visie)
    Choices
      + Deels
      = 2 other lines
"""
        in text
    )


def test_text_fits_the_terminal(folder: Path):
    text = diff(folder, "klein-plan@1.0.0", "klein-plan@2.0.0", columns=60).stdout
    long = [line for line in text.splitlines() if len(line) > 60 and "sha256" not in line]
    assert long == []


def test_same_version_twice_has_no_differences(folder: Path):
    result = diff(folder, "klein-plan@1.0.0", "klein-plan@1.0.0")
    assert result.exit_code == 0
    assert "No differences" in result.stdout


def test_json_has_the_digests_and_every_change(folder: Path):
    result = diff(folder, "klein-plan@1.0.0", "klein-plan@2.0.0", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    versions = small_versions()
    assert list(found) == [
        "plan",
        "old",
        "new",
        "versions",
        "summaries",
        "counts",
        "unchanged_stages",
        "changes",
    ]
    assert found["old"] == {"version": "1.0.0", "digest": versions["1.0.0"].plan.digest}
    assert found["new"] == {"version": "2.0.0", "digest": versions["2.0.0"].plan.digest}
    assert found["versions"] == ["1.0.0", "1.1.0", "2.0.0"]
    assert [each["version"] for each in found["summaries"]] == ["1.1.0", "2.0.0"]
    assert found["unchanged_stages"] == ["uitvoeren"]
    assert sum(found["counts"].values()) == len(found["changes"])
    merged = next(each for each in found["changes"] if each["what"] == "merged")
    assert merged == {
        "kind": "question",
        "what": "merged",
        "class": "answer_again",
        "stage": "verkennen",
        "before": ["verkennen/overzicht/beschrijving", "verkennen/conclusie/eerst"],
        "after": "verkennen/overzicht/inhoud",
        "title": 'Wat staat erin en wat <img src=x onerror="alert(1)"> ontbreekt?',
        "reason": "De oude vraag werd verschillend gelezen.",
        "differences": [
            {
                "name": "text",
                "class": "answer_again",
                "before": "Wat staat erin?",
                "after": 'Wat staat erin en wat <img src=x onerror="alert(1)"> ontbreekt?',
            },
            {"name": "help", "class": "safe", "before": "", "after": "Noem ook wat er niet lukte."},
        ],
    }
    new = next(each for each in found["changes"] if each["kind"] == "ground")
    assert (new["stage"], new["before"], new["after"], new["reason"]) == (None, [], "grounds.inkomen", None)
    assert "StageRequired" not in result.stdout


def test_files_outside_the_folder_can_be_compared(folder: Path, tmp_path: Path):
    apart = tmp_path / "elders.yaml"
    apart.write_bytes((folder / "klein-plan" / "2.0.0.yaml").read_bytes())
    result = diff(folder, "klein-plan@1.1.0", str(apart), "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["versions"] == ["1.1.0", "2.0.0"]


def test_versions_in_the_wrong_order_are_turned_and_that_is_told(folder: Path):
    result = diff(folder, "klein-plan@2.0.0", "klein-plan@1.0.0")
    assert result.exit_code == 0
    assert result.stderr == "1.0.0 is the older version: what follows is from there to 2.0.0\n"
    assert "from 1.0.0" in result.stdout


def test_version_that_does_not_descend_from_the_other_is_compared_directly(folder: Path):
    document = {key: value for key, value in small_versions()["2.0.0"].document.items() if key != "changes"}
    document["plan"] = {**document["plan"], "version": "3.0.0"}
    (folder / "klein-plan" / "3.0.0.yaml").write_text(json.dumps(document))
    found = json.loads(diff(folder, "klein-plan@1.0.0", "klein-plan@3.0.0", "--json").stdout)
    assert found["versions"] == ["1.0.0", "3.0.0"]
    assert found["summaries"] == []
    assert "split" not in {each["what"] for each in found["changes"]}


def test_unknown_plan_says_which_one_was_probably_meant(folder: Path):
    assert refused(folder, "klein-pan@1.0.0", "klein-plan@2.0.0") == (
        "There is no step plan klein-pan@1.0.0, did you mean klein-plan@1.0.0?"
    )
    assert "Choose from: 1.0.0, 1.1.0, 2.0.0" in refused(folder, "klein-plan", "klein-plan@2.0.0")
    assert refused(folder, "klein-plan@1.0.0", "weg/2.0.0.yaml") == "There is no file weg/2.0.0.yaml"


def test_two_different_plans_are_refused_with_what_to_do(folder: Path):
    other = folder / "ander-plan"
    other.mkdir()
    text = (folder / "klein-plan" / "1.0.0.yaml").read_text().replace('"klein-plan"', '"ander-plan"')
    (other / "1.0.0.yaml").write_text(text)
    assert refused(folder, "ander-plan@1.0.0", "klein-plan@2.0.0") == (
        "ander-plan@1.0.0 and klein-plan@2.0.0 are different plans: "
        "name two versions of ander-plan, or two of klein-plan"
    )


def test_file_with_errors_is_named_with_its_line(folder: Path):
    path = folder / "klein-plan" / "1.1.0.yaml"
    path.write_text(path.read_text().replace('"since"', '"sinds"'))
    for words in (("klein-plan@1.0.0", "klein-plan@1.1.0"), ("klein-plan@1.0.0", "klein-plan@2.0.0")):
        result = diff(folder, *words)
        assert result.exit_code == 1
        assert "1.1.0.yaml:" in result.stderr
        assert "Traceback" not in result.output
