"""What a report is made from: what the history of a run says, and the words for it, which can be erased."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, type_coerce
from sqlmodel import Session, col

from app.engine import events as e
from app.engine.definition import StepPlan
from app.engine.run import EvidenceId, Run, StageRef, TextId, UserId
from app.features.reports.moved import MovedRun, commitments_in
from app.storage import codec
from app.storage.answer_store import Answer, AnswersOfRun, answers_by_commitment, answers_of_run
from app.storage.mandates import grounds_of
from app.storage.run_header import RunHeader
from app.storage.scope import Prepared
from app.storage.tables import EventRow, EvidenceRow
from app.storage.texts import read_texts_and_names
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


DecisionEvents = tuple[tuple[int, DecisionEvent], ...]
Place = tuple[StageRef, str]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A run and what its history says: the same for as long as no event is added. `events` have their number;
    `places` of evidence are the stage instance and the step. `is_earlier`: the run is how it stood before."""

    plan: StepPlan
    run: Run
    moved: MovedRun
    events: DecisionEvents
    places: Mapping[EvidenceId, Place]
    texts: frozenset[TextId]
    people: frozenset[UserId]
    mandates: frozenset[str]
    is_earlier: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """What of it can be erased, or get another name, without an event. `answers` are by place, `versions` by
    commitment where something was set aside, `evidence` in the order in which it was added, the rest by id."""

    header: RunHeader
    answers: AnswersOfRun
    versions: Mapping[str, Answer]
    evidence: tuple[Any, ...]
    texts: Mapping[TextId, str]
    names: Mapping[UserId, str]
    grounds: Mapping[str, str]


def told_by(session: Session, plan: StepPlan, run: Run, *, is_earlier: bool = False) -> Told:
    """One query; more only for a run that moved."""
    moved = MovedRun(session, plan, run)
    events = tuple(_decision_events(session, run))
    return Told(
        plan,
        run,
        moved,
        events,
        places=_places_of_evidence(run),
        texts=frozenset(id for id in _texts_in(run, moved, events) if id),
        people=frozenset(id for id in _people_in(run, moved, events) if id),
        mandates=frozenset(event.mandate for _, event in events if isinstance(event, e.ByMandate) and event.mandate),
        is_earlier=is_earlier,
    )


def wording_of(session: Session, told: Told, header: RunHeader, *, known: Wording | None = None) -> Wording:
    """Three queries, and one more where somebody decided under a mandate. `known`: what it was before, and may
    not be any more."""
    answers, versions = _answers_of(session, told, known)
    rows = _EVIDENCE.run(session, {"of_run": uuid.UUID(told.run.id)}).all()
    evidence = tuple(row for row in rows if row.id in told.places)
    people = {
        *told.people,
        *(row.added_by for row in evidence),
        *(answer.saved_by for answer in answers.by_place.values()),
        *(answer.saved_by for answer in versions.values()),
    }
    texts, names = read_texts_and_names(session, told.texts, people)
    return Wording(header, answers, versions, evidence, texts, names, grounds_of(session, told.mandates))


def _decision_events(session: Session, run: Run) -> Iterator[tuple[int, DecisionEvent]]:
    values = {"of_run": uuid.UUID(run.id), "up_to": run.revision}
    for sequence, kind, data, by, at in _DECISION_EVENTS.run(session, values):
        event = codec.decode_event(kind, data, by=by, at=at)
        assert isinstance(event, DecisionEvent)
        yield sequence, event


def _places_of_evidence(run: Run) -> dict[EvidenceId, Place]:
    """Of what was set aside, those where it was."""
    places = {}
    for parked in run.parked:
        if parked.evidence and parked.ref and parked.step:
            places[parked.evidence.id] = (parked.ref, parked.step)
    for ref, instance in run.stages.items():
        for step, state in instance.steps.items():
            places |= {item.id: (ref, step) for item in state.evidence}
    return places


def _texts_in(run: Run, moved: MovedRun, events: DecisionEvents) -> Iterator[TextId | None]:
    for instance in run.stages.values():
        yield from (instance.early_reason, instance.round_reason, instance.skip_reason)
        yield from (point.text for point in instance.points)
        for state in instance.steps.values():
            yield state.finding
    for taken in run.decisions:
        yield taken.reason
    yield from moved.text_ids()
    for given in run.advice:
        yield given.text
        yield given.answer.reason if given.answer else None
    for _, event in events:
        match event:
            case e.StageApproved():
                yield event.remark
            case e.PointReported():
                yield event.remark
            case e.RequestWithdrawn() | e.StageReopened() | e.PointReturned() | e.PointChanged():
                yield event.reason
            case e.StageSentBack():
                yield from event.findings.values()
            case e.ApprovalWithdrawn() | e.EvidenceWithdrawn() | e.Recused() | e.RecusalTakenBack():
                yield event.reason


def _people_in(run: Run, moved: MovedRun, events: DecisionEvents) -> Iterator[UserId | None]:
    yield from (run.manager, run.started_by, *run.team)
    yield from (event.by for _, event in events)
    yield from (event.on_behalf_of for _, event in events if isinstance(event, e.ByMandate))
    yield from moved.people()
    for given in run.advice:
        yield given.by
        yield given.answer.by if given.answer else None
    yield from (taken.by for taken in run.decisions)
    for instance in run.stages.values():
        yield from (instance.started_by, *instance.contributors)
        yield from (point.owner for point in instance.points)
        for state in instance.steps.values():
            yield state.completed_by


def _answers_of(session: Session, told: Told, known: Wording | None) -> tuple[AnswersOfRun, dict[str, Answer]]:
    """By place and, where something was set aside, every answer by commitment: one query. Those of an earlier moment
    need not be the present ones."""
    run = told.run
    if not told.is_earlier and not any(item.answer for item in run.parked):
        return answers_of_run(session, run.id, known=known.answers if known else None), {}
    versions = answers_by_commitment(session, run.id, commitments_in(run))
    present = {
        (str(ref), step, question): versions[mark.commitment]._replace(ref=str(ref), step=step, question=question)
        for ref, instance in run.stages.items()
        for step, state in instance.steps.items()
        for question, mark in state.answers.items()
        if mark.commitment in versions
    }
    return AnswersOfRun((), present), versions
