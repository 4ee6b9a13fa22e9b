"""Plans of one municipality: kept as drafts, released once and for all, retired. Everything here is limited to the
municipality of the session."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.catalogue.loader import LoadedPlan
from app.catalogue.versions import precedence
from app.engine.definition import StepPlan
from app.storage.marks import Outdated, check
from app.storage.plans import keep_document, national_plans
from app.storage.scope import UnscopedQuery, municipality_of
from app.storage.tables import LocalPlan

DRAFT, RELEASED, RETIRED = "draft", "released", "retired"


class LocalPlanNotFound(Exception):
    """No such plan in this municipality; whether it exists elsewhere is nobody's business."""


class VersionTaken(Exception):
    """This version was released already, with another content."""


class NationalName(Exception):
    """A plan that comes with the software has this id."""


class DraftChanged(Exception):
    """The draft is not the one that was looked at."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """`extends_plan` and `extends_version` are empty for a plan that adds to no other. Who did things is an id."""

    id: str
    plan_id: str
    version: str
    title: str
    extends_plan: str
    extends_version: str
    digest: str
    status: str
    uploaded_by: str
    uploaded_at: datetime
    released_by: str | None
    released_at: datetime | None
    reason: str
    retired_by: str | None
    retired_at: datetime | None

    @property
    def is_overlay(self) -> bool:
        return bool(self.extends_plan)

    @property
    def is_draft(self) -> bool:
        return self.status == DRAFT

    @property
    def is_retired(self) -> bool:
        return self.status == RETIRED

    @property
    def mark(self) -> str:
        """What a page showed of it: its status, and of a draft its content too."""
        return f"{self.status}.{self.digest[:16]}"

    @property
    def people(self) -> list[str]:
        return [id for id in (self.uploaded_by, self.released_by, self.retired_by) if id]


_COLUMNS: tuple[Any, ...] = tuple(getattr(LocalPlan, name) for name in KeptPlan.__dataclass_fields__)


def local_plans(session: Session) -> list[KeptPlan]:
    """By title, newest version first."""
    found = [_kept(row) for row in session.execute(select(*_COLUMNS))]
    found.sort(key=lambda plan: precedence(plan.version), reverse=True)
    return sorted(found, key=lambda plan: plan.plan_id)


def local_plan(session: Session, id: str) -> KeptPlan:
    """Raises LocalPlanNotFound."""
    row = session.execute(select(*_COLUMNS).where(col(LocalPlan.id) == _uuid(id))).one_or_none()
    if row is None:
        raise LocalPlanNotFound(id)
    return _kept(row)


def source_of(session: Session, id: str) -> str:
    """The file as it was sent.  Raises LocalPlanNotFound."""
    found = session.execute(select(col(LocalPlan.source)).where(col(LocalPlan.id) == _uuid(id))).scalar_one_or_none()
    if found is None:
        raise LocalPlanNotFound(id)
    return str(found)


def keep_draft(session: Session, loaded: LoadedPlan, source: str, *, based_on: str, by: str, at: datetime) -> str:
    """Gives the id of the draft; it takes the place of the draft of the same version whose `mark` is `based_on`. What
    was released stays as it is: sending the same again changes nothing.
    Raises VersionTaken, NationalName; DraftChanged when there is another draft of this version."""
    plan = loaded.plan
    if any(national.plan_id == plan.id for national in national_plans(session)):
        raise NationalName(plan.id)
    values: dict[str, Any] = {
        "title": plan.title.nl,
        "extends_plan": plan.extends.plan if plan.extends else None,
        "extends_version": plan.extends.version if plan.extends else None,
        "source": source,
        "digest": plan.digest,
        "uploaded_by": uuid.UUID(by),
        "uploaded_at": at,
    }
    kept = _of_version(session, plan)
    if kept is None:
        try:
            with session.begin_nested():
                return _added(session, plan, values)
        except IntegrityError:  # the same version was sent at the same moment, and is there now
            kept = _of_version(session, plan)
            if kept is None:
                raise
    if kept.is_draft:
        if kept.digest != plan.digest and kept.mark != based_on:
            raise DraftChanged(kept.id)
        _change(session, kept.id, **values)
    elif kept.digest != plan.digest:
        raise VersionTaken(plan.version)
    return kept.id


def _of_version(session: Session, plan: StepPlan) -> KeptPlan | None:
    query = select(*_COLUMNS).where(col(LocalPlan.plan_id) == plan.id, col(LocalPlan.version) == plan.version)
    row = session.execute(query.with_for_update()).one_or_none()
    return None if row is None else _kept(row)


def _added(session: Session, plan: StepPlan, values: dict[str, Any]) -> str:
    municipality = municipality_of(session)
    if municipality is None:
        raise UnscopedQuery("a local plan belongs to a municipality")
    added = LocalPlan(municipality_id=municipality, plan_id=plan.id, version=plan.version, **values)
    session.add(added)
    session.flush()
    return str(added.id)


def release(session: Session, id: str, loaded: LoadedPlan, *, shown: str, reason: str, by: str, at: datetime) -> None:
    """`loaded` is what the draft gives now, and `shown` the digest of what was looked at. A second time changes
    nothing.  Raises LocalPlanNotFound, DraftChanged."""
    kept = _for_change(session, id)
    if not {kept.digest, loaded.plan.digest} == {shown}:
        raise DraftChanged(id)
    if not kept.is_draft:
        return
    keep_document(session, loaded)
    _change(session, id, status=RELEASED, released_by=uuid.UUID(by), released_at=at, reason=reason)


def retire(session: Session, id: str, *, based_on: str, by: str, at: datetime) -> None:
    """No run starts on it any more; runs that follow it go on.  Raises LocalPlanNotFound, Outdated."""
    if _unchanged(session, id, based_on).status == RELEASED:
        _change(session, id, status=RETIRED, retired_by=uuid.UUID(by), retired_at=at)


def use_again(session: Session, id: str, *, based_on: str) -> None:
    """Raises LocalPlanNotFound, Outdated."""
    if _unchanged(session, id, based_on).status == RETIRED:
        _change(session, id, status=RELEASED, retired_by=None, retired_at=None)


def discard_draft(session: Session, id: str, *, based_on: str) -> None:
    """What was released stays.  Raises LocalPlanNotFound, Outdated."""
    if not _unchanged(session, id, based_on).is_draft:
        raise Outdated(id)
    session.execute(
        delete(LocalPlan).where(col(LocalPlan.id) == _uuid(id)).execution_options(synchronize_session=False)
    )


def _unchanged(session: Session, id: str, based_on: str) -> KeptPlan:
    kept = _for_change(session, id)
    check(based_on, kept.mark)
    return kept


def _for_change(session: Session, id: str) -> KeptPlan:
    """On PostgreSQL a second click waits here for the first; SQLite has one writer anyway."""
    row = session.execute(select(*_COLUMNS).where(col(LocalPlan.id) == _uuid(id)).with_for_update()).one_or_none()
    if row is None:
        raise LocalPlanNotFound(id)
    return _kept(row)


def _change(session: Session, id: str, **values: Any) -> None:
    session.execute(
        update(LocalPlan)
        .where(col(LocalPlan.id) == _uuid(id))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _uuid(id: str) -> uuid.UUID:
    try:
        return uuid.UUID(id)
    except ValueError:
        raise LocalPlanNotFound(id) from None


def _kept(row: Any) -> KeptPlan:
    values = dict(zip(KeptPlan.__dataclass_fields__, row, strict=True))
    for name in ("id", "uploaded_by", "released_by", "retired_by"):
        values[name] = str(values[name]) if values[name] is not None else None
    values["extends_plan"] = values["extends_plan"] or ""
    values["extends_version"] = values["extends_version"] or ""
    return KeptPlan(**values)
