"""Signing in and out, and choosing the municipality in which to work."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

from fastapi import Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.features.accounts import (
    admin_routes,
    auditor_routes,
    data_routes,
    link_routes,
    log_routes,
    own_provider_routes,
    own_routes,
    passkey_routes,
    provider_logout,
    provider_routes,
    second_step_routes,
    service,
)
from app.features.accounts.answers import choose_page, provider_clients, resend_page, sign_in_page
from app.features.accounts.attempts import TooManyAttempts
from app.features.accounts.checks import TooBusy
from app.features.accounts.second_step_routes import BODY_BYTES_MAX, is_now, second_step, signed_in_answer
from app.features.accounts.visit import checks_of, database_of, form_with, public_url, typed, vault_of, visit_of
from app.storage import account_log, logins, open_sessions
from app.storage.account_log import Act
from app.storage.database import Database, WriteSession
from app.storage.logins import OpenLogin
from app.web import notice
from app.web.access import public, signed_in
from app.web.clock import now
from app.web.forms import Posted
from app.web.i18n import N_
from app.web.identity import take_cookie
from app.web.kept import TARGET_FIELD, kept_in, local_path
from app.web.render import render
from app.web.room import Room

router = Room()
PARTS: Final = (
    second_step_routes,
    provider_routes,
    link_routes,
    own_routes,
    own_provider_routes,
    passkey_routes,
    admin_routes,
    auditor_routes,
    data_routes,
    log_routes,
)
for part in PARTS:
    router.include_router(part.router)

BUSY_SECONDS: Final = 5  # what we ask people to wait; the queue is empty after two

WRONG: Final = N_("This login name and password do not belong together. Check both and try again.")
LOGIN_MISSING: Final = N_("Type your login name.")
PASSWORD_MISSING: Final = N_("Type your password.")

SIGNED_OUT: Final = "signed_out"
SWITCHED: Final = "municipality_chosen"
notice.register(
    {SIGNED_OUT: N_("You are logged out."), SWITCHED: N_("You now work in the municipality that you chose.")}
)


@router.get("/inloggen", dependencies=[public])
def sign_in_form(request: Request, verder: str = "/") -> Response:
    return sign_in_page(request, verder=local_path(verder))


@router.post("/inloggen", dependencies=[public], max_body_size=BODY_BYTES_MAX)
async def sign_in(request: Request, form: Posted) -> Response:
    login, password = typed(form, "login"), typed(form, "password")
    verder, kept = local_path(typed(form, TARGET_FIELD)), kept_in(form)
    page_again = partial(sign_in_page, request, verder=verder, kept=kept)
    missing = {}
    if not login.strip():
        missing["login"] = LOGIN_MISSING
    if not password:
        missing["password"] = PASSWORD_MISSING
    if missing:
        return page_again(status=422, form=form_with(request, missing, login=login))
    visit = visit_of(request)
    try:
        found = await service.sign_in(
            database_of(request),
            checks_of(request),
            vault_of(request),
            login=login,
            password=password,
            visit=visit,
            second_factor_required=request.app.state.second_factor_required,
        )
    except service.SignInRefused as refusal:
        answer = page_again(status=422, form=form_with(request, {"login": WRONG}, login=login))
        if refusal.user_id is not None:
            # When the answer is on its way: a longer wait would tell that the account exists.
            answer.background = BackgroundTask(_note_refused, database_of(request), refusal.user_id, visit)
        return answer
    except TooManyAttempts as refusal:
        form_again = form_with(request, {}, login=login)
        return page_again(status=429, form=form_again, trouble="too_many", wait_seconds=refusal.wait_seconds)
    except TooBusy:
        form_again = form_with(request, {}, login=login)
        return page_again(status=503, form=form_again, trouble="busy", wait_seconds=BUSY_SECONDS)
    if isinstance(found, service.Halfway):
        return await second_step(request, found, verder=verder, kept=kept)
    return signed_in_answer(request, found, verder, kept)


async def _note_refused(database: Database, user_id: uuid.UUID, visit: service.Visit) -> None:
    async with database.writing_request() as session:
        await run_in_threadpool(account_log.note, session, Act.SIGN_IN_REFUSED, about=user_id, trace=visit.trace(None))


@router.post("/uitloggen")
def sign_out(request: Request, login: Annotated[OpenLogin, signed_in], session: WriteSession) -> Response:
    via = open_sessions.via_of(session, login.session_id)
    logins.close_session(session, login.session_id)
    account_log.note(session, Act.SIGNED_OUT, about=login.user_id, trace=visit_of(request).trace(login.user_id))
    client = provider_clients(request).get(via.provider) if via else None
    back = f"{public_url(request)}/inloggen"
    there = provider_logout.logout_address(vault_of(request), client, via, back=back)
    if client is None or there is None:
        response: Response = notice.see_other("/inloggen", notice=SIGNED_OUT)
    else:
        request.state.login = request.state.caller = None  # the page that leads on is a visitor's
        response = render(request, "accounts/log_out_there.html", name=client.provider.name, address=there)
        notice.leave(response, SIGNED_OUT)
    take_cookie(request, response)
    return response


@router.get("/gemeente")
def choose_municipality(request: Request, login: Annotated[OpenLogin, signed_in], verder: str = "/") -> Response:
    if login.is_operator and not login.memberships and not login.other_times:
        return RedirectResponse("/installatie", status_code=303)
    return choose_page(request, verder=local_path(verder))


@router.post("/gemeente", max_body_size=BODY_BYTES_MAX)
def municipality_chosen(
    request: Request, form: Posted, login: Annotated[OpenLogin, signed_in], session: WriteSession
) -> Response:
    """Also for switching; then there is no way back to a page of the other municipality."""
    kept, verder = kept_in(form), local_path(typed(form, TARGET_FIELD))
    chosen = next((m for m in login.memberships if str(m.municipality_id) == typed(form, "gemeente")), None)
    if chosen is None:
        return choose_page(request, status=422, verder=verder, kept=kept)
    logins.choose_municipality(session, login.session_id, chosen.municipality_id, at=now(request))
    is_now(request, replace(login, municipality_id=chosen.municipality_id))
    if kept is not None:
        return resend_page(request, kept)
    return notice.see_other(verder, notice=SWITCHED if login.municipality_id else None)
