"""Pages about the installation itself: help, accessibility statement, licences, and security.txt."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from typing import Final, TypedDict

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse

from app.resources import static_dir
from app.web.access import CurrentLogin, public
from app.web.render import Pages, render
from app.web.room import Room
from app.web.site import Site

# For everybody; who is signed in keeps the menu and the account (CurrentLogin sees to that).
router = Room(dependencies=[public])

STATEMENT_DATE: Final = date(2026, 11, 24)  # when the accessibility statement was last looked at
SECURITY_TXT_PATH: Final = "/.well-known/security.txt"
SECURITY_TXT_VALID: Final = timedelta(days=180)  # RFC 9116 advises less than a year


class VendorPackage(TypedDict):
    """A line of app/static/vendor/packages.json, written by scripts/vendor_assets.py."""

    name: str
    version: str
    licence: str
    files: list[str]
    licenceFiles: list[str]


@cache
def vendor_packages() -> list[VendorPackage]:
    packages: list[VendorPackage] = json.loads((static_dir() / "vendor/packages.json").read_text(encoding="utf-8"))
    return packages


@router.get("/help")
def help_page(request: Request, login: CurrentLogin) -> HTMLResponse:
    return render(request, "pages/help.html")


@router.get("/toegankelijkheid")
def accessibility(request: Request, login: CurrentLogin) -> HTMLResponse:
    return render(request, "pages/accessibility.html", statement_date=STATEMENT_DATE)


@router.get("/over")
def about(request: Request, login: CurrentLogin) -> HTMLResponse:
    return render(request, "pages/about.html", version=version("stappenplan"), packages=vendor_packages())


@router.get(SECURITY_TXT_PATH)
def security_txt(request: Request) -> PlainTextResponse:
    """404 for an installation that names no contact: a text without `Contact` would not be valid."""
    pages: Pages = request.app.state.pages
    if pages.site.security_contact is None:
        raise HTTPException(404)
    return PlainTextResponse(security_text(pages.site, today=datetime.now(UTC).date()))


def security_text(site: Site, *, today: date) -> str:
    """RFC 9116. Without a date in the settings it is good for half a year from today: whoever keeps the
    installation running keeps its contact."""
    expires = site.security_expires or today + SECURITY_TXT_VALID
    lines = [
        f"Contact: {site.security_contact}",
        f"Expires: {datetime.combine(expires, time(), UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: nl, en",
        f"Canonical: {site.public_url}{SECURITY_TXT_PATH}",
    ]
    if site.security_policy:
        lines.append(f"Policy: {site.security_policy}")
    return "\n".join(lines) + "\n"
