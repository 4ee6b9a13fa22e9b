"""Every kind of difference, and the class it falls in: what it asks of people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.engine.definition import (
    CHECKLIST,
    Column,
    Condition,
    Domain,
    EvidenceDemand,
    Ground,
    Option,
    QuestionType,
    Source,
    StepPlan,
    Text,
)
from app.engine.run_migration.compare import ChangeClass, PartKind, What, compare
from tests.builders import (
    PLAN,
    a_gate,
    a_plan,
    a_question,
    a_stage,
    a_statement,
    a_step,
    an_item,
    text,
)
from tests.engine.run_migration.moving import adding, changed, heaviest, the_change, version, with_question, without

COSMETIC, SAFE = ChangeClass.COSMETIC, ChangeClass.SAFE
AGAIN, APPROVE = ChangeClass.ANSWER_AGAIN, ChangeClass.APPROVE_AGAIN

OVERVIEW = "verkennen/overzicht"
NAME = f"{OVERVIEW}/naam"
CHOICE = f"{OVERVIEW}/is-er-visie"
NUMBER = f"{OVERVIEW}/aantal"
TABLE = f"{OVERVIEW}/inbreng"
COLUMNS = PLAN.stage("verkennen").step("overzicht").question("inbreng").columns
OPTIONS = PLAN.stage("verkennen").step("overzicht").question("is-er-visie").options


def test_same_plan_under_another_number_has_no_differences():
    assert compare([PLAN, version(PLAN)]).changes == ()


def test_comparing_takes_two_versions():
    with pytest.raises(ValueError, match="two versions"):
        compare([PLAN])


# --- a question ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "changes", "name", "weight"),
    [
        (NAME, {"text": text("Andere vraag")}, "text", AGAIN),
        (NAME, {"text": Text("Naam", {"en": "Name"})}, "text", SAFE),
        (NAME, {"type": QuestionType.LONG_TEXT}, "type", AGAIN),
        (NAME, {"type": QuestionType.NUMBER}, "type", AGAIN),
        (NAME, {"is_required": False}, "required", SAFE),
        (f"{OVERVIEW}/toelichting", {"is_required": True}, "required", AGAIN),
        (NAME, {"help": text("Zo doet u dat.")}, "help", SAFE),
        (NAME, {"sources": ("S1",)}, "sources", SAFE),
        (NAME, {"ground": "inkomen"}, "ground", AGAIN),
        (CHOICE, {"options": (*OPTIONS, Option("anders", text("Anders")))}, "options", AGAIN),
        (CHOICE, {"options": OPTIONS[:2]}, "options", AGAIN),
        (CHOICE, {"options": (Option("ja", text("Zeker")), *OPTIONS[1:])}, "option", AGAIN),
        (NUMBER, {"unit": text("mensen")}, "unit", AGAIN),
        (NUMBER, {"minimum": 5}, "minimum", AGAIN),
        (NUMBER, {"minimum": -5}, "minimum", SAFE),
        (NUMBER, {"minimum": None}, "minimum", SAFE),
        (NUMBER, {"maximum": 5}, "maximum", AGAIN),
        (NUMBER, {"maximum": 2_000_000}, "maximum", SAFE),
        (NUMBER, {"maximum": None}, "maximum", SAFE),
        (TABLE, {"rows_min": 2}, "rows_min", AGAIN),
        (TABLE, {"rows_min": 0}, "rows_min", SAFE),
        (TABLE, {"columns": COLUMNS[:3]}, "columns", AGAIN),
        (TABLE, {"columns": (replace(COLUMNS[0], title=text("Welk")), *COLUMNS[1:])}, "column", AGAIN),
        (TABLE, {"columns": (replace(COLUMNS[0], is_required=False), *COLUMNS[1:])}, "columns", AGAIN),
        (f"{OVERVIEW}/waarom-zoveel", {"shown_when": None}, "shown_when", AGAIN),
        (f"{OVERVIEW}/toelichting", {"shown_when": Condition("naam")}, "shown_when", AGAIN),
    ],
)
def test_difference_in_a_question_has_its_class(path: str, changes: dict[str, Any], name: str, weight: ChangeClass):
    change = the_change(PLAN, changed(PLAN, path, **changes))

    assert (change.kind, change.what, change.before, change.after) == (PartKind.QUESTION, What.CHANGED, path, path)
    assert [(d.name, d.change_class) for d in change.differences] == [(name, weight)]
    assert change.change_class is weight


def test_a_limit_where_there_was_none_asks_again():
    plan = a_plan(a_stage("s", a_step("x", a_question("n", QuestionType.NUMBER))))

    assert heaviest(plan, changed(plan, "s/x/n", minimum=1)) is AGAIN
    assert heaviest(plan, changed(plan, "s/x/n", maximum=1)) is AGAIN


def test_words_of_an_option_in_a_column_ask_again():
    outcome = COLUMNS[3]
    other = replace(outcome, options=(replace(outcome.options[0], title=text("Benut")), outcome.options[1]))

    assert heaviest(PLAN, changed(PLAN, TABLE, columns=(*COLUMNS[:3], other))) is AGAIN


def test_heaviest_difference_decides_and_all_are_told():
    change = the_change(PLAN, changed(PLAN, NAME, text=text("Anders"), help=text("Hulp")))

    assert [(d.name, d.before, d.after) for d in change.differences] == [
        ("text", "Naam", "Anders"),
        ("help", "", "Hulp"),
    ]
    assert change.change_class is AGAIN


@pytest.mark.parametrize(
    ("is_required", "weight"),
    [(True, AGAIN), (False, SAFE)],
)
def test_added_question_asks_only_if_it_is_required(is_required: bool, weight: ChangeClass):
    newer = version(adding(PLAN, OVERVIEW, a_question("extra", is_required=is_required)))

    change = the_change(PLAN, newer)

    assert (change.kind, change.what, change.before, change.after) == (
        PartKind.QUESTION,
        What.ADDED,
        None,
        f"{OVERVIEW}/extra",
    )
    assert change.change_class is weight


def test_removed_question_asks_nothing():
    change = the_change(PLAN, version(without(PLAN, f"{OVERVIEW}/inbreng")))

    assert (change.what, change.before, change.after) == (What.REMOVED, f"{OVERVIEW}/inbreng", None)
    assert change.change_class is SAFE


def test_renamed_question_is_moved_and_asks_nothing():
    change = the_change(PLAN, changed(PLAN, NAME, id="titel"))

    assert (change.what, change.before, change.after) == (What.MOVED, NAME, f"{OVERVIEW}/titel")
    assert change.change_class is SAFE


def test_other_name_without_a_word_is_another_question():
    newer = version(with_question(PLAN, NAME, id="titel"))

    assert [(c.what, c.change_class) for c in compare([PLAN, newer]).changes] == [
        (What.ADDED, AGAIN),
        (What.REMOVED, SAFE),
    ]


def test_condition_on_a_renamed_question_is_the_same_condition():
    plan = a_plan(
        a_stage("s", a_step("x", a_question("a"), a_question("b", shown_when=Condition("a")), a_question("c")))
    )
    renamed = with_question(with_question(plan, "s/x/a", id="z"), "s/x/b", shown_when=Condition("z"))

    newer = version(renamed, moved=[("s/x/a", "s/x/z")])

    assert [(c.what, c.after) for c in compare([plan, newer]).changes] == [(What.MOVED, "s/x/z")]


def test_questions_that_became_one_are_asked_again_whatever_they_say():
    newer = version(without(PLAN, f"{OVERVIEW}/toelichting"), moved=[(NAME, NAME), (f"{OVERVIEW}/toelichting", NAME)])

    change = the_change(PLAN, newer)

    assert (change.what, change.before) == (What.MERGED, f"{NAME}, {OVERVIEW}/toelichting")
    assert change.change_class is AGAIN


# --- cosmetic --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        (NAME, {"text": text("Naam?")}),
        (CHOICE, {"options": (Option("ja", text("Ja!")), *OPTIONS[1:])}),
        (TABLE, {"columns": (replace(COLUMNS[0], title=text("Wat?")), *COLUMNS[1:])}),
        (OVERVIEW, {"title": text("Het overzicht")}),
        (OVERVIEW, {"goal": an_item("Het doel van overzicht.")}),
        ("verkennen", {"title": text("Het verkennen")}),
        ("verkennen", {"goal": an_item("Het doel.")}),
        (f"verkennen/{CHECKLIST}/rondkomen", {"text": text("We weten dit.")}),
    ],
)
def test_other_words_are_cosmetic_only_if_the_author_says_so(path: str, changes: dict[str, Any]):
    assert heaviest(PLAN, changed(PLAN, path, **changes)) >= AGAIN
    assert heaviest(PLAN, changed(PLAN, path, cosmetic=[path], **changes)) is COSMETIC


def test_saying_that_words_are_cosmetic_covers_words_only():
    assert heaviest(PLAN, changed(PLAN, NAME, type=QuestionType.NUMBER, cosmetic=[NAME])) is AGAIN
    assert heaviest(PLAN, changed(PLAN, CHOICE, options=OPTIONS[:2], cosmetic=[CHOICE])) is AGAIN
    assert heaviest(PLAN, changed(PLAN, "verkennen", gate=a_gate(approvals=2), cosmetic=["verkennen"])) is APPROVE


def reworded(plan: StepPlan, number: str, words: str, *, is_cosmetic: bool) -> StepPlan:
    return changed(plan, NAME, number=number, text=text(words), cosmetic=[NAME] if is_cosmetic else [])


@pytest.mark.parametrize(
    ("first", "second", "weight"),
    [(True, True, COSMETIC), (True, False, AGAIN), (False, True, AGAIN), (False, False, AGAIN)],
)
def test_words_are_cosmetic_over_versions_only_if_each_version_says_so(first: bool, second: bool, weight: ChangeClass):
    one = reworded(PLAN, "1.1.0", "Naam?", is_cosmetic=first)
    two = reworded(one, "2.0.0", "Welke naam?", is_cosmetic=second)

    assert heaviest(PLAN, one, two) is weight


def test_version_that_left_the_words_alone_need_not_say_so():
    one = changed(PLAN, NAME, number="1.1.0", help=text("Hulp"))
    two = reworded(one, "2.0.0", "Naam?", is_cosmetic=True)

    assert heaviest(PLAN, one, two) is SAFE
    (words,) = (d for d in the_change(PLAN, one, two).differences if d.name == "text")
    assert words.change_class is COSMETIC


def test_words_that_are_as_they_were_are_no_difference():
    there = reworded(PLAN, "1.1.0", "Heel anders", is_cosmetic=False)
    back = reworded(there, "2.0.0", "Naam", is_cosmetic=False)

    assert compare([PLAN, there, back]).changes == ()


def test_cosmetic_words_follow_a_part_to_its_new_name():
    one = changed(PLAN, NAME, number="1.1.0", id="titel", text=text("Titel"))
    two = changed(one, f"{OVERVIEW}/titel", number="2.0.0", text=text("De titel"), cosmetic=[f"{OVERVIEW}/titel"])

    assert heaviest(PLAN, one, two) is AGAIN

    said = replace(one, changes=replace(one.changes, cosmetic=frozenset([f"{OVERVIEW}/titel"])))  # type: ignore[type-var]
    assert heaviest(PLAN, said, two) is COSMETIC


# --- the checklist ---------------------------------------------------------------------------------------------


def test_statements_are_told_as_such():
    path = f"verkennen/{CHECKLIST}/rondkomen"

    assert the_change(PLAN, changed(PLAN, path, text=text("Anders"))).kind is PartKind.STATEMENT
    added = the_change(PLAN, version(adding(PLAN, f"verkennen/{CHECKLIST}", a_statement("nieuw", "inkomen"))))
    assert (added.kind, added.what, added.change_class) == (PartKind.STATEMENT, What.ADDED, AGAIN)
    removed = the_change(PLAN, version(without(PLAN, path)))
    assert (removed.kind, removed.what, removed.change_class) == (PartKind.STATEMENT, What.REMOVED, SAFE)
    renamed = the_change(PLAN, changed(PLAN, path, id="geld"))
    assert (renamed.kind, renamed.what, renamed.change_class) == (PartKind.STATEMENT, What.MOVED, SAFE)


def test_statement_about_another_ground_asks_again():
    assert heaviest(PLAN, changed(PLAN, f"verkennen/{CHECKLIST}/rondkomen", ground="leeftijd")) is AGAIN


def test_whole_checklist_that_is_gone_is_told_once():
    change = the_change(PLAN, version(without(PLAN, f"verkennen/{CHECKLIST}")))

    assert (change.kind, change.what, change.before) == (PartKind.STEP, What.REMOVED, f"verkennen/{CHECKLIST}")


# --- a step ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "name", "weight"),
    [
        ({"title": text("Anders")}, "title", AGAIN),
        ({"goal": an_item("Anders.")}, "goal", AGAIN),
        ({"is_required": False}, "required", SAFE),
        ({"explanation": (an_item("Uitleg."),)}, "explanation", SAFE),
        ({"examples": (an_item("Voorbeeld."),)}, "examples", SAFE),
        ({"pitfalls": (an_item("Valkuil."),)}, "pitfalls", SAFE),
    ],
)
def test_difference_in_a_step_has_its_class(changes: dict[str, Any], name: str, weight: ChangeClass):
    change = the_change(PLAN, changed(PLAN, OVERVIEW, **changes))

    assert (change.kind, change.what, change.after) == (PartKind.STEP, What.CHANGED, OVERVIEW)
    assert [(d.name, d.change_class) for d in change.differences] == [(name, weight)]


def test_step_that_becomes_required_asks_again():
    assert heaviest(PLAN, changed(PLAN, "verkennen/gesprekken", is_required=True)) is AGAIN


@pytest.mark.parametrize(("is_required", "weight"), [(True, AGAIN), (False, SAFE)])
def test_added_step_asks_only_if_it_is_required_and_is_told_once(is_required: bool, weight: ChangeClass):
    step = a_step("nieuw", a_question("q", is_required=True), is_required=is_required)

    change = the_change(PLAN, version(adding(PLAN, "verkennen", step)))

    assert (change.kind, change.what, change.after, change.change_class) == (
        PartKind.STEP,
        What.ADDED,
        "verkennen/nieuw",
        weight,
    )


def test_removed_step_asks_nothing_and_is_told_once():
    change = the_change(PLAN, version(without(PLAN, "verkennen/gesprekken")))

    assert (change.kind, change.what, change.change_class) == (PartKind.STEP, What.REMOVED, SAFE)


def test_renamed_step_takes_its_questions_along_without_a_word_about_them():
    change = the_change(PLAN, changed(PLAN, OVERVIEW, id="beeld"))

    assert (change.kind, change.what, change.before, change.after) == (
        PartKind.STEP,
        What.MOVED,
        OVERVIEW,
        "verkennen/beeld",
    )
    assert change.change_class is SAFE


SPLIT = a_plan(a_stage("s", a_step("x", a_question("a"), a_question("b")), a_step("y")))


def split(*, second: str = "Deel", cosmetic: tuple[str, ...] = ()) -> StepPlan:
    steps = (
        replace(SPLIT.stage("s").step("x"), questions=(a_question("a"),)),
        replace(SPLIT.stage("s").step("x"), id="deel", title=text(second), questions=(a_question("b"),)),
        SPLIT.stage("s").step("y"),
    )
    stages = (replace(SPLIT.stage("s"), steps=steps),)
    return version(replace(SPLIT, stages=stages), moved=[("s/x", "s/x"), ("s/x", "s/deel")], cosmetic=cosmetic)


def test_split_step_is_told_at_each_piece_and_its_questions_are_not_new():
    changes = compare([SPLIT, split()]).changes

    assert [(c.kind, c.what, c.before, c.after) for c in changes if c.kind is PartKind.STEP] == [
        (PartKind.STEP, What.SPLIT, "s/x", "s/x"),
        (PartKind.STEP, What.SPLIT, "s/x", "s/deel"),
    ]
    assert {c.what for c in changes} <= {What.SPLIT, What.MOVED}


def test_piece_of_a_split_step_with_words_of_its_own_asks_again_unless_they_mean_the_same():
    weights = {c.after: c.change_class for c in compare([SPLIT, split()]).changes if c.kind is PartKind.STEP}
    said = {
        c.after: c.change_class
        for c in compare([SPLIT, split(cosmetic=("s/deel",))]).changes
        if c.kind is PartKind.STEP
    }

    assert weights == {"s/x": SAFE, "s/deel": AGAIN}
    assert said == {"s/x": SAFE, "s/deel": COSMETIC}


def test_merged_steps_that_keep_the_words_of_one_ask_nothing_of_themselves():
    whole = replace(SPLIT.stage("s").step("x"), is_required=True)
    plan = replace(SPLIT, stages=(replace(SPLIT.stage("s"), steps=(whole,)),))

    change = the_change(SPLIT, version(plan, moved=[("s/x", "s/x"), ("s/y", "s/x")]))

    assert (change.what, change.before, change.after) == (What.MERGED, "s/x, s/y", "s/x")
    assert change.change_class is SAFE


def test_merged_steps_in_words_of_their_own_ask_again():
    whole = replace(SPLIT.stage("s").step("x"), title=text("Samen"))
    plan = replace(SPLIT, stages=(replace(SPLIT.stage("s"), steps=(whole,)),))

    assert heaviest(SPLIT, version(plan, moved=[("s/x", "s/x"), ("s/y", "s/x")])) is AGAIN


# --- evidence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "what", "weight"),
    [
        (
            (EvidenceDemand("verslag"), EvidenceDemand("besluit", may_be_link=False), EvidenceDemand("foto")),
            "added",
            AGAIN,
        ),
        ((EvidenceDemand("verslag"),), "removed", SAFE),
        ((EvidenceDemand("verslag", minimum=2), EvidenceDemand("besluit", may_be_link=False)), "changed", AGAIN),
        (
            (EvidenceDemand("verslag", may_be_link=False), EvidenceDemand("besluit", may_be_link=False)),
            "changed",
            AGAIN,
        ),
        ((EvidenceDemand("verslag"), EvidenceDemand("besluit")), "changed", SAFE),
        (
            (EvidenceDemand("verslag", explanation=text("Dit.")), EvidenceDemand("besluit", may_be_link=False)),
            "changed",
            SAFE,
        ),
    ],
)
def test_difference_in_evidence_has_its_class(evidence: tuple[EvidenceDemand, ...], what: str, weight: ChangeClass):
    change = the_change(PLAN, changed(PLAN, OVERVIEW, evidence=evidence))

    assert (change.kind, change.what, change.change_class) == (PartKind.EVIDENCE, what, weight)


def test_fewer_pieces_of_evidence_ask_nothing():
    plan = a_plan(a_stage("s", a_step("x", evidence=(EvidenceDemand("verslag", minimum=3),))))

    assert heaviest(plan, changed(plan, "s/x", evidence=(EvidenceDemand("verslag", minimum=2),))) is SAFE


# --- a stage and its gate --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "name", "weight"),
    [
        ({"title": text("Anders")}, "title", APPROVE),
        ({"goal": an_item("Anders.")}, "goal", APPROVE),
        ({"why": an_item("Anders.")}, "why", SAFE),
        ({"tips": (an_item("Tip."),)}, "tips", SAFE),
        ({"advised_after": ()}, "advised_after", SAFE),
        ({"is_continuous": False}, "is_continuous", SAFE),
        ({"is_repeatable": False}, "is_repeatable", SAFE),
        ({"is_optional": True}, "optional", SAFE),
    ],
)
def test_difference_in_a_stage_has_its_class(changes: dict[str, Any], name: str, weight: ChangeClass):
    change = the_change(PLAN, changed(PLAN, "draagvlak", **changes))

    assert (change.kind, change.what, change.after) == (PartKind.STAGE, What.CHANGED, "draagvlak")
    assert [(d.name, d.change_class) for d in change.differences] == [(name, weight)]


def test_stage_that_must_be_done_after_all_asks_again():
    assert heaviest(PLAN, changed(PLAN, "werkgroep", is_optional=False)) is AGAIN


@pytest.mark.parametrize(
    ("gate", "weight"),
    [
        (a_gate(approvals=2), APPROVE),
        (a_gate(approvers=("manager", "council")), APPROVE),
        (a_gate("all_steps_completed"), APPROVE),
        (replace(a_gate(), question=an_item("Mag dit?")), APPROVE),
        (replace(a_gate(), explanation=(an_item("Let op."),)), SAFE),
    ],
)
def test_changed_gate_asks_for_approval_again(gate: Any, weight: ChangeClass):
    change = the_change(PLAN, changed(PLAN, "verkennen", gate=gate))

    assert (change.kind, change.change_class) == (PartKind.GATE, weight)


def test_gate_that_asks_less_is_a_changed_gate_too():
    assert heaviest(PLAN, changed(PLAN, "visie", gate=a_gate(approvals=1))) is APPROVE


@pytest.mark.parametrize(("is_optional", "weight"), [(True, SAFE), (False, AGAIN)])
def test_added_stage_is_told_once(is_optional: bool, weight: ChangeClass):
    stage = a_stage("nieuw", a_step("x", a_question("q", is_required=True)), is_optional=is_optional)

    change = the_change(PLAN, version(adding(PLAN, "", stage)))

    assert (change.kind, change.what, change.after, change.change_class) == (
        PartKind.STAGE,
        What.ADDED,
        "nieuw",
        weight,
    )


def test_removed_stage_is_told_once_and_renamed_stage_as_moved():
    removed = the_change(PLAN, version(without(PLAN, "werkgroep")))
    renamed = compare([PLAN, changed(PLAN, "verantwoorden", id="afsluiten")]).changes

    assert (removed.kind, removed.what, removed.before, removed.after) == (
        PartKind.STAGE,
        What.REMOVED,
        "werkgroep",
        None,
    )
    assert [(c.kind, c.what, c.after) for c in renamed] == [(PartKind.STAGE, What.MOVED, "afsluiten")]


def test_work_per_domain_is_another_stage():
    changes = compare([PLAN, changed(PLAN, "uitvoeren", is_per_domain=False)]).changes

    assert [(c.what, c.before, c.after) for c in changes] == [
        (What.ADDED, None, "uitvoeren"),
        (What.REMOVED, "uitvoeren", None),
    ]


# --- outside the stages ----------------------------------------------------------------------------------------


def test_new_ground_asks_again_and_one_that_is_gone_does_not():
    added = the_change(PLAN, version(PLAN, grounds=(*PLAN.grounds, Ground("taal", text("Taal")))))
    assert (added.kind, added.what, added.after, added.change_class) == (
        PartKind.GROUND,
        What.ADDED,
        "grounds.taal",
        AGAIN,
    )
    removed = the_change(PLAN, version(PLAN, grounds=PLAN.grounds[:2]))
    assert (removed.what, removed.change_class) == (What.REMOVED, SAFE)


def test_ground_with_another_title_is_another_ground_unless_only_the_words_changed():
    grounds = (replace(PLAN.grounds[0], title=text("Jong en oud")), *PLAN.grounds[1:])

    assert heaviest(PLAN, version(PLAN, grounds=grounds)) is AGAIN
    assert heaviest(PLAN, version(PLAN, grounds=grounds, cosmetic=["grounds.leeftijd"])) is COSMETIC


def test_decisions_are_told_by_what_happened_to_them():
    existing, council = PLAN.decisions
    other_title = version(PLAN, decisions=(replace(existing, title=text("Het volstaat")), council))
    other_role = version(PLAN, decisions=(replace(existing, taken_by=("policy_officer",)), council))
    renamed = version(
        PLAN,
        decisions=(existing, replace(council, id="akkoord")),
        moved=[("decisions.raad-akkoord", "decisions.akkoord")],
    )

    assert the_change(PLAN, other_title).change_class is APPROVE
    assert the_change(PLAN, other_role).change_class is APPROVE
    assert the_change(PLAN, version(PLAN, decisions=(council,))).what is What.REMOVED
    assert (the_change(PLAN, renamed).what, the_change(PLAN, renamed).change_class) == (What.MOVED, SAFE)


def test_everything_else_that_people_read_is_one_change_that_asks_nothing():
    newer = version(
        PLAN,
        title=text("Ander plan"),
        domains=(*PLAN.domains, Domain("zorg", text("Zorg"))),
        sources=(*PLAN.sources, Source("S2", "Nog een", "Uitgever", None)),
    )

    change = the_change(PLAN, newer)

    assert (change.kind, change.change_class) == (PartKind.GUIDANCE, SAFE)
    assert [d.name for d in change.differences] == ["title", "domains", "sources"]


# --- how it is told --------------------------------------------------------------------------------------------


def test_author_says_why():
    why = {NAME: text("Duidelijker"), f"{OVERVIEW}/inbreng": text("Vroeg te veel")}
    newer = version(without(with_question(PLAN, NAME, text=text("Anders")), f"{OVERVIEW}/inbreng"), reasons=why)

    assert [c.reason for c in compare([PLAN, newer]).changes] == [text("Duidelijker"), text("Vroeg te veel")]


def test_changes_are_counted_by_class():
    newer = version(with_question(without(PLAN, f"{OVERVIEW}/inbreng"), NAME, text=text("Anders")))

    assert compare([PLAN, newer]).counted() == {COSMETIC: 0, SAFE: 1, AGAIN: 1, APPROVE: 0}


def test_change_knows_its_stage_and_one_outside_the_stages_has_none():
    assert the_change(PLAN, changed(PLAN, NAME, text=text("Anders"))).stage == "verkennen"
    assert the_change(PLAN, version(without(PLAN, NAME))).stage == "verkennen"
    assert the_change(PLAN, version(PLAN, grounds=PLAN.grounds[:2])).stage == ""
    assert the_change(PLAN, version(PLAN, title=text("Ander plan"))).stage == ""


def test_values_are_shown_in_words():
    columns = (Column("wat", text("Wat"), QuestionType.LONG_TEXT, is_required=True),)
    found = {
        d.name: (d.before, d.after)
        for newer in (
            changed(PLAN, CHOICE, options=OPTIONS[:2]),
            changed(PLAN, NUMBER, minimum=0.5),
            changed(PLAN, TABLE, columns=columns),
            changed(PLAN, f"{OVERVIEW}/wie-kent-visie", shown_when=Condition("naam")),
            changed(PLAN, NAME, is_required=False),
        )
        for d in the_change(PLAN, newer).differences
    }

    assert found["options"] == ("ja\nnee\ndeels", "ja\nnee")
    assert found["minimum"] == ("0", "0.5")
    assert found["columns"][1] == "Wat (long_text, required)"
    assert found["shown_when"] == ("is-er-visie: ja, deels", "naam: *")
    assert found["required"] == ("true", "false")
