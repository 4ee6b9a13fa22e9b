"""Titles of the parts of a plan, in the words of the version that was in force at a moment of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from app.engine.definition import Question, Stage, Step, StepPlan, Text
from app.engine.run import Run, StageRef
from app.engine.run_migration.timeline import Timeline
from app.features.reports.texts import Words
from app.web.i18n import N_

T = TypeVar("T")


def digests_of(run: Run) -> frozenset[str]:
    """Of all versions that a run had, or that something in it belongs to."""
    return Timeline(run.plan_digest, run.moves).digests | {item.plan_digest for item in run.parked}


class PartTitles:
    """Titles in one version. What it does not know is looked up in the other versions that the run had, and else the
    id is made readable: history never becomes unreadable."""

    def __init__(self, plan: StepPlan, others: Iterable[StepPlan] = ()) -> None:
        self.plan = plan
        self.plans = (plan, *(other for other in others if other is not plan))

    def stage(self, id: str) -> Text:
        return _title((plan.stages_by_id for plan in self.plans), id, lambda stage: stage.title)

    def step(self, stage: str, id: str) -> Text:
        return _title((each.steps_by_id for each in self._stages(stage)), id, lambda step: step.title)

    def question(self, stage: str, step: str, id: str) -> Text:
        found = self.find_question(stage, step, id)
        return found.text if found else _readable(id)

    def find_question(self, stage: str, step: str, id: str) -> Question | None:
        return next(
            (question for each in self._steps(stage, step) for question in each.questions if question.id == id), None
        )

    def domain(self, id: str) -> Text:
        return _title((plan.domains_by_id for plan in self.plans), id, lambda domain: domain.title)

    def decision(self, id: str) -> Text:
        return _title((plan.decisions_by_id for plan in self.plans), id, lambda decision: decision.title)

    def evidence_kind(self, id: str) -> Text:
        return _title((plan.evidence_kinds_by_id for plan in self.plans), id, lambda kind: kind.title)

    def ground(self, id: str) -> Text:
        return _title((plan.grounds_by_id for plan in self.plans), id, lambda ground: ground.title)

    def _stages(self, id: str) -> Iterator[Stage]:
        return (plan.stages_by_id[id] for plan in self.plans if id in plan.stages_by_id)

    def _steps(self, stage: str, id: str) -> Iterator[Step]:
        return (each.steps_by_id[id] for each in self._stages(stage) if id in each.steps_by_id)


def _title(versions: Iterable[Mapping[str, T]], id: str, title: Callable[[T], Text]) -> Text:
    found = next((version[id] for version in versions if id in version), None)
    return title(found) if found is not None else _readable(id)


def _readable(id: str) -> Text:
    return Text(id.replace("-", " ").capitalize())


class PlanTitles:
    """The same in one language."""

    def __init__(self, words: Words, plan: StepPlan, others: Iterable[StepPlan] = ()) -> None:
        self.words, self.parts = words, PartTitles(plan, others)
        self._places: dict[StageRef, str] = {}

    def place(self, ref: StageRef) -> str:
        """A stage with its domain and, from the second on, its round."""
        if ref not in self._places:
            parts = [self.stage(ref.stage), *([self.domain(ref.domain)] if ref.domain else [])]
            if ref.round > 1:
                parts.append(self.words.say(N_("round %(n)s"), n=ref.round))
            self._places[ref] = " · ".join(parts)
        return self._places[ref]

    def stage(self, id: str) -> str:
        return self.words(self.parts.stage(id))

    def step(self, stage: str, id: str) -> str:
        return self.words(self.parts.step(stage, id))

    def question(self, stage: str, step: str, id: str) -> str:
        return self.words(self.parts.question(stage, step, id))

    def domain(self, id: str) -> str:
        return self.words(self.parts.domain(id))

    def decision(self, id: str) -> str:
        return self.words(self.parts.decision(id))


def titles_by_digest(words: Words, plans: Mapping[str, StepPlan]) -> dict[str, PlanTitles]:
    others = list(plans.values())
    return {digest: PlanTitles(words, plan, others) for digest, plan in plans.items()}
