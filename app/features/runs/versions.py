"""What the page of a run says about versions of its step plan: a newer one, a move that waits or can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from app.engine.run import Move, MoveProposal, Run
from app.storage.plan_routes import comparison, newer_versions
from app.storage.plans import PinnedPlan, pinned_plans
from app.storage.run_impact import RunImpact, run_impact


@dataclass(frozen=True, slots=True)
class VersionNotice:
    """`newer`: the newest version that the run can go on with, and `impact` what that would do to this run if nobody
    chose anything else; not while a proposal waits. `undoable`: the move that the run can go back from."""

    newer: PinnedPlan | None
    impact: RunImpact | None
    proposal: MoveProposal | None
    undoable: Move | None
    set_aside: int
    is_retired: bool

    @property
    def says_something(self) -> bool:
        return bool(self.newer or self.proposal or self.undoable or self.set_aside or self.is_retired)

    @property
    def set_aside_in_move(self) -> int:
        """How many parts a move would set aside."""
        impact = self.impact
        return impact.answers_parked + impact.evidence_parked + impact.others_parked if impact else 0


def version_notice(session: Session, run: Run, name: str) -> VersionNotice:
    """Two queries; more only when two versions are compared for the first time. The whole run must be loaded."""
    pinned = pinned_plans(session)
    present = next((plan for plan in pinned if plan.digest == run.plan_digest), None)
    newer = next(iter(newer_versions(pinned, run.plan_id, run.plan_version)), None) if run.proposal is None else None
    last = run.last_move
    return VersionNotice(
        newer=newer,
        impact=run_impact(run, name, comparison(session, run.plan_digest, newer.digest)) if newer else None,
        proposal=run.proposal,
        undoable=last if last and last.to_digest == run.plan_digest else None,
        set_aside=len(run.parked),
        is_retired=present is not None and present.is_retired,
    )
