"""Does the history tell the same story as the tables? Replays every run and compares.

What an event says was erased may stand there in another form, and only in the one that the event commits to.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, unique
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


@unique
class Part(StrEnum):
    """What differs; the words are for whoever runs the installation."""

    HISTORY = "history"
    EVENT = "event"
    TABLES = "state tables"
    PLAN = "plan"
    REVISION = "revision"
    MANAGER = "manager"
    START = "start"
    WHOLE_RUN = "team, domains and decisions"
    NAME = "name"
    PURPOSE = "purpose"
    TEAM = "team"
    ADVISERS = "advisers"
    STAGE = "stage"
    STEP = "step"
    TEXT = "text"
    ANSWER = "answer"
    PARKED_ANSWER = "parked answer"
    EVIDENCE = "evidence"
    PARKED_EVIDENCE = "parked evidence"
    POINT = "open point"
    APPROVAL = "approval of"
    SEAL = "seal"


@unique
class Trouble(StrEnum):
    """How it differs; the words as above. {detail} is filled in."""

    MISSING = "missing"
    NUMBER_MISSING = "missing; the next one is number {detail}"
    NO_EVENTS = "no events"
    IMPOSSIBLE = "cannot have happened: {detail}"
    UNREADABLE = "cannot be read: {detail}"
    SEALED_OTHER = "sealed something else than the history holds"
    TABLES_DIFFER = "the tables say something else than the history"
    LIST_DIFFERS = "its status in lists is not the status of the step"
    NOT_IN_PLAN = "not in the plan"
    NOT_IN_HISTORY = "not in the history"
    GONE = "is gone, and no event says that it was erased"
    TEXT_CHANGED = "the text was changed outside the history"
    EARLIER_CHANGED = "an earlier version: the text was changed outside the history"
    MEMBERS_DIFFER = "the list of members differs from the history"
    OPENED_TO_OTHERS = "the run is open to others than the history says"
    OTHER_ANSWER = "another answer than the history says"
    OTHER_EVIDENCE = "other evidence than the history says"
    DESCRIPTION_CHANGED = "the description was changed outside the history"
    OTHER_STEP = "at another step than the history says"
    WITHDRAWN_DIFFERS = "withdrawn or not: the tables say something else than the history"
    SEALED_CHANGED = "the sealed content was changed"
    SEALED_MISSING = "the sealed content is missing"
    SEAL_OF_OTHER = "the seal belongs to something else"


@dataclass(frozen=True, slots=True)
class Finding:
    """`key`: which one of its kind, if there are several. A page says it in words of its own, with the same four."""

    run_id: str
    part: Part
    key: str
    trouble: Trouble
    detail: str = ""

    @property
    def place(self) -> str:
        return f"{self.part} {self.key}".rstrip()

    @property
    def problem(self) -> str:
        return self.trouble.format(detail=self.detail)


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

    def report(part: Part, key: str, trouble: Trouble, detail: object = "") -> None:
        found.append(Finding(run_id, part, key, trouble, str(detail)))

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


def _check_tables(session: Session, replayed: Run, report: Any) -> None:
    try:
        plan, stored = load_run(session, replayed.id, afresh=True)
    except UNREADABLE as error:
        report(Part.TABLES, "", Trouble.UNREADABLE, repr(error))
        return
    for part, key, a, b in _compared(replayed, stored):
        if a != b:
            report(part, key, Trouble.TABLES_DIFFER)
    columns: tuple[Any, ...] = (StepRow.ref, StepRow.step, StepRow.status, StepRow.is_done)
    for ref, step, status, done in session.execute(
        sqlalchemy.select(*columns).where(col(StepRow.run_id) == uuid.UUID(stored.id))
    ):
        instance = stored.stages[StageRef.parse(ref)]
        state, definition = instance.step(step), plan.stage(instance.ref.stage).steps_by_id.get(step)
        if definition is None:
            report(Part.STEP, f"{ref}/{step}", Trouble.NOT_IN_PLAN)
        elif (status, done) != (state.status.value, is_done(definition, state)):
            report(Part.STEP, f"{ref}/{step}", Trouble.LIST_DIFFERS)


def _check_texts(session: Session, run: Run, told: Told, report: Any) -> None:
    """Each text is what the history committed to, or what took its place. The name and purpose that pages show are the
    texts that the history names."""
    waiting = {**told.texts, **told.texts_erased}
    columns: tuple[Any, ...] = (TextRow.id, TextRow.text, TextRow.salt)
    query = sqlalchemy.select(*columns).where(col(TextRow.run_id) == uuid.UUID(run.id))
    for id, text, salt in session.execute(query.execution_options(yield_per=500)):
        committed = waiting.pop(str(id), None)
        if text is None:
            report(Part.TEXT, str(id), Trouble.GONE)
        elif committed is not None and not _fits(text, salt, committed):
            report(Part.TEXT, str(id), Trouble.TEXT_CHANGED)
    for id in waiting:
        report(Part.TEXT, id, Trouble.MISSING)
    header, texts = run_header(session, run.id), read_texts(session, [run.name, run.purpose])
    for part, shown, id in ((Part.NAME, header.name, run.name), (Part.PURPOSE, header.purpose, run.purpose)):
        if shown != texts.get(id, shown):
            report(part, "", Trouble.TABLES_DIFFER)


def _compared(replayed: Run, stored: Run) -> Iterator[tuple[Part, str, object, object]]:
    yield (
        Part.PLAN,
        "",
        (replayed.plan_id, replayed.plan_version, replayed.plan_digest),
        (
            stored.plan_id,
            stored.plan_version,
            stored.plan_digest,
        ),
    )
    yield Part.REVISION, "", replayed.revision, stored.revision
    yield Part.MANAGER, "", replayed.manager, stored.manager
    yield Part.START, "", (replayed.started_by, replayed.started_at), (stored.started_by, stored.started_at)
    yield Part.WHOLE_RUN, "", codec.encode_run(replayed), codec.encode_run(stored)
    for ref in sorted({*replayed.stages, *stored.stages}, key=str):
        a, b = replayed.stages.get(ref), stored.stages.get(ref)
        yield (
            Part.STAGE,
            str(ref),
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
                yield Part.STEP, f"{ref}/{step}", codec.encode_step(a.step(step)), codec.encode_step(b.step(step))


def _check_members(session: Session, run: Run, report: Any) -> None:
    members = session.exec(select(RunMember.user_id).where(RunMember.run_id == uuid.UUID(run.id)))
    if {str(member) for member in members} != set(run.team):
        report(Part.TEAM, "", Trouble.MEMBERS_DIFFER)
    opened = session.exec(
        select(RunAccess.user_id).where(RunAccess.run_id == uuid.UUID(run.id), RunAccess.role == Role.ADVISER.value)
    )
    if {str(adviser) for adviser in opened} != set(run.advisers):
        report(Part.ADVISERS, "", Trouble.OPENED_TO_OTHERS)


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
            report(Part.ANSWER, "/".join(key), Trouble.TEXT_CHANGED if row.is_current else Trouble.EARLIER_CHANGED)
        if row.is_current:
            current[key] = row.commitment
    for ref, instance in run.stages.items():
        for step, state in instance.steps.items():
            for question, mark in state.answers.items():
                given = current.pop((str(ref), step, question), None)
                place = f"{ref}/{step}/{question}"
                if given is None:
                    report(Part.ANSWER, place, Trouble.MISSING)
                elif given != mark.commitment:
                    report(Part.ANSWER, place, Trouble.OTHER_ANSWER)
    for key in current:
        report(Part.ANSWER, "/".join(key), Trouble.NOT_IN_HISTORY)
    for item in run.parked:
        if item.answer is not None and item.answer.commitment not in kept:
            report(Part.PARKED_ANSWER, f"{item.ref}/{item.step}/{item.key}", Trouble.MISSING)


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
                place = f"{mark.id} ({ref}/{step})"
                if row is None:
                    report(Part.EVIDENCE, place, Trouble.MISSING)
                elif row.commitment != mark.commitment:
                    report(Part.EVIDENCE, place, Trouble.OTHER_EVIDENCE)
                elif not _is_described(row, told):
                    report(Part.EVIDENCE, place, Trouble.DESCRIPTION_CHANGED)
                elif (row.ref, row.step) != (ref, step):
                    report(Part.EVIDENCE, place, Trouble.OTHER_STEP)
                elif row.is_withdrawn == mark.counts:
                    report(Part.EVIDENCE, place, Trouble.WITHDRAWN_DIFFERS)
    for item in run.parked:
        if item.evidence is not None:
            row = rows.pop(item.evidence.id, None)
            place = item.evidence.id
            if row is None:
                report(Part.PARKED_EVIDENCE, place, Trouble.MISSING)
            elif row.commitment != item.evidence.commitment:
                report(Part.PARKED_EVIDENCE, place, Trouble.OTHER_EVIDENCE)
            elif not _is_described(row, told):
                report(Part.PARKED_EVIDENCE, place, Trouble.DESCRIPTION_CHANGED)
    for id in rows:
        report(Part.EVIDENCE, id, Trouble.NOT_IN_HISTORY)


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
        report(Part.POINT, f"{ref}/{id}", Trouble.TABLES_DIFFER)


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
            report(Part.SEAL, sealed[:12], Trouble.SEALED_CHANGED)
        is_whole = isinstance(manifest, dict)
        subjects[sealed] = (manifest.get("run"), manifest.get("stage")) if is_whole else (None, None)
    for ref, instance in run.stages.items():
        for approval in instance.approvals:
            subject = subjects.get(approval.seal)
            if subject is None:
                report(Part.APPROVAL, str(ref), Trouble.SEALED_MISSING)
            elif subject[0] != run.id or (subject[1] != str(ref) and not run.moves):
                # A move can give a stage another name; that an approval sealed its own stage, replaying proved.
                report(Part.APPROVAL, str(ref), Trouble.SEAL_OF_OTHER)
