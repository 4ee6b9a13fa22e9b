"""From what stands in the address to a selection of runs, with everything there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.catalogue.versions import precedence
from app.engine.definition import Domain, Stage
from app.features.mass_moves.deciding import Target
from app.storage.plan_routes import newer_of_same_plan
from app.storage.plans import PinnedPlan, load_plans, pinned_plans
from app.storage.run_selection import Selection, VersionInUse, versions_in_use


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it came in; anything may be in it."""

    plan: str = ""
    to: str = ""
    versions: tuple[str, ...] = ()
    stage: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class PlanOption:
    id: str
    title: str
    runs: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`target` is None when no run can go to a newer version. `unknown`: something was asked for that is not there, so
    that nothing is selected: never more than somebody meant."""

    plans: tuple[PlanOption, ...]
    plan_id: str
    target: Target | None
    targets: tuple[PinnedPlan, ...]
    versions: tuple[VersionInUse, ...]
    stages: tuple[Stage, ...]
    domains: tuple[Domain, ...]
    selection: Selection
    unknown: bool


def choice_of(session: Session, wanted: Wanted) -> Choice:
    """Two queries, and one for plans that are not in memory yet."""
    pinned, in_use = pinned_plans(session), versions_in_use(session)
    movable = [use for use in in_use if newer_of_same_plan(pinned, use.plan_id, use.version)]
    plans = tuple(_plans(pinned, movable))
    known = {plan.id for plan in plans}
    plan_id = wanted.plan or (plans[0].id if plans else "")
    uses = [use for use in movable if use.plan_id == plan_id]
    if plan_id not in known:
        nothing = Selection("", ())
        return Choice(plans, "", None, (), (), (), (), nothing, unknown=bool(wanted.plan))
    oldest = min(uses, key=lambda use: precedence(use.version))
    targets = newer_of_same_plan(pinned, plan_id, oldest.version)
    target = next((each for each in targets if each.version == wanted.to), None if wanted.to else targets[0])
    versions = _older(uses, target.version if target else targets[0].version)
    offered = {use.version for use in versions}
    chosen = tuple(wanted.versions) or tuple(use.version for use in versions)
    loaded = load_plans(session, {use.digest for use in versions})
    of_newest_first = [loaded[use.digest] for use in versions]
    stages = {stage.id: stage for plan in reversed(of_newest_first) for stage in plan.stages}
    domains = {domain.id: domain for plan in reversed(of_newest_first) for domain in plan.domains}
    unknown = (
        target is None
        or not set(chosen) <= offered
        or (wanted.stage != "" and wanted.stage not in stages)
        or (wanted.domain != "" and wanted.domain not in domains)
    )
    return Choice(
        plans=plans,
        plan_id=plan_id,
        target=Target(plan_id, target.version, target.digest) if target else None,
        targets=tuple(targets),
        versions=tuple(versions),
        stages=tuple(stages.values()),
        domains=tuple(domains.values()),
        selection=Selection(plan_id, () if unknown else chosen, wanted.stage, wanted.domain),
        unknown=unknown,
    )


def _plans(pinned: Sequence[PinnedPlan], movable: Sequence[VersionInUse]) -> list[PlanOption]:
    """In the order of the list of step plans, each with the title of its newest version."""
    titles: dict[str, str] = {}
    for plan in pinned:
        titles.setdefault(plan.plan_id, plan.title)
    return [
        PlanOption(id, title, runs)
        for id, title in titles.items()
        if (runs := sum(use.runs for use in movable if use.plan_id == id))
    ]


def _older(uses: Sequence[VersionInUse], version: str) -> list[VersionInUse]:
    """Than `version`; the newest first."""
    older = [use for use in uses if precedence(use.version) < precedence(version)]
    return sorted(older, key=lambda use: precedence(use.version), reverse=True)
