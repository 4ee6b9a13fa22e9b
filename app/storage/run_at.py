"""A run as it stood at an earlier moment: its events up to then, played again."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Session, col

from app.engine.apply import apply
from app.engine.definition import StepPlan
from app.engine.events import RunRenamed, RunStarted
from app.engine.run import Run
from app.storage import codec
from app.storage.erasure.items import MARK
from app.storage.plans import load_plan
from app.storage.run_header import RunHeader, RunNotFound
from app.storage.tables import EventRow
from app.storage.texts import read_texts

EVENTS_AT_ONCE = 500  # read into memory


class NotBegunYet(Exception):
    """The run began later: at `began_at`."""

    def __init__(self, began_at: datetime) -> None:
        super().__init__(began_at)
        self.began_at = began_at


def load_run_at(session: Session, run_id: str, moment: datetime) -> tuple[StepPlan, Run, RunHeader]:
    """With its plan and name of then. Of what was erased since, it holds what took its place. Two queries, whose cost
    grows with the number of events; memory does not.  Raises RunNotFound, NotBegunYet."""
    try:
        key = uuid.UUID(run_id)
    except ValueError:
        raise RunNotFound(run_id) from None
    of_run = col(EventRow.run_id) == key
    last = sqlalchemy.select(func.max(EventRow.sequence)).where(of_run, col(EventRow.at) <= moment).scalar_subquery()
    columns: tuple[Any, ...] = (EventRow.kind, EventRow.data, EventRow.by, EventRow.at)
    query = (
        sqlalchemy.select(*columns)
        .where(of_run, col(EventRow.sequence) <= last)
        .order_by(col(EventRow.sequence))
        .execution_options(yield_per=EVENTS_AT_ONCE)
    )
    run: Run | None = None
    named: RunStarted | RunRenamed | None = None
    for kind, data, by, at in session.execute(query):
        event = codec.decode_event(kind, data, by=str(by), at=at)
        run = apply(run, event)
        if isinstance(event, RunStarted | RunRenamed):
            named = event
    if run is None or named is None:
        raise NotBegunYet(_began_at(session, key))
    texts = read_texts(session, [named.name, named.purpose])
    name, purpose = (texts.get(id, MARK) if id else "" for id in (named.name, named.purpose))
    return load_plan(session, run.plan_digest), run, RunHeader(str(key), name, purpose)


def _began_at(session: Session, key: uuid.UUID) -> datetime:
    query = sqlalchemy.select(func.min(EventRow.at)).where(col(EventRow.run_id) == key)
    began_at: datetime | None = session.execute(query).scalar()
    if began_at is None:
        raise RunNotFound(str(key))
    return began_at
