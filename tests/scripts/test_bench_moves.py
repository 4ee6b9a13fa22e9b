"""The benchmark of moving measures what it says, on a few runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from scripts.bench.moves import Measured, Watch, build, measure_impact, measure_loading, measure_mass_move, show

RUNS = 10


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Address, and digest of the newest version."""
    folder = tmp_path_factory.mktemp("moves")
    url = f"sqlite:///{folder / 'moves.sqlite3'}"
    return url, build(url, f"sqlite:///{folder / 'work.sqlite3'}", RUNS)


def test_every_run_is_looked_at_and_moved_or_told_why_not(built: tuple[str, str]):
    url, target = built
    impact = measure_impact(url, RUNS, target)
    assert impact.runs == RUNS
    assert "hit" in impact.told
    moved = measure_mass_move(url, RUNS, target)
    assert moved.runs == RUNS
    assert "waiting" not in moved.told
    assert "failed" not in moved.told
    assert "moved" in moved.told
    assert len(moved.memory) == 3


def test_large_plan_can_be_loaded_in_each_way(tmp_path: Path):
    loading = measure_loading(f"sqlite:///{tmp_path / 'large.sqlite3'}")
    assert min(loading.file, loading.cold, loading.cached) > 0


def test_memory_is_noted_at_the_start_halfway_and_at_the_end():
    watch = Watch(100)
    for _ in range(100):
        watch.run()
    assert len(watch.memory) == 3


def test_table_has_a_line_for_each_measurement():
    console = Console(record=True, width=120)
    show(console, [Measured("mass move", 10, 2.0, 0.1, [90.0, 91.0, 91.0], 95.0, "10 moved")], "SQLite")
    assert "10 moved" in console.export_text()
