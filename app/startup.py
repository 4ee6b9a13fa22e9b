"""What must be true before the application answers: a current schema, and the released plans pinned."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.catalogue.catalogue import Catalogue
from app.catalogue.lock import Lock, Status
from app.resources import stepplans_dir
from app.storage import plans
from app.storage.database import Database
from app.storage.rights import give_rights
from app.storage.upgrade import upgrade


def prepare(database: Database, *, at: datetime, folder: Path | None = None) -> None:
    """`folder` holds the step plans; without it, those that come with the software.

    Raises PlanInvalid for a plan that cannot be read and for a released version that was changed or is gone,
    PlanChanged for one that this database knows with another meaning."""
    upgrade(database.owner)
    give_rights(database)
    folder = folder or stepplans_dir()
    statuses = {release.digest: release.status.value for release in Lock.read(folder).releases.values()}
    with database.read() as session:
        pinned = plans.national_plans(session)
    known = {plan.digest for plan in pinned if statuses.get(plan.digest) == plan.status}
    catalogue = Catalogue.load(folder, with_drafts=False, known=known)
    retired = {loaded.plan.digest for loaded in catalogue if loaded.status is Status.RETIRED}
    with database.write() as session:
        plans.pin(session, catalogue, retired=retired, at=at)
