"""Signing in through a provider (OpenID Connect), and linking one to an account. The order is always the same: ask the
provider while no transaction is open, then decide in one."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

import structlog
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.features.accounts import attempts, service
from app.features.accounts.service import Halfway, SignedIn, Visit
from app.openid import claims as openid_claims
from app.openid.claims import Identity
from app.openid.client import ProviderClient, ProviderDown, Refused
from app.openid.providers import Provider
from app.openid.tokens import Logout, checked_id_token, checked_logout
from app.policy import Role
from app.storage import (
    account_log,
    logins,
    open_sessions,
    passkeys,
    people,
    provider_accounts,
    second_factors,
)
from app.storage.account_log import Act
from app.storage.accounts import LoginTaken
from app.storage.database import Database
from app.storage.open_sessions import Via
from app.storage.provider_accounts import AlreadyLinked, SaidBy
from app.storage.provider_flows import Flow, begin_flow, end_flow
from app.storage.vault import SealBroken, Vault
from app.web.identity import new_token, seen_after, session_id_of
from app.web.kept import Kept

WAY: Final = timedelta(minutes=10)  # to the provider and back; a first sign-in with a new telephone takes a while
ID_TOKEN_LENGTH_MAX: Final = 3000  # that travels in an address; with a longer one the provider asks who logs out
LOGOUT_SPENT_FOR: Final = timedelta(minutes=15)  # longer than a logout token counts

log = structlog.get_logger(__name__)

# Why somebody does not get in, as the sign-in page tells it.
Why = Literal["failed", "cancelled", "unknown", "no_role", "disabled", "taken", "email", "roles_left_out", "down"]
_TOLD: Final[Mapping[str, Why]] = {"email_domain": "email", "roles_left_out": "roles_left_out"}


class ProviderTrouble(Exception):
    """Nobody was let in. `verder`: where the browser was going, if that is known."""

    def __init__(self, why: Why, verder: str = "/", kept: Kept | None = None) -> None:
        super().__init__(why)
        self.why: Final = why
        self.verder: Final = verder
        self.kept: Final = kept


@dataclass(frozen=True, slots=True)
class Arrived:
    found: SignedIn | Halfway
    verder: str
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class LinkTried:
    is_linked: bool


@dataclass(frozen=True, slots=True)
class Back:
    """What the browser brings along from the provider, all of it as anybody could have typed it."""

    state: str
    code: str
    error: str
    issuer: str | None


async def begin(
    database: Database,
    vault: Vault,
    client: ProviderClient,
    *,
    visit: Visit,
    browser: str,
    redirect_uri: str,
    verder: str,
    kept: Kept | None = None,
    user_id: uuid.UUID | None = None,
) -> str:
    """The address of the provider to go to. `user_id`: who links.  Raises ProviderTrouble, TooManyAttempts."""
    state, nonce, verifier = new_token(), new_token(), secrets.token_urlsafe(48)
    async with database.writing_request() as session:
        claim = partial(attempts.claim_provider, session, visit.address, at=visit.at, with_text=kept is not None)
        await run_in_threadpool(claim)
    try:
        address = await client.sign_in_address(
            redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier, at=visit.at
        )
    except ProviderDown as down:
        raise _down(down, verder, kept) from None
    waiting = {"nonce": nonce, "verifier": verifier, "kept": _packed(kept)}
    flow = Flow(client.provider.key, user_id, verder, waiting)
    async with database.writing_request() as session:
        await run_in_threadpool(
            partial(
                begin_flow, session, vault, flow, state=state, browser=browser, at=visit.at, expires_at=visit.at + WAY
            )
        )
    return address


async def finish(
    database: Database,
    vault: Vault,
    client: ProviderClient,
    back: Back,
    *,
    browser: str | None,
    visit: Visit,
    redirect_uri: str,
    second_factor_required: bool,
) -> Arrived | LinkTried:
    """Raises ProviderTrouble."""
    provider = client.provider
    async with database.writing_request() as session:
        flow = await run_in_threadpool(
            partial(
                end_flow, session, vault, state=back.state, browser=browser or "", provider=provider.key, at=visit.at
            )
        )
    if flow is None or browser is None:
        _note_failure(provider, "state_unknown")
        raise ProviderTrouble("failed")
    kept = _unpacked(flow.secrets.get("kept"))
    trouble = partial(ProviderTrouble, verder=flow.verder, kept=kept)
    try:
        identity, sealed = await _asked(client, vault, back, flow, redirect_uri, visit)
    except ProviderDown as down:
        raise _down(down, flow.verder, kept) from None
    except Refused as refused:
        _note_failure(provider, refused.why)
        if refused.why == "cancelled":
            raise trouble("cancelled") from None
        raise trouble(_TOLD.get(refused.why, "failed")) from None
    async with database.writing_request() as session:
        if flow.user_id is not None:
            return LinkTried(await run_in_threadpool(partial(_link, session, provider, identity, flow, visit)))
        decide = partial(_decide, session, vault, provider, identity, sealed, visit, second_factor_required)
        outcome = await run_in_threadpool(decide)
    # After the commit: what the provider took away is taken away, also from who is not let in.
    if isinstance(outcome, (SignedIn, Halfway)):
        return Arrived(outcome, flow.verder, kept)
    _note_failure(provider, outcome)
    raise trouble(outcome)


async def _asked(
    client: ProviderClient, vault: Vault, back: Back, flow: Flow, redirect_uri: str, visit: Visit
) -> tuple[Identity, str | None]:
    """Who it is, and encrypted what it takes to log out there.  Raises ProviderDown, Refused."""
    provider, at = client.provider, visit.at
    metadata = await client.metadata(at=at)
    if back.issuer is None and metadata.names_issuer:
        raise Refused("answer_without_iss")
    if back.issuer is not None and back.issuer != provider.issuer:
        raise Refused("answer_of_another_issuer")
    if back.error:
        raise Refused("cancelled" if back.error == "access_denied" else "error_answer")
    tokens = await client.tokens(back.code, redirect_uri=redirect_uri, verifier=flow.secrets["verifier"], at=at)
    told = await checked_id_token(
        client, tokens.id_token, nonce=flow.secrets["nonce"], access_token=tokens.access_token, at=at
    )
    if openid_claims.lacks(provider, told):
        told = {**await client.more_about(tokens.access_token, subject=told["sub"], at=at), **told}
    sealed = None
    if provider.logs_out_there and metadata.end_session_endpoint is not None:
        hint = tokens.id_token if len(tokens.id_token) <= ID_TOKEN_LENGTH_MAX else None
        sealed = vault.seal(json.dumps([metadata.end_session_endpoint, hint]), purpose=_logout_purpose(provider))
    return openid_claims.identity_of(provider, told), sealed


def _decide(
    session: Session,
    vault: Vault,
    provider: Provider,
    identity: Identity,
    sealed: str | None,
    visit: Visit,
    second_factor_required: bool,
) -> SignedIn | Halfway | Why:
    at, issuer, subject = visit.at, identity.issuer, identity.subject
    place = provider_accounts.municipality_called(session, provider.municipality)
    if place is None:
        log.error("provider_without_municipality", provider=provider.key, municipality=provider.municipality)
        return "down"
    known = provider_accounts.find_known(session, issuer, subject)
    if known is None and not provider.creates_accounts:
        return "unknown"
    if known is None and not identity.roles:
        return "no_role"
    if known is not None and known.is_disabled:
        if provider_accounts.roles_held(session, known.user_id, place):
            _note(session, Act.PROVIDER_SIGN_IN_REFUSED, known.user_id, place, provider, visit, by_user=False)
        return "disabled"
    if known is not None:
        user_id = known.user_id
        provider_accounts.was_seen(session, issuer, subject, at=at)
    else:
        try:
            user_id = provider_accounts.make_account(
                session,
                issuer=issuer,
                subject=subject,
                provider=provider.key,
                login=_login_of(provider, identity),
                name=identity.name or provider.name,
                at=at,
            )
        except LoginTaken:
            return "taken"
        if identity.email:
            people.connect_by_email(session, user_id, identity.email, municipality_id=place, at=at)
    if identity.roles is not None:
        said_by = SaidBy(provider.key, issuer, subject)
        _take_roles(session, user_id, place, identity.roles, provider, said_by, visit, is_new=known is None)
    if not provider_accounts.roles_held(session, user_id, place):
        return "no_role"
    via = Via(provider.key, place, identity.sid, sealed)
    has_app = second_factors.has_app(session, user_id)
    if identity.has_second_factor or not (has_app or second_factor_required):
        return service.open_session(session, user_id, visit, act=Act.SIGNED_IN_WITH_PROVIDER, via=via)
    return service.begin_second_step(session, vault, user_id, visit, has_app=has_app, via=via)


def _take_roles(
    session: Session,
    user_id: uuid.UUID,
    place: uuid.UUID,
    roles: Collection[Role],
    provider: Provider,
    said_by: SaidBy,
    visit: Visit,
    *,
    is_new: bool,
) -> None:
    change = provider_accounts.compare_roles(session, user_id, place, roles, said_by=said_by)
    told = {"before": sorted(change.before), "roles": sorted(change.after)}
    # A municipality is told while somebody works for it: of a last role before it goes, of a first one after it came.
    if change.before and change.before != change.after:
        _note(session, Act.ROLES_CHANGED_BY_PROVIDER, user_id, place, provider, visit, detail=told)
    provider_accounts.take_roles(session, change, at=visit.at)
    if not change.before and change.after:
        act = Act.USER_ADDED_BY_PROVIDER if is_new else Act.ROLES_CHANGED_BY_PROVIDER
        _note(session, act, user_id, place, provider, visit, detail=told)


def _login_of(provider: Provider, identity: Identity) -> str:
    """The e-mail address, for a provider of which the settings say which addresses it speaks for. Otherwise it could
    take the name that somebody of another municipality would log in with."""
    if provider.email_domains and identity.email:
        return identity.email
    return f"{provider.key}/{identity.email or identity.subject}".replace(" ", "_").lower()


def _note(
    session: Session,
    act: Act,
    about: uuid.UUID,
    place: uuid.UUID,
    provider: Provider,
    visit: Visit,
    *,
    by_user: bool = True,
    detail: Mapping[str, Collection[Role]] | None = None,
) -> None:
    trace = visit.trace(about if by_user else None)
    roles = {name: [role.value for role in held] for name, held in (detail or {}).items()}
    told = {"provider": provider.key, **roles}
    account_log.note(session, act, about=about, trace=trace, municipality_id=place, detail=told)


def _note_failure(provider: Provider, why: str) -> None:
    log.warning("provider_sign_in_refused", provider=provider.key, why=why)


def _down(down: ProviderDown, verder: str, kept: Kept | None) -> ProviderTrouble:
    log.error("provider_down", why=str(down))
    return ProviderTrouble("down", verder, kept)


def _packed(kept: Kept | None) -> list[Any] | None:
    return [kept.target, kept.fields, kept.is_complete] if kept else None


def _unpacked(packed: Any) -> Kept | None:
    if packed is None:
        return None
    target, fields, is_complete = packed
    return Kept(target, tuple((name, value) for name, value in fields), is_complete)


# --- linking ------------------------------------------------------------------------------------------------------


def _link(session: Session, provider: Provider, identity: Identity, flow: Flow, visit: Visit) -> bool:
    """Only in the session of who asked for it, and who gave the password for it a moment ago."""
    token, user_id = visit.previous_token, flow.user_id
    login = (
        logins.find_login(session, session_id_of(token), at=visit.at, seen_after=seen_after(visit.at))
        if token
        else None
    )
    if login is None or user_id is None or login.user_id != user_id:
        _note_failure(provider, "link_of_another_session")
        return False
    try:
        provider_accounts.link(
            session,
            user_id,
            issuer=identity.issuer,
            subject=identity.subject,
            provider=provider.key,
            at=visit.at,
        )
    except AlreadyLinked:
        _note_failure(provider, "already_linked")
        return False
    trace = visit.trace(user_id)
    account_log.note(session, Act.PROVIDER_LINKED, about=user_id, trace=trace, detail={"provider": provider.key})
    return True


def unlink(
    session: Session,
    user_id: uuid.UUID,
    key: str,
    clients: Mapping[str, ProviderClient],
    visit: Visit,
    *,
    by: uuid.UUID,
) -> bool:
    """`clients`: all that the settings know. Whether there was a link."""
    linked = provider_accounts.linked_of(session, [user_id]).get(user_id, [])
    issuers = {each.issuer for each in linked if each.provider == key}
    if not issuers:
        return False
    # Noted first: the roles that come from there go too, and with the last one the municipality that is told.
    trace = visit.trace(by)
    account_log.note(session, Act.PROVIDER_UNLINKED, about=user_id, trace=trace, detail={"provider": key})
    siblings = {key, *(each for each, client in clients.items() if client.provider.issuer in issuers)}
    return provider_accounts.unlink(session, user_id, key, siblings=siblings, at=visit.at)


# --- logging out --------------------------------------------------------------------------------------------------


def logout_address(vault: Vault, client: ProviderClient | None, via: Via | None, *, back: str) -> str | None:
    """Where to end the session at the provider too (RP-Initiated Logout); None if it needs no ending, or cannot."""
    if client is None or via is None or via.token is None or not client.provider.logs_out_there:
        return None
    try:
        endpoint, hint = json.loads(vault.open(via.token, purpose=_logout_purpose(client.provider)))
    except SealBroken:
        return None
    query = {"client_id": client.provider.client_id, "post_logout_redirect_uri": back}
    if hint:
        query["id_token_hint"] = hint
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"


def _logout_purpose(provider: Provider) -> str:
    return f"logout at {provider.key}"


async def logged_out_there(
    database: Database, client: ProviderClient, siblings: list[str], raw: str, visit: Visit
) -> None:
    """Ends the sessions that a logout token of the provider names. `siblings`: keys of the providers that share its
    issuer.  Raises Refused, ProviderDown."""
    logout = await checked_logout(client, raw, at=visit.at)
    async with database.writing_request() as session:
        await run_in_threadpool(partial(_end_sessions, session, client.provider, siblings, logout, visit))


def _end_sessions(session: Session, provider: Provider, siblings: list[str], logout: Logout, visit: Visit) -> None:
    once = f"logout {provider.issuer} {logout.token_id}"
    if not passkeys.spend(session, once, at=visit.at, expires_at=visit.at + LOGOUT_SPENT_FOR):
        raise Refused("logout_used")
    user_id = None
    if logout.subject is not None:
        known = provider_accounts.find_known(session, provider.issuer, logout.subject)
        if known is None:
            return
        user_id = known.user_id
    ended = open_sessions.close_sessions_via(session, siblings, user_id=user_id, sid=logout.sid)
    for about, place in ended.items():
        if provider_accounts.roles_held(session, about, place):
            _note(session, Act.SESSIONS_ENDED_BY_PROVIDER, about, place, provider, visit, by_user=False)
