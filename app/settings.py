"""The environment, read once at start-up into typed values. Nothing else reads environment variables."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


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


class Settings(BaseSettings):
    """Field names are the names of the environment variables, in capitals."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, hide_input_in_errors=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Path("var")
    # Empty means the SQLite file below. See `url`.
    database_url: Annotated[str, AfterValidator(_database_url)] = ""
    # demo: first start fills an empty database with fictional municipalities, and cookies work without TLS.
    environment: Annotated[Literal["demo", "production"], Field(alias="STAPPENPLAN_ENV")] = "demo"

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
        lines = (f"{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in refusal.errors())
        raise SettingsError("\n".join(lines)) from None
