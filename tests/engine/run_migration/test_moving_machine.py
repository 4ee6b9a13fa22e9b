"""Random people work on a run while it moves to versions that random authors made, and back."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from app.engine.definition import StepPlan
from app.engine.run import StageStatus
from tests.builders import PLAN
from tests.engine.plans import plans
from tests.engine.run_migration.edits import REARRANGING, Edited, edits
from tests.engine.run_migration.moving_world import MovingWorld
from tests.engine.run_migration.thorough import looking
from tests.engine.test_machine import Commands, beginnings, choices, domains
from tests.engine.world import Choice


class Moving(Commands):
    world: MovingWorld
    moves = 0

    def begin(self, plan: StepPlan, domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]) -> None:
        self.world = MovingWorld(plan, domains)
        for choice, so_far in beginning:
            self.world.do_so_far(self.world.ref(choice, self.world.can_start), so_far)

    @rule(data=st.data(), chosen=st.lists(choices, max_size=20), by=choices)
    def move(self, data: st.DataObject, chosen: Sequence[Choice], by: Choice) -> None:
        self.move_to(data.draw(edits(self.world.plan, self.next_number())), chosen, by)

    def next_number(self) -> str:
        self.moves += 1
        return f"{self.moves + 1}.0.0"

    def move_to(self, edited: Edited, chosen: Sequence[Choice], by: Choice) -> None:
        waiting = [ref for ref, instance in self.world.run.stages.items() if instance.request]
        for ref in waiting if by % 4 else []:  # mostly nobody waits for an approval when a run moves
            self.world.settle(ref)
            self.world.withdraw_request(ref, self.world.worker(0))
        self.world.move(edited, chosen, self.world.worker(by - by % 10))

    @rule(data=st.data())
    def move_as_proposed(self, data: st.DataObject) -> None:
        self.move_to(data.draw(edits(self.world.plan, self.next_number())), [], 10)

    @rule(data=st.data())
    def rearrange(self, data: st.DataObject) -> None:
        self.move_to(data.draw(edits(self.world.plan, self.next_number(), REARRANGING)), [], 10)

    @rule(data=st.data(), chosen=st.lists(choices, max_size=20))
    def move_and_back(self, data: st.DataObject, chosen: Sequence[Choice]) -> None:
        self.move_to(data.draw(edits(self.world.plan, self.next_number())), chosen, 11)
        self.world.undo()

    @rule()
    def undo(self) -> None:
        self.world.undo()

    @rule(ref=choices, step=choices)
    def propose_answers(self, ref: Choice, step: Choice) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.OPEN))
        self.world.propose_answers(at, self.world.step(at, step))


class FullPlan(Moving):
    @initialize(domains=domains, beginning=beginnings)
    def begin_run(self, domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]) -> None:
        self.begin(PLAN, domains, beginning)


class AnyPlan(Moving):
    @initialize(plan=plans(), domains=domains, beginning=beginnings)
    def begin_run(self, plan: StepPlan, domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]) -> None:
        self.begin(plan, domains, beginning)


TestFullPlan = FullPlan.TestCase
TestFullPlan.settings = looking(150, steps=15)
TestAnyPlan = AnyPlan.TestCase
TestAnyPlan.settings = looking(150, steps=15)
