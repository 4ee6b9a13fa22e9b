"""What must be true of the settings before real people use this. Each problem is one line with its remedy."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from sqlalchemy import make_url

from app.hosts import is_this_machine
from app.settings import DEMONSTRATION_SECRET, Settings
from app.storage.vault import SECRET_LENGTH_MIN


def production_problems(settings: Settings) -> Iterator[str]:
    """Nothing for a demonstration. Values are not repeated: one is a secret."""
    if not settings.is_production:
        return
    if settings.secret_key == DEMONSTRATION_SECRET:
        yield "SECRET_KEY: give a secret of your own in production, for instance from: openssl rand -base64 48"
    elif len(settings.secret_key) < SECRET_LENGTH_MIN or len(set(settings.secret_key)) < SECRET_LENGTH_MIN // 4:
        yield (
            f"SECRET_KEY: use at least {SECRET_LENGTH_MIN} random characters, "
            "for instance from: openssl rand -base64 48"
        )
    if settings.url.startswith("postgresql") and not settings.database_owner_url:
        yield (
            "DATABASE_OWNER_URL: give the role that owns the tables, and in DATABASE_URL one that owns nothing; "
            "see docs/postgresql.md"
        )
    for name, url in (("DATABASE_URL", settings.url), ("DATABASE_OWNER_URL", settings.database_owner_url)):
        if url and travels_unproven(url):
            yield (
                f"{name}: name the server in it (?host=/run/postgresql for a socket on this machine) and add "
                "?sslmode=verify-full, and sslrootcert= with the certificate of who signed that of the server; "
                "otherwise others on the network can read along, or stand in for the database"
            )
    if not settings.public_url.startswith("https://"):
        yield (
            "PUBLIC_URL: give the https:// address at which people reach this; without TLS a session would travel "
            "in the open"
        )
    if not settings.trusted_proxies and settings.tls_certificate is None:
        yield (
            "TRUSTED_PROXIES: give the addresses of the proxy that ends TLS, "
            "or TLS_CERTIFICATE and TLS_KEY to end it here"
        )


def travels_unproven(url: str) -> bool:
    """Whether a database is reached over a network without TLS that proves which server it is, or may be: without a
    host libpq looks into its own environment, and a service is described elsewhere."""
    address = make_url(url)
    if not address.drivername.startswith("postgresql"):
        return False
    hosts = [
        host
        for given in (address.host, address.query.get("host"), address.query.get("hostaddr"))
        for host in _each(given)
    ]
    if not hosts or "service" in address.query:
        return True
    over_network = any(not host.startswith("/") and not is_this_machine(host) for host in hosts)
    return over_network and address.query.get("sslmode") != "verify-full"


def _each(given: str | tuple[str, ...] | None) -> Iterator[str]:
    """libpq takes several hosts, with commas in between; a path is a socket on this machine."""
    for part in (given,) if isinstance(given, str) else given or ():
        yield from (host.strip() for host in part.split(",") if host.strip())


def tls_problem(settings: Settings) -> str | None:
    """Whether the certificate and its key can be used; None if so, or if there are none."""
    if settings.tls_certificate is None and settings.tls_key is None:
        return None
    if settings.tls_certificate is None or settings.tls_key is None:
        return "TLS_CERTIFICATE and TLS_KEY belong together: give both, or neither"
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as refused:  # an SSLError is one too
        return f"TLS_CERTIFICATE and TLS_KEY cannot be used: {refused.strerror or refused}"
    return None
