"""What people call a run: its name, purpose and plan, for the top of every page about it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlmodel import Session, col

from app.storage.run_store import RunNotFound
from app.storage.tables import RunRow


@dataclass(frozen=True, slots=True)
class RunHeader:
    id: str
    name: str
    purpose: str


def run_header(session: Session, run_id: str) -> RunHeader:
    """Raises RunNotFound for a run that this municipality does not have."""
    query = select(col(RunRow.name), col(RunRow.purpose)).where(col(RunRow.id) == uuid.UUID(run_id))
    row = session.execute(query).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    return RunHeader(str(uuid.UUID(run_id)), row.name, row.purpose)


def rename(session: Session, run_id: str, *, name: str, purpose: str) -> None:
    """Writes what the recorded `RunRenamed` says; the texts it names keep the earlier wording."""
    session.execute(
        update(RunRow)
        .where(col(RunRow.id) == uuid.UUID(run_id))
        .values(name=name, purpose=purpose)
        .execution_options(synchronize_session=False)
    )
