from collections.abc import Iterator

import pytest
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.web.headers import CONTENT_SECURITY_POLICY
from app.web.render import render
from tests.web.pages_app import SITE, a_visitor, an_app

router = APIRouter()


@router.get("/pagina")
def page(request: Request) -> Response:
    return render(request, "tests/page.html", words="x")


@router.get("/bestand")
def download() -> Response:
    headers = {"Content-Security-Policy": "sandbox", "Cache-Control": "private", "Server": "something/1.0"}
    return PlainTextResponse("x", headers=headers)


@router.get("/kapot")
def broken() -> Response:
    raise RuntimeError("secret of the inside")


@pytest.fixture(autouse=True)
def _no_painted_tracebacks() -> Iterator[None]:
    """Unconfigured, structlog paints tracebacks for a terminal, which takes seconds."""
    with capture_logs():
        yield


@pytest.fixture(scope="module")
def visitor() -> TestClient:
    return a_visitor(an_app(router))


@pytest.mark.parametrize("path", ["/pagina", "/bestaat-niet", "/kapot", "/static/nope.css"])
def test_every_answer_carries_the_headers(visitor: TestClient, path: str):
    headers = visitor.get(path).headers

    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_policy_lets_in_nothing_inline_and_nothing_from_elsewhere():
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")


def test_answer_with_a_policy_of_its_own_keeps_it(visitor: TestClient):
    headers = visitor.get("/bestand").headers

    assert headers.get_list("content-security-policy") == ["sandbox"]
    assert headers.get_list("cache-control") == ["private"]
    assert "server" not in headers


def test_strict_transport_only_behind_tls(visitor: TestClient):
    behind_tls = a_visitor(an_app(router, tls=True), url=SITE.public_url)

    assert "strict-transport-security" not in visitor.get("/pagina").headers
    assert behind_tls.get("/pagina").headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_behind_tls_every_cookie_is_secure(visitor: TestClient):
    behind_tls = a_visitor(an_app(router, tls=True), url=SITE.public_url)

    assert "; Secure" not in visitor.post("/taal", data={"taal": "en"}).headers["set-cookie"]
    assert behind_tls.post("/taal", data={"taal": "en"}).headers["set-cookie"].count("; Secure") == 1


def test_head_answers_as_get_without_the_body(visitor: TestClient):
    head, get = visitor.head("/pagina"), visitor.get("/pagina")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert visitor.head("/bestaat-niet").status_code == 404
