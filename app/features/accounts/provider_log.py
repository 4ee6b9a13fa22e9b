"""What is told of people and their providers: in the log of accounts, and of refusals in that of the application."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

import structlog
from sqlmodel import Session

from app.features.accounts.service import Visit
from app.openid.providers import Provider
from app.policy import Role
from app.storage import account_log
from app.storage.account_log import Act

log = structlog.get_logger(__name__)


def note(
    session: Session,
    act: Act,
    about: uuid.UUID,
    place: uuid.UUID,
    provider: Provider,
    visit: Visit,
    *,
    by_user: bool = True,
    detail: Mapping[str, Collection[Role]] | None = None,
) -> None:
    trace = visit.trace(about if by_user else None)
    roles = {name: [role.value for role in held] for name, held in (detail or {}).items()}
    told = {"provider": provider.key, **roles}
    account_log.note(session, act, about=about, trace=trace, municipality_id=place, detail=told)


def note_failure(provider: Provider, why: str) -> None:
    log.warning("provider_sign_in_refused", provider=provider.key, why=why)
