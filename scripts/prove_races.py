"""make prove: races with fifty at once, on SQLite and PostgreSQL, each served by two processes.

    python -m scripts.prove_races [--at-once N] [--times N] [--only NAME]

Exits with 1 when a race had another outcome than exactly one effect, an answer was a fault of ours, or the history
did not hold afterwards.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path

from app.storage.database import Database
from tests.databases import PostgreSQL, end_run, new_sqlite_database, start_run
from tests.races.place import Place, a_place
from tests.races.races import RACES

say = partial(print, file=sys.stdout, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.prove_races")
    parser.add_argument("--at-once", type=int, default=50, metavar="N")
    parser.add_argument("--times", type=int, default=3, metavar="N")
    parser.add_argument("--only", default="", metavar="NAME")
    options = parser.parse_args()
    failed = 0
    start_run()
    try:
        for kind in ("sqlite", "postgresql"):
            with (
                redirect_stdout(sys.stderr),  # what the application logs; the figures are all there is on the other
                tempfile.TemporaryDirectory() as folder,
                _database(kind, Path(folder)) as database,
                a_place(database, Path(folder) / "data") as place,
            ):
                failed += _race(kind, place, options.at_once, options.times, options.only)
    finally:
        end_run()
    say(f"{failed} races failed" if failed else "Every race had exactly one effect.")
    return 1 if failed else 0


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Database]:
    if kind == "sqlite":
        database = new_sqlite_database(folder)
        yield database
        database.dispose()
        return
    server = PostgreSQL("prove")
    yield server.database
    server.close()


def _race(kind: str, place: Place, at_once: int, times: int, only: str) -> int:
    failed = 0
    for race in RACES:
        if only and only != race.__name__:
            continue
        found = Counter[int]()
        for _ in range(times):
            try:
                found += race(place, at_once)
            except AssertionError as error:
                failed += 1
                say(f"{kind}: {race.__name__}: {str(error)[:500]}")
        told = ", ".join(f"{count} x {status}" for status, count in sorted(found.items()))
        say(f"{kind:10} {race.__name__.replace('_', ' '):36} {times} times {at_once} at once: {told}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
