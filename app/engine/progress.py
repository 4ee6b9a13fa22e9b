"""How complete a step, a stage, a ground and a run are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.engine.answers import is_shown
from app.engine.definition import CHECKLIST, Grade, Stage, Step, StepPlan
from app.engine.errors import Reason
from app.engine.guards import missing_answers, missing_evidence
from app.engine.run import Run, StageInstance, StageRef, StageStatus, StepState, StepStatus


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int

    @property
    def percent(self) -> int:
        """Whole per cent, rounded down: 100 only when everything is done."""
        return 100 * self.done // self.total if self.total else 100

    def __add__(self, other: Progress) -> Progress:
        return Progress(self.done + other.done, self.total + other.total)


NOTHING = Progress(0, 0)


def missing_in_step(step: Step, state: StepState, ref: StageRef) -> list[Reason]:
    """What a step still needs before it can be completed."""
    return [*missing_answers(step, state, ref), *missing_evidence(step, state, ref)]


def step_progress(step: Step, state: StepState) -> Progress:
    """Required answers that are complete and pieces of evidence that are there, of those asked for."""
    done = total = 0
    for question in step.questions:
        if question.is_required and is_shown(step, state, question):
            mark = state.answers.get(question.id)
            total += 1
            done += mark is not None and mark.counts
    for demand in step.evidence:
        present = state.evidence_count(demand.kind, links_count=demand.may_be_link)
        total += demand.minimum
        done += min(present, demand.minimum)
    return Progress(done, total)


def is_done(step: Step, state: StepState) -> bool:
    """Whether progress counts the step as finished: completed, or for the checklist every statement answered."""
    if step.id == CHECKLIST:
        answered = step_progress(step, state)
        return answered.done == answered.total
    return state.status is StepStatus.COMPLETED


def checklist_progress(stage: Stage, state: StepState) -> Progress:
    if stage.checklist is None:
        return NOTHING
    return step_progress(stage.checklist, state)


def counted_stage_progress(stage: Stage, status: StageStatus | None, done: int) -> Progress:
    """The same as `stage_progress` for who has counted the finished required parts already; no status: not begun."""
    total = stage.required_parts
    if status in (StageStatus.APPROVED, StageStatus.SKIPPED):
        return Progress(total, total)
    return Progress(min(done, total), total)


def stage_progress(stage: Stage, instance: StageInstance | None) -> Progress:
    """Completed required steps, and the checklist as one part once every statement has an answer."""
    if instance is None:
        return counted_stage_progress(stage, None, 0)
    done = sum(is_done(step, instance.step(step.id)) for step in stage.all_steps() if step.is_required)
    return counted_stage_progress(stage, instance.status, done)


def current_refs(plan: StepPlan, run: Run) -> Iterator[StageRef]:
    """The stage instances that matter now: the latest round of each stage in each domain, begun or not."""
    for stage in plan.stages:
        for domain in run.domains if stage.is_per_domain else (None,):
            latest = run.latest(stage.id, domain)
            yield latest.ref if latest else StageRef(stage.id, domain)


def run_progress(plan: StepPlan, run: Run) -> Progress:
    total = NOTHING
    for ref in current_refs(plan, run):
        total += stage_progress(plan.stage(ref.stage), run.instance(ref))
    return total


@dataclass(frozen=True, slots=True)
class GroundProgress:
    """Answers to the statements of one ground over the current stage instances; `empty` counts those without."""

    ground: str
    grades: Mapping[Grade, int]
    empty: int

    @property
    def total(self) -> int:
        return self.empty + sum(self.grades.values())

    @property
    def blind_spots(self) -> int:
        """Statements that nobody could or did answer."""
        return self.empty + self.grades.get(Grade.UNKNOWN, 0)


def ground_progress(plan: StepPlan, run: Run) -> list[GroundProgress]:
    """In the order of the plan; only stages that were begun count: what nobody asked yet is no blind spot."""
    grades: dict[str, Counter[str]] = {ground.id: Counter() for ground in plan.grounds}
    empty: Counter[str] = Counter()
    for ref in current_refs(plan, run):
        instance = run.instance(ref)
        if instance is None or instance.status is StageStatus.SKIPPED:
            continue
        state = instance.step(CHECKLIST)
        for statement in plan.stage(ref.stage).statements:
            choices, mark = state.choices(statement.id), state.answers.get(statement.id)
            if choices and mark is not None and not mark.is_proposal:
                grades[statement.ground][choices[0]] += 1
            else:
                empty[statement.ground] += 1
    return [
        GroundProgress(id, {Grade(grade): n for grade, n in counted.items()}, empty[id])
        for id, counted in grades.items()
    ]
