"""Erasing personal data: an administrator looks for it and asks, another administrator or a manager decides."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import BackgroundTasks, Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.erasure import queries, service
from app.features.erasure.forms import NothingForm, SearchForm, Tampered, chosen_in, ground_in
from app.policy import Action
from app.storage.database import Database, ReadSession, WriteSession
from app.storage.erasure import requests
from app.storage.erasure.cleaning import Cleaner
from app.storage.erasure.items import Ground
from app.storage.erasure.matching import Terms, TermTooShort
from app.storage.erasure.people import AccountNotFound, find_account
from app.storage.erasure.register import Register
from app.storage.erasure.requests import AlreadyDecided, ErasureNotFound
from app.storage.evidence_files import EvidenceFiles
from app.storage.marks import Outdated, check
from app.storage.scope import set_scope
from app.storage.user_admin import LastAdministrator
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import clock_of, now
from app.web.forms import FormInvalid, FormState, Posted, parse, refuse
from app.web.i18n import N_, gettext_for, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room
from app.web.sender import sender_of

router = Room()
register(
    {
        "erasure_asked": N_("This waits for another administrator or a manager. Nothing was erased yet."),
        "erasure_done": N_("It was erased for good."),
        "erasure_declined": N_("Nothing was erased."),
    }
)

Asker = Annotated[Caller, allowed(Action.ASK_ERASURE)]
Decider = Annotated[Caller, allowed(Action.DECIDE_ON_ERASURE)]
Basis = Annotated[str, based_on()]
SearchedAt = Annotated[str, based_on("gezocht")]  # what was erased after that makes what was shown untrue

HERE: Final = "/beheer/gegevens-wissen"
GROUNDS: Final[dict[Ground, str]] = {
    Ground.UNLAWFUL: N_("It should never have been written here"),
    Ground.NOT_NEEDED: N_("It is no longer needed"),
    Ground.CONSENT_WITHDRAWN: N_("The person withdrew consent"),
    Ground.OBJECTION: N_("The person objects"),
    Ground.LEGAL_DUTY: N_("The law tells us to erase it"),
}
REFUSALS: Final = {
    service.OwnRequest: N_("You asked for this yourself. Another administrator or a manager decides."),
    service.OwnAccount: N_("This is your own account. Ask another administrator."),
    service.TextChanged: N_("Something was erased there meanwhile. Search again, so that you see what goes."),
    LastAdministrator: N_("This is the only administrator of your municipality. Make somebody else one first."),
    AlreadyDecided: N_("Somebody decided about this before you."),
    Outdated: N_("Somebody decided about this before you."),
    AccountNotFound: N_("This account also works for another municipality, or it is gone. Nothing was erased."),
}


@router.get("/beheer/gegevens-wissen")
def show_overview(request: Request, session: ReadSession, caller: Decider) -> Response:
    return _overview(request, session, caller, FormState())


def _overview(request: Request, session: Session, caller: Caller, form: FormState, *, status: int = 200) -> Response:
    waiting, decided = queries.list_page(session)
    return render(
        request,
        "erasure/overview.html",
        status=status,
        waiting=waiting,
        decided=decided,
        may_ask=caller.may(Action.ASK_ERASURE),
        form=form,
        base=HERE,
        grounds=GROUNDS,
    )


# --- looking for it, and asking --------------------------------------------------------------------------------


@router.post("/beheer/gegevens-wissen/zoeken")
def search(request: Request, session: WriteSession, caller: Asker, posted: Posted) -> Response:
    """Sent, since a name does not belong in an address. Nothing changes, so nobody waits for it: it reads beside the
    session of the request."""
    try:
        form = parse(SearchForm, posted)
        try:
            terms = Terms(form.lines)
        except TermTooShort:
            raise refuse(posted, "namen", N_("Type at least two letters or digits on each line.")) from None
    except FormInvalid as invalid:
        return _overview(request, session, caller, invalid.state(language_of(request)), status=422)
    session.rollback()
    database: Database = request.app.state.database
    with database.read() as reading:
        set_scope(reading, caller.municipality_id)
        page = queries.found_page(reading, terms, at=now(request))
    return _found(request, page, FormState())


def _found(
    request: Request, page: queries.FoundPage, form: FormState, *, status: int = 200, refusal: str | None = None
) -> Response:
    return render(
        request,
        "erasure/found.html",
        status=status,
        page=page,
        form=form,
        base=HERE,
        grounds=_grounds(request),
        refusal=refusal,
    )


def _grounds(request: Request) -> list[tuple[str, str]]:
    texts = gettext_for(language_of(request))
    return [(ground.value, texts.gettext(sentence)) for ground, sentence in GROUNDS.items()]


@router.post("/beheer/gegevens-wissen/vragen")
def ask(request: Request, session: WriteSession, caller: Asker, posted: Posted, searched_at: SearchedAt) -> Response:
    try:
        chosen = chosen_in(posted)
    except Tampered:
        raise HTTPException(400) from None
    again = partial(queries.chosen_page, session, chosen.found, chosen.choices, at=chosen.searched_at)
    try:
        ground = ground_in(posted, chosen)
    except FormInvalid as invalid:
        return _found(request, again(), invalid.state(language_of(request)), status=422)
    try:
        by = service.trace_of(caller, now(request), sender_of(request))
        id = service.ask_for_items(session, chosen.items, ground=ground, searched_at=chosen.searched_at, by=by)
    except service.TextChanged:
        typed = FormState.of(grond=ground.value)
        return _found(request, again(), typed, status=409, refusal=REFUSALS[service.TextChanged])
    return see_other(f"{HERE}/{id}", notice="erasure_asked")


@router.get("/beheer/gegevens-wissen/personen/{user_id}")
def show_person(request: Request, user_id: str, session: ReadSession, caller: Asker) -> Response:
    return _person(request, session, user_id, FormState())


def _person(
    request: Request,
    session: Session,
    user_id: str,
    form: FormState,
    *,
    status: int = 200,
    refusal: str | None = None,
) -> Response:
    try:
        account = find_account(session, user_id)
    except AccountNotFound:
        raise HTTPException(404) from None
    return render(
        request,
        "erasure/person.html",
        status=status,
        account=account,
        form=form,
        base=HERE,
        grounds=_grounds(request),
        refusal=refusal,
    )


@router.post("/beheer/gegevens-wissen/personen/{user_id}")
def ask_for_person(request: Request, user_id: str, session: WriteSession, caller: Asker, posted: Posted) -> Response:
    try:
        ground = ground_in(posted)
    except FormInvalid as invalid:
        return _person(request, session, user_id, invalid.state(language_of(request)), status=422)
    try:
        by = service.trace_of(caller, now(request), sender_of(request))
        id = service.ask_for_account(session, user_id, ground=ground, by=by)
    except AccountNotFound:
        raise HTTPException(404) from None
    except (service.OwnAccount, LastAdministrator) as refusal:
        typed = FormState.of(grond=ground.value)
        return _person(request, session, user_id, typed, status=409, refusal=REFUSALS[type(refusal)])
    return see_other(f"{HERE}/{id}", notice="erasure_asked")


# --- deciding --------------------------------------------------------------------------------------------------


@router.get("/beheer/gegevens-wissen/{erasure_id}")
def show_request(request: Request, erasure_id: str, session: ReadSession, caller: Decider) -> Response:
    return _request(request, session, caller, erasure_id)


def _request(
    request: Request, session: Session, caller: Caller, id: str, *, status: int = 200, refusal: str | None = None
) -> Response:
    try:
        page = queries.request_page(session, id)
    except ErasureNotFound:
        raise HTTPException(404) from None
    return render(
        request,
        "erasure/request.html",
        status=status,
        page=page,
        is_own=service.is_own(session, page.line.request, caller.user_id),
        address=f"{HERE}/{page.line.request.id}",
        base=HERE,
        grounds=GROUNDS,
        refusal=refusal,
    )


@router.post("/beheer/gegevens-wissen/{erasure_id}/wissen")
def confirm(
    request: Request,
    erasure_id: str,
    session: WriteSession,
    caller: Decider,
    posted: Posted,
    basis: Basis,
    background: BackgroundTasks,
) -> Response:
    found = _for_change(session, erasure_id)
    parse(NothingForm, posted)
    settings = request.app.state.settings
    try:
        check(basis, found.mark)
        with session.begin_nested():
            by = service.trace_of(caller, now(request), sender_of(request))
            service.confirm(session, found, Register(settings.erasure_register), by=by)
    except tuple(REFUSALS) as refusal:
        return _request(request, session, caller, found.id, status=409, refusal=REFUSALS[type(refusal)])
    # After the commit, and after the answer: files, and traces in the database.
    files = EvidenceFiles(settings.evidence_dir)
    cleaner = Cleaner(request.app.state.database, files, clock=clock_of(request.app))
    background.add_task(cleaner.finish, caller.municipality_id)
    return see_other(f"{HERE}/{found.id}", notice="erasure_done")


@router.post("/beheer/gegevens-wissen/{erasure_id}/afwijzen")
def decline(
    request: Request, erasure_id: str, session: WriteSession, caller: Decider, posted: Posted, basis: Basis
) -> Response:
    found = _for_change(session, erasure_id)
    parse(NothingForm, posted)
    try:
        check(basis, found.mark)
        service.decline(session, found, by=service.trace_of(caller, now(request), sender_of(request)))
    except (AlreadyDecided, Outdated) as refusal:
        return _request(request, session, caller, found.id, status=409, refusal=REFUSALS[type(refusal)])
    return see_other(f"{HERE}/{found.id}", notice="erasure_declined")


def _for_change(session: Session, id: str) -> requests.Request:
    try:
        return requests.find(session, id, for_change=True)
    except ErasureNotFound:
        raise HTTPException(404) from None
