"""Linking the own account to an organisation, and unlinking it. Only with the password: whoever found an open session
must not be able to make a way in of their own."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from app.features.accounts import provider_links
from app.features.accounts.answers import provider_client, provider_clients, provider_name
from app.features.accounts.attempts import TooManyAttempts
from app.features.accounts.own_routes import password_errors
from app.features.accounts.provider_routes import on_the_way, on_the_way_page
from app.features.accounts.provider_service import ProviderTrouble
from app.features.accounts.visit import form_with, vault_of, visit_of
from app.openid.client import ProviderClient
from app.storage import accounts, provider_accounts
from app.storage.database import ReadSession, WriteSession
from app.storage.logins import OpenLogin
from app.storage.provider_accounts import Linked
from app.storage.vault import Vault
from app.web.access import signed_in
from app.web.clock import now
from app.web.forms import FormState, Posted
from app.web.i18n import N_
from app.web.identity import give_flow_cookie
from app.web.notice import register, see_other
from app.web.render import address, render
from app.web.room import Room

router = Room()
register({"provider_unlinked": N_("The link has been removed. The roles that came with it are gone too.")})

Login = Annotated[OpenLogin, signed_in]

HERE: Final = "/account/organisatie"
CONSENT_VALID: Final = timedelta(minutes=5)  # from the password to leaving for the provider


@router.get("/account/organisatie")
def show_links(request: Request, session: ReadSession, login: Login) -> Response:
    return _page(request, session, login)


def _page(
    request: Request, session: Session, login: OpenLogin, *, errors: dict[str, str] | None = None, key: str = ""
) -> Response:
    """`key`: the provider of the form that was sent, which shows what is wrong."""
    account = accounts.account_of(session, login.user_id)
    linked = provider_accounts.linked_of(session, [login.user_id]).get(login.user_id, [])
    offered = [client.provider for client in _offered(request, login, linked)]
    # The same person there is not linked twice, and need not be: an account is found by issuer and subject.
    opened_by = {each.issuer: provider_name(request, each.provider) for each in reversed(linked)}
    keys = [*(each.provider for each in linked), *(provider.key for provider in offered)]
    forms = {each: form_with(request, (errors or {}) if each == key else {}, prefix=f"{each}-") for each in keys}
    return render(
        request,
        "accounts/organisation.html",
        status=422 if errors else 200,
        linked=[(each, provider_name(request, each.provider)) for each in linked],
        offered=[(provider, opened_by.get(provider.issuer)) for provider in offered],
        has_password=account.password_hash is not None,
        forms=forms,
        form=forms.get(key, FormState()),
    )


def _offered(request: Request, login: OpenLogin, linked: list[Linked]) -> list[ProviderClient]:
    """Of the municipalities in which this session works, and not linked yet."""
    places = {called for each in login.memberships for called in (str(each.municipality_id), each.municipality_name)}
    taken = {each.provider for each in linked}
    found = provider_clients(request).items()
    return [client for key, client in found if client.provider.municipality in places and key not in taken]


@router.post("/account/organisatie/{provider}/koppelen")
async def link(request: Request, provider: str, session: WriteSession, login: Login, posted: Posted) -> Response:
    client = provider_client(request, provider)
    errors = await password_errors(request, session, login, posted)
    if errors:
        return await run_in_threadpool(lambda: _page(request, session, login, errors=errors, key=provider))
    proof = _consent(vault_of(request), login, client, now(request))
    return on_the_way_page(request, client, address(f"{HERE}/{provider}/verder", bewijs=proof))


@router.get("/account/organisatie/{provider}/verder")
async def leave(request: Request, provider: str, login: Login, bewijs: str = "") -> Response:
    """Apart from the form: while a change is being written nobody waits for another server."""
    client = provider_client(request, provider)
    if not _is_consent(vault_of(request), bewijs, login, client, now(request)):
        return see_other(HERE, notice="provider_link_failed")
    try:
        there, browser = await on_the_way(request, client, verder=HERE, user_id=login.user_id)
    except (ProviderTrouble, TooManyAttempts):
        return see_other(HERE, notice="provider_link_failed")
    response = RedirectResponse(there, status_code=303)
    give_flow_cookie(request, response, browser)
    return response


@router.post("/account/organisatie/{provider}/ontkoppelen")
async def unlink(request: Request, provider: str, session: WriteSession, login: Login, posted: Posted) -> Response:
    errors = await password_errors(request, session, login, posted)

    def answer() -> Response:
        if errors:
            return _page(request, session, login, errors=errors, key=provider)
        clients, visit = provider_clients(request), visit_of(request)
        if not provider_links.unlink(session, login.user_id, provider, clients, visit, by=login.user_id):
            raise HTTPException(404)
        return see_other(HERE, notice="provider_unlinked")

    return await run_in_threadpool(answer)


def _consent(vault: Vault, login: OpenLogin, client: ProviderClient, at: datetime) -> str:
    """That this session gave the password a moment ago, to link this provider."""
    return f"{int(at.timestamp())}.{urlsafe_b64encode(_mark(vault, login, client, int(at.timestamp()))).decode()}"


def _is_consent(vault: Vault, given: str, login: OpenLogin, client: ProviderClient, at: datetime) -> bool:
    moment, _, mark = given.partition(".")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
        return False
    age = at.timestamp() - int(moment)
    try:
        right = hmac.compare_digest(urlsafe_b64decode(mark), _mark(vault, login, client, int(moment)))
    except ValueError:
        return False
    return right and 0 <= age <= CONSENT_VALID.total_seconds()


def _mark(vault: Vault, login: OpenLogin, client: ProviderClient, moment: int) -> bytes:
    return vault.mark(f"{moment} {login.session_id} {client.provider.key}", purpose="link a provider")
