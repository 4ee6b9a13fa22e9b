"""Random people do random things to a run, thousands of times; after each, everything that must hold is checked."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.engine import guards
from app.engine.definition import StepPlan
from app.engine.progress import run_progress
from app.engine.run import EvidenceForm, StageRef, StageStatus, UserId
from app.engine.standing import NextKind, StageState, next_stages, standings
from tests.builders import ANNA, BRAM, CHRIS, MARIAM, MAX, PLAN
from tests.engine.plans import plans
from tests.engine.world import Choice, World

SOMETHING_ELSE = "the seal of what was there before"

choices = st.integers(0, 999)
mostly = st.sampled_from([True, True, True, False])
seldom = st.sampled_from([False, False, False, True])
so_far = st.sampled_from(["started", "filled", "asked", "approved", "approved", "approved", "approved"])
teams = st.sampled_from([[ANNA, BRAM], [ANNA, BRAM, CHRIS], [BRAM], [CHRIS, MAX], []])
beginnings = st.lists(st.tuples(choices, so_far), max_size=8)
domains = st.sampled_from([["wonen"], ["wonen", "werk"], ["werk", "jeugd", "wonen"]])


class Commands(RuleBasedStateMachine):
    """Every rule is a command that anybody may give at any moment. Mostly it is a command that could succeed."""

    world: World

    def begin(self, plan: StepPlan, domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]) -> None:
        """A run on which some work was done and approved already, so that its later stages get their turn."""
        self.world = World(plan, domains)
        for choice, so_far in beginning:
            self.world.do_so_far(self.world.ref(choice, self.world.can_start), so_far)

    @rule(ref=choices, by=choices, with_reason=mostly)
    def start_stage(self, ref: Choice, by: Choice, with_reason: bool) -> None:
        self.world.start(self.world.ref(ref, self.world.can_start), self.world.worker(by), with_reason)

    @rule(ref=choices, by=choices, with_reason=mostly)
    def skip_stage(self, ref: Choice, by: Choice, with_reason: bool) -> None:
        at = self.world.ref(ref, lambda ref: self.world.plan.stage(ref.stage).is_optional)
        self.world.skip(at, self.world.worker(by), with_reason)

    @rule(ref=choices, by=choices)
    def undo_skip(self, ref: Choice, by: Choice) -> None:
        self.world.undo_skip(self.world.ref(ref, self.world.is_in(StageStatus.SKIPPED)), self.world.worker(by))

    @rule(ref=choices, step=choices, answers=st.lists(choices, max_size=4), by=choices, is_stale=seldom)
    def save_step(self, ref: Choice, step: Choice, answers: Sequence[Choice], by: Choice, is_stale: bool) -> None:
        at = self.world.ref(ref, self.world.is_workable)
        self.world.save_some(at, self.world.step(at, step), answers, self.world.worker(by), is_stale)

    @rule(ref=choices, step=choices, by=choices)
    def complete_step(self, ref: Choice, step: Choice, by: Choice) -> None:
        at = self.world.ref(ref, self.world.is_workable)
        self.world.complete(at, self.world.step(at, step), self.world.worker(by))

    @rule(
        ref=choices,
        step=choices,
        kind=st.sampled_from(["verslag", "besluit", "foto", "hologram"]),
        form=st.sampled_from(EvidenceForm),
        by=choices,
    )
    def add_evidence(self, ref: Choice, step: Choice, kind: str, form: EvidenceForm, by: Choice) -> None:
        at = self.world.ref(ref, self.world.is_workable)
        self.world.add_evidence(at, self.world.step(at, step), kind, form, self.world.worker(by))

    @rule(evidence=choices, by=choices, with_reason=mostly)
    def withdraw_evidence(self, evidence: Choice, by: Choice, with_reason: bool) -> None:
        self.world.withdraw_evidence(evidence, self.world.worker(by), with_reason)

    @rule(ref=choices, by=choices, is_stale=seldom)
    def request_approval(self, ref: Choice, by: Choice, is_stale: bool) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.OPEN))
        self.world.request(at, self.world.worker(by), SOMETHING_ELSE if is_stale else None)

    @rule(ref=choices, by=choices)
    def withdraw_request(self, ref: Choice, by: Choice) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.SUBMITTED))
        self.world.withdraw_request(at, self.world.worker(by))

    @rule(ref=choices, by=choices, is_stale=seldom, conditions=st.lists(choices, max_size=2))
    def approve_stage(self, ref: Choice, by: Choice, is_stale: bool, conditions: Sequence[Choice]) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.SUBMITTED))
        self.world.approve(at, self.world.approver(at, by), SOMETHING_ELSE if is_stale else None, conditions)

    @rule(ref=choices, steps=st.lists(choices, min_size=1, max_size=3), by=choices, is_stale=seldom)
    def send_back(self, ref: Choice, steps: Sequence[Choice], by: Choice, is_stale: bool) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.SUBMITTED))
        to = [self.world.step(at, step) for step in steps]
        self.world.send_back(at, to, self.world.approver(at, by), SOMETHING_ELSE if is_stale else None)

    @rule(point=choices, by=choices)
    def report_point(self, point: Choice, by: Choice) -> None:
        self.world.report_point(self.world.point(point, "open"), by)

    @rule(point=choices, by=choices, is_done=st.booleans())
    def judge_point(self, point: Choice, by: Choice, is_done: bool) -> None:
        at = self.world.point(point, "reported")
        self.world.judge_point(at, self.world.approver(at[0], by), is_done)

    @rule(point=choices, owner=choices, days=st.integers(-1, 9), by=choices)
    def change_point(self, point: Choice, owner: Choice, days: int, by: Choice) -> None:
        at = self.world.point(point, "open")
        self.world.change_point(at, self.world.worker(owner), days, self.world.approver(at[0], by))

    @rule(ref=choices, by=choices, with_reason=mostly)
    def reopen(self, ref: Choice, by: Choice, with_reason: bool) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.APPROVED))
        self.world.reopen(at, self.world.worker(by), with_reason)

    @rule(ref=choices, by=choices)
    def withdraw_approval(self, ref: Choice, by: Choice) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.APPROVED, StageStatus.SUBMITTED))
        self.world.withdraw_approval(at, self.world.approver(at, by))

    @rule(ref=choices, by=choices, is_taken_back=seldom)
    def recuse(self, ref: Choice, by: Choice, is_taken_back: bool) -> None:
        at = self.world.ref(ref, self.world.is_in(StageStatus.OPEN, StageStatus.SUBMITTED))
        if is_taken_back:
            self.world.take_recusal_back(at, self.world.approver(at, by))
        else:
            self.world.recuse(at, self.world.approver(at, by))

    @rule(decision=choices, by=choices, is_withdrawal=seldom)
    def take_or_withdraw_decision(self, decision: Choice, by: Choice, is_withdrawal: bool) -> None:
        self.world.decide(decision, self.world.approver(StageRef("besluiten"), by), is_withdrawal)

    @rule(team=teams, manager=st.sampled_from([MARIAM, MARIAM, MAX]))
    def change_team(self, team: Sequence[UserId], manager: UserId) -> None:
        self.world.change_team(team, manager)

    @rule(domains=domains | st.sampled_from([["jeugd"], [], ["wonen", "werk", "ruimtevaart"]]))
    def change_domains(self, domains: Sequence[str]) -> None:
        self.world.change_domains(domains)

    @rule(ref=choices, step=choices, by=choices)
    def do_step(self, ref: Choice, step: Choice, by: Choice) -> None:
        at = self.world.ref(ref, self.world.is_workable)
        self.world.do_step(at, self.world.step(at, step), self.world.worker(by))

    @rule(ref=choices, by=choices)
    def do_stage(self, ref: Choice, by: Choice) -> None:
        at = self.world.ref(ref, lambda ref: self.world.can_start(ref) or self.world.is_workable(ref))
        self.world.do_stage(at, self.world.worker(by))

    @rule(ref=choices)
    def settle(self, ref: Choice) -> None:
        self.world.settle(self.world.ref(ref, self.world.is_in(StageStatus.SUBMITTED)))

    @invariant()
    def all_that_must_hold_holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()


class FullPlan(Commands):
    """The plan of the builders, which asks for everything that a plan can ask."""

    @initialize(domains=domains, beginning=beginnings)
    def begin_run(self, domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]) -> None:
        self.begin(PLAN, domains, beginning)


class AnyPlan(Commands):
    """A plan that nobody thought of, so that nothing works for the one plan only."""

    @initialize(plan=plans(), domains=domains, beginning=beginnings)
    def begin_run(self, plan: StepPlan, domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]) -> None:
        self.begin(plan, domains, beginning)


TestFullPlan = FullPlan.TestCase
TestFullPlan.settings = settings(
    max_examples=500, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyPlan = AnyPlan.TestCase
TestAnyPlan.settings = settings(
    max_examples=150, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@given(plan=plans(), domains=domains)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_following_the_advice_leads_through_any_plan(plan: StepPlan, domains: Sequence[str]):
    world = World(plan, domains)
    for _ in range(100):
        for choice in range(len(plan.decisions) * len(domains)):
            world.decide(choice * 10, MARIAM, is_withdrawal=False)
        advised = next_stages(plan, world.run)
        if not advised:
            break
        ref, kind = advised[0].ref, advised[0].kind
        if kind is NextKind.WAIT_FOR_APPROVAL:
            assert world.settle(ref)
        else:
            assert kind in (NextKind.START, NextKind.START_EARLY)
            assert world.do_stage(ref, ANNA)
        world.check()

    left = [
        where for where in standings(plan, world.run) if where.state not in (StageState.APPROVED, StageState.CONTINUOUS)
    ]
    assert next_stages(plan, world.run) == []
    assert all(guards.is_passed_by(plan, world.run, where.ref) for where in left)
    assert left or run_progress(plan, world.run).percent == 100
