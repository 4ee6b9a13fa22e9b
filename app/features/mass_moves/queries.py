"""What the pages about moving many runs show."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine.definition import Domain, Stage, StepPlan, Text
from app.engine.errors import Reason
from app.engine.run import StageRef, UserId
from app.features.mass_moves.choosing import Choice, Wanted, choice_of
from app.features.mass_moves.deciding import Counts, reason_read
from app.features.mass_moves.previews import Preview, previews
from app.features.mass_moves.service import NoSuchMassMove
from app.storage import mass_moves, run_selection
from app.storage.mass_moves import Mass, Progress, RunOutcome, Settled
from app.storage.people import names_of
from app.storage.plans import load_plan, load_plans
from app.storage.run_selection import Size

RUNS_PER_PAGE = 25
MASSES_PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class MassLine:
    """A mass move in a list, with how far it is. `plan` is the version that the runs go to."""

    mass: Mass
    progress: Progress
    counts: Mapping[RunOutcome, int]
    plan: StepPlan
    by: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        return self.total - self.counts[RunOutcome.WAITING]


def _lines(session: Session, masses: list[Mass], at: datetime) -> tuple[MassLine, ...]:
    counts = mass_moves.counts(session, [mass.id for mass in masses])
    names = names_of(session, [mass.started_by for mass in masses])
    plans = load_plans(session, {mass.to_digest for mass in masses})
    return tuple(
        MassLine(mass, mass.progress(at), counts[mass.id], plans[mass.to_digest], names.get(mass.started_by, ""))
        for mass in masses
    )


def _clamped(page: int, total: int, per_page: int) -> tuple[int, int]:
    """A page that exists, and the number of pages."""
    pages = max(1, -(-total // per_page))
    return min(max(1, page), pages), pages


# --- choosing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChoosePage:
    """`new_id`: of the mass move that this page can start, so that sending it twice starts one."""

    choice: Choice
    size: Size
    previews: tuple[Preview, ...]
    new_plan: StepPlan | None
    page: int
    pages: int
    new_id: str


def choose_page(session: Session, wanted: Wanted, *, page: int, new_id: str = "") -> ChoosePage:
    choice = choice_of(session, wanted)
    target, selection = choice.target, choice.selection
    size = run_selection.size(session, selection) if selection.versions else Size(0, 0)
    page, pages = _clamped(page, size.runs, RUNS_PER_PAGE)
    shown: list[Preview] = []
    if target is not None and size.runs:
        before = (page - 1) * RUNS_PER_PAGE
        rows = run_selection.page_of_rows(session, selection, most=RUNS_PER_PAGE, before=before)
        shown = previews(session, rows, target)
    new_plan = load_plan(session, target.digest) if target else None
    return ChoosePage(choice, size, tuple(shown), new_plan, page, pages, new_id or str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class EarlierPage:
    lines: tuple[MassLine, ...]
    total: int
    page: int
    pages: int


def earlier_page(session: Session, *, page: int, at: datetime) -> EarlierPage:
    total = mass_moves.count_all(session)
    page, pages = _clamped(page, total, MASSES_PER_PAGE)
    masses = mass_moves.newest(session, most=MASSES_PER_PAGE, before=(page - 1) * MASSES_PER_PAGE)
    return EarlierPage(_lines(session, masses, at), total, page, pages)


# --- progress and result -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunResult:
    """What happened to one run; `plan` is the version that it had then."""

    settled: Settled
    plan: StepPlan
    counts: Counts | None
    reopened: tuple[StageRef, ...]
    reasons: tuple[Reason, ...]
    reference: str | None


@dataclass(frozen=True, slots=True)
class ResultPage:
    line: MassLine
    names: Mapping[UserId, str]
    stage: Text | None
    domain: Text | None
    results: tuple[RunResult, ...]
    outcome: RunOutcome | None
    page: int
    pages: int

    @property
    def quarter(self) -> int:
        """How far it is in quarters, which is how often it is told aloud."""
        return 4 * self.line.done // self.line.total if self.line.total else 4


def result_page(session: Session, id: str, *, outcome: str, page: int, at: datetime) -> ResultPage:
    """An unknown `outcome` filters nothing.  Raises NoSuchMassMove."""
    mass = mass_moves.find(session, id)
    if mass is None:
        raise NoSuchMassMove(id)
    counts = mass_moves.counts(session, [mass.id])[mass.id]
    names = names_of(session, [mass.started_by, mass.stopped_by])
    line = MassLine(mass, mass.progress(at), counts, load_plan(session, mass.to_digest), names.get(mass.started_by, ""))
    wanted = RunOutcome(outcome) if outcome in set(RunOutcome) else None
    total = counts[wanted] if wanted else line.total
    page, pages = _clamped(page, total, RUNS_PER_PAGE)
    before = (page - 1) * RUNS_PER_PAGE
    found = mass_moves.settled(session, mass.id, outcome=wanted, most=RUNS_PER_PAGE, before=before)
    plans = load_plans(session, {each.from_digest for each in found})
    known = [*plans.values(), line.plan]
    return ResultPage(
        line=line,
        names=names,
        stage=_title(mass.chosen["stage"], [plan.stages_by_id for plan in known]),
        domain=_title(mass.chosen["domain"], [plan.domains_by_id for plan in known]),
        results=tuple(_result(each, plans[each.from_digest]) for each in found),
        outcome=wanted,
        page=page,
        pages=pages,
    )


def _title(id: str, parts: Sequence[Mapping[str, Stage | Domain]]) -> Text | None:
    """Of a stage or domain that was filtered on, in the first version that has it; None for no filter."""
    return next((known[id].title for known in parts if id in known), Text(id)) if id else None


def _result(settled: Settled, plan: StepPlan) -> RunResult:
    told = settled.told
    counts = Counts(told["stays"], told["again"], told["parked"]) if "stays" in told else None
    return RunResult(
        settled=settled,
        plan=plan,
        counts=counts,
        reopened=tuple(StageRef.parse(ref) for ref in told.get("reopened", ())),
        reasons=tuple(reason_read(reason) for reason in told.get("reasons", ())),
        reference=told.get("reference"),
    )
