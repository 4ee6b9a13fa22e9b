"""Was this sent from one of our own pages? Two answers: where the browser says that it came from, and the token of
the session, which only our pages know."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape
from starlette.datastructures import FormData
from starlette.requests import Request

from app.storage.database import SAFE_METHODS
from app.web.forms import CSRF_FIELD, ONCE_FIELD

CSRF_HEADER: Final = "X-CSRF-Token"
KEY_BYTES: Final = 16  # of the key of a form, see app/web/once.py


class TokenWrong(Exception):
    """The token of the form is missing or is not the one of this session, for instance after signing in again in
    another tab."""


def new_csrf_token() -> str:
    return secrets.token_urlsafe(32)


def csrf_field(request: Request, *, once: bool = True) -> Markup:
    """The hidden fields for each form that posts: the token, and a key that makes it count once. Nothing for a visitor
    who is not signed in.  `once`: False for what is sent again with the key that it has."""
    login = getattr(request.state, "login", None)
    if not login:
        return Markup("")
    return hidden_field(login.csrf_token) + (_once_field() if once else Markup(""))


def _once_field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(ONCE_FIELD, secrets.token_urlsafe(KEY_BYTES))


def hidden_field(token: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, escape(token))


def is_unsafe(request: Request) -> bool:
    return request.method not in SAFE_METHODS


def origin_is_ours(request: Request) -> bool | None:
    """What the browser says; None if it says nothing. Only scripts and browsers of before 2020 say nothing, and
    those from our own site on plain http (no Sec-Fetch-Site) still send Origin."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return None
    try:
        netloc = urlsplit(origin).netloc
    except ValueError:  # nothing that a browser sends
        return False
    # Not the scheme: behind a proxy that ends TLS we may be reached over http.
    return netloc.lower() == request.headers.get("host", "").lower() != ""


def check_token(request: Request, form: FormData, expected: str) -> None:
    """Raises TokenWrong."""
    if not is_unsafe(request):
        return
    given = request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD)
    # Bytes: compare_digest refuses text outside ASCII, which anybody can send.
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), expected.encode()):
        raise TokenWrong(request.url.path)
