"""Choosing Dutch or English."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse

from app.web.access import public
from app.web.i18n import LANGUAGE_COOKIE, Language
from app.web.kept import local_path

router = APIRouter(dependencies=[public])

ONE_YEAR_SECONDS: Final = 31_536_000


@router.post("/taal")
def choose_language(taal: Annotated[Language, Form()], terug: Annotated[str, Form()] = "/") -> RedirectResponse:
    """Keeps the choice in the browser and goes back to the page that the visitor was on."""
    response = RedirectResponse(local_path(terug), status_code=303)
    response.set_cookie(LANGUAGE_COOKIE, taal, max_age=ONE_YEAR_SECONDS, httponly=True, samesite="lax")
    return response
