"""A browser in which an account signed in before, recognised by a cookie that only we can make.

It opens nothing. It only takes such a browser out of the count per address (see attempts.py), for that account.
"""

from __future__ import annotations

import hmac
import uuid
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Final

from app.storage.vault import Vault

VALID: Final = timedelta(days=180)  # since the last sign-in
_PURPOSE: Final = "known device"


def new_mark(vault: Vault, user_id: uuid.UUID, *, at: datetime) -> str:
    """Holds no name: a day, and a code over it and the account."""
    return _mark(vault, str(user_id), at.toordinal())


def is_known(vault: Vault, given: str | None, user_id: uuid.UUID | None, *, at: datetime) -> bool:
    """The same work for an account that is not there."""
    day = (given or "").partition(".")[0]
    ordinal = int(day) if day.isascii() and day.isdigit() and len(day) < 8 else 0
    right = hmac.compare_digest((given or "").encode(), _mark(vault, str(user_id), ordinal).encode())
    return right and user_id is not None and 0 <= at.toordinal() - ordinal <= VALID.days


def _mark(vault: Vault, account: str, ordinal: int) -> str:
    code = urlsafe_b64encode(vault.mark(f"{account} {ordinal}", purpose=_PURPOSE)).decode()
    return f"{ordinal}.{code.rstrip('=')}"
