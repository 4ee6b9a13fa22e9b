"""Decisions outside the stages, such as "existing policy suffices"."""

from app.engine.errors import Reason
from tests.builders import ANNA, MARIAM, OFFICER, OLGA, TUESDAY, a_run
from tests.engine.refusals import reasons, why_not


def test_decision_is_recorded_with_who_when_and_why():
    run = a_run().with_stage_approved("verkennen.1").with_decision("bestaand-volstaat", "wonen", reason="past nog").run

    taken = run.decision("bestaand-volstaat", "wonen")
    assert taken
    assert (taken.by, taken.at, taken.reason) == (MARIAM, TUESDAY, "past nog")
    assert run.decision("bestaand-volstaat", "werk") is None
    assert run.decision("bestaand-volstaat", None) is None


def test_decision_waits_for_what_it_requires():
    assert reasons(lambda: a_run().with_decision("bestaand-volstaat", "wonen")) == (
        Reason("needs_stage_approved", params={"stage_1": "verkennen"}),
    )


def test_decision_is_taken_once_a_domain():
    built = a_run().with_stage_approved("verkennen.1").with_decision("bestaand-volstaat", "wonen")

    assert reasons(lambda: built.with_decision("bestaand-volstaat", "wonen")) == (
        Reason("decision_taken_before", params={"decision_1": "bestaand-volstaat"}),
    )
    assert built.with_decision("bestaand-volstaat", "werk").run.decision("bestaand-volstaat", "werk")


def test_decision_needs_the_role_and_a_reason():
    assert why_not(lambda: a_run().with_decision("raad-akkoord", by=ANNA, roles=OFFICER, reason=None)) == [
        "decider_lacks_role",
        "reason_missing",
    ]
    assert why_not(lambda: a_run().with_decision("raad-akkoord", by=OLGA, roles=frozenset())) == ["decider_lacks_role"]


def test_decision_opens_the_other_road():
    explored = a_run().with_stage_approved("verkennen.1")

    assert reasons(lambda: explored.with_stage("uitvoeren.wonen.1")) == (
        Reason("needs_one_of", params={"stage_1": "beleid", "decision_1": "bestaand-volstaat"}),
    )
    decided = explored.with_decision("bestaand-volstaat", "wonen")
    assert decided.with_stage("uitvoeren.wonen.1").instance("uitvoeren.wonen.1").started_by == ANNA
    assert why_not(lambda: decided.with_stage("uitvoeren.werk.1")) == ["needs_one_of"]


def test_withdrawing_a_decision_leaves_the_work_that_it_opened():
    built = (
        a_run()
        .with_stage_approved("verkennen.1")
        .with_decision("bestaand-volstaat", "wonen")
        .with_decision("bestaand-volstaat", "werk")
        .with_stage("uitvoeren.wonen.1")
        .with_decision_withdrawn("bestaand-volstaat", "wonen")
    )

    assert built.run.decision("bestaand-volstaat", "wonen") is None
    assert built.run.decision("bestaand-volstaat", "werk")
    assert built.with_step_done("uitvoeren.wonen.1", "plannen").run.revision > built.run.revision
    assert built.with_decision("bestaand-volstaat", "wonen").run.decision("bestaand-volstaat", "wonen")


def test_only_a_decision_that_stands_is_withdrawn_with_role_and_reason():
    assert why_not(lambda: a_run().with_decision_withdrawn("raad-akkoord")) == ["decision_not_taken"]
    taken = a_run().with_decision("raad-akkoord")
    assert why_not(lambda: taken.with_decision_withdrawn("raad-akkoord", by=ANNA, roles=OFFICER, reason=None)) == [
        "decider_lacks_role",
        "reason_missing",
    ]
    again = taken.with_decision_withdrawn("raad-akkoord")
    assert why_not(lambda: again.with_decision_withdrawn("raad-akkoord")) == ["decision_not_taken"]
