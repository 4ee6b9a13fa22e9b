"""Plan versions as the database keeps them: every run is pinned to one, whatever happens to the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy
from sqlmodel import Session, select

from app.catalogue.loader import LoadedPlan, from_document
from app.engine.definition import StepPlan
from app.storage.tables import PlanVersion

PLANS_MAX = 256  # compiled plans kept in memory; one of 300 steps takes about 2 MB

_lock = Lock()
_plans: dict[str, StepPlan] = {}


class PlanChanged(Exception):
    """A released version whose meaning is no longer what the database pinned."""

    def __init__(self, plan_id: str, version: str, *, pinned: str, found: str) -> None:
        super().__init__(plan_id, version, pinned, found)
        self.plan_id, self.version, self.pinned, self.found = plan_id, version, pinned, found


def pin(session: Session, plans: Iterable[LoadedPlan], *, at: datetime) -> None:
    """Puts new versions beside the known ones.  Raises PlanChanged for a known version with another digest."""
    known = {(row.plan_id, row.version): row.digest for row in session.exec(select(PlanVersion))}
    for loaded in plans:
        plan = loaded.plan
        pinned = known.get((plan.id, plan.version))
        if pinned is None:
            session.add(
                PlanVersion(
                    digest=plan.digest,
                    plan_id=plan.id,
                    version=plan.version,
                    title=plan.title.nl,
                    document=loaded.document,
                    added_at=at,
                )
            )
        elif pinned != plan.digest:
            raise PlanChanged(plan.id, plan.version, pinned=pinned, found=plan.digest)
    session.flush()


def load_plan(session: Session, digest: str) -> StepPlan:
    """The compiled plan; asks the database only the first time.  Raises KeyError for an unknown digest."""
    with _lock:
        plan = _plans.get(digest)
    if plan is not None:
        return plan
    document = session.exec(select(PlanVersion.document).where(PlanVersion.digest == digest)).one_or_none()
    if document is None:
        raise KeyError(digest)
    plan = from_document(document)
    assert plan.digest == digest, "a stored plan document was changed"
    with _lock:
        if len(_plans) >= PLANS_MAX:
            _plans.pop(next(iter(_plans)))
        _plans[digest] = plan
    return plan


@dataclass(frozen=True, slots=True)
class PinnedPlan:
    digest: str
    plan_id: str
    version: str
    title: str
    added_at: datetime

    @property
    def name(self) -> str:
        """As on the command line and in addresses: `inclusief-beleid@1.0.0`."""
        return f"{self.plan_id}@{self.version}"


def pinned_plans(session: Session) -> list[PinnedPlan]:
    """Every version the database knows: by title, newest version first."""
    columns: tuple[Any, ...] = (
        PlanVersion.digest,
        PlanVersion.plan_id,
        PlanVersion.version,
        PlanVersion.title,
        PlanVersion.added_at,
    )
    plans = [PinnedPlan(*row) for row in session.execute(sqlalchemy.select(*columns))]
    plans.sort(key=lambda plan: _precedence(plan.version), reverse=True)
    return sorted(plans, key=lambda plan: plan.title)


def _precedence(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-", 1)[0].split("+", 1)[0].split("."))
