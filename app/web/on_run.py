"""What the caller may do on one run, besides what its route declares.

The session of a request is limited to the runs on which the caller may do what the route says. Somebody who advises on
one run and audits another may look at both, and open what is confidential on one of them only."""

from __future__ import annotations

from sqlmodel import Session

from app.policy import Action
from app.storage.opened_runs import is_within
from app.web.identity import Caller


def may_on_run(session: Session, caller: Caller, action: Action, run_id: str) -> bool:
    """Raises RunNotFound for what is no id of a run."""
    reach = caller.reach(action)
    return reach is not None and is_within(session, reach, caller.user_id, run_id)
