"""`stappenplan moves resume`: what was interrupted goes on, from another process than the one that serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.root import app
from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.features.mass_moves.building import (
    StopAfter,
    assert_history_holds,
    begun_mass,
    counted,
    many_runs,
    release_1_1,
    spoil,
    work_on,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = new_sqlite_database(tmp_path)
    world = a_world(database, data_dir=tmp_path)
    release_1_1(world)
    yield world
    database.dispose()


def resume(folder: Path) -> tuple[int, str]:
    environment = {"DATA_DIR": str(folder), "DATABASE_URL": "", "STAPPENPLAN_ENV": "demo"}
    result = CliRunner().invoke(app, ["moves", "resume"], env=environment)
    assert "Traceback" not in result.stderr
    return result.exit_code, result.stdout


def test_nothing_to_do_is_said(world: World, tmp_path: Path):
    assert resume(tmp_path) == (0, "0 mass moves went on\n")


def test_what_was_interrupted_goes_on_in_every_municipality(world: World, tmp_path: Path):
    ours, theirs = many_runs(world, 5, begun=True), many_runs(world, 2, place="Veldermeer")
    id, other = begun_mass(world, ours), begun_mass(world, theirs, place="Veldermeer")
    work_on(world, id, stopping=StopAfter(2))
    code, said = resume(tmp_path)
    assert code == 0
    assert f"{id}\t5 moved\n" in said
    assert f"{other}\t2 moved\n" in said
    assert said.endswith("2 mass moves went on\n")
    assert_history_holds(world)
    assert_history_holds(world, "Veldermeer")


def test_run_that_failed_is_counted(world: World, tmp_path: Path):
    ids = many_runs(world, 2)
    spoil(world, ids[0])
    id = begun_mass(world, ids)
    code, said = resume(tmp_path)
    assert code == 0
    assert f"{id}\t1 moved, 1 failed\n" in said
    assert counted(world, id) == {"moved": 1, "failed": 1}
