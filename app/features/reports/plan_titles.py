"""Titles of the parts of a plan, in the words of the version that was in force at a moment of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from app.engine.definition import Question, Stage, Step, StepPlan, Text
from app.engine.run import Move, StageRef
from app.features.reports.texts import Words
from app.web.i18n import N_


class Timeline:
    """Which version of the plan a run had when."""

    def __init__(self, present: str, moves: Sequence[Move]) -> None:
        self.first = moves[0].from_digest if moves else present
        self.present = present
        changes = [(move.revision, move.to_digest) for move in moves]
        changes += [(move.undone_revision, move.from_digest) for move in moves if move.undone_revision is not None]
        self.changes = sorted(changes)
        self.digests = frozenset({present, self.first, *(digest for _, digest in changes)})

    def in_force(self, sequence: int) -> str:
        """The digest of the plan with which the event with this number happened; of a move, the one it began with."""
        digest = self.first
        for revision, after in self.changes:
            if revision >= sequence:
                break
            digest = after
        return digest


class PlanTitles:
    """Titles in one version. What it does not know is looked up in the other versions that the run had, and else the
    id is made readable: history never becomes unreadable."""

    def __init__(self, words: Words, plan: StepPlan, others: Sequence[StepPlan] = ()) -> None:
        self.words = words
        self.plans = (plan, *(other for other in others if other is not plan))
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
        return self._title((stage.title for stage in self._stages(id)), id)

    def step(self, stage: str, id: str) -> str:
        return self._title((step.title for step in self._steps(stage, id)), id)

    def question(self, stage: str, step: str, id: str) -> str:
        found = (question.text for each in self._steps(stage, step) for question in _questions(each, id))
        return self._title(found, id)

    def domain(self, id: str) -> str:
        return self._title((p.domains_by_id[id].title for p in self.plans if id in p.domains_by_id), id)

    def decision(self, id: str) -> str:
        return self._title((p.decisions_by_id[id].title for p in self.plans if id in p.decisions_by_id), id)

    def _stages(self, id: str) -> Iterator[Stage]:
        return (plan.stages_by_id[id] for plan in self.plans if id in plan.stages_by_id)

    def _steps(self, stage: str, id: str) -> Iterator[Step]:
        return (each.steps_by_id[id] for each in self._stages(stage) if id in each.steps_by_id)

    def _title(self, found: Iterator[Text], id: str) -> str:
        title = next(found, None)
        return self.words(title) if title else id.replace("-", " ").capitalize()


def _questions(step: Step, id: str) -> Iterator[Question]:
    return (question for question in step.questions if question.id == id)


def titles_by_digest(words: Words, plans: Mapping[str, StepPlan]) -> dict[str, PlanTitles]:
    others = list(plans.values())
    return {digest: PlanTitles(words, plan, others) for digest, plan in plans.items()}
