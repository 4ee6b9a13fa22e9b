"""What must be true before the application answers: a current schema, and the released plans pinned."""

from __future__ import annotations

from datetime import datetime

from app.catalogue.catalogue import Catalogue
from app.resources import stepplans_dir
from app.storage import plans
from app.storage.database import Database
from app.storage.upgrade import upgrade


def prepare(database: Database, *, at: datetime) -> None:
    """Raises PlanInvalid for a plan that cannot be read, PlanChanged for a released plan that was edited."""
    upgrade(database.engine)
    catalogue = Catalogue.load(stepplans_dir())
    with database.write() as session:
        plans.pin(session, catalogue, at=at)
