"""Runs chosen by what they are: their plan and version, a stage that was begun, a domain. In SQL, so that choosing
among thousands costs no memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, select
from sqlmodel import Session, col

from app.engine.run import StageStatus
from app.storage.mass_moves import Chosen
from app.storage.run_batch import RUN_COLUMNS
from app.storage.scope import Prepared
from app.storage.tables import RunRow, StageRow, User


@dataclass(frozen=True, slots=True)
class Selection:
    """`versions` of the plan that the runs are on now. An empty `stage` or `domain` chooses nothing."""

    plan_id: str
    versions: tuple[str, ...]
    stage: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class VersionInUse:
    plan_id: str
    version: str
    digest: str
    runs: int


@dataclass(frozen=True, slots=True)
class Size:
    """`requested`: of how many a stage waits for a decision about approval."""

    runs: int
    requested: int


_USE_COLUMNS: tuple[Any, ...] = (RunRow.plan_id, RunRow.plan_version, RunRow.plan_digest)
_IN_USE = Prepared(select(*_USE_COLUMNS, func.count()).group_by(*_USE_COLUMNS))


def versions_in_use(session: Session) -> list[VersionInUse]:
    """Of this municipality, in no order."""
    return [VersionInUse(*row) for row in _IN_USE.run(session, {})]


def size(session: Session, selection: Selection) -> Size:
    requested = func.sum(case((_has_stage(col(StageRow.status) == StageStatus.SUBMITTED.value), 1), else_=0))
    row = session.execute(_where(session, select(func.count(), requested), selection)).one()
    return Size(row[0], int(row[1] or 0))


def page_of_rows(session: Session, selection: Selection, *, most: int, before: int) -> list[Any]:
    """Rows for `run_batch.runs_of`, with the name of the manager; by name."""
    query = select(*RUN_COLUMNS, col(User.name).label("manager")).join(User, col(User.id) == col(RunRow.manager_id))
    in_order = _where(session, query, selection).order_by(col(RunRow.name), col(RunRow.id))
    return list(session.execute(in_order.limit(most).offset(before)))


_CHOSEN_COLUMNS: tuple[Any, ...] = (RunRow.id, RunRow.plan_digest)
_KNOWN = Prepared(select(*_CHOSEN_COLUMNS).where(col(RunRow.id).in_(bindparam("runs", expanding=True))))


def all_of(session: Session, selection: Selection) -> Iterator[Chosen]:
    for id, digest in session.execute(_where(session, select(*_CHOSEN_COLUMNS), selection)):
        yield Chosen(str(id), digest)


def digests_of(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """The version of each run, by its id; one that this municipality does not have is absent."""
    keys = [uuid.UUID(id) for id in ids]
    return {str(id): digest for id, digest in _KNOWN.run(session, {"runs": keys})} if keys else {}


def _has_stage(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    run_id: Any = StageRow.run_id
    return select(run_id).where(col(StageRow.run_id) == col(RunRow.id), condition).correlate(RunRow).exists()


def _where(session: Session, query: Any, selection: Selection) -> Any:
    query = query.where(col(RunRow.plan_id) == selection.plan_id, col(RunRow.plan_version).in_(selection.versions))
    if selection.stage:
        # One that was skipped without having begun is there too.
        begun = (col(StageRow.stage) == selection.stage) & (col(StageRow.status) != StageStatus.SKIPPED.value)
        query = query.where(_has_stage(begun))
    if selection.domain:
        query = query.where(_works_in(session, selection.domain))
    return query


def _works_in(session: Session, domain: str) -> ColumnElement[bool]:
    """The domains of a run are a list inside its state; each database looks into that in its own way."""
    state: Any = col(RunRow.state)
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[bool] = func.jsonb_exists(state["domains"], domain)
        return found
    each = func.json_each(state, "$.domains").table_valued("value", name="each_domain")
    return select(each.c.value).where(each.c.value == domain).exists()
