"""The benchmark measures what it says: its data is consistent, its requests do something, its verdicts follow aims."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from sqlmodel import func, select

from app.settings import Settings
from app.storage.database import Database, create_engine_for
from app.storage.scope import set_scope
from app.storage.tables import RunRow
from scripts.bench import ceilings
from scripts.bench.client import Client, UnexpectedAnswer
from scripts.bench.dataset import VARIATIONS, build, check
from scripts.bench.measure import Series, alternate
from scripts.bench.places import Place
from scripts.bench.plans import scaled_plan
from scripts.bench.scenarios import Kind, Scenario, Side, scenarios
from scripts.bench.stores import SqliteStore
from scripts.bench.table import Line, Outcome, Verdict, show
from tests.databases import PostgreSQL

PLACES = [Place(1), Place(2)]
RUNS = 2 * len(VARIATIONS)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("bench")
    target, work = (create_engine_for(f"sqlite:///{folder / name}.sqlite3") for name in ("all", "work"))
    build(target, work, PLACES, runs_each=RUNS)
    work.dispose()
    database = Database(target)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def measured(built: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scenario]:
    side = Side(built, Settings(data_dir=tmp_path_factory.mktemp("data")), PLACES[0])
    return {scenario.name: scenario for scenario in scenarios(side)}


def test_history_of_every_copy_tells_the_same_as_its_tables(built: Database):
    for place in PLACES:
        check(built, place, range(RUNS))


def test_each_municipality_has_its_own_runs(built: Database):
    for place in PLACES:
        with built.read() as session:
            set_scope(session, place.municipality)
            assert session.exec(select(func.count()).select_from(RunRow)).one() == RUNS


def test_copies_fit_postgresql_too(postgresql: PostgreSQL, tmp_path: Path):
    work = create_engine_for(f"sqlite:///{tmp_path / 'work.sqlite3'}")
    with postgresql.scratch("bench") as target:
        build(target, work, PLACES[:1], runs_each=len(VARIATIONS))
        check(Database(target), PLACES[0], range(len(VARIATIONS)))
    work.dispose()


def test_every_request_of_the_benchmark_is_answered(measured: dict[str, Scenario]):
    async def twice() -> None:
        for scenario in measured.values():
            for _ in range(2):
                answer = await scenario.do()
                assert answer.queries > 0, scenario.name
                assert bool(answer.body) == (scenario.kind is not Kind.CHANGE), scenario.name

    asyncio.run(twice())


def test_requests_cover_what_is_promised(measured: dict[str, Scenario]):
    assert {"overview", "run", "stage", "step", "report", "save a step", "complete a step", "approve"} <= set(measured)


def test_page_of_the_ceiling_is_as_large_as_the_page_beside_it(tmp_path: Path):
    engine = create_engine_for(f"sqlite:///{tmp_path / 'ceilings.sqlite3'}")
    ceilings.fill(engine, {"small": 20_000, "large": 130_000})
    bare = Client(ceilings.create_ceilings(engine))

    async def sizes() -> list[int]:
        return [len((await bare.get(f"/paginas/{page}")).body) for page in ("small", "large", ceilings.SHORT)]

    small, large, short = asyncio.run(sizes())
    assert small == pytest.approx(20_000, rel=0.05)
    assert large == pytest.approx(130_000, rel=0.05)
    assert short < small
    engine.dispose()


def test_refused_request_ends_the_measurement(measured: dict[str, Scenario], built: Database, tmp_path: Path):
    stranger = Client(Side(built, Settings(data_dir=tmp_path), PLACES[0]).app)
    with pytest.raises(UnexpectedAnswer):
        asyncio.run(stranger.get("/"))


def test_sides_are_measured_in_alternation(measured: dict[str, Scenario]):
    order: list[str] = []

    def side(name: str):
        async def do():
            order.append(name)
            return await measured["step plan"].do()

        return do

    first, second = asyncio.run(alternate([side("A"), side("B")], 3))

    assert order == ["A", "B"] * (len(order) // 2)
    assert len(first.seconds) == len(second.seconds) == 3


def test_no_side_is_always_measured_after_the_same_other(measured: dict[str, Scenario]):
    order: list[str] = []

    def side(name: str):
        async def do():
            order.append(name)
            return await measured["step plan"].do()

        return do

    asyncio.run(alternate([side("A"), side("B"), side("C")], 6))

    counted = order[-6 * 3 :]
    assert [counted.count(name) for name in "ABC"] == [6, 6, 6]
    for name in "ABC":
        before = {counted[place - 1] for place in range(1, len(counted)) if counted[place] == name}
        assert before >= set("ABC") - {name}


@pytest.mark.parametrize("steps", [30, 300])
def test_scaled_plan_has_as_many_steps_as_it_says(steps: int):
    assert sum(len(stage.steps) for stage in scaled_plan(steps).plan.stages) == steps


def a_line(name: str, kind: Kind, *, queries: int = 8, full: float = 2.0, alone: float = 2.0) -> Line:
    return Line(name, kind, queries, 1000, Series([full, full]), Series([alone, alone]), Series([1.0, 1.0]))


def test_missed_aims_are_named():
    outcome = Outcome(
        "proef",
        lines=[
            a_line("good page", Kind.PAGE),
            a_line("slow page", Kind.PAGE, full=2.1),
            a_line("slow change", Kind.CHANGE, full=2.6, queries=20, alone=2.6),
            a_line("many queries", Kind.PAGE, queries=9),
            a_line("grows", Kind.CHANGE, full=2.4, alone=1.8),
        ],
        others=[Verdict("steps", "×", 1.21, 1.2), Verdict("steps again", "×", 1.2, 1.2)],
    )
    console = Console(width=130, record=True)
    show(outcome, console)

    assert [verdict.of for verdict in outcome.missed()] == [
        "slow page",
        "slow change",
        "many queries",
        "grows",
        "steps",
    ]
    assert "5 aims are missed" in console.export_text()


def test_table_shows_the_ceiling_that_is_the_same_for_every_page():
    line = Line(
        "page", Kind.PAGE, 4, 90_000, Series([3.0, 3.0]), Series([3.0, 3.0]), Series([1.5, 1.5]), Series([1.2, 1.2])
    )
    console = Console(width=140, record=True)
    show(Outcome("proef", lines=[line]), console)

    assert "2.50" in console.export_text()
    assert line.cost is not None
    assert line.cost.found == 2


def test_store_knows_what_is_finished(tmp_path: Path):
    store = SqliteStore(tmp_path)
    create_engine_for(store.fresh("all")).connect().close()
    assert store.stamp("all") is None
    store.finish("all", "abc")
    assert store.stamp("all") == "abc"
    store.copy("all", "copy")
    assert store.stamp("copy") is None
    store.fresh("all")
    assert store.stamp("all") is None
