"""Starting with plans that are not what was released: refused, with the place, and never a traceback."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.catalogue.lock import LOCK_NAME
from app.cli.root import app
from app.resources import stepplans_dir
from app.startup import prepare
from app.storage.database import Database, create_engine_for

PLAN = Path("inclusief-beleid") / "1.0.0.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped plans, which the commands take for those."""
    copy = tmp_path / "stepplans"
    shutil.copytree(stepplans_dir(), copy)
    monkeypatch.setattr("app.startup.stepplans_dir", lambda: copy)
    return copy


def run(command: str, tmp_path: Path) -> Any:
    env = {"DATA_DIR": str(tmp_path / "var"), "DATABASE_URL": "", "STAPPENPLAN_ENV": "demo", "PORT": "0"}
    return CliRunner().invoke(app, [command], env=env)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_changed_released_version_is_refused_with_its_place(folder: Path, tmp_path: Path, command: str):
    path = folder / PLAN
    path.write_text(path.read_text().replace("Aanleiding en startpunt", "Aanleiding en begin", 1))
    result = run(command, tmp_path)
    assert result.exit_code == 1, result.output
    problem, last = result.stderr.strip().splitlines()
    assert problem.startswith(f"{path}:")
    assert "stages/verkennen/steps/aanleiding was changed after inclusief-beleid@1.0.0 was released" in problem
    assert last == "The step plans above cannot be used."
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_released_version_that_is_gone_is_refused(folder: Path, tmp_path: Path, command: str):
    (folder / PLAN).unlink()
    result = run(command, tmp_path)
    assert result.exit_code == 1
    assert f"{folder / LOCK_NAME}:" in result.stderr
    assert "inclusief-beleid@1.0.0: was released, and inclusief-beleid/1.0.0.yaml is not there" in result.stderr


def test_draft_with_errors_keeps_nobody_from_starting(folder: Path, tmp_path: Path):
    (folder / "inclusief-beleid" / "9.0.0.yaml").write_text("format: 1\n")
    assert run("demo", tmp_path).exit_code == 0


def test_list_of_plans_says_which_are_retired(folder: Path, tmp_path: Path):
    retired = CliRunner().invoke(app, ["plan", "retire", "inclusief-beleid@1.0.0", "--folder", str(folder)])
    assert retired.exit_code == 0, retired.output
    (tmp_path / "var").mkdir()
    database = Database(create_engine_for(f"sqlite:///{tmp_path / 'var' / 'stappenplan.sqlite3'}"))
    prepare(database, at=datetime(2026, 11, 27, tzinfo=UTC))
    database.dispose()
    listed = run("plans", tmp_path).stdout
    assert re.search(r"^inclusief-beleid@1\.0\.0\t.+\tsha256:[0-9a-f]{64}\tretired$", listed, re.MULTILINE)


def test_database_that_knows_a_version_by_another_meaning_refuses_it(folder: Path, tmp_path: Path):
    """Also when somebody edited the file and the lock together."""
    assert run("demo", tmp_path).exit_code == 0
    (folder / LOCK_NAME).unlink()
    path = folder / PLAN
    path.write_text(path.read_text().replace("Aanleiding en startpunt", "Aanleiding en begin", 1))
    for draft in folder.glob("inclusief-beleid/*.yaml"):
        if draft != path:
            draft.unlink()
    released = CliRunner().invoke(app, ["plan", "release", "inclusief-beleid@1.0.0", "--folder", str(folder)])
    assert released.exit_code == 0, released.output
    result = run("serve", tmp_path)
    assert result.exit_code == 1
    [line] = result.stderr.strip().splitlines()
    assert "inclusief-beleid 1.0.0 was released with another content" in line
