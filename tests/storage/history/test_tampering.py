"""Whatever somebody does to an export, who has the fingerprint and an earlier head refuses it, and hears why."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.log import fingerprint
from app.storage.history import verify_export
from app.storage.history.export import PROGRAM
from app.storage.history.keys import public_pem
from tests.databases import new_sqlite_database
from tests.storage.history.auditing import Auditor, an_auditor
from tests.storage.history.making import zipped
from tests.storage.history.tampering import WAYS, a_key, tampered

# The long run is `make prove`.
MUTATIONS = int(os.environ.get("STAPPENPLAN_PROVE_MUTATIONS", "300"))


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Auditor]:
    folder = tmp_path_factory.mktemp("history")
    database = new_sqlite_database(folder)
    yield an_auditor(database, folder)
    database.dispose()


def test_export_that_nobody_touched_is_in_order(auditor: Auditor, tmp_path: Path):
    path = tmp_path / "export.zip"
    path.write_bytes(auditor.export)
    assert auditor.refusal(path) is None
    assert auditor.refusal(zipped(auditor.target.genuine, path)) is None
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert auditor.refusal(tmp_path / "unpacked") is None


def test_every_mutation_of_an_export_is_refused_with_a_reason(auditor: Auditor, tmp_path: Path):
    accepted, ways = [], Counter[str]()
    for seed in range(MUTATIONS):
        way, files = tampered(auditor.target, seed)
        ways[way] += 1
        refusal = auditor.refusal(zipped(files, tmp_path / "tampered.zip"))
        if refusal is None:
            accepted.append((seed, way))
        else:
            assert all(reason.isprintable() and reason for reason in refusal), refusal
    assert accepted == []
    if 10 * len(WAYS) < MUTATIONS:
        assert set(ways) == set(WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_refused(auditor: Auditor, tmp_path: Path, way: str):
    found = 0
    for seed in range(1_000_000, 1_100_000):
        name, files = tampered(auditor.target, seed)
        if name == way:
            found += 1
            assert auditor.refusal(zipped(files, tmp_path / "tampered.zip")) is not None, seed
            if found == 2:
                return
    pytest.fail(f"{way} was never drawn")


def test_no_flipped_bit_of_the_zip_itself_passes_for_another_history(auditor: Auditor, tmp_path: Path):
    """A bit beside what counts, in a date or in the README, changes nothing."""
    chance, path = random.Random(11), tmp_path / "flipped.zip"
    for _ in range(200):
        whole = bytearray(auditor.export)
        whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(whole)
        if auditor.refusal(path) is None:
            with zipfile.ZipFile(path) as archive:
                for name in sorted(verify_export.FILES - {"README.txt", "verify_export.py"}):
                    assert archive.read(name).split(b"\n")[:-1] == auditor.target.genuine[name]


def test_another_key_than_expected_is_refused(auditor: Auditor, tmp_path: Path):
    path = zipped(auditor.target.genuine, tmp_path / "export.zip")
    with pytest.raises(verify_export.Refused, match="The key is another one"):
        verify_export.verify(path, a_key(1).fingerprint, [])


def test_rolled_back_history_is_only_seen_with_an_earlier_head_and_the_program_says_so(
    auditor: Auditor, tmp_path: Path
):
    """Cut at a genuine head, every byte is genuine: no program can tell from the export alone."""
    files = {name: [*lines] for name, lines in auditor.target.genuine.items()}
    last = auditor.target.kept - 1
    head = json.loads(files["heads.jsonl"][last])["head"]
    files["heads.jsonl"], files["proofs.jsonl"] = files["heads.jsonl"][: last + 1], files["proofs.jsonl"][:last]
    files["entries.jsonl"] = files["entries.jsonl"][: head["size"]]
    files["public-key.pem"] = public_pem(head["key"]).encode().splitlines()
    path = zipped(files, tmp_path / "back.zip")
    (tmp_path / "head.json").write_bytes(auditor.kept + b"\n")

    known = fingerprint(head["key"])  # of before the key was renewed
    without = _run(path, "--fingerprint", known)
    assert without.returncode == 0
    assert "ziet u NIET" in without.stdout
    assert "can NOT see" in without.stdout
    with_head = _run(path, "--fingerprint", known, "--head", str(tmp_path / "head.json"))
    assert with_head.returncode == 1
    assert "teruggedraaid" in with_head.stdout
    assert "a rollback" in with_head.stdout


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """As an auditor does: the file alone, without our packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", PROGRAM, *map(str, words)], capture_output=True, text=True, check=False
    )


def test_program_says_what_is_in_order_and_takes_the_fingerprint_as_people_write_it(auditor: Auditor, tmp_path: Path):
    path = zipped(auditor.target.genuine, tmp_path / "export.zip")
    (tmp_path / "head.json").write_bytes(auditor.kept + b"\n")
    written = ":".join(auditor.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    done = _run(path, "--fingerprint", written, "--head", str(tmp_path / "head.json"))
    assert (done.returncode, done.stderr) == (0, "")
    size = len(auditor.target.genuine["entries.jsonl"])
    assert f"IN ORDE: {size} gebeurtenissen in 3 trajecten" in done.stdout
    assert f"IN ORDER: {size} events in 3 runs" in done.stdout
    assert "ziet u NIET" not in done.stdout
    assert "ziet geen controle" in done.stdout


@pytest.mark.parametrize(
    "words", [[], ["x.zip"], ["x.zip", "--fingerprint", "kort"], ["x.zip", "--fingerprint", "0" * 64, "--head", "weg"]]
)
def test_wrong_use_is_no_verdict(words: list[str]):
    done = _run(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_is_no_export_is_refused_without_a_traceback(tmp_path: Path):
    (tmp_path / "tekst.zip").write_text("geen zip", "utf-8")
    for path in (tmp_path / "tekst.zip", tmp_path / "weg.zip", tmp_path):
        done = _run(path, "--fingerprint", "0" * 64)
        assert (done.returncode, done.stderr) == (1, ""), done.stderr
        assert done.stdout.startswith("GEWEIGERD: ")


def test_program_is_one_file_of_at_most_400_lines_that_takes_the_standard_library_only():
    source = PROGRAM.read_text("utf-8")
    assert len(source.splitlines()) <= 400
    assert "import app" not in source
    assert "from app" not in source
