"""Loading a run as the engine's value.

A load brings along as much as its name says; the engine refuses to look at steps that were not loaded.
The caller's session must be scoped to a municipality; a run of another one is not found.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy
from pydantic_core import from_json
from sqlalchemy import String, Text, bindparam, cast, literal
from sqlmodel import Session, col, select

from app.engine import guards
from app.engine.definition import StepPlan
from app.engine.events import Event
from app.engine.run import Run, StageInstance, StageRef, StageStatus, StepState
from app.storage import codec
from app.storage.kept_runs import KeptRuns, Moment
from app.storage.memory import remembered
from app.storage.plans import load_plan
from app.storage.run_header import RunHeader, RunNotFound, remember
from app.storage.scope import Prepared
from app.storage.tables import EventRow, RunRow, StageRow, StepRow


def load_run(session: Session, run_id: str, *, for_change: bool = False, afresh: bool = False) -> tuple[StepPlan, Run]:
    """The whole run, all steps of all stages: two queries, or one for a run that was kept. `afresh` reads it all the
    same, for who doubts the tables.  Raises RunNotFound."""
    return _load(session, run_id, _Part(), for_change=for_change, afresh=afresh)


def load_stage(session: Session, run_id: str, ref: StageRef, *, for_change: bool = False) -> tuple[StepPlan, Run]:
    """All stages, with the steps of one stage instance only: two queries at most.  Raises RunNotFound."""
    return _load(session, run_id, _Part(of_stage=ref), for_change=for_change)


def load_step(
    session: Session, run_id: str, ref: StageRef, step: str, *, for_change: bool = False
) -> tuple[StepPlan, Run]:
    """All stages, with one step only: two queries at most, whose cost does not depend on the number of steps.
    Raises RunNotFound."""
    return _load(session, run_id, _Part(of_stage=ref, of_step=step), for_change=for_change)


def load_in_progress(session: Session, run_id: str) -> tuple[StepPlan, Run]:
    """All stages, with the steps of those that are neither approved nor skipped: two queries at most.
    Raises RunNotFound."""
    return _load(session, run_id, _Part(in_progress=True), for_change=False)


def load_stages(session: Session, run_id: str, *, for_change: bool = False) -> tuple[StepPlan, Run]:
    """All stages, without any step: two queries at most.  Raises RunNotFound."""
    return _load(session, run_id, _Part(steps=False), for_change=for_change)


class _Part(NamedTuple):
    """How much of a run to load; all of it, unless something else is said."""

    steps: bool = True
    of_stage: StageRef | None = None
    of_step: str | None = None
    in_progress: bool = False


_RUN_COLUMNS: tuple[Any, ...] = (
    RunRow.id,
    RunRow.plan_digest,
    RunRow.plan_id,
    RunRow.plan_version,
    RunRow.manager_id,
    cast(col(RunRow.state), Text).label("state"),  # read only for a run that was not kept
    RunRow.revision,
    RunRow.started_by,
    RunRow.started_at,
    RunRow.changed_at,
    RunRow.name,
    RunRow.purpose,
)
_RUN = sqlalchemy.select(*_RUN_COLUMNS).where(col(RunRow.id) == bindparam("of_run"))
_GET_RUN, _LOCK_RUN = Prepared(_RUN), Prepared(_RUN.with_for_update())


def _load(
    session: Session, run_id: str, part: _Part, *, for_change: bool, afresh: bool = False
) -> tuple[StepPlan, Run]:
    key = _key(run_id)
    row = (_LOCK_RUN if for_change else _GET_RUN).run(session, {"of_run": key}).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    remember(session, RunHeader(str(key), row.name, row.purpose))
    plan = load_plan(session, row.plan_digest)
    kept, moment = remembered(session, KeptRuns), Moment(row.revision, row.changed_at)
    run = kept.find((key, part), moment) if kept and not afresh else None
    if run is None:
        run = run_from(row, from_json(row.state), _load_part(session, key, part))
        # What a transaction changed may yet be taken back.
        if kept and session.info.get("is_reading") and _is_there(plan, run, part):
            kept.keep((key, part), moment, run)
    return plan, run


def run_from(row: Any, state: codec.Json, stages: Mapping[StageRef, StageInstance]) -> Run:
    """`row`: of the table of runs; `state`: what it says there."""
    return Run(
        id=str(row.id),
        plan_id=row.plan_id,
        plan_version=row.plan_version,
        plan_digest=row.plan_digest,
        revision=row.revision,
        manager=str(row.manager_id),
        started_by=str(row.started_by),
        started_at=row.started_at,
        stages=stages,
        **codec.decode_run(state),
    )


def _is_there(plan: StepPlan, run: Run, part: _Part) -> bool:
    """An address can name any stage and step; those that somebody makes up would take the place of real ones."""
    try:
        if part.of_stage and part.of_step is not None:
            guards.find_step(plan, run, part.of_stage, part.of_step)
        elif part.of_stage:
            guards.find_stage(plan, run, part.of_stage)
    except guards.NoSuchPart:
        return False
    return True


def _load_part(session: Session, key: uuid.UUID, part: _Part) -> dict[StageRef, StageInstance]:
    if part.of_stage:
        return _load_stages(session, key, part.of_stage, part.of_step)
    if part.in_progress:
        return _load_stages_in_progress(session, key)
    return _load_all_stages(session, key, part.steps)


_STAGE_COLUMNS: tuple[Any, ...] = (StageRow.ref, StageRow.status, StageRow.passed, StageRow.state)
_OF_RUN = sqlalchemy.select(*_STAGE_COLUMNS).where(col(StageRow.run_id) == bindparam("of_run"))
_STAGES = Prepared(_OF_RUN)
# A row per stage and a row per step; a join would give the state of a stage with each of its steps.
_STAGES_THEN_STEPS = Prepared(
    sqlalchemy.union_all(
        _OF_RUN.add_columns(literal(None, String).label("step")),
        sqlalchemy.select(
            col(StepRow.ref), col(StepRow.status), literal(False), col(StepRow.state), col(StepRow.step)
        ).where(col(StepRow.run_id) == bindparam("of_run")),
    )
)


def _load_all_stages(session: Session, key: uuid.UUID, steps: bool) -> dict[StageRef, StageInstance]:
    """All stages with all of their steps, or none: a single query."""
    if not steps:
        return {
            (ref := StageRef.parse(row.ref)): replace(_instance(ref, row), loaded=frozenset())
            for row in _STAGES.run(session, {"of_run": key}).all()
        }
    stages, found = [], defaultdict[str, dict[str, StepState]](dict)
    for row in _STAGES_THEN_STEPS.run(session, {"of_run": key}).all():
        text, _, _, state, step = row
        if step is None:
            stages.append(row)
        else:
            found[text][step] = codec.decode_step(state)
    return {
        (ref := StageRef.parse(row.ref)): replace(_instance(ref, row), steps=found[row.ref], loaded=None)
        for row in stages
    }


def _instance(ref: StageRef, row: Any) -> StageInstance:
    return codec.decode_stage(ref, row.state, status=row.status, passed=row.passed)


_OWN_STEPS = (col(StepRow.run_id) == col(StageRow.run_id)) & (col(StepRow.ref) == col(StageRow.ref))
_OF_STAGE = _OWN_STEPS & (col(StepRow.ref) == bindparam("of_stage"))
_IN_PROGRESS = (StageStatus.OPEN, StageStatus.SUBMITTED)


def _stages_and(steps_of: Any) -> Prepared:
    columns: tuple[Any, ...] = (*_STAGE_COLUMNS, StepRow.step, col(StepRow.state).label("step_state"))
    query = sqlalchemy.select(*columns).join(StepRow, steps_of, isouter=True)
    return Prepared(query.where(col(StageRow.run_id) == bindparam("of_run")))


_STAGES_AND_STEPS = _stages_and(_OF_STAGE)
_STAGES_AND_STEP = _stages_and(_OF_STAGE & (col(StepRow.step) == bindparam("of_step")))
_STAGES_AND_STEPS_IN_PROGRESS = _stages_and(
    _OWN_STEPS & col(StageRow.status).in_([status.value for status in _IN_PROGRESS])
)


def _load_stages(
    session: Session, key: uuid.UUID, of_stage: StageRef, of_step: str | None
) -> dict[StageRef, StageInstance]:
    """All stages, with the steps of one of them, or one step: a single query."""
    values = {"of_run": key, "of_stage": str(of_stage)}
    if of_step is None:
        result = _STAGES_AND_STEPS.run(session, values)
    else:
        result = _STAGES_AND_STEP.run(session, {**values, "of_step": of_step})
    loaded = None if of_step is None else frozenset({of_step})
    return _read_stages(result.all(), lambda instance: loaded if instance.ref == of_stage else frozenset())


def _load_stages_in_progress(session: Session, key: uuid.UUID) -> dict[StageRef, StageInstance]:
    rows = _STAGES_AND_STEPS_IN_PROGRESS.run(session, {"of_run": key}).all()
    return _read_stages(rows, lambda instance: None if instance.status in _IN_PROGRESS else frozenset())


def _read_stages(
    rows: Iterable[Any], loaded: Callable[[StageInstance], frozenset[str] | None]
) -> dict[StageRef, StageInstance]:
    """From a row per stage and step. `loaded`: which steps of a stage were asked for, None for all."""
    stages: dict[str, Any] = {}
    steps: dict[str, dict[str, StepState]] = {}
    for row in rows:
        stages[row.ref] = row
        if row.step is not None:
            steps.setdefault(row.ref, {})[row.step] = codec.decode_step(row.step_state)
    found = {}
    for text, row in stages.items():
        ref = StageRef.parse(text)
        instance = _instance(ref, row)
        found[ref] = replace(instance, steps=steps.get(text, {}), loaded=loaded(instance))
    return found


def _key(run_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(run_id)
    except ValueError:
        raise RunNotFound(run_id) from None


def events_of(session: Session, run_id: str, *, up_to: int | None = None) -> Iterator[Event]:
    """The events of a run in order, streamed.  `up_to`: the last sequence number wanted."""
    query = (
        select(EventRow.kind, EventRow.data, EventRow.by, EventRow.at)
        .where(EventRow.run_id == _key(run_id))
        .order_by(col(EventRow.sequence))
    )
    if up_to is not None:
        query = query.where(EventRow.sequence <= up_to)
    for kind, data, by, at in session.execute(query.execution_options(yield_per=500)):
        yield codec.decode_event(kind, data, by=str(by), at=at)
