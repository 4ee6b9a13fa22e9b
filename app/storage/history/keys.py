"""The key that signs heads: Ed25519, in a file outside of the database."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.log import fingerprint, spki

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# cryptography is imported where it is needed: it takes 50 ms, and most processes never sign.


class KeyUnusable(Exception):
    """The file of the key can't be read, or holds something else."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`public` in hex, 32 bytes."""

    private: Ed25519PrivateKey
    public: str

    def sign(self, document: bytes) -> str:
        return self.private.sign(document).hex()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public)


def load_key(path: Path) -> SigningKey | None:
    """None when there is no such file.  Raises KeyUnusable."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        found = _key_in(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"the key for the history in {path} cannot be used: {error}") from None
    if found is None:
        raise KeyUnusable(f"the key for the history in {path} is not one of Ed25519")
    return found


@lru_cache(maxsize=2)
def _key_in(pem: bytes) -> SigningKey | None:
    """The file is read for every signature, and what is in it understood once."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(pem, password=None)
    return _signing_key(private) if isinstance(private, Ed25519PrivateKey) else None


def make_key(path: Path) -> SigningKey:
    """Only its owner can read the file. Two processes that make it at once get the same.  Raises KeyUnusable."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(unfinished)  # fails where the file is there, unlike a rename
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise KeyUnusable(f"the key for the history cannot be kept in {path}: {error.strerror}") from None
    made = load_key(path)
    assert made is not None, "it was written above"
    return made


def _signing_key(private: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(private, private.public_key().public_bytes_raw().hex())


def is_signed(key: str, document: bytes, signature: str) -> bool:
    """Whether `signature` (hex) over the document was made with the private half of `key` (hex)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), document)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_pem(key: str) -> str:
    """As `openssl` reads it."""
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(spki(key)).decode()}\n-----END PUBLIC KEY-----\n"


def sync_folder(folder: Path) -> None:
    """So that a file in it is still there after a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
