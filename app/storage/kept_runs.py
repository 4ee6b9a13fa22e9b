"""Runs as they were loaded, kept in memory while people work on them.

How a run stands is a function of its events, and each event gives it the next revision. So what was loaded once is what
would be loaded again, as long as the run is at the same moment; the database is asked for that moment each time. A run
holds who, when, choices and commitments: no answer, no text and no name, which can be erased without an event.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from threading import Lock
from typing import Final, NamedTuple

from cachetools import LRUCache

from app.engine.run import Run

PIECES_KEPT_MAX: Final = 20_000  # stages and steps, about 1.5 kB each: those of 400 runs of 50 steps


class Moment(NamedTuple):
    """In the history of a run. The time tells apart what happened to a database and to a copy that took its place."""

    revision: int
    changed_at: datetime


class KeptRuns:
    """Those that nobody asked for longest make room."""

    def __init__(self, pieces_max: int = PIECES_KEPT_MAX) -> None:
        self._kept: Final[LRUCache[Hashable, tuple[Moment, Run]]] = LRUCache(pieces_max, lambda kept: _pieces(kept[1]))
        self._lock: Final = Lock()

    def find(self, key: Hashable, moment: Moment) -> Run | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] == moment else None

    def keep(self, key: Hashable, moment: Moment, run: Run) -> None:
        """Nothing for a run that is larger than all that may be kept."""
        if _pieces(run) <= self._kept.maxsize:
            with self._lock:
                self._kept[key] = moment, run


def _pieces(run: Run) -> int:
    steps = sum(len(instance.steps) for instance in run.stages.values())
    return 1 + len(run.stages) + steps + len(run.parked) + len(run.advice)
