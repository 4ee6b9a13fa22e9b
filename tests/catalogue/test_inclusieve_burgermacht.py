"""The plan for inclusive citizen power: influence is agreed first, and told in the same words throughout."""

import pytest

from app.catalogue.loader import load_bytes
from app.engine.definition import Column
from app.engine.errors import Blocked
from app.engine.run import StageStatus
from app.resources import stepplans_dir
from tests.builders import RunBuilder, a_run

FILE = stepplans_dir() / "inclusieve-burgermacht" / "1.0.0.yaml"
PLAN = load_bytes(FILE.read_bytes(), FILE.name).plan
LEVELS = ["informeren", "raadplegen", "adviseren", "samen-maken", "meebeslissen"]


def a_new_run() -> RunBuilder:
    return a_run(PLAN, domains=())


def column(stage: str, step: str, question: str, id: str) -> Column:
    return next(each for each in PLAN.stage(stage).step(step).question(question).columns if each.id == id)


def option_ids(of: Column) -> list[str]:
    return [option.id for option in of.options]


def test_whole_plan_can_be_done_in_its_order():
    run = a_new_run()
    for stage in PLAN.stages:
        run = run.with_stage(f"{stage.id}.1", early_reason=None).with_stage_approved(f"{stage.id}.1")
    assert {instance.status for instance in run.run.stages.values()} == {StageStatus.APPROVED}


def test_group_that_comes_with_a_goal_can_begin_there():
    run = a_new_run().with_stage("bewoners-bepalen-het-doel.1")
    assert run.instance("bewoners-bepalen-het-doel.1").status is StageStatus.OPEN


def test_acting_together_waits_for_agreed_influence():
    with pytest.raises(Blocked) as refusal:
        a_new_run().with_stage_approved("bewoners-bepalen-het-doel.1").with_stage("samen-doen.1")
    assert [reason.code for reason in refusal.value.reasons] == ["needs_one_of"]


def test_earlier_agreements_on_influence_count():
    run = a_new_run().with_decision("afspraken-liggen-vast", None).with_stage("samen-doen.1")
    assert run.instance("samen-doen.1").status is StageStatus.OPEN


def test_agreed_actual_and_experienced_influence_can_be_compared():
    assert option_ids(column("invloed-afspreken", "niveau-per-activiteit", "activiteiten", "niveau")) == LEVELS
    for id in ("afgesproken", "werkelijk"):
        assert option_ids(column("samen-doen", "activiteit-en-bereik", "activiteiten", id)) == LEVELS
    looking_back = ("terugkijken-en-overdragen", "ervaren-invloed", "invloed")
    assert option_ids(column(*looking_back, "afgesproken")) == LEVELS
    assert option_ids(column(*looking_back, "ervaren")) == ["geen", *LEVELS, "onbekend"]


def test_every_level_of_influence_is_explained():
    assert set(LEVELS) <= {term.id for term in PLAN.terms}


def test_input_needs_a_decider_and_a_reason():
    step = ("samen-doen", "inbreng-besluit-terugkoppeling", "register")
    assert all(column(*step, id).is_required for id in ("inbreng", "besluit", "reden", "besluiter"))
