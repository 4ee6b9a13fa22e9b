"""What people call a run: its name, purpose and plan, for the top of every page about it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlmodel import Session, col

from app.storage.tables import RunRow


class RunNotFound(Exception):
    """No such run in this municipality; whether it exists elsewhere is nobody's business."""


@dataclass(frozen=True, slots=True)
class RunHeader:
    id: str
    name: str
    purpose: str


def run_header(session: Session, run_id: str) -> RunHeader:
    """Asks nothing when the run was loaded in this session before.  Raises RunNotFound for a run that this
    municipality does not have."""
    known: RunHeader | None = session.info.get(_headers_key(run_id))
    if known is not None:
        return known
    query = select(col(RunRow.name), col(RunRow.purpose)).where(col(RunRow.id) == uuid.UUID(run_id))
    row = session.execute(query).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    return RunHeader(str(uuid.UUID(run_id)), row.name, row.purpose)


def remember(session: Session, header: RunHeader) -> None:
    """Keeps what loading a run brought along anyway, for the page about it."""
    session.info[_headers_key(header.id)] = header


def _headers_key(run_id: str) -> tuple[str, uuid.UUID]:
    try:
        return ("run_header", uuid.UUID(run_id))
    except ValueError:
        raise RunNotFound(run_id) from None


def rename(session: Session, run_id: str, *, name: str, purpose: str) -> None:
    """Writes what the recorded `RunRenamed` says; the texts it names keep the earlier wording."""
    session.info.pop(_headers_key(run_id), None)
    session.execute(
        update(RunRow)
        .where(col(RunRow.id) == uuid.UUID(run_id))
        .values(name=name, purpose=purpose)
        .execution_options(synchronize_session=False)
    )
