"""What comes out of additions: all of the plan, and what the additions say; nothing else."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.loader import digest, from_document
from app.catalogue.overlay.draft import parts_of
from app.catalogue.schema import PlanFile, document_of
from app.catalogue.yaml_tree import read
from app.engine.definition import StepPlan
from app.engine.run_migration.compare import Change, PartKind, What, compare
from tests.catalogue.overlay.additions import ADDITIONS, HEAD, OPEN, loaded, national, refused

NATIONAL = national()
WHOLE: dict[str, Any] = json.loads(json.dumps(read(ADDITIONS.read_bytes()).root))


def of(text: str) -> StepPlan:
    return loaded(HEAD + text).plan


def test_what_comes_out_says_where_it_comes_from():
    plan = loaded(ADDITIONS.read_bytes()).plan
    assert (plan.id, plan.version) == ("klein-plan-zonnedijk", "1.0.0")
    assert plan.title.in_language("nl") == "Klein plan, met aanvullingen van Zonnedijk"
    assert plan.title.in_language("en") == "Small plan, with additions by Zonnedijk"
    assert plan.extends is not None
    assert (plan.extends.plan, plan.extends.version, plan.extends.prefix) == ("klein-plan", "1.0.0", "zd")
    assert plan.extends.digest == NATIONAL.plan.digest
    assert plan.base == ("klein-plan", "1.0.0") == NATIONAL.plan.base


def test_what_comes_out_is_a_plan_like_any_other():
    document = loaded(ADDITIONS.read_bytes()).document
    plain = {key: value for key, value in document.items() if key != "extends"}
    assert document_of(PlanFile.model_validate(json.loads(json.dumps(plain)))) == plain


def test_same_additions_give_the_same_digest_and_leave_the_plan_alone():
    before = copy.deepcopy(NATIONAL.document)
    first, second = loaded(ADDITIONS.read_bytes()), loaded(json.dumps(WHOLE))
    assert first.plan.digest == second.plan.digest == digest(first.document)
    assert NATIONAL.document == before


def test_parts_come_where_the_additions_say_in_the_order_of_the_file():
    plan = loaded(ADDITIONS.read_bytes()).plan
    assert [stage.id for stage in plan.stages][:3] == ["verkennen", "zd-wijktafels", "beleid"]
    assert [step.id for step in plan.stage("verkennen").steps] == ["overzicht", "zd-raad", "conclusie"]
    assert [step.id for step in plan.stage("zd-wijktafels").steps] == ["zd-ronde", "zd-terug"]
    questions = [question.id for question in plan.stage("verkennen").step("overzicht").questions]
    assert questions[:4] == ["naam", "zd-wie", "zd-waarmee", "beschrijving"]
    assert questions[-1] == "zd-toelichting"
    statements = [statement.id for statement in plan.stage("verkennen").statements]
    assert statements == ["jong-en-oud", "zd-laaggeletterd", "stapeling"]


def test_ground_of_an_added_statement_counts_in_its_stage():
    assert loaded(ADDITIONS.read_bytes()).plan.stage("beleid").grounds == ("samenloop",)


def test_part_can_come_after_one_that_was_added():
    plan = of("""add:
  questions:
    - {id: zd-een, step: uitvoeren/plan, text: Een?, type: short_text, addition: true}
    - {id: zd-drie, step: uitvoeren/plan, text: Drie?, type: short_text, addition: true}
    - {id: zd-twee, step: uitvoeren/plan, after: zd-een, text: Twee?, type: short_text, addition: true}
""")
    questions = [question.id for question in plan.stage("uitvoeren").step("plan").questions]
    assert questions == ["plan", "zd-een", "zd-twee", "zd-drie"]


def test_problem_in_an_added_stage_keeps_its_place_when_a_step_comes_before_it():
    [problem] = refused(
        HEAD
        + """add:
  stages:
    - id: zd-wijken
      title: Wijken
      goal: {text: Horen., addition: true}
      why: {text: Daarom., addition: true}
      gives: {text: Verslagen., addition: true}
      steps:
        - {id: zd-een, title: Een, goal: {text: Een., addition: true}}
        - {id: zd-drie, title: Drie, goal: {text: Zonder bron.}}
      gate: {question: {text: Klaar?, addition: true}}
  steps:
    - {id: zd-twee, stage: zd-wijken, after: zd-een, title: Twee, goal: {text: Twee., addition: true}}
"""
    )
    assert (problem.path, problem.line) == ("add.stages.0.steps.1.goal", 13)


def test_plan_that_allows_it_can_be_loosened_there():
    plan = loaded((OPEN.parents[1] / "overlays" / "valid" / "loosened.yaml").read_bytes()).plan
    stage = plan.stage("verkennen")
    assert (stage.gate.approvals, stage.gate.complete, stage.is_optional) == (1, ("required_steps_completed",), True)
    step = stage.step("overzicht")
    assert [(question.id, question.is_required, question.is_addition) for question in step.questions] == [
        ("naam", False, True)
    ]
    assert (step.is_required, step.evidence[0].minimum, step.evidence[0].may_be_link) == (False, 1, True)
    assert [ground.id for ground in plan.grounds] == ["inkomen"] == list(stage.grounds)
    assert [statement.id for statement in stage.statements] == ["rond-komen"]


# --- any additions ---------------------------------------------------------------------------------------------

ENTRIES = [
    *(("add", key, number) for key, items in WHOLE["add"].items() if key != "sources" for number in range(len(items))),
    *(("tighten", "", number) for number in range(len(WHOLE["tighten"]))),
]


@st.composite
def some_additions(draw: st.DrawFn) -> dict[str, Any]:
    """Part of the additions that use every part of the format; what refers to what is left out goes too."""
    chosen = set(draw(st.lists(st.sampled_from(ENTRIES), unique=True)))
    overlay = {key: value for key, value in copy.deepcopy(WHOLE).items() if key not in ("add", "tighten")}
    overlay["add"] = {
        key: [item for number, item in enumerate(items) if ("add", key, number) in chosen]
        for key, items in WHOLE["add"].items()
        if key != "sources"
    }
    overlay["add"]["sources"] = WHOLE["add"]["sources"]
    overlay["tighten"] = [entry for number, entry in enumerate(WHOLE["tighten"]) if ("tighten", "", number) in chosen]
    has_stage = bool(overlay["add"]["stages"])
    if not has_stage:
        overlay["add"]["steps"] = [step for step in overlay["add"]["steps"] if step["stage"] != "zd-wijktafels"]
        overlay["tighten"] = [entry for entry in overlay["tighten"] if "zd-wijktafels" not in json.dumps(entry)]
    elif not overlay["add"]["evidence_kinds"]:
        overlay["add"]["evidence_kinds"] = WHOLE["add"]["evidence_kinds"]
    return overlay


STRICTER = {
    "required": lambda before, after: after and not before,
    "optional": lambda before, after: before and not after,
    "link": lambda before, after: before and not after,
    "rows_min": lambda before, after: after > before,
    "minimum": lambda before, after: after > before,
    "approvals": lambda before, after: after > before,
}
DEFAULTS = {"required": False, "optional": False, "link": True, "rows_min": 0, "minimum": 1, "approvals": 1}
GROWS = {"requires", "grounds", "complete", "steps", "statements", "questions", "evidence"}


def assert_only_more(before: Any, after: Any, path: str, *, is_step: bool = False) -> None:
    """Everything that was there is there still, in the same order, or asks more."""
    if isinstance(before, dict):
        for key in before.keys() | after.keys():
            default = True if key == "required" and is_step else DEFAULTS.get(key)
            a, b = before.get(key, default), after.get(key, default)
            if a == b:
                continue
            if key in STRICTER:
                assert STRICTER[key](a, b), f"{path}.{key}"
            elif key == "help" or key in ("title", "text"):
                assert a is None or (isinstance(b, dict) and b["nl"] == (a["nl"] if isinstance(a, dict) else a)), path
            elif key in GROWS:
                a = ["required_steps_completed", "checklist_answered"] if key == "complete" and a is None else a or []
                assert_list_grew(a, b, f"{path}.{key}")
            else:
                assert_only_more(a, b, f"{path}.{key}")
        return
    assert before == after, path


def assert_list_grew(before: list[Any], after: list[Any], path: str) -> None:
    def name(item: Any) -> Any:
        return item.get("id") or item.get("kind") or json.dumps(item) if isinstance(item, dict) else item

    names, kept = [name(item) for item in before], {name(item): item for item in after}
    assert [name(item) for item in after if name(item) in names] == names, path
    for item in before:
        assert_only_more(item, kept[name(item)], f"{path}.{name(item)}", is_step=path.endswith("steps"))


@given(some_additions())
@settings(deadline=None, max_examples=40)
def test_nothing_of_the_plan_is_removed_or_changed_but_by_asking_more(overlay: dict[str, Any]):
    document = loaded(json.dumps(overlay)).document
    before, after = dict(parts_of(NATIONAL.document)), dict(parts_of(document))
    assert before.keys() <= after.keys()
    assert all(
        path.rpartition("/")[2].startswith("zd-") or "/zd-" in f"/{path}" for path in after.keys() - before.keys()
    )
    assert_list_grew(NATIONAL.document["stages"], document["stages"], "stages")
    for key in ("grounds", "roles"):
        assert NATIONAL.document.get(key) == document.get(key)


@given(some_additions())
@settings(deadline=None, max_examples=40)
def test_comparing_gives_only_what_was_added_or_asks_more(overlay: dict[str, Any]):
    plan = from_document(loaded(json.dumps(overlay)).document)
    for change in compare([NATIONAL.plan, plan]).changes:
        assert change.what in (What.ADDED, What.CHANGED), change
        if change.what is What.CHANGED and change.kind is not PartKind.GUIDANCE:
            assert change.before == change.after
            assert_asks_more(change)


def assert_asks_more(change: Change) -> None:
    for difference in change.differences:
        before, after = difference.before, difference.after
        match difference.name:
            case "required":
                assert (before, after) == ("false", "true"), change
            case "optional" | "link":
                assert (before, after) == ("true", "false"), change
            case "approvals" | "rows_min" | "minimum":
                assert int(before) < int(after), change
            case "requires" | "grounds" | "complete":
                assert set(before.split("\n")) - {""} <= set(after.split("\n")), change
            case "help" | "title" | "text":
                assert before == "", change
            case _:
                pytest.fail(f"{difference.name} of {change}")
