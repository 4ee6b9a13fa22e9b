"""python -m scripts.bench.moves: what a newer version of a plan costs, for many runs and for a large plan.

    python -m scripts.bench.moves [--runs N] [--folder DIR]

Builds one municipality with N runs of inclusief-beleid 1.0.0 in which work was done, and measures what `stappenplan
impact` looks at and a mass move of all of them to the newest version, both in a process of their own: runs a second,
and the memory of that process at the start, halfway and at the end. Further the time to load a plan of 500 steps, the
first time and from memory. DATABASE_URL names a PostgreSQL server to measure on instead of SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Event
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from app.catalogue.loader import Document, LoadedPlan, from_document, load_bytes
from app.catalogue.versions import precedence
from app.features.mass_moves.worker import carry_on
from app.resources import stepplans_dir
from app.storage import mass_moves, plans
from app.storage.database import Database, create_engine_for
from app.storage.mass_moves import RunOutcome
from app.storage.plan_routes import comparison
from app.storage.run_impact import run_impacts
from app.storage.run_selection import Selection, all_of
from app.storage.scope import set_scope
from app.storage.upgrade import upgrade
from app.web.logs import configure_logs
from scripts.bench import dataset
from scripts.bench.places import SINCE, Place
from scripts.bench.plans import MAIN_PLAN, main_plan, scaled_plan
from scripts.bench.stores import PostgresqlStore, SqliteStore, Store

RUNS = 5_000
STEPS = 500  # of the large plan
LOADS = 20
PLACE = Place(1)
MIB = 1024**2
Result = TypeVar("Result")


@dataclass(slots=True)
class Measured:
    """`memory`: MiB that the process had at the start, halfway and at the end; `peak` the most it ever had. `cpu`: of
    the seconds, those in which the process itself was at work; on a busy machine they say more than the others."""

    what: str
    runs: int
    seconds: float
    cpu: float
    memory: list[float] = field(default_factory=list)
    peak: float = 0.0
    told: str = ""


class Watch:
    """Notes the memory of this process at the first, the middle and the last of so many runs."""

    def __init__(self, runs: int) -> None:
        self.at = {1, runs // 2, runs}
        self.seen = 0
        self.memory: list[float] = []

    def run(self) -> None:
        self.seen += 1
        if self.seen in self.at:
            self.memory.append(_resident())


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 140)
    folder: Path = options.folder.absolute()
    url = os.environ.get("DATABASE_URL")
    store: Store = PostgresqlStore(url) if url else SqliteStore(folder)
    target = _in_own_process(build, store.fresh("moves"), store.fresh("work"), options.runs)
    store.drop("work")
    lines = [
        _in_own_process(measure_impact, store.url("moves"), options.runs, target),
        _in_own_process(measure_mass_move, store.url("moves"), options.runs, target),
    ]
    loading = _in_own_process(measure_loading, store.fresh("large"))
    store.drop("moves")
    store.drop("large")
    kind = "PostgreSQL" if url else "SQLite, synchronous=FULL"
    show(console, lines, f"{kind} · Python {platform.python_version()}, {os.cpu_count()} cores")
    first = f"{loading.cold:.1f} ms the first time, {loading.cached:.4f} ms from memory"
    console.print(f"Load a plan of {STEPS} steps: {first}; read and check its file: {loading.file:.0f} ms")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.moves", description="What a newer version costs.")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N")
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where the data is made")
    return parser.parse_args()


def _in_own_process(do: Callable[..., Result], *given: object) -> Result:
    """So that memory is that of the work, and not of what was built before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(do, *given).result()


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(create_engine_for(url))
    yield database
    database.dispose()


# --- the data ----------------------------------------------------------------------------------------------------


def build(url: str, work_url: str, runs: int) -> str:
    """Gives the digest of the newest version of the main plan."""
    target, work = create_engine_for(url), create_engine_for(work_url)
    dataset.build(target, work, [PLACE], runs_each=runs)
    work.dispose()
    newest = newest_version()
    database = Database(target)
    with database.write() as session:
        plans.pin(session, newest, at=SINCE)
    dataset.check(database, PLACE, range(min(runs, len(dataset.VARIATIONS))))
    database.dispose()
    return newest[-1].plan.digest


def newest_version() -> list[LoadedPlan]:
    """Every version of the main plan, oldest first; where there is one only, a next one in which a question differs."""
    folder = (stepplans_dir() / MAIN_PLAN).parent
    found = [load_bytes(path.read_bytes(), path.name) for path in folder.glob("*.yaml") if "-" not in path.stem]
    found.sort(key=lambda loaded: precedence(loaded.plan.version))
    return found if len(found) > 1 else [*found, _synthetic()]


def _synthetic() -> LoadedPlan:
    document = json.loads(json.dumps(main_plan().document))
    document["plan"]["version"] = "2.0.0"
    summary = {"text": {"nl": "Een vraag betekent iets anders."}, "addition": True}
    document["changes"] = {"since": "1.0.0", "summary": summary}
    question = document["stages"][0]["steps"][0]["questions"][0]
    question["text"] = {"nl": "Wat is er nu anders dan toen?"}
    return load_bytes(json.dumps(document).encode(), "2.0.0.yaml")


# --- measuring ---------------------------------------------------------------------------------------------------


def measure_impact(url: str, runs: int, target: str) -> Measured:
    with _opened(url) as database:
        with database.read() as session:
            asked = {main_plan().plan.digest: comparison(session, main_plan().plan.digest, target)}
        watch, hit = Watch(runs), 0
        began, cpu = time.perf_counter(), time.process_time()
        for impact in run_impacts(database, PLACE.municipality, asked):
            hit += impact.is_hit
            watch.run()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Measured("impact", watch.seen, seconds, cpu, watch.memory, _peak(), f"{hit} hit")


def measure_mass_move(url: str, runs: int, target: str) -> Measured:
    configure_logs()
    with _opened(url) as database:
        id = _write_down(database, target)
        watch = Watch(runs + 1)  # the clock is read once before the first run

        def clock() -> datetime:
            watch.run()
            return datetime.now(UTC)

        began, cpu = time.perf_counter(), time.process_time()
        asyncio.run(carry_on(database, id, PLACE.municipality, clock=clock, stopping=Event()))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        with database.read() as session:
            set_scope(session, PLACE.municipality)
            counts = mass_moves.counts(session, [id])[id]
        told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in RunOutcome if counts[outcome])
        dataset.check(database, PLACE, range(min(runs, len(dataset.VARIATIONS))))
    return Measured("mass move", sum(counts.values()), seconds, cpu, watch.memory, _peak(), told)


def _write_down(database: Database, target: str) -> str:
    id, plan = str(uuid.uuid4()), main_plan().plan
    with database.write() as session:
        set_scope(session, PLACE.municipality)
        newest = plans.load_plan(session, target)
        selection = Selection(plan.id, (plan.version,))
        mass_moves.add(
            session,
            id,
            plan_id=newest.id,
            to_version=newest.version,
            to_digest=newest.digest,
            chosen={"versions": [plan.version], "stage": "", "domain": "", "all": True},
            reason="De nieuwe versie is helderder.",
            runs=list(all_of(session, selection)),
            by=str(PLACE.id("beheer")),
            at=SINCE,
        )
    return id


@dataclass(frozen=True, slots=True)
class Loading:
    """Milliseconds for the large plan: read and checked as a file; the first time in a process, compiled from what the
    database holds; and from memory."""

    file: float
    cold: float
    cached: float


def measure_loading(url: str) -> Loading:
    text = json.dumps(_large_document(), ensure_ascii=False, separators=(",", ":")).encode()
    large = load_bytes(text, "meetplan.yaml")
    digest = large.plan.digest
    with _opened(url) as database:
        upgrade(database.engine)
        with database.write() as session:
            plans.pin(session, [large], at=SINCE)
        with database.read() as session:
            # Not load_plan: it keeps what it compiled, and would be fast from the second time on.
            cold = [_timed(lambda: from_document(plans.load_document(session, digest))) for _ in range(LOADS)]
            plans.load_plan(session, digest)
            cached = [_timed(lambda: plans.load_plan(session, digest)) for _ in range(LOADS)]
    return Loading(_timed(lambda: load_bytes(text, "meetplan.yaml")), median(cold), median(cached))


def _large_document() -> Document:
    """The plan of 100 steps with each of them five times, in a form without layout: a file has a limit."""
    document: Document = json.loads(json.dumps(scaled_plan(STEPS // 5).document))
    for stage in document["stages"]:
        first = stage["steps"]
        more = [{**step, "id": f"{step['id']}-{again}"} for again in range(2, 6) for step in first]
        stage["steps"] = [*first, *more]
    return document


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def show(console: Console, lines: list[Measured], title: str) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("runs", "runs/s", "CPU ms/run", "MiB at start", "halfway", "at the end", "peak"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("outcome")
    for line in lines:
        speed = line.runs / line.seconds if line.seconds else 0.0
        cpu = f"{line.cpu / line.runs * 1000:.1f}" if line.runs else ""
        memory = [f"{each:.0f}" for each in line.memory]
        table.add_row(line.what, f"{line.runs}", f"{speed:.0f}", cpu, *memory, f"{line.peak:.0f}", line.told)
    console.print(table)


if __name__ == "__main__":
    main()
