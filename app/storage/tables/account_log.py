"""What happened to accounts, and who read what."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime


class AccountEvent(MunicipalityScoped, table=True):
    """Append-only until its term of keeping (enforced by triggers, see AccountLogCut): what happened to an account,
    told to each municipality that it works for. `by` is empty for whoever is not signed in, and for the command line.
    `place` is a shortened address; `detail` holds roles and keys of providers, never names or free text."""

    __tablename__ = "account_event"
    __table_args__ = (Index("ix_account_event_municipality_id_at", "municipality_id", "at"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    act: str
    about: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    at: datetime = Field(sa_type=UTCDateTime)
    place: str
    detail: Any = Field(sa_type=JSONValue, nullable=True)


class AccountLogCut(MunicipalityScoped, table=True):
    """Append-only (enforced by triggers): events of accounts from before `until` were removed, `removed` of them.
    Without such a row the database removes none; a younger `until` than a year ago it refuses."""

    __tablename__ = "account_log_cut"
    __table_args__ = (Index("ix_account_log_cut_municipality_id_until", "municipality_id", "until"),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    until: datetime = Field(sa_type=UTCDateTime)
    removed: int
    at: datetime = Field(sa_type=UTCDateTime)
