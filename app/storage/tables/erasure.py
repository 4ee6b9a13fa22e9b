"""Personal data that somebody asked to erase."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime


class Erasure(MunicipalityScoped, table=True):
    """Personal data that somebody asked to erase, and that goes once another confirms. It holds no personal data
    itself: `account_id` or `items` (kind, run, id and places; app/storage/erasure/items.py) say what, `ground` is a
    code of the law. `files`: hashes of files that are still to be removed; `cleaned_at`: no trace was left since."""

    __tablename__ = "erasure"
    __table_args__ = (
        Index("ix_erasure_municipality_id_asked_at", "municipality_id", "asked_at"),
        CheckConstraint("status IN ('asked', 'declined', 'done')", name="status"),
        CheckConstraint("status = 'asked' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)", name="decided"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    status: str = "asked"
    account_id: uuid.UUID | None = None  # no foreign key: a backup that was put back may not know the account yet
    items: Any = Field(sa_type=JSONValue)
    ground: str
    asked_by: uuid.UUID = Field(foreign_key="user_account.id")
    asked_at: datetime = Field(sa_type=UTCDateTime)
    decided_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    files: Any = Field(sa_type=JSONValue, nullable=True)
    cleaned_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
