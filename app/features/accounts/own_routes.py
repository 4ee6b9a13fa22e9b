"""“Mijn account”: for everybody who is signed in, also without a municipality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.accounts import own
from app.features.accounts.answers import provider_clients, provider_name
from app.features.accounts.attempts import TooManyAttempts
from app.features.accounts.authenticator import shown_app
from app.features.accounts.checks import TooBusy
from app.features.accounts.device import Device, device_of
from app.features.accounts.new_password import chosen_password, unfit_sentence
from app.features.accounts.service import AppLocked
from app.features.accounts.visit import (
    CODE_LOCKED,
    CODE_MISSING,
    CODE_WRONG,
    checks_of,
    form_with,
    typed,
    vault_of,
    visit_of,
)
from app.storage import accounts, open_sessions, passkeys, provider_accounts, second_factors
from app.storage.account_log import shortened
from app.storage.database import ReadSession, WriteSession
from app.storage.logins import OpenLogin
from app.storage.passwords import PasswordRefused
from app.web.access import signed_in
from app.web.clock import now
from app.web.forms import FormState, Posted
from app.web.i18n import LANGUAGES, N_
from app.web.identity import seen_after
from app.web.language import remember
from app.web.notice import register, see_other
from app.web.once import shown_at
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "password_changed": N_("Your password has been changed. You are logged out everywhere else."),
        "language_changed": N_("Your language has been saved."),
        "session_ended": N_("That session has ended."),
        "other_sessions_ended": N_("You are logged out everywhere else."),
        "second_factor_off": N_("Logging in no longer asks for a code."),
    }
)

Login = Annotated[OpenLogin, signed_in]

ACCOUNT: Final = "/account"
SET_UP: Final = "/account/tweede-stap/instellen"

PASSWORD_MISSING: Final = N_("Type your password.")
PASSWORD_WRONG: Final = N_("This is not your password. Check it and try again.")
TRY_LATER: Final = N_("You tried this too often. Wait five minutes and try again.")
BUSY: Final = N_("It is very busy. Wait a few seconds and try again.")


@dataclass(frozen=True, slots=True)
class ShownSession:
    id: str
    device: Device
    place: str
    created_at: datetime
    seen_at: datetime
    is_this_one: bool


@router.get("/account")
def show_account(request: Request, session: ReadSession, login: Login) -> Response:
    return _account_page(request, session, login)


def _account_page(
    request: Request, session: Session, login: OpenLogin, *, form: FormState | None = None, status: int = 200
) -> Response:
    at = now(request)
    account = accounts.account_of(session, login.user_id)
    linked = provider_accounts.linked_of(session, [login.user_id]).get(login.user_id, [])
    open_ones = open_sessions.sessions_of(session, login.user_id, at=at, seen_after=seen_after(at))
    return render(
        request,
        "accounts/account.html",
        status=status,
        account=account,
        organisations=[provider_name(request, each.provider) for each in linked],
        has_organisations=bool(provider_clients(request)),
        has_app=second_factors.has_app(session, login.user_id),
        codes_left=second_factors.codes_left(session, login.user_id),
        passkeys=passkeys.passkeys_of(session, login.user_id),
        sessions=[
            ShownSession(
                id=each.id,
                device=device_of(each.device),
                place=shortened(each.address),
                created_at=each.created_at,
                seen_at=each.seen_at,
                is_this_one=each.id == login.session_id,
            )
            for each in open_ones
        ],
        form=form or FormState.of(taal=account.language),
    )


@router.post("/account/taal")
def choose_language(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    """Kept with the account, for other browsers too."""
    chosen = next((language for language in LANGUAGES if language == typed(posted, "taal")), None)
    if chosen is None:
        return _account_page(request, session, login, form=form_with(request, {"taal": LANGUAGE_MISSING}), status=422)
    accounts.set_language(session, login.user_id, chosen)
    response = see_other(ACCOUNT, notice="language_changed")
    remember(response, chosen)
    return response


LANGUAGE_MISSING: Final = N_("Choose Dutch or English.")


# --- password --------------------------------------------------------------------------------------------------


@router.get("/account/wachtwoord")
def show_password_form(request: Request, login: Login) -> Response:
    return render(request, "accounts/password.html", form=FormState())


@router.post("/account/wachtwoord")
async def change_password(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    old, (new, errors) = typed(posted, "wachtwoord"), chosen_password(posted)
    if not old:
        errors = {"wachtwoord": PASSWORD_MISSING, **errors}
    if not errors:
        errors = await _tried(request, session, login, old, new)
    if errors:
        return render(request, "accounts/password.html", status=422, form=form_with(request, errors))
    return see_other(ACCOUNT, notice="password_changed")


async def _tried(request: Request, session: Session, login: OpenLogin, old: str, new: str) -> dict[str, str]:
    try:
        await own.change_password(session, checks_of(request), login, old=old, new=new, visit=visit_of(request))
    except PasswordRefused as refused:
        return {"nieuw-wachtwoord": unfit_sentence(refused.why)}
    except (own.PasswordWrong, TooManyAttempts, TooBusy) as refusal:
        return {"wachtwoord": _sentence(refusal)}
    return {}


def _sentence(refusal: Exception) -> str:
    match refusal:
        case TooManyAttempts():
            return TRY_LATER
        case TooBusy():
            return BUSY
        case own.CodeWrong():
            return CODE_WRONG
        case AppLocked():
            return CODE_LOCKED
        case _:
            return PASSWORD_WRONG


# --- second factor ---------------------------------------------------------------------------------------------


@router.get("/account/tweede-stap")
def show_second_factor(request: Request, session: ReadSession, login: Login) -> Response:
    return _second_factor_page(request, session, login)


def _second_factor_page(
    request: Request, session: Session, login: OpenLogin, *, errors: dict[str, str] | None = None, part: str = ""
) -> Response:
    """`part`: the form that was sent, which shows what is wrong."""
    forms = {
        name: form_with(request, errors if errors and name == part else {}, prefix=f"{name}-")
        for name in ("begin", "codes", "uit")
    }
    return render(
        request,
        "accounts/second_factor.html",
        status=422 if errors else 200,
        has_app=second_factors.has_app(session, login.user_id),
        codes_left=second_factors.codes_left(session, login.user_id),
        passkeys=passkeys.passkeys_of(session, login.user_id),
        is_required=request.app.state.second_factor_required,
        forms=forms,
        form=forms[part] if part else FormState(),
    )


async def password_errors(request: Request, session: Session, login: OpenLogin, posted: Posted) -> dict[str, str]:
    """What is wrong with the password that is asked again; nothing if it is right."""
    password = typed(posted, "wachtwoord")
    if not password:
        return {"wachtwoord": PASSWORD_MISSING}
    try:
        await own.confirm_password(session, checks_of(request), login.user_id, password, visit_of(request))
    except (own.PasswordWrong, TooManyAttempts, TooBusy) as refusal:
        return {"wachtwoord": _sentence(refusal)}
    return {}


@router.post("/account/tweede-stap/beginnen")
async def begin_second_factor(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    if errors := await password_errors(request, session, login, posted):
        return await run_in_threadpool(
            lambda: _second_factor_page(request, session, login, errors=errors, part="begin")
        )
    await run_in_threadpool(
        lambda: second_factors.begin_app(session, vault_of(request), login.user_id, at=now(request))
    )
    return see_other(SET_UP)


@router.get("/account/tweede-stap/instellen")
def show_set_up(request: Request, session: ReadSession, login: Login) -> Response:
    secret = second_factors.unconfirmed_secret(session, vault_of(request), login.user_id)
    if secret is None:  # not begun, or confirmed in another tab
        return see_other("/account/tweede-stap")
    return _set_up_page(request, session, login, secret, FormState())


def _set_up_page(
    request: Request, session: Session, login: OpenLogin, secret: str, form: FormState, *, status: int = 200
) -> Response:
    account = accounts.account_of(session, login.user_id)
    return render(request, "accounts/set_up.html", status=status, app=shown_app(secret, account.login), form=form)


@router.post("/account/tweede-stap/instellen")
def set_up(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    vault, code = vault_of(request), typed(posted, "code")
    secret = second_factors.unconfirmed_secret(session, vault, login.user_id)
    if secret is None:
        return see_other("/account/tweede-stap")
    try:
        errors = {} if code.strip() else {"code": CODE_MISSING}
        codes = [] if errors else own.confirm_app(session, vault, login.user_id, code, visit_of(request))
    except (own.CodeWrong, TooManyAttempts) as refusal:
        errors, codes = {"code": _sentence(refusal)}, []
    if errors:
        return _set_up_page(request, session, login, secret, form_with(request, errors), status=422)
    return _codes_page(request, codes, is_first=True)


def _codes_page(request: Request, codes: list[str], *, is_first: bool) -> Response:
    shown_at(request, "/account/tweede-stap")  # the codes are shown once; there others can be made
    return render(request, "accounts/codes.html", codes=codes, verder=ACCOUNT, kept=None, is_first=is_first)


@router.post("/account/tweede-stap/herstelcodes")
async def make_new_codes(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    errors = await password_errors(request, session, login, posted)

    def answer() -> Response:
        if errors or not second_factors.has_app(session, login.user_id):
            return _second_factor_page(request, session, login, errors=errors, part="codes")
        return _codes_page(request, own.new_codes(session, login.user_id, visit_of(request)), is_first=False)

    return await run_in_threadpool(answer)


@router.post("/account/tweede-stap/uitzetten")
async def turn_off_second_factor(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    errors, code = await password_errors(request, session, login, posted), typed(posted, "code")
    if not code.strip():
        errors["code"] = CODE_MISSING

    def answer() -> Response:
        if not errors:
            try:
                own.prove(session, vault_of(request), login.user_id, code, visit_of(request))
            except (own.CodeWrong, TooManyAttempts, AppLocked) as refusal:
                errors["code"] = _sentence(refusal)
        if errors:
            return _second_factor_page(request, session, login, errors=errors, part="uit")
        own.turn_off(session, login.user_id, visit_of(request))
        return see_other("/account/tweede-stap", notice="second_factor_off")

    return await run_in_threadpool(answer)


# --- sessions --------------------------------------------------------------------------------------------------


@router.post("/account/sessies/andere-beeindigen")
def end_other_sessions(request: Request, session: WriteSession, login: Login) -> Response:
    own.end_other_sessions(session, login, visit_of(request))
    return see_other(ACCOUNT, notice="other_sessions_ended")


@router.post("/account/sessies/{session_id}/beeindigen")
def end_session(request: Request, session_id: str, session: WriteSession, login: Login) -> Response:
    if "\x00" in session_id or not own.end_session(session, login.user_id, session_id, visit_of(request)):
        raise HTTPException(404)
    return see_other(ACCOUNT, notice="session_ended")
