"""Step plans and their versions, national and of one municipality."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.storage.scope import MunicipalityScoped
from app.storage.types import JSONValue, UTCDateTime


class PlanDocument(SQLModel, table=True):
    """The canonical document of a plan under its SHA-256, so that a run outlives the file. It says nothing of whose
    plan it is and has nothing to list it by: which plans there are, `PlanVersion` knows of the national ones and
    `LocalPlan`, limited like everything of a municipality, of the others."""

    __tablename__ = "plan_document"

    digest: str = Field(primary_key=True)
    document: Any = Field(sa_type=JSONValue)


class PlanVersion(SQLModel, table=True):
    """A released plan that comes with the software, for every municipality. No run starts on a retired one."""

    __tablename__ = "plan_version"
    __table_args__ = (
        UniqueConstraint("plan_id", "version"),
        CheckConstraint("status IN ('released', 'retired')", name="status"),
    )

    digest: str = Field(primary_key=True, foreign_key="plan_document.digest")
    plan_id: str
    version: str
    title: str
    status: str = Field(default="released", sa_column_kwargs={"server_default": "released"})
    added_at: datetime = Field(sa_type=UTCDateTime)


class LocalPlan(MunicipalityScoped, table=True):
    """A plan of one municipality: what it adds to a national one (`extends_plan`, `extends_version`), or a plan of its
    own. `source` is the file as it was sent, `digest` of the plan that comes out. A draft can be replaced; what was
    released never changes (enforced by triggers), and its document is in `PlanDocument`. `reason` may be erased."""

    __tablename__ = "local_plan"
    __table_args__ = (
        UniqueConstraint("municipality_id", "plan_id", "version"),
        CheckConstraint("status IN ('draft', 'released', 'retired')", name="status"),
        CheckConstraint("status = 'draft' OR (released_by IS NOT NULL AND released_at IS NOT NULL)", name="released"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    plan_id: str
    version: str
    title: str
    extends_plan: str | None = None
    extends_version: str | None = None
    source: str
    digest: str = Field(index=True)
    status: str = "draft"
    uploaded_by: uuid.UUID = Field(foreign_key="user_account.id")
    uploaded_at: datetime = Field(sa_type=UTCDateTime)
    released_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    released_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str = ""
    retired_by: uuid.UUID | None = Field(default=None, foreign_key="user_account.id")
    retired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
