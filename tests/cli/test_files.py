"""`stappenplan sweep-files`: what nothing refers to goes, what a run needs stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.test_cli import Command, copy_of, demonstration

__all__ = ["demonstration"]
TWO_DAYS_AGO = (datetime.now(UTC) - timedelta(days=2)).timestamp()


def _file(folder: Path, name: str, *, is_old: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"inhoud")
    if is_old:
        os.utime(path, (TWO_DAYS_AGO, TWO_DAYS_AGO))
    return path


def test_files_that_nothing_refers_to_are_removed_and_named(demonstration: Command, tmp_path: Path):
    command = copy_of(demonstration, tmp_path)
    evidence = tmp_path / "evidence"
    used = sorted((Path(demonstration.env["DATA_DIR"]) / "evidence/sha256").glob("??/*"))
    assert used
    kept = [_file(evidence / "sha256" / path.parent.name, path.name, is_old=True) for path in used]
    kept += [_file(evidence / "sha256/bb", "b" * 64, is_old=False), _file(evidence / "incoming", "bezig", is_old=False)]
    gone = [_file(evidence / "sha256/aa", "a" * 64, is_old=True), _file(evidence / "incoming", "half", is_old=True)]

    result = command("sweep-files")

    assert (result.exit_code, result.stdout) == (0, f"{'a' * 64}\n"), result.output
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)
    assert command("sweep-files").stdout == ""


def test_installation_without_files_has_nothing_to_sweep(demonstration: Command, tmp_path: Path):
    result = copy_of(demonstration, tmp_path)("sweep-files")
    assert (result.exit_code, result.output) == (0, "")
