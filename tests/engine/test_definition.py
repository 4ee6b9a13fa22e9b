"""Questions that a plan answers about itself."""

import pytest

from app.engine.definition import CHECKLIST, QuestionType, Text
from tests.builders import OVERVIEW, PLAN, VERKENNEN, a_stage, a_step


def test_text_falls_back_to_dutch_and_says_so():
    text = Text("Wonen", {"en": "Housing"})

    assert (text.in_language("en"), text.language_for("en")) == ("Housing", "en")
    assert (text.in_language("nl"), text.language_for("nl")) == ("Wonen", "nl")
    assert (text.in_language("fy"), text.language_for("fy")) == ("Wonen", "nl")


def test_statements_become_a_step_of_required_assessments():
    checklist = VERKENNEN.checklist

    assert checklist
    assert (checklist.id, checklist.is_required) == (CHECKLIST, True)
    assert [(q.id, q.type, q.is_required, q.ground) for q in checklist.questions] == [
        (statement.id, QuestionType.ASSESSMENT, True, statement.ground) for statement in VERKENNEN.statements
    ]
    assert [q.text for q in checklist.questions] == [statement.text for statement in VERKENNEN.statements]


def test_stage_without_statements_has_no_checklist():
    stage = a_stage("s", a_step("x"))

    assert stage.checklist is None
    assert [step.id for step in stage.all_steps()] == ["x"]
    with pytest.raises(KeyError):
        stage.step(CHECKLIST)


def test_all_steps_are_the_authored_ones_and_then_the_checklist():
    assert [step.id for step in VERKENNEN.all_steps()] == ["overzicht", "gesprekken", CHECKLIST]


def test_parts_are_found_by_their_id_and_absent_ones_are_an_error():
    assert PLAN.stage("verkennen") is VERKENNEN
    assert VERKENNEN.step("overzicht") is OVERVIEW
    assert OVERVIEW.question("naam").id == "naam"
    for find in (PLAN.stage, VERKENNEN.step, OVERVIEW.question):
        with pytest.raises(KeyError):
            find("bestaat-niet")


def test_plan_knows_its_parts_by_id():
    assert [*PLAN.stages_by_id] == [stage.id for stage in PLAN.stages]
    assert [*PLAN.grounds_by_id] == ["leeftijd", "inkomen", "samenloop"]
    assert [*PLAN.domains_by_id] == ["wonen", "werk", "jeugd"]
    assert [*PLAN.evidence_kinds_by_id] == ["verslag", "besluit", "foto"]
    assert [*PLAN.decisions_by_id] == ["bestaand-volstaat", "raad-akkoord"]
    assert [*PLAN.sources_by_id] == ["S1"]
