"""What a newer version of a plan would ask of the runs of a municipality, before anything moves.

Runs are loaded one at a time and nothing is kept of them, so that memory does not grow with their number.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Session, col, select

from app.engine.errors import Reason
from app.engine.run import ParkedKind, Run, StageRef
from app.engine.run_migration.compare import Comparison
from app.engine.run_migration.items import Choice, plan_run_migration
from app.engine.run_migration.outcome import outcome
from app.storage.database import Database
from app.storage.run_header import RunNotFound
from app.storage.run_store import load_run
from app.storage.scope import set_scope
from app.storage.tables import RunRow

RUNS_PER_SESSION: Final = 100
"""A session remembers what people call the runs that it loaded, so it serves for a page of them."""


@dataclass(frozen=True, slots=True)
class RunImpact:
    """What moving one run would do if nobody chose anything else than what is proposed.

    Stages are told as they are called in the version that the run has, without those where everything stays.
    `blocked`: why the run cannot move right now.
    """

    run_id: str
    name: str
    version: str
    digest: str
    stages: tuple[StageRef, ...]
    answers_again: int
    answers_parked: int
    evidence_parked: int
    others_parked: int
    steps_again: int
    approvals: tuple[StageRef, ...]
    blocked: tuple[Reason, ...]

    @property
    def is_hit(self) -> bool:
        return bool(self.stages) or self.others_parked > 0


def run_impact(run: Run, name: str, comparison: Comparison) -> RunImpact:
    """The whole run must be loaded, and be of the version that the comparison begins with."""
    migration = plan_run_migration(run, comparison)
    result = outcome(migration, {}, move="impact")
    earlier = comparison.parts.earlier_stages

    def before(ref: StageRef) -> StageRef:
        return StageRef(earlier.get(ref.stage, ref.stage), ref.domain, ref.round)

    again = [item for item in migration.items if item.proposed is Choice.AGAIN]
    kinds = [parked.kind for parked in result.parked]
    approvals = {before(ref) for ref in result.reopened}
    touched = {
        *approvals,
        *(item.ref for item in again),
        *(parked.ref for parked in result.parked if parked.ref is not None),
        *(before(ref) for ref, _ in result.look_again),
    }
    return RunImpact(
        run_id=run.id,
        name=name,
        version=run.plan_version,
        digest=run.plan_digest,
        stages=tuple(sorted(touched, key=str)),
        answers_again=len(again),
        answers_parked=kinds.count(ParkedKind.ANSWER),
        evidence_parked=kinds.count(ParkedKind.EVIDENCE),
        others_parked=sum(kind not in (ParkedKind.ANSWER, ParkedKind.EVIDENCE) for kind in kinds),
        steps_again=len(result.look_again),
        approvals=tuple(sorted(approvals, key=str)),
        blocked=migration.blocked,
    )


def count_runs(session: Session, comparisons: Mapping[str, Comparison]) -> int:
    """How many runs of the municipality of this session have one of these versions (by digest)."""
    query = select(func.count()).select_from(RunRow).where(col(RunRow.plan_digest).in_(comparisons))
    return session.exec(query).one()


def run_impacts(
    database: Database, municipality: uuid.UUID, comparisons: Mapping[str, Comparison]
) -> Iterator[RunImpact]:
    """Of every run of a municipality whose version (by digest) begins one of the comparisons, hit or not."""
    last: uuid.UUID | None = None
    while True:
        with database.read() as session:
            set_scope(session, municipality)
            page = _page(session, comparisons, after=last)
            for id, name in page:
                try:
                    _, run = load_run(session, str(id))
                except RunNotFound:  # it went since the page was read
                    continue
                if run.plan_digest in comparisons:  # it may have moved since
                    yield run_impact(run, name, comparisons[run.plan_digest])
        if len(page) < RUNS_PER_SESSION:
            return
        last = page[-1].id


def _page(session: Session, comparisons: Mapping[str, Comparison], *, after: uuid.UUID | None) -> list[Any]:
    columns: tuple[Any, ...] = (RunRow.id, RunRow.name)
    query = (
        sqlalchemy.select(*columns)
        .where(col(RunRow.plan_digest).in_(comparisons))
        .order_by(col(RunRow.id))
        .limit(RUNS_PER_SESSION)
    )
    if after is not None:
        query = query.where(col(RunRow.id) > after)
    return list(session.execute(query))
