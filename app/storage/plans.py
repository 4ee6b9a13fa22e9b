"""Plan versions as the database keeps them: every run is pinned to one, whatever happens to the files.

The national ones are for everybody. Those of a municipality are in a table that is limited to it, and only there:
another municipality does not see them, and finds the same as where there is nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy
from sqlalchemy import null, type_coerce, union_all
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.catalogue.loader import Document, LoadedPlan, plan_of
from app.catalogue.versions import precedence
from app.engine.definition import StepPlan
from app.storage.scope import Prepared, municipality_of, unscoped
from app.storage.tables import LocalPlan, PlanDocument, PlanVersion
from app.storage.types import IdText


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
_LOCAL_COLUMNS: tuple[Any, ...] = (
    LocalPlan.digest,
    LocalPlan.plan_id,
    LocalPlan.version,
    LocalPlan.title,
    LocalPlan.status,
    LocalPlan.released_at,
    type_coerce(col(LocalPlan.id), IdText).label("local_id"),
    LocalPlan.extends_plan,
    LocalPlan.extends_version,
    type_coerce(col(LocalPlan.released_by), IdText),
    LocalPlan.reason,
)
_NOT_LOCAL = (type_coerce(null(), IdText).label("local_id"), null(), null(), type_coerce(null(), IdText), null())
_NATIONAL = Prepared(sqlalchemy.select(*_COLUMNS))
_NATIONAL_AND_RELEASED_HERE = Prepared(
    union_all(
        sqlalchemy.select(*_COLUMNS, *_NOT_LOCAL),
        sqlalchemy.select(*_LOCAL_COLUMNS).where(col(LocalPlan.status) != "draft"),
    )
)
_DOCUMENTS: tuple[Any, ...] = (PlanDocument.digest, PlanDocument.document)


def pin(session: Session, plans: Iterable[LoadedPlan], *, retired: Collection[str] = (), at: datetime) -> None:
    """Puts new versions beside the known ones; `retired` has the digests of those that no run starts on any more. The
    session must be a fresh one: the application itself only reads these.
    Raises PlanChanged for a known version with another digest."""
    unscoped(session, "national plans are for every municipality")
    known = {(row.plan_id, row.version): row for row in session.execute(sqlalchemy.select(*_COLUMNS))}
    for loaded in plans:
        plan = loaded.plan
        status = "retired" if plan.digest in retired else "released"
        pinned = known.get((plan.id, plan.version))
        if pinned is None:
            keep_document(session, loaded)
            session.add(
                PlanVersion(
                    digest=plan.digest,
                    plan_id=plan.id,
                    version=plan.version,
                    title=plan.title.nl,
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


def keep_document(session: Session, loaded: LoadedPlan) -> None:
    """Content has one place, whoever else has the same."""
    if session.get(PlanDocument, loaded.plan.digest) is None:
        # Somebody else may keep the same at the same moment.
        with suppress(IntegrityError), session.begin_nested():
            session.add(PlanDocument(digest=loaded.plan.digest, document=loaded.document))
            session.flush()


def load_document(session: Session, digest: str) -> Document:
    """Raises UnknownPlan."""
    found = session.exec(select(PlanDocument.document).where(PlanDocument.digest == digest)).one_or_none()
    if found is None:
        raise UnknownPlan(digest)
    stored: Document = found
    return stored


def load_plan(session: Session, digest: str) -> StepPlan:
    """The compiled plan; asks the database only the first time.  Raises UnknownPlan."""

    return plan_of(digest, partial(load_document, session, digest))


def load_plans(session: Session, digests: Collection[str]) -> dict[str, StepPlan]:
    """Several compiled plans by digest, with one question to the database at most.  Raises UnknownPlan."""
    documents: dict[str, Document] = {}

    def document(digest: str) -> Document:
        if not documents:
            query = sqlalchemy.select(*_DOCUMENTS).where(col(PlanDocument.digest).in_(digests))
            documents.update({row.digest: row.document for row in session.execute(query)})
        if digest not in documents:
            raise UnknownPlan(digest)
        return documents[digest]

    return {digest: plan_of(digest, partial(document, digest)) for digest in digests}


def load_plan_to_start(session: Session, digest: str) -> StepPlan:
    """The compiled plan for a new run.  Raises UnknownPlan, PlanRetired."""
    status = session.exec(select(PlanVersion.status).where(PlanVersion.digest == digest)).one_or_none()
    if status is None and municipality_of(session):
        query = select(LocalPlan.status).where(LocalPlan.digest == digest, LocalPlan.status != "draft")
        status = session.exec(query).first()
    if status is None:
        raise UnknownPlan(digest)
    if status == "retired":
        raise PlanRetired(digest)
    return load_plan(session, digest)


@dataclass(frozen=True, slots=True)
class Local:
    """What is known of a plan because it is one of this municipality: who released it, and why if that was said.
    `extends_plan` and `extends_version` are empty for a plan that adds to no other."""

    id: str
    extends_plan: str
    extends_version: str
    released_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class PinnedPlan:
    """`added_at`: when it came here, or when the municipality released it."""

    digest: str
    plan_id: str
    version: str
    title: str
    status: str
    added_at: datetime
    local: Local | None = None

    @property
    def name(self) -> str:
        """As on the command line and in addresses: `inclusief-beleid@1.0.0`."""
        return f"{self.plan_id}@{self.version}"

    @property
    def key(self) -> str:
        """Among the versions that a run can move to, where a local plan may have the number of a national one."""
        return self.name if self.local else self.version

    @property
    def base(self) -> tuple[str, str]:
        """Id and version of the plan that it extends, or its own."""
        if self.local and self.local.extends_plan:
            return self.local.extends_plan, self.local.extends_version
        return self.plan_id, self.version

    @property
    def is_retired(self) -> bool:
        return self.status == "retired"

    @property
    def is_pre_release(self) -> bool:
        return "-" in self.version


def pinned_plans(session: Session) -> list[PinnedPlan]:
    """Every version that this municipality can use: by title, newest version first. Without a municipality, the
    national ones."""
    plans = national_plans(session) if municipality_of(session) is None else _usable_plans(session)
    plans.sort(key=lambda plan: precedence(plan.version), reverse=True)
    newest = {plan.plan_id: plan.title for plan in reversed(plans)}  # versions of a plan stay together
    return sorted(plans, key=lambda plan: (newest[plan.plan_id], plan.plan_id))


def national_plans(session: Session) -> list[PinnedPlan]:
    """In no order."""
    return [PinnedPlan(*row) for row in _NATIONAL.run(session, {})]


def _usable_plans(session: Session) -> list[PinnedPlan]:
    """The national ones and those that this municipality released: one query."""
    plans = []
    for *plan, id, extends_plan, extends_version, released_by, reason in _NATIONAL_AND_RELEASED_HERE.run(session, {}):
        local = Local(id, extends_plan or "", extends_version or "", released_by, reason) if id else None
        plans.append(PinnedPlan(*[*plan, local]))
    return plans


def newest_of_each(plans: Iterable[PinnedPlan]) -> list[PinnedPlan]:
    """Of each plan the version that runs should start on, from what `pinned_plans` gives: the newest that is not
    retired, and a pre-release only where there is nothing else."""
    newest: dict[str, PinnedPlan] = {}
    for plan in plans:
        known = newest.get(plan.plan_id)
        if not plan.is_retired and (known is None or (known.is_pre_release and not plan.is_pre_release)):
            newest[plan.plan_id] = plan
    return list(newest.values())
