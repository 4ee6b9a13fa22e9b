"""Runs: how they stand, and what people gave."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime


class RunRow(MunicipalityScoped, table=True):
    """A run (traject). `revision` counts its events and is the lock against two writers at once. `asked_to_move_at` is
    there while a manager is asked to confirm that it goes on with another version of its plan, `advice_waits_since`
    while the team has advice to answer: since when the oldest waits. So lists find them."""

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_municipality_id_changed_at", "municipality_id", "changed_at"),
        Index("ix_run_asked_to_move_at_municipality_id", "asked_to_move_at", "municipality_id"),
        Index("ix_run_advice_waits_since_municipality_id", "advice_waits_since", "municipality_id"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    plan_digest: str = Field(foreign_key="plan_document.digest", index=True)
    plan_id: str
    plan_version: str
    name: str
    purpose: str
    manager_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    state: Any = Field(sa_type=JSONValue)
    revision: int = 0
    started_by: uuid.UUID = Field(foreign_key="user_account.id")
    started_at: datetime = Field(sa_type=UTCDateTime)
    changed_at: datetime = Field(sa_type=UTCDateTime)
    asked_to_move_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    advice_waits_since: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @classmethod
    def run_column(cls) -> Any:
        return cls.id


class RunMember(MunicipalityScoped, table=True):
    __tablename__ = "run_member"

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id", index=True)


class RunAccess(MunicipalityScoped, table=True):
    """A run that is open to somebody whose role counts on some runs only: to an adviser with whom it was shared (as the
    events of the run say), to an auditor for whom an administrator chose it. Every query of such a user is limited by
    these rows (app/storage/scope.py)."""

    __tablename__ = "run_access"
    __table_args__ = (CheckConstraint("role IN ('adviser', 'auditor')", name="role"),)

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id", index=True)
    role: str = Field(primary_key=True)


class StageRow(MunicipalityScoped, table=True):
    """One round of a stage (in one domain, '' for none). `state` is the engine's value without its steps."""

    __tablename__ = "stage_instance"
    # Status first, kind first: with the municipality in front SQLite would use these to find the rows of one run.
    __table_args__ = (Index("ix_stage_instance_status_municipality_id", "status", "municipality_id"),)

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    ref: str = Field(primary_key=True)
    stage: str
    domain: str = ""
    round: int
    status: str
    passed: bool = False
    state: Any = Field(sa_type=JSONValue)


class OpenPointRow(MunicipalityScoped, table=True):
    """A condition of an approval that somebody still has to do something about, so that lists find it. The stage holds
    all of it, and those that are over."""

    __tablename__ = "open_point"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "ref"], ["stage_instance.run_id", "stage_instance.ref"]),
        Index("ix_open_point_state_municipality_id_due", "state", "municipality_id", "due"),
        CheckConstraint("state IN ('open', 'reported')", name="state"),
    )

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    id: str = Field(primary_key=True)
    ref: str
    owner_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    due: date
    state: str
    text_id: uuid.UUID


class StepRow(MunicipalityScoped, table=True):
    """`is_required` and `is_done` say whether progress counts this step and whether it is finished, so that lists
    need not read `state`. The checklist is the step `checklist`."""

    __tablename__ = "step_state"
    __table_args__ = (ForeignKeyConstraint(["run_id", "ref"], ["stage_instance.run_id", "stage_instance.ref"]),)

    run_id: uuid.UUID = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    is_required: bool
    is_done: bool = False
    status: str
    state: Any = Field(sa_type=JSONValue)


class AnswerRow(MunicipalityScoped, table=True):
    """A version of an answer; none is overwritten. `value` may be erased, `commitment` stays:
    HMAC-SHA-256 (hex) of the canonical value under `salt`."""

    __tablename__ = "answer"
    __table_args__ = (
        Index("ix_answer_run_id_ref_step_is_current", "run_id", "ref", "step", "is_current"),
        Index("ix_answer_run_id_commitment", "run_id", "commitment"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    run_id: uuid.UUID = Field(foreign_key="run.id")
    ref: str
    step: str
    question: str
    value: Any = Field(sa_type=JSONValue, nullable=True)
    salt: str
    commitment: str
    is_current: bool = True
    saved_by: uuid.UUID = Field(foreign_key="user_account.id")
    saved_at: datetime = Field(sa_type=UTCDateTime)


class EvidenceRow(MunicipalityScoped, table=True):
    """`sha256`, `bytes`, `media_type` and `file_name` belong to a file, `url` to a link, `note` to a note."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("ix_evidence_run_id_ref_step", "run_id", "ref", "step"),
        CheckConstraint("form IN ('file', 'link', 'note')", name="form"),
        CheckConstraint("confidentiality IN ('public', 'internal', 'confidential')", name="confidentiality"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    run_id: uuid.UUID = Field(foreign_key="run.id")
    ref: str
    step: str
    kind: str
    form: str
    title: str
    document_date: date | None = None
    source: str = ""
    confidentiality: str = "internal"
    grounds: Any = Field(sa_type=JSONValue)
    sha256: str | None = None
    bytes: int | None = None
    media_type: str | None = None
    file_name: str | None = None
    url: str | None = None
    note: str | None = None
    salt: str
    commitment: str
    added_by: uuid.UUID = Field(foreign_key="user_account.id")
    added_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class TextRow(MunicipalityScoped, table=True):
    """Free text that an event refers to by id (a reason, a message, a finding). `text` may be erased; `commitment` is
    what the event holds of it: HMAC-SHA-256 (hex) under `salt`. Older texts have neither."""

    __tablename__ = "run_text"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    run_id: uuid.UUID = Field(foreign_key="run.id", index=True)
    text: str | None
    salt: str | None = None
    commitment: str | None = None
    written_by: uuid.UUID = Field(foreign_key="user_account.id")
    written_at: datetime = Field(sa_type=UTCDateTime)


class SealRow(MunicipalityScoped, table=True):
    """What exactly a request or approval sealed: the manifest of commitments whose SHA-256 is `digest`."""

    __tablename__ = "seal"

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    digest: str = Field(primary_key=True)
    manifest: Any = Field(sa_type=JSONValue)
    created_at: datetime = Field(sa_type=UTCDateTime)
