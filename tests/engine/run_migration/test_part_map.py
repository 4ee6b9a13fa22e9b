"""Which part of a newer version takes the place of which: what the author declares, and else the same name."""

from __future__ import annotations

from dataclasses import replace

from app.engine.definition import StepPlan
from app.engine.run_migration.compare import compare
from app.engine.run_migration.part_map import map_parts
from tests.builders import PLAN, a_plan, a_question, a_stage, a_statement, a_step, text
from tests.engine.run_migration.moving import adding, changed, version, with_part, with_stage, without

S = a_stage(
    "s",
    a_step("x", a_question("a"), a_question("b")),
    a_step("y", a_question("b"), a_question("c")),
    statements=(a_statement("st", "leeftijd"),),
)
T = a_stage("t", a_step("z", a_question("a")), statements=(a_statement("su", "leeftijd"),))
U = a_stage("u", a_step("x", a_question("a")), is_per_domain=True)
OLD = a_plan(S, T, U)


def newer(*stages: object, moved: list[tuple[str, str]]) -> StepPlan:
    return version(replace(OLD, stages=stages), moved=moved)  # type: ignore[arg-type]  # stages, in short


def test_parts_of_the_same_name_in_the_same_place_are_the_same():
    parts = map_parts(PLAN, version(PLAN))

    assert all(old == new for old, new in parts.stages.items())
    assert all((old,) == new for old, new in parts.steps.items())
    assert all(old == new for old, new in parts.questions.items())
    assert all(old == new for old, new in parts.decisions.items())
    assert len(parts.stages) == len(PLAN.stages)


def test_renamed_stage_takes_everything_in_it_along():
    parts = map_parts(OLD, changed(OLD, "s", id="r"))

    assert parts.stages["s"] == "r"
    assert parts.steps["s", "y"] == (("r", "y"),)
    assert parts.questions["s", "checklist", "st"] == ("r", "checklist", "st")
    assert parts.earlier_stages["r"] == "s"


def test_renamed_step_takes_its_questions_along():
    parts = map_parts(OLD, changed(OLD, "s/x", id="w"))

    assert parts.steps["s", "x"] == (("s", "w"),)
    assert parts.questions["s", "x", "a"] == ("s", "w", "a")


def test_renamed_question_statement_and_decision():
    assert map_parts(OLD, changed(OLD, "s/x/a", id="q")).questions["s", "x", "a"] == ("s", "x", "q")
    assert map_parts(OLD, changed(OLD, "s/checklist/st", id="sv")).questions["s", "checklist", "st"][2] == "sv"
    first, second = PLAN.decisions
    decided = version(
        PLAN, decisions=(replace(first, id="d"), second), moved=[(f"decisions.{first.id}", "decisions.d")]
    )
    assert map_parts(PLAN, decided).decisions == {first.id: "d", second.id: second.id}


def test_name_that_is_used_again_for_something_else_is_something_else():
    two = adding(with_part(OLD, "s/x/a", id="q"), "s/x", a_question("a"))

    parts = map_parts(OLD, version(two, moved=[("s/x/a", "s/x/q")]))

    assert ("s", "x", "a") not in parts.questions.values()


def test_names_that_changed_places_go_where_the_author_says():
    swapped = version(OLD, moved=[("s/x/a", "s/x/b"), ("s/x/b", "s/x/a")])

    parts = map_parts(OLD, swapped)

    assert (parts.questions["s", "x", "a"], parts.questions["s", "x", "b"]) == (("s", "x", "b"), ("s", "x", "a"))


def test_split_step_lives_on_in_every_piece_and_each_question_in_one():
    first = replace(S.step("x"), questions=(a_question("a"),))
    second = replace(S.step("x"), id="w", questions=(a_question("b"),))
    plan = newer(replace(S, steps=(first, second, S.step("y"))), T, U, moved=[("s/x", "s/x"), ("s/x", "s/w")])

    parts = map_parts(OLD, plan)

    assert parts.steps["s", "x"] == (("s", "x"), ("s", "w"))
    assert parts.questions["s", "x", "a"] == ("s", "x", "a")
    assert parts.questions["s", "x", "b"] == ("s", "w", "b")


def test_merged_steps_live_on_in_one_and_questions_of_one_name_become_one():
    whole = replace(S.step("x"), id="w", questions=(a_question("a"), a_question("b"), a_question("c")))
    plan = newer(replace(S, steps=(whole,)), T, U, moved=[("s/x", "s/w"), ("s/y", "s/w")])

    parts = map_parts(OLD, plan)

    assert parts.steps["s", "x"] == parts.steps["s", "y"] == (("s", "w"),)
    assert parts.questions["s", "x", "b"] == parts.questions["s", "y", "b"] == ("s", "w", "b")
    assert parts.questions["s", "y", "c"] == ("s", "w", "c")


def test_step_and_question_move_to_another_stage():
    moved_step = version(adding(without(OLD, "s/y"), "t", replace(S.step("y"), id="v")), moved=[("s/y", "t/v")])
    moved_question = version(adding(without(OLD, "s/x/a"), "t/z", a_question("q")), moved=[("s/x/a", "t/z/q")])

    assert map_parts(OLD, moved_step).steps["s", "y"] == (("t", "v"),)
    assert map_parts(OLD, moved_step).questions["s", "y", "c"] == ("t", "v", "c")
    assert map_parts(OLD, moved_question).questions["s", "x", "a"] == ("t", "z", "q")


def test_nothing_moves_between_work_per_domain_and_work_without():
    plan = version(OLD, moved=[("s", "u"), ("s/x", "u/x"), ("s/x/a", "u/x/a")])

    assert map_parts(OLD, plan) == map_parts(OLD, version(OLD))


def test_stage_that_works_per_domain_from_now_on_is_another_stage():
    parts = map_parts(OLD, version(with_stage(OLD, "s", is_per_domain=True)))

    assert "s" not in parts.stages
    assert not [path for path in (*parts.steps, *parts.questions) if path[0] == "s"]


def test_decision_per_domain_is_another_decision():
    first, second = PLAN.decisions
    plan = version(PLAN, decisions=(replace(first, is_per_domain=False), second))

    assert map_parts(PLAN, plan).decisions == {second.id: second.id}


def test_stage_has_one_heir_and_one_origin():
    plan = version(with_part(OLD, "t", id="r"), moved=[("s", "r"), ("t", "r"), ("s", "u")])

    parts = map_parts(OLD, plan)

    assert parts.stages["s"] == "r"
    assert "t" not in parts.stages


def test_checklist_and_steps_do_not_become_each_other():
    plan = version(OLD, moved=[("s/x", "s/checklist"), ("s/checklist", "s/y")])

    assert map_parts(OLD, plan).steps == map_parts(OLD, version(OLD)).steps


def test_declared_parts_that_are_not_there_are_passed_over():
    plan = version(
        OLD,
        moved=[("weg", "s"), ("s", "weg"), ("s/x", "s/weg"), ("s/x/a", "s/x/weg"), ("decisions.weg", "decisions.d")],
    )

    assert map_parts(OLD, plan) == map_parts(OLD, version(OLD))


def test_what_a_version_says_counts_only_about_the_version_it_speaks_of():
    plan = version(with_part(OLD, "s/x/a", id="q"), since="0.9.0", moved=[("s/x/a", "s/x/q")])
    of_another = replace(changed(OLD, "s/x/a", id="q"), id="ander-plan")

    assert ("s", "x", "a") not in map_parts(OLD, plan).questions
    assert ("s", "x", "a") not in map_parts(OLD, of_another).questions


# --- over more versions ----------------------------------------------------------------------------------------


def test_maps_over_three_versions_follow_each_part_through_all_of_them():
    one = changed(OLD, "s", number="1.1.0", id="r")
    two = changed(one, "r/x", number="1.2.0", id="w")
    three = changed(two, "r/w/a", number="2.0.0", id="q")

    parts = compare([OLD, one, two, three]).parts

    assert parts.stages["s"] == "r"
    assert parts.steps["s", "x"] == (("r", "w"),)
    assert parts.questions["s", "x", "a"] == ("r", "w", "q")
    assert parts.questions["s", "x", "b"] == ("r", "w", "b")


def test_part_that_was_gone_in_between_is_not_the_same_part():
    gone = version(without(OLD, "s/x/a"), "1.1.0")
    back = version(OLD, "2.0.0", since="1.1.0")

    assert ("s", "x", "a") not in compare([OLD, gone, back]).parts.questions
    assert ("s", "x", "a") in compare([OLD, back]).parts.questions


def test_step_that_was_split_and_put_together_again_is_one_step():
    first = replace(S.step("x"), questions=(a_question("a"),))
    second = replace(S.step("x"), id="w", title=text("Deel"), questions=(a_question("b"),))
    split = version(
        replace(OLD, stages=(replace(S, steps=(first, second, S.step("y"))), T, U)),
        "1.1.0",
        moved=[("s/x", "s/x"), ("s/x", "s/w")],
    )
    whole = version(OLD, "2.0.0", since="1.1.0", moved=[("s/x", "s/x"), ("s/w", "s/x")])

    parts = compare([OLD, split, whole]).parts

    assert parts.steps["s", "x"] == (("s", "x"),)
    assert parts.questions["s", "x", "b"] == ("s", "x", "b")
    assert compare([OLD, split, whole]).changes == ()
