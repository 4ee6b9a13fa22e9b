"""Who is asking: the session cookie, and the user and municipality that belong to it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.policy import Action, Role, may
from app.storage.accounts import MunicipalityRoles, OpenLogin

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)  # a working day; after it one signs in again, however busy
TOUCH_EVERY: Final = timedelta(minutes=1)  # `seen_at` is this much behind at most: a page is no write
TOKEN_BYTES: Final = 32

COOKIE: Final = "stappenplan"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"  # browsers take it only over TLS, for this host, and for all paths


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user at work in one municipality. `memberships` are all of this user's, for switching."""

    user_id: str
    name: str
    municipality_id: uuid.UUID
    municipality_name: str
    roles: frozenset[Role]
    memberships: tuple[MunicipalityRoles, ...]

    @property
    def role_names(self) -> frozenset[str]:
        """As step plans name who may decide."""
        return frozenset(role.value for role in self.roles)

    def may(self, action: Action) -> bool:
        return may(self.roles, action)


def caller_of(login: OpenLogin) -> Caller | None:
    """None while the user has several municipalities and did not choose, or has none (any more)."""
    held = login.memberships
    chosen = next((m for m in held if m.municipality_id == login.municipality_id), None)
    if chosen is None and len(held) == 1:
        chosen = held[0]
    if chosen is None:
        return None
    return Caller(
        user_id=str(login.user_id),
        name=login.user_name,
        municipality_id=chosen.municipality_id,
        municipality_name=chosen.municipality_name,
        roles=chosen.roles,
        memberships=held,
    )


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def session_id_of(token: str) -> str:
    """As stored. A fast hash will do: the token is random, there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(request: Request) -> str | None:
    return request.cookies.get(_cookie_name(request)) or None


def give_cookie(request: Request, response: Response, token: str) -> None:
    """For as long as the browser is open; the server decides when the session ends."""
    response.set_cookie(
        _cookie_name(request), token, path="/", secure=_is_secure(request), httponly=True, samesite="lax"
    )


def take_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(_cookie_name(request), path="/", secure=_is_secure(request), httponly=True, samesite="lax")


def _cookie_name(request: Request) -> str:
    return SECURE_COOKIE if _is_secure(request) else COOKIE


def _is_secure(request: Request) -> bool:
    secure: bool = request.app.state.secure_cookies
    return secure


def seen_after(at: datetime) -> datetime:
    """A session that was last seen before this moment has ended."""
    return at - IDLE


def is_touch_due(login: OpenLogin, at: datetime) -> bool:
    return at - login.seen_at >= TOUCH_EVERY
