"""Who decides, with what mandate, and the line about that in the log of accounts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine.errors import Blocked, Reason
from app.engine.events import ByMandate
from app.engine.people import Mandate
from app.engine.run import Run, StageRef
from app.policy import Action, may_by_mandate
from app.storage import account_log, deciding
from app.storage.account_log import Act, Trace
from app.storage.deciding import StandIn, Who
from app.web.identity import Caller


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, when and from where. `mandate`: the id of the one in whose name; empty in the own name."""

    caller: Caller
    at: datetime
    address: str | None
    mandate: str = ""


def known(session: Session, run: Run, ref: StageRef, by: Decider) -> tuple[Who, Mandate | None]:
    """Raises Blocked for a mandate that is not, or not any more, for this person and this run."""
    who = deciding.who(session, run, by=by.caller.user_id, at=by.at)
    if not by.mandate:
        return who, None
    mandate = next((each for each in mandates_of(who, by.caller) if each.id == by.mandate), None)
    if mandate is None:
        raise Blocked("decide", [Reason("mandate_not_in_force", stage=str(ref))])
    return who, mandate


def mandates_of(who: Who, caller: Caller) -> tuple[Mandate, ...]:
    return tuple(each.mandate for each in stands_in_by(who.stand_ins, caller))


def stands_in_by(stand_ins: tuple[StandIn, ...], caller: Caller) -> list[StandIn]:
    """None for who may not stand in any more, whatever other role lets this person decide."""
    if not may_by_mandate(caller.roles, Action.APPROVE_STAGE):
        return []
    return [each for each in stand_ins if each.mandate.deputy == caller.user_id]


def note_use(session: Session, run_id: str, event: ByMandate, by: Decider) -> None:
    """Nothing for what somebody did in the own name."""
    if event.mandate is not None:
        account_log.note(
            session,
            Act.MANDATE_USED,
            about=uuid.UUID(event.on_behalf_of),
            trace=Trace(uuid.UUID(by.caller.user_id), by.at, by.address),
            municipality_id=by.caller.municipality_id,
            detail={"mandate": event.mandate, "run": run_id, "stage": str(event.ref)},
        )
