"""What somebody does with the own account: another password, a second factor, ending sessions."""

from __future__ import annotations

import uuid

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.features.accounts import attempts
from app.features.accounts.checks import PasswordChecks, TooBusy
from app.features.accounts.service import Visit, claim_code, note_if_locked
from app.storage import account_log, accounts, open_sessions, second_factors, sign_in_attempts
from app.storage.account_log import Act
from app.storage.accounts import Account
from app.storage.logins import OpenLogin
from app.storage.vault import Vault


class PasswordWrong(Exception):
    """Of who is signed in already: it is asked again before something that a thief of the session would want."""


class CodeWrong(Exception):
    """Not right, or used before."""


async def confirm_password(
    session: Session, checks: PasswordChecks, user_id: uuid.UUID, password: str, visit: Visit
) -> Account:
    """Raises PasswordWrong, TooManyAttempts, TooBusy.

    The transaction of the request is open meanwhile; that is why it does not stand in line for long."""
    if checks.is_full:
        raise TooBusy
    account = await run_in_threadpool(accounts.account_of, session, user_id)
    attempt = await run_in_threadpool(
        lambda: attempts.claim_password(session, account.login, visit.address, at=visit.at, is_known_device=True)
    )
    right, _ = await checks.run(password, account.password_hash)
    if not right:
        raise PasswordWrong
    await run_in_threadpool(sign_in_attempts.forget_attempt, session, attempt)
    return account


async def change_password(
    session: Session, checks: PasswordChecks, login: OpenLogin, *, old: str, new: str, visit: Visit
) -> None:
    """Other sessions end.  Raises PasswordWrong, PasswordRefused, TooManyAttempts, TooBusy."""
    account = await confirm_password(session, checks, login.user_id, old, visit)
    places = [membership.municipality_name for membership in login.memberships]
    new_hash = await checks.hash(new, about=(account.login, account.name, *places))

    def store() -> None:
        accounts.renew_password_hash(session, account.id, new_hash)
        open_sessions.close_other_sessions(session, account.id, but=login.session_id)
        account_log.note(session, Act.PASSWORD_CHANGED, about=account.id, trace=visit.trace(account.id))

    await run_in_threadpool(store)


def confirm_app(session: Session, vault: Vault, user_id: uuid.UUID, code: str, visit: Visit) -> list[str]:
    """Gives the recovery codes.  Raises CodeWrong, TooManyAttempts."""
    attempt = attempts.claim_code(session, user_id, visit.address, at=visit.at, is_known_device=True)
    codes = second_factors.confirm_app(session, vault, user_id, code, at=visit.at)
    if codes is None:
        raise CodeWrong
    sign_in_attempts.forget_attempt(session, attempt)
    account_log.note(session, Act.SECOND_FACTOR_SET, about=user_id, trace=visit.trace(user_id))
    return codes


def prove(session: Session, vault: Vault, user_id: uuid.UUID, code: str, visit: Visit) -> None:
    """Raises CodeWrong, TooManyAttempts, AppLocked."""
    attempt = claim_code(session, vault, user_id, code, visit, is_signed_in=True)
    if second_factors.prove(session, vault, user_id, code, at=visit.at) is None:
        note_if_locked(session, user_id, visit)
        raise CodeWrong
    sign_in_attempts.forget_attempt(session, attempt)


def turn_off(session: Session, user_id: uuid.UUID, visit: Visit) -> None:
    second_factors.remove_all(session, user_id)
    account_log.note(session, Act.SECOND_FACTOR_REMOVED, about=user_id, trace=visit.trace(user_id))


def new_codes(session: Session, user_id: uuid.UUID, visit: Visit) -> list[str]:
    account_log.note(session, Act.RECOVERY_CODES_RENEWED, about=user_id, trace=visit.trace(user_id))
    return second_factors.new_codes(session, user_id)


def end_session(session: Session, user_id: uuid.UUID, session_id: str, visit: Visit) -> bool:
    """Whether it was there and of this user."""
    if not open_sessions.close_session_of(session, user_id, session_id):
        return False
    account_log.note(session, Act.SESSIONS_ENDED, about=user_id, trace=visit.trace(user_id))
    return True


def end_other_sessions(session: Session, login: OpenLogin, visit: Visit) -> None:
    if open_sessions.close_other_sessions(session, login.user_id, but=login.session_id):
        account_log.note(session, Act.SESSIONS_ENDED, about=login.user_id, trace=visit.trace(login.user_id))
