"""Plan versions as the database keeps them: every run is pinned to one, whatever happens to the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlmodel import Session, select

from app.catalogue.loader import Document, LoadedPlan, plan_of
from app.catalogue.versions import precedence
from app.engine.definition import StepPlan
from app.storage.tables import PlanVersion


class PlanChanged(Exception):
    """A released version whose meaning is no longer what the database pinned."""

    def __init__(self, plan_id: str, version: str, *, pinned: str, found: str) -> None:
        super().__init__(plan_id, version, pinned, found)
        self.plan_id, self.version, self.pinned, self.found = plan_id, version, pinned, found


class UnknownPlan(KeyError):
    """No plan version has this digest."""


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
    """The compiled plan; asks the database only the first time.  Raises UnknownPlan."""

    def document() -> Document:
        found = session.exec(select(PlanVersion.document).where(PlanVersion.digest == digest)).one_or_none()
        if found is None:
            raise UnknownPlan(digest)
        stored: Document = found
        return stored

    return plan_of(digest, document)


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
    plans.sort(key=lambda plan: precedence(plan.version), reverse=True)
    return sorted(plans, key=lambda plan: plan.title)
