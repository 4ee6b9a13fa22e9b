"""Passkeys: signing in with one, and keeping them with the account. The browser part is app/static/js/passkeys.js."""

from __future__ import annotations

import uuid
from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.accounts import passkey_checks, passkey_service
from app.features.accounts.answers import party_of, sign_in_page
from app.features.accounts.attempts import TooManyAttempts
from app.features.accounts.own_routes import password_errors
from app.features.accounts.passkey_checks import PasskeyRefused, RelyingParty
from app.features.accounts.passkey_service import NoApp, TooManyPasskeys
from app.features.accounts.second_step_routes import BODY_BYTES_MAX, signed_in_answer
from app.features.accounts.service import SignInRefused
from app.features.accounts.visit import form_with, typed, vault_of, visit_of
from app.storage import passkeys, second_factors
from app.storage.database import ReadSession, WriteSession
from app.storage.logins import OpenLogin
from app.storage.passkeys import NAME_LENGTH_MAX
from app.web.access import public, signed_in
from app.web.clock import now
from app.web.forms import FormState, Posted
from app.web.i18n import N_
from app.web.kept import TARGET_FIELD, kept_in, local_path
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "passkey_added": N_("The passkey has been added. From now on you can log in with it."),
        "passkey_removed": N_("The passkey has been removed."),
    }
)

Login = Annotated[OpenLogin, signed_in]

HERE: Final = "/account/passkeys"
NAME_MISSING: Final = N_("Give the passkey a name, for example “my laptop”.")
NAME_TOO_LONG: Final = N_("Shorten the name: at most 60 characters fit.")
REFUSED: Final = N_("This passkey could not be added. Try it again.")
NO_APP: Final = N_("First set up the second step with an app.")
TOO_MANY: Final = N_("You have ten passkeys already. Remove one first.")


def _party(request: Request) -> RelyingParty:
    party = party_of(request)
    if party is None:
        raise HTTPException(404)
    return party


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


# --- signing in ---------------------------------------------------------------------------------------------------


@router.get("/inloggen/passkey/opties", dependencies=[public])
def sign_in_options(request: Request) -> Response:
    party = _party(request)
    challenge = passkey_checks.new_challenge(vault_of(request), passkey_service.SIGN_IN, at=now(request))
    return _json(passkey_checks.sign_in_options(party, challenge))


@router.post("/inloggen/passkey", dependencies=[public], max_body_size=BODY_BYTES_MAX)
def sign_in(request: Request, form: Posted, session: WriteSession) -> Response:
    party, answer = _party(request), typed(form, "passkey")
    verder, kept = local_path(typed(form, TARGET_FIELD)), kept_in(form)
    try:
        found = passkey_service.sign_in(
            session,
            party,
            vault_of(request),
            answer=answer,
            visit=visit_of(request),
            demonstration_allowed=not request.app.state.second_factor_required,
        )
    except SignInRefused:
        return sign_in_page(request, status=422, verder=verder, kept=kept, trouble="passkey")
    except TooManyAttempts as refusal:
        wait = refusal.wait_seconds
        return sign_in_page(request, status=429, verder=verder, kept=kept, trouble="too_many", wait_seconds=wait)
    return signed_in_answer(request, found, verder, kept)


# --- with the account ---------------------------------------------------------------------------------------------


@router.get("/account/passkeys")
def show_passkeys(request: Request, session: ReadSession, login: Login) -> Response:
    return _page(request, session, login, FormState())


def _page(request: Request, session: Session, login: OpenLogin, form: FormState, *, status: int = 200) -> Response:
    return render(
        request,
        "accounts/passkeys.html",
        status=status,
        passkeys=passkeys.passkeys_of(session, login.user_id),
        has_app=second_factors.has_app(session, login.user_id),
        is_possible=party_of(request) is not None,
        form=form,
    )


@router.get("/account/passkeys/opties")
def options_to_add(request: Request, session: ReadSession, login: Login) -> Response:
    party, vault = _party(request), vault_of(request)
    options = passkey_service.options_to_add(session, party, vault, login.user_id, login.session_id, at=now(request))
    return _json(options)


@router.post("/account/passkeys")
async def add_passkey(request: Request, session: WriteSession, login: Login, posted: Posted) -> Response:
    party, name = _party(request), " ".join(typed(posted, "naam").replace("\x00", "").split())
    errors = {} if name else {"naam": NAME_MISSING}
    if len(name) > NAME_LENGTH_MAX:
        errors["naam"] = NAME_TOO_LONG
    errors |= await password_errors(request, session, login, posted)

    def answer() -> Response:
        if not errors:
            try:
                passkey_service.add(
                    session,
                    party,
                    vault_of(request),
                    login.user_id,
                    login.session_id,
                    answer=typed(posted, "passkey"),
                    name=name,
                    visit=visit_of(request),
                )
            except NoApp:
                errors["naam"] = NO_APP
            except TooManyPasskeys:
                errors["naam"] = TOO_MANY
            except PasskeyRefused:
                errors["naam"] = REFUSED
        if errors:
            return _page(request, session, login, form_with(request, errors, naam=name), status=422)
        return see_other(HERE, notice="passkey_added")

    return await run_in_threadpool(answer)


@router.post("/account/passkeys/{passkey_id}/verwijderen")
def remove_passkey(request: Request, passkey_id: str, session: WriteSession, login: Login) -> Response:
    try:
        wanted = uuid.UUID(passkey_id)
    except ValueError:
        raise HTTPException(404) from None
    if not passkey_service.remove(session, login.user_id, wanted, visit_of(request)):
        raise HTTPException(404)
    return see_other(HERE, notice="passkey_removed")
