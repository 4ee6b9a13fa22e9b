"""make prove: exports of the history under thousands of careful forgeries, and how fast the auditor's program is.

    python -m scripts.prove_history [--mutations N] [--events N]

Exits with 1 when a forgery is accepted, or a good export is not. The speed is told and not judged.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.storage.database import Database, create_engine_for
from app.storage.history.export import PROGRAM
from app.storage.upgrade import upgrade
from tests.storage.history.auditing import Auditor, an_auditor
from tests.storage.history.making import zipped
from tests.storage.history.tampering import tampered

SECONDS_MAX = 5  # for 10,000 events


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.prove_history")
    parser.add_argument("--mutations", type=int, default=2500, metavar="N")
    parser.add_argument("--events", type=int, default=10_000, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return max(_forge(Path(folder), options.mutations), _time(Path(folder), options.events))


@contextmanager
def _auditor(folder: Path, events: int) -> Iterator[Auditor]:
    folder.mkdir()
    database = Database(create_engine_for(f"sqlite:///{folder / 'history.sqlite3'}"))
    upgrade(database.engine)
    yield an_auditor(database, folder, events=events)
    database.dispose()


def _forge(folder: Path, mutations: int) -> int:
    ways, reasons, accepted = Counter[str](), Counter[str](), []
    with _auditor(folder / "forged", 60) as auditor:
        if refusal := auditor.refusal(zipped(auditor.target.genuine, folder / "genuine.zip")):
            print(f"The export that nobody touched is refused: {refusal[1]}")
            return 1
        for seed in range(mutations):
            way, files = tampered(auditor.target, seed)
            refusal = auditor.refusal(zipped(files, folder / "forged.zip"))
            ways[way] += 1
            if refusal is None:
                accepted.append(f"{way} (seed {seed})")
            else:
                reasons[re.sub(r"[0-9a-f-]{36}|[0-9]+|'.*'", "…", refusal[1])] += 1
    print(f"{mutations} forgeries in {len(ways)} ways: {mutations - len(accepted)} refused, {len(accepted)} accepted")
    for reason, count in reasons.most_common():
        print(f"{count:6}  {reason}")
    for one in accepted:
        print(f"accepted: {one}")
    return 1 if accepted else 0


def _time(folder: Path, events: int) -> int:
    with _auditor(folder / "timed", events) as auditor:
        path, heads = folder / "timed.zip", len(auditor.target.genuine["heads.jsonl"])
        path.write_bytes(auditor.export)
        (folder / "head.json").write_bytes(auditor.kept + b"\n")
    words = ["--fingerprint", auditor.fingerprint, "--head", str(folder / "head.json")]
    begun = time.perf_counter()
    checked = subprocess.run([sys.executable, "-I", PROGRAM, path, *words], check=False, stdout=subprocess.PIPE)
    seconds = time.perf_counter() - begun
    verdict = "within" if seconds <= SECONDS_MAX else "NOT within"
    print(f"{events} events under {heads} heads checked in {seconds:.2f} s, {verdict} {SECONDS_MAX} s")
    return checked.returncode


if __name__ == "__main__":
    sys.exit(main())
