"""Undoing a move: the run as it was before, and what was done since set aside if it has no place then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from app.engine.definition import StepPlan
from app.engine.run import (
    DecisionTaken,
    Parked,
    ParkedKind,
    ParkedWhy,
    Run,
    StageInstance,
    StageRef,
    StepState,
)
from app.engine.run_migration.applying import in_order
from app.engine.run_migration.compare import compare
from app.engine.run_migration.items import meaning_of, plan_run_migration
from app.engine.run_migration.outcome import outcome


@dataclass(frozen=True)
class Undo:
    """`run` is the run afterwards, without the record of the undoing. `later` is the work since the move that has no
    place then and would be parked. `restored`: stages that are as they were, among which `approved` have their approval
    back."""

    run: Run
    later: tuple[Parked, ...]
    restored: tuple[StageRef, ...]
    approved: tuple[StageRef, ...]


def plan_undo(old: StepPlan, new: StepPlan, before: Run, after: Run, current: Run, *, undo: str) -> Undo:
    """`before` and `after` are the run right before and right after the move from `old` to `new`, `current` is the run
    now; all three whole. `undo` becomes part of the ids of what is parked."""
    return _Undoing(old, new, before, after, current, undo).plan()


class _Undoing:
    def __init__(self, old: StepPlan, new: StepPlan, before: Run, after: Run, current: Run, undo: str) -> None:
        self.old, self.new, self.undo = old, new, undo
        self.before, self.after, self.current = before, after, current
        self.later: list[Parked] = []
        self.known = {
            mark.commitment
            for run in (before, after)
            for instance in run.stages.values()
            for state in instance.steps.values()
            for mark in state.answers.values()
        }
        self.known |= {p.answer.commitment for run in (before, after) for p in run.parked if p.answer}
        self.evidence = {
            item.id
            for run in (before, after)
            for instance in run.stages.values()
            for state in instance.steps.values()
            for item in state.evidence
        }
        self.evidence |= {p.evidence.id for run in (before, after) for p in run.parked if p.evidence}

    def plan(self) -> Undo:
        touched = {
            ref
            for ref in {*self.before.stages, *self.after.stages}
            if self.before.stages.get(ref) != self.after.stages.get(ref)
        }
        stages: dict[StageRef, StageInstance] = {}
        others: dict[StageRef, StageInstance] = {}
        for ref, instance in self.current.stages.items():
            if ref in touched:
                self._park_later(instance)
            elif instance == self.after.stages.get(ref):
                stages[ref] = instance
            else:
                others[ref] = instance
        for ref in touched:
            if ref in self.before.stages:
                stages[ref] = self._as_before(self.before.stages[ref])
        stages |= self._back(others)
        run = replace(
            self.current,
            plan_id=self.old.id,
            plan_version=self.old.version,
            plan_digest=self.old.digest,
            proposal=None,
            stages=MappingProxyType(stages),
            decisions=tuple(self._decisions()),
            domains=tuple(d.id for d in self.old.domains if d.id in self._domains(stages)),
        )
        run = replace(run, parked=self._parked())
        restored = sorted(touched & self.before.stages.keys(), key=str)
        approved = [ref for ref in restored if stages[ref].passed and not stages[ref].changed_since_approval]
        return Undo(run, tuple(self.later), tuple(restored), tuple(approved))

    # --- what the move changed

    def _as_before(self, instance: StageInstance) -> StageInstance:
        """Counters go on, so that a form that was opened in between is not taken for a current one; evidence that was
        withdrawn since stays withdrawn."""
        withdrawn = {
            item.id: item
            for other in self.current.stages.values()
            for state in other.steps.values()
            for item in state.evidence
            if item.withdrawn_by is not None
        }
        steps = {}
        for id, state in instance.steps.items():
            evidence = tuple(withdrawn.get(item.id, item) for item in state.evidence)
            steps[id] = replace(state, evidence=evidence, revision=self._revision(instance.ref, id, state))
        return replace(instance, steps=MappingProxyType(steps))

    def _revision(self, ref: StageRef, step: str, state: StepState) -> int:
        now = self.current.stages.get(ref)
        newest = now.steps[step].revision if now and step in now.steps else state.revision
        return newest + 1 if newest != state.revision else newest

    def _park_later(self, instance: StageInstance) -> None:
        """What was given in a stage since the move, and is in neither version of then."""
        for step, state in sorted(instance.steps.items()):
            for key, mark in sorted(state.answers.items()):
                if mark.is_filled and mark.commitment not in self.known:
                    self._park(ParkedKind.ANSWER, instance.ref, step, key, answer=mark)
            for item in state.evidence:
                if item.id not in self.evidence:
                    self._park(ParkedKind.EVIDENCE, instance.ref, step, item.id, evidence=item)
            was = self.after.stages.get(instance.ref)
            finding = was.step(step).finding if was else None
            if state.finding is not None and state.finding != finding:
                self._park(ParkedKind.TEXT, instance.ref, step, state.finding)
        then = self.after.stages.get(instance.ref)
        earlier = {(a.request, a.by) for a in then.approvals} if then else set()
        for approval in instance.approvals:
            if (approval.request, approval.by) not in earlier:
                self._park(ParkedKind.APPROVAL, instance.ref, None, approval.request, approval=approval)
        if then is None:
            header = replace(instance, steps={}, request=None)
            self._park(ParkedKind.STAGE, instance.ref, None, "", stage=header)

    # --- what was done elsewhere since

    def _back(self, others: dict[StageRef, StageInstance]) -> dict[StageRef, StageInstance]:
        """Stages that the move left alone, or that began after it: their work stays as far as the old version has a
        place for it."""
        if not others:
            return {}
        comparison = compare([self.new, self.old])
        sub = replace(self.current, stages=MappingProxyType(others), parked=(), decisions=(), proposal=None)
        back = outcome(plan_run_migration(sub, comparison), {}, move=self.undo)
        for item in back.parked:
            self.later.append(replace(item, id=self._next_id(), why=ParkedWhy.UNDONE))
        return dict(back.run.stages)

    def _domains(self, stages: dict[StageRef, StageInstance]) -> set[str]:
        since = set(self.current.domains) - set(self.after.domains)
        removed = set(self.after.domains) - set(self.current.domains)
        in_use = {ref.domain for ref in stages if ref.domain}
        return ({*self.before.domains} - removed) | since | in_use

    def _decisions(self) -> Iterator[DecisionTaken]:
        def same(a: DecisionTaken, b: DecisionTaken) -> bool:
            return (a.by, a.at, a.reason) == (b.by, b.at, b.reason)

        current, after = self.current.decisions, self.after.decisions
        for taken in self.before.decisions:
            was_withdrawn = any(same(taken, d) for d in after) and not any(same(taken, d) for d in current)
            if not was_withdrawn:
                yield taken
        for taken in current:
            if any(same(taken, d) for d in (*after, *self.before.decisions)):
                continue
            decision = self.old.decisions_by_id.get(taken.decision)
            if decision is not None and decision.is_per_domain == (taken.domain is not None):
                yield taken
            else:
                self._park(ParkedKind.DECISION, None, None, taken.decision, decision=taken)

    # --- what is parked

    def _parked(self) -> tuple[Parked, ...]:
        by_move = {p.id for p in self.after.parked} - {p.id for p in self.before.parked}
        still = [p for p in self.current.parked if p.id not in by_move]
        known = {p.id for p in still}
        back = [p for p in self.before.parked if p.id not in known]
        return in_order([*still, *back, *self.later])

    def _next_id(self) -> str:
        return f"{self.undo}.{len(self.later) + 1:04}"

    def _park(self, kind: ParkedKind, ref: StageRef | None, step: str | None, key: str, **what: Any) -> None:
        question = None
        if kind is ParkedKind.ANSWER and ref is not None and step is not None:
            question = self.new.stage(ref.stage).step(step).question(key)
        self.later.append(
            Parked(
                id=self._next_id(),
                kind=kind,
                why=ParkedWhy.UNDONE,
                plan_version=self.new.version,
                plan_digest=self.new.digest,
                ref=ref,
                step=step,
                key=key,
                type=question.type.value if question else "",
                meaning=meaning_of(question) if question else "",
                **what,
            )
        )
