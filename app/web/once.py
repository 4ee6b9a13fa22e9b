"""A form counts once. Each carries a key of its own; sent again by the same user, as with a double click or a browser
that tries again, it has no second effect and gets the answer of the first.

The policy of a route asks `recognise()` whether the form was answered before, with what the query for the login found
out along the way. `Route` writes down the answer as the last statement of the same transaction. Two requests at the
same moment meet in the database: whoever is refused there is undone, and gets the answer of the other.

An answer is an address: a redirect, or what `shown_at()` names for an answer that is a page. A refusal is no answer,
and may be tried again with the same key; so may a form whose answer names no address, as that of a download.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.storage import answered_forms
from app.storage.answered_forms import Answered
from app.storage.database import SAFE_METHODS, Database
from app.web.clock import now
from app.web.forms import CSRF_FIELD, ONCE_FIELD
from app.web.kept import Kept, address_of, keep
from app.web.notice import known, see_other
from app.web.render import is_htmx, render


class AnsweredBefore(Exception):
    """Not a failure: the same form was answered already."""

    def __init__(self, answered: Answered) -> None:
        super().__init__(answered.address)
        self.answered = answered


class SentWithOtherContent(Exception):
    """The key of a form that was answered, with something else in it: sent again after going back in the browser.
    `kept` is what was sent, to send it all the same."""

    def __init__(self, kept: Kept | None) -> None:
        super().__init__()
        self.kept = kept


class Login(Protocol):
    @property
    def user_id(self) -> uuid.UUID: ...
    @property
    def answered(self) -> Answered | None: ...


@dataclass(frozen=True, slots=True)
class _Sent:
    """The form of this request. `key` as stored."""

    user_id: uuid.UUID
    key: str
    content: str


def key_in(form: FormData) -> str | None:
    """As stored; None for a form without."""
    key = form.get(ONCE_FIELD)
    return answered_forms.stored_key(key) if isinstance(key, str) and key else None


def recognise(request: Request, form: FormData, login: Login) -> None:
    """Call when the caller may do this, before anything is done.  Raises AnsweredBefore, SentWithOtherContent."""
    key = form.get(ONCE_FIELD)
    if request.method in SAFE_METHODS or not isinstance(key, str) or not key:
        return
    sent = _Sent(login.user_id, answered_forms.stored_key(key), _content(request, form, key))
    if login.answered is not None:
        if not hmac.compare_digest(login.answered.content, sent.content):
            raise SentWithOtherContent(_without_key(keep(request, form)))
        raise AnsweredBefore(login.answered)
    request.state.sent = sent


def shown_at(request: Request, address: str) -> None:
    """For a change whose answer is a page instead of a redirect: where somebody goes who sends the form again."""
    request.state.shown_at = address


def _content(request: Request, form: FormData, key: str) -> str:
    """A digest of what was sent and where. The token of the session is not part of it: that is another one after
    signing in again."""
    fields = sorted(_told(form))
    told = json.dumps([address_of(request), fields], ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hmac.new(key.encode("utf-8", "surrogatepass"), told, hashlib.sha256).hexdigest()


def _told(form: FormData) -> Iterator[tuple[str, str, str]]:
    for name, value in form.multi_items():
        if name in (CSRF_FIELD, ONCE_FIELD):
            continue
        if isinstance(value, UploadFile):
            yield name, value.filename or "", _digest(value)
        else:
            yield name, value, ""


def _digest(file: UploadFile) -> str:
    known: str | None = getattr(file, "sha256", None)  # of a file that went to the disk as it came in
    if known is not None:
        return known
    file.file.seek(0)
    digest = hashlib.file_digest(file.file, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file will do
    file.file.seek(0)
    return digest


def _without_key(kept: Kept | None) -> Kept | None:
    if kept is None:
        return None
    fields = tuple(field for field in kept.fields if field[0] != ONCE_FIELD)
    return Kept(kept.target, fields, is_complete=kept.is_complete)


# --- around a route ----------------------------------------------------------------------------------------------

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose changes count once per form. FastAPI ends the transaction after what this handler gives."""

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()
        if (self.methods or set()) <= SAFE_METHODS:
            return handle

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
                await _remember(request, response)
            except (AnsweredBefore, SentWithOtherContent):
                raise
            except Exception:
                await _look_again(request)
                raise
            if response.status_code >= 400:
                await _look_again(request)
            return response

        return handle_once


async def _remember(request: Request, response: Response) -> None:
    sent: _Sent | None = getattr(request.state, "sent", None)
    answer = _answer_of(request, response)
    if sent is None or answer is None:
        return
    address, notice = answer
    answered = Answered(sent.content, address, notice)
    session: Session = request.state.session
    await run_in_threadpool(answered_forms.remember, session, sent.user_id, sent.key, answered, at=now(request))


def _answer_of(request: Request, response: Response) -> tuple[str, str] | None:
    if response.status_code >= 400:
        return None
    if isinstance(response, RedirectResponse):
        return response.headers["location"], getattr(response, "notice", None) or ""
    address: str | None = getattr(request.state, "shown_at", None)
    return (address, "") if address is not None else None


async def _look_again(request: Request) -> None:
    """A refusal may come from what the same form did in another request, which was first. On SQLite that request had
    ended before this one began.  Raises AnsweredBefore."""
    sent: _Sent | None = getattr(request.state, "sent", None)
    database: Database = request.app.state.database
    if sent is None or database.is_sqlite:
        return

    def find() -> Answered | None:
        with database.read() as session:
            return answered_forms.find(session, sent.user_id, sent.key)

    if (answered := await run_in_threadpool(find)) is not None:
        raise AnsweredBefore(answered)


def install_once(app: FastAPI) -> None:
    app.add_exception_handler(AnsweredBefore, _answer_again)
    app.add_exception_handler(SentWithOtherContent, _ask_whether_again)


def _answer_again(_request: Request, before: Exception) -> Response:
    assert isinstance(before, AnsweredBefore)
    return see_other(before.answered.address, notice=known(before.answered.notice))


def _ask_whether_again(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, SentWithOtherContent)
    response = render(request, "errors/sent_before.html", block="page_error", status=422, kept=refusal.kept)
    if is_htmx(request):
        # Beside the form: replacing that would throw away what was typed in it.
        response.headers["HX-Retarget"] = "#page-alert"
        response.headers["HX-Reswap"] = "innerHTML"
    return response
