"""From an exception to a status and a page that says what to do. The only place where refusals get a status."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.engine.errors import Blocked, SealBroken, StepChanged
from app.engine.guards import NoSuchPart
from app.engine.run_migration.moves import MoveChanged
from app.storage.local_plans import LocalPlanNotFound
from app.storage.marks import Outdated
from app.storage.run_header import RunNotFound
from app.storage.run_store import StaleRun
from app.web.forms import TECHNICAL, FormInvalid, labels_of
from app.web.i18n import N_, gettext_for, language_of
from app.web.reasons import reason_text
from app.web.render import is_htmx, render

log = structlog.get_logger(__name__)

STATUS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        RunNotFound: 404,
        NoSuchPart: 404,
        LocalPlanNotFound: 404,
        Blocked: 409,
        StepChanged: 409,
        SealBroken: 409,
        MoveChanged: 409,
        Outdated: 409,
        StaleRun: 409,
        FormInvalid: 422,
    }
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Message ids: what happened, in a few words, and what the visitor can do about it."""

    title: str
    remedy: str


EXPLANATIONS: Final[Mapping[int | type[Exception], Explanation]] = MappingProxyType(
    {
        400: Explanation(
            N_("We cannot read this request"),
            N_("Go back to the page, load it again and try once more."),
        ),
        401: Explanation(N_("Log in first"), N_("Log in and open the page again.")),
        403: Explanation(
            N_("You may not do this"),
            N_(
                "Your role does not allow it, or the page was open too long. Load the page again. Does it still not "
                "work? Ask the administrator of your municipality."
            ),
        ),
        404: Explanation(
            N_("This page does not exist"),
            N_("Check the address, or look for it from the overview. Perhaps it belongs to another municipality."),
        ),
        405: Explanation(
            N_("This address does not work that way"),
            N_("Go back to the page and use the button there."),
        ),
        408: Explanation(
            N_("Sending took too long"),
            N_("Check your connection and send it again. With a slow connection: send the files one by one."),
        ),
        409: Explanation(
            N_("This cannot be done now"),
            N_("Look at the page again. Something changed, or something else must be done first."),
        ),
        413: Explanation(
            N_("This is too large"),
            N_("A file may be 25 MB at most. Make it smaller, or send the files one by one."),
        ),
        415: Explanation(
            N_("We do not accept this kind of file"),
            N_("Save it as PDF, as a document or as an image, and try again."),
        ),
        421: Explanation(
            N_("Stappenplan is not at this address"),
            N_("Use the address that your municipality gave you."),
        ),
        422: Explanation(
            N_("Not everything is filled in right"),
            N_("Go back to the form and mend what is named here."),
        ),
        428: Explanation(
            N_("This page was too old to save"),
            N_("Load the page again. Then fill in your text once more; you can copy it here."),
        ),
        429: Explanation(
            N_("Too many attempts in a short time"),
            N_("Wait a few minutes and try again."),
        ),
        500: Explanation(
            N_("Something went wrong on our side"),
            N_("Try again in a few minutes. Does it go wrong again? Give the number below to your administrator."),
        ),
        503: Explanation(
            N_("Stappenplan is not available for a moment"),
            N_("Try again in a few minutes."),
        ),
        StepChanged: Explanation(
            N_("Somebody else saved this step before you"),
            N_("Nothing was overwritten. Open the step again, look at what changed and add your text."),
        ),
        SealBroken: Explanation(
            N_("Something changed since you opened this page"),
            N_("Your decision was not recorded. Look at what changed first, then decide."),
        ),
        MoveChanged: Explanation(
            N_("Something changed since you opened this page"),
            N_("The trajectory did not move. Look at what changed first, then decide."),
        ),
        Outdated: Explanation(
            N_("Somebody else changed this since you opened the page"),
            N_("Nothing was recorded. Open the page again, look at what is there now, then decide."),
        ),
        StaleRun: Explanation(
            N_("Somebody else changed this trajectory at the same moment"),
            N_("Nothing was overwritten. Load the page again and try once more."),
        ),
        Blocked: Explanation(
            N_("This cannot be done yet"),
            N_("Mend the following first:"),
        ),
    }
)

TYPED_FIELDS_MAX: Final = 60
TYPED_CHARACTERS_MAX: Final = 100_000  # of all fields together: an error page stays an error page
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.:-]{20,}|[0-9a-f]{16,}")  # keys and ids, digests and marks
_CODE: Final = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")  # as ids of a step plan and names of choices are written
ONE_TEXT: Final = N_("Your text")
NUMBERED_TEXT: Final = N_("Text %(num)d")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Everything the error page shows besides its explanation."""

    status: int
    explanation: Explanation
    details: Sequence[str] = ()
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def install_error_pages(app: FastAPI) -> None:
    """Middleware that is added later also sees error pages; what was added before is inside them."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    for kind in STATUS:
        app.add_exception_handler(kind, _refusal)
    app.add_middleware(UnexpectedErrors)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code < 400:  # a redirect that was raised, for instance to the login page
        return Response(status_code=error.status_code, headers=headers)
    known = EXPLANATIONS.get(error.status_code) or EXPLANATIONS[400 if error.status_code < 500 else 500]
    return _answer(request, Refusal(error.status_code, known, headers=headers))


def _bad_request(request: Request, error: Exception) -> Response:
    """FastAPI refused a parameter: a path that cannot exist, a query or a form field that makes no sense."""
    assert isinstance(error, RequestValidationError)
    places = {str(item["loc"][0]) for item in error.errors()}
    status = 404 if "path" in places else 400 if "query" in places else 422
    return _answer(request, Refusal(status, EXPLANATIONS[status]))


def _refusal(request: Request, error: Exception) -> Response:
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    status = STATUS[kind]
    language = language_of(request)
    details: list[str] = []
    if isinstance(error, Blocked):
        details = [reason_text(reason, language) for reason in error.reasons]
    elif isinstance(error, FormInvalid):
        details = list(error.state(language).errors.values())
    return _answer(request, Refusal(status, EXPLANATIONS.get(kind) or EXPLANATIONS[status], details))


class UnexpectedErrors:
    """A bug becomes a page without a word about the inside, and a log line with the same reference; the bare 413
    of Starlette's body limit becomes a page too.

    Middleware, since Starlette's own catch-all is outside all middleware: its answer would lack our headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if status := _impossible_address(scope):
            await _answer(Request(scope), Refusal(status, EXPLANATIONS[status]))(scope, receive, send)
            return
        started = too_large = False

        async def watched(message: Message) -> None:
            nonlocal started, too_large
            if message["type"] == "http.response.start":
                too_large = message["status"] == 413 and _is_plain_text(message)
                started = not too_large
            if not too_large:
                await send(message)

        try:
            await self._app(scope, receive, watched)
        except HTTPException as refused:  # by middleware; those of routes were answered further inside
            if started:
                raise
            await _http_error(Request(scope), refused)(scope, receive, send)
        except Exception:
            if started:  # too late for a page; the server closes the connection
                raise
            request, reference = Request(scope), secrets.token_hex(4)
            log.exception("unexpected_error", reference=reference, method=request.method, path=request.url.path)
            await _crash_page(request, reference)(scope, receive, send)
        else:
            if too_large:
                await _answer(Request(scope), Refusal(413, EXPLANATIONS[413]))(scope, receive, send)


def _impossible_address(scope: Scope) -> int | None:
    """No text of ours has a NUL in it, and PostgreSQL takes none: nothing is there, so nobody needs to look."""
    if "\x00" in scope["path"]:
        return 404
    return 400 if b"%00" in scope["query_string"] else None


def _is_plain_text(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/plain") for name, value in message["headers"])


def _crash_page(request: Request, reference: str) -> Response:
    try:
        return _answer(request, Refusal(500, EXPLANATIONS[500], reference=reference))
    except Exception:
        # The page itself may be what is broken. Then say it without one.
        log.exception("error_page_failed", reference=reference)
        text = gettext_for(language_of(request)).gettext(EXPLANATIONS[500].title)
        return HTMLResponse(f"<!doctype html><title>{text}</title><h1>{text}</h1><p>{reference}</p>", 500)


def _answer(request: Request, refusal: Refusal) -> Response:
    if request.url.path.startswith("/api/"):
        return _problem(request, refusal)
    response = render(
        request,
        "errors/error.html",
        block="page_error",
        status=refusal.status,
        refusal=refusal,
        explanation=refusal.explanation,
        typed=typed_again(request),
        is_part=is_htmx(request),
    )
    response.headers.update(refusal.headers)
    if is_htmx(request):
        # Into a place of its own: replacing the form would throw away what was typed in it.
        response.headers["HX-Retarget"] = "#page-alert"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _problem(request: Request, refusal: Refusal) -> Response:
    texts = gettext_for(language_of(request))
    body: dict[str, Any] = {
        "status": refusal.status,
        "title": texts.gettext(refusal.explanation.title),
        "detail": " ".join([texts.gettext(refusal.explanation.remedy), *refusal.details]),
    }
    if refusal.reference:
        body["reference"] = refusal.reference
    return JSONResponse(body, refusal.status, dict(refusal.headers), media_type="application/problem+json")


def typed_again(request: Request) -> list[tuple[str, str]]:
    """What the visitor typed in the form that failed, to copy: (label, text). No passwords, no tokens, and no codes of
    what was chosen: without the page they say nothing."""
    typed: Mapping[str, tuple[str, ...]] = getattr(request.state, "typed", {})
    texts = gettext_for(language_of(request))
    labels = labels_of([name for name in typed if name not in TECHNICAL])
    found = [*_within_bounds(_readable(typed, labels))]
    unnamed = [number for number, (name, _) in enumerate(found) if name not in labels]
    neutral = {
        number: texts.gettext(NUMBERED_TEXT) % {"num": count} if len(unnamed) > 1 else texts.gettext(ONE_TEXT)
        for count, number in enumerate(unnamed, start=1)
    }
    return [(neutral.get(number) or texts.gettext(labels[name]), text) for number, (name, text) in enumerate(found)]


def _readable(typed: Mapping[str, tuple[str, ...]], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, values in typed.items():
        for value in values:
            if name in TECHNICAL or not value.strip() or _TOKEN.fullmatch(value):
                continue
            if name in labels or not _CODE.fullmatch(value):
                yield name, value


def _within_bounds(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    room = TYPED_CHARACTERS_MAX
    for name, text in islice(texts, TYPED_FIELDS_MAX):
        if room <= 0:
            return
        yield name, text[:room]
        room -= len(text)
