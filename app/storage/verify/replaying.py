"""The history of a run played again: what it leads to, and what it says of what people wrote."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy
from sqlmodel import Session, col

from app.engine.apply import apply
from app.engine.events import ApprovalRequested, Event, PersonalDataErased, StageApproved, StageSentBack
from app.engine.run import Run
from app.engine.seal import seal
from app.storage import codec
from app.storage.tables import EventRow
from app.storage.texts import COMMITMENTS
from app.storage.verify.findings import Part, Tell, Trouble

# What reading or replaying stored values raises when somebody changed them.
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(slots=True)
class Told:
    """What the events say of what people wrote. `texts`: commitments by id; the others: what took the place of what was
    erased, by the commitment of an answer, and by the id of a text and of evidence."""

    texts: dict[str, str] = field(default_factory=dict)
    answers_erased: dict[str, str] = field(default_factory=dict)
    texts_erased: dict[str, str] = field(default_factory=dict)
    evidence_erased: dict[str, str] = field(default_factory=dict)

    def hear(self, event: Event, data: Any) -> None:
        for id, committed in (data.get(COMMITMENTS) or {}).items():
            self.texts.setdefault(id, committed)
        if isinstance(event, PersonalDataErased):
            self.answers_erased |= event.answers
            self.texts_erased |= event.texts
            self.evidence_erased |= event.evidence


def replay(session: Session, run_id: str, told: Told, report: Tell) -> tuple[Run | None, int]:
    columns: tuple[Any, ...] = (EventRow.sequence, EventRow.kind, EventRow.data, EventRow.by, EventRow.at)
    query = (
        sqlalchemy.select(*columns)
        .where(col(EventRow.run_id) == uuid.UUID(run_id))
        .order_by(col(EventRow.sequence))
        .execution_options(yield_per=500)
    )
    run: Run | None = None
    expected = 0
    for sequence, kind, data, by, at in session.execute(query):
        expected += 1
        if sequence != expected:
            report(Part.EVENT, str(expected), Trouble.NUMBER_MISSING, sequence)
            return None, expected
        try:
            event = codec.decode_event(kind, data, by=str(by), at=at)
            after = apply(run, event)
            if run is not None and not _seals_what_was(run, after, event):
                report(Part.EVENT, f"{sequence} ({kind})", Trouble.SEALED_OTHER)
            run = after
            told.hear(event, data)
        except UNREADABLE as error:
            report(Part.EVENT, f"{sequence} ({kind})", Trouble.IMPOSSIBLE, repr(error))
            return None, expected
    if run is None:
        report(Part.HISTORY, "", Trouble.NO_EVENTS)
    return run, expected


def _seals_what_was(before: Run, after: Run, event: Event) -> bool:
    """An approval seals its own conditions too; who sent a stage back before that was sealed, sealed nothing."""
    match event:
        case ApprovalRequested() | StageSentBack(seal=str()):
            return seal(before, event.ref) == event.seal
        case StageApproved():
            return seal(after, event.ref) == event.seal
        case _:
            return True
