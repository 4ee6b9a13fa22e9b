"""Who is asking: the session cookie, and the user and municipality that belong to it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.engine.run import Run
from app.policy import ALL_RUNS, Action, Reach, Role, deciding_roles, reach
from app.storage.accounts import MunicipalityRoles
from app.storage.logins import OpenLogin

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)  # a working day; after it one signs in again, however busy
TOUCH_EVERY: Final = timedelta(minutes=1)  # `seen_at` is this much behind at most: a page is no write
TOKEN_BYTES: Final = 32

COOKIE: Final = "stappenplan"
PENDING_COOKIE: Final = "stappenplan-stap2"  # between the password and the second factor
DEVICE_COOKIE: Final = "stappenplan-apparaat"  # an account signed in here before
FLOW_COOKIE: Final = "stappenplan-organisatie"  # on the way to a provider and back
FLOW_SECONDS: Final = 600
SECURE_PREFIX: Final = "__Host-"  # browsers take it only over TLS, for this host, and for all paths
SECURE_COOKIE: Final = f"{SECURE_PREFIX}{COOKIE}"


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user at work in one municipality. `memberships` are all of this user's, for switching."""

    user_id: str
    name: str
    municipality_id: uuid.UUID
    municipality_name: str
    roles: frozenset[Role]
    memberships: tuple[MunicipalityRoles, ...]
    limited: frozenset[Role] = frozenset()  # of `roles`, those that count on some runs only
    auditor_until: date | None = None

    def roles_on(self, run: Run) -> frozenset[str]:
        """That count when deciding on this run, as step plans name them."""
        return deciding_roles(self.roles, is_shared=self.user_id in run.advisers)

    @property
    def sees_all_runs(self) -> bool:
        return self.reach(Action.VIEW_RUN) == ALL_RUNS

    def may(self, action: Action) -> bool:
        """At all; of a role that counts on some runs only, the session knows on which for the action of the route, and
        app/web/on_run.py for another."""
        return self.reach(action) is not None

    def reach(self, action: Action) -> Reach | None:
        return reach(self.roles, self.limited, action)


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
        limited=chosen.limited,
        auditor_until=chosen.auditor_until,
    )


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def session_id_of(token: str) -> str:
    """As stored. A fast hash will do: the token is random, there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(request: Request) -> str | None:
    return _value_of(request, COOKIE)


def give_cookie(request: Request, response: Response, token: str) -> None:
    """For as long as the browser is open; the server decides when the session ends."""
    _give(request, response, COOKIE, token)


def take_cookie(request: Request, response: Response) -> None:
    _take(request, response, COOKIE)


def renewed_cookie(request: Request, token: str) -> bytes:
    """The value of a Set-Cookie header, for an answer that is not there yet."""
    scratch = Response()
    give_cookie(request, scratch, token)
    return scratch.headers["set-cookie"].encode("latin-1")


def pending_token_of(request: Request) -> str | None:
    return _value_of(request, PENDING_COOKIE)


def give_pending_cookie(request: Request, response: Response, token: str) -> None:
    _give(request, response, PENDING_COOKIE, token)


def take_pending_cookie(request: Request, response: Response) -> None:
    _take(request, response, PENDING_COOKIE)


def flow_token_of(request: Request) -> str | None:
    return _value_of(request, FLOW_COOKIE)


def give_flow_cookie(request: Request, response: Response, token: str) -> None:
    _give(request, response, FLOW_COOKIE, token, seconds=FLOW_SECONDS)


def device_mark_of(request: Request) -> str | None:
    return _value_of(request, DEVICE_COOKIE)


def give_device_mark(request: Request, response: Response, mark: str, *, seconds: int) -> None:
    _give(request, response, DEVICE_COOKIE, mark, seconds=seconds)


def _value_of(request: Request, name: str) -> str | None:
    return request.cookies.get(_full_name(request, name)) or None


def _give(request: Request, response: Response, name: str, token: str, *, seconds: int | None = None) -> None:
    full, secure = _full_name(request, name), _is_secure(request)
    response.set_cookie(full, token, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def _take(request: Request, response: Response, name: str) -> None:
    full = _full_name(request, name)
    response.delete_cookie(full, path="/", secure=_is_secure(request), httponly=True, samesite="lax")


def _full_name(request: Request, name: str) -> str:
    return f"{SECURE_PREFIX}{name}" if _is_secure(request) else name


def _is_secure(request: Request) -> bool:
    secure: bool = request.app.state.secure_cookies
    return secure


def seen_after(at: datetime) -> datetime:
    """A session that was last seen before this moment has ended."""
    return at - IDLE


def is_touch_due(login: OpenLogin, at: datetime) -> bool:
    return at - login.seen_at >= TOUCH_EVERY
