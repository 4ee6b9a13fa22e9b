"""From one version of a plan to another: the versions between, as each declares what it changed since which."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from sqlmodel import Session

from app.catalogue.versions import precedence
from app.engine.definition import StepPlan
from app.engine.run_migration.compare import Comparison, compare
from app.storage.plans import PinnedPlan, load_plan, pinned_plans

COMPARISONS_KEPT_MAX = 64  # in memory; one of two plans of 50 steps takes about 1 MB

_lock = Lock()
_kept: OrderedDict[tuple[str, str], Comparison] = OrderedDict()


def newer_versions(pinned: list[PinnedPlan], plan_id: str, version: str) -> list[PinnedPlan]:
    """Versions that a run at `version` can move to, the newest first; no pre-releases, none that is retired."""
    return [
        plan
        for plan in pinned
        if plan.plan_id == plan_id
        and not plan.is_retired
        and not plan.is_pre_release
        and precedence(plan.version) > precedence(version)
    ]


def route(session: Session, old: str, new: str) -> list[StepPlan]:
    """The plans from digest `old` to digest `new`, by what each says it changed since; only the two when the newer one
    does not descend from the older.  Raises UnknownPlan."""
    first, last = load_plan(session, old), load_plan(session, new)
    by_name = {(plan.plan_id, plan.version): plan.digest for plan in pinned_plans(session)}
    row, seen = [last], {last.digest}
    while row[0].changes is not None:
        earlier = by_name.get((row[0].id, row[0].changes.since))
        if earlier is None or earlier in seen:
            break
        row.insert(0, load_plan(session, earlier))
        seen.add(earlier)
        if earlier == first.digest:
            return row
    return [first, last]


def comparison(session: Session, old: str, new: str) -> Comparison:
    """Compares two versions by digest; worked out once per process while it is in use.  Raises UnknownPlan."""
    key = (old, new)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = compare(route(session, old, new))
    with _lock:
        _kept[key] = found
        if len(_kept) > COMPARISONS_KEPT_MAX:
            _kept.popitem(last=False)
    return found
