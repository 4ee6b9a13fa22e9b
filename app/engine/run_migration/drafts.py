"""The steps of the newer version, while their content comes together from the steps of the older one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

from app.engine.definition import Step
from app.engine.progress import missing_in_step
from app.engine.run import (
    AnswerMark,
    EvidenceMark,
    ParkedKind,
    ParkedWhy,
    StageRef,
    StepState,
    StepStatus,
)
from app.engine.run_migration.compare import ChangeClass, PartKind
from app.engine.run_migration.items import Choice, RunMigration
from app.engine.run_migration.parking import Parking
from app.engine.run_migration.whereabouts import Place, Whereabouts

NEVER_BEGUN = StepState()


@dataclass
class _Draft:
    """`own`: the steps that live on in this one, begun or not. `guests`: steps from which single answers came."""

    own: dict[Place, StepState]
    guests: dict[Place, StepState] = field(default_factory=dict)
    answers: dict[str, AnswerMark] = field(default_factory=dict)
    evidence: list[EvidenceMark] = field(default_factory=list)
    is_asked_again: bool = False


class Drafts:
    """`touched`: stages whose content became something else; `contributors`: who worked elsewhere on what stands there
    now; `finished`: steps that somebody had finished."""

    def __init__(
        self, migration: RunMigration, choices: Mapping[str, Choice], at: Whereabouts, parking: Parking
    ) -> None:
        self.migration, self.choices, self.at, self.parking = migration, choices, at, parking
        self.run, self.new = migration.run, migration.comparison.new
        self.drafts: dict[Place, _Draft] = {}
        self.touched: set[StageRef] = set()
        self.contributors: dict[StageRef, set[str]] = {}
        self.finished: list[Place] = []
        self.other_goal = {
            change.after
            for change in migration.comparison.changes
            if change.kind is PartKind.STEP
            for each in change.differences
            if each.name in ("title", "goal") and each.change_class >= ChangeClass.ANSWER_AGAIN
        }

    def fill(self) -> None:
        for to in self.at.targets.values():
            for definition in self.new.stage(to.stage).all_steps():
                self._open(to, definition.id)
        order = {path: n for n, path in enumerate(self.migration.comparison.parts.questions)}
        for ref, instance in sorted(self.run.stages.items(), key=lambda each: str(each[0])):
            answers = [(step, id, mark) for step, state in instance.steps.items() for id, mark in state.answers.items()]
            # Of answers that become one, the one goes along that the author named first.
            answers.sort(key=lambda each: (order.get((ref.stage, each[0], each[1]), len(order)), each[0], each[1]))
            for step, question, mark in answers:
                self._answer((ref, step), question, mark)
            for step, state in sorted(instance.steps.items()):
                for evidence in state.evidence:
                    self._evidence((ref, step), evidence)
                self._finding((ref, step), state)
        self.finished.sort(key=lambda place: (str(place[0]), place[1]))

    def _open(self, to: StageRef, step: str) -> None:
        draft = self.drafts[to, step] = _Draft({})
        for source in self.at.sources(to, step):
            draft.own[source] = self._state(source)
            if draft.own[source] != NEVER_BEGUN:
                self._came(source[0], to)
        if any(state.status is StepStatus.COMPLETED for state in draft.own.values()):
            self.finished.append((to, step))

    def _state(self, place: Place) -> StepState:
        instance = self.run.instance(place[0])
        return instance.step(place[1]) if instance else NEVER_BEGUN

    def _came(self, ref: StageRef, to: StageRef) -> None:
        """Content of another stage: who worked on it there worked on it here, and no approval here covers it."""
        if not self.at.is_own(ref, to):
            self.contributors.setdefault(to, set()).update(self.run.stages[ref].contributors)
            self.touched.add(to)

    # --- what comes along

    def _answer(self, source: Place, question: str, mark: AnswerMark) -> None:
        ref, step = source
        found = self.at.answer(ref, step, question)
        if not mark.is_filled:
            if not isinstance(found, ParkedWhy) and source in self.drafts[found[0]].own:
                self.drafts[found[0]].answers.setdefault(found[1], mark)
            return
        item = self.migration.by_id.get(f"{ref}/{step}/{question}")
        why = item.why if item else None
        choice = self.choices[item.id] if item else Choice.KEEP
        workers = self.run.stages[ref].contributors
        park = partial(
            self.parking.park, ParkedKind.ANSWER, ref=ref, step=step, key=question, answer=mark, workers=workers
        )
        if isinstance(found, ParkedWhy) or why is not None:
            park(why or ParkedWhy.GONE)
            if why is ParkedWhy.UNFIT and not isinstance(found, ParkedWhy):
                self._ask_again(found[0])
            return
        place, key = found
        if choice is Choice.PARK:
            park(ParkedWhy.CHOSEN)
            self._ask_again(place)
            return
        draft = self.drafts[place]
        standing = draft.answers.get(key)
        if standing is not None and standing.is_filled:
            park(ParkedWhy.MERGED)
            self._ask_again(place)
            return
        if choice is Choice.AGAIN:
            mark = replace(mark, is_proposal=True)
            self._ask_again(place)
        draft.answers[key] = mark
        if source not in draft.own:
            draft.guests[source] = self._state(source)
            self._came(ref, place[0])

    def _ask_again(self, place: Place) -> None:
        self.drafts[place].is_asked_again = True
        self.touched.add(place[0])

    def _evidence(self, source: Place, evidence: EvidenceMark) -> None:
        place = self.at.evidence(*source, evidence)
        if isinstance(place, ParkedWhy):
            self.parking.park(ParkedKind.EVIDENCE, place, *source, evidence.id, evidence=evidence)
        else:
            self.drafts[place].evidence.append(evidence)

    def _finding(self, source: Place, state: StepState) -> None:
        """A finding goes to every piece of its step; a step that has one already keeps that."""
        if state.finding is None:
            return
        places = self.at.steps(*source)
        if isinstance(places, ParkedWhy):
            self.parking.park(ParkedKind.TEXT, places, *source, state.finding)
        elif all(self._first_finding(place) != state.finding for place in places):
            self.parking.park(ParkedKind.TEXT, ParkedWhy.MERGED, *source, state.finding)

    def _first_finding(self, place: Place) -> str | None:
        return next((state.finding for state in self.drafts[place].own.values() if state.finding), None)

    # --- what comes of it

    def steps(self, to: StageRef) -> dict[str, StepState]:
        """The steps of a stage of the newer version, as far as somebody began them."""
        found = {}
        for step in self.new.stage(to.stage).all_steps():
            after = self._after(step, self.drafts[to, step.id], to)
            if after != NEVER_BEGUN:
                found[step.id] = after
        return found

    def _after(self, step: Step, draft: _Draft, ref: StageRef) -> StepState:
        own = [state for state in draft.own.values() if state != NEVER_BEGUN]
        sources = [*own, *draft.guests.values()]
        if not sources:
            return NEVER_BEGUN
        first = own[0] if own else NEVER_BEGUN
        done = [state for state in own if state.completed_at is not None]
        latest = max(sources, key=lambda state: (state.changed_at is not None, state.changed_at or 0))
        last = max(done, key=lambda state: state.completed_at or 0, default=first)
        after = replace(
            first,
            revision=max(state.revision for state in sources),
            answers=MappingProxyType(draft.answers),
            evidence=tuple(draft.evidence),
            changed_by=latest.changed_by,
            changed_at=latest.changed_at,
            completed_by=last.completed_by,
            completed_at=last.completed_at,
            finding=self._first_finding((ref, step.id)),
        )
        after = replace(after, status=self._status(step, draft, after, ref))
        if after == first:
            return first
        return replace(after, revision=after.revision + 1)

    def _status(self, step: Step, draft: _Draft, after: StepState, ref: StageRef) -> StepStatus:
        """A step is finished if all that it comes from was, and nothing asks for a second look."""
        statuses = {state.status for state in draft.own.values()}
        if ref in self.at.closed and len(statuses) == 1:
            return statuses.pop()
        again = draft.is_asked_again or f"{ref.stage}/{step.id}" in self.other_goal
        again = again or any(guest.status is not StepStatus.COMPLETED for guest in draft.guests.values())
        if statuses == {StepStatus.COMPLETED}:
            return StepStatus.REVISIT if again or missing_in_step(step, after, ref) else StepStatus.COMPLETED
        if StepStatus.REVISIT in statuses or (StepStatus.COMPLETED in statuses and again):
            return StepStatus.REVISIT
        is_begun = bool(statuses - {StepStatus.NOT_STARTED}) or not after.is_empty
        return StepStatus.BUSY if is_begun else StepStatus.NOT_STARTED
