"""What the overview shows: what asks for me, how our runs stand, what was decided lately."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, func, select, type_coerce
from sqlmodel import Session, col

from app.engine.definition import Text
from app.engine.progress import Progress, counted_stage_progress
from app.engine.run import StageStatus
from app.features.runs.latest import DecisionLine, decision_line, decision_rows
from app.features.runs.tasks import Task, asker, deputised, people_at, tasks_of
from app.features.runs.waiting import WORKS_ON_IT, task_rows
from app.storage.deciding import who_in_list
from app.storage.plans import load_plan
from app.storage.scope import Prepared
from app.storage.tables import RunRow, StageRow, StepRow
from app.storage.types import IdText
from app.web.identity import Caller

RUNS_PER_PAGE = 20


class StageCount(NamedTuple):
    """A stage instance with the number of finished required parts, which says nothing once it is behind them."""

    stage: str
    status: StageStatus
    done: int


@dataclass(frozen=True, slots=True)
class RunLine:
    id: str
    name: str
    plan_title: Text
    plan_version: str
    manager: str
    progress: Progress
    busy: tuple[Text, ...]
    waiting_for_approval: int
    is_mine: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    tasks: tuple[Task, ...]
    runs: tuple[RunLine, ...]
    decisions: tuple[DecisionLine, ...]
    runs_total: int
    page: int
    pages: int
    mine_only: bool
    search: str


def overview(session: Session, caller: Caller, *, page: int, mine_only: bool, search: str, at: datetime) -> Overview:
    """Eight queries at most, whatever the number of runs. `page` counts from 1; one that does not exist gives the
    last."""
    wanted = {"me": uuid.UUID(caller.user_id), **({"search": _escaped(search)} if search else {})}
    rows, total, page = _one_page(session, wanted, page, mine_only=mine_only, is_search=bool(search))
    stages = _latest_stages(session, [row.id for row in rows])
    waiting = task_rows(session, caller, at=at)
    decided = decision_rows(session)
    who = who_in_list(
        session,
        deputised(caller, waiting),
        by=caller.user_id,
        at=at,
        people=[
            *(user for row in waiting for user in people_at(row)),
            *(row.manager_id for row in rows),
            *(row.by for row in decided),
            *(asker(row) for row in waiting),
        ],
    )
    return Overview(
        tasks=tuple(tasks_of(session, caller, waiting, who, at=at)),
        runs=tuple(_run_line(session, row, stages, who.names) for row in rows),
        decisions=tuple(decision_line(session, row, who.names) for row in decided),
        runs_total=total,
        page=page,
        pages=_pages(total),
        mine_only=mine_only,
        search=search,
    )


_RUN_COLUMNS: tuple[Any, ...] = (
    RunRow.id,
    RunRow.name,
    RunRow.plan_digest,
    RunRow.plan_version,
    type_coerce(col(RunRow.manager_id), IdText).label("manager_id"),
    RunRow.state,
    RunRow.changed_at,
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`first` gives the total with each row, so that the page that everybody opens costs one query."""

    first: Prepared
    count: Prepared
    page: Prepared


@cache
def _wanted(*, mine_only: bool, is_search: bool) -> _Wanted:
    query = select(*_RUN_COLUMNS, WORKS_ON_IT.label("is_mine"))
    if mine_only:
        query = query.where(WORKS_ON_IT)
    if is_search:
        query = query.where(col(RunRow.name).icontains(bindparam("search"), escape="/"))
    count = select(func.count()).select_from(query.subquery())
    in_order = query.order_by(col(RunRow.changed_at).desc(), col(RunRow.id)).limit(RUNS_PER_PAGE)
    return _Wanted(
        first=Prepared(in_order.add_columns(count.scalar_subquery().label("total"))),
        count=Prepared(count),
        page=Prepared(in_order.offset(bindparam("before"))),
    )


def _one_page(
    session: Session, wanted: dict[str, Any], page: int, *, mine_only: bool, is_search: bool
) -> tuple[Sequence[Any], int, int]:
    """The runs on this page, how many there are in all, and which page it turned out to be."""
    queries = _wanted(mine_only=mine_only, is_search=is_search)
    if page <= 1:
        rows = queries.first.run(session, wanted).all()
        return rows, rows[0].total if rows else 0, 1
    total = queries.count.run(session, wanted).scalar_one()
    page = min(page, _pages(total))
    return queries.page.run(session, {**wanted, "before": (page - 1) * RUNS_PER_PAGE}).all(), total, page


def _pages(total: int) -> int:
    return max(1, -(-total // RUNS_PER_PAGE))


def _escaped(search: str) -> str:
    """A percent sign or underscore that somebody looks for stands for itself."""
    return search.replace("/", "//").replace("%", "/%").replace("_", "/_")


_STAGE_COLUMNS: tuple[Any, ...] = (
    type_coerce(col(StageRow.run_id), IdText),
    StageRow.stage,
    StageRow.domain,
    StageRow.status,
)
_DONE = (
    select(func.count())
    .where(
        col(StepRow.run_id) == col(StageRow.run_id),
        col(StepRow.ref) == col(StageRow.ref),
        col(StepRow.is_done),
        col(StepRow.is_required),
    )
    .correlate(StageRow)
    .scalar_subquery()
)
# Of a stage that is behind them, all parts count as done: no need to count.
_IS_BEHIND = col(StageRow.status).in_([StageStatus.APPROVED.value, StageStatus.SKIPPED.value])
_STAGES = Prepared(
    select(*_STAGE_COLUMNS, case((_IS_BEHIND, 0), else_=_DONE))
    .where(col(StageRow.run_id).in_(bindparam("runs", expanding=True)))
    .order_by(col(StageRow.round))
)


def _latest_stages(session: Session, run_ids: Sequence[uuid.UUID]) -> dict[str, list[StageCount]]:
    """Per run the latest round of its stages, in each domain: one query for all runs."""
    found: dict[str, dict[tuple[str, str], StageCount]] = defaultdict(dict)
    if run_ids:
        for run_id, stage, domain, status, done in _STAGES.run(session, {"runs": run_ids}):
            found[run_id][stage, domain] = StageCount(stage, StageStatus(status), done)
    return {run_id: [*stages.values()] for run_id, stages in found.items()}


def _run_line(session: Session, row: Any, all_stages: dict[str, list[StageCount]], names: Mapping[str, str]) -> RunLine:
    plan, id = load_plan(session, row.plan_digest), str(row.id)
    # Domains in which a stage works; the others have one instance, of domain ''.
    domains = len(row.state["domains"])
    done, waiting, busy = 0, 0, set()
    for stage_id, status, finished in all_stages.get(id, ()):
        done += counted_stage_progress(plan.stage(stage_id), status, finished).done
        if status is StageStatus.SUBMITTED:
            waiting += 1
        elif status is StageStatus.OPEN:
            busy.add(stage_id)
    total = sum(stage.required_parts * (domains if stage.is_per_domain else 1) for stage in plan.stages)
    return RunLine(
        id=id,
        name=row.name,
        plan_title=plan.title,
        plan_version=row.plan_version,
        manager=names.get(row.manager_id, ""),
        progress=Progress(done, total),
        busy=tuple(stage.title for stage in plan.stages if stage.id in busy),
        waiting_for_approval=waiting,
        is_mine=row.is_mine,
        changed_at=row.changed_at,
    )
