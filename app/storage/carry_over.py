"""Answers of an earlier run, brought along when a stage begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.catalogue.versions import precedence
from app.engine import transitions
from app.engine.carry_over import Carried, carried_answers
from app.engine.definition import StepPlan
from app.engine.events import Event
from app.engine.run import Run, StageRef, UserId
from app.engine.run_migration.part_map import PartMap, map_parts
from app.storage.answer_store import propose_answers
from app.storage.plan_routes import comparison
from app.storage.run_store import load_run
from app.storage.tables import RunRow

EARLIER_RUNS_MAX = 200  # to choose from, the latest changed first


@dataclass(frozen=True, slots=True)
class EarlierRun:
    id: str
    name: str
    version: str
    started_at: datetime


_COLUMNS: tuple[Any, ...] = (RunRow.id, RunRow.name, RunRow.plan_version, RunRow.started_at)


def earlier_runs(session: Session, plan: StepPlan) -> list[EarlierRun]:
    """Runs of this municipality that a run on `plan` can start from: of the same plan, in this or an older version."""
    query = (
        select(*_COLUMNS)
        .where(col(RunRow.plan_id) == plan.id)
        .order_by(col(RunRow.changed_at).desc())
        .limit(EARLIER_RUNS_MAX)
    )
    found = [EarlierRun(str(row.id), row.name, row.plan_version, row.started_at) for row in session.execute(query)]
    return [run for run in found if precedence(run.version) <= precedence(plan.version)]


def parts_between(session: Session, old: StepPlan, new: StepPlan) -> PartMap:
    """The map of parts from one version to another, or of a version to itself."""
    if old.digest == new.digest:
        return map_parts(old, new)
    return comparison(session, old.digest, new.digest).parts


def bring_along(session: Session, plan: StepPlan, run: Run, ref: StageRef, *, by: UserId, at: datetime) -> list[Event]:
    """Copies the answers of the earlier run for a stage that begins (`run` is as it is afterwards), and gives the
    events to record; none for a later round, or without an earlier run."""
    if run.earlier_run is None or ref.round > 1:
        return []
    old, earlier = load_run(session, run.earlier_run)
    by_step: dict[str, list[Carried]] = {}
    for carried in carried_answers(parts_between(session, old, plan), old, plan, earlier, ref):
        by_step.setdefault(carried.step, []).append(carried)
    events: list[Event] = []
    for id, found in by_step.items():
        step = plan.stage(ref.stage).step(id)
        sources = {carried.question: carried.commitment for carried in found}
        marks = propose_answers(session, run.id, ref, step, sources, of_run=earlier.id)
        if marks:
            authors = dict.fromkeys(user for each in found if each.question in marks for user in each.authors)
            event = transitions.propose_answers(plan, run, ref, id, answers=marks, authors=[*authors], by=by, at=at)
            events.append(event)
    return events
