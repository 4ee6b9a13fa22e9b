"""What moving would do to each run on a page; nothing is computed for the runs on other pages."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlmodel import Session

from app.engine.definition import StepPlan
from app.engine.errors import Blocked, Reason
from app.engine.run import Run, StageRef
from app.features.mass_moves.deciding import Counts, Target, decide
from app.storage.plans import load_plan
from app.storage.run_batch import runs_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """`ticked` is what its box sends; None when it cannot move, for `reasons` or for a fault with a `reference`."""

    run_id: str
    name: str
    manager: str
    version: str
    plan: StepPlan
    ticked: str | None = None
    counts: Counts | None = None
    reopened: tuple[StageRef, ...] = ()
    needs_manager: bool = False
    reasons: tuple[Reason, ...] = ()
    reference: str | None = None


def previews(session: Session, rows: Sequence[Any], target: Target) -> list[Preview]:
    """`rows` of `run_selection.page_of_rows`. One run that cannot be read leaves the others alone."""
    runs = runs_of(session, rows)
    return [_preview(session, row, runs[str(row.id)], target) for row in rows]


def _preview(session: Session, row: Any, run: Run | Exception, target: Target) -> Preview:
    plan = load_plan(session, row.plan_digest)
    id = str(row.id)
    try:
        if isinstance(run, Exception):
            raise run
        decided = decide(session, run, target)
    except Blocked as blocked:
        return Preview(id, row.name, row.manager, row.plan_version, plan, reasons=blocked.reasons)
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("mass_move_preview_failed", reference=reference, run=id)
        return Preview(id, row.name, row.manager, row.plan_version, plan, reference=reference)
    outcome = decided.outcome
    return Preview(
        run_id=id,
        name=row.name,
        manager=row.manager,
        version=row.plan_version,
        plan=plan,
        ticked=f"{id}:{outcome.digest}",
        counts=Counts.of(decided),
        reopened=outcome.reopened,
        needs_manager=outcome.needs_manager,
    )
