"""The stages of a run as a drawing of its step plan, with the state of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from cachetools import LRUCache, cached

from app.engine.definition import StepPlan
from app.engine.standing import Standing
from app.web.i18n import Language
from app.web.plan_graph import PlanGraph, plan_graph

GRAPHS_KEPT_MAX = 64  # in memory; one of eight stages takes about 20 kB


@cached(LRUCache(GRAPHS_KEPT_MAX), key=lambda plan, language: (plan.digest, language), lock=Lock())
def run_graph(plan: StepPlan, language: Language) -> PlanGraph:
    """Laid out once per process while it is in use: that takes as long as all else on the page."""
    return plan_graph(plan, language, with_states=True)


MIXED = "mixed"
"""The state of a stage that does not stand the same in each domain."""


def states_by_stage(standings: Iterable[Standing]) -> Mapping[str, str]:
    states: dict[str, str] = {}
    for standing in standings:
        state = standing.state.value
        stage = standing.ref.stage
        states[stage] = state if states.setdefault(stage, state) == state else MIXED
    return states
