"""What the events of a move do to a run. They say what is different afterwards, so that no plan is needed here."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import assert_never

from app.engine import events as e
from app.engine.run import Move, MoveProposal, Parked, Run

MoveEvent = e.MoveProposed | e.MoveProposalWithdrawn | e.RunMoved | e.MoveUndone


def applied(run: Run, event: MoveEvent) -> Run:
    """Without the count of events, which `apply` keeps.  Raises ValueError for an event that cannot follow here."""
    match event:
        case e.MoveProposed():
            proposal = MoveProposal(
                id=event.proposal,
                to_version=event.to_version,
                to_digest=event.to_digest,
                outcome=event.outcome,
                choices=event.choices,
                reasons=event.reasons,
                by=event.by,
                at=event.at,
            )
            return replace(run, proposal=proposal)
        case e.MoveProposalWithdrawn():
            return replace(run, proposal=None)
        case e.RunMoved():
            return _moved(run, event)
        case e.MoveUndone():
            return _undone(run, event)
        case _:
            assert_never(event)


def _moved(run: Run, event: e.RunMoved) -> Run:
    if (run.plan_version, run.plan_digest) != (event.from_version, event.from_digest):
        raise ValueError("the run has another version than the move begins with")
    move = Move(
        id=event.move,
        from_version=event.from_version,
        from_digest=event.from_digest,
        to_version=event.to_version,
        to_digest=event.to_digest,
        by=event.by,
        at=event.at,
        revision=run.revision + 1,
    )
    after = replace(
        _rewritten(run, event),
        plan_id=event.to_plan,
        plan_version=event.to_version,
        plan_digest=event.to_digest,
        proposal=None,
    )
    return replace(after, moves=(*run.moves, move))


def _undone(run: Run, event: e.MoveUndone) -> Run:
    last = run.last_move
    if last is None or last.id != event.move:
        raise ValueError("only the last move can be undone")
    after = replace(
        _rewritten(run, event),
        plan_id=event.plan_id,
        plan_version=event.to_version,
        plan_digest=event.to_digest,
        proposal=None,
    )
    marked = replace(last, undone_by=event.by, undone_at=event.at, undone_revision=run.revision + 1)
    return replace(after, moves=tuple(marked if move.id == event.move else move for move in run.moves))


def _rewritten(run: Run, event: e.RunMoved | e.MoveUndone) -> Run:
    gone, returned = set(event.gone), set(event.returned)
    stages = {ref: instance for ref, instance in run.stages.items() if ref not in gone}
    stages |= {instance.ref: instance for instance in event.stages}
    parked = [item for item in run.parked if item.id not in returned]
    return replace(
        run,
        stages=MappingProxyType(stages),
        domains=event.domains,
        decisions=event.decisions,
        parked=in_order([*parked, *event.parked]),
    )


def in_order(parked: list[Parked]) -> tuple[Parked, ...]:
    """One order, whatever way the items came there."""
    return tuple(sorted(parked, key=lambda item: item.id))
