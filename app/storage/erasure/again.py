"""The register and the database compared: what an older backup brought back is erased again, before anybody sees it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from app.engine.log import Origin
from app.storage.account_log import Trace
from app.storage.database import Database
from app.storage.erasure import people, requests
from app.storage.erasure.carrying_out import carry_out
from app.storage.erasure.register import Register, Registered
from app.storage.erasure.requests import ErasureNotFound, Request, Status
from app.storage.scope import set_scope
from app.storage.tables import Municipality


@dataclass(frozen=True, slots=True)
class Compared:
    """`again`: erasures that the database did not have, and that were carried out. `added`: those that the register did
    not have, and has now. `elsewhere`: how many in the register are of municipalities that are not in this database."""

    again: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    elsewhere: int = 0


def apply_again(database: Database, register: Register, *, at: datetime) -> Compared:
    """In the order of the register: what one left of a text, the next was about.  Raises RegisterDamaged."""
    wanted = register.read()
    again = missing_in(database, wanted)
    for erasure in again:
        _carry_out(database, erasure, at=at)
    known, unknown = {erasure.id for erasure in wanted}, []
    municipalities = _municipalities(database)
    for municipality in municipalities:
        done = done_in(database, municipality)
        unknown += [registered(municipality, request) for id, request in done.items() if id not in known]
    if unknown:
        register.add(sorted(unknown, key=lambda erasure: erasure.decided_at))
    elsewhere = sum(erasure.municipality not in municipalities for erasure in wanted)
    return Compared(tuple(one.id for one in again), tuple(one.id for one in unknown), elsewhere)


def missing_in(database: Database, wanted: Sequence[Registered]) -> list[Registered]:
    """What was decided on and is not erased here."""
    here = {each.municipality for each in wanted} & set(_municipalities(database)) if wanted else set()
    done = {id for municipality in here for id in done_in(database, municipality)}
    return [each for each in wanted if each.municipality in here and each.id not in done]


def _municipalities(database: Database) -> list[str]:
    with database.read() as session:
        return [str(id) for id in session.exec(select(Municipality.id).order_by(col(Municipality.id)))]


def done_in(database: Database, municipality: str) -> dict[str, Request]:
    with database.read() as session:
        set_scope(session, uuid.UUID(municipality))
        return {request.id: request for request in requests.requests(session) if request.status is Status.DONE}


def registered(municipality: str, request: Request) -> Registered:
    """What the register keeps of a request that is decided on."""
    assert request.decided_by is not None
    assert request.decided_at is not None
    return Registered(
        id=request.id,
        municipality=municipality,
        account=request.account,
        items=request.items,
        ground=request.ground,
        asked_by=request.asked_by,
        asked_at=request.asked_at,
        decided_by=request.decided_by,
        decided_at=request.decided_at,
    )


def _carry_out(database: Database, erasure: Registered, *, at: datetime) -> None:
    """The event tells who decided, as before, and that it came from a process, now."""
    with database.write() as session:
        set_scope(session, uuid.UUID(erasure.municipality))
        session.info["origin"] = Origin.PROCESS
        people.ensure_users(session, {erasure.asked_by, erasure.decided_by}, at=at)
        try:
            requests.find(session, erasure.id, for_change=True)
        except ErasureNotFound:
            requests.ask(
                session,
                account=erasure.account,
                items=erasure.items,
                ground=erasure.ground,
                by=erasure.asked_by,
                at=erasure.asked_at,
                id=erasure.id,
            )
        request = requests.find(session, erasure.id)
        carry_out(session, request, by=Trace(uuid.UUID(erasure.decided_by), at, None), is_again=True)
