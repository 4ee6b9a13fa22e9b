"""Undoing a move: the run as it was before, and what was done since set aside if it has no place then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.engine.definition import Changes, StepPlan
from app.engine.points import PointState
from app.engine.run import (
    Approval,
    DecisionTaken,
    EvidenceMark,
    Parked,
    ParkedKind,
    ParkedWhy,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepState,
    StepStatus,
)
from app.engine.run_migration.applying import in_order
from app.engine.run_migration.compare import compare
from app.engine.run_migration.items import plan_run_migration
from app.engine.run_migration.outcome import outcome
from app.engine.run_migration.parking import Parking
from app.engine.run_migration.part_map import earlier_paths, map_parts
from app.engine.run_migration.returning import is_finished


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


def standing_approvals(run: Run) -> dict[tuple[str, str], StageInstance]:
    """By request and approver: every approval that covers what stands in its stage, and that stage."""
    return {
        (approval.request, approval.by): instance
        for instance in run.stages.values()
        if instance.passed and not instance.changed_since_approval
        for approval in instance.approvals
        if approval.withdrawn_by is None
    }


class _Undoing:
    def __init__(self, old: StepPlan, new: StepPlan, before: Run, after: Run, current: Run, undo: str) -> None:
        self.old, self.new = old, new
        self.before, self.after, self.current = before, after, current
        self.parking = Parking(new, undo)
        self.known = _given(before) | _given(after)
        self.withdrawn = {item.id: item for item in _evidence(current) if item.withdrawn_by is not None}

    def plan(self) -> Undo:
        refs = {*self.before.stages, *self.after.stages}
        touched = {ref for ref in refs if self.before.stages.get(ref) != self.after.stages.get(ref)}
        stages = {ref: self._as_before(self.before.stages[ref]) for ref in touched & self.before.stages.keys()}
        others = {}
        for ref, instance in sorted(self.current.stages.items(), key=lambda each: str(each[0])):
            if ref in touched:
                self._park_later(instance)
            elif instance == self.after.stages.get(ref):
                stages[ref] = instance
            else:
                others[ref] = instance
        stages |= self._back(others, stages)
        self._park_rounds_without_ground(stages)
        decisions = tuple(self._decisions())
        domains = self._domains(stages, decisions)
        run = replace(
            self.current,
            plan_id=self.old.id,
            plan_version=self.old.version,
            plan_digest=self.old.digest,
            proposal=None,
            stages=MappingProxyType(stages),
            decisions=decisions,
            domains=tuple(domain.id for domain in self.old.domains if domain.id in domains),
            parked=self._parked(),
        )
        restored = sorted(touched & self.before.stages.keys(), key=str)
        now, then = standing_approvals(self.current).keys(), standing_approvals(run).keys()
        approved = [ref for ref in restored if {(a.request, a.by) for a in stages[ref].approvals} & then - now]
        return Undo(run, tuple(self.parking.parked), tuple(restored), tuple(approved))

    def _park(
        self, kind: ParkedKind, ref: StageRef | None, step: str | None = None, key: str = "", **what: object
    ) -> None:
        self.parking.park(kind, ParkedWhy.UNDONE, ref, step, key, **what)

    # --- what the move changed

    def _as_before(self, instance: StageInstance) -> StageInstance:
        """As it was; but what was withdrawn since stays withdrawn, and an approval does not cover that."""
        steps = {id: self._step_as_before(instance.ref, id, state) for id, state in instance.steps.items()}
        people = [item.withdrawn_by for item in self.withdrawn.values() if item.id in _open_evidence(instance)]
        after = replace(instance, steps=MappingProxyType(steps))
        for person in sorted(filter(None, people)):
            after = after.with_contributor(person)
        if people and after.passed:
            status = StageStatus.OPEN if after.status is StageStatus.APPROVED else after.status
            after = replace(after, status=status, changed_since_approval=True)
        return self._with_points_as_now(self._with_approvals_withdrawn(self._with_recusals(after)))

    def _with_recusals(self, instance: StageInstance) -> StageInstance:
        """Who takes no part says so of the stage, in whatever version. It may have another name there, but it began at
        the same moment."""
        began = (instance.ref.domain, instance.ref.round, instance.started_by, instance.started_at)
        for ref, other in self.current.stages.items():
            is_same = (ref.domain, ref.round, other.started_by, other.started_at) == began
            if is_same and (ref == instance.ref or instance.ref not in self.current.stages):
                return replace(instance, recusals=other.recusals)
        return instance

    def _step_as_before(self, ref: StageRef, id: str, state: StepState) -> StepState:
        """Counters go on, so that a form that was opened in between is not taken for a current one."""
        evidence = tuple(self.withdrawn.get(item.id, item) for item in state.evidence)
        is_less = evidence != state.evidence and state.status is StepStatus.COMPLETED
        now = self.current.stages.get(ref)
        newest = now.steps[id].revision if now and id in now.steps else state.revision
        return replace(
            state,
            status=StepStatus.BUSY if is_less else state.status,
            evidence=evidence,
            revision=newest + 1 if newest != state.revision else newest,
        )

    def _with_approvals_withdrawn(self, instance: StageInstance) -> StageInstance:
        now = {
            (approval.request, approval.by): approval
            for other in self.current.stages.values()
            for approval in other.approvals
            if approval.withdrawn_by is not None
        }
        approvals = tuple(now.get((approval.request, approval.by), approval) for approval in instance.approvals)
        if approvals == instance.approvals:
            return instance
        status = StageStatus.OPEN if instance.status is StageStatus.APPROVED else instance.status
        return replace(instance, approvals=approvals, passed=False, status=status)

    def _with_points_as_now(self, instance: StageInstance) -> StageInstance:
        """What happened to open points is not undone. Those of approvals since then stay readable, and lapse."""
        there = self.current.stages.get(instance.ref)
        now = {point.id: point for other in self.current.stages.values() for point in other.points}
        kept = tuple(now.get(point.id, point) for point in instance.points)
        known = {point.id for other in self.before.stages.values() for point in other.points}
        later = [
            replace(each, state=PointState.LAPSED) for each in (there.points if there else ()) if each.id not in known
        ]
        return replace(instance, points=(*kept, *(replace(each, state=PointState.LAPSED) for each in later)))

    def _park_later(self, instance: StageInstance) -> None:
        """What was given in a stage since the move."""
        ref, then = instance.ref, self.after.stages.get(instance.ref)
        for step, state in sorted(instance.steps.items()):
            for key, mark in sorted(state.answers.items()):
                if mark.is_filled and mark.commitment not in self.known:
                    self._park(ParkedKind.ANSWER, ref, step, key, answer=mark, workers=instance.contributors)
            for item in state.evidence:
                if item.id not in self.known:
                    self._park(ParkedKind.EVIDENCE, ref, step, item.id, evidence=item)
            if state.finding is not None and state.finding not in self.known:
                self._park(ParkedKind.TEXT, ref, step, state.finding)
        if then is None:
            self._park(ParkedKind.STAGE, ref, stage=replace(instance, steps={}, request=None))
            return
        if instance.skip_reason is not None and instance.skip_reason not in self.known:
            self._park(ParkedKind.TEXT, ref, key=instance.skip_reason)
        earlier = {(approval.request, approval.by) for approval in then.approvals}
        for approval in instance.approvals:
            if (approval.request, approval.by) not in earlier:
                self._park_approval(ref, approval)

    def _park_approval(self, ref: StageRef, approval: Approval) -> None:
        self._park(ParkedKind.APPROVAL, ref, key=approval.request, approval=approval)

    # --- what was done elsewhere since

    def _back(
        self, others: Mapping[StageRef, StageInstance], restored: Mapping[StageRef, StageInstance]
    ) -> dict[StageRef, StageInstance]:
        """Stages that the move left alone, or that began after it: their work stays as far as the old version has a
        place for it."""
        if not others:
            return {}
        sub = replace(self.current, stages=MappingProxyType(dict(others)), parked=(), decisions=(), proposal=None)
        comparison = compare([self.new, backwards(self.old, self.new)])
        back = outcome(plan_run_migration(sub, comparison), {}, move=self.parking.id)
        assert not back.run.stages.keys() & restored.keys()
        self.parking.adopt(back.parked, ParkedWhy.UNDONE)
        return dict(back.run.stages)

    def _park_rounds_without_ground(self, stages: dict[StageRef, StageInstance]) -> None:
        """A round that stands on an earlier one that is not finished then is set aside as a whole."""
        parking = Parking(self.old, self.parking.id)
        for ref in sorted(stages, key=lambda each: (each.round, str(each))):
            if ref.round > 1 and not is_finished(stages.get(replace(ref, round=ref.round - 1))):
                parking.park_stage(stages.pop(ref), ParkedWhy.UNDONE)
        self.parking.adopt(parking.parked, ParkedWhy.UNDONE)

    def _domains(self, stages: Mapping[StageRef, StageInstance], decisions: tuple[DecisionTaken, ...]) -> set[str]:
        since = set(self.current.domains) - set(self.after.domains)
        removed = set(self.after.domains) - set(self.current.domains)
        in_use = {ref.domain for ref in stages} | {taken.domain for taken in decisions}
        return ({*self.before.domains} - removed) | since | {domain for domain in in_use if domain}

    def _decisions(self) -> Iterator[DecisionTaken]:
        """Those of before, unless withdrawn since; and those taken since, if the old version knows them."""

        def is_among(taken: DecisionTaken, others: tuple[DecisionTaken, ...]) -> bool:
            return any((d.by, d.at, d.reason) == (taken.by, taken.at, taken.reason) for d in others)

        standing = set()
        for taken in self.before.decisions:
            if not is_among(taken, self.after.decisions) or is_among(taken, self.current.decisions):
                standing.add((taken.decision, taken.domain))
                yield taken
        for taken in self.current.decisions:
            if is_among(taken, (*self.after.decisions, *self.before.decisions)):
                continue
            decision = self.old.decisions_by_id.get(taken.decision)
            fits = decision is not None and decision.is_per_domain == (taken.domain is not None)
            fits = fits and (taken.domain is None or taken.domain in self.old.domains_by_id)
            if fits and (taken.decision, taken.domain) not in standing:
                standing.add((taken.decision, taken.domain))
                yield taken
            else:
                self._park(ParkedKind.DECISION, None, key=taken.decision, decision=taken)

    # --- what is parked

    def _parked(self) -> tuple[Parked, ...]:
        """Without what the move parked, with what it brought back, and with what the undoing parks."""
        by_move = {item.id for item in self.after.parked} - {item.id for item in self.before.parked}
        still = [item for item in self.current.parked if item.id not in by_move]
        known = {item.id for item in still}
        back = [self._still_withdrawn(item) for item in self.before.parked if item.id not in known]
        return in_order([*still, *back, *self.parking.parked])

    def _still_withdrawn(self, item: Parked) -> Parked:
        if item.evidence is None or item.evidence.id not in self.withdrawn:
            return item
        return replace(item, evidence=self.withdrawn[item.evidence.id])


def _given(run: Run) -> set[str]:
    """Commitments, ids of evidence and ids of texts: what people gave, wherever it is."""
    found = {mark.commitment for i in run.stages.values() for s in i.steps.values() for mark in s.answers.values()}
    found |= {state.finding for i in run.stages.values() for state in i.steps.values() if state.finding}
    found |= {instance.skip_reason for instance in run.stages.values() if instance.skip_reason}
    found |= {item.id for item in _evidence(run)}
    found |= {item.answer.commitment for item in run.parked if item.answer}
    return found | {item.key for item in run.parked if item.kind in (ParkedKind.TEXT, ParkedKind.EVIDENCE)}


def _evidence(run: Run) -> Iterator[EvidenceMark]:
    return (item for i in run.stages.values() for state in i.steps.values() for item in state.evidence)


def _open_evidence(instance: StageInstance) -> set[str]:
    return {item.id for state in instance.steps.values() for item in state.evidence if item.counts}


def backwards(old: StepPlan, new: StepPlan) -> StepPlan:
    """The old version as if it came after the new one: what had another name or other words has its own again."""
    declared = new.changes
    if declared is None or (new.base[0], declared.since) != old.base:
        return replace(old, changes=None)
    earlier = earlier_paths(old, map_parts(old, new))
    return replace(
        old,
        changes=Changes(
            since=new.base[1],
            summary=declared.summary,
            moved=tuple((after, before) for before, after in declared.moved),
            cosmetic=frozenset(earlier[path] for path in declared.cosmetic if path in earlier),
        ),
    )
