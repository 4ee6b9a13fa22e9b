"""The environment, read once at start-up into typed values. Nothing else reads environment variables."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# Everybody can read this one, so it protects nothing: production asks for another.
DEMONSTRATION_SECRET = "only-for-a-demonstration-not-for-production"  # noqa: S105


class SettingsError(Exception):
    """The environment holds a value that can't be used. The message has one line for each, with the remedy."""


def _database_url(url: str) -> str:
    """The address in the one spelling that SQLAlchemy needs for the driver that we ship."""
    for prefix in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    if url == "" or url.startswith("sqlite:///"):
        return url
    raise ValueError("give postgresql://user:password@host/database, or leave it out to use a file in DATA_DIR")


def _absolute(path: Path | None) -> Path | None:
    return path and path.absolute()


_ADDRESS = r"^[^@\s,]+@[^@\s,]+$"


def _addresses(text: str) -> str:
    """Mail addresses with commas in between."""
    if text and not all(re.match(_ADDRESS, address.strip()) for address in text.split(",")):
        raise ValueError("give one or more mail addresses, with commas in between")
    return text


def _networks(text: str) -> str:
    for part in text.split(","):
        try:
            ip_network(part.strip() or "127.0.0.1")
        except ValueError:
            raise ValueError(f"{part.strip()} is no address or network; give for instance 10.0.0.0/24, ::1") from None
    return text


class Settings(BaseSettings):
    """Field names are the names of the environment variables, in capitals."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, hide_input_in_errors=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Path("var")
    # Empty means the SQLite file below. See `url`.
    database_url: Annotated[str, AfterValidator(_database_url)] = ""
    # On PostgreSQL: the role that owns the tables, for migrations and for what is about the whole installation. The
    # one above then owns nothing. See docs/postgresql.md; production asks for both.
    database_owner_url: Annotated[str, AfterValidator(_database_url)] = ""
    # demo: first start fills an empty database with fictional municipalities, and cookies work without TLS.
    environment: Annotated[Literal["demo", "production"], Field(alias="STAPPENPLAN_ENV")] = "demo"

    # The key that signs the history, and who keeps what was signed: see docs/decisions/0012-history.md.
    history_key_file: Annotated[Path | None, AfterValidator(_absolute)] = None
    witness_dir: Annotated[Path | None, AfterValidator(_absolute)] = None
    witness_smtp_host: str = ""
    witness_smtp_port: Annotated[int, Field(ge=1, le=65535)] = 25
    witness_mail_from: Annotated[str | None, Field(pattern=_ADDRESS)] = None
    witness_mail_to: Annotated[str, AfterValidator(_addresses)] = ""
    # A service for time stamps (RFC 3161), which gets the hash of every signed head; stamps are kept in DATA_DIR.
    time_stamp_url: Annotated[str | None, Field(pattern=r"^https?://[^\s/]+\S*$")] = None

    # What was erased, by ids: an older backup that is put back loses it again. Keep it apart from those backups.
    erasure_register_file: Annotated[Path | None, AfterValidator(_absolute)] = None

    # Encrypts what must not be readable in a copy of the database, such as the keys of authenticator apps.
    secret_key: str = DEMONSTRATION_SECRET
    # Addresses or networks of the proxies that end TLS, with commas between them, and the header in which they tell
    # whom they speak for. Without them the application ends TLS itself, with the two files below.
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = ""
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    # How long the log of accounts stays: `stappenplan sweep-accounts` removes what is older. A year at least.
    account_log_days: Annotated[int, Field(ge=365, le=36500)] = 730

    # Where organisations keep who works for them (OpenID Connect): a file, see docs/openid-connect.md.
    oidc_providers_file: Annotated[Path | None, AfterValidator(_absolute)] = None

    # What the pages and security.txt say about who runs this installation.
    public_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] = "http://127.0.0.1:8000"
    contact_email: str | None = None
    security_contact: Annotated[str | None, Field(pattern=r"^(mailto:|https://)\S+$")] = None
    source_url: Annotated[str | None, Field(pattern=r"^https://\S+$")] = None
    # A municipality's own theme: a folder with theme.css, and the class that its rules stand under.
    theme_dir: Path | None = None
    theme_class: str = ""

    @property
    def evidence_dir(self) -> Path:
        return self.data_dir / "evidence"

    @property
    def history_key(self) -> Path:
        return self.history_key_file or self.data_dir / "keys" / "history-ed25519.pem"

    @property
    def time_stamps(self) -> Path:
        return self.data_dir / "timestamps"

    @property
    def erasure_register(self) -> Path:
        return self.erasure_register_file or self.data_dir / "erasures" / "register.jsonl"

    @property
    def witness_recipients(self) -> tuple[str, ...]:
        return tuple(address.strip() for address in self.witness_mail_to.split(",") if address.strip())

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.witness_smtp_host and not (self.witness_mail_from and self.witness_recipients):
            raise ValueError("WITNESS_SMTP_HOST takes WITNESS_MAIL_FROM and WITNESS_MAIL_TO too")
        return self

    @model_validator(mode="after")
    def _owner_is_of_the_same_database(self) -> Self:
        if self.database_owner_url:
            both = [urlsplit(url) for url in (self.database_url, self.database_owner_url)]
            if len({(url.scheme, url.path) for url in both}) > 1 or both[0].scheme == "sqlite":
                raise ValueError("DATABASE_OWNER_URL is for PostgreSQL, and of the same database as DATABASE_URL")
        return self

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'stappenplan.sqlite3'}"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


def load_settings() -> Settings:
    """Raises SettingsError, naming each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as refusal:
        lines = (_line(e["loc"], e["msg"].removeprefix("Value error, ")) for e in refusal.errors())
        raise SettingsError("\n".join(lines)) from None


def _line(place: tuple[int | str, ...], message: str) -> str:
    """What is about several settings names them itself."""
    return f"{str(place[0]).upper()}: {message}" if place else message
