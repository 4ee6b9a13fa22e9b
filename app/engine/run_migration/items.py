"""What of a run stands on parts that differ in a newer version, and what can be done with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from app.engine.answers import canonical
from app.engine.definition import CHECKLIST, Question, QuestionType, StepPlan
from app.engine.errors import Reason
from app.engine.run import AnswerMark, EvidenceMark, ParkedKind, ParkedWhy, Run, StageInstance, StageRef, StageStatus
from app.engine.run_migration.compare import Change, ChangeClass, Comparison, PartKind
from app.engine.run_migration.part_map import QuestionPath, StepPath

Place = tuple[StageRef, str]
"""A stage instance and a step."""


class Choice(StrEnum):
    """Keep: it stays as given. Again: it stays visible as a proposal, and counts once somebody confirmed or changed it.
    Park: it is set aside, readable at the run."""

    KEEP = "keep"
    AGAIN = "again"
    PARK = "park"


@dataclass(frozen=True, slots=True)
class Item:
    """An answer or piece of evidence whose part is changed or gone. `id` is its address in the older version; `to` its
    place in the newer one, None where there is none. `why`: why it is parked, if that is proposed."""

    id: str
    kind: ParkedKind
    ref: StageRef
    step: str
    key: str
    to: Place | None
    to_key: str
    change: Change | None
    change_class: ChangeClass
    proposed: Choice
    allowed: tuple[Choice, ...]
    needs_reason: tuple[Choice, ...] = ()
    why: ParkedWhy | None = None


@dataclass(frozen=True)
class RunMigration:
    """`blocked` says why the run cannot move now; `items` what there is to choose."""

    run: Run
    comparison: Comparison
    items: tuple[Item, ...]
    blocked: tuple[Reason, ...]

    def item(self, id: str) -> Item:
        """Raises KeyError."""
        return self.by_id[id]

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.items}


def plan_run_migration(run: Run, comparison: Comparison) -> RunMigration:
    """What moving this run from the old to the new version of the comparison is about. The whole run must be loaded.

    Raises ValueError for a run of another version than the comparison begins with."""
    if run.plan_digest != comparison.old.digest:
        raise ValueError("the comparison begins with another version than the run has")
    finder = _Finding(run, comparison)
    return RunMigration(run, comparison, tuple(finder.items()), tuple(_blocked(run, comparison)))


def _blocked(run: Run, comparison: Comparison) -> Iterator[Reason]:
    if comparison.new.digest == run.plan_digest:
        yield Reason("move_to_same_version")
    for ref, instance in sorted(run.stages.items(), key=lambda each: str(each[0])):
        if instance.status is StageStatus.SUBMITTED:
            yield Reason("move_while_requested", stage=str(ref))


def place_in_new(comparison: Comparison, run: Run, ref: StageRef, stage: str) -> StageRef | None:
    """The instance of `stage` (a stage of the newer version) in the round and domain of `ref`, if it was begun."""
    earlier = comparison.parts.earlier_stages.get(stage)
    instance = run.stages.get(StageRef(earlier, ref.domain, ref.round)) if earlier else None
    if instance is None or instance.started_at is None:
        return None
    if ref.domain is not None and ref.domain not in comparison.new.domains_by_id:
        return None
    return StageRef(stage, ref.domain, ref.round)


def meaning_of(question: Question) -> str:
    """A digest of what a question asks, so that an answer can return to the same question."""
    asked = [
        question.text.nl,
        question.type.value,
        [[option.id, option.title.nl] for option in question.options],
        [[c.id, c.title.nl, c.type.value, c.is_required, [o.id for o in c.options]] for c in question.columns],
        question.unit.nl if question.unit else "",
        question.ground or "",
    ]
    return hashlib.sha256(canonical(asked)).hexdigest()[:16]


def fits(before: QuestionType, after: Question, mark: AnswerMark, columns: Mapping[str, QuestionType]) -> bool:
    """Whether an answer can stand under a question at all: as it is, or to be looked at again."""
    if before is not after.type and (before, after.type) != (QuestionType.SHORT_TEXT, QuestionType.LONG_TEXT):
        return False
    match after.type:
        case QuestionType.SINGLE_CHOICE | QuestionType.MULTIPLE_CHOICE:
            return set(mark.choices) <= {option.id for option in after.options}
        case QuestionType.TABLE:
            theirs = {column.id: column.type for column in after.columns}
            return all(theirs.get(id) is type for id, type in columns.items())
        case _:
            return True


# Differences under which an answer that was given can still be one to the new question, if people say so.
_KEEPABLE = {"text", "option", "column", "options", "required", "shown_when", "ground", "help", "sources"}


def _choices(
    change: Change, weight: ChangeClass, mark: AnswerMark
) -> tuple[Choice, tuple[Choice, ...], tuple[Choice, ...]]:
    """What is proposed, what is allowed, and what takes a reason."""
    everything = (Choice.KEEP, Choice.AGAIN, Choice.PARK)
    names = {each.name for each in change.differences if each.change_class >= ChangeClass.ANSWER_AGAIN}
    is_whole = mark.is_complete and not mark.is_proposal
    if weight < ChangeClass.ANSWER_AGAIN or (names == {"required"} and is_whole):
        return Choice.KEEP, everything, (Choice.PARK,)
    if names <= _KEEPABLE and is_whole:
        return Choice.AGAIN, everything, (Choice.KEEP, Choice.PARK)
    return Choice.AGAIN, (Choice.AGAIN, Choice.PARK), (Choice.PARK,)


class _Finding:
    def __init__(self, run: Run, comparison: Comparison) -> None:
        self.run, self.comparison, self.parts = run, comparison, comparison.parts
        self.old, self.new = comparison.old, comparison.new
        self.by_new: dict[str, Change] = {}
        self.by_old: dict[str, Change] = {}
        self.grounds: dict[str, Change] = {}
        for change in comparison.changes:
            if change.kind is PartKind.GROUND and change.after and change.change_class >= ChangeClass.ANSWER_AGAIN:
                self.grounds[change.after.removeprefix("grounds.")] = change
            if change.kind in (PartKind.QUESTION, PartKind.STATEMENT, PartKind.STEP, PartKind.STAGE):
                if change.after:
                    self.by_new.setdefault(change.after, change)
                for path in (change.before or "").split(", "):
                    self.by_old.setdefault(path, change)

    def items(self) -> Iterator[Item]:
        for ref, instance in sorted(self.run.stages.items(), key=lambda each: str(each[0])):
            is_closed = self.run.latest(ref.stage, ref.domain) is not instance
            for step, state in sorted(instance.steps.items()):
                for question, mark in sorted(state.answers.items()):
                    if mark.is_filled and (item := self._answer(ref, step, question, mark, is_closed=is_closed)):
                        yield item
                for evidence in state.evidence:
                    if item := self._evidence(instance, step, evidence):
                        yield item

    def _answer(self, ref: StageRef, step: str, question: str, mark: AnswerMark, *, is_closed: bool) -> Item | None:
        path: QuestionPath = (ref.stage, step, question)
        id = f"{ref}/{step}/{question}"
        target = self.parts.questions.get(path)
        if target is None:
            return self._gone(id, ParkedKind.ANSWER, ref, step, question, ParkedWhy.GONE)
        to = place_in_new(self.comparison, self.run, ref, target[0])
        if to is None:
            why = ParkedWhy.GONE if self._has_no_domain(ref) else ParkedWhy.NOT_BEGUN
            return self._gone(id, ParkedKind.ANSWER, ref, step, question, why, target)
        change = self.by_new.get("/".join(target))
        before = self.old.stage(ref.stage).step(step).question(question)
        after = self.new.stage(target[0]).step(target[1]).question(target[2])
        weight = change.change_class if change else ChangeClass.COSMETIC
        if change is None and after.ground in self.grounds:
            change = self.grounds[after.ground]
            weight = change.change_class
        if change is None:
            return None
        if is_closed and weight >= ChangeClass.ANSWER_AGAIN:
            # The words under a finished round do not change; it is read with the words of then.
            return self._gone(id, ParkedKind.ANSWER, ref, step, question, ParkedWhy.CLOSED, target)
        columns = {column.id: column.type for column in before.columns}
        if not fits(before.type, after, mark, columns):
            return self._gone(id, ParkedKind.ANSWER, ref, step, question, ParkedWhy.UNFIT, target)
        proposed, allowed, needs_reason = _choices(change, weight, mark)
        return Item(
            id=id,
            kind=ParkedKind.ANSWER,
            ref=ref,
            step=step,
            key=question,
            to=(to, target[1]),
            to_key=target[2],
            change=change,
            change_class=weight,
            proposed=proposed,
            allowed=allowed,
            needs_reason=needs_reason,
        )

    def _has_no_domain(self, ref: StageRef) -> bool:
        return ref.domain is not None and ref.domain not in self.new.domains_by_id

    def _gone(
        self,
        id: str,
        kind: ParkedKind,
        ref: StageRef,
        step: str,
        key: str,
        why: ParkedWhy,
        target: QuestionPath | None = None,
    ) -> Item:
        if target is not None:
            change = self.by_new.get("/".join(target))
        else:
            paths = (f"{ref.stage}/{step}/{key}", f"{ref.stage}/{step}", ref.stage)
            change = next((self.by_old[path] for path in paths if path in self.by_old), None)
        weight = change.change_class if change else ChangeClass.SAFE
        return Item(id, kind, ref, step, key, None, "", change, weight, Choice.PARK, (Choice.PARK,), why=why)

    def _evidence(self, instance: StageInstance, step: str, mark: EvidenceMark) -> Item | None:
        id, ref = f"{instance.ref}/{step}/{mark.id}", instance.ref
        if evidence_place(self.comparison, self.run, ref, step, mark) is None:
            return self._gone(id, ParkedKind.EVIDENCE, ref, step, mark.id, ParkedWhy.GONE)
        return None


def evidence_place(comparison: Comparison, run: Run, ref: StageRef, step: str, mark: EvidenceMark) -> Place | None:
    """Evidence goes along with its step: to the part of it that asks for its kind, else to the first."""
    if mark.kind not in comparison.new.evidence_kinds_by_id:
        return None
    pieces: tuple[StepPath, ...] = comparison.parts.steps.get((ref.stage, step), ())
    asking = [p for p in pieces if _asks_for(comparison.new, p, mark.kind)]
    for piece in (*asking, *pieces):
        to = place_in_new(comparison, run, ref, piece[0])
        if to is not None:
            return to, piece[1]
    return None


def _asks_for(plan: StepPlan, path: StepPath, kind: str) -> bool:
    if path[1] == CHECKLIST:
        return False
    return any(demand.kind == kind for demand in plan.stage(path[0]).step(path[1]).evidence)
