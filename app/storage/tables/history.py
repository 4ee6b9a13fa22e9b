"""What happened in runs, and the proof of it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime


class EventRow(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers): `sequence` counts per run from 1 without gaps."""

    __tablename__ = "run_event"
    __table_args__ = (Index("ix_run_event_kind_municipality_id_at", "kind", "municipality_id", "at"),)

    run_id: uuid.UUID = Field(primary_key=True, foreign_key="run.id")
    sequence: int = Field(primary_key=True)
    kind: str
    data: Any = Field(sa_type=JSONValue)
    by: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    at: datetime = Field(sa_type=UTCDateTime)


class LogEntry(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers): the place of an event in the log of its municipality. `position` counts from
    0 without gaps; `leaf` is the hash (hex, RFC 6962) of the entry that app/engine/log.py makes of the event."""

    __tablename__ = "log_entry"
    __table_args__ = (
        UniqueConstraint("run_id", "sequence"),
        ForeignKeyConstraint(["run_id", "sequence"], ["run_event.run_id", "run_event.sequence"]),
    )

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    position: int = Field(primary_key=True)
    run_id: uuid.UUID
    sequence: int
    origin: str
    leaf: str


class LogHead(MunicipalityScoped, table=True):
    """How far the log of a municipality is; it only grows (enforced by triggers). `peaks`: the roots of the full
    subtrees (hex, one after the other), from which the root follows. Whoever appends holds this row."""

    __tablename__ = "log_head"

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    size: int = 0
    peaks: str = ""


class SignedHead(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers). `document` is the canonical head that was signed, byte for byte; the other
    columns repeat what queries need of it. `signature` is of Ed25519, in hex."""

    __tablename__ = "signed_head"

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    number: int = Field(primary_key=True)
    size: int
    document: str
    signature: str
    signed_at: datetime = Field(sa_type=UTCDateTime)


class WitnessProgress(MunicipalityScoped, table=True):
    """Up to which signed head a witness received them; what failed is handed over again with the next."""

    __tablename__ = "witness_progress"

    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id")
    witness: str = Field(primary_key=True)
    number: int
    at: datetime = Field(sa_type=UTCDateTime)
