"""Whether what people gave is still what the history committed to: texts, answers, evidence, sealed content."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy
from sqlmodel import Session, col

from app.engine.answers import commitment
from app.engine.run import Run
from app.engine.seal import digest
from app.storage.evidence_store import Evidence, commit_to, evidence_of
from app.storage.run_header import run_header
from app.storage.tables import AnswerRow, SealRow, TextRow
from app.storage.texts import read_texts
from app.storage.verify.findings import Part, Tell, Trouble
from app.storage.verify.replaying import UNREADABLE, Told


def check_texts(session: Session, run: Run, told: Told, report: Tell) -> None:
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


def check_answers(session: Session, run: Run, told: Told, report: Tell) -> None:
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


def check_evidence(session: Session, run: Run, told: Told, report: Tell) -> None:
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


def check_seals(session: Session, run: Run, report: Tell) -> None:
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


def _fits(value: Any, salt: str | None, committed: str) -> bool:
    try:
        return commitment(value, salt or "") == committed
    except UNREADABLE:
        return False


def _is_described(row: Evidence, told: Told) -> bool:
    try:
        return commit_to(row.described, row.salt) == told.evidence_erased.get(row.id, row.commitment)
    except UNREADABLE:
        return False
