"""What was decided lately, in the words of the version of the plan that each decision was about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, type_coerce
from sqlmodel import Session, col

from app.engine.definition import Text
from app.engine.run import StageRef
from app.engine.run_migration.timeline import Timeline
from app.storage.codec import decode_moves
from app.storage.plans import load_plan
from app.storage.scope import Prepared
from app.storage.tables import EventRow, RunRow
from app.storage.types import IdText

DECISIONS_MAX = 6
DECISION_KINDS = ("StageApproved", "StageSentBack", "StageSkipped", "DecisionRecorded", "ApprovalWithdrawn")


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """`ref` is None for a decision outside the stages, and for a stage that is not in the present version."""

    kind: str
    run_id: str
    run_name: str
    ref: StageRef | None
    title: Text
    domain_title: Text | None
    by: str
    at: datetime
    has_conditions: bool = False


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
        _LATEST.c.sequence,
        _LATEST.c.kind,
        _LATEST.c.data,
        type_coerce(_LATEST.c.by, IdText).label("by"),
        _LATEST.c.at,
        col(RunRow.name),
        col(RunRow.plan_digest),
        col(RunRow.state),
    )
    .join(RunRow, col(RunRow.id) == _LATEST.c.run_id)
    .order_by(_LATEST.c.at.desc(), _LATEST.c.run_id, _LATEST.c.sequence.desc())
)


def decision_rows(session: Session) -> list[Any]:
    return list(_LATEST_DECISIONS.run(session, {}))


def decision_line(session: Session, row: Any, names: Mapping[str, str]) -> DecisionLine:
    present = row.plan_digest
    then = Timeline(present, decode_moves(row.state)).in_force(row.sequence) if "moves" in row.state else present
    plan = load_plan(session, then)
    ref = StageRef.parse(row.data["ref"]) if "ref" in row.data else None
    if ref is not None:
        title, domain = plan.stage(ref.stage).title, ref.domain
    else:
        title, domain = plan.decisions_by_id[row.data["decision"]].title, row.data["domain"]
    is_here = ref is not None and ref.stage in load_plan(session, present).stages_by_id
    return DecisionLine(
        kind=row.kind,
        run_id=row.run_id,
        run_name=row.name,
        ref=ref if is_here else None,
        title=title,
        domain_title=plan.domains_by_id[domain].title if domain else None,
        by=names.get(row.by, ""),
        at=row.at,
        has_conditions=bool(row.data.get("conditions")),
    )
