"""A run that moves between versions of its plan, and back, while people work on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Self

from app.engine import events as e
from app.engine.apply import apply, replay
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.progress import missing_in_step
from app.engine.run import (
    ParkedKind,
    ParkedWhy,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepState,
    StepStatus,
    UserId,
)
from app.engine.run_migration.compare import Comparison, compare
from app.engine.run_migration.items import Choice as Wanted
from app.engine.run_migration.items import RunMigration, plan_run_migration
from app.engine.run_migration.moves import (
    decide_outcome,
    move_run,
    mover_reasons,
    propose_move,
    undo_move,
    with_chooser,
    withdraw_move_proposal,
)
from app.engine.run_migration.outcome import Outcome
from app.engine.run_migration.undoing import plan_undo, standing_approvals
from app.engine.seal import Manifest, manifest, seal
from app.storage import codec
from tests.builders import ANNA, MANAGER, MARIAM, MAX, OFFICER, an_answer
from tests.engine.refusals import refusal
from tests.engine.run_migration.account import Given, account, approvals_of
from tests.engine.run_migration.edits import Edited
from tests.engine.run_migration.meaning import check_what_stays_approved
from tests.engine.world import ACCOUNTS, Choice, World, pick


class MovingWorld(World):
    """`earlier` holds the versions that the run can be moved back to."""

    def __init__(self, plan: StepPlan, domains: Sequence[str]) -> None:
        super().__init__(plan, domains)
        self.earlier: list[StepPlan] = []
        self.looked_at = 0

    @classmethod
    def going_on(cls, plan: StepPlan, events: Sequence[e.Event]) -> Self:
        """With a run on which others worked before."""
        world = cls(plan, [domain.id for domain in plan.domains])
        world.events, world.run = list(events), replay(events)
        world.ledger.begin_anew(world.run)
        return world

    # --- moving ------------------------------------------------------------------------------------------------

    def move(self, edited: Edited, choices: Sequence[Choice], by: UserId) -> bool:
        comparison = compare([self.plan, edited.new])
        migration = plan_run_migration(self.run, comparison)
        wanted = {item.id: pick(item.allowed, c).value for item, c in zip(migration.items, choices, strict=False)}
        reasons = {item.id: self.new_id("text") for item in migration.items}
        if any(instance.request for instance in self.run.stages.values()):
            self._refused(lambda: decide_outcome(migration, wanted, reasons, move="m"))
            return False
        move = self.new_id("move")
        result = decide_outcome(migration, wanted, reasons, move=move)
        if result.needs_manager:
            self._refuse_without_proposal(migration, result)
            self._happen(
                propose_move(
                    migration,
                    result,
                    proposal=self.new_id("proposal"),
                    shown=result.digest,
                    reasons=reasons,
                    by=self.run.team[0] if self.run.team else MARIAM,
                    at=self.now(),
                )
            )
            migration = plan_run_migration(self.run, comparison)
            result = decide_outcome(migration, wanted, reasons, move=move)
            managers = [by for by in (MAX, MARIAM) if not self._had_a_hand_in(result.let_go, by)]
            if not managers:
                self._refused(lambda: self._confirmed(migration, result, move, MAX))
                self._happen(withdraw_move_proposal(self.run, reason=None, by=MARIAM, at=self.now()))
                return False
            by = managers[0]
        before = self.run
        event = move_run(
            migration,
            result,
            move=move,
            shown=result.digest,
            reasons=reasons,
            by=by,
            roles=MANAGER if result.needs_manager else OFFICER,
            people=ACCOUNTS,
            at=self.now(),
        )
        self._happen(event)
        self._check_moved(edited, comparison, migration, before, result)
        self.earlier.append(self.plan)
        self._go_on_with(edited.new)
        return True

    def _had_a_hand_in(self, instances: Sequence[StageInstance], by: UserId) -> bool:
        """Or made the proposal that is to be confirmed."""
        proposal = self.run.proposal
        others = [*(user for instance in instances for user in instance.contributors), proposal.by if proposal else ""]
        return ACCOUNTS.person(by) in map(ACCOUNTS.person, others)

    def _confirmed(self, migration: RunMigration, result: Outcome, move: str, by: UserId) -> e.RunMoved:
        return move_run(
            migration,
            result,
            move=move,
            shown=result.digest,
            reasons={},
            by=by,
            roles=MANAGER,
            people=ACCOUNTS,
            at=self.now(),
        )

    def _refuse_without_proposal(self, migration: RunMigration, result: Outcome) -> None:
        assert mover_reasons(migration.run, result, by=ANNA, roles=OFFICER, people=ONE_ACCOUNT_EACH)
        assert mover_reasons(migration.run, result, by=MARIAM, roles=MANAGER, people=ONE_ACCOUNT_EACH)
        self._refused(
            lambda: move_run(
                migration,
                result,
                move="m",
                shown=result.digest,
                reasons={},
                by=MARIAM,
                roles=MANAGER,
                at=self.now(),
                is_for_many=True,
                people=ONE_ACCOUNT_EACH,
            )
        )

    def _refused(self, act: Callable[[], object]) -> None:
        """What is refused says why and changes nothing."""
        copy = replay(self.events)
        assert refusal(act).reasons
        assert self.run == copy
        self.happened["refused"] += 1

    def _happen(self, event: e.Event) -> None:
        kind, data = codec.encode_event(event)
        assert codec.decode_event(kind, json.loads(json.dumps(data)), by=event.by, at=event.at) == event
        self.run = apply(self.run, event)
        self.events.append(event)
        self.note_authors(event)
        self.happened[type(event).__name__] += 1

    def _go_on_with(self, plan: StepPlan) -> None:
        self.plan = plan
        self.ledger.begin_anew(self.run)
        assert replay(self.events) == self.run

    # --- undoing -----------------------------------------------------------------------------------------------

    def undo(self) -> bool:
        move = self.run.last_move
        if move is None:
            return False
        old = self.earlier[-1]
        before, after = replay(self.events[: move.revision - 1]), replay(self.events[: move.revision])
        id = self.new_id("undo")
        undo = plan_undo(old, self.plan, before, after, self.run, undo=id)
        current = self.run

        def undoing(*, park_later: bool) -> e.MoveUndone:
            return undo_move(
                self.run,
                undo,
                park_later=park_later,
                reason=None,
                by=MARIAM,
                roles=MANAGER,
                at=self.now(),
                people=ONE_ACCOUNT_EACH,
            )

        now, then = standing_approvals(self.run), standing_approvals(undo.run)
        touched = [(now | then)[key] for key in now.keys() ^ then.keys()]
        is_worker = any(MARIAM in instance.contributors for instance in touched)
        is_asked = any(instance.request for instance in self.run.stages.values())
        if is_asked or is_worker or MARIAM not in self._people():
            self._refused(lambda: undoing(park_later=True))
            return False
        if undo.later:
            self._refused(lambda: undoing(park_later=False))
        self._happen(undoing(park_later=True))
        assert _bare(self.run) == _bare(undo.run)
        assert {item.id for item in self.run.parked} >= {item.id for item in undo.later}
        if current.revision == move.revision:
            assert not undo.later
            assert _state(self.run) == _state(before)
        assert account(current) - account(self.run) == {}, "nothing that is there now is lost"
        assert _not_back(before, current, self.run) == set()
        self._check_approvals_provable()
        self._check_counters(current)
        for ref, instance in self.run.stages.items():
            if instance.passed and not instance.changed_since_approval:
                self._check_approval_covers(ref, instance)
        self.earlier.pop()
        self._go_on_with(old)
        return True

    def _people(self) -> set[UserId | None]:
        return {*self.run.team, self.run.manager}

    def _check_approval_covers(self, ref: StageRef, instance: StageInstance) -> None:
        """After undoing on the version that it was given on, an approval that stands seals the work that is there; its
        conditions may have been seen to since."""
        final = [event for event in self.events if isinstance(event, e.StageApproved) and event.is_final]
        (given,) = [a for a in final if a.request == instance.approvals[-1].request]
        at = self.events.index(given)
        approved = replay(self.events[: at + 1])
        if approved.plan_digest == self.run.plan_digest and given.ref == ref:
            assert _work(self.run, ref) == _work(approved, ref)

    # --- what must hold ----------------------------------------------------------------------------------------

    def _check_moved(
        self, edited: Edited, comparison: Comparison, migration: RunMigration, before: Run, result: Outcome
    ) -> None:
        chooser = (before.proposal.by if before.proposal else None) if result.needs_manager else self.events[-1].by
        expected = with_chooser(migration, result, chooser or "")
        assert _bare(self.run) == _bare(replace(result.run, stages=MappingProxyType(expected)))
        assert account(before) == account(self.run), "content before = content after + parked"
        self._check_approvals_provable()
        self._check_counters(before)
        gave_back = {item.ref for item in result.returned if item.ref}
        self.looked_at += check_what_stays_approved(edited, before, self.run, gave_back)
        self._check_places(edited, migration, before, result)
        self._check_untouched(edited, before, result)
        self._check_finished_steps(edited.new)
        self._check_reopened(before, result)

    def _check_approvals_provable(self) -> None:
        """Each approval is there once, and what it sealed follows from the events up to it."""
        given = Counter((a.request, a.by, a.seal) for a in approvals_of(self.run))
        events = [event for event in self.events if isinstance(event, e.StageApproved)]
        assert given == Counter((event.request, event.by, event.seal) for event in events)
        for at, event in enumerate(self.events):
            if isinstance(event, e.StageApproved) and event.is_final:
                assert seal(replay(self.events[: at + 1]), event.ref) == event.seal, "with its own conditions"

    def _check_counters(self, before: Run) -> None:
        """A form that was opened on another state of the step is not taken for a current one."""
        for ref, instance in self.run.stages.items():
            was = before.instance(ref)
            for id, state in instance.steps.items():
                then = was.step(id) if was else state
                assert state.revision >= then.revision
                assert state.revision > then.revision or state.answers == then.answers

    def _check_places(self, edited: Edited, migration: RunMigration, before: Run, result: Outcome) -> None:
        """An answer is at the place that the author gave its question, as chosen; or it is parked."""
        parked = {(p.ref, p.step, p.key): p.why for p in result.parked if p.kind is ParkedKind.ANSWER}
        for ref, instance in before.stages.items():
            for step, state in instance.steps.items():
                for question, mark in state.answers.items():
                    if not mark.is_filled:
                        continue
                    item = migration.by_id.get(f"{ref}/{step}/{question}")
                    choice = result.choices[item.id] if item else Wanted.KEEP
                    if (why := parked.get((ref, step, question))) is not None:
                        assert item is not None or why is ParkedWhy.MERGED
                        assert choice is Wanted.PARK or why is ParkedWhy.MERGED
                        continue
                    (path,) = edited.heirs((ref.stage, step, question))
                    now = self.run.stages[replace(ref, stage=path[0])].step(path[1]).answers[path[2]]
                    assert now == replace(mark, is_proposal=mark.is_proposal or choice is Wanted.AGAIN)

    def _check_untouched(self, edited: Edited, before: Run, result: Outcome) -> None:
        """A stage that the author left alone, with what it refers to, is left alone."""
        if (edited.old.grounds, edited.old.domains) != (edited.new.grounds, edited.new.domains):
            return
        if edited.old.evidence_kinds != edited.new.evidence_kinds:
            return
        gave_back = {item.ref.stage for item in result.returned if item.ref}
        for ref, instance in before.stages.items():
            stage = edited.old.stage(ref.stage)
            there = [path for path, olds in edited.origins.items() if any(old[0] == stage.id for old in olds)]
            here = [olds for path, olds in edited.origins.items() if path[0] == stage.id]
            is_alone = all(path[0] == stage.id for path in there) and all(
                o[0] == stage.id for olds in here for o in olds
            )
            if is_alone and edited.new.stages_by_id.get(stage.id) == stage and ref.stage not in gave_back:
                assert self.run.stages[ref] == instance

    def _check_finished_steps(self, plan: StepPlan) -> None:
        """A step that counts as finished holds what it asks for now."""
        for ref, instance in self.run.stages.items():
            if self.run.latest(ref.stage, ref.domain) is instance:
                for id, state in instance.steps.items():
                    if state.status is StepStatus.COMPLETED and id != CHECKLIST:
                        assert not missing_in_step(plan.stage(ref.stage).step(id), state, ref), (ref, id)

    def _check_reopened(self, before: Run, result: Outcome) -> None:
        """Whose approval no longer covers it is told; nobody's comes into being."""
        for ref, instance in self.run.stages.items():
            assert instance.status is not StageStatus.SUBMITTED
            assert (ref in result.reopened) <= (instance.status is not StageStatus.APPROVED)
        assert _standing(self.run) <= _standing(before)

    # --- what else happens on a moving run ---------------------------------------------------------------------

    def propose_answers(self, ref: StageRef, step: str) -> None:
        """As when a stage begins in a run that follows an earlier one."""
        instance = self.run.instance(ref)
        definition = self.definition(ref, step)
        if instance is None or instance.status is not StageStatus.OPEN:
            return
        if instance.step(definition.id) != StepState():
            return
        given = self.marks(definition, {q.id: an_answer(q) for q in definition.questions})
        proposals = {id: replace(mark, is_proposal=True) for id, mark in given.items()}
        event = e.AnswersProposed(
            ref=ref, step=definition.id, answers=proposals, authors=(MAX,), by=ANNA, at=self.now()
        )
        self._happen(event)
        self.ledger.note(event)
        self._check_seal(event)


def _standing(run: Run) -> int:
    """How many stages have an approval that covers them; earlier rounds are history."""
    latest = [i for ref, i in run.stages.items() if run.latest(ref.stage, ref.domain) is i]
    return sum(instance.passed and not instance.changed_since_approval for instance in latest)


def _work(run: Run, ref: StageRef) -> Manifest:
    """What a seal says of the work itself."""
    return {key: value for key, value in manifest(run, ref).items() if key not in ("format", "points")}


def _bare(run: Run) -> Run:
    """Without the record of moves."""
    return replace(run, revision=0, moves=(), proposal=None)


def _state(run: Run) -> Run:
    """Without what only goes up."""
    stages = {
        ref: replace(instance, steps={id: replace(state, revision=0) for id, state in instance.steps.items()})
        for ref, instance in run.stages.items()
    }
    return _bare(replace(run, stages=MappingProxyType(stages)))


def _not_back(before: Run, current: Run, after: Run) -> set[Given]:
    """What the run held before the move and does not hold after undoing, though nobody took it back since."""
    missing = account(before) - account(after)
    return {given for given in missing if given in account(current)}
