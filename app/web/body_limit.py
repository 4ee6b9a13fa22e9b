"""No request may send more than a page can need, announced or not."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES_MAX: Final = 2 * 1024**2  # a step with every long answer filled in is about 200 KB
UPLOAD_BYTES_MAX: Final = 260 * 1024**2  # ten files of 25 MiB and their fields; each file is limited where it is stored


class BodyLimit:
    """Raises 413 while reading. Inside the error pages, so that it becomes one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        headers = Request(scope).headers
        is_upload = headers.get("content-type", "").startswith("multipart/form-data")
        room = UPLOAD_BYTES_MAX if is_upload else FORM_BYTES_MAX
        announced = headers.get("content-length", "0")
        is_too_large = not announced.isdecimal() or int(announced) > room

        async def limited() -> Message:
            nonlocal room
            if is_too_large:
                raise HTTPException(413)
            message = await receive()
            if message["type"] == "http.request":
                room -= len(message.get("body", b""))
                if room < 0:
                    raise HTTPException(413)
            return message

        await self._app(scope, limited, send)
