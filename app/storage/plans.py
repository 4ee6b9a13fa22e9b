"""Plan versions as the database keeps them: every run is pinned to one, whatever happens to the files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, select

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


class PlanRetired(Exception):
    """A version that runs go on with, and that no new run can start on."""


_COLUMNS: tuple[Any, ...] = (
    PlanVersion.digest,
    PlanVersion.plan_id,
    PlanVersion.version,
    PlanVersion.title,
    PlanVersion.status,
    PlanVersion.added_at,
)
_DOCUMENTS: tuple[Any, ...] = (PlanVersion.digest, PlanVersion.document)


def pin(session: Session, plans: Iterable[LoadedPlan], *, retired: Collection[str] = (), at: datetime) -> None:
    """Puts new versions beside the known ones; `retired` has the digests of those that no run starts on any more.
    Raises PlanChanged for a known version with another digest."""
    known = {(row.plan_id, row.version): row for row in session.execute(sqlalchemy.select(*_COLUMNS))}
    for loaded in plans:
        plan = loaded.plan
        status = "retired" if plan.digest in retired else "released"
        pinned = known.get((plan.id, plan.version))
        if pinned is None:
            session.add(
                PlanVersion(
                    digest=plan.digest,
                    plan_id=plan.id,
                    version=plan.version,
                    title=plan.title.nl,
                    document=loaded.document,
                    status=status,
                    added_at=at,
                )
            )
        elif pinned.digest != plan.digest:
            raise PlanChanged(plan.id, plan.version, pinned=pinned.digest, found=plan.digest)
        elif pinned.status != status:
            row = session.get_one(PlanVersion, plan.digest)
            row.status = status
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


def load_plans(session: Session, digests: Collection[str]) -> dict[str, StepPlan]:
    """Several compiled plans by digest, with one question to the database at most.  Raises UnknownPlan."""
    documents: dict[str, Document] = {}

    def document(digest: str) -> Document:
        if not documents:
            query = sqlalchemy.select(*_DOCUMENTS).where(col(PlanVersion.digest).in_(digests))
            documents.update({row.digest: row.document for row in session.execute(query)})
        if digest not in documents:
            raise UnknownPlan(digest)
        return documents[digest]

    return {digest: plan_of(digest, partial(document, digest)) for digest in digests}


def load_plan_to_start(session: Session, digest: str) -> StepPlan:
    """The compiled plan for a new run.  Raises UnknownPlan, PlanRetired."""
    status = session.exec(select(PlanVersion.status).where(PlanVersion.digest == digest)).one_or_none()
    if status is None:
        raise UnknownPlan(digest)
    if status == "retired":
        raise PlanRetired(digest)
    return load_plan(session, digest)


@dataclass(frozen=True, slots=True)
class PinnedPlan:
    digest: str
    plan_id: str
    version: str
    title: str
    status: str
    added_at: datetime

    @property
    def name(self) -> str:
        """As on the command line and in addresses: `inclusief-beleid@1.0.0`."""
        return f"{self.plan_id}@{self.version}"

    @property
    def is_retired(self) -> bool:
        return self.status == "retired"

    @property
    def is_pre_release(self) -> bool:
        return "-" in self.version


def pinned_plans(session: Session) -> list[PinnedPlan]:
    """Every version the database knows: by title, newest version first."""
    plans = [PinnedPlan(*row) for row in session.execute(sqlalchemy.select(*_COLUMNS))]
    plans.sort(key=lambda plan: precedence(plan.version), reverse=True)
    newest = {plan.plan_id: plan.title for plan in reversed(plans)}  # versions of a plan stay together
    return sorted(plans, key=lambda plan: (newest[plan.plan_id], plan.plan_id))


def newest_of_each(plans: Iterable[PinnedPlan]) -> list[PinnedPlan]:
    """Of each plan the version that runs should start on, from what `pinned_plans` gives: the newest that is not
    retired, and a pre-release only where there is nothing else."""
    newest: dict[str, PinnedPlan] = {}
    for plan in plans:
        known = newest.get(plan.plan_id)
        if not plan.is_retired and (known is None or (known.is_pre_release and not plan.is_pre_release)):
            newest[plan.plan_id] = plan
    return list(newest.values())
