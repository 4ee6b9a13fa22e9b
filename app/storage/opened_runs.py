"""In which roles a run was opened to somebody whose roles count on some runs only."""

from __future__ import annotations

import uuid
from typing import Final

from sqlmodel import Session, bindparam, col, select

from app.policy import Reach
from app.storage.run_header import RunNotFound
from app.storage.scope import Prepared, roles_of_reach
from app.storage.tables import RunAccess

_ROLES: Final = Prepared(
    select(RunAccess.role).where(
        col(RunAccess.run_id) == bindparam("of_run"), col(RunAccess.user_id) == bindparam("of_user")
    )
)


def is_within(session: Session, reach: Reach, user_id: str, run_id: str) -> bool:
    """One query at most: none for whom all runs are within reach, or where the session sees no other runs than these.
    Raises RunNotFound for what is no id."""
    seen_as = roles_of_reach(session)
    if reach.all_runs or (seen_as and seen_as <= reach.opened_as):
        return True
    try:
        values = {"of_run": uuid.UUID(run_id), "of_user": uuid.UUID(user_id)}
    except ValueError:
        raise RunNotFound(run_id) from None
    return any(role in reach.opened_as for (role,) in _ROLES.run(session, values))
