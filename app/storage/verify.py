"""Does the history tell the same story as the tables? Replays every run and compares.

What an event says was erased may stand there in another form, and only in the one that the event commits to.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, select

from app.engine.answers import commitment
from app.engine.apply import apply
from app.engine.events import ApprovalRequested, Event, PersonalDataErased, StageApproved, StageSentBack
from app.engine.progress import is_done
from app.engine.run import Run, StageRef
from app.engine.seal import digest, seal
from app.policy import Role
from app.storage import codec
from app.storage.evidence_store import Evidence, commit_to, evidence_of
from app.storage.run_header import run_header
from app.storage.run_store import load_run
from app.storage.tables import (
    AnswerRow,
    EventRow,
    OpenPointRow,
    RunAccess,
    RunMember,
    RunRow,
    SealRow,
    StepRow,
    TextRow,
)
from app.storage.texts import COMMITMENTS, read_texts

# What reading or replaying stored values raises when somebody changed them.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


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

    told = Told()
    replayed, count = _replay(session, run_id, told, report)
    if replayed is not None:
        _check_tables(session, replayed, report)
        _check_texts(session, replayed, told, report)
        _check_members(session, replayed, report)
        _check_answers(session, replayed, told, report)
        _check_evidence(session, replayed, told, report)
        _check_seals(session, replayed, report)
        _check_points(session, replayed, report)
    return Verified(run_id, count, tuple(found))


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


def _replay(session: Session, run_id: str, told: Told, report: Any) -> tuple[Run | None, int]:
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
            event = codec.decode_event(kind, data, by=str(by), at=at)
            after = apply(run, event)
            if run is not None and not _seals_what_was(run, after, event):
                report(f"event {sequence} ({kind})", "sealed something else than the history holds")
            run = after
            told.hear(event, data)
        except UNREADABLE as error:
            report(f"event {sequence} ({kind})", f"cannot have happened: {error!r}")
            return None, expected
    if run is None:
        report("history", "no events")
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


def _check_tables(session: Session, replayed: Run, report: Any) -> None:
    try:
        plan, stored = load_run(session, replayed.id)
    except UNREADABLE as error:
        report("state tables", f"cannot be read: {error!r}")
        return
    for place, a, b in _compared(replayed, stored):
        if a != b:
            report(place, "the tables say something else than the history")
    columns: tuple[Any, ...] = (StepRow.ref, StepRow.step, StepRow.status, StepRow.is_done)
    for ref, step, status, done in session.execute(
        sqlalchemy.select(*columns).where(col(StepRow.run_id) == uuid.UUID(stored.id))
    ):
        instance = stored.stages[StageRef.parse(ref)]
        state, definition = instance.step(step), plan.stage(instance.ref.stage).steps_by_id.get(step)
        if definition is None:
            report(f"step {ref}/{step}", "not in the plan")
        elif (status, done) != (state.status.value, is_done(definition, state)):
            report(f"step {ref}/{step}", "its status in lists is not the status of the step")


def _check_texts(session: Session, run: Run, told: Told, report: Any) -> None:
    """Each text is what the history committed to, or what took its place. The name and purpose that pages show are the
    texts that the history names."""
    waiting = {**told.texts, **told.texts_erased}
    columns: tuple[Any, ...] = (TextRow.id, TextRow.text, TextRow.salt)
    query = sqlalchemy.select(*columns).where(col(TextRow.run_id) == uuid.UUID(run.id))
    for id, text, salt in session.execute(query.execution_options(yield_per=500)):
        committed = waiting.pop(str(id), None)
        if text is None:
            report(f"text {id}", "is gone, and no event says that it was erased")
        elif committed is not None and not _fits(text, salt, committed):
            report(f"text {id}", "the text was changed outside the history")
    for id in waiting:
        report(f"text {id}", "missing")
    header, texts = run_header(session, run.id), read_texts(session, [run.name, run.purpose])
    for place, shown, id in (("name", header.name, run.name), ("purpose", header.purpose, run.purpose)):
        if shown != texts.get(id, shown):
            report(place, "the tables say something else than the history")


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
    opened = session.exec(
        select(RunAccess.user_id).where(RunAccess.run_id == uuid.UUID(run.id), RunAccess.role == Role.ADVISER.value)
    )
    if {str(adviser) for adviser in opened} != set(run.advisers):
        report("advisers", "the run is open to others than the history says")


def _check_answers(session: Session, run: Run, told: Told, report: Any) -> None:
    """Each current answer still carries the commitment that history holds; every version still fits its own, or is what
    took its place."""
    columns: tuple[Any, ...] = (
        AnswerRow.ref,
        AnswerRow.step,
        AnswerRow.question,
        AnswerRow.value,
        AnswerRow.salt,
        AnswerRow.commitment,
        AnswerRow.is_current,
    )
    query = sqlalchemy.select(*columns).where(col(AnswerRow.run_id) == uuid.UUID(run.id))
    current = {}
    parked = {item.answer.commitment for item in run.parked if item.answer}
    kept: set[str] = set()
    for row in session.execute(query.execution_options(yield_per=500)):
        if row.commitment in parked:
            kept.add(row.commitment)
        key = (row.ref, row.step, row.question)
        erased = told.answers_erased.get(row.commitment)
        if not _fits(row.value, row.salt, erased or row.commitment):
            which = "" if row.is_current else "an earlier version: "
            report(f"answer {'/'.join(key)}", f"{which}the text was changed outside the history")
        if row.is_current:
            current[key] = row.commitment
    for ref, instance in run.stages.items():
        for step, state in instance.steps.items():
            for question, mark in state.answers.items():
                given = current.pop((str(ref), step, question), None)
                place = f"answer {ref}/{step}/{question}"
                if given is None:
                    report(place, "missing")
                elif given != mark.commitment:
                    report(place, "another answer than the history says")
    for key in current:
        report(f"answer {'/'.join(key)}", "not in the history")
    for item in run.parked:
        if item.answer is not None and item.answer.commitment not in kept:
            report(f"parked answer {item.ref}/{item.step}/{item.key}", "missing")


def _fits(value: Any, salt: str | None, committed: str) -> bool:
    try:
        return commitment(value, salt or "") == committed
    except UNREADABLE:
        return False


def _check_evidence(session: Session, run: Run, told: Told, report: Any) -> None:
    """Each piece of evidence is described as the history committed to, or as what took its place; its file is not read
    here."""
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
                elif not _is_described(row, told):
                    report(place, "the description was changed outside the history")
                elif (row.ref, row.step) != (ref, step):
                    report(place, "at another step than the history says")
                elif row.is_withdrawn == mark.counts:
                    report(place, "withdrawn or not: the tables say something else than the history")
    for item in run.parked:
        if item.evidence is not None:
            row = rows.pop(item.evidence.id, None)
            place = f"parked evidence {item.evidence.id}"
            if row is None:
                report(place, "missing")
            elif row.commitment != item.evidence.commitment:
                report(place, "other evidence than the history says")
            elif not _is_described(row, told):
                report(place, "the description was changed outside the history")
    for id in rows:
        report(f"evidence {id}", "not in the history")


def _check_points(session: Session, run: Run, report: Any) -> None:
    """That lists know of the open points what the run says of them."""
    columns: tuple[Any, ...] = (OpenPointRow.ref, OpenPointRow.id, OpenPointRow.owner_id, OpenPointRow.due)
    found = session.execute(
        sqlalchemy.select(*columns, col(OpenPointRow.state)).where(col(OpenPointRow.run_id) == uuid.UUID(run.id))
    )
    listed = {(ref, id, str(owner), due, state) for ref, id, owner, due, state in found}
    there = {
        (str(ref), point.id, point.owner, point.due, point.state.value)
        for ref, instance in run.stages.items()
        for point in instance.points
        if point.is_waiting
    }
    for ref, id, *_ in sorted(listed ^ there, key=str):
        report(f"open point {ref}/{id}", "the tables say something else than the history")


def _is_described(row: Evidence, told: Told) -> bool:
    try:
        return commit_to(row.described, row.salt) == told.evidence_erased.get(row.id, row.commitment)
    except UNREADABLE:
        return False


def _check_seals(session: Session, run: Run, report: Any) -> None:
    rows = session.execute(
        sqlalchemy.select(col(SealRow.digest), col(SealRow.manifest)).where(col(SealRow.run_id) == uuid.UUID(run.id))
    )
    subjects: dict[str, tuple[object, object]] = {}
    for sealed, manifest in rows:
        if digest(manifest) != sealed:
            report(f"seal {sealed[:12]}", "the sealed content was changed")
        is_whole = isinstance(manifest, dict)
        subjects[sealed] = (manifest.get("run"), manifest.get("stage")) if is_whole else (None, None)
    for ref, instance in run.stages.items():
        for approval in instance.approvals:
            subject = subjects.get(approval.seal)
            if subject is None:
                report(f"approval of {ref}", "the sealed content is missing")
            elif subject[0] != run.id or (subject[1] != str(ref) and not run.moves):
                # A move can give a stage another name; that an approval sealed its own stage, replaying proved.
                report(f"approval of {ref}", "the seal belongs to something else")
