"""What differs between two moments of a stage instance, with the texts that its seals stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.engine.definition import Question, Stage, Step
from app.engine.seal import Difference
from app.storage.answer_store import Answer
from app.web.shown import Shown, shown


@dataclass(frozen=True, slots=True)
class Given:
    """An answer at one moment; `answer` is None when its text was erased since."""

    answer: Shown | None


@dataclass(frozen=True, slots=True)
class Change:
    """Of an answer (`question`) or of a piece of evidence (its title as `evidence`). An answer is None at a moment
    when there was none."""

    step: Step
    question: Question | None
    evidence: str | None
    before: Given | None
    after: Given | None
    is_new: bool
    is_gone: bool


def commitments_in(found: Iterable[Difference]) -> set[str]:
    """Of the answers, to look up their texts."""
    return {c for each in found if each.kind == "answers" for c in (each.before, each.after) if c}


def as_changes(
    stage: Stage, found: Iterable[Difference], versions: Mapping[str, Answer], titles: Mapping[str, str]
) -> tuple[Change, ...]:
    """In the order of the stage. `versions` by commitment, `titles` of evidence by id."""
    order = {step.id: number for number, step in enumerate(stage.all_steps())}

    def given(question: Question | None, commitment: str | None) -> Given | None:
        if question is None or commitment is None:
            return None
        answer = versions.get(commitment)
        return Given(shown(question, answer.value) if answer else None)

    changes = []
    for each in sorted(found, key=lambda difference: order.get(difference.step, 0)):
        step = stage.step(each.step)
        question = step.question(each.key) if each.kind == "answers" else None
        changes.append(
            Change(
                step=step,
                question=question,
                evidence=None if question else titles.get(each.key, ""),
                before=given(question, each.before),
                after=given(question, each.after),
                is_new=each.before is None,
                is_gone=each.after is None,
            )
        )
    return tuple(changes)
