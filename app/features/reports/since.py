"""A run that carries on from an earlier one: what is the same, what changed, and what waits to be confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from app.engine.definition import Question, Step, StepPlan
from app.engine.progress import current_refs
from app.engine.run import AnswerMark, Run, StageRef
from app.engine.run_migration.part_map import PartMap, QuestionPath
from app.storage.answer_store import Answer, answers_of_both
from app.storage.carry_over import parts_between
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_run
from app.web.shown import Shown, shown


class Since(StrEnum):
    """Changed: another answer than then. New: not answered then. Unconfirmed: it came along, and nobody said yet that
    it still holds. Same: confirmed as it was. Not yet: answered then, and not (any more) now."""

    CHANGED = "changed"
    NEW = "new"
    UNCONFIRMED = "unconfirmed"
    NOT_YET = "not_yet"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class SinceLine:
    kind: Since
    ref: StageRef
    step: Step
    question: Question
    before: Shown | None
    after: Shown | None


@dataclass(frozen=True, slots=True)
class SincePage:
    """`counts` has every kind; `lines` are in the order of the plan, without what is the same."""

    header: RunHeader
    plan: StepPlan
    earlier: RunHeader
    earlier_version: str
    counts: Mapping[Since, int]
    lines: tuple[SinceLine, ...]

    def stages(self) -> list[tuple[StageRef, list[SinceLine]]]:
        grouped: dict[StageRef, list[SinceLine]] = {}
        for line in self.lines:
            grouped.setdefault(line.ref, []).append(line)
        return [*grouped.items()]


def since_page(session: Session, run_id: str) -> SincePage | None:
    """None for a run that started with empty answers. Seven queries, whatever its size.  Raises RunNotFound."""
    plan, run = load_run(session, run_id)
    if run.earlier_run is None:
        return None
    old, earlier = load_run(session, run.earlier_run)
    answers = answers_of_both(session, run.id, earlier.id)
    lines = list(_lines(plan, run, old, earlier, parts_between(session, old, plan), answers))
    return SincePage(
        header=run_header(session, run.id),
        plan=plan,
        earlier=run_header(session, earlier.id),
        earlier_version=earlier.plan_version,
        counts={kind: sum(line.kind is kind for line in lines) for kind in Since},
        lines=tuple(line for line in lines if line.kind is not Since.SAME),
    )


Answers = Mapping[str, Answer]
"""By commitment, of both runs."""


def _lines(
    plan: StepPlan, run: Run, old: StepPlan, earlier: Run, parts: PartMap, answers: Answers
) -> Iterator[SinceLine]:
    """Of the stages that were begun: what nobody came to yet did not change."""
    sources: dict[QuestionPath, QuestionPath] = {}
    for path, target in parts.questions.items():
        sources.setdefault(target, path)
    for ref in current_refs(plan, run):
        instance = run.instance(ref)
        if instance is None:
            continue
        for step in plan.stage(ref.stage).all_steps():
            for question in step.questions:
                mark = instance.step(step.id).answers.get(question.id)
                source = sources.get((ref.stage, step.id, question.id))
                then = _mark(earlier, source, ref.domain)
                asked = old.stage(source[0]).step(source[1]).question(source[2]) if source else None
                before = _shown(asked, then, answers)
                after = _shown(question, mark, answers)
                kind = _kind(mark, then, before, after)
                if kind is not None:
                    yield SinceLine(kind, ref, step, question, before, after)


def _mark(run: Run, path: QuestionPath | None, domain: str | None) -> AnswerMark | None:
    instance = run.latest(path[0], domain) if path else None
    mark = instance.step(path[1]).answers.get(path[2]) if instance and path else None
    return mark if mark and mark.is_filled else None


def _shown(question: Question | None, mark: AnswerMark | None, answers: Answers) -> Shown | None:
    answer = answers.get(mark.commitment) if mark and mark.is_filled else None
    return shown(question, answer.value) if answer and question else None


def _kind(mark: AnswerMark | None, then: AnswerMark | None, before: Shown | None, after: Shown | None) -> Since | None:
    is_answered = mark is not None and mark.is_filled
    if mark is not None and is_answered and mark.is_proposal:
        return Since.UNCONFIRMED
    if then is None:
        return Since.NEW if is_answered else None
    if not is_answered:
        return Since.NOT_YET
    return Since.SAME if before == after else Since.CHANGED
