"""To a provider (OpenID Connect) and back, to sign in or to link it to an account. The order is always the same: ask
the provider while no transaction is open, then decide in one."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
from starlette.concurrency import run_in_threadpool

from app.features.accounts import attempts
from app.features.accounts.provider_deciding import Why, decide
from app.features.accounts.provider_links import link
from app.features.accounts.provider_log import note_failure
from app.features.accounts.provider_logout import logout_hint
from app.features.accounts.service import Halfway, SignedIn, Visit
from app.openid import claims as openid_claims
from app.openid.claims import Identity
from app.openid.client import ProviderClient, ProviderDown, Refused
from app.openid.tokens import checked_id_token
from app.storage.database import Database
from app.storage.provider_flows import Flow, begin_flow, end_flow
from app.storage.vault import Vault
from app.web.identity import new_token
from app.web.kept import Kept

WAY: Final = timedelta(minutes=10)  # to the provider and back; a first sign-in with a new telephone takes a while

log = structlog.get_logger(__name__)

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
        note_failure(provider, "state_unknown")
        raise ProviderTrouble("failed")
    kept = _unpacked(flow.secrets.get("kept"))
    trouble = partial(ProviderTrouble, verder=flow.verder, kept=kept)
    try:
        identity, sealed = await _asked(client, vault, back, flow, redirect_uri, visit)
    except ProviderDown as down:
        raise _down(down, flow.verder, kept) from None
    except Refused as refused:
        note_failure(provider, refused.why)
        if refused.why == "cancelled":
            raise trouble("cancelled") from None
        raise trouble(_TOLD.get(refused.why, "failed")) from None
    async with database.writing_request() as session:
        if flow.user_id is not None:
            return LinkTried(await run_in_threadpool(partial(link, session, provider, identity, flow, visit)))
        decided = partial(decide, session, vault, provider, identity, sealed, visit, second_factor_required)
        outcome = await run_in_threadpool(decided)
    # After the commit: what the provider took away is taken away, also from who is not let in.
    if isinstance(outcome, (SignedIn, Halfway)):
        return Arrived(outcome, flow.verder, kept)
    note_failure(provider, outcome)
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
    sealed = logout_hint(vault, provider, metadata.end_session_endpoint, tokens.id_token)
    return openid_claims.identity_of(provider, told), sealed


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
