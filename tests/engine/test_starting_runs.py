"""Starting a run, and changing its name, people and domains."""

from app.engine import events as e
from app.engine import transitions
from app.engine.errors import Reason
from app.engine.run import Run
from tests.builders import ANNA, BRAM, CHRIS, MARIAM, MAX, MONDAY, PLAN, TUESDAY, a_plan, a_run, a_stage, a_step
from tests.engine.refusals import reasons, why_not

PLAIN = a_plan(a_stage("s", a_step("x")))


def start(**changes: object) -> e.RunStarted:
    given: dict[str, object] = {
        "name": "naam",
        "purpose": "doel",
        "domains": ["wonen"],
        "team": [ANNA],
        "manager": MARIAM,
        "by": ANNA,
        "at": MONDAY,
        **changes,
    }
    plan = given.pop("plan", PLAN)
    return transitions.start_run(plan, "run-1", **given)  # type: ignore[arg-type]  # spelled out above


def test_run_is_pinned_to_the_version_and_the_digest_of_its_plan():
    event = start()

    assert (event.plan_id, event.plan_version, event.plan_digest) == (PLAN.id, PLAN.version, PLAN.digest)
    assert (event.run, event.by, event.at, event.manager) == ("run-1", ANNA, MONDAY, MARIAM)


def test_domains_are_kept_once_in_the_order_of_the_plan():
    assert start(domains=["jeugd", "wonen", "jeugd"]).domains == ("wonen", "jeugd")


def test_team_is_kept_once_in_the_order_given():
    assert start(team=[BRAM, ANNA, BRAM]).team == (BRAM, ANNA)


def test_run_without_name_purpose_domain_or_team_is_refused_with_all_reasons():
    assert why_not(lambda: start(name=None, purpose=None, domains=[], team=[])) == [
        "run_name_missing",
        "run_purpose_missing",
        "domain_needed",
        "team_empty",
    ]


def test_domain_that_the_plan_does_not_have_is_refused():
    assert reasons(lambda: start(domains=["wonen", "ruimtevaart"])) == (
        Reason("domain_unknown", params={"domain": "ruimtevaart"}),
    )


def test_plan_without_stages_per_domain_needs_no_domain():
    assert start(plan=PLAIN, domains=[]).domains == ()


def test_run_gets_another_name_and_purpose():
    event = transitions.rename_run(name="nieuw", purpose="beter", by=BRAM, at=TUESDAY)
    run = a_run().then(event).run

    assert (run.name, run.purpose, run.revision) == ("nieuw", "beter", 2)


def test_run_cannot_lose_its_name_or_purpose():
    assert why_not(lambda: transitions.rename_run(name=None, purpose="x", by=ANNA, at=MONDAY)) == ["run_name_missing"]
    assert why_not(lambda: transitions.rename_run(name="x", purpose=None, by=ANNA, at=MONDAY)) == [
        "run_purpose_missing"
    ]


def test_team_and_manager_can_change_and_a_team_is_never_empty():
    run = a_run().with_team(CHRIS, ANNA, CHRIS, manager=MAX).run

    assert (run.team, run.manager) == ((CHRIS, ANNA), MAX)
    assert why_not(lambda: a_run().with_team()) == ["team_empty"]


def test_who_left_the_team_cannot_work_and_who_joined_can():
    built = a_run().with_stage("verkennen.1").with_team(CHRIS, MAX)

    assert why_not(lambda: built.with_evidence("verkennen.1", "overzicht", by=ANNA)) == ["not_in_team"]
    assert built.with_evidence("verkennen.1", "overzicht", by=CHRIS).run.revision == 4


def test_domains_can_be_added_and_unused_ones_removed():
    assert a_run().with_domains("jeugd", "wonen").run.domains == ("wonen", "jeugd")


def test_run_keeps_at_least_one_domain_and_knows_only_those_of_its_plan():
    assert why_not(lambda: a_run().with_domains()) == ["domain_needed"]
    assert why_not(lambda: a_run().with_domains("wonen", "werk", "ruimtevaart")) == ["domain_unknown"]


def test_domain_with_work_or_a_decision_stays():
    worked = a_run().with_stage_approved("verkennen.1").with_stage_approved("visie.1").with_stage("beleid.wonen.1")
    decided = a_run().with_stage_approved("verkennen.1").with_decision("bestaand-volstaat", "werk")

    assert reasons(lambda: worked.with_domains("werk")) == (Reason("domain_in_use", params={"domain": "wonen"}),)
    assert why_not(lambda: decided.with_domains("wonen")) == ["domain_in_use"]
    assert worked.with_domains("wonen").run.domains == ("wonen",)


def test_domain_whose_decision_was_withdrawn_may_go():
    built = a_run().with_stage_approved("verkennen.1").with_decision("bestaand-volstaat", "werk")

    assert built.with_decision_withdrawn("bestaand-volstaat", "werk").with_domains("wonen").run.domains == ("wonen",)


def test_run_knows_who_started_it_and_when():
    run: Run = a_run(by=BRAM, at=TUESDAY).run

    assert (run.started_by, run.started_at, run.revision) == (BRAM, TUESDAY, 1)
