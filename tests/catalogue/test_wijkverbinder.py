"""The plan for contact in a neighbourhood: the situation decides, and before and after can be compared."""

import pytest

from app.catalogue.loader import load_bytes
from app.engine.definition import Question
from app.engine.errors import Blocked
from app.engine.run import StageStatus
from app.resources import stepplans_dir
from tests.builders import RunBuilder, a_run

FILE = stepplans_dir() / "wijkverbinder" / "1.0.0.yaml"
PLAN = load_bytes(FILE.read_bytes(), FILE.name).plan


def a_new_run() -> RunBuilder:
    return a_run(PLAN, domains=())


def question(stage: str, step: str, id: str) -> Question:
    return PLAN.stage(stage).step(step).question(id)


def option_ids(of: Question, column: str = "") -> list[str]:
    options = next(each for each in of.columns if each.id == column).options if column else of.options
    return [option.id for option in options]


def test_whole_plan_can_be_done_in_its_order():
    run = a_new_run()
    for stage in PLAN.stages:
        run = run.with_stage(f"{stage.id}.1", early_reason=None).with_stage_approved(f"{stage.id}.1")
    assert {instance.status for instance in run.run.stages.values()} == {StageStatus.APPROVED}


def test_activities_wait_for_the_situation():
    with pytest.raises(Blocked):
        a_new_run().with_stage_approved("bewoners-en-partners.1").with_stage("activiteiten-kiezen.1")


def test_new_activities_wait_for_the_new_situation():
    run = a_new_run().with_stage_approved("situatie-bepalen.1").with_stage_approved("activiteiten-kiezen.1")
    again = run.with_stage("situatie-bepalen.2")
    with pytest.raises(Blocked):
        again.with_stage("activiteiten-kiezen.2")
    chosen = again.with_stage_approved("situatie-bepalen.2").with_stage("activiteiten-kiezen.2")
    assert chosen.instance("activiteiten-kiezen.2").status is StageStatus.OPEN


def test_every_situation_asks_for_its_own_activity():
    established = option_ids(question("situatie-bepalen", "situatie", "situatie"))
    step = PLAN.stage("activiteiten-kiezen").step("soort-activiteit")
    assert option_ids(step.question("situatie")) == [situation for situation in established if situation != "onbekend"]
    for situation in option_ids(step.question("situatie")):
        own = [each for each in step.questions if each.shown_when and each.shown_when.any_of == (situation,)]
        assert any(each.is_required for each in own), situation


def test_measured_afterwards_is_what_was_measured_before():
    topics = option_ids(question("vooraf-meten", "vragen", "onderwerpen"))
    assert option_ids(question("vooraf-meten", "meting", "uitkomst"), "over") == topics
    assert option_ids(question("achteraf-meten", "meting", "vergelijk"), "over") == topics
