"""A small application with our layout, error pages and headers around routes of its own. No database."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from fastapi import APIRouter, FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import Response
from starlette.testclient import TestClient

from app.policy import Action, Role, may
from app.resources import static_dir
from app.web.assets import Assets
from app.web.render import Pages
from app.web.setup import install_pages
from app.web.site import Site

TEMPLATES = Path(__file__).parent / "templates"
SITE = Site(
    public_url="https://stappenplan.wilgenmeer.example",
    contact_email="hulp@wilgenmeer.example",
    security_contact="mailto:veilig@wilgenmeer.example",
)
HTMX = {"HX-Request": "true"}
ENGLISH = {"Cookie": "taal=en"}


def a_caller(*roles: Role) -> SimpleNamespace:
    return SimpleNamespace(
        name="Noor de Wit",
        municipality_name="Wilgenmeer",
        roles=frozenset(roles),
        may=lambda action: may(roles, Action(action)),
    )


def an_app(
    router: APIRouter, *, site: Site = SITE, caller: SimpleNamespace | None = None, tls: bool = False
) -> FastAPI:
    """Templates of tests/web/templates can be rendered too. With a caller, somebody is signed in."""
    app = FastAPI()
    app.include_router(router)
    if caller is not None:

        async def signed_in(request: Request, call_next: RequestResponseEndpoint) -> Response:
            login = SimpleNamespace(
                user_id="u1", user_name=caller.name, csrf_token="t" * 43, memberships=(1, 2), is_operator=False
            )
            request.state.login, request.state.caller = login, caller
            return await call_next(request)

        app.add_middleware(BaseHTTPMiddleware, dispatch=signed_in)
    install_pages(app, site, behind_tls=tls)
    app.state.pages = Pages(Assets(static_dir()), site, more=TEMPLATES)
    return app


def a_visitor(app: FastAPI, *, url: str = "http://testserver") -> TestClient:
    return TestClient(app, url, raise_server_exceptions=True, follow_redirects=False)
