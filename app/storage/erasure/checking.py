"""Do the events that tell of an erasure, the requests and the register say the same? Only then may something be absent.

A request of which no event tells is nothing to report: what an older backup did not have yet was not erased again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col

from app.storage.erasure import requests
from app.storage.erasure.items import Key, Kind
from app.storage.erasure.register import Registered
from app.storage.erasure.requests import Request, Status
from app.storage.history.verify import Problem
from app.storage.tables import EventRow

_MAPS = {"answers": Kind.ANSWER, "texts": Kind.TEXT, "evidence": Kind.EVIDENCE}


def verify_erasures(session: Session, register: Sequence[Registered] | None = None) -> list[Problem]:
    """Of the municipality of the session. `register` None: there is none to compare with."""
    known = {request.id: request for request in requests.requests(session)}
    told = _told(session)
    found = []
    for id, (keys, deciders) in told.items():
        place = f"erasure {id}"
        request = known.get(id)
        if request is None or request.status is not Status.DONE:
            found.append(Problem(place, "an event tells of it, and nobody asked for it"))
            continue
        if deciders != {(request.asked_by, request.decided_by)} or request.asked_by == request.decided_by:
            found.append(Problem(place, "other people decided on it than the event says"))
        if not keys <= {item.key for item in request.items}:
            found.append(Problem(place, "more was erased than was asked for"))
    return found + _unlike_register(str(session.info["municipality_id"]), known, register)


def _told(session: Session) -> dict[str, tuple[set[Key], set[tuple[str, str | None]]]]:
    """By erasure: what the events say was erased, and by whom."""
    found: dict[str, tuple[set[Key], set[tuple[str, str | None]]]] = defaultdict(lambda: (set(), set()))
    columns = (col(EventRow.run_id), col(EventRow.data), col(EventRow.by))
    for run, data, by in session.execute(sa.select(*columns).where(col(EventRow.kind) == "PersonalDataErased")):
        keys, deciders = found[str(data.get("erasure"))]
        deciders.add((str(data.get("asked_by")), str(by)))
        for name, kind in _MAPS.items():
            keys |= {Key(kind, str(run), id) for id in data.get(name) or {}}
    return found


def _unlike_register(
    municipality: str, known: dict[str, Request], register: Sequence[Registered] | None
) -> list[Problem]:
    if register is None:
        return []
    done = {id for id, request in known.items() if request.status is Status.DONE}
    kept = {each.id for each in register if each.municipality == municipality}
    again = "is in the register and not carried out here: an older backup was put back. Run: stappenplan erasures apply"
    return [
        *(Problem(f"erasure {id}", again) for id in sorted(kept - done)),
        *(Problem(f"erasure {id}", "is not in the register of erasures") for id in sorted(done - kept)),
    ]
