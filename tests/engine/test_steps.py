"""Saving and completing steps, and their evidence."""

from dataclasses import replace

import pytest

from app.engine import events as e
from app.engine import transitions
from app.engine.definition import CHECKLIST
from app.engine.errors import Reason, StepChanged
from app.engine.guards import NoSuchPart
from app.engine.run import EvidenceForm, StageStatus, StepState, StepStatus
from tests.builders import (
    ANNA,
    BRAM,
    CHRIS,
    MONDAY,
    PLAN,
    TUESDAY,
    RunBuilder,
    a_run,
    marks,
    ref,
)
from tests.engine.refusals import reasons, why_not

HERE = "verkennen.1"


@pytest.fixture
def begun() -> RunBuilder:
    return a_run().with_stage(HERE)


def test_half_finished_work_is_saved(begun: RunBuilder):
    state = begun.with_answers(HERE, "overzicht", {"naam": "Overzicht", "steun": {"reason": "nog geen oordeel"}}).state(
        HERE, "overzicht"
    )

    assert (state.status, state.revision, state.changed_by) == (StepStatus.BUSY, 1, ANNA)
    assert state.answers["naam"].is_complete
    assert not state.answers["steun"].is_complete


def test_saving_changes_only_the_answers_that_were_given(begun: RunBuilder):
    first = begun.with_answers(HERE, "overzicht", {"naam": "Een", "toelichting": "Kort"})
    second = first.with_answers(HERE, "overzicht", {"naam": "Twee"}, by=BRAM, at=TUESDAY)

    before, now = first.state(HERE, "overzicht"), second.state(HERE, "overzicht")
    assert now.answers["toelichting"] == before.answers["toelichting"]
    assert now.answers["naam"] != before.answers["naam"]
    assert (now.revision, now.changed_by, now.changed_at) == (2, BRAM, TUESDAY)


def test_an_answer_can_be_emptied(begun: RunBuilder):
    state = begun.with_answers(HERE, "overzicht", {"naam": "Een"}).with_answers(HERE, "overzicht", {"naam": ""})

    assert not state.state(HERE, "overzicht").is_filled("naam")
    assert state.state(HERE, "overzicht").is_empty


def test_saving_nothing_records_nothing(begun: RunBuilder):
    assert begun.with_answers(HERE, "overzicht", {}).events == begun.events
    assert begun.with_answers(HERE, "overzicht", {}, based_on=99).events == begun.events


def test_save_on_an_older_version_is_refused_and_says_which(begun: RunBuilder):
    saved = begun.with_answers(HERE, "overzicht", {"naam": "Een"})

    with pytest.raises(StepChanged) as refused:
        saved.with_answers(HERE, "overzicht", {"toelichting": "Mijn tekst"}, based_on=0, by=BRAM)

    assert (refused.value.stage, refused.value.step) == (HERE, "overzicht")
    assert (refused.value.based_on, refused.value.current) == (0, 1)


@pytest.mark.parametrize("based_on", [-1, 2, 10**9])
def test_save_on_a_version_that_never_was_is_refused_too(begun: RunBuilder, based_on: int):
    saved = begun.with_answers(HERE, "overzicht", {"naam": "Een"})

    with pytest.raises(StepChanged):
        saved.with_answers(HERE, "overzicht", {"naam": "Twee"}, based_on=based_on)


def test_two_people_can_save_different_steps(begun: RunBuilder):
    built = begun.with_answers(HERE, "overzicht", {"naam": "Een"}).with_answers(
        HERE, "gesprekken", {"verslag": "Twee"}, based_on=0, by=BRAM
    )

    assert built.state(HERE, "overzicht").is_filled("naam")
    assert built.state(HERE, "gesprekken").is_filled("verslag")


def test_answer_to_a_question_that_the_step_does_not_have_is_not_found(begun: RunBuilder):
    answers = {"visie": marks(PLAN.stage("visie").step("opschrijven"), {"visie": "x"})["visie"]}

    with pytest.raises(NoSuchPart):
        transitions.save_step(PLAN, begun.run, ref(HERE), "overzicht", answers=answers, based_on=0, by=ANNA, at=MONDAY)


def test_unknown_step_is_not_found(begun: RunBuilder):
    for act in (begun.with_step_completed, begun.with_evidence):
        with pytest.raises(NoSuchPart):
            act(HERE, "bestaat-niet")


def test_save_needs_an_open_stage_and_somebody_of_the_team():
    approved = a_run().with_stage_approved(HERE)
    skipped = a_run().with_skip("werkgroep.1")

    assert why_not(lambda: a_run().with_answers(HERE, "overzicht", {"naam": "x"}, by=CHRIS)) == [
        "not_started",
        "not_in_team",
    ]
    assert why_not(lambda: approved.with_answers(HERE, "overzicht", {"naam": "x"})) == ["stage_approved"]
    assert why_not(lambda: skipped.with_answers("werkgroep.1", "samenstellen", {"leden": "x"})) == ["stage_skipped"]


def test_even_an_empty_save_says_that_the_stage_is_closed():
    assert why_not(lambda: a_run().with_stage_approved(HERE).with_answers(HERE, "overzicht", {})) == ["stage_approved"]


# --- completing ------------------------------------------------------------------------------------------------


def test_step_with_everything_in_it_is_completed(begun: RunBuilder):
    state = begun.with_step_filled(HERE, "overzicht").with_step_completed(HERE, "overzicht", by=BRAM, at=TUESDAY)

    done = state.state(HERE, "overzicht")
    assert (done.status, done.completed_by, done.completed_at) == (StepStatus.COMPLETED, BRAM, TUESDAY)


def test_step_without_questions_can_be_completed_by_saying_so():
    built = a_run().with_stage_approved(HERE).with_stage("visie.1").with_step_completed("visie.1", "toetsen")

    assert built.state("visie.1", "toetsen").status is StepStatus.COMPLETED


def test_step_that_lacks_something_is_not_completed_and_every_lack_is_named(begun: RunBuilder):
    built = begun.with_answers(HERE, "overzicht", {"naam": "x", "steun": {"grade": "not_applicable"}})

    assert reasons(lambda: built.with_step_completed(HERE, "overzicht")) == (
        Reason("answer_missing", stage=HERE, step="overzicht", question="is-er-visie"),
        Reason("answer_incomplete", stage=HERE, step="overzicht", question="steun"),
        Reason(
            "evidence_missing", stage=HERE, step="overzicht", params={"kind": "verslag", "present": 0, "required": 1}
        ),
        Reason(
            "evidence_missing", stage=HERE, step="overzicht", params={"kind": "besluit", "present": 0, "required": 1}
        ),
    )


def test_step_of_a_stage_that_did_not_start_is_not_completed():
    assert why_not(lambda: a_run().with_step_completed(HERE, "overzicht", by=CHRIS)) == ["not_started", "not_in_team"]


def test_completing_twice_records_once_and_keeps_who_did_it(begun: RunBuilder):
    done = begun.with_step_done(HERE, "overzicht", by=ANNA)
    again = done.with_step_completed(HERE, "overzicht", by=BRAM)

    assert again.events == done.events


def test_change_after_completion_opens_the_step_again(begun: RunBuilder):
    changed = begun.with_step_done(HERE, "overzicht").with_answers(HERE, "overzicht", {"naam": "Anders"})

    assert changed.state(HERE, "overzicht").status is StepStatus.BUSY
    assert changed.with_step_completed(HERE, "overzicht").state(HERE, "overzicht").status is StepStatus.COMPLETED


def test_completing_takes_away_what_was_sent_back(begun: RunBuilder):
    sent_back = begun.with_work_done(HERE).with_request(HERE).with_sent_back(HERE, {"overzicht": "waarom?"})
    again = sent_back.with_step_completed(HERE, "overzicht")

    assert sent_back.state(HERE, "overzicht").finding == "waarom?"
    assert (again.state(HERE, "overzicht").status, again.state(HERE, "overzicht").finding) == (
        StepStatus.COMPLETED,
        None,
    )


def test_finding_stays_in_sight_while_somebody_works_on_it(begun: RunBuilder):
    sent_back = begun.with_work_done(HERE).with_request(HERE).with_sent_back(HERE, {"overzicht": "waarom?"})

    assert sent_back.with_answers(HERE, "overzicht", {"naam": "Beter"}).state(HERE, "overzicht").finding == "waarom?"


def test_checklist_is_saved_and_completed_like_a_step(begun: RunBuilder):
    some = begun.with_answers(HERE, CHECKLIST, {"rondkomen": {"grade": "no"}})

    assert why_not(lambda: some.with_step_completed(HERE, CHECKLIST)) == ["answer_missing", "answer_missing"]
    done = some.with_step_done(HERE, CHECKLIST)
    assert done.state(HERE, CHECKLIST).status is StepStatus.COMPLETED


# --- evidence --------------------------------------------------------------------------------------------------


def test_evidence_is_kept_with_what_it_speaks_to(begun: RunBuilder):
    built = begun.with_evidence(
        HERE, "overzicht", "verslag", id="e1", form=EvidenceForm.LINK, grounds=("inkomen", "leeftijd"), by=BRAM
    )

    (item,) = built.state(HERE, "overzicht").evidence
    assert (item.id, item.kind, item.form, item.added_by) == ("e1", "verslag", EvidenceForm.LINK, BRAM)
    assert item.grounds == ("leeftijd", "inkomen"), "in the order of the plan"
    assert built.state(HERE, "overzicht").status is StepStatus.BUSY


def test_evidence_does_not_touch_the_form_that_somebody_is_filling_in(begun: RunBuilder):
    built = begun.with_evidence(HERE, "overzicht")

    assert built.state(HERE, "overzicht").revision == 0
    assert built.with_answers(HERE, "overzicht", {"naam": "x"}, based_on=0).state(HERE, "overzicht").revision == 1


def test_evidence_can_be_added_to_a_completed_step_which_stays_completed(begun: RunBuilder):
    built = begun.with_step_done(HERE, "overzicht").with_evidence(HERE, "overzicht", "foto")

    assert built.state(HERE, "overzicht").status is StepStatus.COMPLETED


def test_evidence_of_an_unknown_kind_or_ground_is_not_found(begun: RunBuilder):
    with pytest.raises(NoSuchPart):
        begun.with_evidence(HERE, "overzicht", "hologram")
    with pytest.raises(NoSuchPart):
        begun.with_evidence(HERE, "overzicht", "verslag", grounds=("leeftijd", "sterrenbeeld"))


def test_two_pieces_of_evidence_with_one_id_are_a_bug_of_the_caller(begun: RunBuilder):
    """A seal names evidence by its id, so of two with the same id it would cover one."""
    with pytest.raises(AssertionError, match="an id is given once"):
        begun.with_evidence(HERE, "overzicht", id="e1").with_evidence(HERE, "overzicht", id="e1")


def test_evidence_needs_an_open_stage_and_somebody_of_the_team():
    assert why_not(lambda: a_run().with_evidence(HERE, "overzicht", by=CHRIS)) == ["not_started", "not_in_team"]
    assert why_not(lambda: a_run().with_stage_approved(HERE).with_evidence(HERE, "overzicht")) == ["stage_approved"]


def test_withdrawn_evidence_stays_in_sight(begun: RunBuilder):
    built = begun.with_evidence(HERE, "overzicht", id="e1").with_evidence(HERE, "overzicht", id="e2")
    withdrawn = built.with_evidence_withdrawn(HERE, "overzicht", "e1", by=BRAM)

    first, second = withdrawn.state(HERE, "overzicht").evidence
    assert (first.id, first.withdrawn_by, first.counts) == ("e1", BRAM, False)
    assert (second.id, second.counts) == ("e2", True)
    assert replace(first, withdrawn_by=None) == built.state(HERE, "overzicht").evidence[0]


def test_withdrawing_evidence_opens_a_completed_step(begun: RunBuilder):
    done = begun.with_step_done(HERE, "overzicht")
    item = done.state(HERE, "overzicht").evidence[0].id

    assert done.with_evidence_withdrawn(HERE, "overzicht", item).state(HERE, "overzicht").status is StepStatus.BUSY


def test_withdrawing_evidence_from_a_step_to_revisit_leaves_it_to_revisit(begun: RunBuilder):
    sent_back = begun.with_work_done(HERE).with_request(HERE).with_sent_back(HERE, {"overzicht": "?"})
    item = sent_back.state(HERE, "overzicht").evidence[0].id

    state = sent_back.with_evidence_withdrawn(HERE, "overzicht", item).state(HERE, "overzicht")
    assert state.status is StepStatus.REVISIT


def test_evidence_is_withdrawn_once_with_a_reason_by_the_team(begun: RunBuilder):
    built = begun.with_evidence(HERE, "overzicht", id="e1")
    withdrawn = built.with_evidence_withdrawn(HERE, "overzicht", "e1")

    assert why_not(lambda: withdrawn.with_evidence_withdrawn(HERE, "overzicht", "e1")) == ["already_withdrawn"]
    assert why_not(lambda: built.with_evidence_withdrawn(HERE, "overzicht", "e1", reason=None, by=CHRIS)) == [
        "not_in_team",
        "reason_missing",
    ]


def test_evidence_that_is_not_with_this_step_is_not_found(begun: RunBuilder):
    built = begun.with_evidence(HERE, "overzicht", id="e1")

    for step, evidence in (("gesprekken", "e1"), ("overzicht", "e2")):
        with pytest.raises(NoSuchPart):
            built.with_evidence_withdrawn(HERE, step, evidence)
    with pytest.raises(NoSuchPart):
        a_run().with_evidence_withdrawn(HERE, "overzicht", "e1")


def test_evidence_under_an_approval_cannot_be_withdrawn():
    approved = a_run().with_stage_approved(HERE)
    item = approved.state(HERE, "overzicht").evidence[0].id

    assert why_not(lambda: approved.with_evidence_withdrawn(HERE, "overzicht", item)) == ["stage_approved"]


# --- a stage that stays open -----------------------------------------------------------------------------------


@pytest.fixture
def supported() -> RunBuilder:
    return a_run().with_stage_approved(HERE).with_stage_approved("draagvlak.1")


def test_work_on_an_approved_continuous_stage_waits_until_somebody_says_why(supported: RunBuilder):
    at, step, plan, run = ref("draagvlak.1"), "agenderen", supported.plan, supported.run
    for work in (
        lambda: transitions.save_step(plan, run, at, step, answers={}, based_on=1, by=ANNA, at=MONDAY),
        lambda: transitions.complete_step(plan, run, at, step, by=ANNA, at=MONDAY),
    ):
        assert why_not(work) == ["reopen_first"]
    assert why_not(lambda: supported.with_stage_reopened("draagvlak.1", reason=None)) == ["reason_missing"]
    assert why_not(lambda: supported.with_stage_reopened("draagvlak.1", by=CHRIS)) == ["not_in_team"]


def test_reopened_stage_keeps_its_approval_and_its_reason_until_the_next_one(supported: RunBuilder):
    opened = supported.with_stage_reopened("draagvlak.1", reason="nieuwe cijfers")

    instance = opened.instance("draagvlak.1")
    assert (instance.status, instance.passed, instance.changed_since_approval) == (StageStatus.OPEN, True, False)
    assert instance.reopened_reason == "nieuwe cijfers"
    assert why_not(lambda: opened.with_stage_reopened("draagvlak.1")) == ["not_approved"]
    again = opened.with_request("draagvlak.1").with_approval("draagvlak.1")
    assert again.instance("draagvlak.1").reopened_reason is None


def test_a_stage_that_is_not_continuous_is_not_reopened_but_its_approval_withdrawn(supported: RunBuilder):
    assert why_not(lambda: supported.with_stage_reopened(HERE)) == ["stage_approved"]
    assert why_not(lambda: a_run().with_stage_reopened(HERE)) == ["not_started"]
    later = supported.with_stage("draagvlak.2")
    assert why_not(lambda: later.with_stage_reopened("draagvlak.1")) == ["later_round_exists"]


def test_work_after_approval_is_marked_as_a_change(supported: RunBuilder):
    built = supported.with_answers("draagvlak.1", "agenderen", {"moment": "1-3-2027"}, by=BRAM)

    assert [type(event) for event in built.events[-2:]] == [e.StageReopened, e.StepSaved]
    instance = built.instance("draagvlak.1")
    assert (instance.status, instance.passed, instance.changed_since_approval) == (StageStatus.OPEN, True, True)
    assert BRAM in instance.contributors


def test_evidence_and_its_withdrawal_are_marked_too(supported: RunBuilder):
    added = supported.with_evidence("draagvlak.1", "agenderen", id="e")
    approved = added.with_request("draagvlak.1").with_approval("draagvlak.1")
    withdrawn = approved.with_evidence_withdrawn("draagvlak.1", "agenderen", "e")

    assert approved.instance("draagvlak.1").status is StageStatus.APPROVED
    assert not approved.instance("draagvlak.1").changed_since_approval
    for built in (added, withdrawn):
        assert built.instance("draagvlak.1").status is StageStatus.OPEN
        assert built.instance("draagvlak.1").changed_since_approval


def test_empty_save_or_second_completion_is_no_change(supported: RunBuilder):
    opened = supported.with_stage_reopened("draagvlak.1")
    assert opened.with_answers("draagvlak.1", "agenderen", {}).events == opened.events
    assert opened.with_step_completed("draagvlak.1", "agenderen").events == opened.events


def test_loaded_part_of_a_stage_does_not_pretend_to_be_all_of_it(begun: RunBuilder):
    partial = replace(begun.instance(HERE), loaded=frozenset({"overzicht"}))

    assert partial.step("overzicht") == StepState()
    with pytest.raises(AssertionError):
        partial.step("gesprekken")
