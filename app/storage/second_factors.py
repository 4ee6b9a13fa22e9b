"""The second factor of an account: an authenticator app (TOTP, RFC 6238), and codes for whoever lost it.

A passkey is both factors at once (app/storage/passkeys.py), and only exists beside an app: whoever knows just the
password can't set up an app of their own where another factor was there already.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.storage.tables import AuthenticatorApp, Passkey, PendingSignIn, RecoveryCode
from app.storage.vault import SealBroken, Vault

STEP_SECONDS: Final = 30
TOLERANCE: Final = 1  # steps that a clock may be off, either way
DIGITS: Final = 6
SECRET_LENGTH: Final = 32  # characters of base32: 160 bits, as RFC 4226 recommends
WRONG_CODES_MAX: Final = 100  # in a row, over any time: a chance of 1 in 3,000 for who knows the password and guesses
CODES: Final = 10
CODE_LENGTH: Final = 24  # of 32 characters: 120 bits, so a fast hash will do (ASVS 6.5.2 asks for 112)
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0 and 1, which look alike

log = structlog.get_logger(__name__)


class Proof(Enum):
    """With what somebody showed to have the second factor."""

    APP = "app"
    RECOVERY_CODE = "recovery_code"


def has_app(session: Session, user_id: uuid.UUID) -> bool:
    query = select(AuthenticatorApp.user_id).where(
        AuthenticatorApp.user_id == user_id, col(AuthenticatorApp.confirmed_at).is_not(None)
    )
    return session.exec(query).first() is not None


def codes_left(session: Session, user_id: uuid.UUID) -> int:
    unused = select(RecoveryCode.digest).where(RecoveryCode.user_id == user_id, col(RecoveryCode.used_at).is_(None))
    return len(session.exec(unused).all())


def begin_app(session: Session, vault: Vault, user_id: uuid.UUID, *, at: datetime) -> None:
    """A new secret, to be confirmed with a code of the app. Does nothing when the user has an app already."""
    import pyotp

    if has_app(session, user_id):
        return
    earlier = sa.delete(AuthenticatorApp).where(
        col(AuthenticatorApp.user_id) == user_id, col(AuthenticatorApp.confirmed_at).is_(None)
    )
    session.execute(earlier)
    sealed = vault.seal(pyotp.random_base32(SECRET_LENGTH), purpose=_purpose(user_id))
    # A second click, or a confirmation in another tab at the same moment: what is there then is as good.
    with suppress(IntegrityError), session.begin_nested():
        session.add(AuthenticatorApp(user_id=user_id, secret=sealed, created_at=at))


def unconfirmed_secret(session: Session, vault: Vault, user_id: uuid.UUID) -> str | None:
    """To show in the set-up page; None without one, or when it counts already."""
    query = select(AuthenticatorApp.secret).where(
        AuthenticatorApp.user_id == user_id, col(AuthenticatorApp.confirmed_at).is_(None)
    )
    sealed = session.exec(query).one_or_none()
    return _opened(vault, sealed, user_id) if sealed else None


def confirm_app(session: Session, vault: Vault, user_id: uuid.UUID, code: str, *, at: datetime) -> list[str] | None:
    """From now on the app counts; gives the recovery codes, to be shown once. None when the code is not right."""
    secret = unconfirmed_secret(session, vault, user_id)
    step = _step_of(secret, code, at) if secret else None
    if step is None:
        return None
    confirmed = sa.update(AuthenticatorApp).where(
        col(AuthenticatorApp.user_id) == user_id, col(AuthenticatorApp.confirmed_at).is_(None)
    )
    if session.connection().execute(confirmed.values(confirmed_at=at, last_step=step)).rowcount != 1:
        return None
    return new_codes(session, user_id)


def new_codes(session: Session, user_id: uuid.UUID) -> list[str]:
    """Ten codes, in place of all earlier ones."""
    session.execute(sa.delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user_id, digest=_digest(code)) for code in codes)
    session.flush()
    return ["-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4)) for code in codes]


def prove(session: Session, vault: Vault, user_id: uuid.UUID, code: str, *, at: datetime) -> Proof | None:
    """Whether this code is right and was not used before; from now on it is used."""
    typed = _typed(code)
    if is_app_code(code):
        right = _use_step(session, vault, user_id, typed, at)
        _count(session, user_id, wrong=not right)
        return Proof.APP if right else None
    used = sa.update(RecoveryCode).where(
        col(RecoveryCode.user_id) == user_id,
        col(RecoveryCode.digest) == _digest(typed),
        col(RecoveryCode.used_at).is_(None),
    )
    right = session.connection().execute(used.values(used_at=at)).rowcount == 1
    if right:
        _count(session, user_id, wrong=False)
    return Proof.RECOVERY_CODE if right else None


def is_app_code(code: str) -> bool:
    """Whether it looks like one of the app; otherwise it can only be a recovery code."""
    typed = _typed(code)
    return len(typed) == DIGITS and typed.isascii() and typed.isdigit()


def is_locked(session: Session, user_id: uuid.UUID, *, just_now: bool = False) -> bool:
    """Whether the app was guessed at too often since its last right code."""
    wrong = session.exec(select(AuthenticatorApp.wrong_codes).where(AuthenticatorApp.user_id == user_id)).one_or_none()
    return wrong is not None and (wrong == WRONG_CODES_MAX if just_now else wrong >= WRONG_CODES_MAX)


def remove_all(session: Session, user_id: uuid.UUID) -> None:
    """The app, the recovery codes and the passkeys."""
    for table in (AuthenticatorApp, RecoveryCode, Passkey, PendingSignIn):
        session.execute(sa.delete(table).where(col(table.user_id) == user_id))


def _count(session: Session, user_id: uuid.UUID, *, wrong: bool) -> None:
    app = sa.update(AuthenticatorApp).where(col(AuthenticatorApp.user_id) == user_id)
    session.execute(app.values(wrong_codes=AuthenticatorApp.wrong_codes + 1 if wrong else 0))


def _use_step(session: Session, vault: Vault, user_id: uuid.UUID, code: str, at: datetime) -> bool:
    query = select(AuthenticatorApp.secret).where(
        AuthenticatorApp.user_id == user_id, col(AuthenticatorApp.confirmed_at).is_not(None)
    )
    sealed = session.exec(query).one_or_none()
    secret = _opened(vault, sealed, user_id) if sealed else None
    step = _step_of(secret, code, at) if secret else None
    if step is None:
        return False
    # The update is what decides: of two with the same code at the same moment one finds an older step.
    newer = sa.update(AuthenticatorApp).where(
        col(AuthenticatorApp.user_id) == user_id,
        sa.or_(col(AuthenticatorApp.last_step).is_(None), col(AuthenticatorApp.last_step) < step),
    )
    return session.connection().execute(newer.values(last_step=step)).rowcount == 1


def _step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step that this code belongs to; the same work whether it is right or not."""
    typed = _typed(code)
    found = [step for step, right in _codes_around(secret, at) if secrets.compare_digest(right, typed.encode())]
    return max(found, default=None)


def _codes_around(secret: str, at: datetime) -> Iterator[tuple[int, bytes]]:
    import pyotp

    app = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    now = int(at.timestamp()) // STEP_SECONDS
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        yield step, app.generate_otp(step).encode()


def _typed(code: str) -> str:
    """Without the spaces and hyphens that people and apps put in."""
    folded = unicodedata.normalize("NFKC", code[:100]).casefold()
    return "".join(character for character in folded if character.isalnum())


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()


def _purpose(user_id: uuid.UUID) -> str:
    return f"authenticator app of {user_id}"


def _opened(vault: Vault, sealed: str, user_id: uuid.UUID) -> str | None:
    try:
        return vault.open(sealed, purpose=_purpose(user_id))
    except SealBroken:
        log.error("second_factor_unreadable", user=str(user_id), remedy="SECRET_KEY changed: reset the second factor")
        return None
