"""A proposal by an administrator, who need not be in the team: it changes nothing until the manager confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.engine.events import MoveProposed
from app.engine.run import TextId, UserId
from app.features.mass_moves.deciding import Decided


def proposed(
    decided: Decided, *, proposal: str, reasons: Mapping[str, TextId], by: UserId, at: datetime
) -> MoveProposed:
    """As `moves.propose_move`, which is for the team: it asks that `by` is in it."""
    new, outcome = decided.migration.comparison.new, decided.outcome
    return MoveProposed(
        proposal=proposal,
        to_version=new.version,
        to_digest=new.digest,
        outcome=outcome.digest,
        choices={id: choice.value for id, choice in outcome.choices.items()},
        reasons=dict(reasons),
        by=by,
        at=at,
    )
