"""Recording who stands in for whom, and withdrawing that: the rules about who does it, and the line in the log."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import Session

from app.features.mandates.forms import MandateForm
from app.policy import Role
from app.storage import account_log, mandates
from app.storage.account_log import Act, Trace
from app.storage.mandates import Told
from app.storage.people import persons_of
from app.web.identity import Caller


class NotYours(Exception):
    """A manager records the own absence only, and nobody but an administrator that of another."""


class ForOneself(Exception):
    """Nobody gives oneself the right to decide: another administrator does, or the absent manager."""


def record(session: Session, caller: Caller, form: MandateForm, *, at: datetime, address: str | None) -> None:
    """Raises NotYours, ForOneself, MandateRefused."""
    by = uuid.UUID(caller.user_id)
    if not may_record_for(caller, str(form.mandator)):
        raise NotYours
    people = persons_of(session, [caller.user_id, str(form.deputy)])
    if form.mandator != by and people.is_same(caller.user_id, str(form.deputy)):
        raise ForOneself
    id = mandates.record(
        session,
        mandator=form.mandator,
        deputy=form.deputy,
        first_day=form.first_day,
        last_day=form.last_day,
        ground=form.ground,
        by=by,
        at=at,
    )
    days = {"first_day": form.first_day.isoformat(), "last_day": form.last_day.isoformat()}
    _note(session, Act.MANDATE_RECORDED, caller, str(id), str(form.mandator), str(form.deputy), at, address, **days)


def withdraw(session: Session, caller: Caller, id: str, *, at: datetime, address: str | None) -> None:
    """What a deputy decided before stays.  Raises NoSuchMandate, NotYours."""
    told = mandates.find(session, id)
    if not may_withdraw(caller, told):
        raise NotYours
    if mandates.withdraw(session, told.id, by=uuid.UUID(caller.user_id), at=at):
        _note(session, Act.MANDATE_WITHDRAWN, caller, told.id, told.mandator, told.deputy, at, address)


def may_record_for(caller: Caller, mandator: str) -> bool:
    return Role.ADMINISTRATOR in caller.roles or mandator == caller.user_id


def may_withdraw(caller: Caller, told: Told) -> bool:
    return may_record_for(caller, told.mandator)


def _note(
    session: Session,
    act: Act,
    caller: Caller,
    id: str,
    mandator: str,
    deputy: str,
    at: datetime,
    address: str | None,
    **more: str,
) -> None:
    account_log.note(
        session,
        act,
        about=uuid.UUID(mandator),
        trace=Trace(uuid.UUID(caller.user_id), at, address),
        municipality_id=caller.municipality_id,
        detail={"mandate": id, "deputy": deputy, **more},
    )
