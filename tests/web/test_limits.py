"""Slow senders and foreign names."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.web.forms import Posted
from app.web.health import router as health
from app.web.limits import BODY_SECONDS_MIN, SlowSenders
from tests.web.pages_app import SITE, a_visitor, an_app

router = APIRouter()


@router.get("/pagina")
def page() -> Response:
    return PlainTextResponse("x")


@router.get("/naar-buiten")
def outside() -> Response:
    return RedirectResponse("https://aanbieder.example/aanmelden")


@router.post("/formulier")
def form(form: Posted) -> Response:
    return PlainTextResponse(str(form["naam"]))


@pytest.fixture(autouse=True)
def _what_a_client_does_wrong_is_no_fault_of_ours() -> Iterator[None]:
    with capture_logs() as told:
        yield
    assert told == []


def _sent(parts: list[bytes], clock: Callable[[], float], *, ends: bool = True, **limits: Any) -> bytes:
    """The body as the application gets it.  Raises HTTPException."""
    waiting = list(parts)

    async def receive() -> Message:
        if not waiting:
            if ends:
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting) or not ends}

    body = bytearray()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            body.extend(message["body"])

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}
    asyncio.run(SlowSenders(application, clock=clock, **limits)(scope, receive, send))
    return bytes(body)


def test_body_that_keeps_coming_gets_the_time_that_its_size_takes():
    """A second per call: at 100 bytes a second ten parts take longer than the 5 seconds that everybody gets."""
    seconds = itertools.count().__next__

    assert _sent([b"a" * 100] * 10, seconds, seconds=5, bytes_per_second=100) == b"a" * 1000


def test_body_that_trickles_is_refused():
    with pytest.raises(HTTPException) as refusal:
        _sent([b"a"] * 10, itertools.count().__next__, seconds=5, bytes_per_second=100)

    assert refusal.value.status_code == 408


def test_body_that_never_ends_is_refused():
    with pytest.raises(HTTPException) as refusal:
        _sent([b"a"], lambda: 0.0, ends=False, seconds=0.01, bytes_per_second=100)

    assert refusal.value.status_code == 408


def test_slow_sender_gets_a_page_and_the_connection_is_closed():
    app = an_app(router)
    _with(app, clock=itertools.count(0, BODY_SECONDS_MIN + 1).__next__)

    answer = a_visitor(app).post("/formulier", data={"naam": "x"})

    assert answer.status_code == 408
    assert answer.headers["connection"] == "close"
    assert "Het versturen duurde te lang" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_sends_at_an_ordinary_pace_notices_nothing():
    assert a_visitor(an_app(router)).post("/formulier", data={"naam": "Ada"}).text == "Ada"


def _with(app: FastAPI, **values: Any) -> None:
    """Sets how patient an application is."""
    (found,) = (layer for layer in app.user_middleware if getattr(layer.cls, "__name__", "") == SlowSenders.__name__)
    found.kwargs.update(values)


@pytest.fixture(scope="module")
def installation() -> TestClient:
    """In production, on an address of its own."""
    both = APIRouter()
    both.include_router(router)
    both.include_router(health)
    return a_visitor(an_app(both, tls=True))


OWN = SITE.public_url.removeprefix("https://")


@pytest.mark.parametrize("host", [OWN, OWN.upper(), f"{OWN}:443"])
def test_own_name_is_answered(installation: TestClient, host: str):
    assert installation.get("/pagina", headers={"Host": host}).text == "x"


@pytest.mark.parametrize(
    "host", ["kwaad.example", f"{OWN}.kwaad.example", f"kwaad.example:80@{OWN}", f"{OWN}:8000", ""]
)
@pytest.mark.parametrize("path", ["/pagina", "/pagina/", "/bestaat-niet"])
def test_another_name_is_refused_with_a_page_that_does_not_repeat_it(installation: TestClient, host: str, path: str):
    answer = installation.get(path, headers={"Host": host, "X-Forwarded-Host": "kwaad.example"})

    assert answer.status_code == 421
    assert "Stappenplan staat niet op dit adres" in answer.text
    assert "kwaad" not in answer.text + str(answer.headers)


def test_forwarded_host_counts_for_nothing(installation: TestClient):
    headers = {"Host": OWN, "X-Forwarded-Host": "kwaad.example", "Forwarded": "host=kwaad.example"}
    answer = installation.get("/pagina/", headers=headers)

    assert (answer.status_code, answer.headers["location"]) == (307, "/pagina")


def test_whoever_watches_over_the_installation_may_ask_by_address(installation: TestClient):
    assert installation.get("/healthz", headers={"Host": "10.0.0.3:8000"}).status_code == 200


@pytest.mark.parametrize("host", ["kwaad.example", "127.0.0.1:8000"])
def test_redirect_within_the_site_names_no_host(host: str):
    visitor = a_visitor(an_app(router))

    assert visitor.get("/pagina/", headers={"Host": host}).headers["location"] == "/pagina"
    assert visitor.get("/naar-buiten").headers["location"] == "https://aanbieder.example/aanmelden"
