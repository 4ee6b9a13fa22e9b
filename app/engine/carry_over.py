"""Starting from an earlier run: its answers come along as proposals, stage by stage, and its approvals never do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.engine.definition import StepPlan
from app.engine.run import AnswerMark, Run, StageInstance, StageRef, UserId
from app.engine.run_migration.items import fits
from app.engine.run_migration.part_map import PartMap


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer of the earlier run that fits a question of this plan. `commitment` finds its text there; `authors` are
    all who worked on the stage that it stood in."""

    step: str
    question: str
    commitment: str
    authors: tuple[UserId, ...]


def carried_answers(parts: PartMap, old: StepPlan, new: StepPlan, earlier: Run, ref: StageRef) -> Iterator[Carried]:
    """What the latest round of the same stage (and domain) of the earlier run has for the stage `ref` of `new`.
    `parts` is the map from the earlier run's plan `old` to `new`. Two answers to one question: the first."""
    taken: set[tuple[str, str]] = set()
    for (stage, step, question), target in parts.questions.items():
        if target[0] != ref.stage or target[1:] in taken:
            continue
        source = earlier.latest(stage, ref.domain)
        mark = _mark(source, step, question)
        if source is None or mark is None or not mark.is_filled:
            continue
        before = old.stage(stage).step(step).question(question)
        after = new.stage(ref.stage).step(target[1]).question(target[2])
        if fits(before.type, after, mark, {column.id: column.type for column in before.columns}):
            taken.add((target[1], target[2]))
            yield Carried(target[1], target[2], mark.commitment, source.contributors)


def _mark(instance: StageInstance | None, step: str, question: str) -> AnswerMark | None:
    return instance.step(step).answers.get(question) if instance else None
