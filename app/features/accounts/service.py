"""Signing in with a local account. No transaction is open while a password is checked: that takes 0.13 s, and SQLite
has one writer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.features.accounts import attempts
from app.features.accounts.checks import PasswordChecks, TooBusy
from app.features.accounts.known_device import is_known
from app.storage import (
    account_log,
    accounts,
    answered_forms,
    logins,
    open_sessions,
    provider_accounts,
    second_factors,
    sign_in_attempts,
)
from app.storage.account_log import Act, Trace
from app.storage.account_sweep import FORGET_SESSIONS_AFTER
from app.storage.accounts import Account, Credentials
from app.storage.database import Database
from app.storage.logins import OpenLogin
from app.storage.open_sessions import Via
from app.storage.second_factors import Proof
from app.storage.vault import Vault
from app.web.csrf import new_csrf_token
from app.web.identity import ABSOLUTE, new_token, session_id_of

PENDING: Final = timedelta(minutes=10)  # from the password to the code; setting up an app takes a few minutes


class SignInRefused(Exception):
    """Wrong password, unknown login, disabled account: the caller can't tell which, and neither can the user.
    `user_id` is for the log of accounts only, which is written when the answer is on its way."""

    def __init__(self, user_id: uuid.UUID | None = None) -> None:
        super().__init__()
        self.user_id: Final = user_id


class AppLocked(Exception):
    """Codes of the app were guessed at too often. A recovery code still counts, and makes the app count again; or the
    administrator removes the second step."""


class PendingEnded(Exception):
    """It is too long ago that the password was given, or somebody else was first with this sign-in."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who knocks. `address`: IP address of the sender; `device`: what the browser says of itself."""

    at: datetime
    address: str | None
    device: str | None
    previous_token: str | None
    known_as: str | None = None  # the mark of an earlier sign-in in this browser: known_device.py

    def trace(self, by: uuid.UUID | None) -> Trace:
        return Trace(by=by, at=self.at, address=self.address)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`language`: what the user chose earlier, for a browser where nobody chose."""

    token: str
    login: OpenLogin
    language: str


@dataclass(frozen=True, slots=True)
class Halfway:
    """The password was right; now the second factor, which `is_new` if it has yet to be set up."""

    token: str
    is_new: bool


async def sign_in(
    database: Database,
    checks: PasswordChecks,
    vault: Vault,
    *,
    login: str,
    password: str,
    visit: Visit,
    second_factor_required: bool,
) -> SignedIn | Halfway:
    """Open a new session, and end the one that this browser had; or ask for the second factor first.

    Raises SignInRefused, TooManyAttempts, TooBusy.
    """
    if checks.is_full:
        raise TooBusy
    async with database.writing_request() as session:
        attempt, credentials = await run_in_threadpool(_begin, session, vault, login, visit)
    right, renewed = await checks.run(password, credentials.password_hash if credentials else None)
    if not right or credentials is None:
        raise SignInRefused(credentials.user_id if credentials else None)
    if second_factor_required and credentials.is_demonstration:
        # Everybody knows its password. Production does not start with such an account, but one could be enabled later.
        raise SignInRefused(credentials.user_id)
    async with database.writing_request() as session:
        if renewed:
            await run_in_threadpool(accounts.renew_password_hash, session, credentials.user_id, renewed)
        return await run_in_threadpool(
            _after_password, session, vault, credentials, attempt, visit, second_factor_required
        )


def _begin(session: Session, vault: Vault, login: str, visit: Visit) -> tuple[list[uuid.UUID], Credentials | None]:
    credentials = accounts.find_credentials(session, login)
    known = is_known(vault, visit.known_as, credentials.user_id if credentials else None, at=visit.at)
    attempt = attempts.claim_password(session, login, visit.address, at=visit.at, is_known_device=known)
    return attempt, credentials


def _after_password(
    session: Session,
    vault: Vault,
    credentials: Credentials,
    attempt: list[uuid.UUID],
    visit: Visit,
    second_factor_required: bool,
) -> SignedIn | Halfway:
    sign_in_attempts.forget_attempt(session, attempt)
    user_id = credentials.user_id
    has_app = second_factors.has_app(session, user_id)
    if not has_app and not second_factor_required:
        return open_session(session, user_id, visit, act=Act.SIGNED_IN)
    return begin_second_step(session, vault, user_id, visit, has_app=has_app)


def begin_second_step(
    session: Session, vault: Vault, user_id: uuid.UUID, visit: Visit, *, has_app: bool, via: Via | None = None
) -> Halfway:
    """After the first step; who has no app yet sets one up."""
    if not has_app:
        second_factors.begin_app(session, vault, user_id, at=visit.at)
    token, ends_at = new_token(), visit.at + PENDING
    open_sessions.open_pending(session, session_id_of(token), user_id, at=visit.at, expires_at=ends_at, via=via)
    return Halfway(token, is_new=not has_app)


def open_session(session: Session, user_id: uuid.UUID, visit: Visit, *, act: Act, via: Via | None = None) -> SignedIn:
    """Raises SignInRefused for a user who was disabled in the meantime."""
    at, last = visit.at, None
    if visit.previous_token is not None:
        previous = session_id_of(visit.previous_token)
        last = logins.last_municipality(session, previous, user_id)
        logins.close_session(session, previous)
    logins.close_ended_sessions(session, at=at - FORGET_SESSIONS_AFTER, seen_before=at - FORGET_SESSIONS_AFTER)
    answered_forms.sweep(session, at=at)
    held = [membership.municipality_id for membership in accounts.memberships_of(session, user_id)]
    if via is not None:
        held = [each for each in held if each == via.limited_to]
        # The last role went between the first step and the second.
        if not provider_accounts.roles_held(session, user_id, via.limited_to):
            raise PendingEnded
    chosen = last if last in held else held[0] if len(held) == 1 else None
    token = new_token()
    logins.open_session(
        session,
        session_id_of(token),
        user_id=user_id,
        municipality_id=chosen,
        csrf_token=new_csrf_token(),
        at=at,
        expires_at=at + ABSOLUTE,
        address=visit.address,
        device=visit.device,
        via=via,
    )
    login = logins.find_login(session, session_id_of(token), at=at, seen_after=at - ABSOLUTE)
    if login is None:
        raise SignInRefused
    account_log.note(
        session,
        act,
        about=user_id,
        trace=visit.trace(user_id),
        municipality_id=via.limited_to if via else None,
        detail={"provider": via.provider} if via else None,
    )
    return SignedIn(token, login, accounts.account_of(session, user_id).language)


# --- the second step ----------------------------------------------------------------------------------------------


def pending_account(session: Session, token: str | None, *, at: datetime) -> Account:
    """Raises PendingEnded."""
    user_id = open_sessions.find_pending(session, session_id_of(token), at=at) if token else None
    if user_id is None:
        raise PendingEnded
    return accounts.account_of(session, user_id)


def finish_with_code(session: Session, vault: Vault, token: str | None, code: str, visit: Visit) -> SignedIn | None:
    """None when the code is not right, or was used before.  Raises PendingEnded, TooManyAttempts, AppLocked."""
    account = pending_account(session, token, at=visit.at)
    attempt = claim_code(session, vault, account.id, code, visit)
    proof = second_factors.prove(session, vault, account.id, code, at=visit.at)
    if proof is None:
        note_if_locked(session, account.id, visit)
        account_log.note(session, Act.CODE_REFUSED, about=account.id, trace=visit.trace(None))
        return None
    via = _close(session, token)
    sign_in_attempts.forget_attempt(session, attempt)
    if proof is Proof.RECOVERY_CODE:
        account_log.note(session, Act.RECOVERY_CODE_USED, about=account.id, trace=visit.trace(account.id))
    return open_session(session, account.id, visit, act=_act(via), via=via)


def claim_code(
    session: Session, vault: Vault, user_id: uuid.UUID, code: str, visit: Visit, *, is_signed_in: bool = False
) -> list[uuid.UUID]:
    """Raises TooManyAttempts, and AppLocked for a code of an app that was guessed at too often."""
    known = is_signed_in or is_known(vault, visit.known_as, user_id, at=visit.at)
    if not second_factors.is_app_code(code):
        return attempts.claim_recovery_code(session, user_id, visit.address, at=visit.at, is_known_device=known)
    if second_factors.is_locked(session, user_id):
        raise AppLocked
    return attempts.claim_code(session, user_id, visit.address, at=visit.at, is_known_device=known)


def note_if_locked(session: Session, user_id: uuid.UUID, visit: Visit) -> None:
    """After a wrong code: the last one that was heard is told."""
    if second_factors.is_locked(session, user_id, just_now=True):
        account_log.note(session, Act.SECOND_FACTOR_LOCKED, about=user_id, trace=visit.trace(None))


def finish_with_new_app(
    session: Session, vault: Vault, token: str | None, code: str, visit: Visit
) -> tuple[SignedIn, list[str]] | None:
    """Also gives the recovery codes. None when the code is not right.  Raises PendingEnded, TooManyAttempts."""
    account = pending_account(session, token, at=visit.at)
    known = is_known(vault, visit.known_as, account.id, at=visit.at)
    attempt = attempts.claim_code(session, account.id, visit.address, at=visit.at, is_known_device=known)
    codes = second_factors.confirm_app(session, vault, account.id, code, at=visit.at)
    if codes is None:
        return None
    via = _close(session, token)
    sign_in_attempts.forget_attempt(session, attempt)
    account_log.note(session, Act.SECOND_FACTOR_SET, about=account.id, trace=visit.trace(account.id))
    return open_session(session, account.id, visit, act=_act(via), via=via), codes


def _act(via: Via | None) -> Act:
    return Act.SIGNED_IN_WITH_PROVIDER if via else Act.SIGNED_IN


def _close(session: Session, token: str | None) -> Via | None:
    """The provider that the first step went through, if it did."""
    pending_id = session_id_of(token or "")
    via = open_sessions.via_of_pending(session, pending_id)
    if not open_sessions.close_pending(session, pending_id):
        raise PendingEnded
    return via
