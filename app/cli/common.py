"""What every command needs: the database, and failures that end in one clear line and a non-zero exit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from app.settings import Settings, SettingsError, load_settings
from app.storage.database import Database, open_database
from app.storage.erasure.again import missing_in
from app.storage.erasure.register import Register, RegisterDamaged
from app.storage.history.keeper import HistoryKeeper
from app.storage.history.witnesses import witnesses_of
from app.storage.scope import set_scope
from app.storage.tables import Municipality
from app.storage.upgrade import SchemaError, is_current


def say(text: str) -> None:
    typer.echo(text)


def complain(text: str) -> None:
    typer.echo(text, err=True)


def fail(message: str, *, code: int = 1) -> typer.Exit:
    """Says what is wrong; the caller raises what this returns."""
    complain(message)
    return typer.Exit(code)


def now() -> datetime:
    return datetime.now(UTC)


def settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as wrong:
        raise fail(str(wrong)) from None


@contextmanager
def database(*, must_be_current: bool = True, must_be_erased: bool = True) -> Iterator[Database]:
    """The database of the settings.  Ends the command when it cannot be reached or was made by another version, and
    unless told otherwise when it is an older backup with what was erased since."""
    chosen = settings()
    if not chosen.database_url:
        try:
            chosen.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            raise fail(f"The folder {chosen.data_dir} cannot be made: {refused.strerror}. Check DATA_DIR.") from None
    opened = open_database(chosen)
    try:
        if must_be_current and not is_current(opened.engine):
            raise fail("This database is empty or of another version. Start it once with: stappenplan serve")
        if must_be_current and must_be_erased and missing_in(opened, register_of(chosen).read()):
            raise fail("This database holds what was erased: it is an older backup. Run: stappenplan erasures apply")
        opened.keeper = keeper_for(opened)
        yield opened
    except (SchemaError, RegisterDamaged) as wrong:
        raise fail(str(wrong)) from None
    except SQLAlchemyError as wrong:
        cause = str(getattr(wrong, "orig", None) or wrong).strip().splitlines()[0]
        raise fail(
            f"The database cannot be used: {cause}. Check DATABASE_URL, DATABASE_OWNER_URL and DATA_DIR."
        ) from None
    finally:
        opened.dispose()


def register_of(chosen: Settings) -> Register:
    return Register(chosen.erasure_register)


def keeper_for(opened: Database) -> HistoryKeeper:
    chosen = settings()
    return HistoryKeeper(opened, chosen.history_key, witnesses_of(chosen), clock=now)


def each_municipality(opened: Database, only: str | None = None) -> Iterator[tuple[str, Session]]:
    """A reading session for every municipality, limited to it.  Ends the command for an unknown name."""
    with opened.read() as session:
        query = select(Municipality.id, Municipality.name).order_by(Municipality.name)
        found = list(session.execute(query))
    chosen = [row for row in found if only is None or row.name == only]
    if only is not None and not chosen:
        names = ", ".join(row.name for row in found) or "none"
        raise fail(f"There is no municipality {only!r}. Known: {names}")
    for row in chosen:
        with opened.read() as session:
            set_scope(session, row.id)
            yield row.name, session
