"""Starting and skipping stages."""

import pytest

from app.engine.errors import Reason
from app.engine.guards import NoSuchPart
from app.engine.run import StageStatus
from tests.builders import ANNA, BRAM, CHRIS, MARIAM, TUESDAY, a_plan, a_run, a_stage, a_step, after, ref
from tests.engine.refusals import reasons, why_not


def test_stage_without_requirements_can_start():
    instance = a_run().with_stage("verkennen.1", by=BRAM, at=TUESDAY).instance("verkennen.1")

    assert instance.status is StageStatus.OPEN
    assert (instance.started_by, instance.started_at, instance.contributors) == (BRAM, TUESDAY, (BRAM,))


def test_stage_cannot_start_before_what_it_requires():
    assert reasons(lambda: a_run().with_stage("visie.1")) == (
        Reason("needs_stage_approved", params={"stage_1": "verkennen"}),
    )


def test_stage_cannot_start_twice():
    built = a_run().with_stage("verkennen.1")

    assert reasons(lambda: built.with_stage("verkennen.1")) == (Reason("already_started", stage="verkennen.1"),)


def test_somebody_from_outside_the_team_cannot_start_a_stage_and_hears_everything_at_once():
    assert why_not(lambda: a_run().with_stage("verkennen.1", by=CHRIS)) == ["not_in_team"]
    assert why_not(lambda: a_run().with_stage("visie.1", by=CHRIS)) == ["needs_stage_approved", "not_in_team"]


def test_early_start_takes_a_reason_and_is_recorded_with_what_was_not_finished():
    built = a_run().with_stage_approved("verkennen.1").with_stage_approved("visie.1")

    assert reasons(lambda: built.with_stage("beleid.wonen.1", early_reason=None)) == (
        Reason(
            "early_start_needs_reason",
            stage="beleid.wonen.1",
            params={"stage_1": "draagvlak", "stage_2": "werkgroep"},
        ),
    )
    started = built.with_stage("beleid.wonen.1", early_reason="haast")
    assert started.instance("beleid.wonen.1").early_reason == "haast"
    assert getattr(started.events[-1], "unmet_advice", None) == ("draagvlak", "werkgroep")


def test_reason_for_an_early_start_is_only_asked_when_the_start_is_possible():
    assert why_not(lambda: a_run().with_stage("draagvlak.1", early_reason=None)) == ["needs_stage_approved"]


def test_start_that_follows_the_advice_records_no_reason():
    built = a_run().with_stage_approved("verkennen.1")

    assert built.with_stage("werkgroep.1", early_reason="overbodig").instance("werkgroep.1").early_reason is None


def test_only_an_optional_stage_is_skipped_and_never_without_a_reason():
    assert why_not(lambda: a_run().with_skip("verkennen.1")) == ["not_optional"]
    assert why_not(lambda: a_run().with_skip("verkennen.1", reason=None)) == ["not_optional", "reason_missing"]
    assert why_not(lambda: a_run().with_skip("werkgroep.1", reason=None)) == ["reason_missing"]
    assert why_not(lambda: a_run().with_skip("werkgroep.1", by=CHRIS)) == ["not_in_team"]

    skipped = a_run().with_skip("werkgroep.1", reason="iedereen doet het", at=TUESDAY).instance("werkgroep.1")
    assert (skipped.status, skipped.skip_reason, skipped.decided_at) == (
        StageStatus.SKIPPED,
        "iedereen doet het",
        TUESDAY,
    )
    assert skipped.started_at is None


def test_optional_stage_that_cannot_begin_yet_cannot_be_skipped_yet():
    plan = a_plan(
        a_stage("eerst", a_step("x")), a_stage("mag", a_step("y"), requires=(after("eerst"),), is_optional=True)
    )

    assert why_not(lambda: a_run(plan).with_skip("mag.1")) == ["needs_stage_approved"]


def test_stage_that_was_begun_can_still_be_skipped_and_keeps_its_work():
    built = a_run().with_stage("werkgroep.1").with_answers("werkgroep.1", "samenstellen", {"leden": "Wij"})
    skipped = built.with_skip("werkgroep.1")

    assert skipped.instance("werkgroep.1").steps == built.instance("werkgroep.1").steps
    assert skipped.instance("werkgroep.1").started_by == ANNA


def test_stage_under_approval_approved_or_skipped_cannot_be_skipped():
    asked = a_run().with_work_done("werkgroep.1").with_request("werkgroep.1")

    assert why_not(lambda: asked.with_skip("werkgroep.1")) == ["cannot_skip_now"]
    assert why_not(lambda: asked.with_approval("werkgroep.1").with_skip("werkgroep.1")) == ["cannot_skip_now"]
    assert why_not(lambda: a_run().with_skip("werkgroep.1").with_skip("werkgroep.1")) == ["cannot_skip_now"]


def test_approved_optional_stage_that_stays_open_cannot_be_skipped():
    plan = a_plan(a_stage("s", a_step("x"), is_optional=True, is_continuous=True))
    reopened = a_run(plan).with_stage_approved("s.1").with_evidence("s.1", "x")

    assert reopened.instance("s.1").status is StageStatus.OPEN
    assert why_not(lambda: reopened.with_skip("s.1")) == ["cannot_skip_now"]


def test_undoing_a_skip_makes_a_stage_that_never_began_startable_again():
    undone = a_run().with_skip("werkgroep.1").with_skip_undone("werkgroep.1")

    assert undone.run.instance(ref("werkgroep.1")) is None
    assert undone.with_stage("werkgroep.1").instance("werkgroep.1").status is StageStatus.OPEN


def test_undoing_a_skip_lets_begun_work_go_on():
    begun = a_run().with_stage("werkgroep.1").with_answers("werkgroep.1", "samenstellen", {"leden": "Wij"})
    undone = begun.with_skip("werkgroep.1").with_skip_undone("werkgroep.1").instance("werkgroep.1")

    assert (undone.status, undone.skip_reason) == (StageStatus.OPEN, None)
    assert undone.steps == begun.instance("werkgroep.1").steps


def test_only_a_skip_can_be_undone_by_the_team():
    assert why_not(lambda: a_run().with_skip_undone("werkgroep.1")) == ["not_skipped"]
    assert why_not(lambda: a_run().with_stage("werkgroep.1").with_skip_undone("werkgroep.1")) == ["not_skipped"]
    skipped = a_run().with_skip("werkgroep.1")
    assert why_not(lambda: skipped.with_skip_undone("werkgroep.1", by=CHRIS)) == ["not_in_team"]


@pytest.mark.parametrize("at_ref", ["verkennen.3", "onbekend.1", "beleid.jeugd.1"])
def test_stage_that_does_not_exist_can_neither_start_nor_be_skipped(at_ref: str):
    for act in (a_run().with_stage, a_run().with_skip, a_run().with_skip_undone):
        with pytest.raises(NoSuchPart):
            act(at_ref)


def test_the_manager_of_the_run_may_work_on_it_too():
    assert a_run().with_stage("verkennen.1", by=MARIAM).instance("verkennen.1").contributors == (MARIAM,)
