"""What a report reads from the database beside the run: answers, evidence, and what was decided when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select, type_coerce
from sqlmodel import Session, col

from app.engine import events as e
from app.engine.run import EvidenceId, Run, StageRef
from app.features.reports.moved import commitments_in
from app.storage import codec
from app.storage.answer_store import Answer, answers_by_commitment, current_answers
from app.storage.scope import Prepared
from app.storage.tables import EventRow, EvidenceRow
from app.storage.types import IdText

DECISION_KINDS = (
    *("StageApproved", "StageSentBack", "ApprovalWithdrawn", "EvidenceWithdrawn", "RequestWithdrawn", "StageReopened"),
    *("PointReported", "PointClosed", "PointReturned", "PointChanged"),
    *("Recused", "RecusalTakenBack"),
)
_EVIDENCE_COLUMNS: tuple[Any, ...] = (
    type_coerce(col(EvidenceRow.id), IdText).label("id"),
    EvidenceRow.kind,
    EvidenceRow.form,
    EvidenceRow.title,
    EvidenceRow.source,
    EvidenceRow.document_date,
    EvidenceRow.confidentiality,
    EvidenceRow.grounds,
    EvidenceRow.sha256,
    EvidenceRow.bytes,
    EvidenceRow.file_name,
    EvidenceRow.url,
    EvidenceRow.note,
    type_coerce(col(EvidenceRow.added_by), IdText).label("added_by"),
    EvidenceRow.added_at,
)
_EVIDENCE = Prepared(
    select(*_EVIDENCE_COLUMNS)
    .where(col(EvidenceRow.run_id) == bindparam("of_run"))
    .order_by(col(EvidenceRow.added_at), col(EvidenceRow.id))
)
_EVENT_COLUMNS: tuple[Any, ...] = (
    EventRow.sequence,
    EventRow.kind,
    EventRow.data,
    type_coerce(col(EventRow.by), IdText),
    EventRow.at,
)
_DECISION_EVENTS = Prepared(
    select(*_EVENT_COLUMNS)
    .where(
        col(EventRow.run_id) == bindparam("of_run"),
        col(EventRow.kind).in_(DECISION_KINDS),
        col(EventRow.sequence) <= bindparam("up_to"),
    )
    .order_by(col(EventRow.sequence))
)
DecisionEvent = (
    e.ByMandate
    | e.EvidenceWithdrawn
    | e.RequestWithdrawn
    | e.StageReopened
    | e.Recused
    | e.RecusalTakenBack
    | e.PointReported
)


def decision_events(session: Session, run: Run) -> Iterable[tuple[int, DecisionEvent]]:
    values = {"of_run": uuid.UUID(run.id), "up_to": run.revision}
    for sequence, kind, data, by, at in _DECISION_EVENTS.run(session, values):
        event = codec.decode_event(kind, data, by=by, at=at)
        assert isinstance(event, DecisionEvent)
        yield sequence, event


def places_of_evidence(run: Run) -> dict[EvidenceId, tuple[StageRef, str]]:
    """Stage instance and step of each piece; of what was set aside, those where it was."""
    places = {}
    for parked in run.parked:
        if parked.evidence and parked.ref and parked.step:
            places[parked.evidence.id] = (parked.ref, parked.step)
    for ref, instance in run.stages.items():
        for step, state in instance.steps.items():
            places |= {item.id: (ref, step) for item in state.evidence}
    return places


def answers_of(
    session: Session, run: Run, *, is_earlier: bool
) -> tuple[dict[tuple[str, str, str], Answer], dict[str, Answer]]:
    """The answers of the run by place and, where something was set aside, every answer by commitment: one query.
    `is_earlier`: those of then need not be the present ones."""
    if not is_earlier and not any(item.answer for item in run.parked):
        return current_answers(session, run.id), {}
    versions = answers_by_commitment(session, run.id, commitments_in(run))
    present = {
        (str(ref), step, question): versions[mark.commitment]._replace(ref=str(ref), step=step, question=question)
        for ref, instance in run.stages.items()
        for step, state in instance.steps.items()
        for question, mark in state.answers.items()
        if mark.commitment in versions
    }
    return present, versions


def evidence_rows(session: Session, run: Run) -> list[Any]:
    """In the order in which they were added."""
    return [*_EVIDENCE.run(session, {"of_run": uuid.UUID(run.id)}).all()]
