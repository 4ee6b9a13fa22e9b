"""What was set aside comes back when a later version brings its part back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.engine.definition import CHECKLIST, QuestionType, StepPlan
from app.engine.run import ParkedKind, ParkedWhy, StageStatus, StepStatus
from tests.builders import PLAN, RunBuilder, a_plan, a_question, a_run, a_stage, a_step, ref, text
from tests.engine.run_migration.account import account
from tests.engine.run_migration.moving import (
    adding,
    changed,
    moved,
    outcome_of,
    parked,
    version,
    with_part,
    with_stage,
    with_step,
    without,
)

OVERVIEW = "verkennen/overzicht"
HERE = "verkennen.1"
FILLED = a_run().with_stage(HERE).with_step_done(HERE, "overzicht")
APPROVED = a_run().with_stage_approved(HERE)


def there_and_back(built: RunBuilder, without_it: StepPlan, back: StepPlan = PLAN) -> RunBuilder:
    """Through a version without the part to one that has it again."""
    gone = version(without_it, "1.1.0")
    return moved(moved(built, gone), version(back, "2.0.0", since="1.1.0"))


def test_answer_returns_to_the_same_question_as_it_was():
    back = there_and_back(FILLED, without(PLAN, f"{OVERVIEW}/inbreng"))

    assert back.state(HERE, "overzicht").answers == FILLED.state(HERE, "overzicht").answers
    assert back.state(HERE, "overzicht").status is StepStatus.REVISIT
    assert back.run.parked == ()


def test_answer_returns_to_other_words_as_a_proposal():
    reworded = with_part(PLAN, f"{OVERVIEW}/naam", text=text("Hoe heet het nu?"))
    back = there_and_back(FILLED, without(PLAN, f"{OVERVIEW}/naam"), reworded)

    assert back.state(HERE, "overzicht").answers["naam"].is_proposal


def test_answer_does_not_return_to_a_question_that_it_does_not_fit():
    retyped = with_part(PLAN, f"{OVERVIEW}/naam", type=QuestionType.DATE)
    back = there_and_back(FILLED, without(PLAN, f"{OVERVIEW}/naam"), retyped)

    assert parked(back) == [(ParkedKind.ANSWER, ParkedWhy.GONE, f"{HERE}/overzicht/naam")]


def test_table_returns_only_to_the_same_columns():
    columns = PLAN.stage("verkennen").step("overzicht").question("inbreng").columns
    narrower = with_part(PLAN, f"{OVERVIEW}/inbreng", columns=columns[:2])
    back = there_and_back(FILLED, without(PLAN, f"{OVERVIEW}/inbreng"), narrower)

    assert parked(back) == [(ParkedKind.ANSWER, ParkedWhy.GONE, f"{HERE}/overzicht/inbreng")]


def test_answer_that_did_not_fit_returns_when_the_question_is_as_it_was():
    retyped = with_part(PLAN, f"{OVERVIEW}/naam", type=QuestionType.DATE)
    back = there_and_back(FILLED, retyped)

    assert back.state(HERE, "overzicht").answers == FILLED.state(HERE, "overzicht").answers


def test_answer_that_was_given_since_is_not_replaced():
    retyped = version(with_part(PLAN, f"{OVERVIEW}/naam", type=QuestionType.DATE), "1.1.0")
    between = moved(FILLED, retyped).with_answers(HERE, "overzicht", {"naam": "1-3-2027"})
    back = moved(
        between, version(with_part(PLAN, f"{OVERVIEW}/naam", type=QuestionType.DATE, help=text("x")), since="1.1.0")
    )
    again = moved(back, version(PLAN, "3.0.0", since="2.0.0"))

    assert [item.why for item in back.run.parked] == [ParkedWhy.UNFIT]
    assert len(again.run.parked) == 1
    assert account(again.run) == account(between.run)


def test_what_people_set_aside_stays_aside():
    reworded = version(with_part(PLAN, f"{OVERVIEW}/naam", text=text("Anders")), "1.1.0")
    chosen = moved(FILLED, reworded, choices={f"{HERE}/overzicht/naam": "park"})
    back = moved(chosen, version(PLAN, "2.0.0", since="1.1.0"))

    assert parked(back) == [(ParkedKind.ANSWER, ParkedWhy.CHOSEN, f"{HERE}/overzicht/naam")]


def test_step_returns_with_answers_evidence_and_finding():
    asked = a_run().with_work_done(HERE).with_request(HERE).with_sent_back(HERE, {"overzicht": "let op"})
    back = there_and_back(asked, without(PLAN, OVERVIEW))

    before, now = asked.state(HERE, "overzicht"), back.state(HERE, "overzicht")
    assert (now.answers, now.evidence, now.finding) == (before.answers, before.evidence, "let op")
    assert now.status is StepStatus.BUSY
    assert back.run.parked == ()


def test_evidence_returns_with_its_kind():
    pictured = FILLED.with_evidence(HERE, "overzicht", "foto", id="f")
    back = there_and_back(pictured, replace(PLAN, evidence_kinds=PLAN.evidence_kinds[:2]))

    assert [item.id for item in back.state(HERE, "overzicht").evidence][-1] == "f"
    assert back.run.parked == ()


def test_stage_returns_whole_and_is_approved_again():
    back = there_and_back(APPROVED, without(PLAN, "verkennen"))

    before, now = APPROVED.instance(HERE), back.instance(HERE)
    assert (now.status, now.passed, now.changed_since_approval) == (StageStatus.OPEN, True, True)
    assert now.approvals == before.approvals
    assert now.contributors == before.contributors
    assert {id: state.answers for id, state in now.steps.items()} == {
        id: state.answers for id, state in before.steps.items()
    }
    assert back.run.parked == ()


def test_earlier_rounds_of_a_stage_return_as_history():
    two_rounds = APPROVED.with_stage("verkennen.2")
    back = there_and_back(two_rounds, without(PLAN, "verkennen"))

    assert (back.instance(HERE).status, back.instance(HERE).changed_since_approval) == (StageStatus.APPROVED, False)
    assert back.instance("verkennen.2").status is StageStatus.OPEN
    assert back.run.parked == ()


def test_answer_returns_to_a_finished_round_only_in_the_same_words():
    two_rounds = APPROVED.with_stage("verkennen.2")
    gone = without(PLAN, f"{OVERVIEW}/naam")
    reworded = with_part(PLAN, f"{OVERVIEW}/naam", text=text("Anders"))

    same, other = there_and_back(two_rounds, gone), there_and_back(two_rounds, gone, reworded)

    assert same.state(HERE, "overzicht").answers == two_rounds.state(HERE, "overzicht").answers
    assert same.state(HERE, "overzicht").status is StepStatus.COMPLETED
    assert same.instance(HERE).status is StageStatus.APPROVED
    assert parked(other) == [(ParkedKind.ANSWER, ParkedWhy.GONE, f"{HERE}/overzicht/naam")]


def test_words_of_a_finished_round_return_when_the_question_is_as_it_was():
    two_rounds = APPROVED.with_stage("verkennen.2")
    back = there_and_back(two_rounds, with_part(PLAN, f"{OVERVIEW}/naam", text=text("Anders")))

    assert back.state(HERE, "overzicht").answers == two_rounds.state(HERE, "overzicht").answers
    assert back.run.parked == ()


def test_round_returns_only_on_a_finished_one():
    plan = a_plan(a_stage("s", a_step("x"), is_optional=True, is_repeatable=True), a_stage("t", a_step("y")))
    needed = with_stage(plan, "s", is_optional=False)
    two_rounds = a_run(plan).with_skip("s.1").with_stage("s.2")
    begun_anew = there_and_back(two_rounds, without(plan, "s"), needed).with_stage("s.1")
    again = moved(begun_anew, version(without(plan, "s"), "3.0.0", since="2.0.0"))
    again = moved(again, version(needed, "4.0.0", since="3.0.0"))

    assert [str(at) for at in again.run.stages] == ["s.1"]
    assert account(again.run) == account(begun_anew.run)


def test_skipped_stage_returns_skipped_only_if_it_may_be_skipped():
    skipped = a_run().with_skip("werkgroep.1")
    gone = without(PLAN, "werkgroep")

    assert there_and_back(skipped, gone).instance("werkgroep.1") == skipped.instance("werkgroep.1")
    required = with_stage(PLAN, "werkgroep", is_optional=False)
    assert ref("werkgroep.1") not in there_and_back(skipped, gone, required).run.stages


def test_domain_returns_with_the_work_and_the_decisions_in_it():
    built = a_run(domains=("wonen", "werk")).with_stage_approved(HERE).with_decision("bestaand-volstaat", "werk")
    begun = built.with_stage("uitvoeren.werk.1").with_answers("uitvoeren.werk.1", "plannen", {"eigenaar": "x"})
    back = there_and_back(begun, replace(PLAN, domains=PLAN.domains[:1]))

    assert back.run.domains == ("wonen", "werk")
    assert back.run.decisions == begun.run.decisions
    assert back.state("uitvoeren.werk.1", "plannen").answers == begun.state("uitvoeren.werk.1", "plannen").answers
    assert back.run.parked == ()


def test_decision_returns_if_it_says_the_same():
    taken = APPROVED.with_decision("raad-akkoord")
    gone = replace(PLAN, decisions=PLAN.decisions[:1])
    other = replace(PLAN, decisions=(PLAN.decisions[0], replace(PLAN.decisions[1], title=text("Iets anders"))))

    assert there_and_back(taken, gone).run.decisions == taken.run.decisions
    assert there_and_back(taken, other).run.decisions == taken.run.decisions
    assert there_and_back(taken, gone, other).run.decisions == ()


def test_answer_that_had_no_begun_stage_returns_when_its_question_moves_back():
    plan = a_plan(a_stage("een", a_step("x", a_question("a"))), a_stage("twee", a_step("y")))
    built = a_run(plan).with_stage("een.1").with_step_done("een.1", "x")
    away = version(
        adding(without(plan, "een/x/a"), "twee/y", a_question("a")), "1.1.0", moved=[("een/x/a", "twee/y/a")]
    )
    back = version(plan, "2.0.0", since="1.1.0", moved=[("twee/y/a", "een/x/a")])

    assert parked(moved(built, away)) == [(ParkedKind.ANSWER, ParkedWhy.NOT_BEGUN, "een.1/x/a")]
    assert moved(moved(built, away), back).state("een.1", "x").answers == built.state("een.1", "x").answers


def test_approval_does_not_cover_what_returns():
    gone = moved(APPROVED, version(without(PLAN, f"{OVERVIEW}/laatste-besluit"), "1.1.0"))
    result = outcome_of(gone, version(PLAN, "2.0.0", since="1.1.0"))

    assert gone.instance(HERE).status is StageStatus.APPROVED
    assert result.reopened == (ref(HERE),)
    assert [item.key for item in result.returned] == ["laatste-besluit"]


@pytest.mark.parametrize("path", [OVERVIEW, f"{OVERVIEW}/naam", f"verkennen/{CHECKLIST}", "verkennen"])
def test_nothing_is_lost_on_the_way(path: str):
    back = there_and_back(APPROVED, without(PLAN, path))

    assert account(back.run) == account(APPROVED.run)
    assert back.run.parked == ()


def test_what_is_still_gone_stays_aside():
    gone = moved(FILLED, version(without(PLAN, OVERVIEW), "1.1.0"))
    still = moved(
        gone, version(with_step(without(PLAN, OVERVIEW), "verkennen/gesprekken", title=text("Praten")), since="1.1.0")
    )

    assert still.run.parked == gone.run.parked


def test_parked_part_of_a_renamed_version_keeps_its_old_address():
    gone = moved(FILLED, version(without(PLAN, f"{OVERVIEW}/naam"), "1.1.0"))
    renamed = moved(gone, changed(gone.plan, "verkennen", number="2.0.0", id="kijken"))

    assert parked(renamed) == [(ParkedKind.ANSWER, ParkedWhy.GONE, f"{HERE}/overzicht/naam")]
