"""The inclusivity checklist of a whole run: grounds by stage, and what we do not know yet."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.engine.definition import CHECKLIST, EvidenceKind, Grade, Ground, Source, Stage, Statement, StepPlan
from app.engine.guards import NoSuchPart
from app.engine.progress import current_refs
from app.engine.run import Run, StageRef, StageStatus, StepState, UserId
from app.features.steps.step_page import step_address
from app.storage.answer_store import Answer, current_answers
from app.storage.people import names_of
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_run
from app.storage.tables import EvidenceRow


@dataclass(frozen=True, slots=True)
class Part:
    """The statements of one stage instance about one ground: how many have which answer, and how many none."""

    ref: StageRef
    address: str
    is_begun: bool
    is_skipped: bool
    grades: Mapping[str, int]
    empty: int

    @property
    def unknown(self) -> int:
        return self.grades.get(Grade.UNKNOWN, 0)

    @property
    def is_blind(self) -> bool:
        return self.is_begun and bool(self.empty or self.unknown)


@dataclass(frozen=True, slots=True)
class Cell:
    """One ground in one stage; several parts where the stage works per domain, none without statements."""

    stage: Stage
    parts: tuple[Part, ...]

    @property
    def begun(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.is_begun)

    @property
    def grades(self) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        for part in self.begun:
            total.update(part.grades)
        return total

    @property
    def empty(self) -> int:
        return sum(part.empty for part in self.begun)

    @property
    def is_blind(self) -> bool:
        return any(part.is_blind for part in self.parts)


@dataclass(frozen=True, slots=True)
class Row:
    ground: Ground
    address: str
    cells: tuple[Cell, ...]

    @property
    def blind_parts(self) -> tuple[Part, ...]:
        return tuple(part for cell in self.cells for part in cell.parts if part.is_blind)

    @property
    def blind_spots(self) -> int:
        return sum(part.empty + part.unknown for part in self.blind_parts)


@dataclass(frozen=True, slots=True)
class Grid:
    """`blind` are the rows with blind spots, most first. `later`: statements of stages that have not begun."""

    header: RunHeader
    plan: StepPlan
    stages: tuple[Stage, ...]
    rows: tuple[Row, ...]
    blind: tuple[Row, ...]
    later: int
    has_begun: bool


def grid(session: Session, run_id: str) -> Grid:
    """Four queries.  Raises RunNotFound."""
    plan, run = load_run(session, run_id)
    refs = [*current_refs(plan, run)]
    stages = tuple(stage for stage in plan.stages if stage.statements)
    rows = tuple(
        Row(
            ground,
            ground_address(run.id, ground.id),
            tuple(
                Cell(stage, tuple(_part(run, ref, stage, ground) for ref in refs if ref.stage == stage.id))
                if any(statement.ground == ground.id for statement in stage.statements)
                else Cell(stage, ())
                for stage in stages
            ),
        )
        for ground in plan.grounds
    )
    parts = [part for row in rows for cell in row.cells for part in cell.parts]
    return Grid(
        header=run_header(session, run_id),
        plan=plan,
        stages=stages,
        rows=rows,
        blind=tuple(sorted((row for row in rows if row.blind_spots), key=lambda row: -row.blind_spots)),
        later=sum(part.empty for part in parts if not part.is_begun and not part.is_skipped),
        has_begun=any(part.is_begun for part in parts),
    )


def ground_address(run_id: str, ground: str) -> str:
    return f"/trajecten/{run_id}/checklist/{ground}"


def ground_anchor(ground: str) -> str:
    return f"grond-{ground}"


def _state(run: Run, ref: StageRef) -> StepState:
    instance = run.instance(ref)
    return instance.step(CHECKLIST) if instance else StepState()


def _part(run: Run, ref: StageRef, stage: Stage, ground: Ground) -> Part:
    instance, state = run.instance(ref), _state(run, ref)
    choices = [state.choices(statement.id) for statement in stage.statements if statement.ground == ground.id]
    is_skipped = instance is not None and instance.status is StageStatus.SKIPPED
    return Part(
        ref=ref,
        address=f"{step_address(run.id, ref, CHECKLIST)}#{ground_anchor(ground.id)}",
        is_begun=instance is not None and not is_skipped,
        is_skipped=is_skipped,
        grades=Counter(chosen[0] for chosen in choices if chosen),
        empty=sum(not chosen for chosen in choices),
    )


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
    stages = tuple(
        StageAnswers(part, tuple(_lines(plan, stage, ground, part, answers)))
        for ref in current_refs(plan, run)
        for stage in [plan.stage(ref.stage)]
        if any(statement.ground == ground.id for statement in stage.statements)
        for part in [_part(run, ref, stage, ground)]
    )
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
    plan: StepPlan, stage: Stage, ground: Ground, part: Part, answers: Mapping[tuple[str, str, str], Answer]
) -> Iterator[StatementLine]:
    for statement in stage.statements:
        if statement.ground == ground.id:
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
