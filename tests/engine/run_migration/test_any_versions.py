"""Pairs of versions that nobody thought of: the map of parts is the truth, and two moves lead where one does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from app.engine.definition import StepPlan
from app.engine.events import Event
from app.engine.progress import current_refs
from app.engine.run import AnswerMark, Run, StageRef
from app.engine.run_migration.compare import ChangeClass, compare
from app.engine.run_migration.items import plan_run_migration
from app.engine.run_migration.moves import decide_outcome
from app.engine.run_migration.outcome import Outcome
from app.engine.run_migration.part_map import map_parts
from tests.builders import ANNA, MARIAM, PLAN
from tests.engine.plans import plans
from tests.engine.run_migration.account import account
from tests.engine.run_migration.edits import REARRANGING, Edited, edits
from tests.engine.run_migration.moving import version
from tests.engine.run_migration.moving_world import MovingWorld
from tests.engine.run_migration.thorough import examples
from tests.engine.test_machine import beginnings, choices, domains
from tests.engine.world import Choice, World

pairs = plans().flatmap(lambda plan: edits(plan, "2.0.0"))


@examples(120)
@given(edited=pairs)
def test_map_of_parts_is_what_the_author_did(edited: Edited):
    parts = map_parts(edited.old, edited.new)

    assert {new: old for old, new in parts.stages.items()} == {
        path[0]: olds[0][0] for path, olds in edited.origins.items() if len(path) == 1
    }
    assert {(old, new) for old, news in parts.steps.items() for new in news} == {
        (old, path) for path, olds in edited.origins.items() if len(path) == 2 for old in olds
    }
    assert set(parts.questions.items()) == {
        (old, path) for path, olds in edited.origins.items() if len(path) == 3 for old in olds
    }
    assert parts.decisions == edited.decisions


@examples(120)
@given(edited=pairs)
def test_every_part_that_is_new_or_gone_is_told(edited: Edited):
    """At itself, or at the stage or step that it came or went with."""
    changes = compare([edited.old, edited.new]).changes
    told_after = {change.after for change in changes}
    told_before = {path for change in changes for path in (change.before or "").split(", ")}

    for stage in edited.new.stages:
        if (stage.id,) not in edited.origins:
            assert stage.id in told_after
            continue
        for step in stage.all_steps():
            if (stage.id, step.id) not in edited.origins:
                assert f"{stage.id}/{step.id}" in told_after
                continue
            for question in step.questions:
                if (stage.id, step.id, question.id) not in edited.origins:
                    assert f"{stage.id}/{step.id}/{question.id}" in told_after
    kept = {old for olds in edited.origins.values() for old in olds}
    for stage in edited.old.stages:
        for step in stage.all_steps():
            for question in step.questions:
                path = (stage.id, step.id, question.id)
                whole = {"/".join(path[:n]) for n in (1, 2, 3)}
                assert path in kept or whole & told_before


@examples(120)
@given(plan=plans())
def test_plan_under_another_number_differs_in_nothing(plan: StepPlan):
    assert compare([plan, version(plan)]).changes == ()


# --- a run on which all is done --------------------------------------------------------------------------------


@cache
def everything_approved() -> tuple[Event, ...]:
    """On the plan of the builders: every stage, in two domains, and a second round where there can be one."""
    world = World(PLAN, ["wonen", "werk"])
    for _ in PLAN.stages:
        for ref in [ref for ref in current_refs(PLAN, world.run) if world.can_start(ref)]:
            world.do_stage(ref, ANNA)
            world.settle(ref)
        world.decide(0, MARIAM, is_withdrawal=False)
    world.start(StageRef("draagvlak", None, 2), ANNA, with_reason=True)
    return tuple(world.events)


@st.composite
def newer(draw: st.DrawFn) -> Edited:
    return draw(edits(PLAN, "2.0.0"))


@examples(250)
@given(edited=newer(), chosen=st.lists(choices, max_size=30))
def test_no_approval_stands_over_another_meaning_and_undoing_brings_each_back(edited: Edited, chosen: Sequence[Choice]):
    world = MovingWorld.going_on(PLAN, everything_approved())
    before = world.run

    assert world.move(edited, chosen, ANNA)
    world.check()
    assert world.undo()
    world.check()
    assert world.run.parked == ()
    assert [i.approvals for i in world.run.stages.values()] == [before.stages[r].approvals for r in world.run.stages]


# --- one step or two -------------------------------------------------------------------------------------------

chains = plans().flatmap(
    lambda plan: edits(plan, "1.1.0", REARRANGING).flatmap(
        lambda first: st.tuples(st.just(first), edits(first.new, "2.0.0", REARRANGING))
    )
)


@examples(120)
@given(chain=chains, domains=domains, beginning=beginnings)
def test_two_moves_bring_every_answer_where_one_move_does(
    chain: tuple[Edited, Edited], domains: Sequence[str], beginning: Sequence[tuple[Choice, str]]
):
    """What the first move set aside, since its place was not begun, is left out: there the map does not compose."""
    first, second = chain
    world = World(first.old, domains)
    for choice, so_far in beginning:
        world.do_so_far(world.ref(choice, world.can_start), so_far)
    for ref in [*world.run.stages]:
        world.settle(ref)
    if any(instance.request for instance in world.run.stages.values()):
        return

    at_once = outcome(world.run, first.old, first.new, second.new)
    halfway = outcome(world.run, first.old, first.new)
    stepwise = outcome(halfway.run, first.new, second.new)

    assert account(at_once.run) == account(stepwise.run) == account(world.run)
    there, here = places(at_once.run), places(stepwise.run)
    for place in there.keys() & here.keys():
        assert there[place].commitment == here[place].commitment
    set_aside = {item.answer.commitment for item in stepwise.run.parked if item.answer}
    set_aside |= {item.answer.commitment for item in at_once.run.parked if item.answer}
    assert {p: m.commitment for p, m in there.items() if m.commitment not in set_aside} == {
        p: m.commitment for p, m in here.items() if m.commitment not in set_aside
    }
    if not halfway.parked and not stepwise.parked and heaviest(first, second) < ChangeClass.ANSWER_AGAIN:
        assert {r: i.status for r, i in at_once.run.stages.items()} == {
            r: i.status for r, i in stepwise.run.stages.items()
        }


def heaviest(*edited: Edited) -> ChangeClass:
    changes = [change for each in edited for change in compare([each.old, each.new]).changes]
    return max((change.change_class for change in changes), default=ChangeClass.COSMETIC)


def outcome(run: Run, *plans: StepPlan) -> Outcome:
    return decide_outcome(plan_run_migration(run, compare(plans)), {}, {}, move=plans[-1].version)


def places(run: Run) -> dict[tuple[StageRef, str, str], AnswerMark]:
    return {
        (ref, step, question): mark
        for ref, instance in run.stages.items()
        for step, state in instance.steps.items()
        for question, mark in state.answers.items()
        if mark.is_filled
    }
