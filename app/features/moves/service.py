"""Moving a run to another version of its plan, proposing that to a manager, and undoing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from app.engine.definition import StepPlan
from app.engine.errors import Blocked, Reason
from app.engine.guards import NoSuchPart
from app.engine.run import Run, TextId
from app.engine.run_migration import moves
from app.engine.run_migration.items import RunMigration, plan_run_migration
from app.engine.run_migration.outcome import Outcome
from app.engine.run_migration.undoing import Undo, plan_undo
from app.features.moves.forms import Chosen
from app.storage import marks, run_store
from app.storage.deciding import persons_in
from app.storage.plan_routes import comparison, newer_versions
from app.storage.plans import PinnedPlan, load_plan, pinned_plans
from app.storage.run_moves import around_move, record_move
from app.storage.run_store import StaleRun
from app.storage.texts import write_text
from app.web.identity import Caller

PREVIEW = "proef"
"""Stands for the id of a move that has not happened; it is no part of what the outcome's digest covers."""


class Act(Protocol):
    """`propose` or `carry_out`."""

    def __call__(
        self, session: Session, run_id: str, version: str, chosen: Chosen, *, shown: str, by: Caller, at: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A run and the version it could move to. `newer`: all of those, the newest first."""

    plan: StepPlan
    run: Run
    migration: RunMigration
    target: PinnedPlan
    newer: tuple[PinnedPlan, ...]


def open_move(session: Session, run_id: str, version: str = "", *, for_change: bool = False) -> Opened | None:
    """The move to `version`, named by its `PinnedPlan.key`, or to the newest; None if there is none to move to.
    Raises RunNotFound, NoSuchPart."""
    plan, run = run_store.load_run(session, run_id, for_change=for_change)
    newer = newer_versions(pinned_plans(session), run.plan_id, run.plan_version)
    if version:
        target = next((each for each in newer if each.key == version), None)
        if target is None:
            raise NoSuchPart(version)
    elif newer:
        target = next((each for each in newer if run.proposal and each.digest == run.proposal.to_digest), newer[0])
    else:
        return None
    migration = plan_run_migration(run, comparison(session, run.plan_digest, target.digest))
    return Opened(plan, run, migration, target, tuple(newer))


def preview(opened: Opened, chosen: Chosen) -> Outcome:
    """What the choices lead to.  Raises Blocked, NoSuchPart."""
    return moves.decide_outcome(opened.migration, chosen.choices, chosen.reasons, move=PREVIEW)


def _open_for_change(session: Session, run_id: str, version: str) -> Opened:
    opened = open_move(session, run_id, version, for_change=True)
    if opened is None:
        raise Blocked("move_run", [Reason("move_to_same_version")])
    return opened


def _write_reasons(session: Session, run: Run, reasons: Mapping[str, str], by: str, at: datetime) -> dict[str, TextId]:
    written = {id: write_text(session, run.id, text, by=by, at=at) for id, text in reasons.items()}
    return {id: text for id, text in written.items() if text is not None}


def propose(
    session: Session, run_id: str, version: str, chosen: Chosen, *, shown: str, by: Caller, at: datetime
) -> None:
    """Raises Blocked, MoveChanged."""
    opened = _open_for_change(session, run_id, version)
    result = moves.decide_outcome(opened.migration, chosen.choices, chosen.reasons, move=PREVIEW)
    event = moves.propose_move(
        opened.migration,
        result,
        proposal=str(uuid.uuid4()),
        shown=shown,
        reasons=_write_reasons(session, opened.run, chosen.reasons, by.user_id, at),
        by=by.user_id,
        at=at,
    )
    run_store.record(session, opened.plan, opened.run, event)


def withdraw_proposal(session: Session, run_id: str, *, reason: str, based_on: str, by: Caller, at: datetime) -> None:
    """By the team, or by a manager who declines.  Raises Blocked, Outdated when it is another proposal."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.proposal_mark(run))
    text = write_text(session, run_id, reason, by=by.user_id, at=at)
    event = moves.withdraw_move_proposal(run, reason=text, by=by.user_id, at=at)
    run_store.record(session, plan, run, event)


def carry_out(
    session: Session, run_id: str, version: str, chosen: Chosen, *, shown: str, by: Caller, at: datetime
) -> None:
    """What touches no approval, the team does itself.  Raises Blocked, MoveChanged."""
    opened = _open_for_change(session, run_id, version)
    reasons = _write_reasons(session, opened.run, chosen.reasons, by.user_id, at)
    _move(session, opened, chosen.choices, reasons, shown=shown, by=by, at=at)


def confirm(session: Session, run_id: str, *, shown: str, by: Caller, at: datetime) -> None:
    """A manager carries out what the team proposed.  Raises Blocked, MoveChanged."""
    plan, run = run_store.load_run(session, run_id, for_change=True)
    if run.proposal is None:
        raise Blocked("move_run", [Reason("move_not_proposed")])
    target = next((p for p in pinned_plans(session) if p.digest == run.proposal.to_digest), None)
    if target is None or target.is_retired:
        raise Blocked("move_run", [Reason("move_version_gone")])
    migration = plan_run_migration(run, comparison(session, run.plan_digest, target.digest))
    # Work may have gone on; then the outcome is another one, and that is what the refusal is about.
    known = {id: choice for id, choice in run.proposal.choices.items() if id in migration.by_id}
    opened = Opened(plan, run, migration, target, ())
    _move(session, opened, known, run.proposal.reasons, shown=shown, by=by, at=at)


def _move(
    session: Session,
    opened: Opened,
    choices: Mapping[str, str],
    reasons: Mapping[str, TextId],
    *,
    shown: str,
    by: Caller,
    at: datetime,
) -> None:
    move = str(uuid.uuid4())
    result = moves.decide_outcome(opened.migration, choices, reasons, move=move)
    event = moves.move_run(
        opened.migration,
        result,
        move=move,
        shown=shown,
        reasons=reasons,
        by=by.user_id,
        roles=by.roles_on(opened.run),
        people=persons_in(session, opened.run, by.user_id),
        at=at,
    )
    record_move(session, opened.migration.comparison.new, opened.run, event)


@dataclass(frozen=True, slots=True)
class OpenedUndo:
    """The last move of a run and what undoing it would do."""

    old: StepPlan
    new: StepPlan
    run: Run
    undo: Undo


def open_undo(session: Session, run_id: str, *, id: str = PREVIEW, for_change: bool = False) -> OpenedUndo | None:
    """None if no move can be undone.  Raises RunNotFound."""
    new, run = run_store.load_run(session, run_id, for_change=for_change)
    move = run.last_move
    if move is None or move.to_digest != run.plan_digest:
        return None
    old = load_plan(session, move.from_digest)
    before, after = around_move(session, run.id, move)
    return OpenedUndo(old, new, run, plan_undo(old, new, before, after, run, undo=id))


def undo(
    session: Session, run_id: str, *, revision: int, park_later: bool, reason: str, by: Caller, at: datetime
) -> None:
    """Raises Blocked, StaleRun when the run changed since the page was shown."""
    opened = open_undo(session, run_id, id=str(uuid.uuid4()), for_change=True)
    if opened is None:
        raise Blocked("undo_move", [Reason("no_move_to_undo")])
    if opened.run.revision != revision:
        raise StaleRun(run_id)
    text = write_text(session, run_id, reason, by=by.user_id, at=at)
    event = moves.undo_move(
        opened.run,
        opened.undo,
        park_later=park_later,
        reason=text,
        by=by.user_id,
        roles=by.roles_on(opened.run),
        people=persons_in(session, opened.run, by.user_id),
        at=at,
    )
    record_move(session, opened.old, opened.run, event)
