"""How often somebody may try: in the database, so that every process counts the same attempts."""

from __future__ import annotations

import ipaddress
import math
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlmodel import Session

from app.storage import accounts, sign_in_attempts
from app.storage.attempt_keys import ACCOUNT, PASSKEY, RECOVERY_CODE, SECOND_FACTOR, attempt_key
from app.storage.sign_in_attempts import AttemptLimit

ATTEMPTS_MAX: Final = 10  # failed ones, per account and per address
ATTEMPTS_WINDOW: Final = timedelta(minutes=5)
CODES_A_DAY_MAX: Final = 30  # wrong ones of the app; then somebody waits, or uses a recovery code
STARTS_MAX: Final = 500  # sign-ins through a provider, in the same time; a whole town hall on a Monday morning
STARTS_WITH_TEXT_MAX: Final = 20  # of at most half a megabyte each

log = structlog.get_logger(__name__)


class TooManyAttempts(Exception):
    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait_seconds: Final = max(1, math.ceil(wait.total_seconds()))


def claim_password(
    session: Session, login: str, address: str | None, *, at: datetime, is_known_device: bool = False
) -> list[uuid.UUID]:
    """Counts an attempt, until it turns out to be right; the count precedes the check.  Raises TooManyAttempts."""
    own = [AttemptLimit(attempt_key(ACCOUNT, accounts.normal_login(login)), ATTEMPTS_MAX, ATTEMPTS_WINDOW)]
    return _claim(session, own + _of_address(address, is_known_device), at)


def claim_code(
    session: Session, user_id: uuid.UUID, address: str | None, *, at: datetime, is_known_device: bool = False
) -> list[uuid.UUID]:
    """The same for a code of the app. Not under the key of the password: who knows no password should not be able to
    keep others from typing their code. Whoever does know it may go on for a day only so long: of a million codes three
    are right at each moment."""
    account = attempt_key(SECOND_FACTOR, str(user_id))
    own = [
        AttemptLimit(account, ATTEMPTS_MAX, ATTEMPTS_WINDOW),
        AttemptLimit(account, CODES_A_DAY_MAX, timedelta(hours=24)),
    ]
    return _claim(session, own + _of_address(address, is_known_device), at)


def claim_recovery_code(
    session: Session, user_id: uuid.UUID, address: str | None, *, at: datetime, is_known_device: bool = False
) -> list[uuid.UUID]:
    """Apart from the codes of the app: nobody guesses these, and they are left when somebody used up the others."""
    own = [AttemptLimit(attempt_key(RECOVERY_CODE, str(user_id)), ATTEMPTS_MAX, ATTEMPTS_WINDOW)]
    return _claim(session, own + _of_address(address, is_known_device), at)


def claim_passkey(session: Session, credential_id: str, address: str | None, *, at: datetime) -> list[uuid.UUID]:
    """The same for a passkey."""
    own = [AttemptLimit(attempt_key(PASSKEY, credential_id), ATTEMPTS_MAX, ATTEMPTS_WINDOW)]
    return _claim(session, own + _of_address(address, False), at)


def claim_provider(session: Session, address: str | None, *, at: datetime, with_text: bool) -> None:
    """Each begun sign-in through a provider takes a row, and with a kept text much room: so many from one address, and
    not so few that colleagues behind one address notice.  Raises TooManyAttempts."""
    kind, most = ("provider with text", STARTS_WITH_TEXT_MAX) if with_text else ("provider", STARTS_MAX)
    _claim(session, [AttemptLimit(attempt_key(kind, network_of(address)), most, ATTEMPTS_WINDOW)], at)


def _of_address(address: str | None, is_known_device: bool) -> list[AttemptLimit]:
    """Not for a browser in which this very account signed in before: a town hall has one address, and the mistakes of
    colleagues are no reason to keep somebody out. For guessing it helps nobody: the limit of the account stays."""
    if is_known_device:
        return []
    return [AttemptLimit(attempt_key("address", network_of(address)), ATTEMPTS_MAX, ATTEMPTS_WINDOW)]


def _claim(session: Session, limits: Sequence[AttemptLimit], at: datetime) -> list[uuid.UUID]:
    attempt, again_at = sign_in_attempts.claim_attempt(session, limits, at=at)
    if again_at:
        log.warning("sign_in_slowed_down")
        raise TooManyAttempts(again_at - at)
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
