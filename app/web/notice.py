"""One sentence on the next page after a change: "Uw antwoorden zijn opgeslagen"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from app.web.i18n import Language, gettext_for

NOTICE_COOKIE: Final = "melding"
_texts: Final[dict[str, str]] = {}


def register(notices: Mapping[str, str]) -> None:
    """A feature's notices: code -> message id marked with N_(). Call it when the module is imported.

    Only codes travel in the cookie, so nobody can make the page say something else.
    """
    for code, text in notices.items():
        assert code.replace("_", "").isalnum(), code
        assert _texts.setdefault(code, text) == text, f"notice {code} has two texts"


def known(code: str) -> str | None:
    """The code of a notice that was kept, if there still is one by that name."""
    return code if code in _texts else None


class _SeeOther(RedirectResponse):
    """htmx follows a redirect unseen, and would put the whole next page in the place of a part of this one; told in
    its own header it goes there."""

    notice: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.status_code == 303 and "hx-request" in Headers(scope=scope):
            self.status_code = 204
            self.headers["HX-Redirect"] = self.headers["location"]
            del self.headers["location"]
        await super().__call__(scope, receive, send)


def see_other(address: str, *, notice: str | None = None) -> RedirectResponse:
    """After a change: to the page that shows it (303), with a notice there."""
    response = _SeeOther(address, status_code=303)
    if notice is not None:
        response.notice = notice
        leave(response, notice)
    return response


def leave(response: Response, notice: str) -> None:
    """To be shown on the next page, whichever that is."""
    assert notice in _texts, f"notice {notice} is not registered"
    response.set_cookie(NOTICE_COOKIE, notice, max_age=60, httponly=True, samesite="lax")


def notice_of(request: Request, language: Language) -> str | None:
    """The sentence to show on this page, if any."""
    text = _texts.get(request.cookies.get(NOTICE_COOKIE, ""))
    return gettext_for(language).gettext(text) if text else None


def forget(response: Response) -> None:
    response.delete_cookie(NOTICE_COOKIE, httponly=True, samesite="lax")
