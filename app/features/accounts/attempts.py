"""How often somebody may try: in the database, so that every process counts the same attempts."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import uuid
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlmodel import Session

from app.storage import accounts

ATTEMPTS_MAX: Final = 10  # failed ones, per account and per address
ATTEMPTS_WINDOW: Final = timedelta(minutes=5)
STARTS_MAX: Final = 500  # sign-ins through a provider, in the same time; a whole town hall on a Monday morning
STARTS_WITH_TEXT_MAX: Final = 20  # of at most half a megabyte each

log = structlog.get_logger(__name__)


class TooManyAttempts(Exception):
    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait_seconds: Final = max(1, math.ceil(wait.total_seconds()))


def claim_password(session: Session, login: str, address: str | None, *, at: datetime) -> list[uuid.UUID]:
    """Counts an attempt, until it turns out to be right; the count precedes the check.  Raises TooManyAttempts."""
    return _claim(session, key("account", accounts.normal_login(login)), address, at)


def claim_code(session: Session, user_id: uuid.UUID, address: str | None, *, at: datetime) -> list[uuid.UUID]:
    """The same for a code of the second factor. Not under the key of the password: who knows no password should not be
    able to keep others from typing their code."""
    return _claim(session, key("second factor", str(user_id)), address, at)


def claim_passkey(session: Session, credential_id: str, address: str | None, *, at: datetime) -> list[uuid.UUID]:
    """The same for a passkey."""
    return _claim(session, key("passkey", credential_id), address, at)


def claim_provider(session: Session, address: str | None, *, at: datetime, with_text: bool) -> None:
    """Each begun sign-in through a provider takes a row, and with a kept text much room: so many from one address, and
    not so few that colleagues behind one address notice.  Raises TooManyAttempts."""
    kind, most = ("provider with text", STARTS_WITH_TEXT_MAX) if with_text else ("provider", STARTS_MAX)
    keys = [key(kind, network_of(address))]
    _, blocking = accounts.claim_attempt(session, keys, at=at, since=at - ATTEMPTS_WINDOW, attempts_max=most)
    if blocking:
        raise TooManyAttempts(blocking + ATTEMPTS_WINDOW - at)


def _claim(session: Session, account_key: str, address: str | None, at: datetime) -> list[uuid.UUID]:
    keys = [account_key, key("address", network_of(address))]
    attempt, blocking = accounts.claim_attempt(
        session, keys, at=at, since=at - ATTEMPTS_WINDOW, attempts_max=ATTEMPTS_MAX
    )
    if blocking:
        log.warning("sign_in_slowed_down")
        raise TooManyAttempts(blocking + ATTEMPTS_WINDOW - at)
    return attempt


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


def key(kind: str, value: str) -> str:
    """Hashed, so that the table does not tell who tried from where."""
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
