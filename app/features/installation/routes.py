"""The area of the operators of an installation: municipalities, without what is in them."""

from __future__ import annotations

import uuid
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.installation.forms import AddForm, AdministratorForm, RenameForm
from app.policy import OperatorAction
from app.storage import account_links, account_log, accounts, installation
from app.storage.account_log import Act, Trace
from app.storage.accounts import LoginInvalid, LoginTaken, MunicipalityExists
from app.storage.database import Database, WriteSession
from app.storage.installation import HasAdministrator, MunicipalityLine, MunicipalityNotFound
from app.storage.logins import OpenLogin
from app.storage.marks import mark
from app.storage.upgrade import is_current
from app.web.access import operating
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, refuse
from app.web.i18n import N_, language_of
from app.web.notice import register, see_other
from app.web.once import shown_at
from app.web.render import Pages, render
from app.web.room import Room
from app.web.sender import sender_of

router = Room()
register(
    {
        "municipality_renamed": N_("The municipality has another name now."),
        "municipality_closed": N_("The municipality is closed. Nobody can work there any more."),
        "municipality_reopened": N_("The municipality is open again."),
    }
)

Viewer = Annotated[OpenLogin, operating(OperatorAction.VIEW_MUNICIPALITIES)]
Keeper = Annotated[OpenLogin, operating(OperatorAction.MANAGE_MUNICIPALITIES)]
Basis = Annotated[str, based_on()]

HERE: Final = "/installatie"
PLACE: Final = f"{HERE}/gemeenten/{{municipality_id}}"
NAME_TAKEN: Final = N_("There is a municipality with this name already.")
LOGIN_TAKEN: Final = N_("There is an account with this e-mail address already. Use another one for this administrator.")
HAS_ONE: Final = N_("This municipality has an administrator already, who adds other people.")


@router.get("/installatie")
def show_installation(request: Request, login: Viewer) -> Response:
    database = _database(request)
    return render(
        request,
        "installation/overview.html",
        municipalities=installation.municipalities(database),
        version=version("stappenplan"),
        is_ready=is_current(database.engine),
    )


@router.get("/installatie/gemeenten/toevoegen")
def show_add_form(request: Request, login: Keeper) -> Response:
    return render(request, "installation/add.html", form=FormState())


@router.post("/installatie/gemeenten/toevoegen")
def add_municipality(request: Request, session: WriteSession, login: Keeper, posted: Posted) -> Response:
    try:
        form = parse(AddForm, posted)
        try:
            id = accounts.add_municipality(session, form.name, at=now(request))
        except MunicipalityExists:
            raise refuse(posted, "gemeente", NAME_TAKEN) from None
        _note(request, session, login, Act.MUNICIPALITY_ADDED, id)
        return _invite(request, session, login, id, form.name, form, posted)
    except FormInvalid as invalid:
        session.rollback()
        return render(request, "installation/add.html", status=422, form=invalid.state(language_of(request)))


@router.get(PLACE)
def show_municipality(request: Request, municipality_id: str, login: Viewer) -> Response:
    return _page(request, _line(request, municipality_id))


def _page(
    request: Request,
    line: MunicipalityLine,
    *,
    form: FormState | None = None,
    invite: FormState | None = None,
    is_stale: bool = False,
) -> Response:
    """`is_stale`: somebody else changed the name meanwhile, while `form` holds what was typed."""
    return render(
        request,
        "installation/municipality.html",
        status=409 if is_stale else 422 if form or invite else 200,
        line=line,
        is_stale=is_stale,
        address=f"{HERE}/gemeenten/{line.id}",
        form=form or FormState.of(gemeente=line.name),
        invite=invite or FormState(),
    )


@router.post(f"{PLACE}/naam")
def rename(
    request: Request, municipality_id: str, session: WriteSession, login: Keeper, posted: Posted, basis: Basis
) -> Response:
    line = _line(request, municipality_id)
    try:
        form = parse(RenameForm, posted)
        name = " ".join(form.name.split())
        current = installation.name_for_change(session, line.id)
        if basis != mark(current) and name != current:
            return _page(request, line, form=FormState.of(gemeente=name), is_stale=True)
        try:
            installation.rename(session, line.id, name)
        except MunicipalityExists:
            raise refuse(posted, "gemeente", NAME_TAKEN) from None
    except FormInvalid as invalid:
        return _page(request, line, form=invalid.state(language_of(request)))
    if name != current:
        _note(request, session, login, Act.MUNICIPALITY_RENAMED, line.id)
    return see_other(f"{HERE}/gemeenten/{line.id}", notice="municipality_renamed")


@router.post(f"{PLACE}/sluiten")
def close(request: Request, municipality_id: str, session: WriteSession, login: Keeper) -> Response:
    line = _line(request, municipality_id)
    if installation.set_closed(session, line.id, at=now(request)):
        _note(request, session, login, Act.MUNICIPALITY_CLOSED, line.id)
    return see_other(f"{HERE}/gemeenten/{line.id}", notice="municipality_closed")


@router.post(f"{PLACE}/heropenen")
def reopen(request: Request, municipality_id: str, session: WriteSession, login: Keeper) -> Response:
    line = _line(request, municipality_id)
    if installation.set_closed(session, line.id, at=None):
        _note(request, session, login, Act.MUNICIPALITY_REOPENED, line.id)
    return see_other(f"{HERE}/gemeenten/{line.id}", notice="municipality_reopened")


@router.post(f"{PLACE}/beheerder")
def invite_administrator(
    request: Request, municipality_id: str, session: WriteSession, login: Keeper, posted: Posted
) -> Response:
    line = _line(request, municipality_id)
    try:
        return _invite(request, session, login, line.id, line.name, parse(AdministratorForm, posted), posted)
    except FormInvalid as invalid:
        session.rollback()
        return _page(request, line, invite=invalid.state(language_of(request)))


def _invite(
    request: Request,
    session: Session,
    login: OpenLogin,
    id: uuid.UUID,
    municipality: str,
    form: AdministratorForm,
    posted: Posted,
) -> Response:
    try:
        user_id, token = installation.invite_administrator(
            session, id, login=form.email, name=form.person, by=login.user_id, at=now(request)
        )
    except HasAdministrator:
        raise refuse(posted, "e-mail", HAS_ONE) from None
    except LoginTaken:
        raise refuse(posted, "e-mail", LOGIN_TAKEN) from None
    except LoginInvalid:
        raise refuse(posted, "e-mail", N_("Type an e-mail address without spaces.")) from None
    _note(request, session, login, Act.ADMINISTRATOR_INVITED, id, about=user_id)
    shown_at(request, f"{HERE}/gemeenten/{id}")  # the link is shown once; its municipality tells of the invitation
    return render(
        request,
        "installation/new_link.html",
        municipality=municipality,
        person=form.person,
        back=f"{HERE}/gemeenten/{id}",
        link=f"{_public_url(request)}/wachtwoord/{token}",
        ends_at=now(request) + account_links.VALID,
    )


def _line(request: Request, id: str) -> MunicipalityLine:
    try:
        return installation.municipality(_database(request), id)
    except MunicipalityNotFound:
        raise HTTPException(404) from None


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _public_url(request: Request) -> str:
    pages: Pages = request.app.state.pages
    return pages.site.public_url if request.app.state.secure_cookies else str(request.base_url).rstrip("/")


def _note(
    request: Request, session: Session, login: OpenLogin, act: Act, place: uuid.UUID, *, about: uuid.UUID | None = None
) -> None:
    """Told to the administrators of the municipality: in their log of accounts."""
    trace = Trace(by=login.user_id, at=now(request), address=sender_of(request))
    account_log.note(session, act, about=about or login.user_id, trace=trace, municipality_id=place)
