"""Argon2id hashes of passwords. One costs about 0.13 s and 64 MiB, so whoever serves many callers limits how many
run at once (app/features/accounts/checks.py)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from pwdlib import PasswordHash

from app.storage.common_passwords import is_too_common

PASSWORD_LENGTH_MIN: Final = 12  # characters; NIST SP 800-63B-4 wants 15 where the password is the only factor
PASSWORD_LENGTH_ADVISED: Final = 15
PASSWORD_BYTES_MAX: Final = 1000  # nobody types more; hashing megabytes would be a way to keep the server busy

_HASHES: Final = PasswordHash.recommended()

# A hash of a random password that nobody knows, made with the parameters above. Checking a password of an unknown
# account against it takes as long as a real check; a test makes sure that its parameters are still current.
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$V62qB35i21DywS6DBm2JLA$h09/1JsfPTqyiWQBcK0HRpPIpZQKCwytKHRUIq1LHZ8"


class Unfit(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"


class PasswordRefused(Exception):
    """The message says why, and what is asked; `why` is for pages, which have their own words."""

    def __init__(self, why: Unfit, message: str) -> None:
        super().__init__(message)
        self.why: Final = why


def hash_password(password: str, *, about: Collection[str] = ()) -> str:
    """`about`: name and login of whose it is.  Raises PasswordRefused."""
    prepared = _prepared(password)
    if len(prepared) < PASSWORD_LENGTH_MIN:
        raise PasswordRefused(
            Unfit.TOO_SHORT,
            f"the password has {len(prepared)} characters; use at least {PASSWORD_LENGTH_MIN}, "
            f"and rather {PASSWORD_LENGTH_ADVISED} or more",
        )
    if is_too_long(password):
        raise PasswordRefused(
            Unfit.TOO_LONG, f"the password is longer than {PASSWORD_BYTES_MAX} bytes; use a shorter one"
        )
    if is_too_common(prepared, about=about):
        raise PasswordRefused(
            Unfit.TOO_COMMON,
            "the password is one of the first that somebody would guess; take four words that do not belong together",
        )
    return _HASHES.hash(prepared)


def is_too_long(password: str) -> bool:
    return len(_bytes(password)) > PASSWORD_BYTES_MAX


def check_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether it is right, and a fresh hash if the stored one was made with weaker parameters than ours.

    Without a stored hash it does the same work and says no, so that time does not tell which accounts exist.
    """
    if is_too_long(password):
        return False, None
    right, renewed = _HASHES.verify_and_update(_prepared(password), stored or _NOBODY)
    return (right, renewed) if stored else (False, None)


def _prepared(password: str) -> str:
    """NFC: keyboards of different systems send an é as one or as two code points."""
    return unicodedata.normalize("NFC", _bytes(password).decode())


def _bytes(password: str) -> bytes:
    return password.encode(errors="replace")  # a lone surrogate, which only a command line can bring
