"""A caller of ASGI applications in this process. It does as little as possible, the same for every application, so
that what is measured is the application and not an HTTP library."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import urlencode

Fields = list[tuple[str, str]]
HOST = "127.0.0.1:8000"


class App(Protocol):
    async def __call__(self, scope: Any, receive: Any, send: Any, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds`: from the call until the application returned, so with everything that it does after sending.
    `queries`: statements sent to the database meanwhile."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    queries: int

    @property
    def text(self) -> str:
        return self.body.decode()


class UnexpectedAnswer(Exception):
    """The application said something else than what a measurement needs."""


@dataclass(frozen=True, slots=True)
class Client:
    """`sent` counts the statements that went to the database until now."""

    app: App
    cookie: str = ""
    sent: Callable[[], int] = lambda: 0

    async def get(self, path: str) -> Answer:
        return _expect(await self._call("GET", path, b"", []), 200, path)

    async def post(self, path: str, fields: Sequence[tuple[str, str]]) -> Answer:
        """Our changes answer with a redirect."""
        body = urlencode(fields).encode()
        headers = [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(len(body)).encode()),
            (b"origin", f"http://{HOST}".encode()),
        ]
        return _expect(await self._call("POST", path, body, headers), 303, path)

    async def form(self, page: str, action: str | None = None) -> Form:
        """The form on a page that posts to `action` (the page itself if not said), as a browser would send it."""
        reader = _FormReader()
        reader.feed((await self.get(page)).text)
        wanted = action or page
        for form in reader.forms:
            if form.action.partition("?")[0] == wanted:
                return form
        raise UnexpectedAnswer(f"{page} has no form that posts to {wanted}; it has {[f.action for f in reader.forms]}")

    async def _call(self, method: str, path: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> Answer:
        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", HOST.encode()),
                (b"accept", b"text/html"),
                *([(b"cookie", self.cookie.encode())] if self.cookie else []),
                *headers,
            ],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        received = False
        status, answered, parts = 0, [], []

        async def receive() -> dict[str, Any]:
            nonlocal received
            if received:
                return {"type": "http.disconnect"}
            received = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], message["headers"]
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        before, began = self.sent(), time.perf_counter()
        await self.app(scope, receive, send)
        seconds = time.perf_counter() - began
        found = {name.decode().lower(): value.decode() for name, value in answered}
        return Answer(status, found, b"".join(parts), seconds, self.sent() - before)


def _expect(answer: Answer, status: int, path: str) -> Answer:
    if answer.status != status:
        raise UnexpectedAnswer(f"{path} answered {answer.status}, not {status}: {answer.text[:2000]}")
    return answer


@dataclass(slots=True)
class Form:
    action: str
    fields: Fields = field(default_factory=list)

    def value(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    def with_fields(self, **changed: str) -> Fields:
        return self.with_values(changed)

    def with_values(self, changed: Mapping[str, str]) -> Fields:
        return [*((name, value) for name, value in self.fields if name not in changed), *changed.items()]


class _FormReader(HTMLParser):
    """Forms with the values that a browser sends when nobody touches them; buttons are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._textarea: str | None = None
        self._select: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self._form = Form(given.get("action") or "")
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "textarea" and name:
            self._textarea, self._text = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._form.fields.append((self._select, given.get("value") or ""))
        elif tag == "input" and name and _is_sent(given):
            self._form.fields.append((name, given.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea is not None and self._form is not None:
            # HTML drops one line end straight after <textarea>.
            self._form.fields.append((self._textarea, self._text.removeprefix("\n")))
            self._textarea = None
        elif tag == "select":
            self._select = None
        elif tag == "form":
            self._form = None


def _is_sent(given: Mapping[str, str | None]) -> bool:
    """Whether a browser sends this input without anybody touching it."""
    kind = given.get("type")
    if kind in ("checkbox", "radio"):
        return "checked" in given
    return kind not in ("submit", "button", "file")
