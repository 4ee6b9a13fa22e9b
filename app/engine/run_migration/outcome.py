"""The run as it would be after a move: a value that can be shown before anything happens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from app.engine import guards
from app.engine.answers import canonical
from app.engine.definition import Step
from app.engine.progress import missing_in_step
from app.engine.run import (
    AnswerMark,
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
from app.engine.run_migration.compare import ChangeClass, PartKind
from app.engine.run_migration.items import (
    Choice,
    Place,
    RunMigration,
    evidence_place,
    meaning_of,
    place_in_new,
)
from app.engine.run_migration.returning import returning


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
        """Nobody but a manager lets go of an approval."""
        return bool(self.reopened)

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


@dataclass
class _Draft:
    """A step of the newer version while its content comes together."""

    answers: dict[str, AnswerMark] = field(default_factory=dict)
    evidence: list[EvidenceMark] = field(default_factory=list)
    sources: list[StepState] = field(default_factory=list)
    is_asked_again: bool = False


class _Rewriting:
    def __init__(self, migration: RunMigration, choices: Mapping[str, Choice], move: str) -> None:
        self.run, self.comparison = migration.run, migration.comparison
        self.old, self.new, self.parts = self.comparison.old, self.comparison.new, self.comparison.parts
        self.migration, self.move = migration, move
        self.choices = {item.id: choices.get(item.id, item.proposed) for item in migration.items}
        self.drafts: dict[Place, _Draft] = {}
        self.parked: list[Parked] = []
        self.contributors: dict[StageRef, set[str]] = {}
        self.touched: set[StageRef] = set()
        self.steps_with_other_goal = {
            change.after
            for change in self.comparison.changes
            if change.kind is PartKind.STEP
            for each in change.differences
            if each.name in ("title", "goal") and each.change_class >= ChangeClass.ANSWER_AGAIN
        }

    def outcome(self) -> Outcome:
        instances = sorted(self.run.stages.items(), key=lambda each: str(each[0]))
        targets = {ref: self._target(ref) for ref, _ in instances}
        for ref, instance in instances:
            for step, state in sorted(instance.steps.items()):
                self._step(ref, step, state)
        stages: dict[StageRef, StageInstance] = {}
        for ref, instance in instances:
            target = targets[ref]
            if target is None:
                self._park_stage(ref, instance)
            elif (after := self._instance(instance, target)) is not None:
                stages[target] = after
        decisions = tuple(self._decisions())
        domains = tuple(d.id for d in self.new.domains if d.id in self.run.domains)
        before = replace(self.run, stages=MappingProxyType(stages), decisions=decisions, domains=domains)
        before = replace(
            before, plan_id=self.new.id, plan_version=self.new.version, plan_digest=self.new.digest, proposal=None
        )
        moved, returned = returning(self.old, self.new, before)
        touched = self.touched | {item.ref for item in returned if item.ref}
        final = self._with_approvals(moved, touched)
        kept = [item for item in self.run.parked if item not in returned]
        final = replace(final, parked=in_order([*kept, *self.parked]))
        return Outcome(
            run=final,
            reopened=tuple(sorted(self._reopened(stages, final), key=str)),
            look_again=tuple(self._look_again(final)),
            parked=tuple(self.parked),
            returned=tuple(returned),
            choices=self.choices,
        )

    def _target(self, ref: StageRef) -> StageRef | None:
        if ref.domain is not None and ref.domain not in self.new.domains_by_id:
            return None
        stage = self._stage(ref)
        return replace(ref, stage=stage) if stage else None

    def _stage(self, ref: StageRef) -> str:
        return self.parts.stages.get(ref.stage, "")

    # --- steps

    def _step(self, ref: StageRef, step: str, state: StepState) -> None:
        for question, mark in sorted(state.answers.items()):
            self._answer(ref, step, question, mark)
        for evidence in state.evidence:
            to = evidence_place(self.comparison, self.run, ref, step, evidence)
            if to is None:
                why = ParkedWhy.GONE
                self._park(ParkedKind.EVIDENCE, why, ref, step, evidence.id, evidence=evidence)
            else:
                self._arrive(ref, to, state).evidence.append(evidence)
        own = list(self._places(ref, step))
        for place in own:
            self._arrive(ref, place, state)
        if state.finding is not None and not own:
            self._park(ParkedKind.TEXT, ParkedWhy.GONE, ref, step, state.finding)

    def _places(self, ref: StageRef, step: str) -> Iterator[Place]:
        """Where a step lives on, as far as the stage there was begun."""
        for stage, piece in self.parts.steps.get((ref.stage, step), ()):
            to = place_in_new(self.comparison, self.run, ref, stage)
            if to is not None:
                yield to, piece

    def _arrive(self, ref: StageRef, place: Place, state: StepState) -> _Draft:
        draft = self.drafts.setdefault(place, _Draft())
        if all(state is not each for each in draft.sources):
            draft.sources.append(state)
        if self._stage(ref) != place[0].stage:
            # Content of another stage: who worked on it there worked on it here, and no approval here covers it.
            self.contributors.setdefault(place[0], set()).update(self.run.stages[ref].contributors)
            if state.answers or state.evidence:
                self.touched.add(place[0])
        return draft

    def _answer(self, ref: StageRef, step: str, question: str, mark: AnswerMark) -> None:
        item = self.migration.by_id.get(f"{ref}/{step}/{question}")
        target = self.parts.questions.get((ref.stage, step, question))
        to = item.to if item else None
        if item is None and target is not None:
            place = place_in_new(self.comparison, self.run, ref, target[0])
            to = (place, target[1]) if place else None
        if to is None or target is None:
            if mark.is_filled:
                why = item.why if item and item.why else ParkedWhy.GONE
                self._park(ParkedKind.ANSWER, why, ref, step, question, answer=mark)
                self._ask_again_where_unfit(why, ref, target)
            return
        choice = self.choices[item.id] if item else Choice.KEEP
        draft = self._arrive(ref, to, self.run.stages[ref].step(step))
        if choice is Choice.PARK:
            self._park(ParkedKind.ANSWER, ParkedWhy.CHOSEN, ref, step, question, answer=mark)
            self._ask_again(to, draft)
            return
        standing = draft.answers.get(target[2])
        if standing is not None and standing.is_filled:
            if mark.is_filled:
                self._park(ParkedKind.ANSWER, ParkedWhy.MERGED, ref, step, question, answer=mark)
                self._ask_again(to, draft)
            return
        if choice is Choice.AGAIN:
            mark = replace(mark, is_proposal=True)
            self._ask_again(to, draft)
        draft.answers[target[2]] = mark

    def _ask_again(self, to: Place, draft: _Draft) -> None:
        draft.is_asked_again = True
        self.touched.add(to[0])

    def _ask_again_where_unfit(self, why: ParkedWhy, ref: StageRef, target: tuple[str, str, str] | None) -> None:
        if why is ParkedWhy.UNFIT and target is not None:
            to = place_in_new(self.comparison, self.run, ref, target[0])
            if to is not None:
                state = self.run.stages[ref].step(self._step_of(target, ref))
                self._ask_again((to, target[1]), self._arrive(ref, (to, target[1]), state))

    def _step_of(self, target: tuple[str, str, str], ref: StageRef) -> str:
        """The older step of a question, by its place in the newer version."""
        return next(old[1] for old, new in self.parts.questions.items() if new == target and old[0] == ref.stage)

    # --- stages

    def _instance(self, instance: StageInstance, target: StageRef) -> StageInstance | None:
        steps = {}
        stage = self.new.stage(target.stage)
        is_closed = self.run.latest(instance.ref.stage, instance.ref.domain) is not instance
        for (ref, step), draft in sorted(self.drafts.items(), key=lambda each: (str(each[0][0]), each[0][1])):
            if ref == target:
                steps[step] = self._state(stage.step(step), draft, target, is_closed=is_closed)
        if instance.status is StageStatus.SKIPPED and not stage.is_optional:
            if instance.skip_reason is not None:
                self._park(ParkedKind.TEXT, ParkedWhy.GONE, instance.ref, None, instance.skip_reason)
            if instance.started_at is None:
                return None
            instance = replace(instance, status=StageStatus.OPEN, skip_reason=None)
        more = sorted(self.contributors.get(target, set()) - set(instance.contributors))
        if target == instance.ref and not more and _same(steps, instance.steps):
            return instance
        return replace(
            instance,
            ref=target,
            contributors=(*instance.contributors, *more),
            steps=MappingProxyType(steps),
        )

    def _state(self, step: Step, draft: _Draft, ref: StageRef, *, is_closed: bool) -> StepState:
        first = draft.sources[0]
        again = draft.is_asked_again or self._step_asks(f"{ref.stage}/{step.id}")
        if (len(draft.sources) == 1 and not again) or is_closed:
            same = dict(first.answers) == draft.answers and list(first.evidence) == draft.evidence
            if same and (is_closed or first.status is not StepStatus.COMPLETED or not self._lacks(step, first, ref)):
                return first
        latest = max(draft.sources, key=lambda state: (state.changed_at is not None, state.changed_at or 0))
        done = [state for state in draft.sources if state.completed_at is not None]
        last = max(done, key=lambda state: (state.completed_at is not None, state.completed_at or 0)) if done else first
        after = replace(
            first,
            revision=max(state.revision for state in draft.sources) + 1,
            answers=MappingProxyType(draft.answers),
            evidence=tuple(draft.evidence),
            changed_by=latest.changed_by,
            changed_at=latest.changed_at,
            completed_by=last.completed_by,
            completed_at=last.completed_at,
            finding=next((state.finding for state in draft.sources if state.finding), None),
        )
        return replace(after, status=self._status(step, draft, after, ref, again=again, is_closed=is_closed))

    def _lacks(self, step: Step, state: StepState, ref: StageRef) -> bool:
        return bool(missing_in_step(step, state, ref))

    def _status(
        self, step: Step, draft: _Draft, after: StepState, ref: StageRef, *, again: bool, is_closed: bool
    ) -> StepStatus:
        statuses = {state.status for state in draft.sources}
        if statuses == {StepStatus.COMPLETED}:
            if is_closed or not (again or self._lacks(step, after, ref)):
                return StepStatus.COMPLETED
            return StepStatus.REVISIT
        if StepStatus.REVISIT in statuses or (StepStatus.COMPLETED in statuses and again):
            return StepStatus.REVISIT
        if statuses == {StepStatus.NOT_STARTED}:
            return StepStatus.NOT_STARTED
        return StepStatus.BUSY

    def _step_asks(self, path: str) -> bool:
        """Whether the step itself asks for a second look: its goal is another one."""
        return any(
            change.kind is PartKind.STEP
            and change.after == path
            and any(
                d.name in ("title", "goal") and d.change_class >= ChangeClass.ANSWER_AGAIN for d in change.differences
            )
            for change in self.comparison.changes
        )

    # --- approvals

    def _with_approvals(self, run: Run, touched: set[StageRef]) -> Run:
        """An approval stands only where nothing that it decided on became something else."""
        stages = dict(run.stages)
        for ref, instance in run.stages.items():
            if not instance.passed or run.latest(ref.stage, ref.domain) is not instance:
                continue
            stage = self.new.stage(ref.stage)
            open_points = instance.status is StageStatus.APPROVED and any(guards.gate_open_points(stage, instance))
            if ref in touched or open_points or self._asks_approval(ref.stage):
                stages[ref] = replace(instance, status=StageStatus.OPEN, changed_since_approval=True)
        return replace(run, stages=MappingProxyType(stages))

    def _asks_approval(self, stage: str) -> bool:
        grounds = {s.ground for s in self.new.stage(stage).statements}
        for change in self.comparison.changes:
            if change.change_class < ChangeClass.ANSWER_AGAIN:
                continue
            if change.stage == stage and change.after is not None:
                return True
            if change.kind is PartKind.GROUND and change.after and change.after.removeprefix("grounds.") in grounds:
                return True
        return False

    def _reopened(self, before: Mapping[StageRef, StageInstance], after: Run) -> Iterator[StageRef]:
        for ref, instance in after.stages.items():
            was = before.get(ref)
            if was is not None and was.passed and instance.changed_since_approval and not was.changed_since_approval:
                yield ref

    def _look_again(self, after: Run) -> Iterator[Place]:
        finished = {
            place
            for place, draft in self.drafts.items()
            if any(state.status is StepStatus.COMPLETED for state in draft.sources)
        }
        for ref, step in sorted(finished, key=lambda place: (str(place[0]), place[1])):
            instance = after.stages.get(ref)
            if instance is not None and instance.step(step).status is StepStatus.REVISIT:
                yield ref, step

    # --- what has no place

    def _park_stage(self, ref: StageRef, instance: StageInstance) -> None:
        header = replace(instance, steps={}, request=None)
        self._park(ParkedKind.STAGE, ParkedWhy.GONE, ref, None, "", stage=header)

    def _decisions(self) -> Iterator[DecisionTaken]:
        for taken in self.run.decisions:
            to = self.parts.decisions.get(taken.decision)
            no_domain = taken.domain is not None and taken.domain not in self.new.domains_by_id
            if to is None or no_domain:
                self._park(ParkedKind.DECISION, ParkedWhy.GONE, None, None, taken.decision, decision=taken)
            else:
                yield taken if to == taken.decision else replace(taken, decision=to)

    def _park(
        self, kind: ParkedKind, why: ParkedWhy, ref: StageRef | None, step: str | None, key: str, **what: Any
    ) -> None:
        question = None
        if kind is ParkedKind.ANSWER and ref is not None and step is not None:
            question = self.old.stage(ref.stage).step(step).question(key)
        self.parked.append(
            Parked(
                id=f"{self.move}.{len(self.parked) + 1:04}",
                kind=kind,
                why=why,
                plan_version=self.old.version,
                plan_digest=self.old.digest,
                ref=ref,
                step=step,
                key=key,
                type=question.type.value if question else "",
                meaning=meaning_of(question) if question else "",
                **what,
            )
        )


def _same(steps: Mapping[str, StepState], before: Mapping[str, StepState]) -> bool:
    return steps.keys() == before.keys() and all(steps[id] is before[id] for id in steps)


def outcome(migration: RunMigration, choices: Mapping[str, Choice], *, move: str) -> Outcome:
    """What the choices lead to; an item without one gets what is proposed. `move` becomes part of the ids of what is
    parked.  A choice that is not allowed is a bug here: `moves` refuses it."""
    return _Rewriting(migration, choices, move).outcome()
