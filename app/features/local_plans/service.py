"""Checking what an administrator sends, keeping it as a draft, releasing and retiring it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.catalogue import yaml_tree
from app.catalogue.loader import Document, LoadedPlan, PlanInvalid, Problem, load_bytes
from app.catalogue.overlay.loading import Extendable, NothingToExtend, load_overlay, means_overlay
from app.catalogue.overlay.reapplying import Reapplied, next_version, reapply
from app.catalogue.versions import precedence
from app.engine.definition import StepPlan
from app.storage import local_plans
from app.storage.local_plans import KeptPlan, NationalName, VersionTaken, local_plan, source_of
from app.storage.plan_routes import national_documents
from app.storage.plans import PinnedPlan, load_document, load_plan, national_plans

FILE = ""
"""Problems name no file: there is one, and it is on the page."""


class NothingNewer(Exception):
    """There is no newer version of the plan that is extended."""


def check(session: Session, source: bytes) -> LoadedPlan:
    """A plan, or additions to one: the same checks as on the command line.  Raises PlanInvalid with every problem."""
    if means_overlay(source):
        return load_overlay(source, FILE, extendable(session))

    loaded = load_bytes(source, FILE)
    if loaded.plan.changes is None:
        return loaded
    known = {kept.version: kept for kept in local_plans.local_plans(session) if kept.plan_id == loaded.plan.id}

    def earlier(version: str) -> StepPlan | None:
        kept = known.get(version)
        if kept is None or kept.is_draft:
            raise KeyError(version)
        return load_plan(session, kept.digest)

    return load_bytes(source, FILE, earlier)


def extendable(session: Session) -> Extendable:
    def find(plan_id: str, version: str) -> Document:
        plans = {(plan.plan_id, plan.version): plan for plan in national_plans(session)}
        if (plan_id, version) not in plans:
            names = sorted(plans, key=lambda name: (name[0], precedence(name[1])))
            raise NothingToExtend("", [f"{id}@{number}" for id, number in names])
        return load_document(session, plans[plan_id, version].digest)

    return find


def keep(session: Session, source: bytes, *, based_on: str, by: str, at: datetime) -> str:
    """Gives the id of the draft.  Raises PlanInvalid with every problem, also when there is something else by this
    name; DraftChanged when the draft of this version is not the one whose mark is `based_on`."""
    loaded = check(session, source)
    try:
        return local_plans.keep_draft(session, loaded, source.decode("utf-8-sig"), based_on=based_on, by=by, at=at)
    except (NationalName, VersionTaken) as taken:
        code = "local_national_name" if isinstance(taken, NationalName) else "local_version_taken"
        path = ("overlay" if loaded.plan.extends else "plan") + (".id" if code == "local_national_name" else ".version")
        params: dict[str, str | int] = {"value": f"{loaded.plan.id}@{loaded.plan.version}", "plan": loaded.plan.id}
        raise PlanInvalid([Problem(FILE, *_place(source, path), path, code, params)]) from None


def _place(source: bytes, path: str) -> tuple[int, int]:
    return yaml_tree.read(source).place(tuple(path.split(".")))


def release(session: Session, id: str, *, shown: str, reason: str, by: str, at: datetime) -> None:
    """Raises LocalPlanNotFound, DraftChanged, PlanInvalid."""
    kept = local_plan(session, id)
    if not kept.is_draft:
        return
    loaded = check(session, source_of(session, id).encode())
    local_plans.release(session, id, loaded, shown=shown, reason=reason, by=by, at=at)


def newer_national(plans: list[PinnedPlan], kept: KeptPlan) -> PinnedPlan | None:
    """The newest version of the plan that is extended, if that is a later one than these additions were made for."""
    newer = [
        plan
        for plan in plans
        if plan.plan_id == kept.extends_plan
        and not plan.is_retired
        and not plan.is_pre_release
        and precedence(plan.version) > precedence(kept.extends_version)
    ]
    return max(newer, key=lambda plan: precedence(plan.version), default=None)


def on_newer(session: Session, kept: KeptPlan) -> tuple[PinnedPlan, Reapplied]:
    """The additions on the newest version of the plan that they extend; nothing is kept.  Raises NothingNewer."""
    plans = national_plans(session)
    newer = newer_national(plans, kept) if kept.is_overlay else None
    base = next(
        (plan for plan in plans if (plan.plan_id, plan.version) == (kept.extends_plan, kept.extends_version)), None
    )
    if newer is None or base is None:
        raise NothingNewer(kept.id)
    taken = [each.version for each in local_plans.local_plans(session) if each.plan_id == kept.plan_id]
    is_other = newer.version.partition(".")[0] != kept.extends_version.partition(".")[0]
    version = next_version(kept.version, taken, is_other_plan=is_other)
    route = national_documents(session, base.digest, newer.digest)
    return newer, reapply(source_of(session, kept.id).encode(), route, version=version, name=FILE)
