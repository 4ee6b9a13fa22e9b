"""The plan for inclusive communication: nothing goes out untested, except by a decision that it is urgent."""

import pytest

from app.catalogue.loader import load_bytes
from app.engine.definition import QuestionType
from app.engine.errors import Blocked
from app.engine.run import StageStatus
from app.resources import stepplans_dir
from tests.builders import RunBuilder, a_run

FILE = stepplans_dir() / "inclusieve-communicatie" / "1.0.0.yaml"
PLAN = load_bytes(FILE.read_bytes(), FILE.name).plan


def a_new_run() -> RunBuilder:
    return a_run(PLAN, domains=())


def test_whole_plan_can_be_done_in_its_order():
    run = a_new_run()
    for stage in PLAN.stages:
        run = run.with_stage(f"{stage.id}.1", early_reason=None).with_stage_approved(f"{stage.id}.1")
    assert {instance.status for instance in run.run.stages.values()} == {StageStatus.APPROVED}


def test_untested_communication_does_not_go_out():
    with pytest.raises(Blocked) as refusal:
        a_new_run().with_stage_approved("boodschap-en-vorm.1").with_stage("verspreiden-en-antwoorden.1")
    assert [reason.code for reason in refusal.value.reasons] == ["needs_one_of"]


def test_urgent_communication_goes_out_by_decision():
    run = a_new_run().with_decision("met-spoed-publiceren", None).with_stage("verspreiden-en-antwoorden.1")
    assert run.instance("verspreiden-en-antwoorden.1").status is StageStatus.OPEN


def test_next_communication_waits_for_its_own_test():
    run = a_new_run().with_stage_approved("maken-en-toetsen.1").with_stage_approved("verspreiden-en-antwoorden.1")
    again = run.with_stage("maken-en-toetsen.2")
    with pytest.raises(Blocked):
        again.with_stage("verspreiden-en-antwoorden.2")
    tested = again.with_stage_approved("maken-en-toetsen.2").with_stage("verspreiden-en-antwoorden.2")
    assert tested.instance("verspreiden-en-antwoorden.2").status is StageStatus.OPEN


def test_each_of_the_four_conditions_is_assessed():
    step = PLAN.stage("maken-en-toetsen").step("vier-voorwaarden")
    assessed = [each.id for each in step.questions if each.type is QuestionType.ASSESSMENT and each.is_required]
    assert assessed == ["bereikbaar", "toegankelijk", "begrijpelijk", "herkenbaar"]
