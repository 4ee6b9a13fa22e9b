"""What there is to choose per answer and per piece of evidence: proposed, allowed, and with or without a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.engine.definition import CHECKLIST, Column, Option, QuestionType, StepPlan
from app.engine.guards import NoSuchPart
from app.engine.run import ParkedKind, ParkedWhy
from app.engine.run_migration.compare import ChangeClass, compare
from app.engine.run_migration.items import Choice, Item, plan_run_migration
from app.engine.run_migration.moves import decide_outcome
from tests.builders import PLAN, RunBuilder, a_run, ref, text
from tests.engine.refusals import reasons, why_not
from tests.engine.run_migration.moving import adding, changed, planned, version, with_question, with_stage, without

OVERVIEW = "verkennen/overzicht"
HERE = "verkennen.1"
STEP = PLAN.stage("verkennen").step("overzicht")
KEEP, AGAIN, PARK = Choice.KEEP, Choice.AGAIN, Choice.PARK

FILLED = a_run().with_stage(HERE).with_step_done(HERE, "overzicht")


def the_item(question: str, newer: StepPlan, built: RunBuilder = FILLED) -> Item:
    (item,) = planned(built, newer).items
    assert item.id == f"{HERE}/overzicht/{question}"
    return item


def changed_question(id: str, **changes: Any) -> StepPlan:
    return changed(PLAN, f"{OVERVIEW}/{id}", **changes)


def test_answers_to_questions_that_did_not_change_are_no_items():
    assert planned(FILLED, version(PLAN)).items == ()
    assert planned(FILLED, version(without(PLAN, "verantwoorden"))).items == ()


def test_question_that_nobody_answered_is_no_item():
    begun = a_run().with_stage(HERE).with_answers(HERE, "overzicht", {"naam": ""})

    assert planned(begun, changed_question("naam", text=text("Anders"))).items == ()


@pytest.mark.parametrize(
    ("question", "changes"),
    [("naam", {"help": text("Hulp")}), ("naam", {"is_required": False}), ("aantal", {"minimum": -1})],
)
def test_answer_under_a_safe_change_is_kept_and_parking_it_takes_a_reason(question: str, changes: dict[str, Any]):
    item = the_item(question, changed_question(question, **changes))

    assert (item.proposed, item.allowed, item.needs_reason) == (KEEP, (KEEP, AGAIN, PARK), (PARK,))
    assert item.change_class is ChangeClass.SAFE


def test_answer_under_cosmetic_words_is_kept():
    newer = changed_question("naam", text=text("Naam?"), cosmetic=[f"{OVERVIEW}/naam"])

    assert (the_item("naam", newer).proposed, the_item("naam", newer).change_class) == (KEEP, ChangeClass.COSMETIC)


@pytest.mark.parametrize(
    ("question", "changes"),
    [
        ("naam", {"text": text("Anders")}),
        ("naam", {"ground": "inkomen"}),
        ("is-er-visie", {"options": (*STEP.question("is-er-visie").options, Option("x", text("X")))}),
        ("wie-kent-visie", {"shown_when": None}),
    ],
)
def test_answer_to_a_changed_question_is_asked_again_and_keeping_it_takes_a_reason(
    question: str, changes: dict[str, Any]
):
    item = the_item(question, changed_question(question, **changes))

    assert (item.proposed, item.allowed, item.needs_reason) == (AGAIN, (KEEP, AGAIN, PARK), (KEEP, PARK))


@pytest.mark.parametrize(
    ("question", "changes"),
    [
        ("aantal", {"minimum": 5}),
        ("aantal", {"unit": text("mensen")}),
        ("inbreng", {"rows_min": 3}),
        ("inbreng", {"columns": (*STEP.question("inbreng").columns, Column("x", text("X"), QuestionType.DATE))}),
        ("naam", {"type": QuestionType.LONG_TEXT}),
    ],
)
def test_answer_that_may_not_meet_the_changed_question_is_not_simply_kept(question: str, changes: dict[str, Any]):
    item = the_item(question, changed_question(question, **changes))

    assert (item.proposed, item.allowed, item.needs_reason) == (AGAIN, (AGAIN, PARK), (PARK,))


def test_whole_answer_to_a_question_that_became_required_is_kept():
    item = the_item("toelichting", changed_question("toelichting", is_required=True))

    assert (item.proposed, item.change_class) == (KEEP, ChangeClass.ANSWER_AGAIN)


def test_answer_that_lacks_something_is_not_kept_as_the_answer_to_a_changed_question():
    half = a_run().with_stage(HERE).with_answers(HERE, "overzicht", {"steun": {"grade": "not_applicable"}})

    assert the_item("steun", changed_question("steun", text=text("Anders")), half).allowed == (AGAIN, PARK)


@pytest.mark.parametrize(
    ("question", "changes"),
    [
        ("naam", {"type": QuestionType.NUMBER}),
        ("toelichting", {"type": QuestionType.SHORT_TEXT}),
        ("is-er-visie", {"options": STEP.question("is-er-visie").options[1:]}),
        ("wie-kent-visie", {"options": STEP.question("wie-kent-visie").options[:2]}),
        ("inbreng", {"columns": STEP.question("inbreng").columns[:2]}),
        (
            "inbreng",
            {
                "columns": (
                    replace(STEP.question("inbreng").columns[0], type=QuestionType.DATE),
                    *STEP.question("inbreng").columns[1:],
                )
            },
        ),
    ],
)
def test_answer_that_cannot_stand_under_the_changed_question_is_parked(question: str, changes: dict[str, Any]):
    item = the_item(question, changed_question(question, **changes))

    assert (item.proposed, item.allowed, item.needs_reason, item.why) == (PARK, (PARK,), (), ParkedWhy.UNFIT)
    assert item.to is None


def test_option_that_nobody_chose_can_go():
    newer = changed_question("is-er-visie", options=STEP.question("is-er-visie").options[:2])

    assert the_item("is-er-visie", newer).proposed is AGAIN


def test_answer_and_evidence_of_a_part_that_is_gone_are_parked():
    question = the_item("inbreng", version(without(PLAN, f"{OVERVIEW}/inbreng")))
    assert (question.proposed, question.allowed, question.why) == (PARK, (PARK,), ParkedWhy.GONE)
    assert question.change is not None
    assert question.change.before == f"{OVERVIEW}/inbreng"

    items = planned(FILLED, version(without(PLAN, OVERVIEW))).items
    assert {item.kind for item in items} == {ParkedKind.ANSWER, ParkedKind.EVIDENCE}
    assert {(item.why, item.proposed) for item in items} == {(ParkedWhy.GONE, PARK)}
    assert {item.change.before for item in items if item.change} == {OVERVIEW}


def test_evidence_of_a_kind_that_is_gone_is_parked():
    pictured = FILLED.with_evidence(HERE, "overzicht", "foto", id="f")
    newer = version(PLAN, evidence_kinds=PLAN.evidence_kinds[:2])

    assert [(item.kind, item.key, item.why) for item in planned(pictured, newer).items] == [
        (ParkedKind.EVIDENCE, "f", ParkedWhy.GONE)
    ]


def test_answer_to_a_question_that_moved_knows_its_new_place():
    newer = version(
        adding(without(PLAN, f"{OVERVIEW}/naam"), "verkennen/gesprekken", replace(STEP.question("naam"), id="titel")),
        moved=[(f"{OVERVIEW}/naam", "verkennen/gesprekken/titel")],
    )

    item = the_item("naam", newer)

    assert (item.to, item.to_key, item.proposed) == ((ref(HERE), "gesprekken"), "titel", KEEP)


def test_answer_that_moves_to_a_stage_that_was_not_begun_is_parked():
    newer = version(
        adding(without(PLAN, f"{OVERVIEW}/naam"), "visie/toetsen", STEP.question("naam")),
        moved=[(f"{OVERVIEW}/naam", "visie/toetsen/naam")],
    )

    assert the_item("naam", newer).why is ParkedWhy.NOT_BEGUN


def test_answers_about_a_ground_that_changed_are_asked_again():
    scored = FILLED.with_answers(HERE, CHECKLIST, {"rondkomen": {"grade": "yes"}, "jong-en-oud": {"grade": "no"}})
    grounds = tuple(replace(g, title=text("Geld")) if g.id == "inkomen" else g for g in PLAN.grounds)

    (item,) = planned(scored, version(PLAN, grounds=grounds)).items

    assert (item.key, item.proposed, item.change_class) == ("rondkomen", AGAIN, ChangeClass.ANSWER_AGAIN)


def test_ground_weighs_more_than_other_help_with_the_statement():
    scored = FILLED.with_answers(HERE, CHECKLIST, {"rondkomen": {"grade": "yes"}})
    grounds = tuple(replace(g, title=text("Geld")) if g.id == "inkomen" else g for g in PLAN.grounds)
    newer = version(with_question(PLAN, f"verkennen/{CHECKLIST}/rondkomen", help=text("Hulp")), grounds=grounds)

    (item,) = planned(scored, newer).items

    assert (item.proposed, item.change_class) == (AGAIN, ChangeClass.ANSWER_AGAIN)


# --- rounds that are over --------------------------------------------------------------------------------------


TWO_ROUNDS = a_run().with_stage_approved(HERE).with_stage("verkennen.2")


def test_answer_in_an_earlier_round_is_parked_where_its_question_changed():
    (item,) = planned(TWO_ROUNDS, changed_question("naam", text=text("Anders"))).items

    assert (item.ref, item.why, item.allowed) == (ref(HERE), ParkedWhy.CLOSED, (PARK,))


def test_answer_in_an_earlier_round_is_no_item_where_nothing_is_asked():
    assert planned(TWO_ROUNDS, changed_question("naam", help=text("Hulp"))).items == ()


# --- choosing --------------------------------------------------------------------------------------------------


def test_keeping_an_answer_to_a_changed_question_without_a_reason_is_refused():
    migration = planned(FILLED, changed_question("naam", text=text("Anders")))
    id = f"{HERE}/overzicht/naam"

    (reason,) = reasons(lambda: decide_outcome(migration, {id: "keep"}, {}, move="m"))

    assert (reason.code, reason.stage, reason.step, reason.question) == (
        "move_reason_missing",
        HERE,
        "overzicht",
        "naam",
    )
    assert decide_outcome(migration, {id: "keep"}, {id: "r"}, move="m").choices == {id: KEEP}
    assert decide_outcome(migration, {id: "again"}, {}, move="m").choices == {id: AGAIN}


@pytest.mark.parametrize("choice", ["keep", "again", "iets"])
def test_choice_that_is_not_allowed_is_refused(choice: str):
    migration = planned(FILLED, version(without(PLAN, f"{OVERVIEW}/inbreng")))

    assert why_not(lambda: decide_outcome(migration, {f"{HERE}/overzicht/inbreng": choice}, {}, move="m")) == [
        "move_choice_not_allowed"
    ]


def test_choice_about_nothing_is_not_found():
    with pytest.raises(NoSuchPart):
        decide_outcome(planned(FILLED, version(PLAN)), {f"{HERE}/overzicht/naam": "park"}, {}, move="m")


def test_request_for_approval_blocks_the_move():
    asked = a_run().with_work_done(HERE).with_request(HERE)
    migration = planned(asked, version(PLAN))

    assert [(reason.code, reason.stage) for reason in migration.blocked] == [("move_while_requested", HERE)]
    assert why_not(lambda: decide_outcome(migration, {}, {}, move="m")) == ["move_while_requested"]


def test_run_does_not_move_to_the_version_that_it_has():
    migration = plan_run_migration(FILLED.run, compare([PLAN, PLAN]))

    assert [reason.code for reason in migration.blocked] == ["move_to_same_version"]


def test_comparison_must_begin_with_the_version_of_the_run():
    newer = version(PLAN)

    with pytest.raises(ValueError, match="another version"):
        plan_run_migration(FILLED.run, compare([newer, version(with_stage(newer, "visie", is_optional=True), "3.0.0")]))


def test_item_is_found_by_its_id():
    migration = planned(FILLED, changed_question("naam", text=text("Anders")))

    assert migration.item(f"{HERE}/overzicht/naam") is migration.items[0]
    with pytest.raises(KeyError):
        migration.item("weg")
