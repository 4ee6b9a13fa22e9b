"""Which part of a newer plan takes the place of which part of an older one.

What the newer version declares comes first; beyond that a part is the one with the same id in the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.engine.definition import CHECKLIST, StepPlan

StepPath = tuple[str, str]
"""Stage and step."""
QuestionPath = tuple[str, str, str]
"""Stage, step and question; a statement stands under the step `CHECKLIST`."""

DECISIONS = "decisions."


@dataclass(frozen=True)
class PartMap:
    """From old to new. A step may become several (split); several may become one (merged). What is absent is gone."""

    stages: Mapping[str, str]
    steps: Mapping[StepPath, tuple[StepPath, ...]]
    questions: Mapping[QuestionPath, QuestionPath]
    decisions: Mapping[str, str]

    def then(self, following: PartMap) -> PartMap:
        """The map over two moves in a row. What comes first of several that become one is the same as in two moves: the
        later move decides, and the earlier one among what it brought together itself."""
        in_steps, in_questions = _order(following.steps), _order(following.questions)
        steps = sorted(
            (old for old, news in self.steps.items() if any(following.steps.get(new) for new in news)),
            key=lambda old: min(in_steps[new] for new in self.steps[old] if new in in_steps),
        )
        questions = sorted(
            (old for old, new in self.questions.items() if new in following.questions),
            key=lambda old: in_questions[self.questions[old]],
        )
        return PartMap(
            stages={old: following.stages[new] for old, new in self.stages.items() if new in following.stages},
            steps={
                old: tuple(dict.fromkeys(last for new in self.steps[old] for last in following.steps.get(new, ())))
                for old in steps
            },
            questions={old: following.questions[self.questions[old]] for old in questions},
            decisions={
                old: following.decisions[new] for old, new in self.decisions.items() if new in following.decisions
            },
        )

    @property
    def earlier_stages(self) -> Mapping[str, str]:
        """From a new stage to the old one it comes from."""
        return {new: old for old, new in self.stages.items()}


T = TypeVar("T")


def _order(parts: Mapping[T, object]) -> dict[T, int]:
    return {part: number for number, part in enumerate(parts)}


def questions_of(plan: StepPlan) -> Iterator[QuestionPath]:
    for stage in plan.stages:
        for step in stage.all_steps():
            for question in step.questions:
                yield stage.id, step.id, question.id


def map_parts(old: StepPlan, new: StepPlan) -> PartMap:
    """The map between two versions. `new.changes` counts only when it is about `old` (`since` is its version, or that
    of the plan that it extends); a declared part that is not there is passed over, the catalogue tells the author."""
    changes = new.changes if new.changes and (new.base[0], new.changes.since) == old.base else None
    moved = changes.moved if changes else ()
    by_depth: dict[int, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {1: [], 2: [], 3: []}
    decisions: list[tuple[str, str]] = []
    for before, after in moved:
        if before.startswith(DECISIONS) and after.startswith(DECISIONS):
            decisions.append((before.removeprefix(DECISIONS), after.removeprefix(DECISIONS)))
        elif "." not in before + after and before.count("/") == after.count("/"):
            by_depth[before.count("/") + 1].append((tuple(before.split("/")), tuple(after.split("/"))))
    stages = _stages(old, new, [(a[0], b[0]) for a, b in by_depth[1]])
    steps = _steps(old, new, stages, [((a[0], a[1]), (b[0], b[1])) for a, b in by_depth[2]])
    questions = _questions(old, new, steps, [((a[0], a[1], a[2]), (b[0], b[1], b[2])) for a, b in by_depth[3]])
    return PartMap(stages, steps, questions, _decisions(old, new, decisions))


def _stages(old: StepPlan, new: StepPlan, declared: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A stage has one origin and one heir, which carries its approval on; other pieces get its steps, if those are
    declared. Work per domain cannot become work without domains, nor the other way round: such a stage is another."""

    def fits(before: str, after: str) -> bool:
        a, b = old.stages_by_id.get(before), new.stages_by_id.get(after)
        return a is not None and b is not None and a.is_per_domain == b.is_per_domain

    found: dict[str, str] = {}
    for before, after in declared:
        if fits(before, after) and before not in found and after not in found.values():
            found[before] = after
    taken = set(found.values())
    for stage in old.stages:
        if stage.id not in found and stage.id not in taken and fits(stage.id, stage.id):
            found[stage.id] = stage.id
    return found


def _decisions(old: StepPlan, new: StepPlan, declared: Iterable[tuple[str, str]]) -> dict[str, str]:
    def fits(before: str, after: str) -> bool:
        a, b = old.decisions_by_id.get(before), new.decisions_by_id.get(after)
        return a is not None and b is not None and a.is_per_domain == b.is_per_domain

    found: dict[str, str] = {}
    for before, after in declared:
        if fits(before, after):
            found.setdefault(before, after)
    taken = set(found.values())
    for id in old.decisions_by_id:
        if id not in found and id not in taken and fits(id, id):
            found[id] = id
    return found


def _has_step(plan: StepPlan, path: StepPath) -> bool:
    stage = plan.stages_by_id.get(path[0])
    return stage is not None and path[1] in stage.steps_by_id


def _steps(
    old: StepPlan, new: StepPlan, stages: Mapping[str, str], declared: Iterable[tuple[StepPath, StepPath]]
) -> dict[StepPath, tuple[StepPath, ...]]:
    found: dict[StepPath, tuple[StepPath, ...]] = {}
    for before, after in declared:
        same_kind = (before[1] == CHECKLIST) == (after[1] == CHECKLIST)
        if same_kind and _has_step(old, before) and _has_step(new, after) and _alike(old, new, before, after):
            found[before] = tuple(dict.fromkeys((*found.get(before, ()), after)))
    taken = {after for afters in found.values() for after in afters}
    for stage in old.stages:
        if stage.id not in stages:
            continue
        for step in stage.all_steps():
            before, after = (stage.id, step.id), (stages[stage.id], step.id)
            if before not in found and after not in taken and _has_step(new, after):
                found[before] = (after,)
    return found


def _alike(old: StepPlan, new: StepPlan, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether work in the one stage can stand in the other: both per domain, or neither."""
    return old.stage(before[0]).is_per_domain == new.stage(after[0]).is_per_domain


def _questions(
    old: StepPlan,
    new: StepPlan,
    steps: Mapping[StepPath, tuple[StepPath, ...]],
    declared: Iterable[tuple[QuestionPath, QuestionPath]],
) -> dict[QuestionPath, QuestionPath]:
    ours, theirs = dict.fromkeys(questions_of(old)), dict.fromkeys(questions_of(new))
    found: dict[QuestionPath, QuestionPath] = {}
    for before, after in declared:
        if before in ours and after in theirs and _alike(old, new, before, after):
            found.setdefault(before, after)  # an answer goes to one question
    taken = set(found.values())
    for before in ours:
        if before in found:
            continue
        for piece in steps.get(before[:2], ()):
            after = (*piece, before[2])
            if after in theirs and after not in taken:
                found[before] = after
                break
    return found


def earlier_paths(old: StepPlan, parts: PartMap) -> Mapping[str, str]:
    """From the path of a part in the newer version to its path in the older one."""
    paths = {f"grounds.{id}": f"grounds.{id}" for id in old.grounds_by_id}
    paths |= {f"decisions.{new}": f"decisions.{old}" for old, new in parts.decisions.items()}
    paths |= {new: old for old, new in parts.stages.items()}
    paths |= {"/".join(new): "/".join(old) for old, news in parts.steps.items() for new in news}
    paths |= {"/".join(new): "/".join(old) for old, new in parts.questions.items()}
    return paths
