"""Each route declares who may call it; a route that doesn't stops the start-up (`check_routes`).

    @router.get("/trajecten/{run_id}")
    def run_page(run_id: str, session: ReadSession, caller: Annotated[Caller, allowed(Action.VIEW_RUN)]) -> Response:

`allowed(action)` gives the Caller, and limits the session of the request to the caller's municipality, and to the runs
on which the caller may do it: so no route of a run can go around the policy.
`signed_in` gives the OpenLogin, for what precedes a municipality. `public` gives nothing:
`@router.get("/toegankelijkheid", dependencies=[public])`.

The same declaration checks where a change comes from and its CSRF token, so that neither can be forgotten.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

import structlog
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from sqlalchemy import event
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute

from app.policy import NO_RUNS, Action, OperatorAction, Reach, may_by_mandate, operator_may
from app.storage import logins, mandates, open_sessions
from app.storage.database import Database, RequestSession
from app.storage.logins import OpenLogin
from app.storage.scope import set_reach, set_scope
from app.web.clock import now
from app.web.csrf import TokenWrong, check_token, is_unsafe, origin_is_ours
from app.web.forms import Posted, posted_form
from app.web.identity import (
    Caller,
    caller_of,
    is_touch_due,
    new_token,
    renewed_cookie,
    seen_after,
    session_id_of,
    token_of,
)
from app.web.kept import Kept, keep
from app.web.once import key_in, recognise
from app.web.renewed import STATE_KEY

log = structlog.get_logger(__name__)


class NotSignedIn(Exception):
    """No session, or one that has ended. `kept` is what was sent, to be sent again after signing in."""

    def __init__(self, kept: Kept | None = None) -> None:
        super().__init__()
        self.kept = kept


class NoMunicipality(NotSignedIn):
    """Signed in, but the user has yet to choose a municipality, or lost the chosen one."""


class TokenRefused(NotSignedIn):
    """Signed in, but the form is of another session, for instance after signing in again in another tab."""


class NotAllowed(HTTPException):
    """The caller's roles do not include this action."""

    def __init__(self, action: Action | OperatorAction) -> None:
        super().__init__(403, f"no role for {action}")
        self.action = action


class ForeignOrigin(HTTPException):
    """A change that another site sent in the name of our user. What it sent is never offered to be sent again."""

    def __init__(self) -> None:
        super().__init__(403, "sent from another site")


async def read_form(request: Request) -> None:
    """For Database.before_writing: somebody who sends slowly must not keep all other writers waiting."""
    await posted_form(request)


async def _open_login(request: Request, session: RequestSession, background: BackgroundTasks) -> OpenLogin | None:
    """Who is asking, in one query, on the connection that the route uses too."""
    token = token_of(request)
    if token is None:
        return None
    session_id, at, changes = session_id_of(token), now(request), is_unsafe(request)
    database: Database = request.app.state.database
    if database.is_sqlite and not changes:
        # Reading one row waits for nobody there (WAL), and costs less than to hand it to a thread.
        login = logins.find_login(session, session_id, at=at, seen_after=seen_after(at))
    else:
        form_key = key_in(await posted_form(request)) if changes else None
        login = await run_in_threadpool(_find_login, session, session_id, at, touch=changes, form_key=form_key)
    if login is None:
        return None
    if login.is_renewal_due:
        login = await _renew(request, session, login)
    if is_touch_due(login, at) and not changes:
        background.add_task(_touch, database, login.session_id, at)
    request.state.login = login
    if caller := caller_of(login):
        request.state.caller = caller
        set_scope(session, caller.municipality_id)
        if not caller.sees_all_runs:
            set_reach(session, login.user_id, NO_RUNS)  # until a route says what it is for, see Allowed
    return login


def _find_login(
    session: Session, session_id: str, at: datetime, *, touch: bool, form_key: str | None
) -> OpenLogin | None:
    login = logins.find_login(session, session_id, at=at, seen_after=seen_after(at), form_key=form_key)
    if login and touch and is_touch_due(login, at):
        logins.touch_session(session, session_id, at=at)
    return login


async def _renew(request: Request, session: Session, login: OpenLogin) -> OpenLogin:
    """The roles changed, so from now on the session has another id: whoever got hold of the old one has nothing."""
    token = new_token()
    new_id = session_id_of(token)
    header = renewed_cookie(request, token)

    def leave_cookie(_session: object) -> None:
        # Only once it is stored: of a change that is rolled back the old id stays.
        request.scope.setdefault("state", {})[STATE_KEY] = header

    if is_unsafe(request):
        if not await run_in_threadpool(open_sessions.give_new_id, session, login.session_id, new_id):
            return login
        event.listen(session, "after_commit", leave_cookie, once=True)
        return replace(login, session_id=new_id)
    # Beside the request's own session, which only reads.
    if await run_in_threadpool(_renew_at_once, request.app.state.database, login.session_id, new_id):
        leave_cookie(None)
        await run_in_threadpool(session.rollback)  # so that what the page reads next is not from before
        return replace(login, session_id=new_id)
    return login


def _renew_at_once(database: Database, session_id: str, new_id: str) -> bool:
    with database.write() as session:
        return open_sessions.give_new_id(session, session_id, new_id)


async def _touch(database: Database, session_id: str, at: datetime) -> None:
    async with database.writing_request() as session:
        await run_in_threadpool(logins.touch_session, session, session_id, at=at)


CurrentLogin = Annotated[OpenLogin | None, Depends(_open_login)]


class Policy:
    """Base of what a route can declare."""


@dataclass(frozen=True, slots=True)
class Public(Policy):
    """Everybody. A change must still come from our own pages, since signing in is one."""

    async def __call__(self, request: Request) -> None:
        _refuse_foreign(request)


@dataclass(frozen=True, slots=True)
class SignedIn(Policy):
    """Every user with a session, also before choosing a municipality."""

    async def __call__(self, request: Request, form: Posted, login: CurrentLogin) -> OpenLogin:
        checked = _checked(request, form, login)
        recognise(request, form, checked)
        return checked


@dataclass(frozen=True, slots=True)
class Allowed(Policy):
    """Users with a role that may do `action`, in the municipality in which they work now."""

    action: Action

    async def __call__(self, request: Request, form: Posted, login: CurrentLogin, session: RequestSession) -> Caller:
        checked = _checked(request, form, login)
        caller: Caller | None = getattr(request.state, "caller", None)
        if caller is None:
            raise NoMunicipality(_kept(request, form))
        within = caller.reach(self.action)
        if within is None and may_by_mandate(caller.roles, self.action):
            within = await self._as_deputy(request, session, caller, checked.user_id)
        if within is None:
            _tell(request, "no_role", login, action=self.action)
            raise NotAllowed(self.action)
        set_reach(session, checked.user_id, within)
        recognise(request, form, checked)
        return caller

    async def _as_deputy(self, request: Request, session: Session, caller: Caller, user_id: uuid.UUID) -> Reach | None:
        """On a run whose manager is absent, for who stands in; what exactly, the engine says."""
        seen, run_id = caller.reach(Action.VIEW_RUN), str(request.path_params.get("run_id", ""))
        if seen is None:
            return None
        set_reach(session, user_id, seen)
        stands_in = partial(mandates.stands_in, session, user_id, run_id, at=now(request))
        return seen if await run_in_threadpool(stands_in) else None


@dataclass(frozen=True, slots=True)
class Operating(Policy):
    """Operators of the installation. Whatever roles they have too, no run is within reach here."""

    action: OperatorAction

    async def __call__(self, request: Request, form: Posted, login: CurrentLogin, session: RequestSession) -> OpenLogin:
        found = _checked(request, form, login)
        if not (found.is_operator and operator_may(self.action)):
            _tell(request, "no_operator", found, action=self.action)
            raise NotAllowed(self.action)
        set_reach(session, found.user_id, NO_RUNS)
        recognise(request, form, found)
        return found


def _checked(request: Request, form: Posted, login: OpenLogin | None) -> OpenLogin:
    _refuse_foreign(request)
    if login is None:
        raise NotSignedIn(_kept(request, form))
    try:
        check_token(request, form, login.csrf_token)
    except TokenWrong:
        _tell(request, "wrong_token", login)
        raise TokenRefused(_kept(request, form)) from None
    return login


def _kept(request: Request, form: Posted) -> Kept | None:
    """Our cookie is not sent along from another site, so an attack looks like a lost session. It is only offered to
    be sent again with one click if the browser vouches for where it comes from, as all browsers do since 2020."""
    return keep(request, form) if is_unsafe(request) and origin_is_ours(request) else None


def _refuse_foreign(request: Request) -> None:
    if is_unsafe(request) and origin_is_ours(request) is False:
        _tell(request, "foreign_origin", None)
        raise ForeignOrigin


def _tell(request: Request, why: str, login: OpenLogin | None, **more: str) -> None:
    """For whoever watches for attempts to get around: ids only, and no failure of ours."""
    user = str(login.user_id) if login else None
    log.info("access_refused", why=why, method=request.method, path=request.url.path, user=user, **more)


public: Final[Any] = Depends(Public())
signed_in: Final[Any] = Depends(SignedIn())


def allowed(action: Action) -> Any:
    return Depends(Allowed(action))


def operating(action: OperatorAction) -> Any:
    return Depends(Operating(action))


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    path: str
    methods: frozenset[str]
    policies: tuple[Policy, ...]


def route_policies(app: FastAPI, *, exempt: Collection[str] = ()) -> Iterator[RoutePolicy]:
    """Every address that the app answers, except the `exempt` paths, with what it declares."""
    yield from _policies_of(app.routes, "", exempt)


def check_routes(app: FastAPI, *, exempt: Collection[str] = ()) -> None:
    """Call at start-up, after the last route.  `exempt`: paths of mounts and the like that serve nothing private.

    Raises RuntimeError that names each route without exactly one policy.
    """
    problems = []
    for route in route_policies(app, exempt=exempt):
        name = f"{' '.join(sorted(route.methods)) or 'any method'} {route.path}"
        if not route.policies:
            problems.append(
                f"{name}: declare public, signed_in, allowed(Action.…) or operating(…), see app/web/access.py"
            )
        elif len(route.policies) > 1:
            problems.append(f"{name}: declares {len(route.policies)} policies, keep one: {route.policies}")
    if problems:
        raise RuntimeError("\n".join(["routes without a clear policy:", *sorted(problems)]))


def _policies_of(routes: Iterable[BaseRoute], prefix: str, exempt: Collection[str]) -> Iterator[RoutePolicy]:
    for context in iter_route_contexts(list(routes)):
        path = prefix + str(getattr(context, "path", ""))
        if path in exempt:
            continue
        dependant = getattr(context, "dependant", None)
        inner = getattr(context, "routes", None)
        if dependant is None and inner:
            yield from _policies_of(inner, path, exempt)
            continue
        found = set(_declared(dependant)) if isinstance(dependant, Dependant) else set()
        methods = frozenset(getattr(context, "methods", None) or ())
        yield RoutePolicy(path, methods, tuple(sorted(found, key=repr)))


def _declared(dependant: Dependant) -> Iterator[Policy]:
    for dependency in dependant.dependencies:
        call: object = dependency.call
        if isinstance(call, Policy):
            yield call
        yield from _declared(dependency)
