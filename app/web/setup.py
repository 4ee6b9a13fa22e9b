"""Everything that pages need, put on the application in the right order."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app.resources import static_dir
from app.web import language, pages
from app.web.assets import Assets
from app.web.errors import install_error_pages
from app.web.forms import FORM_BYTES_MAX
from app.web.headers import SecurityHeaders
from app.web.limits import OwnName, SlowSenders
from app.web.once import install_once
from app.web.render import Pages
from app.web.renewed import RenewedSession
from app.web.site import Site


def install_pages(
    app: FastAPI, site: Site, *, behind_tls: bool, theme: Path | None = None, reload: bool = False
) -> None:
    """Call after adding any other middleware, so that headers and error pages surround it.

    Raises AssetMissing or TextsError, with the remedy in the message, if a file of the front end is not there.
    """
    assets = Assets(static_dir(), theme=theme)
    app.state.pages = Pages(assets, site, reload=reload)
    app.mount("/static", assets, name="static")
    app.include_router(language.router)
    app.include_router(pages.router)
    # Not FastAPI(max_body_size=…): that limit sits outside all middleware, so its answer would be no page of ours.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=FORM_BYTES_MAX)
    app.add_middleware(SlowSenders)
    if behind_tls:
        app.add_middleware(OwnName, public_url=site.public_url)
    install_error_pages(app)
    install_once(app)
    app.add_middleware(RenewedSession)
    app.add_middleware(SecurityHeaders, behind_tls=behind_tls)
