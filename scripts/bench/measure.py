"""Measuring side by side, in turns, so that whatever else the machine does hits all of them alike.

Who comes straight after its like finds the caches of the processor warm, so from three sides on every order has its
turn: A B C, A C B, B A C …"""

from __future__ import annotations

import gc
import itertools
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from scripts.bench.client import Answer

Do = Callable[[], Awaitable[Answer]]
WARM_UP = 5  # requests before the first that counts


@dataclass(slots=True)
class Series:
    """Seconds."""

    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1] if len(self.seconds) > 1 else self.seconds[0]


async def alternate(sides: Sequence[Do], rounds: int) -> list[Series]:
    """One series for each side."""
    for _ in range(WARM_UP):
        for do in sides:
            await do()
    gc.collect()
    series = [Series() for _ in sides]
    numbers = range(len(sides))
    orders = itertools.permutations(numbers) if len(sides) > 2 else [numbers]
    for order in itertools.islice(itertools.cycle(orders), rounds):
        for number in order:
            series[number].seconds.append((await sides[number]()).seconds)
    return series
