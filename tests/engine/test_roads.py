"""Two roads to the same stage: the policy stage, or the decision that existing policy suffices."""

from app.engine.definition import Decision, DecisionRequired, Requirement, StageRequired
from app.engine.guards import is_passed_by
from app.engine.standing import StageState, next_stages, standing
from tests.builders import PLAN, a_plan, a_run, a_stage, a_step, after, an_item, ref, text


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


BY_DOMAIN = Decision("deel", text("Deel"), an_item("Uitleg."), is_per_domain=True)
FIRST_OR_DECIDED = Requirement((StageRequired("eerst"), DecisionRequired("deel")))


def test_stage_is_needed_until_the_decision_is_taken_in_every_domain_that_asks_for_it():
    plan = a_plan(
        a_stage("eerst", a_step("x")),
        a_stage("elk", a_step("x"), requires=(FIRST_OR_DECIDED,), is_per_domain=True),
        decisions=(BY_DOMAIN,),
    )
    one = a_run(plan).with_decision("deel", "wonen")

    assert not is_passed_by(plan, one.run, ref("eerst.1"))
    assert is_passed_by(plan, one.with_decision("deel", "werk").run, ref("eerst.1"))


def test_stage_that_somebody_else_needs_is_not_passed_by():
    plan = a_plan(
        a_stage("eerst", a_step("x")),
        a_stage("dan", a_step("x"), requires=(FIRST_OR_DECIDED,)),
        a_stage("ook", a_step("x"), requires=(after("eerst"),)),
        decisions=(BY_DOMAIN,),
    )

    assert not is_passed_by(plan, a_run(plan).with_decision("deel", "wonen").run, ref("eerst.1"))


def test_stage_that_another_decision_needs_is_not_passed_by():
    other = Decision("ander", text("Ander"), an_item("Uitleg."), is_per_domain=False, requires=(after("eerst"),))
    plan = a_plan(
        a_stage("eerst", a_step("x")),
        a_stage("dan", a_step("x"), requires=(FIRST_OR_DECIDED,)),
        decisions=(BY_DOMAIN, other),
    )

    assert not is_passed_by(plan, a_run(plan).with_decision("deel", "wonen").run, ref("eerst.1"))


def test_stage_that_nobody_asks_for_is_not_passed_by():
    assert not is_passed_by(PLAN, a_run().with_decision("raad-akkoord").run, ref("werkgroep.1"))
