"""`stappenplan lint` on additions to a plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.root import app

ADDITIONS = """format: 1
overlay: {id: zonnedijk, version: 1.0.0, title: Aanvullingen, purpose: Meer doen., by: Zonnedijk, prefix: zd}
extends: inclusief-beleid@1.0.0
tighten:
  - {gate: verkennen, approvals: 2}
"""


def lint(file: Path, text: str) -> tuple[int, str]:
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["lint", str(file)])
    return result.exit_code, result.output


def test_plan_that_comes_with_the_software_is_found(tmp_path: Path):
    assert lint(tmp_path / "aanvullingen.yaml", ADDITIONS) == (0, "1 file without problems\n")


def test_problem_is_named_with_its_place(tmp_path: Path):
    status, output = lint(tmp_path / "aanvullingen.yaml", ADDITIONS.replace("verkennen", "verkenen"))
    assert status == 1
    assert 'aanvullingen.yaml:5:12  tighten.0.gate: inclusief-beleid@1.0.0 has no "verkenen"' in output


def test_plan_that_is_nowhere_is_told_with_where_to_put_it(tmp_path: Path):
    (tmp_path / "eigen").mkdir()
    status, output = lint(tmp_path / "eigen" / "a.yaml", ADDITIONS.replace("@1.0.0", "@7.0.0"))
    assert status == 1
    assert (
        "no released inclusief-beleid@7.0.0 in ../inclusief-beleid/7.0.0.yaml, seen from the folder of this file"
        in output
    )


@pytest.mark.parametrize("words", [("plan", "schema"), ("plan", "schema", "--overlay")])
def test_schema_is_printed(words: tuple[str, ...]):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0
    assert ("extends" in result.output) == ("--overlay" in words)
