"""Users, a small application with real pages around real access checks, and a browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any

import pyotp
from fastapi import FastAPI, Request
from sqlmodel import select
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from app.features.accounts import routes
from app.features.accounts.answers import install_accounts
from app.features.accounts.passkey_checks import relying_party
from app.openid.client import ProviderClient
from app.openid.providers import Provider
from app.policy import Action, Role
from app.settings import DEMONSTRATION_SECRET
from app.storage import logins, second_factors
from app.storage.accounts import DemoAccount
from app.storage.database import Database, ReadSession, WriteSession
from app.storage.passwords import hash_password
from app.storage.tables import AuthenticatorApp, Membership, Municipality, User
from app.storage.vault import Vault
from app.web.access import allowed, public, read_form
from app.web.forms import Posted
from app.web.identity import ABSOLUTE, COOKIE, Caller, session_id_of
from app.web.sender import networks_of
from app.web.setup import install_pages
from app.web.site import Site

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
PASSWORD = "vier eenden op een rij"
OURS = "http://testserver"
CSRF = "token-van-deze-sessie"


class AdjustableClock:
    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


def a_municipality(database: Database, name: str = "Zonnedam") -> uuid.UUID:
    with database.write() as session:
        municipality = Municipality(name=name, created_at=MONDAY)
        session.add(municipality)
        return municipality.id


def a_user(
    database: Database,
    login: str = "anna",
    *,
    roles: Mapping[uuid.UUID, Collection[Role]] | None = None,
    name: str = "Anna de Wit",
) -> uuid.UUID:
    with database.write() as session:
        user = User(login=login, name=name, password_hash=_hash(), created_at=MONDAY)
        session.add(user)
        session.flush()
        for municipality_id, held in (roles or {}).items():
            session.add_all(
                Membership(user_id=user.id, municipality_id=municipality_id, role=role, created_at=MONDAY)
                for role in held
            )
        return user.id


def a_session(
    database: Database,
    user_id: uuid.UUID,
    *,
    municipality_id: uuid.UUID | None = None,
    token: str = "sessie-een",
    csrf_token: str = CSRF,
    at: datetime = MONDAY,
) -> str:
    """An open session without the cost of a password; gives the token for the cookie."""
    with database.write() as session:
        logins.open_session(
            session,
            session_id_of(token),
            user_id=user_id,
            municipality_id=municipality_id,
            csrf_token=csrf_token,
            at=at,
            expires_at=at + ABSOLUTE,
        )
    return token


def an_app(
    database: Database,
    clock: AdjustableClock | None = None,
    *,
    secure_cookies: bool = False,
    demo_accounts: Sequence[DemoAccount] = (),
    second_factor_required: bool = False,
    trusted_proxies: str = "",
    public_url: str = "http://localhost",
    providers: Sequence[Provider] = (),
) -> FastAPI:
    """Has a page and a form, as features have them: `/bekijken` to read, `/bewaren` and `/akkoord` to change.

    Compiling the templates takes 0.3 s, so the same object serves one test after another.
    """
    app = _app(secure_cookies)
    app.state.database = database
    app.state.clock = clock or AdjustableClock()
    app.state.demo_accounts = demo_accounts
    app.state.second_factor_required = second_factor_required
    app.state.trusted_proxies = networks_of(trusted_proxies)
    app.state.relying_party = relying_party(public_url)
    app.state.providers = {provider.key: ProviderClient(provider) for provider in providers}
    database.before_writing = read_form
    return app


@cache
def _app(secure_cookies: bool) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.include_router(routes.router)

    @app.get("/bekijken")
    def look(request: Request, session: ReadSession, caller: Annotated[Caller, allowed(Action.VIEW_RUN)]) -> Response:
        return JSONResponse({**_shown(caller), "scope": str(session.info["municipality_id"])})

    @app.post("/bewaren")
    def save(session: WriteSession, form: Posted, caller: Annotated[Caller, allowed(Action.WORK_ON_STAGE)]) -> Response:
        return JSONResponse({"by": caller.user_id, "got": form.multi_items()})

    @app.post("/akkoord")
    def approve(caller: Annotated[Caller, allowed(Action.APPROVE_STAGE)]) -> Response:
        return JSONResponse(_shown(caller))

    @app.get("/open", dependencies=[public])
    def everybody() -> Response:
        return JSONResponse("welkom")

    install_accounts(app, secure_cookies=secure_cookies)
    install_pages(app, Site(public_url="https://testserver"), behind_tls=secure_cookies)
    return app


def _shown(caller: Caller) -> dict[str, Any]:
    return {"user": caller.user_id, "municipality": caller.municipality_name, "roles": sorted(caller.roles)}


def a_browser(app: FastAPI, *, token: str | None = None, base_url: str = OURS) -> TestClient:
    """Says where its posts come from, as browsers do; follows no redirects."""
    client = TestClient(app, base_url=base_url, headers={"origin": base_url}, follow_redirects=False)
    if token:
        client.cookies.set(COOKIE, token)
    return client


def csrf_token_in(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, "no CSRF token on the page"
    return found[1]


def hidden_fields_in(html: str, *, action: str) -> list[tuple[str, str]]:
    """Of the form that posts to `action`, as a browser would send them."""
    import html as entities

    form = re.search(rf'<form[^>]*action="{re.escape(entities.escape(action))}".*?</form>', html, re.DOTALL)
    assert form, f"no form to {action}"
    fields = re.findall(r'<input type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"', form[0])
    return [(entities.unescape(name), entities.unescape(value)) for name, value in fields]


def code_of(database: Database, user_id: uuid.UUID, at: datetime, *, steps: int = 0) -> str:
    """What the app of this user shows at that moment; `steps` of 30 seconds later or earlier."""
    with database.read() as session:
        sealed = session.exec(select(AuthenticatorApp.secret).where(AuthenticatorApp.user_id == user_id)).one()
    secret = Vault(DEMONSTRATION_SECRET).open(sealed, purpose=f"authenticator app of {user_id}")
    return pyotp.TOTP(secret).at(at + timedelta(seconds=30 * steps))


def with_app(database: Database, user_id: uuid.UUID, *, at: datetime = MONDAY) -> list[str]:
    """Sets up the app of this user, in the half minute before `at`; gives the recovery codes."""
    vault, before = Vault(DEMONSTRATION_SECRET), at - timedelta(seconds=60)
    with database.write() as session:
        second_factors.begin_app(session, vault, user_id, at=before)
    code = code_of(database, user_id, before)
    with database.write() as session:
        codes = second_factors.confirm_app(session, vault, user_id, code, at=before)
    assert codes
    return codes


def codes_in(html: str) -> list[str]:
    """The recovery codes that a page shows."""
    return re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){5})</code>", html)
