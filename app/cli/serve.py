"""Serving the application."""

from __future__ import annotations

import logging
import signal
import socket
from contextlib import suppress
from threading import Event
from types import FrameType

import uvicorn

from app.cli.common import complain, database, fail, now, say, settings
from app.cli.preparing import make_ready
from app.cli.production import production_problems, tls_problem
from app.demo import build
from app.main import create_app, providers_of
from app.openid.providers import Provider, ProvidersInvalid
from app.storage.evidence_files import EvidenceFiles
from app.storage.rights import isolation_problems
from app.web.assets import AssetMissing
from app.web.i18n import TextsError
from app.web.protocol import GuardedProtocol


def serve() -> None:
    """Serve the application on HOST and PORT.

    Makes or upgrades the database first, and fills an empty one with demonstration data unless STAPPENPLAN_ENV is
    production. Data is kept in DATA_DIR, or in the PostgreSQL database that DATABASE_URL names.
    """
    chosen = settings()
    if problems := [*production_problems(chosen), *([tls] if (tls := tls_problem(chosen)) else [])]:
        raise fail("\n".join(problems))
    try:
        providers = providers_of(chosen)
    except ProvidersInvalid as wrong:
        raise fail(str(wrong)) from None
    with _listen_on(chosen.host, chosen.port) as listening, database(must_be_current=False) as opened:
        make_ready(opened)
        if problems := [*isolation_problems(opened)]:
            if chosen.is_production:
                raise fail("\n".join(problems))
            complain("\n".join(["For trying out only: PostgreSQL does not keep municipalities apart.", *problems]))
        if chosen.is_production:
            if build.has_demonstration_accounts(opened):
                raise fail(
                    "Demonstration accounts cannot be used in production: disable them, or use another database."
                )
            demo_accounts = []
        else:
            if build.is_empty(opened):
                complain("First start: making two fictional municipalities to try things out …")
                build.build(opened, EvidenceFiles(chosen.evidence_dir), now=now())
            demo_accounts = build.demonstration_accounts(opened)
        try:
            app = create_app(chosen, opened)
        except (AssetMissing, TextsError, ProvidersInvalid) as problem:
            raise fail(str(problem)) from None
        _tell_of_names(providers)
        app.state.demo_accounts = demo_accounts
        for account in demo_accounts:
            say(f"  {account.login:<34} {account.password:<24} {account.work}")
        host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
        scheme = "https" if chosen.tls_certificate else "http"
        say(f"Stappenplan: {scheme}://{host}:{listening.getsockname()[1]}")
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        config = uvicorn.Config(
            app,
            http=GuardedProtocol,
            ws="none",
            log_config=None,
            server_header=False,
            access_log=False,
            # Which proxies are believed, app/web/sender.py decides; uvicorn believes everything from 127.0.0.1.
            proxy_headers=False,
            ssl_certfile=chosen.tls_certificate,
            ssl_keyfile=chosen.tls_key,
        )
        server = _Server(config, app.state.stopping)
        # A service manager says SIGTERM, a terminal Ctrl-C; either way the database is closed in good order.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
        if not server.started:
            raise fail("The application did not start; the lines above say why.", code=3)


def _tell_of_names(providers: tuple[Provider, ...]) -> None:
    for each in providers:
        if each.calls_municipality_by_name:
            complain(
                f"OIDC_PROVIDERS_FILE: provider {each.key} calls {each.municipality!r} by its name. Write its id, "
                "which is on its page under /installatie: when it gets another name, the next start is refused."
            )


class _Server(uvicorn.Server):
    """Tells the work that goes on outside of requests to stop, before it waits for that work to end."""

    def __init__(self, config: uvicorn.Config, stopping: Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def _listen_on(host: str, port: int) -> socket.socket:
    """Takes the address before anything is made or promised.  Ends the command when that cannot be done."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for old traffic
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as refused:
        raise fail(
            f"Cannot listen on {host}:{port}: {refused.strerror}. Stop what uses it, or choose another HOST or PORT."
        ) from None
    return listening
