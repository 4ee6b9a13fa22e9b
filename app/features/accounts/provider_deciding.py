"""Who somebody is here whom a provider vouches for, and with which roles."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Literal

import structlog
from sqlmodel import Session

from app.features.accounts import service
from app.features.accounts.provider_log import note
from app.features.accounts.service import Halfway, SignedIn, Visit
from app.openid.claims import Identity
from app.openid.providers import Provider
from app.policy import Role
from app.storage import people, provider_accounts, second_factors
from app.storage.account_log import Act
from app.storage.accounts import LoginTaken
from app.storage.open_sessions import Via
from app.storage.provider_accounts import SaidBy
from app.storage.vault import Vault

# Why somebody does not get in, as the sign-in page tells it.
Why = Literal["failed", "cancelled", "unknown", "no_role", "disabled", "taken", "email", "roles_left_out", "down"]

log = structlog.get_logger(__name__)


def decide(
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
            note(session, Act.PROVIDER_SIGN_IN_REFUSED, known.user_id, place, provider, visit, by_user=False)
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
        note(session, Act.ROLES_CHANGED_BY_PROVIDER, user_id, place, provider, visit, detail=told)
    provider_accounts.take_roles(session, change, at=visit.at)
    if not change.before and change.after:
        act = Act.USER_ADDED_BY_PROVIDER if is_new else Act.ROLES_CHANGED_BY_PROVIDER
        note(session, act, user_id, place, provider, visit, detail=told)


def _login_of(provider: Provider, identity: Identity) -> str:
    """The e-mail address, for a provider of which the settings say which addresses it speaks for. Otherwise it could
    take the name that somebody of another municipality would log in with."""
    if provider.email_domains and identity.email:
        return identity.email
    return f"{provider.key}/{identity.email or identity.subject}".replace(" ", "_").lower()
