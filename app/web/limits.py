"""What a request may ask of us: to wait for its body, and to be answered under another name than our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_SECONDS_MIN: Final = 30  # what every request gets to send its body
BODY_BYTES_PER_SECOND: Final = 2 * 1024  # and a second more for each of these: the largest file on the slowest line
NAMELESS: Final = frozenset({"/healthz", "/readyz"})  # whoever watches over the installation asks by address


class SlowSenders:
    """Answers 408 to who sends a body slower than any line does, so that it holds no place for somebody else."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        seconds: float = BODY_SECONDS_MIN,
        bytes_per_second: int = BODY_BYTES_PER_SECOND,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app: Final = app
        self._seconds: Final = seconds
        self._bytes_per_second: Final = bytes_per_second
        self._clock: Final = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        since, received, is_whole = self._clock(), 0, False

        async def in_time() -> Message:
            nonlocal received, is_whole
            if is_whole:  # from here on it waits for the client to go away, for as long as the answer takes
                return await receive()
            left = since + self._seconds + received / self._bytes_per_second - self._clock()
            try:
                async with asyncio.timeout(max(left, 0)):
                    await asyncio.sleep(0)  # what came in too late does not count either
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
            return message

        await self._app(scope, in_time, send)


class OwnName:
    """Answers 421 to requests that ask for another host than the public address of this installation, before anything
    is made of that name."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app: Final = app
        self._name: Final = urlsplit(public_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in NAMELESS:
            names = [value for name, value in scope["headers"] if name == b"host"]
            if [_without_default_port(name.decode("latin-1").lower()) for name in names] != [self._name]:
                raise HTTPException(421)
        await self._app(scope, receive, send)


def _without_default_port(name: str) -> str:
    return name.removesuffix(":443")


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
