"""Signing in with a local account. No transaction is open while a password is checked: that takes 0.13 s, and SQLite
has one writer."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.storage import accounts
from app.storage.accounts import Credentials, OpenLogin
from app.storage.database import Database
from app.storage.passwords import check_password
from app.web.csrf import new_csrf_token
from app.web.identity import ABSOLUTE, new_token, session_id_of

ATTEMPTS_MAX: Final = 10  # failed ones, per account and per address
ATTEMPTS_WINDOW: Final = timedelta(minutes=5)
CHECKS_AT_ONCE_MAX: Final = 2  # of 64 MiB and 0.13 s each
CHECKS_WAITING_MAX: Final = 30  # two seconds of waiting; beyond that somebody is knocking very hard
FORGET_SESSIONS_AFTER: Final = timedelta(days=7)  # an ended one only remembers the last municipality until then

log = structlog.get_logger(__name__)


class SignInRefused(Exception):
    """Wrong password, unknown login, disabled account: the caller can't tell which, and neither can the user."""


class TooManyAttempts(Exception):
    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait_seconds: Final = max(1, math.ceil(wait.total_seconds()))


class TooBusy(Exception):
    """More people are signing in at this moment than the server can check passwords for."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    login: OpenLogin


@dataclass(slots=True)
class PasswordChecks:
    """Few at once. Who waits takes no thread, so that a storm of sign-ins does not stop all other pages."""

    check: Callable[[str, str | None], tuple[bool, str | None]] = check_password
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(CHECKS_AT_ONCE_MAX))

    @property
    def is_full(self) -> bool:
        return self._limiter.statistics().tasks_waiting >= CHECKS_WAITING_MAX

    async def run(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        return await anyio.to_thread.run_sync(self.check, password, stored, limiter=self._limiter)


async def sign_in(
    database: Database,
    checks: PasswordChecks,
    *,
    login: str,
    password: str,
    address: str | None,
    previous_token: str | None,
    at: datetime,
) -> SignedIn:
    """Open a new session, and end the one that this browser had.  `address`: IP address of the sender.

    Raises SignInRefused, TooManyAttempts, TooBusy.
    """
    if checks.is_full:
        raise TooBusy
    async with database.writing_request() as session:
        attempt, credentials = await run_in_threadpool(_begin, session, login, address, at)
    right, renewed = await checks.run(password, credentials.password_hash if credentials else None)
    if not right or credentials is None:
        log.warning("sign_in_refused", user=str(credentials.user_id) if credentials else None)
        raise SignInRefused
    async with database.writing_request() as session:
        if renewed:
            await run_in_threadpool(accounts.renew_password_hash, session, credentials.user_id, renewed)
        signed_in = await run_in_threadpool(_open, session, credentials.user_id, attempt, previous_token, at)
    log.info("signed_in", user=str(credentials.user_id))
    return signed_in


def _begin(
    session: Session, login: str, address: str | None, at: datetime
) -> tuple[list[uuid.UUID], Credentials | None]:
    keys = [_key("account", accounts.normal_login(login)), _key("address", network_of(address))]
    attempt, blocking = accounts.claim_attempt(
        session, keys, at=at, since=at - ATTEMPTS_WINDOW, attempts_max=ATTEMPTS_MAX
    )
    if blocking:
        log.warning("sign_in_slowed_down")
        raise TooManyAttempts(blocking + ATTEMPTS_WINDOW - at)
    return attempt, accounts.find_credentials(session, login)


def _open(
    session: Session, user_id: uuid.UUID, attempt: list[uuid.UUID], previous_token: str | None, at: datetime
) -> SignedIn:
    accounts.forget_attempt(session, attempt)
    last = None
    if previous_token is not None:
        previous = session_id_of(previous_token)
        last = accounts.last_municipality(session, previous, user_id)
        accounts.close_session(session, previous)
    accounts.close_ended_sessions(session, at=at - FORGET_SESSIONS_AFTER, seen_before=at - FORGET_SESSIONS_AFTER)
    held = [membership.municipality_id for membership in accounts.memberships_of(session, user_id)]
    chosen = last if last in held else held[0] if len(held) == 1 else None
    token = new_token()
    accounts.open_session(
        session,
        session_id_of(token),
        user_id=user_id,
        municipality_id=chosen,
        csrf_token=new_csrf_token(),
        at=at,
        expires_at=at + ABSOLUTE,
    )
    login = accounts.find_login(session, session_id_of(token), at=at, seen_after=at - ABSOLUTE)
    if login is None:  # disabled while the password was being checked
        raise SignInRefused
    return SignedIn(token, login)


def network_of(address: str | None) -> str:
    """What is counted as one sender: an IPv4 address, or the /64 that a subscriber gets with IPv6."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip)


def _key(kind: str, value: str) -> str:
    """Hashed, so that the table does not tell who tried from where."""
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
