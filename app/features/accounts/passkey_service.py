"""Adding a passkey to an account, and signing in with one."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

import structlog
from sqlmodel import Session

from app.features.accounts import attempts, passkey_checks
from app.features.accounts.passkey_checks import PasskeyRefused, RelyingParty
from app.features.accounts.service import SignedIn, SignInRefused, Visit, open_session
from app.storage import account_log, accounts, passkeys, second_factors, sign_in_attempts
from app.storage.account_log import Act
from app.storage.vault import Vault

SIGN_IN: Final = "passkey: sign in"

log = structlog.get_logger(__name__)


class NoApp(Exception):
    """A passkey comes beside an app: whoever loses it still gets in."""


class TooManyPasskeys(Exception): ...


def adding(session_id: str) -> str:
    """What a challenge for a new passkey is for: an answer given in another session does not count."""
    return f"passkey: add in {session_id}"


def options_to_add(
    session: Session, party: RelyingParty, vault: Vault, user_id: uuid.UUID, session_id: str, *, at: datetime
) -> str:
    challenge = passkey_checks.new_challenge(vault, adding(session_id), at=at)
    account, known = accounts.account_of(session, user_id), passkeys.passkeys_of(session, user_id)
    return passkey_checks.registration_options(party, account, known, challenge)


def add(
    session: Session,
    party: RelyingParty,
    vault: Vault,
    user_id: uuid.UUID,
    session_id: str,
    *,
    answer: str,
    name: str,
    visit: Visit,
) -> None:
    """Raises NoApp, TooManyPasskeys, PasskeyRefused."""
    if not second_factors.has_app(session, user_id):
        raise NoApp
    if len(passkeys.passkeys_of(session, user_id)) >= passkeys.PASSKEYS_MAX:
        raise TooManyPasskeys
    new = passkey_checks.check_registration(party, answer, vault, adding(session_id), at=visit.at)
    _spend(session, new.challenge, visit)
    added = passkeys.add_passkey(
        session,
        user_id,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        transports=new.transports,
        name=name,
        at=visit.at,
    )
    if not added:
        raise PasskeyRefused("known already")
    account_log.note(session, Act.PASSKEY_ADDED, about=user_id, trace=visit.trace(user_id))


def remove(session: Session, user_id: uuid.UUID, passkey_id: uuid.UUID, visit: Visit) -> bool:
    """Whether it was there and of this user."""
    if not passkeys.remove_passkey(session, user_id, passkey_id):
        return False
    account_log.note(session, Act.PASSKEY_REMOVED, about=user_id, trace=visit.trace(user_id))
    return True


def sign_in(
    session: Session, party: RelyingParty, vault: Vault, *, answer: str, visit: Visit, demonstration_allowed: bool
) -> SignedIn:
    """Raises SignInRefused, with the attempt counted when the transaction is kept, and TooManyAttempts."""
    try:
        credential_id = passkey_checks.credential_id_in(answer)
        attempt = attempts.claim_passkey(session, credential_id, visit.address, at=visit.at)
        passkey = passkeys.find_passkey(session, credential_id)
        if passkey is None:
            raise PasskeyRefused("unknown")
        found = passkey_checks.check_sign_in(party, answer, passkey, vault, SIGN_IN, at=visit.at)
        _spend(session, found.challenge, visit)
    except PasskeyRefused as refused:
        log.warning("passkey_refused", why=str(refused))
        raise SignInRefused from None
    if not demonstration_allowed and accounts.account_of(session, passkey.user_id).is_demonstration:
        raise SignInRefused(passkey.user_id)
    sign_in_attempts.forget_attempt(session, attempt)
    passkeys.passkey_used(session, passkey.id, sign_count=found.sign_count, at=visit.at)
    return open_session(session, passkey.user_id, visit, act=Act.SIGNED_IN_WITH_PASSKEY)


def _spend(session: Session, challenge: str, visit: Visit) -> None:
    ends = visit.at + 2 * passkey_checks.VALID
    if not passkeys.spend(session, challenge, at=visit.at, expires_at=ends):
        raise PasskeyRefused("answered before")
