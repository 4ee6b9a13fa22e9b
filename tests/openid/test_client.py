"""A provider that is slow, large, elsewhere or confused: never an endless wait, and always a reason for the log."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from joserfc import jwk

from app.openid import calls
from app.openid.client import ProviderClient, ProviderDown, Refused
from tests.openid.providers import RealProvider, query_of

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)
HOST = "https://login.zonnedam.example"
METADATA = {
    "issuer": HOST,
    "authorization_endpoint": f"{HOST}/aanmelden?p=staf",
    "token_endpoint": f"{HOST}/tokens",
    "jwks_uri": f"{HOST}/keys",
    "userinfo_endpoint": f"{HOST}/userinfo",
}
KEY = jwk.ECKey.generate_key("P-256")

Answer = Callable[[httpx2.Request], httpx2.Response]


def client(answer: Answer, **changes: Any) -> ProviderClient:
    return ProviderClient(RealProvider(HOST).provider(**changes), transport=httpx2.MockTransport(answer))


def says(**answers: Any) -> Answer:
    """By the last part of the path."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = {"openid-configuration": METADATA, **answers}[request.url.path.rpartition("/")[2]]
        return found(request) if callable(found) else httpx2.Response(200, json=found)

    return answer


def run(work: Any, *args: Any, **kwargs: Any) -> Any:
    async def go() -> Any:
        return await work(*args, **kwargs)

    return anyio.run(go)


def why_down(answer: Answer) -> str:
    with pytest.raises(ProviderDown) as refusal:
        run(client(answer).metadata, at=AT)
    return str(refusal.value).removeprefix("provider zonnedam: ")


def test_addresses_are_kept_for_an_hour():
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200, json=METADATA)

    one = client(answer)
    for later in (0, 59, 61):
        run(one.metadata, at=AT + timedelta(minutes=later))
    assert asked == [f"{HOST}/.well-known/openid-configuration"] * 2


def test_address_that_has_a_query_of_its_own_keeps_it():
    address = run(
        client(says()).sign_in_address,
        redirect_uri="https://ons.example/terug",
        state="s",
        nonce="n",
        verifier="v" * 64,
        at=AT,
    )
    assert query_of(address)["p"] == "staf"
    assert query_of(address)["state"] == "s"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"issuer": f"{HOST}/"}, "it names another issuer"),
        ({"issuer": "https://kwaad.example"}, "it names another issuer"),
        ({"token_endpoint": "http://login.zonnedam.example/tokens"}, "its token_endpoint is no https address"),
        ({"token_endpoint": "http://127.0.0.1/tokens"}, "its token_endpoint is no https address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "its authorization_endpoint is no https address"),
        ({"end_session_endpoint": "javascript:alert(1)"}, "its end_session_endpoint is no https address"),
        ({"jwks_uri": None}, "its jwks_uri is no https address"),
        ({"jwks_uri": "file:///etc/passwd"}, "its jwks_uri is no https address"),
    ],
)
def test_confused_provider_is_not_used(changes: dict[str, Any], why: str):
    assert why_down(lambda _: httpx2.Response(200, json={**METADATA, **changes})).startswith(why)


def fails(error: type[httpx2.TransportError]) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise error("x", request=request)

    return answer


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: httpx2.Response(500), "answers with status 500"),
        (lambda _: httpx2.Response(302, headers={"location": "https://kwaad.example"}), "answers with status 302"),
        (lambda _: httpx2.Response(200, text="<html>"), "gives no JSON object"),
        (lambda _: httpx2.Response(200, text="[]"), "gives no JSON object"),
        (lambda _: httpx2.Response(200, text="[" * 100_000), "gives no JSON object"),
        (lambda _: httpx2.Response(200, content=b"\xff\xfe"), "gives no JSON object"),
        (fails(httpx2.ConnectError), "it cannot be reached (ConnectError)"),
        (fails(httpx2.ReadTimeout), "it cannot be reached (ReadTimeout)"),
    ],
)
def test_answer_that_can_not_be_used_is_told_to_who_runs_this(answer: Answer, why: str):
    assert why in why_down(answer)


class Endless(httpx2.AsyncByteStream):
    """An answer that never ends, and counts what was read of it."""

    read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.read += 64 * 1024
            yield b" " * 64 * 1024


def test_endless_answer_is_cut_off():
    body = Endless()
    assert "too large" in why_down(lambda _: httpx2.Response(200, stream=body))
    assert body.read <= calls.ANSWER_BYTES_MAX + 64 * 1024


def test_compressed_answer_is_not_unpacked():
    bomb = gzip.compress(b" " * 10_000_000)
    assert "compressed" in why_down(
        lambda _: httpx2.Response(200, stream=httpx2.ByteStream(bomb), headers={"content-encoding": "gzip"})
    )


def test_answer_that_drips_ends_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calls, "CALL_SECONDS_MAX", 0.01)

    class Waits(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await anyio.sleep_forever()
            raise AssertionError

    one = ProviderClient(RealProvider(HOST).provider(), transport=Waits())
    with pytest.raises(ProviderDown, match="too long"):
        run(one.metadata, at=AT)


def tokens_of(token_answer: Any, **changes: Any) -> Any:
    one = client(says(tokens=token_answer), **changes)
    return run(one.tokens, "code", redirect_uri="https://ons.example/terug", verifier="v" * 64, at=AT)


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (400, {"error": "invalid_grant"}, Refused),
        (401, {"error": "invalid_client"}, ProviderDown),
        (200, {"access_token": "a"}, Refused),
        (200, {"id_token": 1, "access_token": "a"}, Refused),
        (200, [], ProviderDown),
        (200, "x", ProviderDown),
        (500, {}, ProviderDown),
        (502, None, ProviderDown),
    ],
)
def test_answer_without_tokens_is_refused(status: int, body: Any, refusal: type[Exception]):
    content = json.dumps(body) if body is not None else "<html>"
    with pytest.raises(refusal):
        tokens_of(lambda _: httpx2.Response(status, text=content))


@pytest.mark.parametrize(
    ("supported", "chosen", "by_post"),
    [
        (None, None, False),
        (["client_secret_post"], None, True),
        (["client_secret_post", "client_secret_basic"], None, False),
        (["client_secret_post"], "basic", False),
        (None, "post", True),
    ],
)
def test_secret_travels_as_the_provider_wants_it(supported: Any, chosen: Any, by_post: bool):
    seen: list[httpx2.Request] = []

    def token(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"id_token": "i", "access_token": "a"})

    metadata = {**METADATA, "token_endpoint_auth_methods_supported": supported}
    answers = {"openid-configuration": metadata, "tokens": token}
    one = client(says(**answers), client_authentication=chosen)
    run(one.tokens, "code", redirect_uri="https://ons.example/terug", verifier="v" * 64, at=AT)
    body = dict(part.split("=", 1) for part in seen[0].content.decode().split("&"))
    assert ("client_secret" in body) is by_post
    assert ("authorization" in seen[0].headers) is not by_post
    assert body["code_verifier"] == "v" * 64
    assert body["grant_type"] == "authorization_code"


def test_only_public_keys_for_signatures_are_taken():
    public = KEY.as_dict(private=False)
    secret = {"kty": "oct", "k": "AAAA"}
    listed = [secret, {**public, "use": "enc"}, "x", {**public, "kid": "goed"}]
    found = run(client(says(keys={"keys": listed})).keys, at=AT)
    assert [key.kid for key in found.keys] == ["goed"]


@pytest.mark.parametrize("listed", [[], None, [{"kty": "oct", "k": "AAAA"}], [{"kty": "RSA"}], [{"kty": "EC", "x": 1}]])
def test_provider_without_usable_keys_is_not_used(listed: Any):
    with pytest.raises(ProviderDown, match="its keys cannot be used"):
        run(client(says(keys={"keys": listed})).keys, at=AT)


def test_userinfo_of_somebody_else_is_refused():
    one = client(says(userinfo={"sub": "ander", "email": "x"}))
    with pytest.raises(Refused, match="userinfo_of_somebody_else"):
        run(one.more_about, "token", subject="anna", at=AT)
