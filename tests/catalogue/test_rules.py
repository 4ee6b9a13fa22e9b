"""Rules whose golden file would say too little: what they leave alone."""

from typing import Any

import pytest

from app import policy
from app.catalogue import schema
from app.catalogue.loader import load_bytes
from app.catalogue.problems import Problem
from app.engine.definition import QuestionType
from app.engine.guards import GATE_GUARDS
from tests.catalogue.files import TINY, codes_of, problems_of

STAGE = TINY[TINY.index("  - id: verkennen") :]


def stages(*each: tuple[str, str]) -> str:
    """A plan of stages by id, each with extra keys."""
    text = TINY[: TINY.index("  - id: verkennen")]
    for id, extra in each:
        text += STAGE.replace("id: verkennen", f"id: {id}").replace("    steps:\n", f"    {extra}\n    steps:\n")
    return text


def is_valid(text: str) -> bool:
    load_bytes(text.encode(), "plan.yaml")
    return True


def test_roles_that_approve_and_decide_are_those_of_the_policy():
    for roles, action in (
        (schema.APPROVING_ROLES, policy.Action.APPROVE_STAGE),
        (schema.DECIDING_ROLES, policy.Action.TAKE_DECISION),
    ):
        assert set(roles) == {role.value for role in policy.Role if policy.may([role], action)}


def test_guards_of_the_engine_can_be_named():
    for name in GATE_GUARDS:
        assert is_valid(TINY.replace("gate: {", f"gate: {{complete: [{name}], "))


@pytest.mark.parametrize("kind", list(QuestionType))
def test_every_type_of_question_can_be_asked(kind: QuestionType):
    needs: dict[Any, str] = {
        QuestionType.SINGLE_CHOICE: "options: [{id: a, title: A}, {id: b, title: B}], ",
        QuestionType.MULTIPLE_CHOICE: "options: [{id: a, title: A}], ",
        QuestionType.TABLE: "columns: [{id: a, title: A, type: date}], ",
    }
    question = f"{{id: vraag, text: Vraag?, type: {kind.value}, {needs.get(kind, '')}addition: true}}"
    goal = "goal: {text: Weten wat er al is., addition: true}"
    assert is_valid(TINY.replace(goal, f"{goal}, questions: [{question}]"))


# --- the graph -------------------------------------------------------------------------------------------------


def test_order_in_the_file_does_not_matter():
    assert is_valid(stages(("c", "requires: [{stage: b}]"), ("b", "requires: [{stage: a}]"), ("a", "")))


def test_two_roads_to_one_stage_are_no_circle():
    assert is_valid(
        stages(
            ("a", ""),
            ("b", "requires: [{stage: a}]"),
            ("c", "requires: [{stage: a}]"),
            ("d", "requires: [{stage: b}, {stage: c}, {any_of: [{stage: a, reached: started}, {stage: b}]}]"),
        )
    )


def test_circle_through_one_alternative_is_refused_too():
    text = stages(("a", ""), ("b", "requires: [{any_of: [{stage: a}, {stage: c}]}]"), ("c", "requires: [{stage: b}]"))
    assert codes_of(text) == ["requires_circle"]


def test_each_circle_is_told_once_and_by_its_shortest_way():
    text = stages(
        ("a", "requires: [{stage: b}]"),
        ("b", "requires: [{stage: c}, {stage: a}]"),
        ("c", "requires: [{stage: a}]"),
        ("d", "requires: [{stage: e}]"),
        ("e", "requires: [{stage: d}]"),
    )
    told = [problem.params["value"] for problem in problems_of(text)]
    assert told == ["a → b → a", "c → a → b → c", "d → e → d"]


def test_stage_behind_a_circle_can_never_begin():
    text = stages(("a", "requires: [{stage: b}]"), ("b", "requires: [{stage: a}]"), ("c", "requires: [{stage: b}]"))
    assert codes_of(text) == ["requires_circle", "never_possible"]


def test_stage_that_requires_what_is_unknown_is_told_once():
    assert codes_of(stages(("a", "requires: [{stage: weg}]"), ("b", "requires: [{stage: a}]"))) == ["unknown_stage"]


def test_stage_with_another_road_can_begin():
    text = stages(("a", "per_domain: true"), ("b", ""), ("c", "requires: [{any_of: [{stage: a}, {stage: b}]}]"))
    assert codes_of(text) == ["no_domains"]


def test_advice_to_do_the_required_first_is_no_contradiction():
    advice = "{stage: a, why: {text: Dat helpt., addition: true}}"
    assert is_valid(stages(("a", ""), ("b", f"advised_after: [{advice}]"), ("c", "requires: [{stage: b}]")))


def test_advice_that_an_alternative_road_makes_possible_is_kept():
    advice = "advised_after: [{stage: c, why: {text: Dat helpt., addition: true}}]"
    text = stages(("a", ""), ("b", advice), ("c", "requires: [{any_of: [{stage: a}, {stage: b}]}]"))
    assert is_valid(text)
    assert codes_of(text.replace("{any_of: [{stage: a}, {stage: b}]}", "{stage: b}")) == ["advice_backwards"]


def test_across_is_for_stages_without_domains_that_wait_for_stages_with():
    domains = "domains: [{id: wonen, title: Wonen}]\n"
    text = domains + stages(("a", "per_domain: true"), ("b", "requires: [{stage: a, across: all}]"))
    assert is_valid(text)
    assert codes_of(text.replace("requires", "per_domain: true\n    requires")) == ["across_without_use"]


def test_latest_round_is_for_stages_that_are_repeated():
    text = stages(("a", "repeatable: true"), ("b", "requires: [{stage: a, round: latest}]"))
    assert is_valid(text)
    assert codes_of(text.replace("repeatable: true", "")) == ["round_without_use"]
    assert is_valid(text.replace("repeatable: true", "").replace("latest", "first"))


# --- no noise --------------------------------------------------------------------------------------------------


def paths(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in problems]


def test_misspelt_list_is_told_once_and_not_for_every_reference_to_it():
    text = TINY.replace("    steps:\n", "    grounds: [leeftijd, inkomen]\n    steps:\n")
    text += "ground: [{id: leeftijd, title: Leeftijd}, {id: inkomen, title: Inkomen}]\n"
    assert paths(problems_of(text)) == [("ground", "unknown_key")]


def test_part_whose_id_is_wrong_is_not_also_unknown():
    text = stages(("a", "requires: [{stage: b}]"), ("{nl: b}", ""))
    assert paths(problems_of(text)) == [("stages.1.id", "not_text")]


def test_misspelt_key_is_not_also_missing():
    assert paths(problems_of(TINY.replace("gives:", "give:"))) == [("stages.0.give", "unknown_key")]


def test_merged_keys_are_not_also_missing():
    text = TINY.replace("goal: {text: Weten", "goal: &goal {text: Weten").replace("why: {", "why: {<<: *goal, ")
    assert paths(problems_of(text)) == [("stages.0.why.<<", "merge_key")]


def test_unknown_format_is_told_alone():
    assert paths(problems_of("format: 3\nplan: 1\n")) == [("format", "unknown_format")]
    assert paths(problems_of(TINY.replace("format: 1", "format: true"))) == [("format", "not_whole_number")]
    assert paths(problems_of(TINY.replace("format: 1", "format: 1.0"))) == [("format", "has_fraction")]
