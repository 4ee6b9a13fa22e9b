"""What of a run stands on parts that differ in a newer version, and what can be done with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from app.engine.answers import canonical
from app.engine.definition import Question, QuestionType
from app.engine.errors import Reason
from app.engine.run import AnswerMark, ParkedKind, ParkedWhy, Run, StageRef, StageStatus
from app.engine.run_migration.compare import Change, ChangeClass, Comparison, PartKind
from app.engine.run_migration.whereabouts import Place, Whereabouts


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

    def takes_reason(self, choice: Choice) -> bool:
        """Whether people must say why they choose this; what is proposed needs no explanation."""
        return choice in self.needs_reason and choice is not self.proposed


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
_KEEPABLE = {"text", "option", "column", "options", "required", "shown_when", "ground", "title"}


def _choices(change: Change, mark: AnswerMark) -> tuple[Choice, tuple[Choice, ...], tuple[Choice, ...]]:
    """What is proposed, what is allowed, and what takes a reason."""
    everything = (Choice.KEEP, Choice.AGAIN, Choice.PARK)
    names = {each.name for each in change.differences if each.change_class >= ChangeClass.ANSWER_AGAIN}
    is_whole = mark.is_complete and not mark.is_proposal
    if change.change_class < ChangeClass.ANSWER_AGAIN or (names == {"required"} and is_whole):
        return Choice.KEEP, everything, (Choice.PARK,)
    if names <= _KEEPABLE and is_whole:
        return Choice.AGAIN, everything, (Choice.KEEP, Choice.PARK)
    return Choice.AGAIN, (Choice.AGAIN, Choice.PARK), (Choice.PARK,)


class _Finding:
    def __init__(self, run: Run, comparison: Comparison) -> None:
        self.run, self.at = run, Whereabouts(run, comparison)
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
            for step, state in sorted(instance.steps.items()):
                for question, mark in sorted(state.answers.items()):
                    if mark.is_filled and (item := self._answer(ref, step, question, mark)):
                        yield item
                for evidence in state.evidence:
                    to = self.at.evidence(ref, step, evidence)
                    if isinstance(to, ParkedWhy):
                        yield self._parked(ParkedKind.EVIDENCE, ref, step, evidence.id, to)

    def _answer(self, ref: StageRef, step: str, question: str, mark: AnswerMark) -> Item | None:
        found = self.at.answer(ref, step, question)
        if isinstance(found, ParkedWhy):
            return self._parked(ParkedKind.ANSWER, ref, step, question, found)
        to, to_key = found
        before = self.old.stage(ref.stage).step(step).question(question)
        after = self.new.stage(to[0].stage).step(to[1]).question(to_key)
        change = self._change(to, after)
        if change is None:
            return None
        weight = change.change_class
        if to[0] in self.at.closed:
            # The words under a finished round do not change; it is read with the words of then.
            is_other = weight >= ChangeClass.ANSWER_AGAIN
            return self._parked(ParkedKind.ANSWER, ref, step, question, ParkedWhy.CLOSED, change) if is_other else None
        columns = {column.id: column.type for column in before.columns}
        if not fits(before.type, after, mark, columns):
            return self._parked(ParkedKind.ANSWER, ref, step, question, ParkedWhy.UNFIT, change)
        proposed, allowed, needs_reason = _choices(change, mark)
        return Item(
            id=f"{ref}/{step}/{question}",
            kind=ParkedKind.ANSWER,
            ref=ref,
            step=step,
            key=question,
            to=to,
            to_key=to_key,
            change=change,
            change_class=weight,
            proposed=proposed,
            allowed=allowed,
            needs_reason=needs_reason,
        )

    def _change(self, to: Place, question: Question) -> Change | None:
        """What changed about a question: itself, or the ground that it is about if that weighs more."""
        found = (self.by_new.get(f"{to[0].stage}/{to[1]}/{question.id}"), self.grounds.get(question.ground or ""))
        return max(filter(None, found), key=lambda change: change.change_class, default=None)

    def _parked(
        self,
        kind: ParkedKind,
        ref: StageRef,
        step: str,
        key: str,
        why: ParkedWhy,
        change: Change | None = None,
    ) -> Item:
        if change is None:
            paths = (f"{ref.stage}/{step}/{key}", f"{ref.stage}/{step}", ref.stage)
            change = next((self.by_old[path] for path in paths if path in self.by_old), None)
        weight = change.change_class if change else ChangeClass.SAFE
        id = f"{ref}/{step}/{key}"
        return Item(id, kind, ref, step, key, None, "", change, weight, Choice.PARK, (Choice.PARK,), why=why)
