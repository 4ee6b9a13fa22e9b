"""Signing in and out, and choosing the municipality in which to work."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.features.accounts import service
from app.features.accounts.answers import choose_page, resend_page, sign_in_page, with_return
from app.storage import accounts
from app.storage.accounts import OpenLogin
from app.storage.database import WriteSession
from app.web import notice
from app.web.access import public, signed_in
from app.web.clock import now
from app.web.forms import FormState, Posted
from app.web.i18n import N_, gettext_for, language_of
from app.web.identity import caller_of, give_cookie, take_cookie, token_of
from app.web.kept import KEPT_BYTES_MAX, TARGET_FIELD, Kept, kept_in, local_path

router = APIRouter()

# Kept text, three times as long when each character is percent-encoded, and some room for the form itself.
BODY_BYTES_MAX: Final = 4 * KEPT_BYTES_MAX

BUSY_SECONDS: Final = 5  # what we ask people to wait; the queue is empty after two

WRONG: Final = N_("This login name and password do not belong together. Check both and try again.")
LOGIN_MISSING: Final = N_("Type your login name.")
PASSWORD_MISSING: Final = N_("Type your password.")

SIGNED_OUT: Final = "signed_out"
SWITCHED: Final = "municipality_chosen"
notice.register(
    {SIGNED_OUT: N_("You are logged out."), SWITCHED: N_("You now work in the municipality that you chose.")}
)

log = structlog.get_logger(__name__)


@router.get("/inloggen", dependencies=[public])
def sign_in_form(request: Request, verder: str = "/") -> Response:
    return sign_in_page(request, verder=local_path(verder))


@router.post("/inloggen", dependencies=[public], max_body_size=BODY_BYTES_MAX)
async def sign_in(request: Request, form: Posted) -> Response:
    login, password = _text(form, "login"), _text(form, "password")
    verder, kept = local_path(_text(form, TARGET_FIELD)), kept_in(form)
    page_again = partial(sign_in_page, request, verder=verder, kept=kept)
    missing = {}
    if not login.strip():
        missing["login"] = LOGIN_MISSING
    if not password:
        missing["password"] = PASSWORD_MISSING
    if missing:
        return page_again(status=422, form=_form(request, login, missing))
    try:
        signed_in = await service.sign_in(
            request.app.state.database,
            request.app.state.password_checks,
            login=login,
            password=password,
            address=request.client.host if request.client else None,
            previous_token=token_of(request),
            at=now(request),
        )
    except service.SignInRefused:
        return page_again(status=422, form=_form(request, login, {"login": WRONG}))
    except service.TooManyAttempts as refusal:
        form_again = _form(request, login)
        return page_again(status=429, form=form_again, trouble="too_many", wait_seconds=refusal.wait_seconds)
    except service.TooBusy:
        return page_again(status=503, form=_form(request, login), trouble="busy", wait_seconds=BUSY_SECONDS)
    _is_now(request, signed_in.login)
    response = _next(request, verder, kept)
    give_cookie(request, response, signed_in.token)
    return response


@router.post("/uitloggen")
def sign_out(request: Request, login: Annotated[OpenLogin, signed_in], session: WriteSession) -> Response:
    accounts.close_session(session, login.session_id)
    log.info("signed_out", user=str(login.user_id))
    response = notice.see_other("/inloggen", notice=SIGNED_OUT)
    take_cookie(request, response)
    return response


@router.get("/gemeente")
def choose_municipality(request: Request, login: Annotated[OpenLogin, signed_in], verder: str = "/") -> Response:
    return choose_page(request, verder=local_path(verder))


@router.post("/gemeente", max_body_size=BODY_BYTES_MAX)
def municipality_chosen(
    request: Request, form: Posted, login: Annotated[OpenLogin, signed_in], session: WriteSession
) -> Response:
    """Also for switching; then there is no way back to a page of the other municipality."""
    kept, verder = kept_in(form), local_path(_text(form, TARGET_FIELD))
    chosen = next((m for m in login.memberships if str(m.municipality_id) == _text(form, "gemeente")), None)
    if chosen is None:
        return choose_page(request, status=422, verder=verder, kept=kept)
    accounts.choose_municipality(session, login.session_id, chosen.municipality_id)
    _is_now(request, replace(login, municipality_id=chosen.municipality_id))
    if kept is not None:
        return resend_page(request, kept)
    return notice.see_other(verder, notice=SWITCHED if login.municipality_id else None)


def _is_now(request: Request, login: OpenLogin) -> None:
    """For the page that answers: its header, and the CSRF token in its forms."""
    request.state.login, request.state.caller = login, caller_of(login)


def _next(request: Request, verder: str, kept: Kept | None) -> Response:
    if request.state.caller is None:
        if kept is not None:
            return choose_page(request, kept=kept)
        return RedirectResponse(with_return("/gemeente", verder), status_code=303)
    if kept is not None:
        return resend_page(request, kept)
    return RedirectResponse(verder, status_code=303)


def _form(request: Request, login: str, errors: dict[str, str] | None = None) -> FormState:
    texts = gettext_for(language_of(request))
    sentences = {name: texts.gettext(sentence) for name, sentence in (errors or {}).items()}
    return FormState({"login": (login,)}, sentences)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
