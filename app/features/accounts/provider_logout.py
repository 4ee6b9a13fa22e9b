"""Logging out at a provider too, and here when somebody logged out there."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import urlencode, urlsplit

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.features.accounts.provider_log import note
from app.features.accounts.service import Visit
from app.openid.client import ProviderClient, Refused
from app.openid.providers import Provider
from app.openid.tokens import Logout, checked_logout
from app.storage import open_sessions, passkeys, provider_accounts
from app.storage.account_log import Act
from app.storage.database import Database
from app.storage.open_sessions import Via
from app.storage.vault import SealBroken, Vault

ID_TOKEN_LENGTH_MAX: Final = 3000  # that travels in an address; with a longer one the provider asks who logs out
LOGOUT_SPENT_FOR: Final = timedelta(minutes=15)  # longer than a logout token counts


def logout_hint(vault: Vault, provider: Provider, endpoint: str | None, id_token: str) -> str | None:
    """Encrypted, what `logout_address` takes; None where nobody logs out."""
    if not provider.logs_out_there or endpoint is None:
        return None
    hint = id_token if len(id_token) <= ID_TOKEN_LENGTH_MAX else None
    return vault.seal(json.dumps([endpoint, hint]), purpose=_purpose(provider))


def logout_address(vault: Vault, client: ProviderClient | None, via: Via | None, *, back: str) -> str | None:
    """Where to end the session at the provider too (RP-Initiated Logout); None if it needs no ending, or cannot."""
    if client is None or via is None or via.token is None or not client.provider.logs_out_there:
        return None
    try:
        endpoint, hint = json.loads(vault.open(via.token, purpose=_purpose(client.provider)))
    except SealBroken:
        return None
    query = {"client_id": client.provider.client_id, "post_logout_redirect_uri": back}
    if hint:
        query["id_token_hint"] = hint
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"


def _purpose(provider: Provider) -> str:
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
            note(session, Act.SESSIONS_ENDED_BY_PROVIDER, about, place, provider, visit, by_user=False)
