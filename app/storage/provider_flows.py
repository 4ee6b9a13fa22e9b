"""Sign-ins that are on the way to a provider and back. Callers begin and end the transaction."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.storage.tables import ProviderFlow
from app.storage.vault import SealBroken, Vault


@dataclass(frozen=True, slots=True)
class Flow:
    """`user_id`: who is signed in and links an account. `secrets` went to the provider in our place, or wait here."""

    provider: str
    user_id: uuid.UUID | None
    verder: str
    secrets: Mapping[str, Any]


def begin_flow(
    session: Session, vault: Vault, flow: Flow, *, state: str, browser: str, at: datetime, expires_at: datetime
) -> None:
    """`state` and `browser` are tokens: the one goes along in the address, the other stays in a cookie."""
    session.execute(sa.delete(ProviderFlow).where(col(ProviderFlow.expires_at) <= at))
    row_id = _digest(state)
    session.add(
        ProviderFlow(
            id=row_id,
            browser=_digest(browser),
            provider=flow.provider,
            user_id=flow.user_id,
            verder=flow.verder,
            sealed=vault.seal(json.dumps(dict(flow.secrets)), purpose=_purpose(row_id)),
            expires_at=expires_at,
        )
    )
    session.flush()


def end_flow(session: Session, vault: Vault, *, state: str, browser: str, provider: str, at: datetime) -> Flow | None:
    """What began in this browser with this provider; it is used up. None if it did not, or too long ago, or is used."""
    row_id = _digest(state)
    ours = sa.delete(ProviderFlow).where(
        col(ProviderFlow.id) == row_id,
        col(ProviderFlow.browser) == _digest(browser),
        col(ProviderFlow.provider) == provider,
        col(ProviderFlow.expires_at) > at,
    )
    columns = (col(ProviderFlow.user_id), col(ProviderFlow.verder), col(ProviderFlow.sealed))
    row = session.connection().execute(ours.returning(*columns)).one_or_none()
    if row is None:
        return None
    try:
        secrets = json.loads(vault.open(row.sealed, purpose=_purpose(row_id)))
    except SealBroken:  # SECRET_KEY changed meanwhile
        return None
    return Flow(provider, row.user_id, row.verder, secrets)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _purpose(row_id: str) -> str:
    return f"provider flow {row_id}"
