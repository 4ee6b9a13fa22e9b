"""Choosing Dutch or English."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse

from app.web.i18n import LANGUAGE_COOKIE, Language

router = APIRouter()

ONE_YEAR_SECONDS = 31_536_000


def own_path(address: str) -> str:
    """`address` if it is a path of this application, else the front page: never a way to another site."""
    is_own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_own else "/"


@router.post("/taal")
def choose_language(
    request: Request, taal: Annotated[Language, Form()], terug: Annotated[str, Form(max_length=2000)] = "/"
) -> RedirectResponse:
    """Keeps the choice in the browser and goes back to the page that the visitor was on."""
    response = RedirectResponse(own_path(terug), status_code=303)
    response.set_cookie(
        LANGUAGE_COOKIE,
        taal,
        max_age=ONE_YEAR_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response
