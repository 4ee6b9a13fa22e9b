"""Enough people, of the right roles, and nobody twice."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.definition import Gate
from app.engine.quorum import Missing, is_met, missing
from app.engine.run import UserId
from tests.builders import (
    ANNA,
    BRAM,
    MANAGER,
    MARIAM,
    MAX,
    OLGA,
    RunBuilder,
    a_condition,
    a_gate,
    a_plan,
    a_run,
    a_stage,
    a_step,
)
from tests.engine.refusals import why_not
from tests.engine.world import is_enough

ADVISER = frozenset({"adviser"})
BOTH = MANAGER | ADVISER
OF_EACH = a_gate(approvals=2, approvers=("manager", "adviser"), of_which={"manager": 1, "adviser": 1})
HERE = "s.1"


@pytest.fixture
def asked() -> RunBuilder:
    return a_run(a_plan(a_stage("s", a_step("x"), gate=OF_EACH))).with_work_done(HERE).with_request(HERE)


def test_two_people_of_the_same_role_do_not_stand_for_two_roles(asked: RunBuilder):
    managers = asked.with_approval(HERE, by=MARIAM).with_approval(HERE, by=MAX)
    assert not managers.instance(HERE).passed
    assert managers.with_approval(HERE, by=OLGA, roles=ADVISER).instance(HERE).passed


def test_one_person_with_both_roles_is_still_one_person(asked: RunBuilder):
    one = asked.with_approval(HERE, by=MARIAM, roles=BOTH)

    assert not one.instance(HERE).passed
    assert why_not(lambda: one.with_approval(HERE, by=MARIAM, roles=BOTH)) == ["already_approved_by_you"]
    assert one.with_approval(HERE, by=MAX, roles=MANAGER).instance(HERE).passed
    assert one.with_approval(HERE, by=OLGA, roles=ADVISER).instance(HERE).passed


def test_role_that_the_gate_does_not_name_gives_no_approval(asked: RunBuilder):
    assert why_not(lambda: asked.with_approval(HERE, by=OLGA, roles=frozenset({"auditor"}))) == ["approver_lacks_role"]


def test_approval_of_other_content_does_not_count_for_its_role(asked: RunBuilder):
    changed = asked.with_approval(HERE, by=OLGA, roles=ADVISER).with_evidence(HERE, "x")
    assert not changed.with_step_completed(HERE, "x").with_approval(HERE, by=MARIAM).instance(HERE).passed


def test_condition_of_one_is_agreed_with_by_the_others(asked: RunBuilder):
    one = asked.with_approval(HERE, by=MARIAM)
    other = one.with_approval(HERE, by=OLGA, roles=ADVISER, conditions=[a_condition()])

    assert not other.instance(HERE).passed, "Mariam did not see that condition"
    assert other.with_approval(HERE, by=MARIAM).instance(HERE).passed


def test_what_is_missing_is_said_by_role():
    assert missing(OF_EACH, {}) == Missing(("manager", "adviser"))
    assert missing(OF_EACH, {MARIAM: MANAGER}) == Missing(("adviser",))
    assert missing(OF_EACH, {MARIAM: BOTH, MAX: MANAGER}) == Missing()
    three = a_gate(approvals=3, approvers=("manager", "adviser"), of_which={"adviser": 1})
    assert missing(three, {MARIAM: MANAGER}) == Missing(("adviser",), others=1)
    assert missing(a_gate(approvals=2), {}) == Missing((), others=2)


ROLES = ["manager", "adviser", "auditor"]
gates = st.builds(
    lambda of_which, more: a_gate(
        approvals=max(1, sum(of_which.values()) + more), approvers=tuple(ROLES), of_which=of_which
    ),
    st.dictionaries(st.sampled_from(ROLES), st.integers(1, 2), max_size=3),
    st.integers(0, 2),
)
voters = st.dictionaries(
    st.sampled_from([ANNA, BRAM, MARIAM, MAX, OLGA, "zesde"]), st.frozensets(st.sampled_from(ROLES), min_size=1)
)


@given(gates, voters)
def test_quorum_is_met_exactly_when_trying_everything_finds_a_way(gate: Gate, voters: Mapping[UserId, frozenset[str]]):
    assert is_met(gate, voters) == is_enough(gate, voters)


@given(gates, voters)
def test_what_is_missing_is_enough_and_nothing_less_is(gate: Gate, voters: Mapping[UserId, frozenset[str]]):
    lacking = missing(gate, voters)
    roles = [frozenset({role}) for role in lacking.roles] + [frozenset({"auditor"})] * lacking.others
    more = {f"nieuw{n}": role for n, role in enumerate(roles)}
    assert is_enough(gate, {**voters, **more})
    anybody = {f"nieuw{n}": frozenset(ROLES) for n in range(max(0, lacking.people - 1))}
    assert lacking.people == 0 or not is_enough(gate, {**voters, **anybody})
