"""Decisions about moving: from what people chose to the event that records it, or to a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.engine import deciders, guards
from app.engine import events as e
from app.engine.errors import Blocked, EngineError, Reason
from app.engine.guards import NoSuchPart
from app.engine.people import People
from app.engine.run import Run, StageInstance, StageRef, TextId, UserId
from app.engine.run_migration.items import Choice, RunMigration
from app.engine.run_migration.outcome import Outcome, outcome
from app.engine.run_migration.undoing import Undo, standing_approvals

MANAGER = "manager"  # the access role that lets go of an approval


class MoveChanged(EngineError):
    """What would happen is no longer what was shown: both are digests of an outcome."""

    def __init__(self, *, shown: str, current: str) -> None:
        super().__init__(shown, current)
        self.shown, self.current = shown, current


def decide_outcome(
    migration: RunMigration, choices: Mapping[str, str], reasons: Mapping[str, TextId], *, move: str
) -> Outcome:
    """What the choices lead to.  Raises Blocked with every reason; NoSuchPart for a choice about nothing."""
    found: list[Reason] = list(migration.blocked)
    for id in choices:
        if id not in migration.by_id:
            raise NoSuchPart(id)
    chosen: dict[str, Choice] = {}
    for item in migration.items:
        wanted = choices.get(item.id, item.proposed.value)
        if wanted not in {choice.value for choice in item.allowed}:
            found.append(Reason("move_choice_not_allowed", *_place(item.id)))
            continue
        chosen[item.id] = Choice(wanted)
        if item.takes_reason(Choice(wanted)) and item.id not in reasons:
            found.append(Reason("move_reason_missing", *_place(item.id)))
    if found:
        raise Blocked("move_run", found)
    return outcome(migration, chosen, move=move)


def _place(id: str) -> tuple[str, str, str]:
    """Stage, step and question of an item's id."""
    stage, step, key = id.split("/", 2)
    return stage, step, key


def propose_move(
    migration: RunMigration,
    result: Outcome,
    *,
    proposal: str,
    shown: str,
    reasons: Mapping[str, TextId],
    by: UserId,
    at: datetime,
    is_for_many: bool = False,
) -> e.MoveProposed:
    """A manager is asked, because the move touches an approval. `is_for_many`: an administrator asks for a selection
    of runs and need not be in the team.  Raises Blocked, and MoveChanged if it is not what was shown."""
    refused = [] if is_for_many else [*guards.not_in_team(migration.run, by)]
    if refused:
        raise Blocked("propose_move", refused)
    _as_shown(result, shown)
    return e.MoveProposed(
        proposal=proposal,
        to_version=migration.comparison.new.version,
        to_digest=migration.comparison.new.digest,
        outcome=result.digest,
        choices={id: choice.value for id, choice in result.choices.items()},
        reasons=dict(reasons),
        by=by,
        at=at,
    )


def withdraw_move_proposal(run: Run, *, reason: TextId | None, by: UserId, at: datetime) -> e.MoveProposalWithdrawn:
    """Also how a manager declines."""
    if run.proposal is None:
        raise Blocked("withdraw_move_proposal", [Reason("move_not_proposed")])
    return e.MoveProposalWithdrawn(proposal=run.proposal.id, reason=reason, by=by, at=at)


def mover_reasons(run: Run, result: Outcome, *, by: UserId, roles: frozenset[str], people: People) -> list[Reason]:
    """Why this person cannot carry out this move. Where an approval is touched, one proposes and a manager confirms who
    did not work on what it is about."""
    if not result.needs_manager:
        return [*guards.not_in_team(run, by)]
    reasons: list[Reason] = []
    if MANAGER not in roles:
        reasons.append(Reason("move_needs_manager"))
    if run.proposal is None or run.proposal.to_digest != result.run.plan_digest:
        reasons.append(Reason("move_not_proposed"))
    elif people.is_same(run.proposal.by, by):
        reasons.append(Reason("move_proposed_by_you"))
    elif run.proposal.outcome != result.digest:
        reasons.append(Reason("move_proposal_outdated"))
    for instance in result.let_go if MANAGER in roles else ():
        reasons += deciders.approver_did_the_work(instance, by, people)
    return reasons


def move_run(
    migration: RunMigration,
    result: Outcome,
    *,
    move: str,
    shown: str,
    reasons: Mapping[str, TextId],
    by: UserId,
    roles: frozenset[str],
    people: People,
    at: datetime,
    is_for_many: bool = False,
) -> e.RunMoved:
    """Carries out what was shown. `is_for_many`: an administrator moves a selection and need not be in the team.

    Raises Blocked, and MoveChanged if the outcome is no longer what was shown."""
    run = migration.run
    refused = mover_reasons(run, result, by=by, roles=roles, people=people)
    if is_for_many and not result.needs_manager:
        refused = []
    if refused:
        raise Blocked("move_run", refused)
    _as_shown(result, shown)
    proposal = run.proposal
    chooser = proposal.by if proposal and result.needs_manager else by
    stages, gone = _differing(run.stages, with_chooser(migration, result, chooser))
    return e.RunMoved(
        move=move,
        from_version=run.plan_version,
        from_digest=run.plan_digest,
        to_plan=result.run.plan_id,
        to_version=result.run.plan_version,
        to_digest=result.run.plan_digest,
        outcome=result.digest,
        choices={id: choice.value for id, choice in result.choices.items()},
        reasons=dict(reasons),
        stages=stages,
        gone=gone,
        domains=result.run.domains,
        decisions=result.run.decisions,
        parked=result.parked,
        returned=tuple(item.id for item in result.returned),
        proposed_by=proposal.by if proposal and result.needs_manager else None,
        by=by,
        at=at,
    )


def _as_shown(result: Outcome, shown: str) -> None:
    if shown != result.digest:
        raise MoveChanged(shown=shown, current=result.digest)


def with_chooser(migration: RunMigration, result: Outcome, chooser: UserId) -> Mapping[StageRef, StageInstance]:
    """Who chose something else than was proposed by itself has a hand in what stands in those stages now."""
    stages = dict(result.run.stages)
    for id, choice in result.choices.items():
        item = migration.by_id[id]
        ref = item.to[0] if item.to else None
        if ref in stages and choice is not item.proposed:
            stages[ref] = stages[ref].with_contributor(chooser)
    return stages


def _differing(
    before: Mapping[StageRef, StageInstance], after: Mapping[StageRef, StageInstance]
) -> tuple[tuple[StageInstance, ...], tuple[StageRef, ...]]:
    changed = [instance for ref, instance in after.items() if before.get(ref) != instance]
    gone: Sequence[StageRef] = [ref for ref in before if ref not in after]
    return tuple(sorted(changed, key=lambda each: str(each.ref))), tuple(sorted(gone, key=str))


def undoer_reasons(run: Run, undo: Undo, *, by: UserId, roles: frozenset[str], people: People) -> list[Reason]:
    """Why this person cannot undo the last move. Where approvals come back or go, a manager does it who did not work on
    what they are about."""
    if run.last_move is None:
        return [Reason("no_move_to_undo")]
    reasons = [*guards.not_in_team(run, by)]
    now, then = standing_approvals(run), standing_approvals(undo.run)
    touched = {(now | then)[key].ref: (now | then)[key] for key in now.keys() ^ then.keys()}
    if touched and MANAGER not in roles:
        reasons.append(Reason("undo_needs_manager"))
    else:
        for _, instance in sorted(touched.items(), key=lambda each: str(each[0])):
            reasons += deciders.approver_did_the_work(instance, by, people)
    for ref, instance in sorted(run.stages.items(), key=lambda each: str(each[0])):
        if instance.request is not None:
            reasons.append(Reason("move_while_requested", stage=str(ref)))
    return reasons


def undo_move(
    run: Run,
    undo: Undo,
    *,
    park_later: bool,
    reason: TextId | None,
    by: UserId,
    roles: frozenset[str],
    people: People,
    at: datetime,
) -> e.MoveUndone:
    """The run as before its last move. Work done since that has no place then is parked, if `park_later` says so.

    Raises Blocked, also when that work is there and `park_later` is False."""
    move = run.last_move
    refused = undoer_reasons(run, undo, by=by, roles=roles, people=people)
    if undo.later and not park_later:
        refused.append(Reason("later_work", params={"n": len(undo.later)}))
    if refused:
        raise Blocked("undo_move", refused)
    assert move is not None
    stages, gone = _differing(run.stages, undo.run.stages)
    ours, theirs = {item.id for item in run.parked}, {item.id for item in undo.run.parked}
    return e.MoveUndone(
        move=move.id,
        plan_id=undo.run.plan_id,
        to_version=undo.run.plan_version,
        to_digest=undo.run.plan_digest,
        stages=stages,
        gone=gone,
        domains=undo.run.domains,
        decisions=undo.run.decisions,
        parked=tuple(item for item in undo.run.parked if item.id not in ours),
        returned=tuple(sorted(ours - theirs)),
        reason=reason,
        by=by,
        at=at,
    )
