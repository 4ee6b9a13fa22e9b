"""Moving the runs of a mass move one by one; each with its result in a transaction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlmodel import Session

from app.engine.errors import Blocked, Reason
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import UserId
from app.engine.run_migration import moves
from app.features.mass_moves.deciding import CHANGED, RUN_GONE, Counts, Target, decide, reason_told
from app.storage import mass_moves, run_store
from app.storage.mass_moves import Chosen, RunOutcome
from app.storage.plans import pinned_plans
from app.storage.run_header import RunNotFound
from app.storage.run_moves import OF_THE_MOVE, record_move
from app.storage.texts import write_text


@dataclass(frozen=True, slots=True)
class Job:
    """A mass move that this worker claimed. `is_usable`: whether runs can still go to the target."""

    id: str
    worker: uuid.UUID
    target: Target
    is_usable: bool
    reason: str
    by: UserId


class Next(Enum):
    GO_ON = "go_on"
    NOTHING_LEFT = "nothing_left"
    NOT_OURS = "not_ours"  # stopped, or taken over by another worker


class RunFailed(Exception):
    """Something that no rule foresaw, in one run; the cause is attached. Nothing of it may be committed."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


def claim(session: Session, id: str, *, at: datetime) -> uuid.UUID | None:
    """The id of the worker that it is for from now on; None when there is nothing to do, or somebody else is at it."""
    worker = uuid.uuid4()
    return worker if mass_moves.claim(session, id, worker, at=at) else None


def take(session: Session, id: str, *, worker: uuid.UUID | None = None, at: datetime) -> Job | None:
    """`worker`: if it was claimed before.  None when there is nothing to do, or somebody else is at it."""
    worker = worker or claim(session, id, at=at)
    if worker is None:
        return None
    mass = mass_moves.find(session, id)
    assert mass is not None
    target = next((plan for plan in pinned_plans(session) if plan.digest == mass.to_digest), None)
    return Job(
        id=id,
        worker=worker,
        target=Target(mass.plan_id, mass.to_version, mass.to_digest),
        is_usable=target is not None and not target.is_retired,
        reason=mass.reason or "",
        by=mass.started_by,
    )


def move_next(session: Session, job: Job, *, at: datetime) -> Next:
    """One run, with what happened to it.  Raises RunFailed."""
    if not mass_moves.beat(session, job.id, job.worker, at=at):
        return Next.NOT_OURS
    chosen = mass_moves.next_waiting(session, job.id)
    if chosen is None:
        mass_moves.finish(session, job.id, job.worker, at=at)
        return Next.NOTHING_LEFT
    try:
        outcome, told = _moved(session, job, chosen, at)
        is_first = mass_moves.settle(session, job.id, chosen.run_id, outcome, told, at=at)
        assert is_first, f"run {chosen.run_id} was settled while it was held"
    except Exception as error:
        raise RunFailed(chosen.run_id) from error
    return Next.GO_ON


def note_failure(session: Session, job: Job, run_id: str, reference: str, *, at: datetime) -> Next:
    if not mass_moves.beat(session, job.id, job.worker, at=at):
        return Next.NOT_OURS
    mass_moves.settle(session, job.id, run_id, RunOutcome.FAILED, {"reference": reference}, at=at)
    return Next.GO_ON


def _moved(session: Session, job: Job, chosen: Chosen, at: datetime) -> tuple[RunOutcome, Mapping[str, Any]]:
    try:
        return _move(session, job, chosen, at)
    except Blocked as blocked:
        reasons = blocked.reasons
    except RunNotFound:
        reasons = (Reason(RUN_GONE),)
    except moves.MoveChanged:
        reasons = (Reason(CHANGED),)
    return RunOutcome.REFUSED, {"reasons": [reason_told(reason) for reason in reasons]}


def _move(session: Session, job: Job, chosen: Chosen, at: datetime) -> tuple[RunOutcome, Mapping[str, Any]]:
    """Refuses before it writes anything.  Raises Blocked, RunNotFound, MoveChanged."""
    plan, run = run_store.load_run(session, chosen.run_id, for_change=True)
    if not job.is_usable:
        raise Blocked("move_run", [Reason("move_version_gone")])
    move = str(uuid.uuid4())
    decided = decide(session, run, job.target, move=move)
    outcome = decided.outcome
    shown = chosen.shown or outcome.digest
    if shown != outcome.digest:
        raise moves.MoveChanged(shown=shown, current=outcome.digest)
    text = write_text(session, run.id, job.reason, by=job.by, at=at)
    reasons = {OF_THE_MOVE: text} if text else {}
    told = asdict(Counts.of(decided))
    if outcome.needs_manager:
        proposed = moves.propose_move(
            decided.migration,
            outcome,
            proposal=move,
            shown=shown,
            reasons=reasons,
            by=job.by,
            at=at,
            is_for_many=True,
        )
        run_store.record(session, plan, run, proposed)
        return RunOutcome.PROPOSED, {**told, "reopened": [str(ref) for ref in outcome.reopened]}
    moved = moves.move_run(
        decided.migration,
        outcome,
        move=move,
        shown=shown,
        reasons=reasons,
        by=job.by,
        roles=frozenset(),
        at=at,
        people=ONE_ACCOUNT_EACH,  # four eyes ask for a manager: where they do, it was proposed above
        is_for_many=True,
    )
    record_move(session, decided.migration.comparison.new, run, moved)
    return RunOutcome.MOVED, told
