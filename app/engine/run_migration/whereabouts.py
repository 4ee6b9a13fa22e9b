"""Where what stands in a run has its place in a newer version of the plan, if it has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.engine.definition import CHECKLIST, StepPlan
from app.engine.run import EvidenceMark, ParkedWhy, Run, StageRef, StageStatus
from app.engine.run_migration.compare import Comparison
from app.engine.run_migration.part_map import StepPath

Place = tuple[StageRef, str]
"""A stage instance and a step."""


class Whereabouts:
    """`targets`: the stage instances that live on, each with its reference in the newer version. `closed`: those of
    the newer version that are history, since a later round lives on."""

    def __init__(self, run: Run, comparison: Comparison) -> None:
        self.run, self.new, self.parts = run, comparison.new, comparison.parts
        self.targets: dict[StageRef, StageRef] = {}
        self.closed: set[StageRef] = set()
        later: dict[tuple[str, str | None], bool] = {}
        for ref in sorted(run.stages, key=lambda each: each.round, reverse=True):
            has_later = later.get((ref.stage, ref.domain), False)
            target = self._target(ref, has_later=has_later)
            if target is not None:
                self.targets[ref] = target
                later[ref.stage, ref.domain] = True
                if has_later:
                    self.closed.add(target)
        self.begun = {target: ref for ref, target in self.targets.items() if run.stages[ref].started_at is not None}
        self._sources: dict[StepPath, list[StepPath]] = {}
        for before, afters in self.parts.steps.items():
            for after in afters:
                self._sources.setdefault(after, []).append(before)

    def _target(self, ref: StageRef, *, has_later: bool) -> StageRef | None:
        stage = self.parts.stages.get(ref.stage)
        if stage is None or self.has_no_domain(ref):
            return None
        instance = self.run.stages[ref]
        is_skip_only = instance.status is StageStatus.SKIPPED and instance.started_at is None
        if is_skip_only and not has_later and not self.new.stage(stage).is_optional:
            return None  # it must be done after all, and nobody began
        return replace(ref, stage=stage)

    def has_no_domain(self, ref: StageRef) -> bool:
        return ref.domain is not None and ref.domain not in self.new.domains_by_id

    def is_own(self, ref: StageRef, to: StageRef) -> bool:
        """Whether `to` is what became of the instance `ref`, and not another stage."""
        return self.targets.get(ref) == to

    def _in_stage(self, ref: StageRef, stage: str) -> StageRef | ParkedWhy:
        """The instance of `stage`, in the round and domain of `ref`, that takes in what comes from there."""
        if self.has_no_domain(ref):
            return ParkedWhy.GONE
        to = replace(ref, stage=stage)
        if to not in self.begun:
            return ParkedWhy.NOT_BEGUN
        if to in self.closed and not self.is_own(ref, to):
            return ParkedWhy.CLOSED
        return to

    def answer(self, ref: StageRef, step: str, question: str) -> tuple[Place, str] | ParkedWhy:
        """The place of an answer and its question there, or why it has none."""
        target = self.parts.questions.get((ref.stage, step, question))
        if target is None:
            return ParkedWhy.GONE
        to = self._in_stage(ref, target[0])
        return to if isinstance(to, ParkedWhy) else ((to, target[1]), target[2])

    def steps(self, ref: StageRef, step: str) -> list[Place] | ParkedWhy:
        """The places where a step lives on; never none."""
        found: list[Place] = []
        why = ParkedWhy.GONE
        for stage, piece in self.parts.steps.get((ref.stage, step), ()):
            to = self._in_stage(ref, stage)
            if isinstance(to, ParkedWhy):
                why = to
            else:
                found.append((to, piece))
        return found or why

    def evidence(self, ref: StageRef, step: str, mark: EvidenceMark) -> Place | ParkedWhy:
        """Evidence goes along with its step: to the piece of it that asks for its kind, else to the first."""
        if mark.kind not in self.new.evidence_kinds_by_id:
            return ParkedWhy.GONE
        places = self.steps(ref, step)
        if isinstance(places, ParkedWhy):
            return places
        asking = (place for place in places if _asks_for(self.new, place, mark.kind))
        return next(asking, places[0])

    def sources(self, to: StageRef, step: str) -> Iterator[Place]:
        """The older steps that live on in a step of the newer version, begun or not."""
        for stage, id in self._sources.get((to.stage, step), ()):
            ref = replace(to, stage=stage)
            if self._in_stage(ref, to.stage) == to:
                yield ref, id


def _asks_for(plan: StepPlan, place: Place, kind: str) -> bool:
    ref, step = place
    if step == CHECKLIST:
        return False
    return any(demand.kind == kind for demand in plan.stage(ref.stage).step(step).evidence)
