"""What somebody sees who is not (or no longer) signed in, and what happens with the text that was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.features.accounts.authenticator import shown_app
from app.features.accounts.checks import PasswordChecks
from app.features.accounts.passkey_checks import RelyingParty, relying_party
from app.openid.client import ProviderClient
from app.openid.providers import Provider
from app.settings import DEMONSTRATION_SECRET
from app.storage.accounts import Account, DemoAccount
from app.storage.auditor_limits import dutch_day
from app.storage.vault import Vault
from app.web.access import NoMunicipality, NotSignedIn, TokenRefused
from app.web.clock import now
from app.web.csrf import is_unsafe
from app.web.forms import FormState
from app.web.kept import TARGET_FIELD, Kept, address_of, local_path
from app.web.render import address, is_htmx, render
from app.web.sender import Network, ProxyHeader

Trouble = Literal[
    "signed_out",
    "too_many",
    "busy",
    "step_ended",
    "passkey",
    "provider_failed",
    "provider_cancelled",
    "provider_unknown",
    "provider_no_role",
    "provider_disabled",
    "provider_taken",
    "provider_email",
    "provider_roles_left_out",
    "provider_down",
]
PROVIDERS_SHOWN: Final = 6  # as buttons; more than these fold open


def install_accounts(
    app: FastAPI,
    *,
    secure_cookies: bool,
    demo_accounts: Sequence[DemoAccount] = (),
    secret_key: str = DEMONSTRATION_SECRET,
    second_factor_required: bool = False,
    trusted_proxies: Sequence[Network] = (),
    proxy_header: ProxyHeader = "x-forwarded-for",
    public_url: str = "",
    providers: Sequence[Provider] = (),
) -> None:
    """`secure_cookies`: False only where there is no TLS, as in the demonstration. `second_factor_required`: of who
    signs in with a password; a demonstration does without."""
    app.state.secure_cookies = secure_cookies
    app.state.demo_accounts = demo_accounts
    app.state.password_checks = PasswordChecks()
    app.state.vault = Vault(secret_key)
    app.state.second_factor_required = second_factor_required
    app.state.trusted_proxies = trusted_proxies
    app.state.proxy_header = proxy_header
    app.state.providers = {provider.key: ProviderClient(provider) for provider in providers}
    app.state.relying_party = relying_party(public_url)
    app.add_exception_handler(NotSignedIn, answer_not_signed_in)
    app.add_exception_handler(NoMunicipality, answer_no_municipality)
    app.add_exception_handler(TokenRefused, answer_token_refused)


async def answer_not_signed_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotSignedIn)
    if not is_unsafe(request):
        return _go(request, "/inloggen")
    return sign_in_page(request, status=401, kept=error.kept, trouble="signed_out")


async def answer_no_municipality(request: Request, error: Exception) -> Response:
    assert isinstance(error, NoMunicipality)
    login = request.state.login
    if not is_unsafe(request):
        only_operates = login.is_operator and not login.memberships
        return _go(request, "/installatie" if only_operates else "/gemeente")
    return choose_page(request, status=403, kept=error.kept)


async def answer_token_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, TokenRefused)
    if error.kept is None:
        # The page for all 403s: somebody who can't show where the form comes from gets no second chance.
        handler: Any = request.app.exception_handlers[HTTPException]
        answer: Response = handler(request, HTTPException(403, "CSRF token missing or wrong"))
        return answer
    return resend_page(request, error.kept, status=403)


def party_of(request: Request) -> RelyingParty | None:
    """Who we are for passkeys, by the configured address; None where there are none."""
    party: RelyingParty | None = request.app.state.relying_party
    return party


def provider_clients(request: Request) -> Mapping[str, ProviderClient]:
    """By key, in the order of the settings."""
    clients: Mapping[str, ProviderClient] = request.app.state.providers
    return clients


def provider_client(request: Request, key: str) -> ProviderClient:
    """Of the provider that an address names; there is no page about one that is not there."""
    found = provider_clients(request).get(key)
    if found is None:
        raise HTTPException(404)
    return found


def provider_name(request: Request, key: str) -> str:
    """As people know it; its key if it is no longer in the settings."""
    found = provider_clients(request).get(key)
    return found.provider.name if found else key


def sign_in_page(
    request: Request,
    *,
    status: int = 200,
    form: FormState | None = None,
    verder: str = "/",
    kept: Kept | None = None,
    trouble: Trouble | None = None,
    wait_seconds: int = 0,
    provider_name: str = "",
) -> Response:
    """`provider_name`: which one the trouble is about."""
    response = render(
        request,
        "accounts/sign_in.html",
        block="page_error",
        status=status,
        form=form or FormState(),
        verder=kept.target if kept else verder,
        kept=kept,
        trouble=trouble,
        wait_minutes=-(-wait_seconds // 60),
        demo_accounts=request.app.state.demo_accounts,
        has_passkeys=party_of(request) is not None,
        providers=[client.provider for client in provider_clients(request).values()],
        providers_shown=PROVIDERS_SHOWN,
        provider_name=provider_name,
    )
    return _beside_the_form(request, _after(response, wait_seconds))


def _after(response: Response, wait_seconds: int) -> Response:
    """Says when to try again, where one has to wait."""
    if wait_seconds:
        response.headers["Retry-After"] = str(wait_seconds)
    return response


def code_page(
    request: Request,
    *,
    status: int = 200,
    form: FormState | None = None,
    verder: str = "/",
    kept: Kept | None = None,
    wait_seconds: int = 0,
) -> Response:
    """The second step of signing in: a code of the app, or a recovery code."""
    response = render(
        request,
        "accounts/code.html",
        status=status,
        form=form or FormState(),
        verder=verder,
        kept=kept,
        wait_minutes=-(-wait_seconds // 60),
    )
    return _after(response, wait_seconds)


def first_app_page(
    request: Request,
    account: Account,
    secret: str,
    *,
    status: int = 200,
    form: FormState | None = None,
    verder: str = "/",
    kept: Kept | None = None,
    wait_seconds: int = 0,
) -> Response:
    """Setting up the app before one may go on."""
    response = render(
        request,
        "accounts/first_app.html",
        status=status,
        form=form or FormState(),
        verder=verder,
        kept=kept,
        app=shown_app(secret, account.login),
        wait_minutes=-(-wait_seconds // 60),
    )
    return _after(response, wait_seconds)


def choose_page(request: Request, *, status: int = 200, verder: str = "/", kept: Kept | None = None) -> Response:
    response = render(
        request,
        "accounts/choose_municipality.html",
        block="page_error",
        status=status,
        memberships=request.state.login.memberships,
        other_times=request.state.login.other_times,
        today=str(dutch_day(now(request))),
        is_operator=request.state.login.is_operator,
        verder=kept.target if kept else verder,
        kept=kept,
    )
    return _beside_the_form(request, response)


def resend_page(request: Request, kept: Kept, *, status: int = 200) -> Response:
    is_part = is_htmx(request)
    response = render(request, "accounts/resend.html", block="page_error", status=status, kept=kept, is_part=is_part)
    return _beside_the_form(request, response)


def _beside_the_form(request: Request, response: Response) -> Response:
    if is_htmx(request):
        # Not in its place: what was typed stays in the form, also without sending it again.
        response.headers["HX-Retarget"] = "#page-alert"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _go(request: Request, path: str) -> Response:
    """To a page where one signs in or chooses, and back here afterwards."""
    if is_htmx(request):
        # A part of a page was asked for; come back to the page itself.
        return Response(status_code=401, headers={"HX-Redirect": with_return(path, _current_page(request))})
    return RedirectResponse(with_return(path, address_of(request)), status_code=303)


def _current_page(request: Request) -> str:
    """As htmx tells it, without what is not ours."""
    try:
        current = urlsplit(request.headers.get("hx-current-url", ""))
    except ValueError:
        return "/"
    return local_path(current.path + (f"?{current.query}" if current.query else ""))


def with_return(path: str, back: str) -> str:
    return address(path, **{TARGET_FIELD: None if back == "/" else back})
