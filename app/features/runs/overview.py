"""What the overview shows: what asks for me, how our runs stand, what was decided lately."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, func, select, type_coerce
from sqlmodel import Session, col

from app.engine.definition import CHECKLIST, StepPlan, Text
from app.engine.progress import Progress, counted_stage_progress
from app.engine.run import StageRef, StageStatus, StepStatus
from app.policy import Action
from app.storage.people import names_of
from app.storage.plans import load_plan
from app.storage.scope import Prepared
from app.storage.tables import EventRow, RunMember, RunRow, StageRow, StepRow
from app.storage.types import IdText
from app.web.identity import Caller

RUNS_PER_PAGE = 20
TASKS_MAX = 12  # more than that is not "what asks for me" any more; the run pages show the rest
DECISIONS_MAX = 6
DECISION_KINDS = ("StageApproved", "StageSentBack", "StageSkipped", "DecisionRecorded", "ApprovalWithdrawn")


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this person. `kind`: approve, revisit (a step that was sent back), or continue (a
    stage in progress)."""

    kind: str
    run_name: str
    address: str
    stage_title: Text
    domain_title: Text | None
    step_title: Text | None = None
    asked_by: str | None = None


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
class DecisionLine:
    kind: str
    run_id: str
    run_name: str
    ref: StageRef | None
    title: Text
    domain_title: Text | None
    by: str
    at: datetime


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


def overview(session: Session, caller: Caller, *, page: int, mine_only: bool, search: str) -> Overview:
    """Seven queries at most, whatever the number of runs. `page` counts from 1; one that does not exist gives the
    last."""
    wanted = {"me": uuid.UUID(caller.user_id), **({"search": _escaped(search)} if search else {})}
    rows, total, page = _one_page(session, wanted, page, mine_only=mine_only, is_search=bool(search))
    stages = _latest_stages(session, [row.id for row in rows])
    task_rows = _task_rows(session, caller)
    decision_rows = _decision_rows(session)
    names = names_of(
        session,
        [
            *(row.manager_id for row in rows),
            *(row.by for row in decision_rows),
            *(_asker(row) for row in task_rows),
        ],
    )
    return Overview(
        tasks=tuple(_tasks(session, caller, task_rows, names)),
        runs=tuple(_run_line(session, row, stages, names) for row in rows),
        decisions=tuple(_decision_line(session, row, names) for row in decision_rows),
        runs_total=total,
        page=page,
        pages=_pages(total),
        mine_only=mine_only,
        search=search,
    )


_MEMBER = (
    select(RunMember.run_id)  # type: ignore[call-overload]  # SQLModel types columns as their values
    .where(col(RunMember.run_id) == col(RunRow.id), col(RunMember.user_id) == bindparam("me"))
    .correlate(RunRow)
    .exists()
)
_IS_MINE = (col(RunRow.manager_id) == bindparam("me")) | _MEMBER
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
    query = select(*_RUN_COLUMNS, _IS_MINE.label("is_mine"))
    if mine_only:
        query = query.where(_IS_MINE)
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


_TASK_COLUMNS: tuple[Any, ...] = (
    type_coerce(col(RunRow.id), IdText).label("id"),
    RunRow.name,
    RunRow.plan_digest,
    StageRow.ref,
)
_TO_DECIDE = Prepared(
    select(*_TASK_COLUMNS, col(StageRow.state))
    .join(RunRow, col(RunRow.id) == col(StageRow.run_id))
    .where(col(StageRow.status) == StageStatus.SUBMITTED.value)
    .order_by((col(RunRow.manager_id) != bindparam("me")), col(RunRow.changed_at))
    .limit(TASKS_MAX)
)
_TO_WORK_ON = Prepared(
    select(*_TASK_COLUMNS, col(StepRow.step))
    .join(RunRow, col(RunRow.id) == col(StageRow.run_id))
    .join(RunMember, col(RunMember.run_id) == col(RunRow.id))
    .join(
        StepRow,
        (col(StepRow.run_id) == col(StageRow.run_id))
        & (col(StepRow.ref) == col(StageRow.ref))
        & (col(StepRow.status) == StepStatus.REVISIT.value),
        isouter=True,
    )
    .where(col(StageRow.status) == StageStatus.OPEN.value, col(RunMember.user_id) == bindparam("me"))
    .order_by(col(StepRow.step).is_(None), col(RunRow.changed_at).desc(), col(StageRow.ref))
    .limit(TASKS_MAX)
)


def _task_rows(session: Session, caller: Caller) -> list[Any]:
    """Stages to decide on for who may decide; for who works in the team, stages in progress, and of those the steps
    to look at again. What waits longest comes first."""
    rows: list[Any] = []
    me = {"me": uuid.UUID(caller.user_id)}
    if caller.may(Action.APPROVE_STAGE):
        rows += _TO_DECIDE.run(session, me).all()
    if caller.may(Action.WORK_ON_STAGE):
        rows += _TO_WORK_ON.run(session, me).all()
    return rows


def _asker(row: Any) -> str | None:
    return row.state["request"]["by"] if hasattr(row, "state") and row.state.get("request") else None


def _tasks(session: Session, caller: Caller, rows: list[Any], names: dict[str, str]) -> list[Task]:
    tasks = []
    for row in rows:
        plan, ref = load_plan(session, row.plan_digest), StageRef.parse(row.ref)
        stage, domain = plan.stage(ref.stage), _domain_title(plan, ref)
        stage_address = f"/trajecten/{row.id}/fasen/{ref}"
        if hasattr(row, "state"):
            if caller.user_id not in row.state.get("contributors", ()):
                asker, address = _asker(row), f"{stage_address}/beoordelen"
                by = names.get(asker) if asker else None
                tasks.append(Task("approve", row.name, address, stage.title, domain, asked_by=by))
        elif row.step is None:
            tasks.append(Task("continue", row.name, stage_address, stage.title, domain))
        else:
            address = f"{stage_address}/checklist" if row.step == CHECKLIST else f"{stage_address}/stappen/{row.step}"
            step_title = stage.step(row.step).title
            tasks.append(Task("revisit", row.name, address, stage.title, domain, step_title=step_title))
    return tasks[:TASKS_MAX]


def _domain_title(plan: StepPlan, ref: StageRef) -> Text | None:
    return plan.domains_by_id[ref.domain].title if ref.domain else None


def _run_line(session: Session, row: Any, all_stages: dict[str, list[StageCount]], names: dict[str, str]) -> RunLine:
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


# First the latest events, by their index, and only then the runs that they are about.
_LATEST = (
    select(EventRow)
    .where(col(EventRow.kind).in_(DECISION_KINDS))
    .order_by(col(EventRow.at).desc(), col(EventRow.run_id), col(EventRow.sequence).desc())
    .limit(DECISIONS_MAX)
    .subquery()
)
_LATEST_DECISIONS = Prepared(
    select(
        type_coerce(_LATEST.c.run_id, IdText).label("run_id"),
        _LATEST.c.kind,
        _LATEST.c.data,
        type_coerce(_LATEST.c.by, IdText).label("by"),
        _LATEST.c.at,
        col(RunRow.name),
        col(RunRow.plan_digest),
    )
    .join(RunRow, col(RunRow.id) == _LATEST.c.run_id)
    .order_by(_LATEST.c.at.desc(), _LATEST.c.run_id, _LATEST.c.sequence.desc())
)


def _decision_rows(session: Session) -> list[Any]:
    return list(_LATEST_DECISIONS.run(session, {}))


def _decision_line(session: Session, row: Any, names: dict[str, str]) -> DecisionLine:
    plan = load_plan(session, row.plan_digest)
    if "ref" in row.data:
        ref = StageRef.parse(row.data["ref"])
        title, domain = plan.stage(ref.stage).title, _domain_title(plan, ref)
    else:
        ref, title = None, plan.decisions_by_id[row.data["decision"]].title
        domain = plan.domains_by_id[row.data["domain"]].title if row.data["domain"] else None
    by = names.get(row.by, "")
    return DecisionLine(row.kind, row.run_id, row.name, ref, title, domain, by, row.at)
