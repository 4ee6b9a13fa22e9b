"""Does the history tell the same story as the tables? Replays every run and compares."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, select

from app.engine.answers import commitment
from app.engine.apply import apply
from app.engine.run import Run, StageRef
from app.engine.seal import digest
from app.storage import codec
from app.storage.evidence_store import evidence_of, is_as_committed
from app.storage.run_store import load_run
from app.storage.tables import AnswerRow, EventRow, RunMember, RunRow, SealRow


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` names what differs, `problem` says how; both in English for whoever runs the installation."""

    run_id: str
    place: str
    problem: str


@dataclass(frozen=True, slots=True)
class Verified:
    run_id: str
    events: int
    findings: tuple[Finding, ...]


def verify_all(session: Session) -> Iterator[Verified]:
    """Checks every run of the scope of this session, one at a time, so that memory stays flat."""
    last: uuid.UUID | None = None
    while True:
        query = select(RunRow.id).order_by(col(RunRow.id)).limit(1)
        if last is not None:
            query = query.where(col(RunRow.id) > last)
        last = session.exec(query).one_or_none()
        if last is None:
            return
        yield verify_run(session, str(last))


def verify_run(session: Session, run_id: str) -> Verified:
    found: list[Finding] = []

    def report(place: str, problem: str) -> None:
        found.append(Finding(run_id, place, problem))

    replayed, count = _replay(session, run_id, report)
    if replayed is not None:
        _, stored = load_run(session, run_id)
        for place, a, b in _compared(replayed, stored):
            if a != b:
                report(place, "the tables say something else than the history")
        _check_members(session, replayed, report)
        _check_answers(session, replayed, report)
        _check_evidence(session, replayed, report)
        _check_seals(session, replayed, report)
    return Verified(run_id, count, tuple(found))


def _replay(session: Session, run_id: str, report: Any) -> tuple[Run | None, int]:
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
            report(f"event {expected}", f"missing; the next one is number {sequence}")
            return None, expected
        try:
            run = apply(run, codec.decode_event(kind, data, by=str(by), at=at))
        except (ValueError, KeyError) as error:
            report(f"event {sequence} ({kind})", f"cannot have happened: {error!r}")
            return None, expected
    if run is None:
        report("history", "no events")
    return run, expected


def _compared(replayed: Run, stored: Run) -> Iterator[tuple[str, object, object]]:
    yield (
        "plan",
        (replayed.plan_id, replayed.plan_version, replayed.plan_digest),
        (
            stored.plan_id,
            stored.plan_version,
            stored.plan_digest,
        ),
    )
    yield "revision", replayed.revision, stored.revision
    yield "manager", replayed.manager, stored.manager
    yield "start", (replayed.started_by, replayed.started_at), (stored.started_by, stored.started_at)
    yield "team, domains and decisions", codec.encode_run(replayed), codec.encode_run(stored)
    for ref in sorted({*replayed.stages, *stored.stages}, key=str):
        a, b = replayed.stages.get(ref), stored.stages.get(ref)
        yield (
            f"stage {ref}",
            a and (a.status, a.passed, codec.encode_stage(a)),
            b
            and (
                b.status,
                b.passed,
                codec.encode_stage(b),
            ),
        )
        if a and b:
            for step in sorted({*a.steps, *b.steps}):
                yield f"step {ref}/{step}", codec.encode_step(a.step(step)), codec.encode_step(b.step(step))


def _check_members(session: Session, run: Run, report: Any) -> None:
    members = session.exec(select(RunMember.user_id).where(RunMember.run_id == uuid.UUID(run.id)))
    if {str(member) for member in members} != set(run.team):
        report("team", "the list of members differs from the history")


def _check_answers(session: Session, run: Run, report: Any) -> None:
    """Each current answer still carries the commitment that history holds, and its text still fits it."""
    columns: tuple[Any, ...] = (
        AnswerRow.ref,
        AnswerRow.step,
        AnswerRow.question,
        AnswerRow.value,
        AnswerRow.salt,
        AnswerRow.commitment,
    )
    query = sqlalchemy.select(*columns).where(col(AnswerRow.run_id) == uuid.UUID(run.id), col(AnswerRow.is_current))
    current = {(row.ref, row.step, row.question): row for row in session.execute(query)}
    for ref, instance in run.stages.items():
        for step, state in instance.steps.items():
            for question, mark in state.answers.items():
                row = current.pop((str(ref), step, question), None)
                place = f"answer {ref}/{step}/{question}"
                if row is None:
                    report(place, "missing")
                elif row.commitment != mark.commitment:
                    report(place, "another answer than the history says")
                elif commitment(row.value, row.salt) != row.commitment:
                    report(place, "the text was changed outside the history")
    for key in current:
        report(f"answer {'/'.join(key)}", "not in the history")


def _check_evidence(session: Session, run: Run, report: Any) -> None:
    """Each piece of evidence is described as the history committed to; its file is not read here."""
    rows = {evidence.id: evidence for evidence in evidence_of(session, run.id)}
    for ref, instance in run.stages.items():
        for step, state in instance.steps.items():
            for mark in state.evidence:
                row = rows.pop(mark.id, None)
                place = f"evidence {mark.id} ({ref}/{step})"
                if row is None:
                    report(place, "missing")
                elif row.commitment != mark.commitment:
                    report(place, "other evidence than the history says")
                elif not is_as_committed(row):
                    report(place, "the description was changed outside the history")
                elif row.is_withdrawn == mark.counts:
                    report(place, "withdrawn or not: the tables say something else than the history")
    for id in rows:
        report(f"evidence {id}", "not in the history")


def _check_seals(session: Session, run: Run, report: Any) -> None:
    rows = session.execute(
        sqlalchemy.select(col(SealRow.digest), col(SealRow.manifest)).where(col(SealRow.run_id) == uuid.UUID(run.id))
    )
    manifests = {row.digest: row.manifest for row in rows}
    for sealed, manifest in manifests.items():
        if digest(manifest) != sealed:
            report(f"seal {sealed[:12]}", "the sealed content was changed")
    for ref, instance in run.stages.items():
        for approval in instance.approvals:
            manifest = manifests.get(approval.seal)
            if manifest is None:
                report(f"approval of {ref}", "the sealed content is missing")
            elif StageRef.parse(manifest["stage"]) != ref or manifest["run"] != run.id:
                report(f"approval of {ref}", "the seal belongs to something else")
