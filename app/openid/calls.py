"""The limits of a call to a provider: time, size, no redirects, nothing compressed. Apart from client.py because its
imports take 0.2 s, which only a sign-in needs."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import anyio
import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client

from app.openid.providers import Provider

CALL_SECONDS: Final = 5.0  # to connect, and between two parts of an answer
CALL_SECONDS_MAX: Final = 10.0  # for a whole answer; somebody is waiting for it
ANSWER_BYTES_MAX: Final = 512 * 1024  # the largest we saw (keys of a large tenant) is a tenth of it


class CallFailed(Exception):
    """No answer, or none that can be used."""


def session_for(provider: Provider, transport: httpx2.AsyncBaseTransport | None, **options: Any) -> Any:
    """`transport`: another way to get there, for tests."""
    return AsyncOAuth2Client(
        client_id=provider.client_id,
        client_secret=provider.client_secret.get_secret_value(),
        scope=" ".join(provider.scopes),
        transport=transport,
        verify=_trusted(),
        timeout=CALL_SECONDS,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_limit]},
        **options,
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that count; reading them for each call would take longer than the call."""
    return httpx2.create_ssl_context()


@contextmanager
def limits() -> Iterator[None]:
    """Raises CallFailed for everything that goes wrong on the way."""
    try:
        with anyio.fail_after(CALL_SECONDS_MAX):
            yield
    except TimeoutError:
        raise CallFailed("it takes too long to answer") from None
    except _TooMuch:
        raise CallFailed("its answer is too large, or compressed") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise CallFailed(f"it cannot be reached ({type(error).__name__})") from error


class _TooMuch(Exception): ...


async def _limit(response: httpx2.Response) -> None:
    """Before the body is read."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _TooMuch
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _Counted(response.stream)


class _Counted(httpx2.AsyncByteStream):
    """A body that ends with an error when it goes on for too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        room = ANSWER_BYTES_MAX
        async for chunk in self._stream:
            room -= len(chunk)
            if room < 0:
                raise _TooMuch
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
