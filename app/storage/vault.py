"""What is stored but must not be readable in a copy of the database: encrypted with a key from the settings.

Whoever only has the database can't make codes of an authenticator app. With another key nothing opens any more: those
users need their second factor reset.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECRET_LENGTH_MIN: Final = 32  # characters, as `openssl rand -base64 32` gives more of
NONCE_BYTES: Final = 12  # as AES-GCM wants them; random, and few are made per key


class SealBroken(Exception):
    """It was encrypted with another key, for another purpose, or was changed."""


class Vault:
    def __init__(self, secret: str) -> None:
        self._secret: Final = secret.encode()

    def seal(self, text: str, *, purpose: str) -> str:
        """`purpose` must be the same when it is opened, so that no row can take the place of another."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, text.encode(), purpose.encode())).decode()

    def open(self, sealed: str, *, purpose: str) -> str:
        """Raises SealBroken."""
        from cryptography.exceptions import InvalidTag

        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher().decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealBroken(purpose) from None

    def mark(self, text: str, *, purpose: str) -> bytes:
        """An HMAC-SHA-256 that shows later that `text` came from us."""
        return hmac.digest(self._key(f"mark {purpose}"), text.encode(), "sha256")

    def _cipher(self) -> AESGCM:
        # Imported when first used: it takes 0.1 s, and most processes never need it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key("encrypt"))

    def _key(self, use: str) -> bytes:
        return hmac.digest(self._secret, f"stappenplan {use}".encode(), hashlib.sha256)
