"""Asking to erase, and deciding about it: never the same person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from app.engine.run import UserId
from app.storage.account_log import Act, Trace
from app.storage.erasure import people, requests
from app.storage.erasure.again import registered
from app.storage.erasure.carrying_out import carry_out, note
from app.storage.erasure.items import Ground, Item, PassageGone, erased
from app.storage.erasure.places import Places
from app.storage.erasure.register import Register
from app.storage.erasure.requests import AlreadyDecided, Request, Status
from app.storage.people import persons_of
from app.storage.user_admin import LastAdministrator
from app.web.identity import Caller


class OwnRequest(Exception):
    """Who asked does not decide, with whatever account."""


class OwnAccount(Exception):
    """Nobody erases the account with which they work."""


class TextChanged(Exception):
    """Something was erased there meanwhile, or it is gone: the places that were shown are not right any more."""


def ask_for_items(session: Session, items: Sequence[Item], *, ground: Ground, searched_at: datetime, by: Trace) -> str:
    """Raises TextChanged."""
    _check_places(session, items, since=searched_at)
    return _ask(session, requests.ask(session, items=items, ground=ground, by=str(by.by), at=by.at), by)


def ask_for_account(session: Session, user_id: str, *, ground: Ground, by: Trace) -> str:
    """Raises AccountNotFound, OwnAccount, LastAdministrator."""
    _check_account(session, user_id, by)
    return _ask(session, requests.ask(session, account=user_id, ground=ground, by=str(by.by), at=by.at), by)


def _ask(session: Session, id: str, by: Trace) -> str:
    note(session, Act.ERASURE_ASKED, requests.find(session, id), by)
    return id


def confirm(session: Session, request: Request, register: Register, *, by: Trace) -> None:
    """The line in the register is on the disk before the commit: what was decided happens, now or at the next start.
    Raises OwnRequest, AlreadyDecided, TextChanged, AccountNotFound, OwnAccount, LastAdministrator."""
    if is_own(session, request, str(by.by)):
        raise OwnRequest
    if request.status is not Status.ASKED:
        raise AlreadyDecided(request.id)
    if request.account:
        _check_account(session, request.account, by)
    else:
        _check_places(session, request.items, since=request.asked_at)
    carry_out(session, request, by=by)
    session.flush()
    register.add([registered(str(session.info["municipality_id"]), requests.find(session, request.id))])


def is_own(session: Session, request: Request, user: UserId) -> bool:
    """Whether this person asked for it, be it with another account."""
    return persons_of(session, [user, request.asked_by]).is_same(user, request.asked_by)


def decline(session: Session, request: Request, *, by: Trace) -> None:
    """Also by who asked: then it is taken back.  Raises AlreadyDecided."""
    requests.decide(session, request, Status.DECLINED, by=str(by.by), at=by.at)
    note(session, Act.ERASURE_DECLINED, request, by)


def trace_of(caller: Caller, at: datetime, address: str | None) -> Trace:
    return Trace(uuid.UUID(caller.user_id), at, address)


def _check_places(session: Session, items: Sequence[Item], *, since: datetime) -> None:
    keys = [item.key for item in items]
    places = Places(session).of(keys)
    if len(places) != len(keys) or requests.touched_since(session, keys, since):
        raise TextChanged
    try:
        for item in items:
            place = places[item.key]
            erased(place.value, place.texts, item)
    except PassageGone:
        raise TextChanged from None


def _check_account(session: Session, user_id: str, by: Trace) -> None:
    account = people.find_account(session, user_id)
    if account.id == str(by.by):
        raise OwnAccount
    if not people.others_administer(session, account.id):
        raise LastAdministrator
