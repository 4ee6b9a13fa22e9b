"""What of all runs may wait for somebody, as rows: as few queries as an overview can ask the database."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Date, String, Uuid, bindparam, cast, false, literal_column, null, select, type_coerce, union_all
from sqlmodel import Session, col

from app.engine.run import StageStatus, StepStatus
from app.policy import Action, Role, may_by_mandate
from app.storage import codec
from app.storage.auditor_limits import dutch_day
from app.storage.mandates import IN_FORCE
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

TASKS_MAX: Final = 12  # more than that is not "what asks for me" any more; the run pages show the rest


def _kind(name: str) -> Any:
    return literal_column(f"'{name}'").label("kind")


_TASK_COLUMNS: tuple[Any, ...] = (
    type_coerce(col(RunRow.id), IdText).label("id"),
    RunRow.name,
    RunRow.plan_digest,
    StageRow.ref,
)
# Who stands in for the manager of the run.
_STANDS_IN = (
    select(MandateRow.id)  # type: ignore[call-overload]  # SQLModel types columns as their values
    .where(
        col(MandateRow.mandator_id) == col(RunRow.manager_id), col(MandateRow.deputy_id) == bindparam("me"), *IN_FORCE
    )
    .correlate(RunRow)
    .exists()
)
# In the team of the run, or its manager.
WORKS_ON_IT = (col(RunRow.manager_id) == bindparam("me")) | (
    select(RunMember.run_id)  # type: ignore[call-overload]
    .where(col(RunMember.run_id) == col(RunRow.id), col(RunMember.user_id) == bindparam("me"))
    .correlate(RunRow)
    .exists()
)


def _is_shared(adviser: Any) -> Any:
    return (
        select(RunAccess.user_id)  # type: ignore[call-overload]
        .where(
            col(RunAccess.run_id) == col(RunRow.id),
            col(RunAccess.user_id) == adviser,
            col(RunAccess.role) == Role.ADVISER.value,
        )
        .correlate(RunRow)
        .exists()
    )


# What the rule on who decides (app/engine/deciders.py) asks of a run.
_WHO_DECIDES: tuple[Any, ...] = (
    type_coerce(col(RunRow.manager_id), IdText).label("manager"),
    _STANDS_IN.label("stands_in"),
    _is_shared(bindparam("me")).label("is_shared"),
    _is_shared(col(RunRow.manager_id)).label("is_shared_with_manager"),
)
_SUBMITTED = (
    select(
        _kind("approve"),
        *_TASK_COLUMNS,
        col(StageRow.status),
        col(StageRow.passed),
        col(StageRow.state),
        *_WHO_DECIDES,
    )
    .join(RunRow, col(RunRow.id) == col(StageRow.run_id))
    .where(col(StageRow.status) == StageStatus.SUBMITTED.value)
    .limit(TASKS_MAX)
)
_TO_DECIDE = Prepared(
    _SUBMITTED.order_by((col(RunRow.manager_id) != bindparam("me")) & ~_STANDS_IN, col(RunRow.changed_at))
)
_TO_DECIDE_AS_DEPUTY = Prepared(_SUBMITTED.where(_STANDS_IN).order_by(col(RunRow.changed_at)))
# What somebody is asked besides approving comes with one query: an overview asks the database little.
_ASKED_COLUMNS: tuple[Any, ...] = (
    col(RunRow.id).label("id"),
    col(RunRow.name).label("name"),
    col(RunRow.plan_digest).label("plan_digest"),
    *_WHO_DECIDES,
)
_NO_STAGE: tuple[Any, ...] = (cast(null(), String).label("status"), false().label("passed"))
_NO_PLACE: tuple[Any, ...] = tuple(cast(null(), String).label(name) for name in ("ref", "point", "point_state", "text"))
_NO_POINT: tuple[Any, ...] = (
    *_NO_PLACE,
    cast(null(), Uuid).label("owner"),
    cast(null(), Date).label("due"),
)
_TO_CONFIRM = (
    select(
        _kind("move"),
        *_ASKED_COLUMNS,
        *_NO_STAGE,
        col(RunRow.state).label("state"),
        *_NO_POINT,
    )
    .where(col(RunRow.asked_to_move_at).is_not(None))
    .order_by((col(RunRow.manager_id) != bindparam("me")), col(RunRow.asked_to_move_at))
    .limit(TASKS_MAX)
)
_TO_ANSWER = (
    select(_kind("answer"), *_ASKED_COLUMNS, *_NO_STAGE, col(RunRow.state).label("state"), *_NO_POINT)
    .where(col(RunRow.advice_waits_since).is_not(None), WORKS_ON_IT)
    .order_by(col(RunRow.advice_waits_since))
    .limit(TASKS_MAX)
)
_POINTS = (
    select(
        _kind("point"),
        *_ASKED_COLUMNS,
        col(StageRow.status).label("status"),
        col(StageRow.passed).label("passed"),
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
        *(false().label(name) for name in ("stands_in", "is_shared", "is_shared_with_manager")),
        *_NO_STAGE,
        cast(null(), JSONValue).label("state"),
        *_NO_PLACE,
        col(Erasure.asked_by).label("owner"),
        cast(null(), Date).label("due"),
    )
    .where(col(Erasure.status) == "asked")
    .order_by(col(Erasure.asked_at))
    .limit(TASKS_MAX)
)
_TO_ADVISE = (
    select(_kind("advise"), *_ASKED_COLUMNS, *_NO_STAGE, col(RunRow.state).label("state"), *_NO_POINT)
    .join(RunAccess, col(RunAccess.run_id) == col(RunRow.id))
    .where(col(RunAccess.user_id) == bindparam("me"), col(RunAccess.role) == Role.ADVISER.value)
    .order_by(col(RunRow.changed_at).desc())
)
_IS_OWN = (col(OpenPointRow.state) == "open") & (col(OpenPointRow.owner_id) == bindparam("me"))
_IS_REPORTED = col(OpenPointRow.state) == "reported"


@cache
def _asked(*, decides: bool, stands_in: bool, erases: bool, answers: bool, advises: bool) -> Prepared:
    """What besides approving: as a manager, in the name of one, of one's own points only; what is to be erased; advice
    to answer; and what one was asked to advise on."""
    points = _IS_OWN | _IS_REPORTED if decides else _IS_OWN | (_IS_REPORTED & _STANDS_IN) if stands_in else _IS_OWN
    queries = [
        *([_TO_CONFIRM] if decides else []),
        *([_TO_ERASE] if erases else []),
        _POINTS.where(points),
        *([_TO_ANSWER] if answers else []),
        *([_TO_ADVISE] if advises else []),
    ]
    return Prepared(union_all(*(select(*query.subquery().c) for query in queries)))


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
        answers=caller.may(Action.ANSWER_ADVICE),
        advises=caller.may(Action.GIVE_ADVICE),
    )
    rows += [row for row in asked.run(session, today).all() if _is_still_asked(row, caller.user_id)]
    if caller.may(Action.WORK_ON_STAGE):
        rows += _TO_WORK_ON.run(session, me).all()
    return rows


def _is_still_asked(row: Any, me: str) -> bool:
    """Of advice: the run is shared, and none was given since."""
    if row.kind != "advise":
        return True
    state = codec.decode_run(row.state)
    asked = next((shared for shared in state["shared"] if shared.adviser == me), None)
    return asked is not None and all(given.by != me or given.at < asked.at for given in state["advice"])
