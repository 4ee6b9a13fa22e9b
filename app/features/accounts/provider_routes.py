"""Signing in through the organisation that somebody works for, and being logged out by it.

A button is a link and no form: browsers keep a form from leading to another site, also by way of us (`form-action` in
the Content Security Policy). Where something has to be sent along, a page in between leads on.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

import structlog
from fastapi import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.features.accounts import provider_logout, provider_service
from app.features.accounts.answers import Trouble, provider_client, provider_clients, sign_in_page
from app.features.accounts.attempts import TooManyAttempts
from app.features.accounts.provider_deciding import Why
from app.features.accounts.provider_service import Arrived, Back, LinkTried, ProviderTrouble
from app.features.accounts.second_step_routes import BODY_BYTES_MAX, second_step, signed_in_answer
from app.features.accounts.service import Halfway
from app.features.accounts.visit import database_of, public_url, typed, vault_of, visit_of
from app.openid.client import ProviderClient, ProviderDown, Refused
from app.openid.tokens import TOKEN_LENGTH_MAX
from app.web.access import public
from app.web.csrf import is_unsafe, origin_is_ours
from app.web.forms import Posted
from app.web.i18n import N_
from app.web.identity import flow_token_of, give_flow_cookie, new_token
from app.web.kept import TARGET_FIELD, Kept, kept_in, local_path
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "provider_linked": N_("Your account is linked. From now on you can log in through your organisation."),
        "provider_not_linked": N_(
            "Linking did not work. Perhaps this person at your organisation belongs to another account here."
        ),
        "provider_link_failed": N_("Linking did not work. Try it again."),
    }
)

LOGOUT_BYTES_MAX: Final = TOKEN_LENGTH_MAX + 1024
STATUS: Final = {"down": 503, "failed": 400, "cancelled": 400, "taken": 409}  # the others: known, but not let in: 403
TROUBLES: Final[Mapping[Why, Trouble]] = {
    "failed": "provider_failed",
    "cancelled": "provider_cancelled",
    "unknown": "provider_unknown",
    "no_role": "provider_no_role",
    "disabled": "provider_disabled",
    "taken": "provider_taken",
    "email": "provider_email",
    "roles_left_out": "provider_roles_left_out",
    "down": "provider_down",
}
DOWN_SECONDS: Final = 60

log = structlog.get_logger(__name__)


def callback_address(request: Request, client: ProviderClient) -> str:
    """One for each provider, so that the answer of the one is never taken for that of another (RFC 9700, 4.4)."""
    return f"{public_url(request)}/inloggen/organisatie/{client.provider.key}/terug"


@router.get("/inloggen/organisatie/{provider}", dependencies=[public])
async def go(request: Request, provider: str, verder: str = "/") -> Response:
    if origin_is_ours(request) is False:
        # Where the provider asks nothing (single sign-on), a link elsewhere would log people in without their knowing.
        provider_client(request, provider)
        return sign_in_page(request, verder=local_path(verder))
    return await _begin(request, provider, verder=local_path(verder))


@router.post("/inloggen/organisatie/{provider}", dependencies=[public], max_body_size=BODY_BYTES_MAX)
async def go_with_text(request: Request, provider: str, form: Posted) -> Response:
    """What was typed before the login ended waits here, encrypted, until its writer is back."""
    return await _begin(request, provider, verder=local_path(typed(form, TARGET_FIELD)), kept=kept_in(form))


async def _begin(request: Request, provider: str, *, verder: str, kept: Kept | None = None) -> Response:
    client = provider_client(request, provider)
    try:
        address, browser = await on_the_way(request, client, verder=verder, kept=kept)
    except TooManyAttempts as refusal:
        wait = refusal.wait_seconds
        return sign_in_page(request, status=429, verder=verder, kept=kept, trouble="too_many", wait_seconds=wait)
    except ProviderTrouble as trouble:
        return _trouble_page(request, client, trouble)
    if is_unsafe(request):
        response: Response = on_the_way_page(request, client, address)
    else:
        response = RedirectResponse(address, status_code=303)
    give_flow_cookie(request, response, browser)
    return response


async def on_the_way(
    request: Request,
    client: ProviderClient,
    *,
    verder: str,
    kept: Kept | None = None,
    user_id: uuid.UUID | None = None,
) -> tuple[str, str]:
    """Where to go, and the token that the browser keeps.  Raises ProviderTrouble, TooManyAttempts."""
    browser = flow_token_of(request) or new_token()
    address = await provider_service.begin(
        database_of(request),
        vault_of(request),
        client,
        visit=visit_of(request),
        browser=browser,
        redirect_uri=callback_address(request, client),
        verder=verder,
        kept=kept,
        user_id=user_id,
    )
    return address, browser


def on_the_way_page(request: Request, client: ProviderClient, address: str) -> Response:
    return render(request, "accounts/on_the_way.html", name=client.provider.name, address=address)


@router.get("/inloggen/organisatie/{provider}/terug", dependencies=[public])
async def come_back(
    request: Request, provider: str, state: str = "", code: str = "", error: str = "", iss: str | None = None
) -> Response:
    client = provider_client(request, provider)
    try:
        outcome = await provider_service.finish(
            database_of(request),
            vault_of(request),
            client,
            Back(state=state, code=code, error=error, issuer=iss),
            browser=flow_token_of(request),
            visit=visit_of(request),
            redirect_uri=callback_address(request, client),
            second_factor_required=request.app.state.second_factor_required,
        )
    except ProviderTrouble as trouble:
        return _trouble_page(request, client, trouble)
    if isinstance(outcome, LinkTried):
        return see_other(
            "/account/organisatie", notice="provider_linked" if outcome.is_linked else "provider_not_linked"
        )
    return await _arrived(request, outcome)


async def _arrived(request: Request, outcome: Arrived) -> Response:
    if isinstance(outcome.found, Halfway):
        return await second_step(request, outcome.found, verder=outcome.verder, kept=outcome.kept)
    return signed_in_answer(request, outcome.found, outcome.verder, outcome.kept)


def _trouble_page(request: Request, client: ProviderClient, trouble: ProviderTrouble) -> Response:
    if trouble.verder == "/account/organisatie" and trouble.why in {"failed", "cancelled", "down"}:
        return see_other(trouble.verder, notice="provider_link_failed")
    return sign_in_page(
        request,
        status=STATUS.get(trouble.why, 403),
        verder=trouble.verder,
        kept=trouble.kept,
        trouble=TROUBLES[trouble.why],
        provider_name=client.provider.name,
        wait_seconds=DOWN_SECONDS if trouble.why == "down" else 0,
    )


@router.post("/inloggen/organisatie/{provider}/uitloggen", dependencies=[public], max_body_size=LOGOUT_BYTES_MAX)
async def logged_out_there(request: Request, provider: str, form: Posted) -> Response:
    """Back-channel logout (OpenID Connect Back-Channel Logout 1.0): from the provider itself, no browser in between."""
    client = provider_client(request, provider)
    issuer = client.provider.issuer
    siblings = [key for key, each in provider_clients(request).items() if each.provider.issuer == issuer]
    try:
        await provider_logout.logged_out_there(
            database_of(request), client, siblings, typed(form, "logout_token"), visit_of(request)
        )
    except (Refused, ProviderDown) as refusal:
        log.warning("logout_by_provider_refused", provider=provider, why=str(refusal))
        return JSONResponse({"error": "invalid_request"}, status_code=400)
    return Response(status_code=200)
