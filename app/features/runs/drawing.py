"""The stages of a run as a drawing of its step plan, with the state of each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock

from app.engine.definition import StepPlan
from app.engine.standing import Standing
from app.web.i18n import Language
from app.web.plan_graph import PlanGraph, plan_graph

GRAPHS_KEPT_MAX = 64  # in memory; one of eight stages takes about 20 kB

_lock = Lock()
_kept: OrderedDict[tuple[str, Language], PlanGraph] = OrderedDict()


def run_graph(plan: StepPlan, language: Language) -> PlanGraph:
    """Laid out once per process while it is in use: that takes as long as all else on the page."""
    key = (plan.digest, language)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    graph = plan_graph(plan, language, with_states=True)
    with _lock:
        _kept[key] = graph
        if len(_kept) > GRAPHS_KEPT_MAX:
            _kept.popitem(last=False)
    return graph


MIXED = "mixed"
"""The state of a stage that does not stand the same in each domain."""


def states_by_stage(standings: Iterable[Standing]) -> Mapping[str, str]:
    states: dict[str, str] = {}
    for standing in standings:
        state = standing.state.value
        stage = standing.ref.stage
        states[stage] = state if states.setdefault(stage, state) == state else MIXED
    return states
