"""The plan for the local inclusion agenda: what waits for what, and that its themes are one list."""

import pytest

from app.catalogue.loader import load_bytes
from app.engine.definition import QuestionType
from app.engine.errors import Blocked
from app.engine.run import StageRef, StageStatus
from app.resources import stepplans_dir
from tests.builders import RunBuilder, a_run

FILE = stepplans_dir() / "lokale-inclusie-agenda" / "1.0.0.yaml"
PLAN = load_bytes(FILE.read_bytes(), FILE.name).plan


def a_new_run() -> RunBuilder:
    return a_run(PLAN, domains=("vervoer", "thuis"))


def test_whole_agenda_can_be_made_in_the_order_of_the_plan():
    run = a_new_run()
    for stage in PLAN.stages:
        for domain in run.run.domains if stage.is_per_domain else (None,):
            at_ref = str(StageRef(stage.id, domain, 1))
            run = run.with_stage(at_ref, early_reason=None).with_stage_approved(at_ref)
    assert {instance.status for instance in run.run.stages.values()} == {StageStatus.APPROVED}


def test_what_can_be_done_now_does_not_wait_for_the_agenda():
    run = a_new_run().with_stage("samen-optrekken.1").with_decision("kan-nu-al", "vervoer")
    assert run.with_stage("aan-de-slag.vervoer.1").instance("aan-de-slag.vervoer.1").status is StageStatus.OPEN
    with pytest.raises(Blocked) as refusal:
        run.with_stage("aan-de-slag.thuis.1")
    assert [reason.code for reason in refusal.value.reasons] == ["needs_one_of"]


def test_nothing_is_decided_to_be_done_now_without_experts_by_experience():
    with pytest.raises(Blocked):
        a_new_run().with_stage_approved("agenderen.1").with_decision("kan-nu-al", "vervoer")


def test_themes_in_tables_are_the_domains_of_the_plan():
    columns = [
        column
        for stage in PLAN.stages
        for step in stage.steps
        for question in step.questions
        if question.type is QuestionType.TABLE
        for column in question.columns
        if column.id == "thema"
    ]
    assert columns
    for column in columns:
        assert [option.id for option in column.options] == [*(domain.id for domain in PLAN.domains), "alle"]
