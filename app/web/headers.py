"""Headers that every answer carries, errors too: docs/decisions and NCSC guidelines ask for them."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS: Final[dict[bytes, bytes]] = {
    b"content-security-policy": CONTENT_SECURITY_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cross-origin-opener-policy": b"same-origin",
    # Pages show personal data: no copy in a shared browser. Static files set their own.
    b"cache-control": b"no-store",
}
STRICT_TRANSPORT_SECURITY: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class SecurityHeaders:
    """Outermost middleware. A header that the answer itself sets stays as it is: a download has a stricter policy.

    Also answers HEAD as GET without a body, since FastAPI's routes do not.
    """

    def __init__(self, app: ASGIApp, *, behind_tls: bool) -> None:
        self._app: Final = app
        self._behind_tls: Final = behind_tls
        self._headers: Final = [*ALWAYS.items(), *([STRICT_TRANSPORT_SECURITY] if behind_tls else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        asked_of = b"".join(value for name, value in scope["headers"] if name == b"host")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                present = {name.lower() for name, _ in headers}
                message["headers"] = [
                    *(self._safe(name, value, asked_of) for name, value in headers if name.lower() != b"server"),
                    *(header for header in self._headers if header[0] not in present),
                ]
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if is_head else scope, receive, send_with_headers)

    def _safe(self, name: bytes, value: bytes, asked_of: bytes) -> tuple[bytes, bytes]:
        """Behind TLS no cookie may travel without it, whoever set it. A redirect within the site names no host: the
        framework would repeat the Host of the request, which anybody can make up."""
        if name.lower() == b"location":
            scheme, _, rest = value.partition(b"://")
            if scheme in (b"http", b"https") and rest.removeprefix(asked_of)[:1] == b"/" and rest.startswith(asked_of):
                return name, b"/" + rest.removeprefix(asked_of).lstrip(b"/")
        if self._behind_tls and name.lower() == b"set-cookie" and b"; secure" not in value.lower():
            return name, value + b"; Secure"
        return name, value
