"""Rows that lie directly below a run, for tests that are about storage and not about what a run means."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from app.storage.tables import EventRow, Municipality, PlanDocument, PlanVersion, RunRow, TextRow, User

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Side:
    """One of two municipalities that look the same: a user, a run of 'A' or 'B', and a text in it."""

    municipality: uuid.UUID
    user: uuid.UUID
    run: uuid.UUID
    name: str


def a_municipality_with_a_run(session: Session, name: str) -> Side:
    side = Side(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), name)
    session.add(Municipality(id=side.municipality, name=name, created_at=NOW))
    session.add(User(id=side.user, login=name, name=name, created_at=NOW))
    session.merge(PlanDocument(digest="d", document={}))
    session.flush()
    session.merge(PlanVersion(digest="d", plan_id="p", version="1", title="P", added_at=NOW))
    session.flush()
    session.add(a_run(side))
    session.flush()
    session.add(a_text(side))
    session.flush()
    return side


def a_run(side: Side, **changes: Any) -> RunRow:
    return RunRow(**run_values(side) | changes)


def run_values(side: Side) -> dict[str, Any]:
    return {
        "id": side.run,
        "municipality_id": side.municipality,
        "plan_digest": "d",
        "plan_id": "p",
        "plan_version": "1",
        "name": side.name,
        "purpose": "",
        "manager_id": side.user,
        "state": {},
        "revision": 0,
        "started_by": side.user,
        "started_at": NOW,
        "changed_at": NOW,
    }


def a_text(side: Side, **changes: Any) -> TextRow:
    values: dict[str, Any] = {
        "municipality_id": side.municipality,
        "run_id": side.run,
        "text": side.name,
        "written_by": side.user,
        "written_at": NOW,
    }
    return TextRow(**values | changes)


def an_event(side: Side, sequence: int = 1) -> EventRow:
    return EventRow(
        municipality_id=side.municipality,
        run_id=side.run,
        sequence=sequence,
        kind="RunStarted",
        data={},
        by=side.user,
        at=NOW,
    )
