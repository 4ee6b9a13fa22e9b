"""What waits for somebody: to decide, to look at again, to go on with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Date, String, Uuid, bindparam, cast, false, literal_column, null, select, type_coerce, union_all
from sqlmodel import Session, col

from app.engine.definition import CHECKLIST, Stage, StepPlan, Text
from app.engine.people import People
from app.engine.points import PointState
from app.engine.run import StageRef, StageStatus, StepStatus
from app.policy import Action, Role, deciding_roles, may_by_mandate
from app.storage import codec
from app.storage.auditor_limits import dutch_day
from app.storage.mandates import IN_FORCE
from app.storage.plans import load_plan
from app.storage.scope import Prepared
from app.storage.tables import (
    Erasure,
    MandateRow,
    OpenPointRow,
    RunAccess,
    RunMember,
    RunRow,
    StageRow,
    StepRow,
    TextRow,
)
from app.storage.types import IdText, JSONValue
from app.web.identity import Caller

TASKS_MAX = 12  # more than that is not "what asks for me" any more; the run pages show the rest


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this person. `kind`: approve, advise, move (a manager is asked to confirm that the run
    goes on with another version), point (an open point that they own), judge (that its owner reported as done), erase
    (personal data, of no run in particular), revisit (a step that was sent back) or continue (a stage in progress).
    `due` belongs to a point; `on_behalf_of` is the absent manager in whose name this person decides."""

    kind: str
    run_name: str
    address: str
    stage_title: Text | None = None
    domain_title: Text | None = None
    to_version: str = ""
    step_title: Text | None = None
    asked_by: str | None = None
    text: str | None = None
    due: date | None = None
    is_late: bool = False
    on_behalf_of: str | None = None


def _kind(name: str) -> Any:
    return literal_column(f"'{name}'").label("kind")


_TASK_COLUMNS: tuple[Any, ...] = (
    type_coerce(col(RunRow.id), IdText).label("id"),
    RunRow.name,
    RunRow.plan_digest,
    StageRow.ref,
)
# For whom the run waits in the first place: its manager, and who stands in for that one.
_MINE = (
    select(MandateRow.id)  # type: ignore[call-overload]  # SQLModel types columns as their values
    .where(
        col(MandateRow.mandator_id) == col(RunRow.manager_id), col(MandateRow.deputy_id) == bindparam("me"), *IN_FORCE
    )
    .correlate(RunRow)
    .exists()
)
_IS_SHARED = (
    select(RunAccess.user_id)  # type: ignore[call-overload]
    .where(
        col(RunAccess.run_id) == col(RunRow.id),
        col(RunAccess.user_id) == bindparam("me"),
        col(RunAccess.role) == Role.ADVISER.value,
    )
    .correlate(RunRow)
    .exists()
    .label("is_shared")
)
_SUBMITTED = (
    select(
        _kind("approve"),
        *_TASK_COLUMNS,
        col(StageRow.state),
        type_coerce(col(RunRow.manager_id), IdText).label("manager"),
        _MINE.label("stands_in"),
        _IS_SHARED,
    )
    .join(RunRow, col(RunRow.id) == col(StageRow.run_id))
    .where(col(StageRow.status) == StageStatus.SUBMITTED.value)
    .limit(TASKS_MAX)
)
_TO_DECIDE = Prepared(_SUBMITTED.order_by((col(RunRow.manager_id) != bindparam("me")) & ~_MINE, col(RunRow.changed_at)))
_TO_DECIDE_AS_DEPUTY = Prepared(_SUBMITTED.where(_MINE).order_by(col(RunRow.changed_at)))
# What somebody is asked besides approving comes with one query: an overview asks the database little.
_ASKED_COLUMNS: tuple[Any, ...] = (
    col(RunRow.id).label("id"),
    col(RunRow.name).label("name"),
    col(RunRow.plan_digest).label("plan_digest"),
    type_coerce(col(RunRow.manager_id), IdText).label("manager"),
    _MINE.label("stands_in"),
    _IS_SHARED,
)
_TO_CONFIRM = (
    select(
        _kind("move"),
        *_ASKED_COLUMNS,
        col(RunRow.state).label("state"),
        *(cast(null(), String).label(name) for name in ("ref", "point", "point_state", "text")),
        cast(null(), Uuid).label("owner"),
        cast(null(), Date).label("due"),
    )
    .where(col(RunRow.asked_to_move_at).is_not(None))
    .order_by((col(RunRow.manager_id) != bindparam("me")), col(RunRow.asked_to_move_at))
    .limit(TASKS_MAX)
)
_POINTS = (
    select(
        _kind("point"),
        *_ASKED_COLUMNS,
        col(StageRow.state).label("state"),
        col(OpenPointRow.ref).label("ref"),
        col(OpenPointRow.id).label("point"),
        col(OpenPointRow.state).label("point_state"),
        col(TextRow.text).label("text"),
        col(OpenPointRow.owner_id).label("owner"),
        col(OpenPointRow.due).label("due"),
    )
    .join(RunRow, col(RunRow.id) == col(OpenPointRow.run_id))
    .join(
        StageRow,
        (col(StageRow.run_id) == col(OpenPointRow.run_id)) & (col(StageRow.ref) == col(OpenPointRow.ref)),
    )
    .join(TextRow, col(TextRow.id) == col(OpenPointRow.text_id), isouter=True)
    .order_by(col(OpenPointRow.due), col(OpenPointRow.id))
    .limit(TASKS_MAX)
)
_TO_ERASE: Any = (
    select(
        _kind("erase"),
        col(Erasure.id).label("id"),
        *(cast(null(), String).label(name) for name in ("name", "plan_digest")),
        type_coerce(cast(null(), Uuid), IdText).label("manager"),
        false().label("stands_in"),
        false().label("is_shared"),
        cast(null(), JSONValue).label("state"),
        *(cast(null(), String).label(name) for name in ("ref", "point", "point_state", "text")),
        col(Erasure.asked_by).label("owner"),
        cast(null(), Date).label("due"),
    )
    .where(col(Erasure.status) == "asked")
    .order_by(col(Erasure.asked_at))
    .limit(TASKS_MAX)
)
_IS_OWN = (col(OpenPointRow.state) == "open") & (col(OpenPointRow.owner_id) == bindparam("me"))
_IS_REPORTED = col(OpenPointRow.state) == "reported"


@cache
def _asked(*, decides: bool, stands_in: bool, erases: bool) -> Prepared:
    """What besides approving: as a manager, in the name of one, of one's own points only; and what is to be erased."""
    points = _IS_OWN | _IS_REPORTED if decides else _IS_OWN | (_IS_REPORTED & _MINE) if stands_in else _IS_OWN
    queries = [*([_TO_CONFIRM] if decides else []), *([_TO_ERASE] if erases else []), _POINTS.where(points)]
    return Prepared(union_all(*(select(*query.subquery().c) for query in queries)))


_TO_ADVISE = Prepared(
    select(_kind("advise"), type_coerce(col(RunRow.id), IdText).label("id"), col(RunRow.name), col(RunRow.state))
    .join(RunAccess, col(RunAccess.run_id) == col(RunRow.id))
    .where(col(RunAccess.user_id) == bindparam("me"), col(RunAccess.role) == Role.ADVISER.value)
    .order_by(col(RunRow.changed_at).desc())
)
_TO_WORK_ON = Prepared(
    select(_kind("work"), *_TASK_COLUMNS, col(StepRow.step))
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


def task_rows(session: Session, caller: Caller, *, at: datetime) -> list[Any]:
    """Stages to decide on, moves to confirm and personal data to erase for who may decide on those; for who works in
    the team, stages in progress, and of those the steps to look at again. What waits longest comes first."""
    rows: list[Any] = []
    me = {"me": uuid.UUID(caller.user_id)}
    today = {**me, "today": dutch_day(at)}
    if caller.may(Action.APPROVE_STAGE):
        rows += _TO_DECIDE.run(session, today).all()
    elif may_by_mandate(caller.roles, Action.APPROVE_STAGE):
        rows += _TO_DECIDE_AS_DEPUTY.run(session, today).all()
    asked = _asked(
        decides=caller.may(Action.TAKE_DECISION),
        stands_in=may_by_mandate(caller.roles, Action.APPROVE_STAGE),
        erases=caller.may(Action.DECIDE_ON_ERASURE),
    )
    rows += asked.run(session, today).all()
    if caller.may(Action.GIVE_ADVICE):
        rows += [row for row in _TO_ADVISE.run(session, me).all() if _is_advice_wanted(row, caller.user_id)]
    if caller.may(Action.WORK_ON_STAGE):
        rows += _TO_WORK_ON.run(session, me).all()
    return rows


def _is_advice_wanted(row: Any, me: str) -> bool:
    """Shared, and no advice given since."""
    state = codec.decode_run(row.state)
    asked = next((shared for shared in state["shared"] if shared.adviser == me), None)
    return asked is not None and all(given.by != me or given.at < asked.at for given in state["advice"])


def asker(row: Any) -> str | None:
    match row.kind:
        case "move":
            return str(row.state["proposal"]["by"])
        case "point" | "erase":
            return str(row.owner)
        case "approve" if row.state.get("request"):
            return str(row.state["request"]["by"])
        case _:
            return None


def people_at(row: Any) -> Iterator[str]:
    """Who had a hand in a stage that waits for a decision, who takes no part in that, and its manager."""
    if row.kind in ("approve", "point"):
        yield row.manager
        yield from row.state.get("contributors", ())
        yield from _recused(row)


def _recused(row: Any) -> list[str]:
    return [each["by"] for each in row.state.get("recusals", ()) if not each.get("taken_back_at")]


def _is_out(row: Any, user: str, people: People) -> bool:
    return people.is_among(user, (*row.state.get("contributors", ()), *_recused(row)))


def _in_whose_name(row: Any, people: People) -> str | None:
    """The absent manager, if there is one for whom this person stands in."""
    return row.manager if row.stands_in and not _is_out(row, row.manager, people) else None


def _has_role(row: Any, stage: Stage, caller: Caller) -> bool:
    return not deciding_roles(caller.roles, is_shared=row.is_shared).isdisjoint(stage.gate.approvers)


def tasks_of(
    session: Session, caller: Caller, rows: list[Any], names: dict[str, str], people: People, today: date
) -> list[Task]:
    tasks = []
    for row in rows:
        if row.kind == "advise":
            tasks.append(Task("advise", row.name, f"/trajecten/{row.id}/advies"))
            continue
        if row.kind == "erase":
            if not people.is_same(by := asker(row), caller.user_id):  # another confirms what somebody asked
                tasks.append(Task("erase", "", f"/beheer/gegevens-wissen/{row.id}", asked_by=names.get(by or "")))
            continue
        if row.kind == "move":
            by = asker(row)
            if not people.is_same(by, caller.user_id):
                address = f"/trajecten/{row.id}/nieuwe-versie"
                version = row.state["proposal"]["to_version"]
                tasks.append(Task("move", row.name, address, to_version=version, asked_by=names.get(by or "")))
            continue
        plan, ref = load_plan(session, row.plan_digest), StageRef.parse(row.ref)
        stage, domain = plan.stage(ref.stage), _domain_title(plan, ref)
        stage_address = f"/trajecten/{row.id}/fasen/{ref}"
        decides = row.kind in ("approve", "point") and not _is_out(row, caller.user_id, people)
        in_whose_name = _in_whose_name(row, people) if decides else None
        absent = names.get(in_whose_name) if in_whose_name else None
        may_decide = decides and (in_whose_name is not None or _has_role(row, stage, caller))
        if row.kind == "point":
            address = f"{stage_address}/open-punten/{row.point}"
            is_own = row.point_state == PointState.OPEN
            is_late = is_own and row.due < today
            by = names.get(str(row.owner))
            if is_own:
                task = Task("point", row.name, address, stage.title, domain, text=row.text, due=row.due)
                tasks.append(replace(task, is_late=is_late))
            elif may_decide:
                task = Task("judge", row.name, address, stage.title, domain, text=row.text, due=row.due, asked_by=by)
                tasks.append(replace(task, on_behalf_of=absent))
        elif row.kind == "approve":
            if may_decide:
                address, by = f"{stage_address}/beoordelen", names.get(asker(row) or "")
                task = Task("approve", row.name, address, stage.title, domain, asked_by=by, on_behalf_of=absent)
                tasks.append(task)
        elif row.step is None:
            tasks.append(Task("continue", row.name, stage_address, stage.title, domain))
        else:
            address = f"{stage_address}/checklist" if row.step == CHECKLIST else f"{stage_address}/stappen/{row.step}"
            step_title = stage.step(row.step).title
            tasks.append(Task("revisit", row.name, address, stage.title, domain, step_title=step_title))
    return tasks[:TASKS_MAX]


def _domain_title(plan: StepPlan, ref: StageRef) -> Text | None:
    return plan.domains_by_id[ref.domain].title if ref.domain else None
