"""make prove: how many answers were searched for a word of another municipality, on both databases.

    python -m scripts.prove_isolation [--sqlite-only]

Municipality B has a canary in every field that can hold text. Everybody in municipality A then asks for everything,
with ids of B in paths, queries, headers and bodies, alone and mixed with their own; every answer is searched, inside
PDF files and archives too. Exits with 1 when a canary is found, or when an id of B is told from an absent one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from app.storage.database import Database
from tests.databases import PostgreSQL, end_run, new_sqlite_database, start_run
from tests.features.client import a_world
from tests.security.canaries import SINGING, plant, silent_columns
from tests.security.sweeping import Sweep, somebody_of_every_role

ANSWERS_MIN = 5_000  # on each database


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.prove_isolation")
    parser.add_argument("--sqlite-only", action="store_true")
    options = parser.parse_args()
    start_run()
    try:
        return max([_prove(kind) for kind in ("sqlite", "postgresql") if kind == "sqlite" or not options.sqlite_only])
    finally:
        end_run()


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Database]:
    if kind == "sqlite":
        database = new_sqlite_database(folder)
        yield database
        database.dispose()
    else:
        server = PostgreSQL("prove")
        yield server.database
        server.close()


def _prove(kind: str) -> int:
    with tempfile.TemporaryDirectory() as folder, _database(kind, Path(folder)) as database:
        planted = plant(a_world(database, data_dir=Path(folder) / "data"))
        structlog.configure(processors=[_say_nothing])  # the application tells of every refusal
        sweep, told_apart = Sweep(planted, thorough=True), []
        people = somebody_of_every_role()
        for login in people:
            told_apart += sweep.differences(login)
            sweep.everything(login)
        silent = silent_columns(planted.world)
    seen = sweep.lookout
    statuses = ", ".join(f"{status}: {number}" for status, number in sorted(seen.by_status.items()))
    print(
        f"{kind}: {seen.answers:,} answers ({seen.bytes / 2**20:.0f} MiB) to {len(people)} roles searched for canaries "
        f"from {len(SINGING) - len(silent)} of {len(SINGING)} columns: {len(seen.leaks)} found; "
        f"ids told from absent ones: {len(told_apart)}; answers by status: {statuses}"
    )
    for problem in (*seen.leaks[:20], *told_apart[:20], *(f"{name} has no canary" for name in silent)):
        print(f"  {problem}")
    is_enough = seen.answers >= ANSWERS_MIN
    return 0 if is_enough and not (seen.leaks or told_apart or silent) else 1


def _say_nothing(*_: object) -> dict[str, str]:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
