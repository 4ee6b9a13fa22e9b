"""What a transaction added to the log of its municipality, for whoever acts on it after the commit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Grown:
    municipality: uuid.UUID
    has_approval: bool


def note(session: Session, grown: Grown) -> None:
    earlier = grown_in(session)
    had_approval = earlier is not None and earlier.has_approval
    session.info["grown"] = Grown(grown.municipality, grown.has_approval or had_approval)


def grown_in(session: Session) -> Grown | None:
    found: Grown | None = session.info.get("grown")
    return found
