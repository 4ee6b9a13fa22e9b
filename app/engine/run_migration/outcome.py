"""The run as it would be after a move: a value that can be shown before anything happens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from app.engine.answers import canonical
from app.engine.run import (
    DecisionTaken,
    Parked,
    ParkedKind,
    ParkedWhy,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepStatus,
)
from app.engine.run_migration.applying import in_order
from app.engine.run_migration.approvals import with_approvals
from app.engine.run_migration.compare import ChangeClass, PartKind
from app.engine.run_migration.drafts import Drafts
from app.engine.run_migration.items import Choice, RunMigration
from app.engine.run_migration.parking import Parking
from app.engine.run_migration.returning import returning
from app.engine.run_migration.whereabouts import Place, Whereabouts


@dataclass(frozen=True)
class Outcome:
    """`run` is the run afterwards, without the record of the move itself. `reopened`: stages whose approval no longer
    covers them. `look_again`: steps that were finished and are to be looked at again. `digest` covers all of it."""

    run: Run
    reopened: tuple[StageRef, ...]
    look_again: tuple[Place, ...]
    parked: tuple[Parked, ...]
    returned: tuple[Parked, ...]
    choices: Mapping[str, Choice]

    @property
    def needs_manager(self) -> bool:
        """Nobody but a manager lets go of an approval, of an approved stage, or of a decision that says something else
        now."""
        undecided = (p for p in self.parked if p.kind is ParkedKind.DECISION and p.why is ParkedWhy.UNFIT)
        gone = (p for p in self.parked if p.stage is not None and p.stage.status is StageStatus.APPROVED)
        return bool(self.reopened) or any(undecided) or any(gone)

    @property
    def let_go(self) -> tuple[StageInstance, ...]:
        """The stages whose approval is let go of: those that are to be approved again, and approved ones that go."""
        gone = (p.stage for p in self.parked if p.stage is not None and p.stage.status is StageStatus.APPROVED)
        return (*(self.run.stages[ref] for ref in self.reopened), *gone)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the version, the choices and what they lead to: what is carried out is what was shown."""
        shown = {
            "plan": self.run.plan_digest,
            "choices": {id: choice.value for id, choice in self.choices.items()},
            "reopened": [str(ref) for ref in self.reopened],
            "parked": [[p.kind, p.why, str(p.ref), p.step, p.key] for p in self.parked],
            "returned": [p.id for p in self.returned],
            "stages": {str(ref): _shape(instance) for ref, instance in self.run.stages.items()},
        }
        return hashlib.sha256(canonical(shown)).hexdigest()


def _shape(instance: StageInstance) -> Any:
    return [
        instance.status,
        instance.changed_since_approval,
        {
            step: [
                state.status,
                {q: [mark.commitment, mark.is_proposal] for q, mark in state.answers.items()},
                [item.id for item in state.evidence],
            ]
            for step, state in instance.steps.items()
        },
    ]


def outcome(migration: RunMigration, choices: Mapping[str, Choice], *, move: str) -> Outcome:
    """What the choices lead to; an item without one gets what is proposed. `move` becomes part of the ids of what is
    parked.  A choice that is not allowed is a bug here: `moves` refuses it."""
    chosen = {item.id: choices.get(item.id, item.proposed) for item in migration.items}
    return _Rewriting(migration, chosen, move).outcome()


class _Rewriting:
    def __init__(self, migration: RunMigration, choices: Mapping[str, Choice], move: str) -> None:
        self.run, self.comparison, self.choices = migration.run, migration.comparison, choices
        self.old, self.new = self.comparison.old, self.comparison.new
        self.at = Whereabouts(self.run, self.comparison)
        self.parking = Parking(self.old, move)
        self.drafts = Drafts(migration, choices, self.at, self.parking)

    def outcome(self) -> Outcome:
        self.drafts.fill()
        stages: dict[StageRef, StageInstance] = {}
        for ref, instance in sorted(self.run.stages.items(), key=lambda each: str(each[0])):
            target = self.at.targets.get(ref)
            if target is not None:
                stages[target] = self._instance(instance, target)
            else:
                self._set_aside(instance)
        rewritten = replace(
            self.run,
            plan_id=self.new.id,
            plan_version=self.new.version,
            plan_digest=self.new.digest,
            proposal=None,
            stages=MappingProxyType(stages),
            decisions=tuple(self._decisions()),
            domains=tuple(domain.id for domain in self.new.domains if domain.id in self.run.domains),
        )
        moved, returned = returning(self.old, self.new, rewritten)
        touched = self.drafts.touched | {item.ref for item in returned if item.ref}
        final, reopened = with_approvals(self.comparison, moved, touched)
        kept = [item for item in self.run.parked if item not in returned]
        return Outcome(
            run=replace(final, parked=in_order([*kept, *self.parking.parked])),
            reopened=reopened,
            look_again=tuple(self._look_again(final)),
            parked=tuple(self.parking.parked),
            returned=tuple(returned),
            choices=self.choices,
        )

    def _instance(self, instance: StageInstance, target: StageRef) -> StageInstance:
        if instance.status is StageStatus.SKIPPED and target not in self.at.closed:
            instance = self._without_skip(instance, target)
        steps = self.drafts.steps(target)
        more = sorted(self.drafts.contributors.get(target, set()) - set(instance.contributors))
        if target == instance.ref and not more and _same(steps, instance):
            return instance
        contributors = (*instance.contributors, *more)
        return replace(instance, ref=target, contributors=contributors, steps=MappingProxyType(steps))

    def _without_skip(self, instance: StageInstance, target: StageRef) -> StageInstance:
        """A stage that had begun and was skipped is open again, if it must be done after all."""
        if self.new.stage(target.stage).is_optional:
            return instance
        self._park_skip_reason(instance)
        return replace(instance, status=StageStatus.OPEN, skip_reason=None)

    def _set_aside(self, instance: StageInstance) -> None:
        """A stage that has no place. Its steps are parked already."""
        if instance.ref.stage in self.comparison.parts.stages and not self.at.has_no_domain(instance.ref):
            self._park_skip_reason(instance)  # it was skipped only: not begun is what it is again
        else:
            header = replace(instance, steps={}, request=None)
            self.parking.park(ParkedKind.STAGE, ParkedWhy.GONE, instance.ref, stage=header)

    def _park_skip_reason(self, instance: StageInstance) -> None:
        if instance.skip_reason is not None:
            self.parking.park(ParkedKind.TEXT, ParkedWhy.GONE, instance.ref, key=instance.skip_reason)

    def _look_again(self, after: Run) -> Iterator[Place]:
        for ref, step in self.drafts.finished:
            if after.stages[ref].step(step).status is StepStatus.REVISIT:
                yield ref, step

    def _decisions(self) -> Iterator[DecisionTaken]:
        """Decisions stay in force where the plan still has them, and they still say the same."""
        heavy = (change for change in self.comparison.changes if change.kind is PartKind.DECISION and change.after)
        other = {change.after for change in heavy if change.change_class >= ChangeClass.ANSWER_AGAIN}
        standing = set()
        for taken in self.run.decisions:
            to = self.comparison.parts.decisions.get(taken.decision)
            if to is None or (taken.domain is not None and taken.domain not in self.new.domains_by_id):
                why = ParkedWhy.GONE
            elif f"decisions.{to}" in other:
                why = ParkedWhy.UNFIT
            elif (to, taken.domain) in standing:
                why = ParkedWhy.MERGED
            else:
                standing.add((to, taken.domain))
                yield taken if to == taken.decision else replace(taken, decision=to)
                continue
            self.parking.park(ParkedKind.DECISION, why, None, key=taken.decision, decision=taken)


def _same(steps: Mapping[str, object], instance: StageInstance) -> bool:
    return steps.keys() == instance.steps.keys() and all(steps[id] is instance.steps[id] for id in steps)
