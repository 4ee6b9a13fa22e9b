"""The history on the command line: checked, signed, renewed and taken along."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from app.storage.history.export import PROGRAM
from tests.cli.test_cli import Command, copy_of, demonstration, tamper

__all__ = ["demonstration"]


@pytest.fixture
def command(demonstration: Command, tmp_path: Path) -> Command:
    folder = tmp_path / "var"
    folder.mkdir()
    return copy_of(demonstration, folder)


def without_trigger(command: Command, name: str) -> None:
    """As whoever owns the database can do."""
    connection = sqlite3.connect(Path(command.env["DATA_DIR"]) / "stappenplan.sqlite3")
    with closing(connection):
        connection.execute(f"DROP TRIGGER {name}")
        connection.commit()


def check(export: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", PROGRAM, str(export), *words], capture_output=True, text=True, check=False
    )


def fingerprint_in(output: str) -> str:
    return output.rstrip().rpartition("key ")[2]


def test_installation_is_in_order_and_what_cannot_be_seen_is_said(demonstration: Command):
    result = demonstration("verify")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Zonnedijk: " in result.stdout
    assert "signed in head 0 of " in result.stdout
    for words in ("Without a head that somebody else kept", "Without the fingerprint", "no check can show"):
        assert words in result.stdout
    assert result.stdout.endswith("In order\n")


def test_demonstration_is_signed_when_it_is_made(demonstration: Command):
    result = demonstration("heads", "sign")
    assert (result.exit_code, result.stdout) == (0, "")


def test_changed_event_is_refused_with_its_place(command: Command):
    without_trigger(command, "run_event_no_update")
    tamper(command, "UPDATE run_event SET kind = 'StepCompleted' WHERE kind = 'StageApproved'")
    result = command("verify")
    assert result.exit_code == 1
    assert "Zonnedijk: entry " in result.stderr
    assert "is not what was logged" in result.stderr
    assert "Refused: " in result.stderr


def test_export_is_checked_elsewhere(command: Command, tmp_path: Path):
    export = tmp_path / "export.zip"
    assert "choose with --municipality" in command.refused("export-history", "-o", str(export))
    result = command("export-history", "-o", str(export), "--municipality", "Zonnedijk")
    assert result.exit_code == 0, result.output
    checked = check(export, "--fingerprint", fingerprint_in(result.stdout))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "IN ORDE: " in checked.stdout
    with zipfile.ZipFile(export) as archive:
        assert archive.read("verify_export.py") == PROGRAM.read_bytes()
        readme = archive.read("README.txt").decode()
    assert "GESCHIEDENIS VAN ZONNEDIJK" in readme
    assert "HISTORY OF ZONNEDIJK" in readme


def test_export_that_cannot_be_written_is_named(command: Command, tmp_path: Path):
    refused = command.refused("export-history", "-o", str(tmp_path / "weg" / "x.zip"), "--municipality", "Zonnedijk")
    assert "cannot be written" in refused


def test_head_of_a_witness_is_recognised(command: Command, tmp_path: Path):
    command.env["WITNESS_DIR"] = str(tmp_path / "witness")
    assert command("heads", "sign").exit_code == 0
    heads = sorted((tmp_path / "witness").rglob("head-*.json"))
    assert len(heads) == 2
    words = [word for path in heads for word in ("--head", str(path))]
    assert command("verify", *words).exit_code == 0

    without_trigger(command, "signed_head_no_delete")
    tamper(command, "DELETE FROM signed_head")
    result = command("verify", *words)
    assert result.exit_code == 1
    assert result.stderr.count("the history was rolled back") == 2


def test_head_of_a_municipality_that_is_not_here_is_refused(command: Command, tmp_path: Path):
    command.env["WITNESS_DIR"] = str(tmp_path / "witness")
    command("heads", "sign")
    [head, _] = sorted((tmp_path / "witness").rglob("head-*.json"))
    municipality = head.parent.name
    head.write_text(head.read_text("utf-8").replace(municipality, "00000000-0000-4000-8000-000000000000"), "utf-8")
    result = command("verify", "--head", str(head))
    assert result.exit_code == 1
    assert "which is not here" in result.stderr


def test_new_key_goes_on_with_the_history(command: Command, tmp_path: Path):
    before = command("verify").stdout
    result = command("heads", "new-key")
    assert result.exit_code == 0, result.output
    new = result.stdout.rstrip().rpartition(" ")[2]
    assert new not in before
    assert command("verify", "--fingerprint", new).exit_code == 0
    export = tmp_path / "export.zip"
    assert command("export-history", "-o", str(export), "--municipality", "Zonnedijk").exit_code == 0
    old = before.partition("key ")[2][:64]
    assert check(export, "--fingerprint", new).returncode == 0
    assert check(export, "--fingerprint", old).returncode == 0
    assert check(export, "--fingerprint", "0" * 64).returncode == 1


def test_lost_key_is_named_and_never_replaced(command: Command):
    (Path(command.env["DATA_DIR"]) / "keys" / "history-ed25519.pem").unlink()
    result = command("heads", "sign")
    assert result.exit_code == 1
    assert result.stderr.count("put it back") == 2
    assert not (Path(command.env["DATA_DIR"]) / "keys" / "history-ed25519.pem").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--fingerprint", "kort"), "A fingerprint is 64"),
        (("--head", "weg.json"), "cannot be read"),
        (("--municipality", "Nergens"), "There is no municipality"),
    ],
)
def test_wrong_words_are_refused(demonstration: Command, words: tuple[str, str], reason: str):
    assert reason in demonstration.refused("verify", *words)
