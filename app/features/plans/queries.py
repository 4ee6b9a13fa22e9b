"""What the library of step plans shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlmodel import Session

from app.engine.definition import DecisionRequired, Requirement, StageRequired, StepPlan
from app.storage.people import names_of
from app.storage.plans import PinnedPlan, load_plan, load_plans, newest_of_each, pinned_plans

PUBLISHERS_MAX = 4  # named in the list; the page of a plan names every source


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A plan by the version that runs start on, or the newest one where all are retired; `others` newest first.
    `publishers` are those of most sources first."""

    pinned: PinnedPlan
    plan: StepPlan
    others: tuple[PinnedPlan, ...]
    publishers: tuple[str, ...]
    more_publishers: int


def library(session: Session) -> list[PlanLine]:
    """Asks the database three times at most, however many plans there are."""
    versions: dict[str, list[PinnedPlan]] = {}
    pinned = pinned_plans(session)
    for each in pinned:
        versions.setdefault(each.plan_id, []).append(each)
    newest = {plan.plan_id: plan for plan in newest_of_each(pinned)}
    shown = {plan_id: newest.get(plan_id, all[0]) for plan_id, all in versions.items()}
    plans = load_plans(session, [each.digest for each in shown.values()])
    return [_line(each, plans[each.digest], versions[plan_id]) for plan_id, each in shown.items()]


def _line(shown: PinnedPlan, plan: StepPlan, versions: list[PinnedPlan]) -> PlanLine:
    publishers = [name for name, _ in Counter(source.publisher for source in plan.sources).most_common()]
    return PlanLine(
        pinned=shown,
        plan=plan,
        others=tuple(each for each in versions if each != shown),
        publishers=tuple(publishers[:PUBLISHERS_MAX]),
        more_publishers=max(0, len(publishers) - PUBLISHERS_MAX),
    )


@dataclass(frozen=True, slots=True)
class PlanPage:
    """`newer` is the version to start on, when that is another one; `released_by` the name of who released a plan of
    the own municipality."""

    pinned: PinnedPlan
    plan: StepPlan
    versions: tuple[PinnedPlan, ...]
    newer: PinnedPlan | None
    released_by: str


def plan_page(session: Session, plan_id: str, version: str) -> PlanPage | None:
    """None for a version that the database does not know."""
    versions = tuple(plan for plan in pinned_plans(session) if plan.plan_id == plan_id)
    pinned = next((plan for plan in versions if plan.version == version), None)
    if pinned is None:
        return None
    plan, local = load_plan(session, pinned.digest), pinned.local
    newest = next(iter(newest_of_each(versions)), None)
    is_newer = newest is not None and versions.index(newest) < versions.index(pinned)
    return PlanPage(
        pinned=pinned,
        plan=plan,
        versions=versions,
        newer=newest if is_newer else None,
        released_by=names_of(session, [local.released_by]).get(local.released_by, "") if local else "",
    )


Needed = tuple[str, StageRequired | DecisionRequired]


def needs_of(plan: StepPlan) -> dict[str, list[list[Needed]]]:
    """For each stage what it requires: each requirement with its alternatives as ("stage" or "decision", what is
    required)."""
    return {stage.id: [_needed(requirement) for requirement in stage.requires] for stage in plan.stages}


def _needed(requirement: Requirement) -> list[Needed]:
    return [("stage" if isinstance(a, StageRequired) else "decision", a) for a in requirement.alternatives]
