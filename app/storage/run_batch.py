"""Several runs as the engine's values, for pages that show a few of them: two queries, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from app.engine.run import Run, StageInstance, StageRef, StepState
from app.storage import codec
from app.storage.run_store.loading import run_from
from app.storage.scope import Prepared
from app.storage.tables import RunRow, StageRow, StepRow

RUN_COLUMNS: tuple[Any, ...] = (
    RunRow.id,
    RunRow.plan_digest,
    RunRow.plan_id,
    RunRow.plan_version,
    RunRow.manager_id,
    RunRow.state,
    RunRow.revision,
    RunRow.started_by,
    RunRow.started_at,
    RunRow.name,
)
"""What the rows of `runs_of` must have."""

_STAGE_COLUMNS: tuple[Any, ...] = (StageRow.run_id, StageRow.ref, StageRow.status, StageRow.passed, StageRow.state)
_STEP_COLUMNS: tuple[Any, ...] = (StepRow.run_id, StepRow.ref, StepRow.step, StepRow.state)
_STAGES = Prepared(select(*_STAGE_COLUMNS).where(col(StageRow.run_id).in_(bindparam("runs", expanding=True))))
_STEPS = Prepared(select(*_STEP_COLUMNS).where(col(StepRow.run_id).in_(bindparam("runs", expanding=True))))


def runs_of(session: Session, rows: Sequence[Any]) -> dict[str, Run | Exception]:
    """Whole runs by id; for one whose stored state cannot be read, why that is."""
    if not rows:
        return {}
    keys = {"runs": [row.id for row in rows]}
    stages: dict[Any, list[Any]] = {row.id: [] for row in rows}
    steps: dict[Any, list[Any]] = {row.id: [] for row in rows}
    for stage in _STAGES.run(session, keys):
        stages[stage.run_id].append(stage)
    for step in _STEPS.run(session, keys):
        steps[step.run_id].append(step)
    found: dict[str, Run | Exception] = {}
    for row in rows:
        try:
            found[str(row.id)] = _run(row, stages[row.id], steps[row.id])
        except Exception as unreadable:  # noqa: BLE001  # whatever is wrong with one, the others are shown
            found[str(row.id)] = unreadable
    return found


def _run(row: Any, stages: Sequence[Any], steps: Sequence[Any]) -> Run:
    states: dict[str, dict[str, StepState]] = {}
    for step in steps:
        states.setdefault(step.ref, {})[step.step] = codec.decode_step(step.state)
    return run_from(row, row.state, _stages(stages, states))


def _stages(rows: Sequence[Any], states: Mapping[str, Mapping[str, StepState]]) -> dict[StageRef, StageInstance]:
    found = {}
    for row in rows:
        ref = StageRef.parse(row.ref)
        instance = codec.decode_stage(ref, row.state, status=row.status, passed=row.passed)
        found[ref] = replace(instance, steps=states.get(row.ref, {}))
    return found
