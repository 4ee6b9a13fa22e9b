"""Under which keys sign-in attempts are counted. Whoever erases an account finds those of the account again."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Final

ACCOUNT: Final = "account"  # by login
SECOND_FACTOR: Final = "second factor"
RECOVERY_CODE: Final = "recovery code"
PASSKEY: Final = "passkey"


def attempt_key(kind: str, value: str) -> str:
    """Hashed, so that the table does not tell who tried from where."""
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()


def keys_of(user_id: uuid.UUID, *, login: str, passkeys: Iterable[str]) -> Iterator[str]:
    """All keys that belong to one account. `login` as stored, `passkeys` their credential ids."""
    yield attempt_key(ACCOUNT, login)
    yield attempt_key(SECOND_FACTOR, str(user_id))
    yield attempt_key(RECOVERY_CODE, str(user_id))
    for credential_id in passkeys:
        yield attempt_key(PASSKEY, credential_id)
