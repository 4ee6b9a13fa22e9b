"""The outcome as tables: figures, aims, and which aims are missed."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from scripts.bench.measure import Series
from scripts.bench.scenarios import Kind

QUERIES_MAX = 8
GROWTH_MAX = 1.3  # with the data of all others, against alone
READ_MAX = 2.0  # times the read ceiling
WRITE_MAX = 2.5  # times the write ceiling
STEPS_MAX = 1.2  # completing a step in a plan of 300 steps, against one of 30


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure with its aim."""

    of: str
    what: str
    found: float
    aim: float

    @property
    def is_met(self) -> bool:
        # As printed: nobody can see the third decimal.
        return round(self.found, 2) <= self.aim

    def __str__(self) -> str:
        return f"{self.of}: {self.what} {self.found:.2f}, aim {self.aim:g}"


@dataclass(frozen=True, slots=True)
class Line:
    """`alone`: the same municipality in a database of its own. `ceiling`: the bare route; none for files. `short`: the
    bare route with a page of sixty short rows, the same beside every page, so that the ceiling is seen to stay put."""

    name: str
    kind: Kind
    queries: int
    bytes: int
    full: Series
    alone: Series
    ceiling: Series | None
    short: Series | None = None

    @property
    def growth(self) -> Verdict:
        return Verdict(self.name, "× alone", self.full.median / self.alone.median, GROWTH_MAX)

    @property
    def cost(self) -> Verdict | None:
        if self.ceiling is None:
            return None
        aim = READ_MAX if self.kind is Kind.PAGE else WRITE_MAX
        return Verdict(self.name, "× ceiling", self.full.median / self.ceiling.median, aim)

    @property
    def asked(self) -> Verdict | None:
        """Changes have no limit of their own; what they cost is in their time."""
        return None if self.kind is Kind.CHANGE else Verdict(self.name, "queries", self.queries, QUERIES_MAX)

    def verdicts(self) -> list[Verdict]:
        return [verdict for verdict in (self.asked, self.growth, self.cost) if verdict]


@dataclass(slots=True)
class Outcome:
    title: str
    lines: list[Line] = field(default_factory=list)
    others: list[Verdict] = field(default_factory=list)

    def missed(self) -> list[Verdict]:
        found = [verdict for line in self.lines for verdict in line.verdicts()]
        return [verdict for verdict in [*found, *self.others] if not verdict.is_met]


def show(outcome: Outcome, console: Console) -> None:
    table = Table(title=outcome.title, title_justify="left", caption_justify="left", caption=_CAPTION)
    table.add_column("")
    for heading in (
        "queries",
        "median ms",
        "p95 ms",
        "kB",
        "alone ms",
        "× alone",
        "ceiling ms",
        "× ceiling",
        "× short",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in outcome.lines:
        table.add_row(
            line.name,
            _marked(line.asked, ".0f") if line.asked else f"{line.queries}  ",
            _ms(line.full.median),
            _ms(line.full.p95),
            f"{line.bytes / 1000:.1f}",
            _ms(line.alone.median),
            _marked(line.growth),
            _ms(line.ceiling.median) if line.ceiling else "",
            _marked(line.cost) if line.cost else "",
            f"{line.full.median / line.short.median:.2f}" if line.short else "",
        )
    console.print(table)
    for verdict in outcome.others:
        console.print(f"{'✓' if verdict.is_met else '✗'} {verdict}", highlight=False)
    missed = outcome.missed()
    console.print("All aims are met." if not missed else f"{len(missed)} aims are missed:", highlight=False)
    for verdict in missed:
        console.print(f"  ✗ {verdict}", highlight=False)


_CAPTION = (
    f"Aims: at most {QUERIES_MAX} queries a page, {GROWTH_MAX} × alone, a page {READ_MAX} × the read ceiling, "
    f"a change {WRITE_MAX} × the write ceiling. × short: the read ceiling with sixty short rows, whatever the page."
)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def _marked(verdict: Verdict, form: str = ".2f") -> str:
    return f"{verdict.found:{form}} {'✓' if verdict.is_met else '✗'}"
