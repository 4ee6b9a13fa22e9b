"""What the pages about evidence show."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import sqlalchemy
from sqlalchemy import ColumnElement, String, bindparam, cast, func
from sqlmodel import Session, col

from app.engine import events as e
from app.engine import guards
from app.engine.definition import CHECKLIST, EvidenceDemand, EvidenceKind, Stage, Step, StepPlan
from app.engine.errors import Reason
from app.engine.progress import current_refs
from app.engine.run import Run, StageRef, StageStatus, StepState, UserId
from app.features.evidence.whereabouts import Versions, Whereabouts, versions_of
from app.policy import Action
from app.storage import codec
from app.storage.evidence_store import COLUMNS, Evidence, evidence_of, find_evidence, from_row
from app.storage.marks import stage_mark
from app.storage.people import names_of
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_in_progress, load_stages, load_step
from app.storage.scope import Prepared
from app.storage.tables import EventRow, EvidenceRow
from app.storage.texts import read_texts
from app.web.identity import Caller

PAGE_SIZE: Final = 25
PAGES_MAX: Final = 10**6  # more than any run has; far beyond it a number would not fit in the database
IN_USE: Final = "in-gebruik"
WITHDRAWN: Final = "ingetrokken"
SET_ASIDE: Final = "apart-gezet"


def step_address(run_id: str, ref: StageRef, step: str) -> str:
    """Of the page where the step is answered."""
    stage = f"/trajecten/{run_id}/fasen/{ref}"
    return f"{stage}/checklist" if step == CHECKLIST else f"{stage}/stappen/{step}"


def adding_address(run_id: str, ref: StageRef, step: str) -> str:
    return f"/trajecten/{run_id}/fasen/{ref}/stappen/{step}/bewijs"


def _why_not(run: Run, stage: Stage, ref: StageRef, caller: Caller) -> tuple[Reason, ...]:
    """Why somebody with the right role cannot add or withdraw evidence in this stage now."""
    return (*guards.not_open_for_work(stage, run, ref), *guards.not_in_team(run, caller.user_id))


# --- one step --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemandLine:
    """Something that the step asks for. `present` counts what meets it."""

    demand: EvidenceDemand
    kind: EvidenceKind
    present: int

    @property
    def is_met(self) -> bool:
        return self.present >= self.demand.minimum


@dataclass(frozen=True, slots=True)
class StepEvidencePage:
    """`present`: the newest first."""

    header: RunHeader
    plan: StepPlan
    ref: StageRef
    step: Step
    address: str
    step_address: str
    stage_address: str
    demands: tuple[DemandLine, ...]
    kinds: tuple[tuple[EvidenceKind, bool], ...]
    present: tuple[Evidence, ...]
    withdrawn: tuple[Evidence, ...]
    names: Mapping[UserId, str]
    may_add: bool
    cannot_add: tuple[Reason, ...]
    mark: str

    @property
    def first_missing(self) -> str:
        """The kind that is probably meant: the first one that is asked for and not there yet."""
        return next((line.kind.id for line in self.demands if not line.is_met), "")


def step_evidence_page(session: Session, caller: Caller, run_id: str, ref: StageRef, step: str) -> StepEvidencePage:
    """Six queries.  Raises RunNotFound, NoSuchPart."""
    plan, run = load_step(session, run_id, ref, step)
    stage, definition = guards.find_stage(plan, run, ref), guards.find_step(plan, run, ref, step)
    instance = run.instance(ref)
    state = instance.step(step) if instance else StepState()
    here = {item.id for item in state.evidence}  # what was set aside keeps its place of then, and is not here
    found = [each for each in evidence_of(session, run.id, ref, step) if each.id in here]
    is_worker = caller.may(Action.WORK_ON_STAGE)
    cannot = _why_not(run, stage, ref, caller) if is_worker else ()
    asked = [demand.kind for demand in definition.evidence]
    others = [kind for kind in plan.evidence_kinds if kind.id not in asked]
    return StepEvidencePage(
        header=run_header(session, run.id),
        plan=plan,
        ref=ref,
        step=definition,
        address=adding_address(run.id, ref, step),
        step_address=step_address(run.id, ref, step),
        stage_address=f"/trajecten/{run.id}/fasen/{ref}",
        demands=tuple(_demands(plan, definition, state)),
        kinds=(*((plan.evidence_kinds_by_id[id], True) for id in dict.fromkeys(asked)), *((k, False) for k in others)),
        present=tuple(each for each in reversed(found) if not each.is_withdrawn),
        withdrawn=tuple(each for each in found if each.is_withdrawn),
        names=names_of(session, _people(found)),
        may_add=is_worker and not cannot,
        cannot_add=cannot,
        mark=stage_mark(run, ref),
    )


def _demands(plan: StepPlan, step: Step, state: StepState) -> Iterator[DemandLine]:
    for demand in step.evidence:
        present = state.evidence_count(demand.kind, links_count=demand.may_be_link)
        yield DemandLine(demand, plan.evidence_kinds_by_id[demand.kind], present)


def _people(found: Sequence[Evidence]) -> list[UserId | None]:
    return [person for each in found for person in (each.added_by, each.withdrawn_by)]


# --- the run ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for; "" asks for everything."""

    kind: str = ""
    stage: str = ""
    ground: str = ""
    state: str = ""

    @property
    def is_active(self) -> bool:
        return any((self.kind, self.stage, self.ground, self.state))

    def fits(self, versions: Versions) -> bool:
        """Whether there can be such evidence."""
        return (
            self.kind in {"", *(kind.id for kind in versions.kinds())}
            and self.stage in {"", *(stage.id for stage in versions.stages())}
            and self.ground in {"", *(ground.id for ground in versions.grounds())}
            and self.state in {"", IN_USE, WITHDRAWN, SET_ASIDE}
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece of evidence that a step in progress still asks for."""

    line: DemandLine
    ref: StageRef
    step: Step
    address: str


@dataclass(frozen=True, slots=True)
class RunEvidencePage:
    """`places`: the steps to which evidence can be added now, by stage instance."""

    header: RunHeader
    plan: StepPlan
    versions: Versions
    filter: Filter
    found: tuple[tuple[Evidence, Whereabouts], ...]
    total: int
    page: int
    pages: int
    names: Mapping[UserId, str]
    wanted: tuple[Wanted, ...]
    places: tuple[tuple[StageRef, tuple[tuple[Step, str], ...]], ...]
    may_add: bool


def run_evidence_page(session: Session, caller: Caller, run_id: str, filter: Filter, page: int) -> RunEvidencePage:
    """Five queries, whatever the number of pieces.  Raises RunNotFound."""
    plan, run = load_in_progress(session, run_id)
    versions = versions_of(session, plan, run)
    wanted = min(max(1, page), PAGES_MAX)
    found, total, page = _listed(session, versions, filter, wanted) if filter.fits(versions) else ([], 0, 1)
    may_add = caller.may(Action.WORK_ON_STAGE) and not any(guards.not_in_team(run, caller.user_id))
    return RunEvidencePage(
        header=run_header(session, run.id),
        plan=plan,
        versions=versions,
        filter=filter,
        found=tuple((each, versions.whereabouts(each)) for each in found),
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE_SIZE)),
        names=names_of(session, _people(found)),
        wanted=tuple(_wanted(plan, run)),
        places=tuple(_places(plan, run)) if may_add else (),
        may_add=may_add,
    )


def _listed(session: Session, versions: Versions, filter: Filter, page: int) -> tuple[list[Evidence], int, int]:
    """One page, the number of all that fit the filter, and which page it is: the last one for a number beyond it."""
    query = _listing(bool(filter.kind), bool(filter.stage), bool(filter.ground), filter.state)
    values = _values(versions, filter)
    rows = query.run(session, {**values, "skipped": (page - 1) * PAGE_SIZE}).all()
    if not rows and page > 1:
        first = query.run(session, {**values, "skipped": 0}).first()
        page = -(-first.total // PAGE_SIZE) if first else 1
        rows = query.run(session, {**values, "skipped": (page - 1) * PAGE_SIZE}).all()
    return [from_row(row) for row in rows], rows[0].total if rows else 0, page


def _values(versions: Versions, filter: Filter) -> dict[str, Any]:
    values: dict[str, Any] = {"of_run": uuid.UUID(versions.run.id)}
    if filter.kind:
        values["of_kind"] = filter.kind
    if filter.stage:
        values["of_stage"] = f"{filter.stage}."
    if filter.ground:
        values["of_ground"] = f'"{filter.ground}"'
    if filter.state in {IN_USE, SET_ASIDE}:
        values["set_aside"] = [uuid.UUID(id) for id in versions.parked]
    return values


@cache
def _listing(has_kind: bool, has_stage: bool, has_ground: bool, state: str) -> Prepared:
    """Each row with the number of all rows, so that counting asks nothing more."""
    conditions = [*_conditions(has_kind, has_stage, has_ground, state)]
    counted = (*COLUMNS, func.count().over().label("total"))
    newest_first = (col(EvidenceRow.added_at).desc(), col(EvidenceRow.id))
    query = sqlalchemy.select(*counted).where(*conditions).order_by(*newest_first)
    return Prepared(query.limit(PAGE_SIZE).offset(bindparam("skipped")))


def _conditions(has_kind: bool, has_stage: bool, has_ground: bool, state: str) -> Iterator[ColumnElement[bool]]:
    yield col(EvidenceRow.run_id) == bindparam("of_run")
    if has_kind:
        yield col(EvidenceRow.kind) == bindparam("of_kind")
    if has_stage:
        # Ids hold nothing that LIKE understands otherwise.
        yield col(EvidenceRow.ref).startswith(bindparam("of_stage"))
    if has_ground:
        # Ids of grounds hold no quotes, so as text the list says it on every database.
        yield cast(col(EvidenceRow.grounds), String).contains(bindparam("of_ground"))
    is_withdrawn = col(EvidenceRow.withdrawn_at).is_not(None)
    match state:
        case "in-gebruik":
            yield ~is_withdrawn & col(EvidenceRow.id).not_in(bindparam("set_aside", expanding=True))
        case "ingetrokken":
            yield is_withdrawn
        case "apart-gezet":
            yield col(EvidenceRow.id).in_(bindparam("set_aside", expanding=True))
        case _:
            return


def _open_instances(plan: StepPlan, run: Run) -> Iterator[tuple[StageRef, Stage]]:
    for ref in current_refs(plan, run):
        stage = plan.stage(ref.stage)
        if not any(guards.not_open_for_work(stage, run, ref)):
            yield ref, stage


def _wanted(plan: StepPlan, run: Run) -> Iterator[Wanted]:
    for ref, stage in _open_instances(plan, run):
        instance = run.stages[ref]
        if instance.status is StageStatus.APPROVED:
            continue
        for step in stage.all_steps():
            for line in _demands(plan, step, instance.step(step.id)):
                if not line.is_met:
                    yield Wanted(line, ref, step, adding_address(run.id, ref, step.id))


def _places(plan: StepPlan, run: Run) -> Iterator[tuple[StageRef, tuple[tuple[Step, str], ...]]]:
    for ref, stage in _open_instances(plan, run):
        yield ref, tuple((step, adding_address(run.id, ref, step.id)) for step in stage.all_steps())


# --- one piece -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """`withdrawal_reason` is None when it was erased. What was set aside cannot be withdrawn: nothing of it changes."""

    header: RunHeader
    plan: StepPlan
    evidence: Evidence
    where: Whereabouts
    address: str
    step_address: str
    adding_address: str
    names: Mapping[UserId, str]
    withdrawal_reason: str | None
    may_withdraw: bool
    cannot_withdraw: tuple[Reason, ...]
    mark: str


def evidence_page(session: Session, caller: Caller, run_id: str, id: str) -> EvidencePage:
    """Five queries, seven for one that was withdrawn.  Raises RunNotFound, NoSuchPart."""
    plan, run = load_stages(session, run_id)
    found = find_evidence(session, run.id, id)
    where = versions_of(session, plan, run).whereabouts(found)
    is_worker = caller.may(Action.WORK_ON_STAGE) and not found.is_withdrawn and where.has_step
    cannot = _why_not(run, plan.stage(found.ref.stage), found.ref, caller) if is_worker else ()
    return EvidencePage(
        header=run_header(session, run.id),
        plan=plan,
        evidence=found,
        where=where,
        address=f"/trajecten/{run.id}/bewijsstukken/{found.id}",
        step_address=step_address(run.id, found.ref, found.step),
        adding_address=adding_address(run.id, found.ref, found.step),
        names=names_of(session, _people([found])),
        withdrawal_reason=_withdrawal_reason(session, found) if found.is_withdrawn else None,
        may_withdraw=is_worker and not cannot,
        cannot_withdraw=cannot,
        mark=stage_mark(run, found.ref),
    )


def _withdrawal_reason(session: Session, found: Evidence) -> str | None:
    columns: tuple[Any, ...] = (EventRow.kind, EventRow.data, EventRow.by, EventRow.at)
    query = sqlalchemy.select(*columns).where(
        col(EventRow.run_id) == uuid.UUID(found.run_id), col(EventRow.kind) == e.EvidenceWithdrawn.__name__
    )
    for kind, data, by, at in session.execute(query):
        event = codec.decode_event(kind, data, by=str(by), at=at)
        if isinstance(event, e.EvidenceWithdrawn) and event.evidence == found.id:
            return read_texts(session, [event.reason]).get(event.reason)
    return None
