"""The bytes of evidence on the disk: named by content, whole after a crash, removed only if nobody refers to them."""

import hashlib
import threading
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.storage.database import Database
from app.storage.evidence_files import EvidenceFiles, FileDamaged, FileMissing, IncomingFile
from app.storage.evidence_store import used_hashes
from app.storage.scope import unscoped
from app.storage.tables import EvidenceRow
from tests.storage.rows import NOW, a_municipality_with_a_run

LATER = datetime.now(UTC) + timedelta(days=2)


def received(files: EvidenceFiles, content: bytes) -> IncomingFile:
    incoming = files.receive()
    incoming.write(content)
    incoming.finish()
    return incoming


def nobody(_: Collection[str]) -> Collection[str]:
    return []


def everybody(hashes: Collection[str]) -> Collection[str]:
    return hashes


def test_file_is_found_under_its_hash(tmp_path: Path):
    files = EvidenceFiles(tmp_path / "evidence")
    incoming = received(files, b"bewijs")
    with files.placing():
        files.place(incoming)
    digest = hashlib.sha256(b"bewijs").hexdigest()
    assert (incoming.sha256, incoming.size) == (digest, 6)
    with files.open_intact(digest) as found:
        assert found.name == str(tmp_path / "evidence/sha256" / digest[:2] / digest)
        assert found.read() == b"bewijs"


def test_file_that_is_removed_after_it_was_opened_can_be_read_to_its_end(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    incoming = received(files, b"bewijs")
    files.place(incoming)
    with files.open_intact(incoming.sha256) as found:
        files.remove(incoming.sha256)
        assert found.read() == b"bewijs"


def test_only_the_server_can_read_the_files(tmp_path: Path):
    files = EvidenceFiles(tmp_path / "evidence")
    incoming = received(files, b"bewijs")
    files.place(incoming)
    assert files.path_of(incoming.sha256).stat().st_mode & 0o077 == 0
    assert (tmp_path / "evidence").stat().st_mode & 0o077 == 0


def test_same_content_is_kept_once(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    first, second = received(files, b"zelfde"), received(files, b"zelfde")
    files.place(first)
    files.place(second)
    assert [path.name for path in (tmp_path / "sha256").rglob("*") if path.is_file()] == [first.sha256]
    assert not any((tmp_path / "incoming").iterdir())


def test_placing_again_mends_a_damaged_file(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    incoming = received(files, b"goed")
    files.place(incoming)
    files.path_of(incoming.sha256).write_bytes(b"kapot")
    files.place(received(files, b"goed"))
    with files.open_intact(incoming.sha256) as found:
        assert found.read() == b"goed"


def test_damaged_and_missing_files_are_told_apart(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    incoming = received(files, b"goed")
    files.place(incoming)
    files.path_of(incoming.sha256).write_bytes(b"good")
    with pytest.raises(FileDamaged):
        files.open_intact(incoming.sha256)
    files.path_of(incoming.sha256).unlink()
    with pytest.raises(FileMissing):
        files.open_intact(incoming.sha256)


def test_file_that_was_not_placed_leaves_nothing(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    incoming = files.receive()
    incoming.write(b"half")
    incoming.discard()
    assert not any((tmp_path / "incoming").iterdir())


def test_unused_file_is_removed_and_used_one_stays(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    kept, dropped = received(files, b"blijft"), received(files, b"weg")
    files.place(kept)
    files.place(dropped)
    removed = files.remove_unused([kept.sha256, dropped.sha256], lambda _: [kept.sha256])
    assert removed == [dropped.sha256]
    files.open_intact(kept.sha256).close()
    assert not files.path_of(dropped.sha256).exists()


def test_nothing_is_removed_while_another_request_is_placing_files(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    incoming = received(files, b"straks nodig")
    placed, go_on = threading.Event(), threading.Event()

    def other_request() -> None:
        with EvidenceFiles(tmp_path).placing():
            placed.set()
            go_on.wait(10)

    other = threading.Thread(target=other_request)
    other.start()
    placed.wait(10)
    files.place(incoming)
    assert files.remove_unused([incoming.sha256], nobody) == []
    files.open_intact(incoming.sha256).close()
    go_on.set()
    other.join()
    assert files.remove_unused([incoming.sha256], nobody) == [incoming.sha256]


def test_sweep_removes_what_crashes_left_behind(tmp_path: Path):
    files = EvidenceFiles(tmp_path)
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming/nooit-afgemaakt").write_bytes(b"half")
    orphan = received(files, b"niemand wijst hierheen")
    files.place(orphan)
    assert files.sweep(nobody, at=datetime.now(UTC)) == []  # perhaps somebody is still at it
    assert files.sweep(everybody, at=LATER) == []
    assert not any((tmp_path / "incoming").iterdir())
    stranger = files.path_of(orphan.sha256).with_name(".nfs0001")
    stranger.write_bytes(b"van het bestandssysteem")
    assert files.sweep(nobody, at=LATER) == [orphan.sha256]
    assert not files.path_of(orphan.sha256).exists()
    assert stranger.exists()


def test_sweep_of_an_installation_without_evidence_does_nothing(tmp_path: Path):
    assert EvidenceFiles(tmp_path / "evidence").sweep(nobody, at=LATER) == []


def test_file_is_used_as_long_as_any_municipality_refers_to_it(database: Database):
    with database.write() as session:
        unscoped(session, "a test makes two municipalities")
        sides = [a_municipality_with_a_run(session, name) for name in "AB"]
        session.add(
            EvidenceRow(
                municipality_id=sides[1].municipality,
                run_id=sides[1].run,
                ref="verkennen.1",
                step="overzicht",
                kind="verslag",
                form="file",
                title="Verslag",
                grounds=[],
                sha256="a" * 64,
                salt="00",
                commitment="c",
                added_by=sides[1].user,
                added_at=NOW,
            )
        )
    with database.read() as session:
        assert used_hashes(session)(["a" * 64, "b" * 64]) == {"a" * 64}


def test_beginning_is_read_without_the_rest_and_what_is_there_whole_is_checked(tmp_path: Path):
    files = EvidenceFiles(tmp_path / "evidence")
    incoming = received(files, b"begin" + b"-" * 100)
    files.place(incoming)
    path = files.path_of(incoming.sha256)
    assert files.beginning(incoming.sha256, size=105, limit=5) == b"begin"
    path.write_bytes(b"begin" + b"+" * 100)
    assert files.beginning(incoming.sha256, size=105, limit=5) == b"begin", "the rest is for the download to check"
    with pytest.raises(FileDamaged):
        files.beginning(incoming.sha256, size=105, limit=105)
    path.write_bytes(b"begin")
    with pytest.raises(FileDamaged):
        files.beginning(incoming.sha256, size=105, limit=5)
    path.unlink()
    with pytest.raises(FileMissing):
        files.beginning(incoming.sha256, size=105, limit=5)
