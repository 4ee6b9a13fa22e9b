"""Recording that a run moved to another version of its plan, or that this was undone: state, answers and evidence."""

from __future__ import annotations

from sqlmodel import Session

from app.engine.apply import apply
from app.engine.definition import StepPlan
from app.engine.events import MoveUndone, RunMoved
from app.engine.run import Move, Run
from app.storage import answer_store, evidence_store
from app.storage.run_store import events_of, record

OF_THE_MOVE = "*"
"""Among the reasons of a move, which are by the id of an item: why the run moves at all."""


def record_move(session: Session, plan: StepPlan, run: Run, event: RunMoved | MoveUndone) -> Run:
    """`plan` is the one that the run has afterwards; the whole run must be loaded.  Raises StaleRun."""
    after = record(session, plan, run, event)
    answer_store.follow_move(session, run, after)
    evidence_store.follow_move(session, run, after)
    return after


def around_move(session: Session, run_id: str, move: Move) -> tuple[Run, Run]:
    """The run right before and right after a move, from its history."""
    before: Run | None = None
    after: Run | None = None
    for event in events_of(session, run_id, up_to=move.revision):
        before, after = after, apply(after, event)
    assert before is not None
    assert after is not None
    return before, after
