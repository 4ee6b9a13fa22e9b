"""What a transaction added to the log of its municipality, for whoever acts on it at the commit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Protocol

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Grown:
    """`is_signed`: the transaction has a signed head over it as well. `has_approval` may also be about what a savepoint
    took back: what there is, only the log itself says."""

    municipality: uuid.UUID
    has_approval: bool
    is_signed: bool = False


class Keeper(Protocol):
    """Neither raises for what is its own concern: the work goes on."""

    def before_commit(self, session: Session, grown: Grown) -> Grown:
        """What is added here is in the same transaction. Gives what the transaction has then."""

    def after_commit(self, grown: Grown) -> None:
        """Before anybody is told that it was committed."""


def note(session: Session, grown: Grown) -> None:
    earlier = grown_in(session)
    had_approval = earlier is not None and earlier.has_approval
    session.info["grown"] = replace(grown, has_approval=grown.has_approval or had_approval)


def grown_in(session: Session) -> Grown | None:
    found: Grown | None = session.info.get("grown")
    return found


def forget(session: Session) -> None:
    """When the whole transaction is taken back: the session may begin another."""
    session.info.pop("grown", None)
