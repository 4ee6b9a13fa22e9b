"""Where stages stand, and what is advised next."""

from collections.abc import Callable

import pytest

from app.engine.errors import Reason
from app.engine.guards import NoSuchPart
from app.engine.run import StageStatus
from app.engine.standing import NEXT_MAX, NextKind, StageState, next_stages, standing, standings
from tests.builders import (
    MARIAM,
    MAX,
    PLAN,
    RunBuilder,
    a_plan,
    a_question,
    a_run,
    a_stage,
    a_step,
    after,
    ref,
    text,
)
from tests.engine.run_migration.moving import changed, moved

HERE = "verkennen.1"
NEWER = changed(PLAN, "verkennen/overzicht/naam", text=text("Hoe heet het nu?"))


def approved() -> RunBuilder:
    return a_run().with_stage_approved(HERE)


def supported() -> RunBuilder:
    return approved().with_stage_approved("draagvlak.1")


def sent_back(built: RunBuilder, at_ref: str, step: str) -> RunBuilder:
    return built.with_request(at_ref).with_sent_back(at_ref, {step: "?"})


STATES: dict[str, tuple[Callable[[], RunBuilder], str, StageState]] = {
    "nothing stands in the way": (a_run, HERE, StageState.ADVISED),
    "a requirement is not met": (a_run, "visie.1", StageState.WAITING),
    "something is better done first": (a_run, "werkgroep.1", StageState.CAN_START),
    "that was done": (approved, "werkgroep.1", StageState.ADVISED),
    "begun": (lambda: a_run().with_stage(HERE), HERE, StageState.BUSY),
    "ready": (lambda: a_run().with_work_done(HERE), HERE, StageState.BUSY),
    "asked": (lambda: a_run().with_work_done(HERE).with_request(HERE), HERE, StageState.SUBMITTED),
    "request withdrawn": (
        lambda: a_run().with_work_done(HERE).with_request(HERE).with_request_withdrawn(HERE),
        HERE,
        StageState.BUSY,
    ),
    "sent back": (lambda: sent_back(a_run().with_work_done(HERE), HERE, "overzicht"), HERE, StageState.SENT_BACK),
    "moved to a version that asks to look again": (
        lambda: moved(a_run().with_work_done(HERE), NEWER),
        HERE,
        StageState.BUSY,
    ),
    "approved, then moved to a version that asks to look again": (
        lambda: moved(approved(), NEWER),
        HERE,
        StageState.CHANGED,
    ),
    "sent back, then moved to a version that asks to look again": (
        lambda: moved(sent_back(a_run().with_work_done(HERE), HERE, "overzicht"), NEWER),
        HERE,
        StageState.SENT_BACK,
    ),
    "checklist sent back": (
        lambda: sent_back(a_run().with_work_done(HERE), HERE, "checklist"),
        HERE,
        StageState.SENT_BACK,
    ),
    "sent back and taken up": (
        lambda: sent_back(a_run().with_work_done(HERE), HERE, "overzicht").with_answers(
            HERE, "overzicht", {"naam": "x"}
        ),
        HERE,
        StageState.BUSY,
    ),
    "approved": (approved, HERE, StageState.APPROVED),
    "approval withdrawn": (lambda: approved().with_approval_withdrawn(HERE), HERE, StageState.BUSY),
    "worked on after that": (
        lambda: approved().with_approval_withdrawn(HERE).with_evidence(HERE, "overzicht"),
        HERE,
        StageState.BUSY,
    ),
    "skipped": (lambda: a_run().with_skip("werkgroep.1"), "werkgroep.1", StageState.SKIPPED),
    "stays open": (supported, "draagvlak.1", StageState.CONTINUOUS),
    "stays open and changed": (
        lambda: supported().with_evidence("draagvlak.1", "agenderen"),
        "draagvlak.1",
        StageState.CHANGED,
    ),
    "changed and asked": (
        lambda: supported().with_evidence("draagvlak.1", "agenderen").with_request("draagvlak.1"),
        "draagvlak.1",
        StageState.SUBMITTED,
    ),
    "changed and sent back": (
        lambda: sent_back(supported().with_evidence("draagvlak.1", "agenderen"), "draagvlak.1", "agenderen"),
        "draagvlak.1",
        StageState.SENT_BACK,
    ),
    "changed and approved": (
        lambda: (
            supported()
            .with_evidence("draagvlak.1", "agenderen")
            .with_request("draagvlak.1")
            .with_approval("draagvlak.1")
        ),
        "draagvlak.1",
        StageState.CONTINUOUS,
    ),
    "one of two approved, then sent back": (
        lambda: (
            approved()
            .with_work_done("visie.1")
            .with_request("visie.1")
            .with_approval("visie.1")
            .with_evidence("visie.1", "toetsen")
            .with_sent_back("visie.1", {"toetsen": "?"})
        ),
        "visie.1",
        StageState.SENT_BACK,
    ),
}


@pytest.mark.parametrize(("build", "at_ref", "state"), STATES.values(), ids=STATES)
def test_stage_is_in_the_state_that_people_would_say(build: Callable[[], RunBuilder], at_ref: str, state: StageState):
    assert standing(PLAN, build().run, ref(at_ref)).state is state


def test_every_state_is_tried_here():
    assert {state for _, _, state in STATES.values()} == set(StageState)


def test_stage_that_stays_open_and_was_reopened_without_a_change_is_as_it_was():
    plan = a_plan(a_stage("s", a_step("x"), a_step("mag", is_required=False), is_continuous=True))
    approved = a_run(plan).with_stage("s.1").with_step_completed("s.1", "x").with_request("s.1").with_approval("s.1")
    reopened = approved.with_step_completed("s.1", "mag")

    assert reopened.instance("s.1").status is StageStatus.OPEN
    assert standing(plan, reopened.run, ref("s.1")).state is StageState.CONTINUOUS


def test_waiting_stage_says_for_what_and_what_is_better_done_first():
    where = standing(PLAN, a_run().run, ref("draagvlak.1"))

    assert where.waits_for == (Reason("needs_stage_approved", params={"stage_1": "verkennen"}),)
    assert where.better_after == ("visie",)


def test_stage_that_can_start_says_what_is_better_done_first():
    where = standing(PLAN, approved().with_stage_approved("visie.1").run, ref("beleid.wonen.1"))

    assert (where.waits_for, where.better_after) == ((), ("draagvlak", "werkgroep"))


def test_begun_stage_waits_for_nothing():
    where = standing(PLAN, a_run().with_stage("werkgroep.1").run, ref("werkgroep.1"))

    assert (where.waits_for, where.better_after, where.can_start_round) == ((), (), None)


def test_new_round_is_offered_where_it_could_start():
    second = approved().with_stage("verkennen.2")
    third = second.with_work_done("verkennen.2").with_request("verkennen.2").with_approval("verkennen.2")

    assert standing(PLAN, third.run, ref("verkennen.1")).can_start_round is None
    assert standing(PLAN, third.run, ref("verkennen.2")).can_start_round == 3
    assert standing(PLAN, approved().run, ref(HERE)).can_start_round == 2
    assert standing(PLAN, a_run().with_stage(HERE).run, ref(HERE)).can_start_round is None
    assert standing(PLAN, second.run, ref("verkennen.1")).can_start_round is None
    assert standing(PLAN, second.run, ref("verkennen.2")).can_start_round is None
    assert standing(PLAN, a_run().with_stage_approved("werkgroep.1").run, ref("werkgroep.1")).can_start_round is None


def test_new_round_is_not_offered_while_its_requirements_are_open_again():
    built = approved().with_stage_approved("visie.1").with_stage_approved("beleid.wonen.1")

    assert standing(PLAN, built.run, ref("beleid.wonen.1")).can_start_round == 2
    assert standing(PLAN, built.with_stage("verkennen.2").run, ref("beleid.wonen.1")).can_start_round is None


def test_standing_of_a_stage_that_cannot_be_is_not_found():
    with pytest.raises(NoSuchPart):
        standing(PLAN, a_run().run, ref("beleid.jeugd.1"))


def test_standings_cover_every_stage_and_domain_once():
    assert len(standings(PLAN, a_run().run)) == 6 + 2 * 2
    assert len(standings(PLAN, a_run(domains=("wonen",)).run)) == 6 + 2


# --- advice ----------------------------------------------------------------------------------------------------


def advice(built: RunBuilder) -> list[tuple[str, NextKind]]:
    return [(str(each.ref), each.kind) for each in next_stages(built.plan, built.run)]


def test_at_first_the_stage_that_everything_waits_for_is_advised():
    assert advice(a_run()) == [(HERE, NextKind.START)]


def test_what_was_begun_comes_before_what_could_begin():
    assert advice(approved().with_stage("werkgroep.1")) == [
        ("werkgroep.1", NextKind.CONTINUE),
        ("visie.1", NextKind.START),
    ]


def test_optional_stage_comes_after_the_others_of_its_kind():
    built = approved().with_stage_approved("visie.1")

    assert advice(built) == [("draagvlak.1", NextKind.START), ("werkgroep.1", NextKind.START)]
    plan = a_plan(a_stage("mag", a_step("x"), is_optional=True), a_stage("moet", a_step("x")))
    assert advice(a_run(plan)) == [("moet.1", NextKind.START), ("mag.1", NextKind.START)]


def test_stage_is_ready_for_approval_only_when_its_gate_asks_nothing_more():
    ready = a_run().with_work_done(HERE)
    half = a_run().with_stage(HERE).with_step_done(HERE, "overzicht").with_step_filled(HERE, "checklist")

    assert advice(ready)[0] == (HERE, NextKind.READY_FOR_APPROVAL)
    assert advice(half)[0] == (HERE, NextKind.READY_FOR_APPROVAL)
    begun = half.with_answers(HERE, "gesprekken", {"verslag": "half"})
    assert standing(PLAN, begun.run, ref(HERE)).progress.percent == 100
    assert advice(begun)[0] == (HERE, NextKind.CONTINUE)


def test_gate_that_asks_for_optional_steps_is_not_ready_without_them():
    built = approved().with_stage_approved("visie.1").with_stage("beleid.wonen.1")
    built = built.with_step_done("beleid.wonen.1", "schrijven").with_step_filled("beleid.wonen.1", "checklist")

    assert advice(built)[0] == ("beleid.wonen.1", NextKind.CONTINUE)
    assert advice(built.with_step_done("beleid.wonen.1", "voorleggen"))[0] == (
        "beleid.wonen.1",
        NextKind.READY_FOR_APPROVAL,
    )


def test_most_pressing_comes_first():
    built = sent_back(approved().with_work_done("visie.1"), "visie.1", "toetsen")
    built = built.with_stage_approved("draagvlak.1").with_evidence("draagvlak.1", "agenderen")

    assert advice(built) == [
        ("visie.1", NextKind.SENT_BACK),
        ("draagvlak.1", NextKind.CHANGED),
        ("werkgroep.1", NextKind.START),
    ]


def test_going_against_the_advice_is_proposed_only_when_nothing_else_is_left_to_do():
    waiting = a_run().with_work_done(HERE).with_request(HERE)

    assert advice(waiting) == [("werkgroep.1", NextKind.START_EARLY), (HERE, NextKind.WAIT_FOR_APPROVAL)]
    (early, _) = next_stages(PLAN, waiting.run)
    assert early.better_after == ("verkennen",)


def test_waiting_for_a_manager_comes_last():
    built = approved().with_work_done("visie.1").with_request("visie.1")

    assert advice(built) == [("werkgroep.1", NextKind.START), ("visie.1", NextKind.WAIT_FOR_APPROVAL)]


def test_advice_stays_short():
    stages = [a_stage(f"s{n}", a_step("x", a_question("q", is_required=True))) for n in range(5)]

    assert len(advice(a_run(a_plan(*stages)))) == NEXT_MAX


def test_no_advice_when_all_is_done_or_blocked():
    plan = a_plan(
        a_stage("s", a_step("x"), is_continuous=True),
        a_stage("mag", a_step("x"), is_optional=True),
        a_stage("t", a_step("x"), requires=(after("s"),)),
    )
    done = a_run(plan).with_stage_approved("s.1").with_skip("mag.1").with_stage_approved("t.1")

    assert {instance.status for instance in done.run.stages.values()} == {StageStatus.APPROVED, StageStatus.SKIPPED}
    assert advice(done) == []


def test_following_the_advice_leads_through_the_plan():
    """Two decisions are left to people: what the council thinks, and that existing policy suffices."""
    built = a_run()
    while advised := next_stages(PLAN, built.run):
        at, kind = str(advised[0].ref), advised[0].kind
        match kind:
            case NextKind.START | NextKind.START_EARLY:
                built = built.with_work_done(at)
            case NextKind.READY_FOR_APPROVAL:
                built = built.with_request(at)
            case NextKind.WAIT_FOR_APPROVAL:
                agreed = len(built.instance(at).approvals)
                built = built.with_approval(at, by=(MARIAM, MAX)[agreed])
            case _:
                raise AssertionError(f"nobody sent back or changed {at}")

    assert {where.state for where in standings(PLAN, built.run)} == {
        StageState.APPROVED,
        StageState.CONTINUOUS,
        StageState.WAITING,
    }
    assert [str(w.ref) for w in standings(PLAN, built.run) if w.state is StageState.WAITING] == ["verantwoorden.1"]
    assert next_stages(PLAN, built.with_decision("raad-akkoord").run)[0].ref == ref("verantwoorden.1")
