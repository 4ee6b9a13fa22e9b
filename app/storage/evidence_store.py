"""Evidence as people described it. The engine's state holds its mark; the bytes of a file are in `evidence_files`."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import bindparam, insert, type_coerce, update
from sqlmodel import Session, col

from app.engine.answers import commitment
from app.engine.guards import NoSuchPart
from app.engine.run import EvidenceForm, EvidenceId, Run, StageRef, UserId
from app.storage.answer_store import SALT_BYTES
from app.storage.evidence_files import UsedHashes
from app.storage.scope import Prepared, unscoped
from app.storage.tables import EvidenceRow
from app.storage.types import IdText


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`name` is a label that people gave; the file itself is found by `sha256`. `size` in bytes."""

    sha256: str
    size: int
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Description:
    """What somebody said about a piece of evidence, and the evidence itself: a file, a link or a note."""

    kind: str
    form: EvidenceForm
    title: str
    document_date: date | None
    source: str
    confidentiality: str
    grounds: tuple[str, ...]
    file: StoredFile | None = None
    url: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    id: EvidenceId
    run_id: str
    ref: StageRef
    step: str
    described: Description
    salt: str
    commitment: str
    added_by: UserId
    added_at: datetime
    withdrawn_by: UserId | None
    withdrawn_at: datetime | None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


def committed(described: Description) -> dict[str, Any]:
    """What the commitment of evidence covers, as JSON can hold it. Never change this: approvals refer to it."""
    file = described.file
    return {
        "format": 1,
        "kind": described.kind,
        "form": described.form.value,
        "title": described.title,
        "document_date": described.document_date.isoformat() if described.document_date else None,
        "source": described.source,
        "confidentiality": described.confidentiality,
        "grounds": list(described.grounds),
        "file": file and {"sha256": file.sha256, "size": file.size, "media_type": file.media_type, "name": file.name},
        "url": described.url,
        "note": described.note,
    }


def new_salt() -> str:
    return secrets.token_hex(SALT_BYTES)


def commit_to(described: Description, salt: str) -> str:
    return commitment(committed(described), salt)


def is_as_committed(evidence: Evidence) -> bool:
    """Whether the row still says what history holds the commitment of."""
    return commit_to(evidence.described, evidence.salt) == evidence.commitment


# --- reading ---------------------------------------------------------------------------------------------------

COLUMNS: tuple[Any, ...] = (
    type_coerce(col(EvidenceRow.id), IdText).label("id"),
    type_coerce(col(EvidenceRow.run_id), IdText).label("run_id"),
    EvidenceRow.ref,
    EvidenceRow.step,
    EvidenceRow.kind,
    EvidenceRow.form,
    EvidenceRow.title,
    EvidenceRow.document_date,
    EvidenceRow.source,
    EvidenceRow.confidentiality,
    EvidenceRow.grounds,
    EvidenceRow.sha256,
    EvidenceRow.bytes,
    EvidenceRow.media_type,
    EvidenceRow.file_name,
    EvidenceRow.url,
    EvidenceRow.note,
    EvidenceRow.salt,
    EvidenceRow.commitment,
    type_coerce(col(EvidenceRow.added_by), IdText).label("added_by"),
    EvidenceRow.added_at,
    type_coerce(col(EvidenceRow.withdrawn_by), IdText).label("withdrawn_by"),
    EvidenceRow.withdrawn_at,
)
"""For queries of one's own; `from_row` makes the value."""


def from_row(row: Any) -> Evidence:
    file = None
    if row.sha256 is not None:
        file = StoredFile(row.sha256, row.bytes, row.media_type, row.file_name)
    return Evidence(
        id=row.id,
        run_id=row.run_id,
        ref=StageRef.parse(row.ref),
        step=row.step,
        described=Description(
            kind=row.kind,
            form=EvidenceForm(row.form),
            title=row.title,
            document_date=row.document_date,
            source=row.source,
            confidentiality=row.confidentiality,
            grounds=tuple(row.grounds),
            file=file,
            url=row.url,
            note=row.note,
        ),
        salt=row.salt,
        commitment=row.commitment,
        added_by=row.added_by,
        added_at=row.added_at,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )


def find_evidence(session: Session, run_id: str, id: str) -> Evidence:
    """Raises NoSuchPart for one that this run, in this municipality, does not have."""
    try:
        keys = uuid.UUID(run_id), uuid.UUID(id)
    except ValueError:
        raise NoSuchPart(id) from None
    query = sqlalchemy.select(*COLUMNS).where(col(EvidenceRow.run_id) == keys[0], col(EvidenceRow.id) == keys[1])
    row = session.execute(query).one_or_none()
    if row is None:
        raise NoSuchPart(id)
    return from_row(row)


def evidence_of(session: Session, run_id: str, ref: StageRef | None = None, step: str | None = None) -> list[Evidence]:
    """Of the run, of one stage or of one step; withdrawn ones too, in the order in which they were added."""
    query = _evidence(in_stage=ref is not None, in_step=step is not None)
    given = {"of_run": uuid.UUID(run_id), "of_stage": str(ref) if ref else None, "of_step": step}
    values = {name: value for name, value in given.items() if value is not None}
    return [from_row(row) for row in query.run(session, values).all()]


@cache
def _evidence(*, in_stage: bool, in_step: bool) -> Prepared:
    query = sqlalchemy.select(*COLUMNS).where(col(EvidenceRow.run_id) == bindparam("of_run"))
    if in_stage:
        query = query.where(col(EvidenceRow.ref) == bindparam("of_stage"))
    if in_step:
        query = query.where(col(EvidenceRow.step) == bindparam("of_step"))
    return Prepared(query.order_by(col(EvidenceRow.added_at), col(EvidenceRow.id)))


# --- writing ---------------------------------------------------------------------------------------------------


def write_evidence(
    session: Session,
    id: EvidenceId,
    run_id: str,
    ref: StageRef,
    step: str,
    described: Description,
    *,
    salt: str,
    by: UserId,
    at: datetime,
) -> Evidence:
    """Writes what the recorded `EvidenceAdded` commits to; the file, if there is one, was placed before."""
    file, sealed = described.file, commit_to(described, salt)
    row = {
        "id": uuid.UUID(id),
        "municipality_id": session.info["municipality_id"],
        "run_id": uuid.UUID(run_id),
        "ref": str(ref),
        "step": step,
        "kind": described.kind,
        "form": described.form.value,
        "title": described.title,
        "document_date": described.document_date,
        "source": described.source,
        "confidentiality": described.confidentiality,
        "grounds": list(described.grounds),
        "sha256": file.sha256 if file else None,
        "bytes": file.size if file else None,
        "media_type": file.media_type if file else None,
        "file_name": file.name if file else None,
        "url": described.url,
        "note": described.note,
        "salt": salt,
        "commitment": sealed,
        "added_by": uuid.UUID(by),
        "added_at": at,
    }
    session.execute(insert(EvidenceRow), row)
    return Evidence(id, run_id, ref, step, described, salt, sealed, by, at, None, None)


def mark_withdrawn(session: Session, id: EvidenceId, *, by: UserId, at: datetime) -> None:
    """Writes what the recorded `EvidenceWithdrawn` says."""
    session.execute(
        update(EvidenceRow)
        .where(col(EvidenceRow.id) == uuid.UUID(id))
        .values(withdrawn_by=uuid.UUID(by), withdrawn_at=at)
        .execution_options(synchronize_session=False)
    )


_PLACE = Prepared(
    update(EvidenceRow).where(
        col(EvidenceRow.run_id) == bindparam("of_run"), col(EvidenceRow.id) == bindparam("of_evidence")
    )
)


def _places(run: Run) -> dict[EvidenceId, tuple[str, str]]:
    return {
        item.id: (str(ref), step)
        for ref, instance in run.stages.items()
        for step, state in instance.steps.items()
        for item in state.evidence
    }


def follow_move(session: Session, before: Run, after: Run) -> None:
    """Puts evidence at the step where the state after a move, or after undoing one, has it. What was parked keeps its
    place of then."""
    old = _places(before)
    for id, (ref, step) in _places(after).items():
        if old.get(id) != (ref, step):
            place = {"of_run": uuid.UUID(after.id), "of_evidence": uuid.UUID(id)}
            _PLACE.run(session, {**place, "ref": ref, "step": step})


# --- files -----------------------------------------------------------------------------------------------------


def used_hashes(session: Session) -> UsedHashes:
    """For `EvidenceFiles`. The session must be a fresh one: files are shared between municipalities."""
    unscoped(session, "a file is kept as long as any municipality refers to it")

    def used(hashes: Collection[str]) -> set[str]:
        query = sqlalchemy.select(col(EvidenceRow.sha256)).where(col(EvidenceRow.sha256).in_(list(hashes)))
        return {sha256 for (sha256,) in session.execute(query) if sha256}

    return used
