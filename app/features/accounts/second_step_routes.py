"""The second step of signing in: a code, or first setting up the app that gives codes. Until then there is no session,
only a cookie that opens these pages."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.features.accounts import known_device, service
from app.features.accounts.answers import (
    choose_page,
    code_page,
    first_app_page,
    resend_page,
    sign_in_page,
    with_return,
)
from app.features.accounts.attempts import TooManyAttempts
from app.features.accounts.visit import (
    CODE_LOCKED,
    CODE_MISSING,
    CODE_WRONG,
    database_of,
    form_with,
    typed,
    vault_of,
    visit_of,
)
from app.storage import second_factors
from app.storage.database import ReadSession, WriteSession
from app.storage.logins import OpenLogin
from app.web.access import public
from app.web.clock import now
from app.web.forms import Posted
from app.web.i18n import LANGUAGE_COOKIE
from app.web.identity import (
    caller_of,
    give_cookie,
    give_device_mark,
    give_pending_cookie,
    pending_token_of,
    take_pending_cookie,
)
from app.web.kept import KEPT_BYTES_MAX, TARGET_FIELD, Kept, kept_in, local_path
from app.web.language import remember_other
from app.web.render import render
from app.web.room import Room

router = Room()

# Kept text, three times as long when each character is percent-encoded, and some room for the form itself.
BODY_BYTES_MAX: Final = 4 * KEPT_BYTES_MAX


async def second_step(request: Request, halfway: service.Halfway, *, verder: str, kept: Kept | None) -> Response:
    """After the right password."""
    if kept is None:
        path = "/inloggen/instellen" if halfway.is_new else "/inloggen/code"
        response: Response = RedirectResponse(with_return(path, verder), status_code=303)
    elif halfway.is_new:
        # What was typed travels in the page, so there is no going to another address first.
        async with database_of(request).reading_request() as session:
            account = await run_in_threadpool(service.pending_account, session, halfway.token, at=now(request))
            secret = await run_in_threadpool(second_factors.unconfirmed_secret, session, vault_of(request), account.id)
        response = first_app_page(request, account, secret or "", verder=verder, kept=kept)
    else:
        response = code_page(request, verder=verder, kept=kept)
    give_pending_cookie(request, response, halfway.token)
    return response


@router.get("/inloggen/code", dependencies=[public])
def show_code_form(request: Request, session: ReadSession, verder: str = "/") -> Response:
    try:
        service.pending_account(session, pending_token_of(request), at=now(request))
    except service.PendingEnded:
        return sign_in_page(request, status=401, verder=local_path(verder), trouble="step_ended")
    return code_page(request, verder=local_path(verder))


@router.post("/inloggen/code", dependencies=[public], max_body_size=BODY_BYTES_MAX)
def send_code(request: Request, form: Posted, session: WriteSession) -> Response:
    verder, kept = local_path(typed(form, TARGET_FIELD)), kept_in(form)
    page_again = partial(code_page, request, verder=verder, kept=kept)
    token, code = pending_token_of(request), typed(form, "code")
    try:
        service.pending_account(session, token, at=now(request))
        if not code.strip():
            return page_again(status=422, form=form_with(request, {"code": CODE_MISSING}))
        found = service.finish_with_code(session, vault_of(request), token, code, visit_of(request))
    except service.PendingEnded:
        return sign_in_page(request, status=401, verder=verder, kept=kept, trouble="step_ended")
    except TooManyAttempts as refusal:
        return page_again(status=429, wait_seconds=refusal.wait_seconds)
    except service.AppLocked:
        return page_again(status=422, form=form_with(request, {"code": CODE_LOCKED}))
    if found is None:
        return page_again(status=422, form=form_with(request, {"code": CODE_WRONG}))
    return signed_in_answer(request, found, verder, kept)


@router.get("/inloggen/instellen", dependencies=[public])
def show_first_app(request: Request, session: ReadSession, verder: str = "/") -> Response:
    try:
        account = service.pending_account(session, pending_token_of(request), at=now(request))
    except service.PendingEnded:
        return sign_in_page(request, status=401, verder=local_path(verder), trouble="step_ended")
    secret = second_factors.unconfirmed_secret(session, vault_of(request), account.id)
    if secret is None:  # set up meanwhile, in another tab
        return code_page(request, verder=local_path(verder))
    return first_app_page(request, account, secret, verder=local_path(verder))


@router.post("/inloggen/instellen", dependencies=[public], max_body_size=BODY_BYTES_MAX)
def confirm_first_app(request: Request, form: Posted, session: WriteSession) -> Response:
    verder, kept = local_path(typed(form, TARGET_FIELD)), kept_in(form)
    token, code, visit, vault = pending_token_of(request), typed(form, "code"), visit_of(request), vault_of(request)
    try:
        account = service.pending_account(session, token, at=visit.at)
        secret = second_factors.unconfirmed_secret(session, vault, account.id)
        if secret is None:
            return code_page(request, status=409, verder=verder, kept=kept)
        page_again = partial(first_app_page, request, account, secret, verder=verder, kept=kept)
        if not code.strip():
            return page_again(status=422, form=form_with(request, {"code": CODE_MISSING}))
        try:
            found = service.finish_with_new_app(session, vault, token, code, visit)
        except TooManyAttempts as refusal:
            return page_again(status=429, wait_seconds=refusal.wait_seconds)
    except service.PendingEnded:
        return sign_in_page(request, status=401, verder=verder, kept=kept, trouble="step_ended")
    if found is None:
        return page_again(status=422, form=form_with(request, {"code": CODE_WRONG}))
    signed_in, codes = found
    is_now(request, signed_in.login)
    response = render(request, "accounts/codes.html", codes=codes, verder=verder, kept=kept, is_first=True)
    give_cookie(request, response, signed_in.token)
    _remember_device(request, response, signed_in)
    take_pending_cookie(request, response)
    return response


def is_now(request: Request, login: OpenLogin) -> None:
    """For the page that answers: its header, and the CSRF token in its forms."""
    request.state.login, request.state.caller = login, caller_of(login)


def signed_in_answer(request: Request, signed_in: service.SignedIn, verder: str, kept: Kept | None) -> Response:
    """The page to go on with, and the cookie of the new session."""
    is_now(request, signed_in.login)
    response = _next(request, verder, kept)
    give_cookie(request, response, signed_in.token)
    _remember_device(request, response, signed_in)
    if LANGUAGE_COOKIE not in request.cookies:
        remember_other(response, signed_in.language)
    if pending_token_of(request):
        take_pending_cookie(request, response)
    return response


def _remember_device(request: Request, response: Response, signed_in: service.SignedIn) -> None:
    mark = known_device.new_mark(vault_of(request), signed_in.login.user_id, at=now(request))
    give_device_mark(request, response, mark, seconds=int(known_device.VALID.total_seconds()))


def _next(request: Request, verder: str, kept: Kept | None) -> Response:
    if request.state.caller is None:
        if kept is not None:
            return choose_page(request, kept=kept)
        return RedirectResponse(with_return("/gemeente", verder), status_code=303)
    if kept is not None:
        return resend_page(request, kept)
    return RedirectResponse(verder, status_code=303)
