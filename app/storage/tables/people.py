"""Municipalities, the people who work there, and as what."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from app.storage.scope import MunicipalityScoped
from app.storage.types import UTCDateTime


class Municipality(SQLModel, table=True):
    __tablename__ = "municipality"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class User(SQLModel, table=True):
    """`login` is stored in lower case. A disabled user can't sign in and loses open sessions. `person_id` is the same
    for all accounts of one person, and empty for who has one; it follows from `SamePerson` (app/storage/people.py)."""

    __tablename__ = "user_account"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    login: str = Field(unique=True)
    name: str
    password_hash: str | None = None
    language: str = "nl"
    is_demonstration: bool = False
    created_at: datetime = Field(sa_type=UTCDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    person_id: uuid.UUID | None = None


class SamePerson(SQLModel, table=True):
    """Two accounts belong to one person, until `ended_at`. `municipality_id`: whose administrator says so; empty where
    the installation found out by itself. Not limited to a municipality: for deciding it counts everywhere."""

    __tablename__ = "same_person"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    one: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    other: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    municipality_id: uuid.UUID | None = Field(default=None, foreign_key="municipality.id")
    recorded_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    recorded_at: datetime = Field(sa_type=UTCDateTime)
    ended_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Operator(SQLModel, table=True):
    """Somebody who manages the municipalities of this installation, which is no role in any of them. Made on the
    command line only."""

    __tablename__ = "operator"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    added_at: datetime = Field(sa_type=UTCDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Membership(SQLModel, table=True):
    """A role of a user in a municipality; somebody may hold several."""

    __tablename__ = "membership"

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id", index=True)
    role: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UTCDateTime)


class AuditorLimit(SQLModel, table=True):
    """Within what bounds somebody is an auditor of a municipality; without such a row there are none. The days are of
    the Netherlands, both included. With `chosen_runs_only`, which runs: see `RunAccess`."""

    __tablename__ = "auditor_limit"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="period"),)

    user_id: uuid.UUID = Field(primary_key=True, foreign_key="user_account.id")
    municipality_id: uuid.UUID = Field(primary_key=True, foreign_key="municipality.id", index=True)
    chosen_runs_only: bool
    starts_on: date | None = None
    ends_on: date | None = None
    set_at: datetime = Field(sa_type=UTCDateTime)


class MandateRow(MunicipalityScoped, table=True):
    """The deputy decides in the name of an absent manager on `first_day` to `last_day`, as days in the Netherlands.
    `ground` is the decision that this rests on. Nothing of it changes but its withdrawal, and what is erased from its
    ground (enforced by triggers)."""

    __tablename__ = "mandate"
    __table_args__ = (
        Index("ix_mandate_municipality_id_last_day", "municipality_id", "last_day"),
        CheckConstraint("first_day <= last_day", name="period"),
        CheckConstraint("mandator_id <> deputy_id", name="two_people"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    mandator_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    deputy_id: uuid.UUID = Field(foreign_key="user_account.id", index=True)
    first_day: date
    last_day: date
    ground: str
    recorded_by: uuid.UUID = Field(foreign_key="user_account.id")
    recorded_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
