"""Choosing Dutch or English."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Form
from starlette.responses import RedirectResponse, Response

from app.web.access import public
from app.web.i18n import DEFAULT_LANGUAGE, LANGUAGE_COOKIE, LANGUAGES, Language
from app.web.kept import local_path
from app.web.room import Room

router = Room(dependencies=[public])

ONE_YEAR_SECONDS: Final = 31_536_000


@router.post("/taal")
def choose_language(taal: Annotated[Language, Form()], terug: Annotated[str, Form()] = "/") -> RedirectResponse:
    """Keeps the choice in the browser and goes back to the page that the visitor was on."""
    response = RedirectResponse(local_path(terug), status_code=303)
    remember(response, taal)
    return response


def remember(response: Response, language: Language) -> None:
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=ONE_YEAR_SECONDS, httponly=True, samesite="lax")


def remember_other(response: Response, chosen: str) -> None:
    """What the account remembers, in a browser where nobody chose; nothing to do for the language that all begin in."""
    for language in LANGUAGES:
        if language == chosen != DEFAULT_LANGUAGE:
            remember(response, language)
