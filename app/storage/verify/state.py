"""Whether the tables of how a run stands say what its history leads to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, select

from app.engine.progress import is_done
from app.engine.run import Run, StageRef
from app.policy import Role
from app.storage import codec
from app.storage.run_store import load_run
from app.storage.run_store.recording import what_waits
from app.storage.tables import OpenPointRow, RunAccess, RunMember, RunRow, StepRow
from app.storage.verify.findings import Part, Tell, Trouble
from app.storage.verify.replaying import UNREADABLE


def check_tables(session: Session, replayed: Run, report: Tell) -> None:
    try:
        plan, stored = load_run(session, replayed.id, afresh=True)
    except UNREADABLE as error:
        report(Part.TABLES, "", Trouble.UNREADABLE, repr(error))
        return
    for part, key, a, b in _compared(replayed, stored):
        if a != b:
            report(part, key, Trouble.TABLES_DIFFER)
    columns: tuple[Any, ...] = (StepRow.ref, StepRow.step, StepRow.status, StepRow.is_done)
    for ref, step, status, done in session.execute(
        sqlalchemy.select(*columns).where(col(StepRow.run_id) == uuid.UUID(stored.id))
    ):
        instance = stored.stages[StageRef.parse(ref)]
        state, definition = instance.step(step), plan.stage(instance.ref.stage).steps_by_id.get(step)
        if definition is None:
            report(Part.STEP, f"{ref}/{step}", Trouble.NOT_IN_PLAN)
        elif (status, done) != (state.status.value, is_done(definition, state)):
            report(Part.STEP, f"{ref}/{step}", Trouble.LIST_DIFFERS)


def _compared(replayed: Run, stored: Run) -> Iterator[tuple[Part, str, object, object]]:
    yield (
        Part.PLAN,
        "",
        (replayed.plan_id, replayed.plan_version, replayed.plan_digest),
        (
            stored.plan_id,
            stored.plan_version,
            stored.plan_digest,
        ),
    )
    yield Part.REVISION, "", replayed.revision, stored.revision
    yield Part.MANAGER, "", replayed.manager, stored.manager
    yield Part.START, "", (replayed.started_by, replayed.started_at), (stored.started_by, stored.started_at)
    yield Part.WHOLE_RUN, "", codec.encode_run(replayed), codec.encode_run(stored)
    for ref in sorted({*replayed.stages, *stored.stages}, key=str):
        a, b = replayed.stages.get(ref), stored.stages.get(ref)
        yield (
            Part.STAGE,
            str(ref),
            a and (a.status, a.passed, codec.encode_stage(a)),
            b
            and (
                b.status,
                b.passed,
                codec.encode_stage(b),
            ),
        )
        if a and b:
            for step in sorted({*a.steps, *b.steps}):
                yield Part.STEP, f"{ref}/{step}", codec.encode_step(a.step(step)), codec.encode_step(b.step(step))


def check_members(session: Session, run: Run, report: Tell) -> None:
    members = session.exec(select(RunMember.user_id).where(RunMember.run_id == uuid.UUID(run.id)))
    if {str(member) for member in members} != set(run.team):
        report(Part.TEAM, "", Trouble.MEMBERS_DIFFER)
    opened = session.exec(
        select(RunAccess.user_id).where(RunAccess.run_id == uuid.UUID(run.id), RunAccess.role == Role.ADVISER.value)
    )
    if {str(adviser) for adviser in opened} != set(run.advisers):
        report(Part.ADVISERS, "", Trouble.OPENED_TO_OTHERS)


def check_points(session: Session, run: Run, report: Tell) -> None:
    """That lists know of the open points what the run says of them."""
    columns: tuple[Any, ...] = (OpenPointRow.ref, OpenPointRow.id, OpenPointRow.owner_id, OpenPointRow.due)
    found = session.execute(
        sqlalchemy.select(*columns, col(OpenPointRow.state)).where(col(OpenPointRow.run_id) == uuid.UUID(run.id))
    )
    listed = {(ref, id, str(owner), due, state) for ref, id, owner, due, state in found}
    there = {
        (str(ref), point.id, point.owner, point.due, point.state.value)
        for ref, instance in run.stages.items()
        for point in instance.points
        if point.is_waiting
    }
    for ref, id, *_ in sorted(listed ^ there, key=str):
        report(Part.POINT, f"{ref}/{id}", Trouble.TABLES_DIFFER)


def check_waiting(session: Session, run: Run, report: Tell) -> None:
    """That lists know since when something of the whole run waits for somebody."""
    columns: tuple[Any, ...] = (RunRow.asked_to_move_at, RunRow.advice_waits_since)
    found = session.execute(sqlalchemy.select(*columns).where(col(RunRow.id) == uuid.UUID(run.id))).one()
    if found._asdict() != what_waits(run):
        report(Part.WAITING, "", Trouble.TABLES_DIFFER)
