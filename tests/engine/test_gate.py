"""Asking for approval, approving, sending back, and withdrawing either."""

from functools import partial

import pytest

from app.engine import events as e
from app.engine import stage_decisions
from app.engine.definition import CHECKLIST
from app.engine.errors import Reason, SealBroken
from app.engine.guards import NoSuchPart
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import StageStatus, StepStatus
from tests.builders import (
    ANNA,
    AUDITOR,
    BRAM,
    CHRIS,
    MANAGER,
    MARIAM,
    MAX,
    OFFICER,
    OLGA,
    PLAN,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    RunBuilder,
    a_gate,
    a_plan,
    a_run,
    a_stage,
    a_step,
    an_id,
    ref,
)
from tests.engine.refusals import reasons, why_not

HERE = "verkennen.1"


@pytest.fixture
def ready() -> RunBuilder:
    """Everything done by Anna, approval not asked yet."""
    return a_run().with_work_done(HERE)


@pytest.fixture
def asked(ready: RunBuilder) -> RunBuilder:
    return ready.with_request(HERE)


@pytest.fixture
def vision() -> RunBuilder:
    """A stage whose gate takes two approvals, with approval asked."""
    return a_run().with_stage_approved(HERE).with_work_done("visie.1").with_request("visie.1")


# --- asking ----------------------------------------------------------------------------------------------------


def test_request_seals_what_is_asked_about(ready: RunBuilder):
    built = ready.with_request(HERE, by=BRAM, at=TUESDAY)

    instance = built.instance(HERE)
    assert instance.status is StageStatus.SUBMITTED
    assert instance.request
    assert (instance.request.by, instance.request.at, instance.request.seal) == (BRAM, TUESDAY, ready.seal(HERE))
    assert BRAM in instance.contributors


def test_approval_is_not_asked_while_something_is_missing():
    begun = a_run().with_stage(HERE).with_answers(HERE, "gesprekken", {"verslag": "half"})

    assert reasons(lambda: begun.with_request(HERE)) == (
        Reason("step_open", stage=HERE, step="overzicht"),
        Reason("checklist_open", stage=HERE, step=CHECKLIST, params={"n": 3}),
        Reason("step_open", stage=HERE, step="gesprekken"),
    )


def test_approval_is_asked_by_the_team_and_once(ready: RunBuilder, asked: RunBuilder):
    assert why_not(lambda: ready.with_request(HERE, by=CHRIS)) == ["not_in_team"]
    assert why_not(lambda: asked.with_request(HERE)) == ["already_requested"]
    assert why_not(lambda: asked.with_approval(HERE).with_request(HERE)) == ["nothing_to_request"]
    assert why_not(lambda: a_run().with_request(HERE)) == ["not_started"]
    assert "nothing_to_request" in why_not(lambda: a_run().with_skip("werkgroep.1").with_request("werkgroep.1"))


def test_request_about_something_else_than_was_shown_is_refused(ready: RunBuilder):
    changed = ready.with_evidence(HERE, "overzicht", "foto", by=BRAM)

    with pytest.raises(SealBroken) as refused:
        changed.with_request(HERE, shown=ready.seal(HERE))

    assert (refused.value.stage, refused.value.shown) == (HERE, ready.seal(HERE))
    assert refused.value.current == changed.seal(HERE)


def test_request_can_be_withdrawn_by_the_team(asked: RunBuilder):
    built = asked.with_request_withdrawn(HERE, by=BRAM)

    assert (built.instance(HERE).status, built.instance(HERE).request) == (StageStatus.OPEN, None)
    assert why_not(lambda: asked.with_request_withdrawn(HERE, by=CHRIS)) == ["not_in_team"]
    assert why_not(lambda: asked.with_request_withdrawn(HERE, reason=None)) == ["reason_missing"]
    assert why_not(lambda: built.with_request_withdrawn(HERE)) == ["nothing_requested"]
    assert why_not(lambda: a_run().with_request_withdrawn(HERE)) == ["not_started"]


# --- approving -------------------------------------------------------------------------------------------------


def test_manager_approves_exactly_what_was_shown(asked: RunBuilder):
    instance = asked.with_approval(HERE, by=MARIAM, at=WEDNESDAY).instance(HERE)

    assert (instance.status, instance.passed, instance.request) == (StageStatus.APPROVED, True, None)
    assert instance.decided_at == WEDNESDAY
    (approval,) = instance.approvals
    assert (approval.by, approval.at, approval.seal) == (MARIAM, WEDNESDAY, asked.seal(HERE))
    request = asked.instance(HERE).request
    assert request
    assert approval.request == request.id


def test_a_manager_who_is_not_in_the_team_may_approve(asked: RunBuilder):
    assert asked.with_approval(HERE, by=MAX).instance(HERE).status is StageStatus.APPROVED


def test_manager_cannot_approve_own_work():
    built = a_run().with_work_done(HERE).with_evidence(HERE, "overzicht", "foto", by=MARIAM).with_request(HERE)

    assert reasons(lambda: built.with_approval(HERE, by=MARIAM)) == (Reason("approver_did_the_work", stage=HERE),)
    assert built.with_approval(HERE, by=MAX).instance(HERE).passed


def test_manager_who_asked_for_approval_does_not_give_it(ready: RunBuilder):
    assert why_not(lambda: ready.with_request(HERE, by=MARIAM).with_approval(HERE)) == ["approver_did_the_work"]


def test_work_in_another_stage_or_round_does_not_stand_in_the_way(asked: RunBuilder):
    worked_elsewhere = asked.with_stage("werkgroep.1", by=MARIAM)

    assert worked_elsewhere.with_approval(HERE, by=MARIAM).instance(HERE).passed


@pytest.mark.parametrize("roles", [OFFICER, AUDITOR, frozenset[str]()])
def test_who_is_no_manager_cannot_approve(asked: RunBuilder, roles: frozenset[str]):
    assert why_not(lambda: asked.with_approval(HERE, by=OLGA, roles=roles)) == ["approver_lacks_role"]


def test_every_reason_why_somebody_cannot_approve_is_given(asked: RunBuilder):
    assert why_not(lambda: asked.with_approval(HERE, by=ANNA, roles=OFFICER)) == [
        "approver_lacks_role",
        "approver_did_the_work",
    ]


def test_without_a_request_nothing_is_approved_or_sent_back(ready: RunBuilder, asked: RunBuilder):
    for built in (a_run(), ready, asked.with_request_withdrawn(HERE), asked.with_approval(HERE)):
        assert why_not(partial(built.with_approval, HERE, by=MAX)) == ["nothing_requested"]
        assert why_not(partial(built.with_sent_back, HERE, {"overzicht": "?"}, by=MAX)) == ["nothing_requested"]


def test_approval_of_something_else_than_was_shown_is_refused(asked: RunBuilder):
    changed = asked.with_evidence(HERE, "overzicht", "foto")

    with pytest.raises(SealBroken) as refused:
        changed.with_approval(HERE, shown=asked.seal(HERE))

    assert (refused.value.shown, refused.value.current) == (asked.seal(HERE), changed.seal(HERE))
    assert changed.with_approval(HERE).instance(HERE).approvals[0].seal == changed.seal(HERE)


def test_work_that_goes_on_during_the_request_must_be_finished_before_approval(asked: RunBuilder):
    changed = asked.with_answers(HERE, "overzicht", {"naam": "Anders"})

    assert why_not(lambda: changed.with_approval(HERE)) == ["step_open"]
    assert changed.with_step_completed(HERE, "overzicht").with_approval(HERE).instance(HERE).passed


def test_statement_that_is_emptied_during_the_request_stops_the_approval(asked: RunBuilder):
    changed = asked.with_answers(HERE, CHECKLIST, {"rondkomen": None})

    assert why_not(lambda: changed.with_approval(HERE)) == ["checklist_open"]


# --- several approvals -----------------------------------------------------------------------------------------


def test_stage_is_approved_when_enough_different_people_agree(vision: RunBuilder):
    one = vision.with_approval("visie.1", by=MARIAM)
    two = one.with_approval("visie.1", by=MAX)

    assert (one.instance("visie.1").status, one.instance("visie.1").passed) == (StageStatus.SUBMITTED, False)
    assert [getattr(event, "is_final", None) for event in two.events[-2:]] == [False, True]
    assert (two.instance("visie.1").status, two.instance("visie.1").passed) == (StageStatus.APPROVED, True)
    assert [approval.by for approval in two.instance("visie.1").approvals] == [MARIAM, MAX]


def test_one_person_counts_once(vision: RunBuilder):
    one = vision.with_approval("visie.1", by=MARIAM)

    assert reasons(lambda: one.with_approval("visie.1", by=MARIAM)) == (
        Reason("already_approved_by_you", stage="visie.1"),
    )


def test_approval_of_earlier_content_does_not_count_and_can_be_given_again(vision: RunBuilder):
    changed = vision.with_approval("visie.1", by=MARIAM).with_evidence("visie.1", "opschrijven", "foto")
    other = changed.with_approval("visie.1", by=MAX)

    assert not other.instance("visie.1").passed
    both = other.with_approval("visie.1", by=MARIAM)
    assert both.instance("visie.1").passed
    assert [approval.by for approval in both.instance("visie.1").approvals] == [MARIAM, MAX, MARIAM]


def test_approval_from_an_earlier_request_does_not_count(vision: RunBuilder):
    again = vision.with_approval("visie.1", by=MARIAM).with_request_withdrawn("visie.1").with_request("visie.1")

    assert again.seal("visie.1") == vision.seal("visie.1")
    assert not again.with_approval("visie.1", by=MAX).instance("visie.1").passed


def test_approval_of_who_worked_on_the_stage_afterwards_does_not_count():
    built = (
        a_run()
        .with_stage_approved(HERE)
        .with_work_done("visie.1")
        .with_request("visie.1")
        .with_approval("visie.1", by=MARIAM)
        .with_evidence("visie.1", "toetsen", "foto", id="e", by=MARIAM)
        .with_evidence_withdrawn("visie.1", "toetsen", "e", by=MARIAM)
        .with_step_completed("visie.1", "toetsen", by=MARIAM)
    )

    assert built.seal("visie.1") == built.instance("visie.1").approvals[0].seal
    assert why_not(lambda: built.with_approval("visie.1", by=MARIAM)) == ["approver_did_the_work"]
    assert not built.with_approval("visie.1", by=MAX).instance("visie.1").passed


def test_own_approval_can_be_taken_back_while_others_decide(vision: RunBuilder):
    one = vision.with_approval("visie.1", by=MARIAM)
    back = one.with_approval_withdrawn("visie.1", by=MARIAM)

    assert back.instance("visie.1").status is StageStatus.SUBMITTED
    assert back.instance("visie.1").approvals[0].withdrawn_by == MARIAM
    assert not back.with_approval("visie.1", by=MAX).instance("visie.1").passed
    assert back.with_approval("visie.1", by=MAX).with_approval("visie.1", by=MARIAM).instance("visie.1").passed
    assert why_not(lambda: one.with_approval_withdrawn("visie.1", by=MAX)) == ["not_approved"]
    assert why_not(lambda: one.with_approval_withdrawn("visie.1", by=MARIAM, reason=None)) == ["reason_missing"]


def test_gate_can_name_other_roles_than_manager():
    plan = a_plan(a_stage("s", a_step("x"), gate=a_gate(approvers=("auditor",))))
    asked = a_run(plan).with_work_done("s.1").with_request("s.1")

    assert why_not(lambda: asked.with_approval("s.1")) == ["approver_lacks_role"]
    assert asked.with_approval("s.1", by=OLGA, roles=AUDITOR).instance("s.1").passed


# --- sending back ----------------------------------------------------------------------------------------------


def test_sent_back_steps_carry_their_reason_and_others_stay_done(asked: RunBuilder):
    instance = asked.with_sent_back(HERE, {"overzicht": "waarom?", CHECKLIST: "te snel"}).instance(HERE)

    assert (instance.status, instance.request, instance.decided_at) == (StageStatus.OPEN, None, WEDNESDAY)
    assert (instance.step("overzicht").status, instance.step("overzicht").finding) == (StepStatus.REVISIT, "waarom?")
    assert (instance.step(CHECKLIST).status, instance.step(CHECKLIST).finding) == (StepStatus.REVISIT, "te snel")
    assert instance.step("gesprekken").status is StepStatus.COMPLETED


def test_sending_back_loses_no_answer_and_no_evidence(asked: RunBuilder):
    before, after = asked.instance(HERE), asked.with_sent_back(HERE, {"overzicht": "?"}).instance(HERE)

    for step in before.steps:
        assert after.step(step).answers == before.step(step).answers
        assert after.step(step).evidence == before.step(step).evidence
    assert asked.with_sent_back(HERE, {"overzicht": "?"}).seal(HERE) == asked.seal(HERE)


def test_a_step_that_nobody_had_to_do_can_be_asked_for_by_sending_back():
    minimal = a_run().with_stage(HERE).with_step_done(HERE, "overzicht").with_step_filled(HERE, CHECKLIST)
    sent_back = minimal.with_request(HERE).with_sent_back(HERE, {"gesprekken": "graag ook dit"})

    assert [r.step for r in reasons(lambda: sent_back.with_request(HERE))] == ["gesprekken"]
    assert sent_back.with_step_done(HERE, "gesprekken").with_request(HERE).instance(HERE).request


def test_sending_back_something_else_than_was_shown_is_refused(asked: RunBuilder):
    changed = asked.with_evidence(HERE, "overzicht", "foto")

    with pytest.raises(SealBroken) as refused:
        changed.with_sent_back(HERE, {"overzicht": "?"}, shown=asked.seal(HERE))

    assert (refused.value.shown, refused.value.current) == (asked.seal(HERE), changed.seal(HERE))
    decided = changed.with_sent_back(HERE, {"overzicht": "?"}).instance(HERE).decided
    assert decided
    assert decided.seal == changed.seal(HERE)


def test_sending_back_needs_a_reason_for_at_least_one_step_of_the_stage(asked: RunBuilder):
    assert why_not(lambda: asked.with_sent_back(HERE, {})) == ["finding_missing"]
    with pytest.raises(NoSuchPart):
        asked.with_sent_back(HERE, {"opschrijven": "?"})


def test_who_cannot_approve_cannot_send_back(asked: RunBuilder):
    assert why_not(lambda: asked.with_sent_back(HERE, {"overzicht": "?"}, by=ANNA, roles=OFFICER)) == [
        "approver_lacks_role",
        "approver_did_the_work",
    ]


def test_who_agreed_can_still_send_back_until_the_decision_is_final(vision: RunBuilder):
    one = vision.with_approval("visie.1", by=MARIAM)
    sent_back = one.with_sent_back("visie.1", {"toetsen": "toch niet"}, by=MARIAM)

    assert sent_back.instance("visie.1").status is StageStatus.OPEN
    assert sent_back.instance("visie.1").approvals == one.instance("visie.1").approvals
    again = sent_back.with_step_completed("visie.1", "toetsen").with_request("visie.1")
    assert not again.with_approval("visie.1", by=MAX).instance("visie.1").passed


def test_stage_can_be_sent_back_again_and_again_and_then_approved(asked: RunBuilder):
    built = asked
    for _ in range(3):
        built = built.with_sent_back(HERE, {"overzicht": "nog eens"})
        built = built.with_step_completed(HERE, "overzicht").with_request(HERE)

    assert built.with_approval(HERE).instance(HERE).passed


# --- withdrawing an approval -----------------------------------------------------------------------------------


def test_withdrawn_approval_stays_readable_and_the_stage_is_open_again(asked: RunBuilder):
    approved = asked.with_approval(HERE)
    withdrawn = approved.with_approval_withdrawn(HERE, by=MAX, at=THURSDAY)

    instance = withdrawn.instance(HERE)
    assert (instance.status, instance.passed) == (StageStatus.OPEN, False)
    (approval,) = instance.approvals
    assert (approval.withdrawn_by, approval.by, approval.seal) == (MAX, MARIAM, asked.seal(HERE))
    assert withdrawn.with_request(HERE).with_approval(HERE).instance(HERE).passed


def test_work_after_a_withdrawn_approval_is_ordinary_work(asked: RunBuilder):
    built = asked.with_approval(HERE).with_approval_withdrawn(HERE).with_answers(HERE, "overzicht", {"naam": "Nieuw"})

    assert not built.instance(HERE).changed_since_approval


def test_approval_is_withdrawn_by_who_could_have_given_it_with_a_reason(asked: RunBuilder):
    approved = asked.with_approval(HERE)

    assert why_not(lambda: approved.with_approval_withdrawn(HERE, by=ANNA, roles=OFFICER, reason=None)) == [
        "approver_lacks_role",
        "approver_did_the_work",
        "reason_missing",
    ]


def test_only_an_approved_stage_has_an_approval_to_withdraw(asked: RunBuilder):
    assert why_not(lambda: asked.with_approval_withdrawn(HERE)) == ["not_approved"]
    assert why_not(lambda: a_run().with_approval_withdrawn(HERE)) == ["not_started"]
    withdrawn = asked.with_approval(HERE).with_approval_withdrawn(HERE)
    assert why_not(lambda: withdrawn.with_approval_withdrawn(HERE)) == ["not_approved"]


def test_approval_of_an_earlier_round_cannot_be_withdrawn(asked: RunBuilder):
    second = asked.with_approval(HERE).with_stage("verkennen.2")

    assert why_not(lambda: second.with_approval_withdrawn(HERE)) == ["later_round_exists"]


def test_a_stage_that_does_not_exist_is_not_found_at_any_gate(asked: RunBuilder):
    for decide in (
        asked.with_approval,
        asked.with_approval_withdrawn,
        asked.with_request_withdrawn,
        asked.with_request,
    ):
        with pytest.raises(NoSuchPart):
            decide("onzin.1")
    with pytest.raises(NoSuchPart):
        asked.with_sent_back("onzin.1", {"x": "y"})


def test_request_carries_its_message_and_approval_its_remark(ready: RunBuilder):
    request = stage_decisions.request_approval(
        PLAN, ready.run, ref(HERE), request=an_id("r"), shown=ready.seal(HERE), message="m", by=ANNA, at=TUESDAY
    )
    asked = ready.then(request)
    approval = stage_decisions.approve_stage(
        PLAN,
        asked.run,
        ref(HERE),
        shown=asked.seal(HERE),
        remark="mits",
        by=MARIAM,
        roles=MANAGER,
        at=WEDNESDAY,
        people=ONE_ACCOUNT_EACH,
    )
    approved = asked.then(approval)

    assert getattr(asked.instance(HERE).request, "message", None) == "m"
    assert approved.instance(HERE).approvals[0].remark == "mits"
    assert isinstance(approved.events[-1], e.StageApproved)
