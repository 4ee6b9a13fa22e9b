"""Who may not decide, in every way in which somebody can have had a hand in what is decided on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from app.engine import events as e
from app.engine.apply import replay
from app.engine.people import Mandate, People
from app.engine.points import PointState
from app.engine.run import StageStatus
from app.storage import codec
from tests.builders import (
    ANNA,
    BRAM,
    CHRIS,
    FRIDAY,
    MANAGER,
    MARIAM,
    MAX,
    MONDAY,
    NORA,
    OFFICER,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    RunBuilder,
    a_condition,
    a_gate,
    a_plan,
    a_run,
    a_stage,
    a_step,
    ref,
)
from tests.engine.refusals import why_not

HERE = "verkennen.1"
TWO_ACCOUNTS = People({BRAM: "bram", MAX: "bram"})
AWAY = Mandate("m", MARIAM, NORA, TUESDAY, FRIDAY, MANAGER)

DONE = a_run().with_work_done(HERE)
ASKED = DONE.with_request(HERE)
TWICE = a_run(a_plan(a_stage("een", a_step("stap"), gate=a_gate(approvals=2))), domains=())
BY_TWO = TWICE.with_work_done("een.1").with_request("een.1")

WAYS: dict[str, Callable[[RunBuilder], RunBuilder]] = {
    "began": lambda run: run.with_stage(HERE, by=BRAM).with_work_done(HERE).with_request(HERE),
    "answered": lambda run: run.with_stage(HERE).with_step_filled(HERE, "overzicht", by=BRAM).with_work_done(HERE),
    "uploaded": lambda run: run.with_work_done(HERE).with_evidence(HERE, "overzicht", "foto", by=BRAM),
    "edited last": lambda run: run.with_work_done(HERE).with_step_filled(HERE, "overzicht", by=BRAM),
    "withdrew evidence": lambda run: (
        run.with_work_done(HERE)
        .with_evidence(HERE, "overzicht", "foto", id="e")
        .with_evidence_withdrawn(HERE, "overzicht", "e", by=BRAM)
    ),
    "completed": lambda run: run.with_work_done(HERE).with_step_done(HERE, "overzicht", by=BRAM),
    "asked": lambda run: run.with_work_done(HERE).with_request(HERE, by=BRAM),
    "took the request back": lambda run: (
        run.with_work_done(HERE).with_request(HERE).with_request_withdrawn(HERE, by=BRAM)
    ),
    "answered before it was sent back": lambda run: (
        run.with_stage(HERE)
        .with_step_filled(HERE, "overzicht", by=BRAM)
        .with_work_done(HERE)
        .with_request(HERE)
        .with_sent_back(HERE, {"overzicht": "f"})
    ),
}


def asked_after(way: str) -> RunBuilder:
    built = WAYS[way](a_run())
    if built.instance(HERE).status is StageStatus.SUBMITTED:
        return built
    return built.with_work_done(HERE).with_request(HERE)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("by", "people"), [(BRAM, People()), (MAX, TWO_ACCOUNTS)], ids=["a manager now", "account 2"])
def test_who_had_a_hand_in_it_does_not_decide_whatever_role_or_account(way: str, by: str, people: People):
    asked = asked_after(way)
    approved = asked.with_approval(HERE, by=MARIAM)

    refused = ["approver_did_the_work"]
    assert why_not(lambda: asked.with_approval(HERE, by=by, people=people)) == refused
    assert why_not(lambda: asked.with_sent_back(HERE, {"overzicht": "f"}, by=by, people=people)) == refused
    assert why_not(lambda: approved.with_approval_withdrawn(HERE, by=by, people=people)) == refused
    assert asked.with_approval(HERE, by=MAX).instance(HERE).passed


def test_two_accounts_that_nobody_connected_are_two_people():
    assert asked_after("answered").with_approval(HERE, by=MAX).instance(HERE).passed


def test_a_decision_outside_the_stages_is_not_taken_by_who_made_what_it_rests_on():
    approved = a_run().with_stage_approved(HERE, by=BRAM)

    def take(by: str, people: People) -> RunBuilder:
        return approved.with_decision("bestaand-volstaat", "wonen", by=by, people=people)

    assert why_not(lambda: take(BRAM, People())) == ["approver_did_the_work"]
    assert why_not(lambda: take(MAX, TWO_ACCOUNTS)) == ["approver_did_the_work"]
    taken = take(MAX, People())
    assert why_not(lambda: taken.with_decision_withdrawn("bestaand-volstaat", "wonen", by=BRAM)) == [
        "approver_did_the_work"
    ]
    assert taken.with_decision_withdrawn("bestaand-volstaat", "wonen", by=MARIAM).run.decisions == ()


def test_a_decision_outside_the_stages_is_not_taken_by_who_takes_no_part_in_what_it_rests_on():
    recused = a_run().with_stage(HERE).with_recusal(HERE, by=MARIAM).with_work_done(HERE).with_request(HERE)
    approved = recused.with_approval(HERE, by=MAX)

    def take(by: str, people: People) -> RunBuilder:
        return approved.with_decision("bestaand-volstaat", "wonen", by=by, people=people)

    assert why_not(lambda: take(MARIAM, People())) == ["approver_recused"]
    assert why_not(lambda: take(BRAM, People({BRAM: "mariam", MARIAM: "mariam"}))) == ["approver_recused"]
    taken = take(MAX, People())
    assert why_not(lambda: taken.with_decision_withdrawn("bestaand-volstaat", "wonen", by=MARIAM)) == [
        "approver_recused"
    ]


def test_what_came_along_from_an_earlier_run_was_written_by_somebody():
    built = a_run().with_stage(HERE, by=ANNA)
    proposed = e.AnswersProposed(ref=ref(HERE), step="overzicht", answers={}, authors=(MAX, ANNA), by=ANNA, at=MONDAY)

    asked = built.then(proposed).with_work_done(HERE).with_request(HERE)

    assert asked.instance(HERE).contributors == (ANNA, MAX)
    assert why_not(lambda: asked.with_approval(HERE, by=MAX)) == ["approver_did_the_work"]


# --- a quorum --------------------------------------------------------------------------------------------------


def test_one_person_with_two_accounts_counts_once():
    once = BY_TWO.with_approval("een.1", by=MAX)
    other = People({MAX: "max", CHRIS: "max"})

    assert why_not(lambda: once.with_approval("een.1", by=CHRIS, people=other)) == ["already_approved_by_you"]
    assert once.with_approval("een.1", by=MARIAM, people=other).instance("een.1").passed


def test_approvals_from_before_two_accounts_were_connected_count_as_one():
    once = BY_TWO.with_approval("een.1", by=MAX)
    as_one = People({MAX: "anna", ANNA: "anna"})

    assert not once.with_approval("een.1", by=MARIAM, people=as_one).instance("een.1").passed


def test_a_deputy_and_the_absent_manager_count_as_one():
    by_deputy = BY_TWO.with_approval("een.1", by=NORA, roles=OFFICER, mandate=AWAY)
    by_both = BY_TWO.with_approval("een.1", by=MARIAM)
    for_max = replace(AWAY, id="x", mandator=MARIAM, deputy=MAX)

    assert why_not(lambda: by_deputy.with_approval("een.1", by=MARIAM)) == ["already_approved_for_you"]
    assert why_not(lambda: by_deputy.with_approval("een.1", by=MAX, mandate=for_max)) == [
        "already_approved_in_that_name"
    ]
    assert why_not(lambda: by_both.with_approval("een.1", by=NORA, roles=OFFICER, mandate=AWAY)) == [
        "already_approved_in_that_name"
    ]
    assert by_deputy.with_approval("een.1", by=MAX).instance("een.1").passed


# --- a mandate -------------------------------------------------------------------------------------------------


def in_the_name_of_mariam(built: RunBuilder, mandate: Mandate = AWAY, by: str = NORA) -> RunBuilder:
    return built.with_approval(HERE, by=by, roles=OFFICER, mandate=mandate)


def test_a_deputy_decides_in_the_name_of_who_is_absent():
    built = in_the_name_of_mariam(ASKED)

    (approval,) = built.instance(HERE).approvals
    assert (approval.by, approval.on_behalf_of, approval.mandate) == (NORA, MARIAM, "m")
    decided = built.instance(HERE).decided
    assert decided
    assert (decided.by, decided.on_behalf_of, decided.mandate) == (NORA, MARIAM, "m")
    assert replay(built.events) == built.run


def test_without_mandate_the_deputy_is_nobody():
    assert why_not(lambda: ASKED.with_approval(HERE, by=NORA, roles=OFFICER)) == ["approver_lacks_role"]


@pytest.mark.parametrize(
    ("mandate", "by", "reasons"),
    [
        (replace(AWAY, mandator=MAX), NORA, ["mandate_not_for_this"]),
        (AWAY, CHRIS, ["mandate_not_for_this"]),
        (replace(AWAY, begins_at=THURSDAY), NORA, ["mandate_not_in_force"]),
        (replace(AWAY, ends_at=WEDNESDAY), NORA, ["mandate_not_in_force"]),
        (replace(AWAY, withdrawn_at=WEDNESDAY), NORA, ["mandate_not_in_force"]),
        (replace(AWAY, roles=OFFICER), NORA, ["mandator_lacks_role"]),
        (replace(AWAY, deputy=ANNA), ANNA, ["approver_did_the_work"]),
        (replace(AWAY, chosen_by=NORA), NORA, ["deputy_chose_mandator"]),
    ],
    ids=[
        "somebody else manages the run",
        "mandate of another deputy",
        "not yet",
        "over",
        "withdrawn",
        "manager no more",
        "own work",
        "own choice",
    ],
)
def test_a_mandate_gives_no_more_than_it_says(mandate: Mandate, by: str, reasons: list[str]):
    assert why_not(lambda: in_the_name_of_mariam(ASKED, mandate, by)) == reasons


def test_a_mandate_holds_where_somebody_else_made_the_absent_manager_the_manager():
    chosen = replace(AWAY, chosen_by=CHRIS)
    assert in_the_name_of_mariam(ASKED, chosen).instance(HERE).passed
    as_one = People({NORA: "nora", CHRIS: "nora"})
    assert why_not(lambda: ASKED.with_approval(HERE, by=NORA, roles=OFFICER, mandate=chosen, people=as_one)) == [
        "deputy_chose_mandator"
    ]


def test_a_mandate_lets_nobody_approve_the_work_of_the_absent_manager():
    hers = DONE.with_evidence(HERE, "overzicht", "foto", by=MARIAM).with_request(HERE)
    other_account = DONE.with_evidence(HERE, "overzicht", "foto", by=BRAM).with_request(HERE)
    as_one = People({MARIAM: "mariam", BRAM: "mariam"})

    assert why_not(lambda: in_the_name_of_mariam(hers)) == ["mandator_did_the_work"]
    assert why_not(lambda: other_account.with_approval(HERE, by=NORA, roles=OFFICER, mandate=AWAY, people=as_one)) == [
        "mandator_did_the_work"
    ]


def test_a_deputy_also_sends_back_and_takes_an_approval_back():
    back = ASKED.with_sent_back(HERE, {"overzicht": "f"}, by=NORA, roles=OFFICER, mandate=AWAY)
    withdrawn = in_the_name_of_mariam(ASKED).with_approval_withdrawn(HERE, by=NORA, roles=OFFICER, mandate=AWAY)

    for built in (back, withdrawn):
        assert (built.events[-1].mandate, built.events[-1].on_behalf_of) == ("m", MARIAM)  # type: ignore[union-attr]


def test_who_gave_a_mandate_takes_back_what_was_given_in_that_name():
    """Awb, article 10:7: who gave a mandate remains competent."""
    condition = a_condition("punt", owner=ANNA)
    by_deputy = BY_TWO.with_approval("een.1", by=NORA, roles=OFFICER, mandate=AWAY, conditions=[condition])

    back = by_deputy.with_approval_withdrawn("een.1", by=MARIAM)

    event = back.events[-1]
    assert isinstance(event, e.ApprovalWithdrawn)
    assert (event.by, event.given_by, event.on_behalf_of) == (MARIAM, NORA, None)
    instance = back.instance("een.1")
    assert instance.status is StageStatus.SUBMITTED
    assert [(each.by, each.withdrawn_by) for each in instance.approvals] == [(NORA, MARIAM)]
    assert [point.state for point in instance.points] == [PointState.LAPSED]
    assert replay(back.events) == back.run
    assert back.with_approval("een.1", by=MARIAM).with_approval("een.1", by=MAX).instance("een.1").passed
    assert why_not(lambda: back.with_approval_withdrawn("een.1", by=MARIAM)) == ["not_approved"]


def test_nobody_else_takes_it_back_while_others_decide_and_not_without_a_reason():
    by_deputy = BY_TWO.with_approval("een.1", by=NORA, roles=OFFICER, mandate=AWAY)
    for_max = replace(AWAY, id="x", mandator=MAX)

    assert why_not(lambda: by_deputy.with_approval_withdrawn("een.1", by=MAX)) == ["not_approved"]
    assert why_not(lambda: by_deputy.with_approval_withdrawn("een.1", by=MARIAM, reason=None)) == ["reason_missing"]
    assert why_not(lambda: by_deputy.with_approval_withdrawn("een.1", by=MARIAM, roles=OFFICER)) == [
        "approver_lacks_role"
    ]
    assert "mandate_not_for_this" in why_not(
        lambda: by_deputy.with_approval_withdrawn("een.1", by=NORA, roles=OFFICER, mandate=for_max)
    )


def test_a_deputy_takes_back_in_that_name_what_the_absent_manager_or_another_deputy_gave():
    hers = BY_TWO.with_approval("een.1", by=MARIAM)
    of_another = BY_TWO.with_approval("een.1", by=CHRIS, roles=OFFICER, mandate=replace(AWAY, id="x", deputy=CHRIS))

    for built, hand in ((hers, MARIAM), (of_another, CHRIS)):
        back = built.with_approval_withdrawn("een.1", by=NORA, roles=OFFICER, mandate=AWAY)
        event = back.events[-1]
        assert isinstance(event, e.ApprovalWithdrawn)
        assert (event.by, event.given_by, event.on_behalf_of) == (NORA, hand, MARIAM)
        assert [each.withdrawn_by for each in back.instance("een.1").approvals] == [NORA]
        assert replay(back.events) == back.run


def test_what_somebody_takes_back_of_the_own_hand_is_written_as_it_always_was():
    back = BY_TWO.with_approval("een.1", by=MARIAM).with_approval_withdrawn("een.1", by=MARIAM)
    assert codec.encode_event(back.events[-1])[1].keys() == {"ref", "reason"}


def test_a_manager_who_stands_in_may_still_decide_in_the_own_name():
    hers = DONE.with_evidence(HERE, "overzicht", "foto", by=MARIAM).with_request(HERE)
    for_max = replace(AWAY, deputy=MAX)

    assert why_not(lambda: hers.with_approval(HERE, by=MAX, mandate=for_max)) == ["mandator_did_the_work"]
    assert hers.with_approval(HERE, by=MAX).instance(HERE).passed


def test_what_is_decided_without_mandate_is_written_as_it_always_was():
    for event in ASKED.with_approval(HERE).events[-2:]:
        _, data = codec.encode_event(event)
        assert not {"mandate", "on_behalf_of", "is_work", "authors"} & data.keys()
    kind, data = codec.encode_event(in_the_name_of_mariam(ASKED).events[-1])
    assert (data["mandate"], data["on_behalf_of"]) == ("m", MARIAM)
    without = {name: value for name, value in data.items() if name not in ("mandate", "on_behalf_of")}
    assert codec.decode_event(kind, without, by=MAX, at=MONDAY).mandate is None  # type: ignore[union-attr]


# --- taking no part --------------------------------------------------------------------------------------------


def test_who_takes_no_part_cannot_decide_in_any_way():
    recused = ASKED.with_recusal(HERE, by=MARIAM)

    refused = ["approver_recused"]
    assert why_not(lambda: recused.with_approval(HERE, by=MARIAM)) == refused
    assert why_not(lambda: recused.with_sent_back(HERE, {"overzicht": "f"}, by=MARIAM)) == refused
    approved = recused.with_approval(HERE, by=MAX)
    assert why_not(lambda: approved.with_approval_withdrawn(HERE, by=MARIAM)) == refused
    as_one = People({MARIAM: "mariam", CHRIS: "mariam"})
    assert why_not(lambda: recused.with_approval(HERE, by=CHRIS, people=as_one)) == refused
    assert why_not(lambda: in_the_name_of_mariam(recused)) == ["mandator_recused"]
    assert replay(recused.events) == recused.run


def test_who_takes_no_part_says_so_before_approval_is_asked_and_in_later_requests():
    recused = a_run().with_stage(HERE).with_recusal(HERE, by=MARIAM).with_work_done(HERE).with_request(HERE)
    again = recused.with_sent_back(HERE, {"overzicht": "f"}, by=MAX).with_work_done(HERE).with_request(HERE)

    for built in (recused, again):
        assert why_not(partial(built.with_approval, HERE, by=MARIAM)) == ["approver_recused"]


def test_an_approval_of_who_takes_no_part_any_more_does_not_count():
    once = BY_TWO.with_approval("een.1", by=MARIAM).with_recusal("een.1", by=MARIAM, at=WEDNESDAY)

    assert not once.with_approval("een.1", by=MAX, at=THURSDAY).instance("een.1").passed


def test_a_deputy_takes_no_part():
    recused = ASKED.with_recusal(HERE, by=NORA, roles=OFFICER, mandates=[AWAY])

    assert why_not(lambda: in_the_name_of_mariam(recused)) == ["approver_recused"]
    assert recused.with_approval(HERE, by=MARIAM).instance(HERE).passed


@pytest.mark.parametrize(
    ("recuse", "reasons"),
    [
        (lambda: ASKED.with_recusal(HERE, by=NORA, roles=OFFICER), ["approver_lacks_role"]),
        (lambda: ASKED.with_recusal(HERE, by=ANNA), ["approver_did_the_work"]),
        (lambda: ASKED.with_recusal(HERE).with_recusal(HERE), ["already_recused"]),
        (lambda: ASKED.with_recusal(HERE, reason=None), ["reason_missing"]),
        (lambda: ASKED.with_approval(HERE).with_recusal(HERE, by=MAX), ["nothing_to_recuse_from"]),
        (lambda: a_run().with_recusal(HERE), ["not_started"]),
        (
            lambda: ASKED.with_recusal(HERE, by=NORA, roles=OFFICER, mandates=[AWAY], at=FRIDAY + timedelta(seconds=1)),
            ["approver_lacks_role"],
        ),
    ],
)
def test_only_who_may_decide_says_so_with_a_reason_while_there_is_something_to_decide(
    recuse: Callable[[], RunBuilder], reasons: list[str]
):
    assert why_not(recuse) == reasons


def test_it_is_taken_back_with_a_reason_and_stays_readable():
    back = ASKED.with_recusal(HERE).with_recusal_taken_back(HERE)

    (recusal,) = back.instance(HERE).recusals
    assert (recusal.by, recusal.counts, recusal.taken_back_at) == (MARIAM, False, TUESDAY)
    assert back.with_approval(HERE, by=MARIAM).instance(HERE).passed
    assert codec.decode_stage(
        ref(HERE), codec.encode_stage(back.instance(HERE)), status="submitted", passed=False
    ).recusals == (recusal,)


def test_it_is_not_taken_back_after_a_decision_by_another_or_without_reason():
    recused = ASKED.with_recusal(HERE)
    back = recused.with_sent_back(HERE, {"overzicht": "f"}, by=MAX).with_work_done(HERE).with_request(HERE)

    assert why_not(lambda: recused.with_recusal_taken_back(HERE, reason=None)) == ["reason_missing"]
    assert why_not(lambda: recused.with_recusal_taken_back(HERE, by=MAX)) == ["not_recused"]
    assert why_not(lambda: recused.with_approval(HERE, by=MAX).with_recusal_taken_back(HERE)) == [
        "decided_since_recusal"
    ]
    assert why_not(lambda: back.with_recusal_taken_back(HERE)) == ["decided_since_recusal"]
