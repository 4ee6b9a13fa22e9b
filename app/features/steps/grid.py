"""The inclusivity checklist of a whole run: grounds by stage, and what we do not know yet."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from app.engine.definition import CHECKLIST, EvidenceKind, Grade, Ground, Source, Stage, Statement, StepPlan
from app.engine.guards import NoSuchPart
from app.engine.progress import current_refs
from app.engine.run import Run, StageRef, StageStatus, StepState, UserId
from app.features.steps.step_page import step_address
from app.storage.answer_store import Answer, current_answers
from app.storage.codec import decode_step
from app.storage.people import names_of
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_run, load_stages
from app.storage.scope import Prepared
from app.storage.tables import EvidenceRow, StepRow

EMPTY = "empty"
COUNTED = (Grade.YES, Grade.PARTLY, Grade.NO, Grade.NOT_APPLICABLE, Grade.UNKNOWN, EMPTY)


def _in_order(counted: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((kind, counted[kind]) for kind in COUNTED if counted.get(kind))


@dataclass(frozen=True, slots=True)
class Part:
    """The statements of one stage instance about one ground. `counts`: how many have which answer, and how many none
    ("empty"). `address` is where they are answered, `opened_at` where they are read in the grid."""

    ref: StageRef
    address: str
    opened_at: str
    is_begun: bool
    is_skipped: bool
    counts: tuple[tuple[str, int], ...]

    def count(self, kind: str) -> int:
        return next((n for counted, n in self.counts if counted == kind), 0)

    @property
    def empty(self) -> int:
        return self.count(EMPTY)

    @property
    def unknown(self) -> int:
        return self.count(Grade.UNKNOWN)

    @property
    def is_blind(self) -> bool:
        return self.is_begun and bool(self.empty or self.unknown)


@dataclass(frozen=True, slots=True)
class Cell:
    """One ground in one stage; several parts where the stage works per domain, none without statements. `counts`: of
    the parts that began."""

    stage: Stage
    parts: tuple[Part, ...]
    counts: tuple[tuple[str, int], ...]
    is_blind: bool


@dataclass(frozen=True, slots=True)
class Row:
    """`toggled`: the cell that was just opened or closed."""

    ground: Ground
    address: str
    cells: tuple[Cell, ...]
    toggled: StageRef | None
    opened: StageAnswers | None

    @property
    def blind_parts(self) -> tuple[Part, ...]:
        return tuple(part for cell in self.cells if cell.is_blind for part in cell.parts if part.is_blind)

    @property
    def blind_spots(self) -> int:
        return sum(part.empty + part.unknown for part in self.blind_parts)


@dataclass(frozen=True, slots=True)
class Grid:
    """`blind` are the rows with blind spots, most first. `later`: statements of stages that have not begun. `names`: of
    who gave the answers that are open."""

    header: RunHeader
    plan: StepPlan
    stages: tuple[Stage, ...]
    rows: tuple[Row, ...]
    blind: tuple[Row, ...]
    later: int
    has_begun: bool
    names: Mapping[UserId, str]

    @property
    def toggled_row(self) -> Row:
        return next(row for row in self.rows if row.toggled)


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, or one domain of it."""

    ground: str
    ref: StageRef


def grid(session: Session, run_id: str, at: Place | None = None, *, is_open: bool = True) -> Grid:
    """Three queries, and two more for the open cell. `at`: the cell that is opened, or closed again.
    Raises RunNotFound, and NoSuchPart for a cell without statements."""
    plan, run = _with_checklists(session, run_id)
    of_stage: dict[str, list[StageRef]] = defaultdict(list)
    for ref in current_refs(plan, run):
        of_stage[ref.stage].append(ref)
    opened = _opened(session, plan, run, at, of_stage) if at else None
    stages = tuple(stage for stage in plan.stages if stage.statements)
    about = {stage.id: _statements_by_ground(stage) for stage in stages}
    states = {ref: _state(run, ref) for stage in stages for ref in of_stage[stage.id]}
    rows = []
    for ground in plan.grounds:
        cells = []
        for stage in stages:
            statements = about[stage.id].get(ground.id, ())
            refs = of_stage[stage.id] if statements else ()
            cells.append(_cell(stage, tuple(_part(run, ref, states[ref], statements, ground) for ref in refs)))
        here = opened if opened and at and at.ground == ground.id else None
        toggled = here.part.ref if here else None
        rows.append(Row(ground, ground_address(run.id, ground.id), tuple(cells), toggled, here if is_open else None))
    parts = [part for row in rows for cell in row.cells for part in cell.parts]
    shown = opened.statements if opened and is_open else ()
    return Grid(
        header=run_header(session, run_id),
        plan=plan,
        stages=stages,
        rows=tuple(rows),
        blind=tuple(sorted((row for row in rows if row.blind_spots), key=lambda row: -row.blind_spots)),
        later=sum(part.empty for part in parts if not part.is_begun and not part.is_skipped),
        has_begun=any(part.is_begun for part in parts),
        names=names_of(session, (line.answer.saved_by for line in shown if line.answer)),
    )


_CHECKLIST_COLUMNS: tuple[Any, ...] = (StepRow.ref, StepRow.state)
_CHECKLISTS = Prepared(
    select(*_CHECKLIST_COLUMNS).where(col(StepRow.run_id) == bindparam("of_run"), col(StepRow.step) == CHECKLIST)
)


def _with_checklists(session: Session, run_id: str) -> tuple[StepPlan, Run]:
    """All stages with their checklist, and no other step: a run has ten times as many.  Raises RunNotFound."""
    plan, run = load_stages(session, run_id)
    states = {ref: decode_step(state) for ref, state in _CHECKLISTS.run(session, {"of_run": uuid.UUID(run.id)})}
    stages = {}
    for ref, instance in run.stages.items():
        state = states.get(str(ref))
        steps = {CHECKLIST: state} if state else {}
        stages[ref] = replace(instance, steps=steps, loaded=frozenset({CHECKLIST}))
    return plan, replace(run, stages=stages)


def _opened(
    session: Session, plan: StepPlan, run: Run, at: Place, of_stage: Mapping[str, list[StageRef]]
) -> StageAnswers:
    """The statements of a cell with their answers."""
    ground = plan.grounds_by_id.get(at.ground)
    if ground is None or at.ref not in of_stage.get(at.ref.stage, ()):
        raise NoSuchPart(f"{at.ground}/{at.ref}")
    stage = plan.stage(at.ref.stage)
    statements = _statements_by_ground(stage).get(ground.id)
    if statements is None:
        raise NoSuchPart(f"{at.ground}/{at.ref}")
    part = _part(run, at.ref, _state(run, at.ref), statements, ground)
    answers = current_answers(session, run.id, at.ref, CHECKLIST)
    return StageAnswers(part, tuple(_lines(plan, statements, part, answers)))


def ground_address(run_id: str, ground: str) -> str:
    return f"/trajecten/{run_id}/checklist/{ground}"


def ground_anchor(ground: str) -> str:
    return f"grond-{ground}"


def _statements_by_ground(stage: Stage) -> dict[str, list[Statement]]:
    found: dict[str, list[Statement]] = {}
    for statement in stage.statements:
        found.setdefault(statement.ground, []).append(statement)
    return found


def _state(run: Run, ref: StageRef) -> StepState:
    instance = run.instance(ref)
    return instance.step(CHECKLIST) if instance else StepState()


def _part(run: Run, ref: StageRef, state: StepState, statements: Sequence[Statement], ground: Ground) -> Part:
    instance = run.instance(ref)
    counted: dict[str, int] = {}
    for statement in statements:
        chosen = state.choices(statement.id)
        kind = chosen[0] if chosen else EMPTY
        counted[kind] = counted.get(kind, 0) + 1
    is_skipped = instance is not None and instance.status is StageStatus.SKIPPED
    return Part(
        ref=ref,
        address=f"{step_address(run.id, ref, CHECKLIST)}#{ground_anchor(ground.id)}",
        opened_at=f"{ground_address(run.id, ground.id)}/{ref}",
        is_begun=instance is not None and not is_skipped,
        is_skipped=is_skipped,
        counts=_in_order(counted),
    )


def _cell(stage: Stage, parts: tuple[Part, ...]) -> Cell:
    begun = [part for part in parts if part.is_begun]
    if len(begun) == 1:
        counts = begun[0].counts
    else:
        total: Counter[str] = Counter()
        for part in begun:
            total.update(dict(part.counts))
        counts = _in_order(total)
    return Cell(stage, parts, counts, any(part.is_blind for part in begun))


# --- one ground --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatementLine:
    """`grade` is empty without an answer."""

    statement: Statement
    sources: tuple[Source, ...]
    grade: str
    reason: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class StageAnswers:
    part: Part
    statements: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    id: str
    title: str
    kind: EvidenceKind
    ref: StageRef


@dataclass(frozen=True, slots=True)
class GroundPage:
    header: RunHeader
    plan: StepPlan
    ground: Ground
    stages: tuple[StageAnswers, ...]
    later: tuple[StageAnswers, ...]
    evidence: tuple[EvidenceLine, ...]
    names: Mapping[UserId, str]


def ground_page(session: Session, run_id: str, ground_id: str) -> GroundPage:
    """Seven queries at most.  Raises RunNotFound, NoSuchPart."""
    plan, run = load_run(session, run_id)
    ground = plan.grounds_by_id.get(ground_id)
    if ground is None:
        raise NoSuchPart(ground_id)
    answers = current_answers(session, run.id, step=CHECKLIST)
    stages = []
    for ref in current_refs(plan, run):
        if statements := _statements_by_ground(plan.stage(ref.stage)).get(ground.id):
            part = _part(run, ref, _state(run, ref), statements, ground)
            stages.append(StageAnswers(part, tuple(_lines(plan, statements, part, answers))))
    shown = [line.answer for stage in stages for line in stage.statements if line.answer]
    return GroundPage(
        header=run_header(session, run_id),
        plan=plan,
        ground=ground,
        stages=tuple(stage for stage in stages if stage.part.is_begun),
        later=tuple(stage for stage in stages if not stage.part.is_begun),
        evidence=_evidence(session, plan, run, ground),
        names=names_of(session, (answer.saved_by for answer in shown)),
    )


def _lines(
    plan: StepPlan, statements: Iterable[Statement], part: Part, answers: Mapping[tuple[str, str, str], Answer]
) -> Iterator[StatementLine]:
    for statement in statements:
        answer = answers.get((str(part.ref), CHECKLIST, statement.id))
        value = answer.value if answer and isinstance(answer.value, dict) else {"grade": "", "reason": ""}
        sources = tuple(plan.sources_by_id[id] for id in statement.sources)
        yield StatementLine(statement, sources, value["grade"], value["reason"], answer)


def _evidence(session: Session, plan: StepPlan, run: Run, ground: Ground) -> tuple[EvidenceLine, ...]:
    """All evidence of the run that speaks to this ground, whatever round or step, unless withdrawn."""
    found = [*_speaking_to(plan, run, ground)]
    if not found:
        return ()
    columns: tuple[Any, ...] = (EvidenceRow.id, EvidenceRow.title)
    query = select(*columns).where(col(EvidenceRow.id).in_([uuid.UUID(id) for _, id, _ in found]))
    titles = {str(id): title for id, title in session.execute(query)}
    return tuple(EvidenceLine(id, titles[id], plan.evidence_kinds_by_id[kind], ref) for ref, id, kind in found)


def _speaking_to(plan: StepPlan, run: Run, ground: Ground) -> Iterable[tuple[StageRef, str, str]]:
    for instance in (each for stage in plan.stages for each in run.instances(stage.id)):
        for state in instance.steps.values():
            for item in state.evidence:
                if item.counts and ground.id in item.grounds:
                    yield instance.ref, item.id, item.kind
