"""Users of the own municipality, for its administrators."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.accounts import admin
from app.features.accounts.admin_forms import AddForm, NameForm, OtherPersonForm, RolesForm, SamePersonForm
from app.features.accounts.answers import provider_clients, provider_name
from app.features.accounts.service import Visit
from app.features.accounts.visit import public_url, visit_of
from app.policy import Action
from app.storage import account_links, people, user_admin
from app.storage.accounts import LoginInvalid, LoginTaken
from app.storage.auditor_limits import limit_of
from app.storage.database import ReadSession, WriteSession
from app.storage.marks import Outdated, check
from app.storage.user_admin import LastAdministrator, Managed, UserNotFound, WorksElsewhere
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, refuse
from app.web.i18n import N_, gettext_for, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.once import shown_at
from app.web.render import ROLE_NAMES, render
from app.web.room import Room

router = Room()
register(
    {
        "user_renamed": N_("The name has been changed."),
        "user_roles_changed": N_("The roles have been changed. They count from now on."),
        "user_disabled": N_("The account has been disabled. This person is logged out."),
        "accounts_connected": N_("From now on both accounts count as one person."),
        "accounts_disconnected": N_("From now on these accounts count as two people."),
        "user_enabled": N_("The account works again."),
        "user_unlinked": N_("The link with the organisation has been removed."),
        "second_factor_reset": N_("The second step has been removed. This person is logged out everywhere."),
    }
)

Administrator = Annotated[Caller, allowed(Action.ADMINISTER_USERS)]
Basis = Annotated[str, based_on()]

HERE: Final = "/beheer/gebruikers"
SEARCH_LENGTH_MAX: Final = 100

TAKEN: Final = N_(
    "There is an account with this e-mail address already. Is it not in your list? Then it belongs to another "
    "municipality. Ask who maintains Stappenplan to add your roles to it."
)
REFUSALS: Final = {
    admin.OwnAccount: N_("You cannot do this to your own account. Ask another administrator."),
    admin.NoRolesLeft: N_("Choose at least one role. Should this person not get in any more? Disable the account."),
    admin.HasNoPassword: N_("This account came with an organisation, which also keeps the password."),
    Outdated: N_("Another administrator changed this meanwhile. Look at what is here now, then decide."),
    LastAdministrator: N_("This is the only administrator of your municipality. Make somebody else one first."),
    WorksElsewhere: N_(
        "This person also works for another municipality. You can only change the roles in your own municipality. Ask "
        "who maintains Stappenplan for the rest."
    ),
}


@router.get("/beheer/gebruikers")
def show_users(request: Request, session: ReadSession, caller: Administrator, zoek: str = "") -> Response:
    search = zoek.replace("\x00", "").strip()[:SEARCH_LENGTH_MAX]
    found = user_admin.people(session, caller.municipality_id, search=search)
    return render(
        request,
        "accounts/users.html",
        people=found,
        search=search,
        form=FormState.of(zoek=search),
        most=user_admin.LIST_MAX,
    )


@router.get("/beheer/gebruikers/toevoegen")
def show_add_form(request: Request, caller: Administrator) -> Response:
    return render(request, "accounts/add_user.html", form=FormState())


@router.post("/beheer/gebruikers/toevoegen")
def add_user(request: Request, session: WriteSession, caller: Administrator, posted: Posted) -> Response:
    visit = visit_of(request)
    try:
        form = parse(AddForm, posted)
        try:
            user_id = admin.add(session, caller, login=form.email, name=form.name, roles=form.roles, visit=visit)
        except LoginTaken:
            raise refuse(posted, "e-mail", TAKEN) from None
        except LoginInvalid:
            raise refuse(posted, "e-mail", N_("Type an e-mail address without spaces.")) from None
    except FormInvalid as invalid:
        return render(request, "accounts/add_user.html", status=422, form=invalid.state(language_of(request)))
    return _link_page(request, session, caller, user_admin.person(session, caller.municipality_id, user_id), visit)


# --- one user --------------------------------------------------------------------------------------------------


@router.get("/beheer/gebruikers/{user_id}")
def show_user(request: Request, user_id: str, session: ReadSession, caller: Administrator) -> Response:
    return _user_page(request, session, caller, _user(session, caller, user_id))


def _user(session: Session, caller: Caller, user_id: str, *, for_change: bool = False) -> Managed:
    find = user_admin.person_for_change if for_change else user_admin.person
    try:
        return find(session, caller.municipality_id, uuid.UUID(user_id))
    except (ValueError, UserNotFound):
        raise HTTPException(404) from None


def _user_page(
    request: Request,
    session: Session,
    caller: Caller,
    user: Managed,
    *,
    form: FormState | None = None,
    refusal: str | None = None,
    stale: str | None = None,
    status: int = 200,
) -> Response:
    """`stale`: the field that somebody else changed meanwhile, while `form` holds what was typed."""
    link_ends_at = account_links.link_ends_at(session, user.id, at=now(request))
    names = [provider_name(request, key) for key in user.providers]
    texts = gettext_for(language_of(request))
    return render(
        request,
        "accounts/user.html",
        status=status,
        user=user,
        organisations=names,
        zipped=list(zip(user.providers, names, strict=True)),
        provider_roles=[texts.gettext(ROLE_NAMES[role]) for role in sorted(user.provider_roles)],
        fixed_roles=[role.value for role in user.provider_roles],
        is_self=caller.user_id == str(user.id),
        other_accounts=people.other_accounts(session, caller.municipality_id, user.id),
        limit=limit_of(session, user.id),
        link_ends_at=link_ends_at,
        link_mark=_link_mark(link_ends_at),
        address=f"{HERE}/{user.id}",
        form=form or FormState.of(naam=user.name, rollen=sorted(role.value for role in user.roles)),
        refusal=refusal,
        stale=stale,
    )


@router.post("/beheer/gebruikers/{user_id}/naam")
def rename(
    request: Request, user_id: str, session: WriteSession, caller: Administrator, posted: Posted, basis: Basis
) -> Response:
    user = _user(session, caller, user_id, for_change=True)
    try:
        form = parse(NameForm, posted)
    except FormInvalid as invalid:
        shown = invalid.state(language_of(request)).with_default("rollen", "")
        return _user_page(request, session, caller, user, form=shown, status=422)
    if basis != user.name_mark and form.name != user.name:
        return _stale(request, session, caller, user, FormState.of(naam=form.name, rollen=sorted(user.roles)), "naam")
    return _done(
        request, session, caller, user, partial(admin.rename, session, caller, user, form.name), "user_renamed"
    )


@router.post("/beheer/gebruikers/{user_id}/rollen")
def change_roles(
    request: Request, user_id: str, session: WriteSession, caller: Administrator, posted: Posted, basis: Basis
) -> Response:
    user = _user(session, caller, user_id, for_change=True)
    try:
        form = parse(RolesForm, posted)
    except FormInvalid as invalid:
        shown = invalid.state(language_of(request)).with_default("naam", user.name)
        return _user_page(request, session, caller, user, form=shown, status=422)
    if basis != user.roles_mark and frozenset(form.roles) != user.roles:
        return _stale(request, session, caller, user, FormState.of(naam=user.name, rollen=form.roles), "rollen")
    act = partial(admin.change_roles, session, caller, user, form.roles)
    return _done(request, session, caller, user, act, "user_roles_changed")


@router.post("/beheer/gebruikers/{user_id}/uitschakelen")
def disable(request: Request, user_id: str, session: WriteSession, caller: Administrator, basis: Basis) -> Response:
    user = _user(session, caller, user_id, for_change=True)
    act = partial(admin.disable, session, caller, user)
    return _done(request, session, caller, user, act, "user_disabled", shown=basis, current=user.access_mark)


@router.post("/beheer/gebruikers/{user_id}/inschakelen")
def enable(request: Request, user_id: str, session: WriteSession, caller: Administrator, basis: Basis) -> Response:
    user = _user(session, caller, user_id, for_change=True)
    act = partial(admin.enable, session, caller, user)
    return _done(request, session, caller, user, act, "user_enabled", shown=basis, current=user.access_mark)


@router.post("/beheer/gebruikers/{user_id}/tweede-stap-wissen")
def reset_second_factor(
    request: Request, user_id: str, session: WriteSession, caller: Administrator, basis: Basis
) -> Response:
    user = _user(session, caller, user_id, for_change=True)
    act = partial(admin.reset_second_factor, session, caller, user)
    return _done(request, session, caller, user, act, "second_factor_reset", shown=basis, current=user.access_mark)


@router.post("/beheer/gebruikers/{user_id}/ontkoppelen/{provider}")
def unlink(
    request: Request, user_id: str, provider: str, session: WriteSession, caller: Administrator, basis: Basis
) -> Response:
    user = _user(session, caller, user_id, for_change=True)

    def act(visit: Visit) -> None:
        if not admin.unlink(session, caller, user, provider, provider_clients(request), visit):
            raise HTTPException(404)

    return _done(request, session, caller, user, act, "user_unlinked", shown=basis, current=user.access_mark)


@router.post("/beheer/gebruikers/{user_id}/link")
def make_link(request: Request, user_id: str, session: WriteSession, caller: Administrator, basis: Basis) -> Response:
    user = _user(session, caller, user_id, for_change=True)
    try:
        check(basis, _link_mark(account_links.link_ends_at(session, user.id, at=now(request))))
        return _link_page(request, session, caller, user, visit_of(request))
    except (WorksElsewhere, admin.HasNoPassword, Outdated) as refusal:
        return _user_page(request, session, caller, user, refusal=REFUSALS[type(refusal)], status=409)


@router.post("/beheer/gebruikers/{user_id}/zelfde-persoon")
def connect(request: Request, user_id: str, session: WriteSession, caller: Administrator, posted: Posted) -> Response:
    """Two accounts belong to one person, so that they count as one where two people are needed."""
    user = _user(session, caller, user_id)
    try:
        form = parse(SamePersonForm, posted)
        try:
            admin.connect(session, caller, user, form.login, visit_of(request))
        except admin.NobodyHere:
            raise refuse(
                posted,
                "ander",
                N_("Nobody else in your municipality has this e-mail address. Look in the list of users."),
            ) from None
    except FormInvalid as invalid:
        return _user_page(request, session, caller, user, form=_with_stored(request, invalid, user), status=422)
    return see_other(f"{HERE}/{user.id}", notice="accounts_connected")


def _with_stored(request: Request, invalid: FormInvalid, user: Managed) -> FormState:
    """What was typed, and beside it what is stored, since the page has several forms."""
    stored = FormState.of(naam=user.name, rollen=sorted(role.value for role in user.roles))
    typed = invalid.state(language_of(request))
    return FormState({**stored.values, **typed.values}, typed.errors)


@router.post("/beheer/gebruikers/{user_id}/andere-persoon")
def disconnect(
    request: Request, user_id: str, session: WriteSession, caller: Administrator, posted: Posted, basis: Basis
) -> Response:
    user, form = _user(session, caller, user_id, for_change=True), parse(OtherPersonForm, posted)
    try:
        return _done(
            request,
            session,
            caller,
            user,
            lambda visit: admin.disconnect(session, caller, user, form.other, visit),
            "accounts_disconnected",
            shown=basis,
            current=people.said_mark(session, user.id, form.other, municipality_id=caller.municipality_id),
        )
    except UserNotFound:
        raise HTTPException(404) from None


def _link_mark(ends_at: datetime | None) -> str:
    """Another link would make the unused one of a colleague useless."""
    return ends_at.isoformat() if ends_at else ""


def _stale(request: Request, session: Session, caller: Caller, user: Managed, typed: FormState, field: str) -> Response:
    """What was typed stays in its field, with what somebody else made of it beside it."""
    return _user_page(request, session, caller, user, form=typed, stale=field, status=409)


def _link_page(request: Request, session: Session, caller: Caller, user: Managed, visit: Visit) -> Response:
    shown_at(request, f"{HERE}/{user.id}")  # the link is shown once; there another can be made
    token = admin.make_link(session, caller, user, visit)
    ends_at = visit.at + account_links.VALID
    link = f"{public_url(request)}/wachtwoord/{token}"
    return render(
        request, "accounts/new_link.html", person=user.name, link=link, ends_at=ends_at, back=f"{HERE}/{user.id}"
    )


def _done(
    request: Request,
    session: Session,
    caller: Caller,
    user: Managed,
    act: Callable[[Visit], None],
    notice: str,
    *,
    shown: str = "",
    current: str = "",
) -> Response:
    """Does it, or shows why not; what was half done is undone."""
    try:
        check(shown, current)
        with session.begin_nested():
            act(visit_of(request))
    except tuple(REFUSALS) as refusal:
        return _user_page(request, session, caller, user, refusal=REFUSALS[type(refusal)], status=409)
    return see_other(f"{HERE}/{user.id}" if _still_here(session, caller, user) else HERE, notice=notice)


def _still_here(session: Session, caller: Caller, user: Managed) -> bool:
    try:
        user_admin.person(session, caller.municipality_id, user.id)
    except UserNotFound:
        return False
    return True
