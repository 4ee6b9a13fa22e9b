"""Recording what happened: the only way in which a run changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Session, col

from app.engine.advice import unanswered
from app.engine.apply import apply
from app.engine.definition import Step, StepPlan
from app.engine.events import Event, RunStarted
from app.engine.progress import is_done
from app.engine.run import Run, StageInstance, StageRef, StepState
from app.policy import Role
from app.storage import codec
from app.storage.history import log
from app.storage.scope import Prepared
from app.storage.tables import EventRow, OpenPointRow, RunAccess, RunMember, RunRow, StageRow, StepRow
from app.storage.texts import COMMITMENTS, commitments_in, will_write


class StaleRun(Exception):
    """Somebody changed the run between loading and recording, or since the page was shown."""


_ADD_RUN, _ADD_MEMBER, _ADD_EVENT = Prepared(insert(RunRow)), Prepared(insert(RunMember)), Prepared(insert(EventRow))
_ADD_STAGE, _ADD_STEP = Prepared(insert(StageRow)), Prepared(insert(StepRow))
_CHANGE_RUN = Prepared(
    update(RunRow).where(col(RunRow.id) == bindparam("of_run"), col(RunRow.revision) == bindparam("known_revision"))
)
_ONE_STAGE = (col(StageRow.run_id) == bindparam("of_run"), col(StageRow.ref) == bindparam("of_stage"))
_CHANGE_STAGE, _REMOVE_STAGE = (
    Prepared(update(StageRow).where(*_ONE_STAGE)),
    Prepared(delete(StageRow).where(*_ONE_STAGE)),
)
_CHANGE_STEP = Prepared(
    update(StepRow).where(
        col(StepRow.run_id) == bindparam("of_run"),
        col(StepRow.ref) == bindparam("of_stage"),
        col(StepRow.step) == bindparam("of_step"),
    )
)
_REMOVE_STEPS = Prepared(
    delete(StepRow).where(col(StepRow.run_id) == bindparam("of_run"), col(StepRow.ref) == bindparam("of_stage"))
)
_REMOVE_STEP = Prepared(
    delete(StepRow).where(
        col(StepRow.run_id) == bindparam("of_run"),
        col(StepRow.ref) == bindparam("of_stage"),
        col(StepRow.step) == bindparam("of_step"),
    )
)
_ADD_POINT = Prepared(insert(OpenPointRow))
_REMOVE_POINTS = Prepared(
    delete(OpenPointRow).where(
        col(OpenPointRow.run_id) == bindparam("of_run"), col(OpenPointRow.ref) == bindparam("of_stage")
    )
)
_REMOVE_MEMBERS = Prepared(delete(RunMember).where(col(RunMember.run_id) == bindparam("of_run")))

_ADD_ADVISER = Prepared(insert(RunAccess))
_REMOVE_ADVISERS = Prepared(
    delete(RunAccess).where(col(RunAccess.run_id) == bindparam("of_run"), col(RunAccess.role) == bindparam("as_role"))
)


def start(session: Session, plan: StepPlan, event: RunStarted, *, name: str, purpose: str) -> Run:
    """Records the first event of a run together with its name and purpose."""
    run = apply(None, event)
    row = {
        "id": uuid.UUID(run.id),
        "municipality_id": _municipality(session),
        "plan_digest": plan.digest,
        "plan_id": plan.id,
        "plan_version": plan.version,
        "name": name,
        "purpose": purpose,
        "manager_id": uuid.UUID(event.manager),
        "state": codec.encode_run(run),
        "revision": run.revision,
        "started_by": uuid.UUID(event.by),
        "started_at": event.at,
        "changed_at": event.at,
    }
    _ADD_RUN.run(session, row)
    _write_team(session, run)
    will_write(session, {event.name: name, event.purpose: purpose})
    _append(session, run.id, [(run.revision, event)])
    return run


def record(session: Session, plan: StepPlan, run: Run, events: Event | Iterable[Event]) -> Run:
    """Appends events and updates the state tables with what they change. `plan` is that of the run afterwards.
    Raises StaleRun if someone was first."""
    happened = [events] if not isinstance(events, Iterable) else list(events)
    if not happened:
        return run
    numbered, after = [], run
    for event in happened:
        after = apply(after, event)
        numbered.append((after.revision, event))
    values = {
        "of_run": uuid.UUID(run.id),
        "known_revision": run.revision,
        "revision": after.revision,
        "manager_id": uuid.UUID(after.manager or ""),
        "state": codec.encode_run(after),
        "changed_at": happened[-1].at,
    }
    if (waits := what_waits(after)) != what_waits(run):
        values |= waits
    if after.plan_digest != run.plan_digest:
        values |= {"plan_digest": after.plan_digest, "plan_id": after.plan_id, "plan_version": after.plan_version}
    if _CHANGE_RUN.run(session, values).rowcount != 1:
        raise StaleRun(run.id)
    _append(session, run.id, numbered)
    if (after.team, after.manager) != (run.team, run.manager):
        _write_team(session, after)
    if after.advisers != run.advisers:
        _write_advisers(session, after)
    _write_stages(session, plan, run, after)
    return after


def what_waits(run: Run) -> dict[str, datetime | None]:
    """Since when something of the whole run waits for somebody, for lists: columns of the table of runs."""
    return {
        "asked_to_move_at": run.proposal.at if run.proposal else None,
        "advice_waits_since": min((each.at for each in unanswered(run.advice)), default=None),
    }


def _append(session: Session, run_id: str, numbered: list[tuple[int, Event]]) -> None:
    rows = []
    for sequence, event in numbered:
        kind, data = codec.encode_event(event)
        if committed := commitments_in(session, data):
            data[COMMITMENTS] = committed
        rows.append(
            {
                "municipality_id": _municipality(session),
                "run_id": uuid.UUID(run_id),
                "sequence": sequence,
                "kind": kind,
                "data": data,
                "by": uuid.UUID(event.by),
                "at": event.at,
            }
        )
    _ADD_EVENT.run(session, rows)
    log.append(session, rows)


def _write_team(session: Session, run: Run) -> None:
    key = uuid.UUID(run.id)
    _REMOVE_MEMBERS.run(session, {"of_run": key})
    municipality = _municipality(session)
    rows = [{"municipality_id": municipality, "run_id": key, "user_id": uuid.UUID(user)} for user in run.team]
    _ADD_MEMBER.run(session, rows)


def _write_advisers(session: Session, run: Run) -> None:
    key = uuid.UUID(run.id)
    _REMOVE_ADVISERS.run(session, {"of_run": key, "as_role": Role.ADVISER.value})
    base = {"municipality_id": _municipality(session), "run_id": key, "role": Role.ADVISER.value}
    if run.advisers:
        _ADD_ADVISER.run(session, [{**base, "user_id": uuid.UUID(user)} for user in run.advisers])


def _write_stages(session: Session, plan: StepPlan, before: Run, after: Run) -> None:
    """Writes the stage and step values that are new or different; values are compared by identity first."""
    is_moved = before.plan_digest != after.plan_digest
    for ref in before.stages.keys() - after.stages.keys():
        # An undone skip of a stage that never began, or a move that gave the stage another place; answers and evidence
        # have tables of their own.
        place = {"of_run": uuid.UUID(after.id), "of_stage": str(ref)}
        if before.stages[ref].steps:
            _REMOVE_STEPS.run(session, place)
        if before.stages[ref].points:
            _REMOVE_POINTS.run(session, place)
        _REMOVE_STAGE.run(session, place)
    for ref, instance in after.stages.items():
        old = before.stages.get(ref)
        if old is instance:
            if is_moved:
                _reread_steps(session, plan, after.id, instance)
            continue
        _write_stage(session, after.id, old, instance)
        if instance.points != (old.points if old else ()):
            _write_points(session, after.id, instance)
        old_steps = old.steps if old else {}
        for step, state in instance.steps.items():
            if old_steps.get(step) is not state:
                definition = plan.stage(ref.stage).step(step)
                _write_step(session, after.id, ref, definition, state, is_new=step not in old_steps)
        for step in old_steps.keys() - instance.steps.keys():
            _REMOVE_STEP.run(session, {"of_run": uuid.UUID(after.id), "of_stage": str(ref), "of_step": step})
        if is_moved:
            _reread_steps(session, plan, after.id, instance)


def _reread_steps(session: Session, plan: StepPlan, run_id: str, instance: StageInstance) -> None:
    """What lists know of the steps of a stage, by another version of the plan: what counts may be another matter."""
    stage = plan.stage(instance.ref.stage)
    for id, state in instance.steps.items():
        step = stage.step(id)
        place = {"of_run": uuid.UUID(run_id), "of_stage": str(instance.ref), "of_step": id}
        _CHANGE_STEP.run(session, {**place, "is_required": step.is_required, "is_done": is_done(step, state)})


def _write_stage(session: Session, run_id: str, old: StageInstance | None, new: StageInstance) -> None:
    state = codec.encode_stage(new)
    values: dict[str, Any] = {"status": new.status.value, "passed": new.passed, "state": state}
    if old is None:
        row = {
            "municipality_id": _municipality(session),
            "run_id": uuid.UUID(run_id),
            "ref": str(new.ref),
            "stage": new.ref.stage,
            "domain": new.ref.domain or "",
            "round": new.ref.round,
            **values,
        }
        _ADD_STAGE.run(session, row)
    elif (old.status, old.passed) != (new.status, new.passed) or codec.encode_stage(old) != state:
        _CHANGE_STAGE.run(session, {"of_run": uuid.UUID(run_id), "of_stage": str(new.ref), **values})


def _write_points(session: Session, run_id: str, instance: StageInstance) -> None:
    """Those that wait for somebody, for lists."""
    _REMOVE_POINTS.run(session, {"of_run": uuid.UUID(run_id), "of_stage": str(instance.ref)})
    rows = [
        {
            "municipality_id": _municipality(session),
            "run_id": uuid.UUID(run_id),
            "id": point.id,
            "ref": str(instance.ref),
            "owner_id": uuid.UUID(point.owner),
            "due": point.due,
            "state": point.state.value,
            "text_id": uuid.UUID(point.text),
        }
        for point in instance.points
        if point.is_waiting
    ]
    if rows:
        _ADD_POINT.run(session, rows)


def _write_step(session: Session, run_id: str, ref: StageRef, step: Step, state: StepState, *, is_new: bool) -> None:
    values: dict[str, Any] = {
        "status": state.status.value,
        "is_done": is_done(step, state),
        "state": codec.encode_step(state),
    }
    if is_new:
        row = {
            "municipality_id": _municipality(session),
            "run_id": uuid.UUID(run_id),
            "ref": str(ref),
            "step": step.id,
            "is_required": step.is_required,
            **values,
        }
        _ADD_STEP.run(session, row)
    else:
        place = {"of_run": uuid.UUID(run_id), "of_stage": str(ref), "of_step": step.id}
        _CHANGE_STEP.run(session, {**place, **values})


def _municipality(session: Session) -> uuid.UUID:
    municipality: uuid.UUID = session.info["municipality_id"]
    return municipality
