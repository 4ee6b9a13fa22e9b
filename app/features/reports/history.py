"""Every event of a run as a sentence with who, when and where; newest first, page by page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, case, func, select, type_coerce
from sqlmodel import Session, col

from app.engine.definition import StepPlan
from app.engine.run import Run, StageInstance, StageRef
from app.engine.run_migration.timeline import Timeline
from app.features.reports.plan_titles import titles_by_digest
from app.features.reports.telling import EventLine, Known, Teller
from app.features.reports.texts import Words
from app.storage import codec
from app.storage.plans import load_plans
from app.storage.run_header import RunHeader, RunNotFound
from app.storage.scope import Prepared
from app.storage.tables import EventRow, RunRow, StageRow, User
from app.storage.types import IdText
from app.web.i18n import N_

EVENTS_PER_PAGE = 50

# What people filter on: the kinds of events below each heading.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "werk": (N_("Work on steps"), ("StepSaved", "StepCompleted", "AnswersProposed")),
    "bewijs": (N_("Evidence"), ("EvidenceAdded", "EvidenceWithdrawn")),
    "besluiten": (
        N_("Decisions"),
        (
            *("ApprovalRequested", "RequestWithdrawn", "StageApproved", "StageSentBack", "ApprovalWithdrawn"),
            *("PointReported", "PointClosed", "PointReturned", "PointChanged"),
            *("Recused", "RecusalTakenBack"),
            *("DecisionRecorded", "DecisionWithdrawn", "StageSkipped", "SkipUndone"),
        ),
    ),
    "traject": (
        N_("Trajectory"),
        (
            *("RunStarted", "RunRenamed", "TeamChanged", "DomainsChanged", "StageStarted", "StageReopened"),
            "PersonalDataErased",
        ),
    ),
    "advies": (N_("Advice"), ("RunShared", "SharingEnded", "AdviceGiven", "AdviceAnswered")),
    "versies": (
        N_("Version of the step plan"),
        ("MoveProposed", "MoveProposalWithdrawn", "RunMoved", "MoveUndone"),
    ),
}


@dataclass(frozen=True, slots=True)
class HistoryPage:
    header: RunHeader
    lines: tuple[EventLine, ...]
    total: int
    page: int
    pages: int
    people: tuple[tuple[str, str], ...]
    stages: tuple[tuple[str, str], ...]
    person: str
    kind: str
    stage: str


_RUN_COLUMNS: tuple[Any, ...] = (
    RunRow.plan_id,
    RunRow.plan_version,
    RunRow.plan_digest,
    RunRow.name,
    RunRow.purpose,
    RunRow.state,
)
_RUN = Prepared(select(*_RUN_COLUMNS).where(col(RunRow.id) == bindparam("of_run")))
_EVENT_COLUMNS: tuple[Any, ...] = (
    EventRow.sequence,
    EventRow.kind,
    EventRow.data,
    type_coerce(col(EventRow.by), IdText).label("by"),
    EventRow.at,
)
_STAGES = Prepared(select(col(StageRow.ref)).where(col(StageRow.run_id) == bindparam("of_run")))


def _wanted(kind: str, *, of_stage: bool) -> tuple[Any, ...]:
    """`kind`: of KINDS, or empty for all."""
    of_kind = (col(EventRow.kind).in_(KINDS[kind][1]),) if kind else ()
    # Every round of the stage, in every domain: the id of the stage comes first in the reference to either.
    in_stage = (col(EventRow.data)["ref"].as_string().startswith(bindparam("stage")),) if of_stage else ()
    return (*of_kind, *in_stage)


@cache
def _people(kind: str, *, of_stage: bool) -> Prepared:
    """Everybody who did something, with the number of the events that are wanted."""
    wanted = _wanted(kind, of_stage=of_stage)
    counted = func.count(case((and_(*wanted), 1))) if wanted else func.count()
    return Prepared(
        select(type_coerce(col(User.id), IdText), col(User.name), counted)
        .join(EventRow, col(EventRow.by) == col(User.id))
        .where(col(EventRow.run_id) == bindparam("of_run"))
        .group_by(col(User.id), col(User.name))
    )


@cache
def _events(kind: str, *, of_one_person: bool, of_stage: bool) -> Prepared:
    """One page of the events that are wanted."""
    query = select(*_EVENT_COLUMNS).where(col(EventRow.run_id) == bindparam("of_run"))
    if of_one_person:
        query = query.where(col(EventRow.by) == bindparam("person"))
    newest = query.where(*_wanted(kind, of_stage=of_stage)).order_by(col(EventRow.sequence).desc())
    return Prepared(newest.limit(EVENTS_PER_PAGE).offset(bindparam("before")))


def history_page(
    session: Session, run_id: str, words: Words, *, page: int, person: str = "", kind: str = "", stage: str = ""
) -> HistoryPage:
    """Five queries, and one more for a run that moved.  Raises RunNotFound.  An unknown `person`, `kind` or `stage`
    filters nothing."""
    try:
        key = uuid.UUID(run_id)
    except ValueError:
        raise RunNotFound(run_id) from None
    row = _RUN.run(session, {"of_run": key}).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    run = _run(session, key, row)
    timeline = Timeline(run.plan_digest, run.moves)
    plans = load_plans(session, timeline.digests)
    kind = kind if kind in KINDS else ""
    stages = _stages(plans[run.plan_digest], plans, words)
    stage = stage if stage in stages else ""
    wanted: dict[str, Any] = {"of_run": key, **({"stage": f"{stage}."} if stage else {})}
    people = _people(kind, of_stage=bool(stage)).run(session, wanted).all()
    names = {id: name for id, name, _ in people}
    person = person if person in names else ""
    total = sum(count for id, _, count in people if person in ("", id))
    one_page = _events(kind, of_one_person=bool(person), of_stage=bool(stage))
    wanted |= {"person": uuid.UUID(person)} if person else {}
    pages = max(1, -(-total // EVENTS_PER_PAGE))
    page = min(max(1, page), pages)
    rows = one_page.run(session, {**wanted, "before": (page - 1) * EVENTS_PER_PAGE})
    events = [(sequence, codec.decode_event(kind, data, by=by, at=at)) for sequence, kind, data, by, at in rows]
    known = Known(run, plans[run.plan_digest], timeline, titles_by_digest(words, plans), names)
    teller = Teller(session, known, words, [event for _, event in events])
    return HistoryPage(
        header=RunHeader(str(key), row.name, row.purpose),
        lines=tuple(teller.line(sequence, event) for sequence, event in events),
        total=total,
        page=page,
        pages=pages,
        people=tuple(sorted(names.items(), key=lambda item: item[1])),
        stages=tuple(stages.items()),
        person=person,
        kind=kind,
        stage=stage,
    )


def _stages(present: StepPlan, plans: Mapping[str, StepPlan], words: Words) -> dict[str, str]:
    """By id: of the present version, and what only an earlier one had."""
    found: dict[str, str] = {}
    for plan in (present, *plans.values()):
        for stage in plan.stages:
            found.setdefault(stage.id, words(stage.title))
    return found


def _run(session: Session, key: uuid.UUID, row: Any) -> Run:
    """As much of the run as telling takes. Which stages there are, only a run that moved has to ask: in any other each
    stage that an event names has its page."""
    state = codec.decode_run(row.state)
    refs = _STAGES.run(session, {"of_run": key}).scalars() if state["moves"] else ()
    return Run(
        str(key),
        row.plan_id,
        row.plan_version,
        row.plan_digest,
        stages={ref: StageInstance(ref) for ref in map(StageRef.parse, refs)},
        **state,
    )
