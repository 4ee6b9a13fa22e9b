"""Erasing what a request names, in one transaction: what people wrote, the account, and the events that tell of it."""

from __future__ import annotations

import uuid

from sqlmodel import Session

from app.engine.events import PersonalDataErased
from app.storage import account_log, run_store
from app.storage.account_log import Act, Trace
from app.storage.erasure import people, requests
from app.storage.erasure.items import Item, Kind, PassageGone
from app.storage.erasure.places import Places, Written, write_over
from app.storage.erasure.requests import Request, Status
from app.storage.run_header import RunNotFound, rename, run_header
from app.storage.texts import read_texts


def carry_out(session: Session, request: Request, *, by: Trace, is_again: bool = False) -> None:
    """`by`: who decided. What is not there (any more) is skipped. Files, and traces in the database, go after the
    commit (cleaning.py). `is_again`: after an older backup was put back.  Raises AlreadyDecided, PassageGone."""
    assert by.by is not None
    decided_by, at = str(by.by), by.at
    requests.decide(session, request, Status.DONE, by=decided_by, at=at)
    note(session, Act.ACCOUNT_ERASED if request.account else Act.PERSONAL_DATA_ERASED, request, by)
    if request.account:
        people.erase_account(session, request.account, at=at)
        return
    loaded = {}
    for id in sorted({item.key.run for item in request.items if item.key.run}):
        try:
            # All runs before the first event: locks are taken in one order, first runs and then the log.
            loaded[id] = run_store.load_stages(session, id, for_change=True)
        except RunNotFound:
            continue
    places = Places(session).of([item.key for item in request.items])
    written = Written()
    for item in request.items:
        if (place := places.get(item.key)) is None:
            continue
        try:
            write_over(session, place, item, written)
        except PassageGone:
            if not is_again:
                raise
            write_over(session, place, Item(item.key), written)  # rather too much than a name that comes back
    requests.keep_files(session, request.id, written.files)
    for id, (plan, run) in loaded.items():
        mine = {key: now for key, now in written.replacements.items() if key.run == id}
        if mine:
            event = PersonalDataErased(
                erasure=request.id,
                ground=request.ground.value,
                answers={key.id: now for key, now in mine.items() if key.kind is Kind.ANSWER},
                texts={key.id: now for key, now in mine.items() if key.kind is Kind.TEXT},
                evidence={key.id: now for key, now in mine.items() if key.kind is Kind.EVIDENCE},
                asked_by=request.asked_by,
                by=decided_by,
                at=at,
            )
            run_store.record(session, plan, run, event)
            if event.texts.keys() & {run.name, run.purpose}:
                _show_name_of_now(session, id, run.name, run.purpose)


def note(session: Session, act: Act, request: Request, trace: Trace) -> None:
    """In the log of accounts: about the account that it is about, or else about who asked."""
    about = uuid.UUID(request.account or request.asked_by)
    detail = {"erasure": request.id, "ground": request.ground.value}
    if request.account is None or people.is_known(session, about):
        here: uuid.UUID = session.info["municipality_id"]
        account_log.note(session, act, about=about, trace=trace, municipality_id=here, detail=detail)


def _show_name_of_now(session: Session, run_id: str, name: str, purpose: str) -> None:
    """Pages show copies of the texts that the run names."""
    shown, texts = run_header(session, run_id), read_texts(session, [name, purpose])
    rename(session, run_id, name=texts.get(name, shown.name), purpose=texts.get(purpose, shown.purpose))
