"""Many runs that go to another version together."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime


class MassMove(MunicipalityScoped, table=True):
    """Many runs that go to another version of their plan by one act of an administrator. `chosen` is the filter;
    `reason` may be erased. `worker` holds the claim of the process that is at it, for as long as `heartbeat_at` is
    recent; both are empty while nobody is."""

    __tablename__ = "mass_move"
    __table_args__ = (Index("ix_mass_move_municipality_id_started_at", "municipality_id", "started_at"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    plan_id: str
    to_version: str
    to_digest: str = Field(foreign_key="plan_document.digest")
    chosen: Any = Field(sa_type=JSONValue)
    reason: str | None
    started_by: uuid.UUID = Field(foreign_key="user_account.id")
    started_at: datetime = Field(sa_type=UTCDateTime)
    worker: uuid.UUID | None = None
    heartbeat_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    stopped_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    stopped_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class MassMoveRun(MunicipalityScoped, table=True):
    """What happened to one run of a mass move. `shown` is the digest of the outcome that was previewed, if it was;
    `told` what belongs to the outcome: counts, reasons, or the reference in the log.

    No foreign key to the run: what happened is still told when the run is gone."""

    __tablename__ = "mass_move_run"
    __table_args__ = (
        Index("ix_mass_move_run_mass_move_id_outcome_run_id", "mass_move_id", "outcome", "run_id"),
        CheckConstraint("outcome IN ('waiting', 'moved', 'proposed', 'refused', 'failed')", name="outcome"),
    )

    mass_move_id: uuid.UUID = Field(primary_key=True, foreign_key="mass_move.id")
    run_id: uuid.UUID = Field(primary_key=True)
    from_digest: str = Field(foreign_key="plan_document.digest")
    shown: str | None = None
    outcome: str = "waiting"
    told: Any = Field(sa_type=JSONValue, nullable=True)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
