"""What the server refuses before the application sees it: requests whose head is too large, too slow or no HTTP.

uvicorn itself keeps whatever a client sends until the head is whole, without end and for as long as it takes.
"""

from __future__ import annotations

import asyncio
import http
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.web.headers import ALWAYS

HEAD_BYTES_MAX: Final = (
    32 * 1024
)  # request line and headers together; browsers send about 2 kB, with cookies of others 8
HEAD_SECONDS_MAX: Final = 20  # from the first byte, or the connection, until the head is whole


class GuardedProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with limits on the head. Its own answers carry the headers of all others."""

    seconds_max: float = HEAD_SECONDS_MAX

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._is_in_head = True
        self._came = False  # a head began or ended, or there was some body
        self._bytes_since = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_longer_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before, self._came = self._bytes_since, False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._came:
            self._bytes_since = len(data) if self._is_in_head else 0
        else:  # more of a head, of headers after a body, or of line ends before a head
            self._bytes_since = before + len(data)
        if self._bytes_since > HEAD_BYTES_MAX:
            self._refuse(431, "The head of this request is too large.")
        elif not self._came and self._patience is None and self._is_forgotten():
            self._be_patient()

    def _is_forgotten(self) -> bool:
        """Nothing is asked, and uvicorn no longer counts for how long: data of any kind ends that."""
        return self.timeout_keep_alive_task is None and self.cycle.response_complete

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = self._came = True
        if self._patience is None:
            self._be_patient()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # what comes after a body would be added to headers that were looked at already
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._came = True
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._is_in_head, self._came = False, True
        self._no_longer_waiting()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_BYTES_MAX:  # came in at once
            self._refuse(431, "The head of this request is too large.")
            return
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def _be_patient(self) -> None:
        self._patience = self.loop.call_later(self.seconds_max, self._too_slow)

    def _no_longer_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _too_slow(self) -> None:
        self._patience = None
        self._refuse(408, "The head of this request took too long.")

    def _refuse(self, status: int, message: str) -> None:
        if self.transport.is_closing():  # one answer is enough
            return
        headers = {
            **ALWAYS,
            b"content-type": b"text/plain; charset=utf-8",
            b"content-length": str(len(message)).encode(),
            b"connection": b"close",
        }
        line = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n".encode()
        self.transport.write(line + b"".join(b"%s: %s\r\n" % header for header in headers.items()) + b"\r\n")
        self.transport.write(message.encode())
        self.transport.close()
