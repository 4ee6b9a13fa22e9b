"""Two roads to the same stage: the policy stage, or the decision that existing policy suffices."""

from app.engine.standing import StageState, next_stages, standing
from tests.builders import PLAN, a_run, ref


def test_decision_takes_the_stage_that_it_replaces_out_of_the_advice_and_leaves_it_open():
    explored = a_run(domains=("wonen", "werk")).with_stage_approved("verkennen.1").with_stage_approved("visie.1")
    decided = explored.with_decision("bestaand-volstaat", "wonen")

    advised = [str(each.ref) for each in next_stages(PLAN, decided.run)]

    assert "beleid.wonen.1" not in advised
    assert standing(PLAN, decided.run, ref("beleid.wonen.1")).state in (StageState.ADVISED, StageState.CAN_START)
    assert standing(PLAN, decided.run, ref("uitvoeren.wonen.1")).state is not StageState.WAITING


def test_decision_in_one_domain_says_nothing_about_another():
    explored = a_run(domains=("wonen", "werk")).with_stage_approved("verkennen.1").with_stage_approved("visie.1")
    decided = explored.with_decision("bestaand-volstaat", "wonen")

    assert standing(PLAN, decided.run, ref("uitvoeren.werk.1")).state is StageState.WAITING
