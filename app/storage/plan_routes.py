"""From one version of a plan to another: the versions between, as each declares what it changed since which."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from cachetools import LRUCache, cached
from sqlmodel import Session

from app.catalogue.loader import Document
from app.catalogue.versions import Precedence, precedence
from app.engine.definition import Changes, StepPlan
from app.engine.run_migration.compare import ChangeClass, Comparison, compare
from app.engine.run_migration.part_map import DECISIONS
from app.storage.plans import PinnedPlan, load_document, load_plan, pinned_plans

COMPARISONS_KEPT_MAX = 64  # in memory; one of two plans of 50 steps takes about 1 MB


def newer_of_same_plan(pinned: list[PinnedPlan], plan_id: str, version: str) -> list[PinnedPlan]:
    """The newest first; no pre-releases, none that is retired."""
    found = [
        plan
        for plan in pinned
        if plan.plan_id == plan_id and _is_offered(plan) and precedence(plan.version) > precedence(version)
    ]
    return sorted(found, key=lambda plan: precedence(plan.version), reverse=True)


def newer_versions(pinned: list[PinnedPlan], plan_id: str, version: str) -> list[PinnedPlan]:
    """Versions that a run at `version` can move to, the newest first.

    From a national plan also to what the own municipality made of it, of this version or a later one: on the same
    version that comes first, as it holds all of the plan and more."""
    extending = [
        plan
        for plan in pinned
        if plan.plan_id != plan_id
        and plan.base[0] == plan_id
        and _is_offered(plan)
        and precedence(plan.base[1]) >= precedence(version)
    ]

    def order(plan: PinnedPlan) -> tuple[Precedence, bool, Precedence]:
        is_extending = plan.plan_id != plan_id
        return precedence(plan.base[1] if is_extending else plan.version), is_extending, precedence(plan.version)

    return sorted([*newer_of_same_plan(pinned, plan_id, version), *extending], key=order, reverse=True)


def _is_offered(plan: PinnedPlan) -> bool:
    return not plan.is_retired and not plan.is_pre_release


def route(session: Session, old: str, new: str) -> list[StepPlan]:
    """The plans from digest `old` to digest `new`, by what each says it changed since; only the two when the newer one
    does not descend from the older. Where one extends another plan, what counts is the way of the plans that are
    extended.  Raises UnknownPlan."""
    first, last = load_plan(session, old), load_plan(session, new)
    if first.extends is None and last.extends is None:
        return _national_route(session, first, last)
    bases = [load_plan(session, plan.extends.digest) if plan.extends else plan for plan in (first, last)]
    between = _national_route(session, *bases) if bases[0].digest != bases[1].digest else []
    if first.extends is None:
        return [*between, last] if between else [first, last]
    if last.extends is None or len(between) < 3:
        return [first, last]
    return [first, replace(last, changes=_all_changes(between))]


def _all_changes(plans: list[StepPlan]) -> Changes:
    """What the last of a row of versions changed since the first, as if it had said so itself. Parts that a
    municipality added are in none of these, so going over each would lose them."""
    whole = compare(plans)
    parts = whole.parts
    moved = [*parts.stages.items()]
    moved += [(f"{DECISIONS}{before}", f"{DECISIONS}{after}") for before, after in parts.decisions.items()]
    moved += [("/".join(before), "/".join(after)) for before, afters in parts.steps.items() for after in afters]
    moved += [("/".join(before), "/".join(after)) for before, after in parts.questions.items()]
    last = plans[-1].changes
    assert last is not None, "only versions that say what they changed make a row"
    return Changes(
        since=plans[0].version,
        summary=last.summary,
        moved=tuple(moved),
        cosmetic=frozenset(
            change.after for change in whole.changes if change.after and change.change_class is ChangeClass.COSMETIC
        ),
        reasons={part: text for plan in plans[1:] if plan.changes for part, text in plan.changes.reasons.items()},
    )


def national_documents(session: Session, old: str, new: str) -> list[Document]:
    """Of the national plans from digest `old` to digest `new`, over those between.  Raises UnknownPlan."""
    plans = _national_route(session, load_plan(session, old), load_plan(session, new))
    return [load_document(session, plan.digest) for plan in plans]


def _national_route(session: Session, first: StepPlan, last: StepPlan) -> list[StepPlan]:
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


@cached(LRUCache(COMPARISONS_KEPT_MAX), key=lambda session, old, new: (old, new), lock=Lock())
def comparison(session: Session, old: str, new: str) -> Comparison:
    """Compares two versions by digest; worked out once per process while it is in use.  Raises UnknownPlan."""
    return compare(route(session, old, new))
