"""Rounds, domains and stages that stay open: what was done before stays readable, and stays as it was."""

from functools import partial

import pytest

from app.engine.errors import Reason
from app.engine.run import StageStatus
from tests.builders import (
    ANNA,
    BRAM,
    MARIAM,
    MAX,
    PLAN,
    RunBuilder,
    a_plan,
    a_run,
    a_stage,
    a_step,
    ref,
)
from tests.engine.refusals import reasons, why_not


@pytest.fixture
def explored() -> RunBuilder:
    return a_run().with_stage_approved("verkennen.1")


@pytest.fixture
def supported(explored: RunBuilder) -> RunBuilder:
    return explored.with_stage_approved("draagvlak.1")


def test_new_round_starts_empty_and_leaves_the_earlier_as_it_was(explored: RunBuilder):
    second = explored.with_stage("verkennen.2", by=BRAM)

    assert second.instance("verkennen.1") == explored.instance("verkennen.1")
    assert second.seal("verkennen.1") == explored.seal("verkennen.1")
    fresh = second.instance("verkennen.2")
    assert (dict(fresh.steps), fresh.contributors, fresh.approvals, fresh.passed) == ({}, (BRAM,), (), False)


def test_work_in_the_new_round_leaves_the_earlier_as_it_was(explored: RunBuilder):
    second = explored.with_stage_approved("verkennen.2", by=BRAM)

    assert second.instance("verkennen.1") == explored.instance("verkennen.1")
    assert second.seal("verkennen.2") != second.seal("verkennen.1")
    assert [instance.ref.round for instance in second.run.rounds("verkennen")] == [1, 2]
    assert second.run.latest("verkennen") == second.instance("verkennen.2")


def test_who_worked_on_the_first_round_may_approve_the_second():
    first = a_run().with_work_done("verkennen.1", by=MARIAM).with_request("verkennen.1", by=MARIAM)
    second = first.with_approval("verkennen.1", by=MAX).with_work_done("verkennen.2", by=ANNA)

    assert second.with_request("verkennen.2").with_approval("verkennen.2", by=MARIAM).instance("verkennen.2").passed


def test_new_round_waits_until_the_earlier_is_decided(explored: RunBuilder):
    busy = explored.with_stage("verkennen.2")
    asked = explored.with_work_done("verkennen.2").with_request("verkennen.2")

    for built in (busy, asked):
        assert reasons(partial(built.with_stage, "verkennen.3")) == (
            Reason("previous_round_open", stage="verkennen.2"),
        )


def test_new_round_waits_until_changes_in_a_continuous_stage_are_approved(supported: RunBuilder):
    changed = supported.with_evidence("draagvlak.1", "agenderen")

    assert why_not(lambda: changed.with_stage("draagvlak.2")) == ["previous_round_open"]
    again = changed.with_request("draagvlak.1").with_approval("draagvlak.1")
    assert again.with_stage("draagvlak.2").instance("draagvlak.2").status is StageStatus.OPEN


def test_stage_with_one_round_gets_no_second():
    built = a_run().with_stage_approved("werkgroep.1")

    assert reasons(lambda: built.with_stage("werkgroep.2")) == (Reason("not_repeatable", stage="werkgroep.2"),)


def test_new_round_asks_again_for_what_the_stage_requires(explored: RunBuilder):
    built = explored.with_stage_approved("visie.1").with_stage_approved("beleid.wonen.1").with_stage("verkennen.2")

    assert reasons(lambda: built.with_stage("beleid.wonen.2")) == (
        Reason("needs_stage_approved", params={"stage_1": "verkennen"}),
    )
    assert built.with_stage_approved("verkennen.2").with_stage("beleid.wonen.2").run.latest("beleid", "wonen")


def test_earlier_round_of_a_continuous_stage_takes_no_more_work(supported: RunBuilder):
    second = supported.with_stage("draagvlak.2")

    for act in (
        lambda: second.with_answers("draagvlak.1", "agenderen", {"moment": "1-3-2027"}),
        lambda: second.with_step_completed("draagvlak.1", "agenderen"),
        lambda: second.with_evidence("draagvlak.1", "agenderen"),
    ):
        assert why_not(act) == ["later_round_exists"]


def test_second_round_can_be_skipped_where_the_stage_is_optional_and_undone():
    plan = a_plan(a_stage("s", a_step("x"), is_optional=True, is_repeatable=True))
    built = a_run(plan).with_stage_approved("s.1").with_skip("s.2")

    assert built.instance("s.1").status is StageStatus.APPROVED
    assert built.with_skip_undone("s.2").run.latest("s") == built.instance("s.1")


def test_round_after_a_skipped_one_can_start_and_then_the_skip_stays():
    plan = a_plan(a_stage("s", a_step("x"), is_optional=True, is_repeatable=True))
    built = a_run(plan).with_skip("s.1").with_stage("s.2")

    assert why_not(lambda: built.with_skip_undone("s.1")) == ["later_round_exists"]


# --- domains ---------------------------------------------------------------------------------------------------


def test_each_domain_has_its_own_instance_with_its_own_rounds(explored: RunBuilder):
    built = explored.with_stage_approved("visie.1").with_stage_approved("beleid.wonen.1").with_stage("beleid.wonen.2")
    werk = built.with_stage("beleid.werk.1")

    assert [str(i.ref) for i in werk.run.rounds("beleid", "wonen")] == ["beleid.wonen.1", "beleid.wonen.2"]
    assert [str(i.ref) for i in werk.run.rounds("beleid", "werk")] == ["beleid.werk.1"]
    assert {str(i.ref) for i in werk.run.instances("beleid")} == {"beleid.wonen.1", "beleid.wonen.2", "beleid.werk.1"}
    assert werk.instance("beleid.wonen.1") == built.instance("beleid.wonen.1")


def test_domain_that_is_added_later_can_start_then(explored: RunBuilder):
    built = explored.with_stage_approved("visie.1")

    assert built.with_domains("wonen", "werk", "jeugd").with_stage("beleid.jeugd.1").run.latest("beleid", "jeugd")


def test_stage_that_asks_for_all_domains_waits_for_each(explored: RunBuilder):
    built = explored.with_decision("bestaand-volstaat", "wonen").with_decision("bestaand-volstaat", "werk")
    one = built.with_decision("raad-akkoord").with_stage_approved("uitvoeren.wonen.1")

    assert reasons(lambda: one.with_stage("verantwoorden.1")) == (
        Reason("needs_stage_approved", params={"stage_1": "uitvoeren"}),
    )
    assert one.with_stage_approved("uitvoeren.werk.1").with_stage("verantwoorden.1").run.latest("verantwoorden")


def test_stage_that_asks_for_a_start_in_any_domain_opens_with_the_first(explored: RunBuilder):
    built = explored.with_decision("bestaand-volstaat", "werk")

    assert why_not(lambda: built.with_stage("monitoren.1")) == ["needs_stage_started"]
    assert built.with_stage("uitvoeren.werk.1").with_stage("monitoren.1").run.latest("monitoren")


# --- a stage that stays open -----------------------------------------------------------------------------------


def test_reopened_stage_keeps_its_approval_and_seals_the_new_content_with_the_next(supported: RunBuilder):
    first = supported.instance("draagvlak.1").approvals[0]
    changed = supported.with_evidence("draagvlak.1", "agenderen", by=BRAM)
    again = changed.with_request("draagvlak.1").with_approval("draagvlak.1")

    approvals = again.instance("draagvlak.1").approvals
    assert approvals[0] == first
    assert approvals[1].seal == changed.seal("draagvlak.1") != first.seal
    assert changed.instance("draagvlak.1").approvals == (first,)


def test_sending_back_changes_to_a_continuous_stage_leaves_the_earlier_approval_in_force(supported: RunBuilder):
    changed = supported.with_evidence("draagvlak.1", "agenderen").with_request("draagvlak.1")
    sent_back = changed.with_sent_back("draagvlak.1", {"agenderen": "?"})

    assert sent_back.instance("draagvlak.1").passed
    assert sent_back.instance("draagvlak.1").approvals == supported.instance("draagvlak.1").approvals


def test_the_whole_plan_can_be_walked_to_its_end(supported: RunBuilder):
    built = supported.with_stage_approved("visie.1").with_skip("werkgroep.1").with_stage_approved("beleid.wonen.1")
    built = built.with_decision("bestaand-volstaat", "werk").with_decision("raad-akkoord")
    for at_ref in ("uitvoeren.wonen.1", "uitvoeren.werk.1", "monitoren.1", "verantwoorden.1"):
        built = built.with_stage_approved(at_ref)

    assert {instance.status for instance in built.run.stages.values()} == {StageStatus.APPROVED, StageStatus.SKIPPED}
    assert {r.stage for r in built.run.stages} == {stage.id for stage in PLAN.stages}
    assert ref("beleid.werk.1") not in built.run.stages
