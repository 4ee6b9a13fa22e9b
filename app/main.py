"""The application: wiring only."""

from __future__ import annotations

from threading import Event

from fastapi import APIRouter, FastAPI

from app.features.accounts import routes as accounts
from app.features.accounts.answers import install_accounts
from app.features.accounts.provider_places import placed
from app.features.advice import routes as advice
from app.features.approvals import points as open_points
from app.features.approvals import routes as approvals
from app.features.erasure import routes as erasure
from app.features.evidence import routes as evidence
from app.features.history import routes as history
from app.features.installation import routes as installation
from app.features.local_plans import routes as local_plans
from app.features.mandates import routes as mandates
from app.features.mass_moves import routes as mass_moves
from app.features.mass_moves.worker import kept_going
from app.features.moves import routes as moves
from app.features.plans import routes as plans
from app.features.reports import routes as reports
from app.features.runs import routes as runs
from app.features.steps import routes as steps
from app.openid.providers import Provider, load_providers
from app.settings import Settings
from app.storage.database import Database
from app.storage.history.keeper import HistoryKeeper
from app.storage.history.witnesses import witnesses_of
from app.web import health
from app.web.access import check_routes, read_form
from app.web.clock import Clock, clock_of
from app.web.logs import configure_logs
from app.web.sender import networks_of
from app.web.setup import install_pages
from app.web.site import Site

# Order matters where addresses overlap: `/trajecten/nieuw` before `/trajecten/{run_id}` is inside `runs`.
ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    accounts.router,
    runs.router,
    moves.router,
    mass_moves.router,
    steps.router,
    approvals.router,
    advice.router,
    open_points.router,
    evidence.router,
    reports.router,
    history.router,
    plans.router,
    local_plans.router,
    mandates.router,
    installation.router,
    erasure.router,
)


def create_app(settings: Settings, database: Database, *, clock: Clock | None = None) -> FastAPI:
    """The application on a database whose schema is current.  Raises RuntimeError for a route without a policy,
    AssetMissing or TextsError for a front end that is not whole, ProvidersInvalid for a wrong OIDC_PROVIDERS_FILE, also
    one that names a municipality which is not there."""
    configure_logs()
    # No pages about the interface: there is none yet, and its addresses would need policies too.
    app = FastAPI(title="Stappenplan", openapi_url=None, docs_url=None, redoc_url=None, lifespan=kept_going)
    app.state.settings = settings
    app.state.database = database
    app.state.clock = clock
    app.state.stopping = Event()
    database.before_writing = read_form
    app.state.history = HistoryKeeper(
        database, settings.history_key, witnesses_of(settings), clock=clock_of(app), in_background=True
    )
    database.keeper = app.state.history
    install_accounts(
        app,
        secure_cookies=settings.is_production,
        secret_key=settings.secret_key,
        second_factor_required=settings.is_production,
        trusted_proxies=networks_of(settings.trusted_proxies),
        proxy_header=settings.proxy_header,
        public_url=settings.public_url,
        providers=placed(database, providers_of(settings)),
    )
    for router in ROUTERS:
        app.include_router(router)
    install_pages(app, _site(settings), behind_tls=settings.is_production, theme=settings.theme_dir)
    check_routes(app, exempt={"/static"})
    return app


def providers_of(settings: Settings) -> tuple[Provider, ...]:
    """Raises ProvidersInvalid."""
    file = settings.oidc_providers_file
    return load_providers(file, is_production=settings.is_production) if file else ()


def _site(settings: Settings) -> Site:
    return Site(
        public_url=settings.public_url,
        contact_email=settings.contact_email,
        security_contact=settings.security_contact,
        source_url=settings.source_url,
        theme_class=settings.theme_class,
    )
