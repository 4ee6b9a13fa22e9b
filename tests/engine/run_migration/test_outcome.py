"""What a move leads to: what stays, what goes along, what is asked again and what is set aside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.engine.definition import CHECKLIST, EvidenceDemand, QuestionType, StepPlan
from app.engine.run import ParkedKind, ParkedWhy, StageStatus, StepStatus
from tests.builders import (
    ANNA,
    BRAM,
    MARIAM,
    PLAN,
    VERKENNEN,
    RunBuilder,
    a_plan,
    a_question,
    a_run,
    a_stage,
    a_statement,
    a_step,
    ref,
    text,
)
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
ANSWER, EVIDENCE, TEXT = ParkedKind.ANSWER, ParkedKind.EVIDENCE, ParkedKind.TEXT
GONE, CHOSEN, MERGED = ParkedWhy.GONE, ParkedWhy.CHOSEN, ParkedWhy.MERGED

APPROVED = a_run().with_stage_approved(HERE)
FILLED = a_run().with_stage(HERE).with_step_done(HERE, "overzicht")


def commitments(built: RunBuilder, at: str, step: str) -> dict[str, str]:
    return {id: mark.commitment for id, mark in built.state(at, step).answers.items()}


# --- what keeps its place --------------------------------------------------------------------------------------


def test_run_that_nothing_touches_only_gets_another_version():
    newer = version(PLAN)

    after = moved(APPROVED, newer)

    assert after.run.stages == APPROVED.run.stages
    assert (after.run.plan_version, after.run.plan_digest) == ("2.0.0", newer.digest)
    assert after.run.parked == ()


def test_renamed_stage_keeps_everything_and_its_approval():
    built = a_run().with_stage_approved(HERE).with_stage_approved("visie.1")
    after = moved(built, changed(PLAN, "visie", id="beeld"))

    assert ref("visie.1") not in after.run.stages
    assert after.instance("beeld.1") == replace(built.instance("visie.1"), ref=ref("beeld.1"))


def test_renamed_step_keeps_everything():
    after = moved(FILLED, changed(PLAN, OVERVIEW, id="beeld"))

    before, now = FILLED.state(HERE, "overzicht"), after.state(HERE, "beeld")
    assert replace(now, revision=before.revision) == before
    assert after.state(HERE, "overzicht").revision == 0


def test_renamed_question_and_statement_keep_their_answers():
    scored = FILLED.with_answers(HERE, CHECKLIST, {"rondkomen": {"grade": "yes"}})
    one = moved(scored, changed(PLAN, f"{OVERVIEW}/naam", id="titel"))
    two = moved(scored, changed(PLAN, f"verkennen/{CHECKLIST}/rondkomen", id="geld"))

    assert commitments(one, HERE, "overzicht")["titel"] == commitments(scored, HERE, "overzicht")["naam"]
    assert one.state(HERE, "overzicht").status is StepStatus.COMPLETED
    assert commitments(two, HERE, CHECKLIST) == {"geld": commitments(scored, HERE, CHECKLIST)["rondkomen"]}


def test_renamed_decision_stays_in_force():
    taken = APPROVED.with_decision("bestaand-volstaat", "wonen")
    first, second = PLAN.decisions
    newer = version(
        PLAN,
        decisions=(replace(first, id="volstaat"), second),
        moved=[("decisions.bestaand-volstaat", "decisions.volstaat")],
    )

    (decision,) = moved(taken, newer).run.decisions

    assert decision == replace(taken.run.decisions[0], decision="volstaat")


def test_other_help_and_looser_demands_leave_the_step_as_it_is():
    newer = changed(PLAN, OVERVIEW, evidence=(EvidenceDemand("verslag"),))

    assert moved(APPROVED, newer).instance(HERE) == APPROVED.instance(HERE)


# --- asked again -----------------------------------------------------------------------------------------------


ANOTHER_NAME = changed(PLAN, f"{OVERVIEW}/naam", text=text("Hoe heet het nu?"))


def test_answer_to_a_changed_question_stays_visible_as_a_proposal_and_the_step_is_looked_at_again():
    result = outcome_of(FILLED, ANOTHER_NAME)
    state = result.run.stages[ref(HERE)].step("overzicht")

    assert state.answers["naam"] == replace(FILLED.state(HERE, "overzicht").answers["naam"], is_proposal=True)
    assert state.status is StepStatus.REVISIT
    assert result.look_again == ((ref(HERE), "overzicht"),)
    assert state.revision > FILLED.state(HERE, "overzicht").revision


def test_answer_that_is_kept_stays_an_answer():
    result = outcome_of(FILLED, ANOTHER_NAME, choices={f"{HERE}/overzicht/naam": "keep"})

    assert result.run.stages[ref(HERE)].step("overzicht") == FILLED.state(HERE, "overzicht")
    assert result.look_again == ()


def test_answer_that_is_parked_leaves_its_question_open():
    result = outcome_of(FILLED, ANOTHER_NAME, choices={f"{HERE}/overzicht/naam": "park"})
    state = result.run.stages[ref(HERE)].step("overzicht")

    assert "naam" not in state.answers
    assert state.status is StepStatus.REVISIT
    assert parked(result_builder(result)) == [(ANSWER, CHOSEN, f"{HERE}/overzicht/naam")]


def result_builder(result: object) -> RunBuilder:
    return RunBuilder(PLAN, (), result.run)  # type: ignore[attr-defined]  # an outcome


def test_step_with_a_new_required_question_is_looked_at_again():
    result = outcome_of(FILLED, version(adding(PLAN, OVERVIEW, a_question("extra", is_required=True))))

    assert result.look_again == ((ref(HERE), "overzicht"),)


def test_step_that_asks_for_more_evidence_is_looked_at_again():
    demands = (*PLAN.stage("verkennen").step("overzicht").evidence, EvidenceDemand("foto"))

    assert outcome_of(FILLED, changed(PLAN, OVERVIEW, evidence=demands)).look_again == ((ref(HERE), "overzicht"),)


def test_step_with_another_goal_is_looked_at_again_with_its_answers_as_they_were():
    result = outcome_of(FILLED, changed(PLAN, OVERVIEW, title=text("Heel iets anders")))

    assert result.look_again == ((ref(HERE), "overzicht"),)
    assert result.run.stages[ref(HERE)].step("overzicht").answers == FILLED.state(HERE, "overzicht").answers


def test_step_that_was_not_finished_stays_busy():
    busy = a_run().with_stage(HERE).with_answers(HERE, "overzicht", {"naam": "x"})
    result = outcome_of(busy, ANOTHER_NAME)

    assert result.run.stages[ref(HERE)].step("overzicht").status is StepStatus.BUSY
    assert result.look_again == ()


def test_proposal_stays_a_proposal_when_it_moves_on():
    once = moved(FILLED, ANOTHER_NAME)
    twice = moved(once, changed(ANOTHER_NAME, f"{OVERVIEW}/naam", number="3.0.0", id="titel"))

    assert twice.state(HERE, "overzicht").answers["titel"].is_proposal


# --- gone ------------------------------------------------------------------------------------------------------


def test_answer_to_a_removed_question_is_parked_and_the_step_stays_finished():
    before = FILLED.state(HERE, "overzicht")
    after = moved(FILLED, version(without(PLAN, f"{OVERVIEW}/inbreng")))

    (item,) = after.run.parked
    assert (item.kind, item.why, item.ref, item.step, item.key) == (ANSWER, GONE, ref(HERE), "overzicht", "inbreng")
    assert (item.plan_version, item.plan_digest, item.type) == ("1.0.0", PLAN.digest, "table")
    assert item.answer == before.answers["inbreng"]
    assert after.state(HERE, "overzicht").status is StepStatus.COMPLETED


def test_emptied_answer_is_not_parked():
    emptied = a_run().with_stage(HERE).with_answers(HERE, "overzicht", {"naam": "x"})
    emptied = emptied.with_answers(HERE, "overzicht", {"naam": ""})

    assert moved(emptied, version(without(PLAN, f"{OVERVIEW}/naam"))).run.parked == ()


def test_removed_step_parks_its_answers_evidence_and_finding():
    asked = a_run().with_work_done(HERE).with_request(HERE).with_sent_back(HERE, {"overzicht": "let op"})
    after = moved(asked, version(without(PLAN, OVERVIEW)))

    before = asked.state(HERE, "overzicht")
    kinds = [item.kind for item in after.run.parked]
    assert kinds.count(ANSWER) == sum(mark.is_filled for mark in before.answers.values())
    assert kinds.count(EVIDENCE) == 2
    assert (TEXT, GONE, f"{HERE}/overzicht/let op") in parked(after)


def test_removed_stage_is_parked_whole_with_its_approval():
    plan = version(without(PLAN, "verkennen"))
    after = moved(APPROVED, plan)

    assert after.run.stages == {}
    (stage,) = [item for item in after.run.parked if item.kind is ParkedKind.STAGE]
    assert stage.stage is not None
    assert stage.stage.approvals == APPROVED.instance(HERE).approvals
    assert stage.stage.passed
    assert account(after.run) == account(APPROVED.run)


def test_withdrawn_evidence_is_parked_too():
    built = FILLED.with_evidence(HERE, "overzicht", id="weg").with_evidence_withdrawn(HERE, "overzicht", "weg")

    found = [item.evidence for item in moved(built, version(without(PLAN, OVERVIEW))).run.parked if item.evidence]

    assert [mark.id for mark in found if not mark.counts] == ["weg"]


def test_removed_decision_is_parked():
    taken = APPROVED.with_decision("bestaand-volstaat", "wonen").with_decision("raad-akkoord")
    after = moved(taken, version(PLAN, decisions=PLAN.decisions[1:]))

    assert [decision.decision for decision in after.run.decisions] == ["raad-akkoord"]
    (item,) = after.run.parked
    assert (item.kind, item.why, item.decision) == (ParkedKind.DECISION, GONE, taken.run.decisions[0])


def test_decision_that_says_something_else_now_is_parked_and_a_manager_lets_go_of_it():
    taken = APPROVED.with_decision("raad-akkoord")
    first, second = PLAN.decisions
    other = version(PLAN, decisions=(first, replace(second, title=text("De raad weet ervan"))))
    same = version(
        PLAN,
        decisions=(first, replace(second, title=text("Raad akkoord"))),
        cosmetic=["decisions.raad-akkoord"],
    )

    result = outcome_of(taken, other)
    assert (result.run.decisions, result.needs_manager) == ((), True)
    assert [(item.kind, item.why) for item in result.parked] == [(ParkedKind.DECISION, ParkedWhy.UNFIT)]
    assert outcome_of(taken, same).run.decisions == taken.run.decisions


def test_decisions_that_became_one_are_taken_once():
    taken = APPROVED.with_decision("raad-akkoord", by=MARIAM)
    plan = version(PLAN, decisions=(*PLAN.decisions, replace(PLAN.decisions[1], id="ook-akkoord")))
    both = moved(taken, plan).with_decision("ook-akkoord")
    merged = version(
        PLAN,
        "3.0.0",
        since="2.0.0",
        moved=[
            ("decisions.raad-akkoord", "decisions.raad-akkoord"),
            ("decisions.ook-akkoord", "decisions.raad-akkoord"),
        ],
    )

    after = moved(both, merged)

    assert [decision.decision for decision in after.run.decisions] == ["raad-akkoord"]
    assert [(item.kind, item.why) for item in after.run.parked] == [(ParkedKind.DECISION, MERGED)]


DOMAINS = (
    a_run(domains=("wonen", "werk"))
    .with_stage_approved(HERE)
    .with_stage_approved("visie.1")
    .with_stage("beleid.werk.1")
    .with_step_done("beleid.werk.1", "schrijven")
    .with_stage("beleid.wonen.1")
    .with_decision("bestaand-volstaat", "werk")
)
WITHOUT_WORK = version(PLAN, domains=tuple(domain for domain in PLAN.domains if domain.id != "werk"))


def test_domain_that_is_gone_takes_its_stages_and_decisions_aside():
    after = moved(DOMAINS, WITHOUT_WORK)

    assert after.run.domains == ("wonen",)
    assert {str(at) for at in after.run.stages} == {HERE, "visie.1", "beleid.wonen.1"}
    assert {(item.kind, item.why) for item in after.run.parked} == {
        (ANSWER, GONE),
        (ParkedKind.STAGE, GONE),
        (ParkedKind.DECISION, GONE),
    }


def test_work_that_becomes_work_per_domain_is_parked():
    after = moved(APPROVED, version(with_stage(PLAN, "verkennen", is_per_domain=True)))

    assert after.run.stages == {}
    assert account(after.run) == account(APPROVED.run)


@pytest.mark.parametrize(
    ("question", "changes"),
    [("naam", {"type": QuestionType.DATE}), ("is-er-visie", {"options": VERKENNEN.steps[0].questions[2].options[1:]})],
)
def test_answer_that_does_not_fit_is_parked_and_its_step_is_looked_at_again(question: str, changes: dict[str, Any]):
    result = outcome_of(FILLED, changed(PLAN, f"{OVERVIEW}/{question}", **changes))

    assert (ANSWER, ParkedWhy.UNFIT, f"{HERE}/overzicht/{question}") in parked(result)
    assert result.look_again == ((ref(HERE), "overzicht"),)


# --- moved to another stage ------------------------------------------------------------------------------------


TWO = a_plan(
    a_stage("een", a_step("x", a_question("a", is_required=True), a_question("b")), a_step("rest")),
    a_stage("twee", a_step("y", a_question("c"))),
)


def two_stages() -> RunBuilder:
    return (
        a_run(TWO)
        .with_stage("een.1", by=BRAM)
        .with_step_done("een.1", "x", by=BRAM)
        .with_stage("twee.1")
        .with_step_done("twee.1", "y")
    )


QUESTION_MOVED = version(
    adding(without(TWO, "een/x/a"), "twee/y", a_question("a", is_required=True)), moved=[("een/x/a", "twee/y/a")]
)


def test_answer_goes_along_to_another_stage_with_the_people_who_worked_on_it():
    after = moved(two_stages(), QUESTION_MOVED)

    assert commitments(after, "twee.1", "y").keys() == {"a", "c"}
    assert after.state("twee.1", "y").status is StepStatus.COMPLETED
    assert after.instance("twee.1").contributors == (ANNA, BRAM)
    assert after.instance("een.1").contributors == (BRAM,)


def test_step_goes_along_to_another_stage_as_it_is():
    plan = version(adding(without(TWO, "een/x"), "twee", TWO.stage("een").step("x")), moved=[("een/x", "twee/x")])
    built = two_stages().with_evidence("een.1", "x", id="e", by=BRAM)
    after = moved(built, plan)

    assert commitments(after, "twee.1", "x") == commitments(built, "een.1", "x")
    assert [item.id for item in after.state("twee.1", "x").evidence] == ["e"]
    assert BRAM in after.instance("twee.1").contributors


def test_answer_that_moves_to_a_stage_that_was_not_begun_is_set_aside():
    begun = a_run(TWO).with_stage("een.1").with_step_done("een.1", "x")

    assert parked(moved(begun, QUESTION_MOVED)) == [(ANSWER, ParkedWhy.NOT_BEGUN, "een.1/x/a")]


def test_emptied_answer_touches_nothing_elsewhere():
    emptied = a_run(TWO).with_stage("een.1", by=BRAM).with_answers("een.1", "x", {"a": "z"}, by=BRAM)
    emptied = emptied.with_answers("een.1", "x", {"a": ""}, by=BRAM).with_stage("twee.1")

    assert moved(emptied, QUESTION_MOVED).instance("twee.1") == emptied.instance("twee.1")


def test_step_is_not_finished_by_an_answer_that_comes_from_a_finished_one():
    plan = version(
        adding(without(TWO, "een/x/a"), "een/rest", a_question("a", is_required=True)),
        moved=[("een/x/a", "een/rest/a")],
    )

    after = moved(a_run(TWO).with_stage("een.1").with_step_done("een.1", "x"), plan)

    assert after.state("een.1", "rest").status is StepStatus.BUSY


def test_answer_from_an_unfinished_step_makes_a_finished_one_be_looked_at_again():
    built = (
        a_run(TWO)
        .with_stage("een.1")
        .with_answers("een.1", "x", {"b": "half"})
        .with_stage("twee.1")
        .with_step_done("twee.1", "y")
    )
    plan = version(adding(without(TWO, "een/x/b"), "twee/y", a_question("b")), moved=[("een/x/b", "twee/y/b")])

    assert outcome_of(built, plan).look_again == ((ref("twee.1"), "y"),)


# --- split and merged ------------------------------------------------------------------------------------------


WHOLE = a_plan(
    a_stage(
        "s",
        a_step(
            "x",
            a_question("a", is_required=True),
            a_question("b", is_required=True),
            evidence=(EvidenceDemand("verslag"), EvidenceDemand("foto")),
        ),
    )
)
PIECES = version(
    with_stage(
        WHOLE,
        "s",
        steps=(
            replace(
                WHOLE.stage("s").steps[0],
                questions=(a_question("a", is_required=True),),
                evidence=(EvidenceDemand("foto"),),
            ),
            replace(
                WHOLE.stage("s").steps[0],
                id="w",
                questions=(a_question("b", is_required=True),),
                evidence=(EvidenceDemand("verslag"),),
            ),
        ),
    ),
    moved=[("s/x", "s/x"), ("s/x", "s/w")],
)


def test_split_step_gives_each_piece_its_answers_and_the_evidence_that_it_asks_for():
    done = a_run(WHOLE).with_stage("s.1").with_step_done("s.1", "x").with_evidence("s.1", "x", "besluit", id="ander")
    after = moved(done, PIECES)

    assert commitments(after, "s.1", "x").keys() == {"a"}
    assert commitments(after, "s.1", "w").keys() == {"b"}
    assert [item.kind for item in after.state("s.1", "w").evidence] == ["verslag"]
    assert [item.kind for item in after.state("s.1", "x").evidence] == ["foto", "besluit"]
    assert {state.status for state in after.instance("s.1").steps.values()} == {StepStatus.COMPLETED}


def test_finding_about_a_split_step_stands_at_every_piece():
    asked = a_run(WHOLE).with_work_done("s.1").with_request("s.1").with_sent_back("s.1", {"x": "let op"})
    after = moved(asked, PIECES)

    assert [after.state("s.1", id).finding for id in ("x", "w")] == ["let op", "let op"]
    assert {state.status for state in after.instance("s.1").steps.values()} == {StepStatus.REVISIT}
    assert after.run.parked == ()


APART = a_plan(
    a_stage(
        "s",
        a_step("x", a_question("a"), a_question("q", is_required=True)),
        a_step("y", a_question("b"), a_question("q")),
        a_step("z"),
    )
)
TOGETHER = version(
    with_stage(
        APART,
        "s",
        steps=(
            replace(
                APART.stage("s").steps[0],
                questions=(a_question("a"), a_question("q", is_required=True), a_question("b")),
            ),
            APART.stage("s").steps[2],
        ),
    ),
    moved=[("s/x", "s/x"), ("s/y", "s/x")],
)


def apart() -> RunBuilder:
    return (
        a_run(APART)
        .with_stage("s.1")
        .with_answers("s.1", "x", {"a": "1", "q": "van x"})
        .with_answers("s.1", "y", {"b": "2", "q": "van y"})
        .with_evidence("s.1", "x", id="ex")
        .with_evidence("s.1", "y", id="ey")
    )


def test_merged_steps_bring_everything_and_of_two_answers_the_first_goes_along():
    done = apart().with_step_completed("s.1", "x").with_step_completed("s.1", "y")
    after = moved(done, TOGETHER)

    assert commitments(after, "s.1", "x").keys() == {"a", "b", "q"}
    assert commitments(after, "s.1", "x")["q"] == commitments(done, "s.1", "x")["q"]
    assert [item.id for item in after.state("s.1", "x").evidence] == ["ex", "ey"]
    assert parked(after) == [(ANSWER, MERGED, "s.1/y/q")]
    assert after.state("s.1", "x").status is StepStatus.REVISIT


def test_merged_step_is_finished_only_if_all_of_it_was():
    plan = a_plan(a_stage("s", a_step("x", a_question("a")), a_step("y", a_question("b"))))
    whole = replace(plan.stage("s").steps[0], questions=(a_question("a"), a_question("b")))
    newer = version(with_stage(plan, "s", steps=(whole,)), moved=[("s/x", "s/x"), ("s/y", "s/x")])
    one = a_run(plan).with_stage("s.1").with_step_done("s.1", "x")

    assert moved(one, newer).state("s.1", "x").status is StepStatus.BUSY
    both = moved(one.with_step_done("s.1", "y"), newer)
    assert both.state("s.1", "x").status is StepStatus.COMPLETED


def test_second_finding_of_merged_steps_is_parked():
    asked = (
        apart()
        .with_step_completed("s.1", "x")
        .with_step_completed("s.1", "y")
        .with_step_completed("s.1", "z")
        .with_request("s.1")
        .with_sent_back("s.1", {"x": "over x", "y": "over y"})
    )
    after = moved(asked, TOGETHER)

    assert after.state("s.1", "x").finding == "over x"
    assert (TEXT, MERGED, "s.1/y/over y") in parked(after)


def test_of_questions_that_became_one_the_first_that_the_author_names_goes_along():
    newer = version(without(TWO, "een/x/b"), moved=[("een/x/b", "een/x/a"), ("een/x/a", "een/x/a")])
    built = a_run(TWO).with_stage("een.1").with_answers("een.1", "x", {"a": "1", "b": "2"})

    after = moved(built, newer)

    assert commitments(after, "een.1", "x") == {"a": commitments(built, "een.1", "x")["b"]}
    assert parked(after) == [(ANSWER, MERGED, "een.1/x/a")]


# --- rounds and skips ------------------------------------------------------------------------------------------


def test_finished_round_keeps_its_words_and_its_status():
    two_rounds = APPROVED.with_stage("verkennen.2")
    newer = version(
        with_part(without(PLAN, f"{OVERVIEW}/inbreng"), f"{OVERVIEW}/naam", text=text("Hoe heet het nu?")),
        grounds=PLAN.grounds,
    )
    after = moved(two_rounds, newer)

    before, now = two_rounds.instance(HERE), after.instance(HERE)
    assert (now.status, now.approvals, now.changed_since_approval) == (StageStatus.APPROVED, before.approvals, False)
    assert now.step("overzicht").status is StepStatus.COMPLETED
    assert set(parked(after)) == {
        (ANSWER, GONE, f"{HERE}/overzicht/inbreng"),
        (ANSWER, ParkedWhy.CLOSED, f"{HERE}/overzicht/naam"),
    }


def test_nothing_comes_into_a_finished_round_from_elsewhere():
    plan = a_plan(
        a_stage("een", a_step("x", a_question("a"))), a_stage("twee", a_step("y", a_question("c")), is_repeatable=True)
    )
    newer = version(adding(without(plan, "een/x/a"), "twee/y", a_question("a")), moved=[("een/x/a", "twee/y/a")])
    built = (
        a_run(plan).with_stage("een.1").with_step_done("een.1", "x").with_stage_approved("twee.1").with_stage("twee.2")
    )

    after = moved(built, newer)

    assert after.instance("twee.1") == built.instance("twee.1")
    assert parked(after) == [(ANSWER, ParkedWhy.CLOSED, "een.1/x/a")]


MUST_BE_DONE = changed(PLAN, "werkgroep", is_optional=False)


def test_skipped_stage_that_must_be_done_after_all_is_not_begun_again():
    skipped = a_run().with_skip("werkgroep.1", reason="niet nodig")
    after = moved(skipped, MUST_BE_DONE)

    assert ref("werkgroep.1") not in after.run.stages
    assert parked(after) == [(TEXT, GONE, "werkgroep.1/niet nodig")]
    assert after.with_stage("werkgroep.1").instance("werkgroep.1").status is StageStatus.OPEN


def test_skipped_stage_that_was_begun_goes_on_if_it_must_be_done_after_all():
    skipped = a_run().with_stage("werkgroep.1").with_step_done("werkgroep.1", "samenstellen").with_skip("werkgroep.1")
    after = moved(skipped, MUST_BE_DONE)

    assert after.instance("werkgroep.1").status is StageStatus.OPEN
    assert after.instance("werkgroep.1").steps == skipped.instance("werkgroep.1").steps


def test_skipped_stage_that_may_be_skipped_stays_skipped():
    skipped = a_run().with_skip("werkgroep.1")

    assert moved(skipped, version(PLAN)).instance("werkgroep.1") == skipped.instance("werkgroep.1")


def test_skipped_round_before_a_later_one_is_history():
    plan = a_plan(a_stage("s", a_step("x"), is_optional=True, is_repeatable=True))
    built = a_run(plan).with_skip("s.1").with_stage("s.2")
    after = moved(built, changed(plan, "s", is_optional=False))

    assert after.run.stages == built.run.stages


# --- four eyes on the outcome ----------------------------------------------------------------------------------


def test_digest_is_the_same_for_the_same_outcome_and_another_for_another():
    one = outcome_of(FILLED, ANOTHER_NAME)
    other_id = outcome_of(FILLED, ANOTHER_NAME, move="n")
    kept = outcome_of(FILLED, ANOTHER_NAME, choices={f"{HERE}/overzicht/naam": "keep"})
    more = outcome_of(FILLED.with_answers(HERE, "gesprekken", {"verslag": "x"}), ANOTHER_NAME)

    assert one.digest == other_id.digest
    assert len({one.digest, kept.digest, more.digest}) == 3


def test_statement_that_moves_to_another_stage_takes_its_answer_along():
    plan = a_plan(
        a_stage("een", a_step("x"), statements=(a_statement("st", "inkomen"), a_statement("su", "inkomen"))),
        a_stage("twee", a_step("y")),
    )
    newer = version(
        adding(without(plan, "een/checklist/st"), "twee/checklist", a_statement("st", "inkomen")),
        moved=[("een/checklist/st", "twee/checklist/st")],
    )
    built = (
        a_run(plan).with_stage("een.1").with_stage("twee.1").with_answers("een.1", CHECKLIST, {"st": {"grade": "no"}})
    )

    after = moved(built, newer)

    assert after.state("twee.1", CHECKLIST).choices("st") == ("no",)
    assert after.state("twee.1", CHECKLIST).status is StepStatus.BUSY


def test_everything_is_accounted_for_when_a_plan_is_turned_over() -> None:
    plan: StepPlan = version(with_step(without(PLAN, "visie"), OVERVIEW, questions=()))
    built = DOMAINS.with_decision("raad-akkoord")

    assert account(moved(built, plan).run) == account(built.run)
