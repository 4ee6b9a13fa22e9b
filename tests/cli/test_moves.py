"""`stappenplan moves resume`: what was interrupted goes on, from another process than the one that serves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    loaded,
    many_runs,
    mass_of,
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


# --- a restart of the application itself -------------------------------------------------------------------------


@contextmanager
def serving(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real application in a process of its own; ended as a service manager does it."""
    environment = {**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": "", "HOST": "127.0.0.1", "PORT": "0"}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(30) == 0, (folder / "serve.log").read_text()


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline, "this did not happen within 60 seconds"
        time.sleep(0.02)


def test_restart_in_the_middle_loses_nothing_and_does_nothing_twice(world: World, tmp_path: Path):
    ids = many_runs(world, 400, begun=True)
    id = begun_mass(world, ids)
    with serving(tmp_path):
        until(lambda: counted(world, id).get("moved", 0) >= 3)
    before = counted(world, id)
    assert before["waiting"] > 0
    assert mass_of(world, id).heartbeat_at is None
    with serving(tmp_path):
        until(lambda: mass_of(world, id).finished_at is not None)
    assert counted(world, id) == {"moved": 400}
    assert {len(loaded(world, run_id).moves) for run_id in ids} == {1}
    assert_history_holds(world)
