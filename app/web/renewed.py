"""Brings the cookie of a session that got a new id, whatever the route answers."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATE_KEY: Final = "renewed_session_cookie"


class RenewedSession:
    """`app.web.access` leaves the header in the state of the request, once the new id is stored."""

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and (cookie := state.get(STATE_KEY)):
                names = [value.split(b"=")[0] for name, value in message["headers"] if name.lower() == b"set-cookie"]
                # What the route itself does to this cookie, such as taking it away, goes first.
                if cookie.split(b"=")[0] not in names:
                    message["headers"] = [*message["headers"], (b"set-cookie", cookie)]
            await send(message)

        await self._app(scope, receive, send_with_cookie)
