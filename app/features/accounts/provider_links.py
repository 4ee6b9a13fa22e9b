"""An account that somebody has here already, linked to one at a provider, and that link taken away."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlmodel import Session

from app.features.accounts.provider_log import note_failure
from app.features.accounts.service import Visit
from app.openid.claims import Identity
from app.openid.client import ProviderClient
from app.openid.providers import Provider
from app.storage import account_log, logins, provider_accounts
from app.storage.account_log import Act
from app.storage.provider_accounts import AlreadyLinked
from app.storage.provider_flows import Flow
from app.web.identity import seen_after, session_id_of


def link(session: Session, provider: Provider, identity: Identity, flow: Flow, visit: Visit) -> bool:
    """Only in the session of who asked for it, and who gave the password for it a moment ago."""
    token, user_id = visit.previous_token, flow.user_id
    login = (
        logins.find_login(session, session_id_of(token), at=visit.at, seen_after=seen_after(visit.at))
        if token
        else None
    )
    if login is None or user_id is None or login.user_id != user_id:
        note_failure(provider, "link_of_another_session")
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
        note_failure(provider, "already_linked")
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
