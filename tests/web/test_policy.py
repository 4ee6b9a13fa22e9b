"""Written out once more, so that a change of the table is a change of two files, made with thought."""

import pytest

from app.policy import (
    ALL_RUNS,
    ALLOWED,
    CAN_BE_LIMITED,
    Action,
    OperatorAction,
    Reach,
    Role,
    deciding_roles,
    is_reading_recorded,
    may,
    may_by_mandate,
    operator_may,
    reach,
)

OFFICER, MANAGER, AUDITOR, ADMINISTRATOR, ADVISER = Role
MATRIX = {
    Action.VIEW_RUN: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR, ADVISER},
    Action.OPEN_CONFIDENTIAL: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.VIEW_REPORT: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR, ADVISER},
    Action.VIEW_EARLIER_REPORT: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.VIEW_HISTORY: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR, ADVISER},
    Action.EXPORT_HISTORY: {MANAGER, AUDITOR, ADMINISTRATOR},
    Action.VIEW_PLANS: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.START_RUN: {OFFICER, MANAGER},
    Action.EDIT_RUN: {OFFICER, MANAGER},
    Action.SHARE_RUN: {OFFICER, MANAGER},
    Action.WORK_ON_STAGE: {OFFICER, MANAGER},
    Action.APPROVE_STAGE: {MANAGER, ADVISER},  # an adviser where the gate of the plan asks for one
    Action.TAKE_DECISION: {MANAGER},
    Action.GIVE_ADVICE: {ADVISER},
    Action.ANSWER_ADVICE: {OFFICER, MANAGER},
    Action.MOVE_RUN: {OFFICER, MANAGER},
    Action.MOVE_MANY: {ADMINISTRATOR},
    Action.VIEW_MASS_MOVES: {AUDITOR, ADMINISTRATOR},
    Action.MANAGE_PLANS: {ADMINISTRATOR},
    Action.ADMINISTER_USERS: {ADMINISTRATOR},
    Action.ASK_ERASURE: {ADMINISTRATOR},
    Action.DECIDE_ON_ERASURE: {MANAGER, ADMINISTRATOR},
    Action.VIEW_ACCOUNT_LOG: {AUDITOR, ADMINISTRATOR},
    Action.VIEW_MANDATES: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.RECORD_MANDATE: {MANAGER, ADMINISTRATOR},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_do_exactly_what_is_agreed(action: Action, role: Role):
    assert may({role}, action) is (role in MATRIX[action])


def test_every_action_has_somebody_who_may_do_it():
    assert set(ALLOWED) == set(Action)
    assert all(ALLOWED.values())


def test_without_a_role_nothing_is_allowed():
    assert not any(may(frozenset(), action) for action in Action)


def test_several_roles_add_up():
    assert may({Role.AUDITOR, Role.MANAGER}, Action.APPROVE_STAGE)


def test_auditors_change_nothing_and_administrators_do_not_approve():
    viewing = {
        Action.VIEW_RUN,
        Action.OPEN_CONFIDENTIAL,
        Action.VIEW_REPORT,
        Action.VIEW_EARLIER_REPORT,
        Action.VIEW_HISTORY,
        Action.VIEW_PLANS,
        Action.VIEW_MASS_MOVES,
        Action.VIEW_ACCOUNT_LOG,
        Action.VIEW_MANDATES,
        Action.EXPORT_HISTORY,
    }
    assert {action for action in Action if may({Role.AUDITOR}, action)} == viewing
    assert not may({Role.ADMINISTRATOR}, Action.APPROVE_STAGE)


# What somebody may do who sees some runs only. The rest is about the municipality as a whole.
FOR_SOME_RUNS = {
    AUDITOR: {
        Action.VIEW_RUN,
        Action.OPEN_CONFIDENTIAL,
        Action.VIEW_REPORT,
        Action.VIEW_EARLIER_REPORT,
        Action.VIEW_HISTORY,
        Action.VIEW_PLANS,
        Action.VIEW_MANDATES,
    },
    ADVISER: {Action.VIEW_RUN, Action.VIEW_REPORT, Action.VIEW_HISTORY, Action.GIVE_ADVICE, Action.APPROVE_STAGE},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_role_that_is_not_limited_reaches_all_runs_or_none(action: Action, role: Role):
    found = reach({role}, set(), action)

    if role is ADVISER:
        assert found == (Reach(False, frozenset({ADVISER})) if action in FOR_SOME_RUNS[ADVISER] else None)
    else:
        assert found == (ALL_RUNS if role in MATRIX[action] else None)


@pytest.mark.parametrize("role", FOR_SOME_RUNS)
@pytest.mark.parametrize("action", Action)
def test_limited_role_reaches_what_was_opened_and_nothing_of_the_municipality_as_a_whole(action: Action, role: Role):
    expected = Reach(False, frozenset({role})) if action in FOR_SOME_RUNS[role] else None

    assert reach({role}, {role}, action) == expected


def test_limit_of_one_role_leaves_the_other_as_it_is():
    assert reach({AUDITOR, MANAGER}, {AUDITOR}, Action.VIEW_RUN) == ALL_RUNS
    assert reach({AUDITOR, MANAGER}, {AUDITOR}, Action.VIEW_ACCOUNT_LOG) is None
    assert reach({AUDITOR, ADVISER}, {AUDITOR}, Action.VIEW_RUN) == Reach(False, frozenset({AUDITOR, ADVISER}))
    assert reach({AUDITOR, ADVISER}, set(), Action.VIEW_RUN) == ALL_RUNS
    assert reach(set(), set(), Action.VIEW_RUN) is None


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_standing_in_gives_the_decision_of_a_manager_to_who_works_here_and_nothing_else(action: Action, role: Role):
    assert may_by_mandate({role}, action) is (action is Action.APPROVE_STAGE and role in {OFFICER, MANAGER})


def test_operators_may_all_that_operators_may():
    assert all(operator_may(action) for action in OperatorAction)


@pytest.mark.parametrize(
    ("roles", "is_recorded"),
    [
        ({AUDITOR}, True),
        ({AUDITOR, ADMINISTRATOR}, True),
        ({AUDITOR, MANAGER}, False),  # works here, so reading is part of that
        ({OFFICER}, False),
        ({ADVISER}, False),
        (set(), False),
    ],
)
def test_reading_by_who_audits_and_does_no_work_here_is_recorded(roles: set[Role], is_recorded: bool):
    assert is_reading_recorded(roles) is is_recorded


def test_roles_that_can_be_limited_are_the_ones_of_outsiders():
    assert {AUDITOR, ADVISER} == CAN_BE_LIMITED


def test_adviser_decides_on_shared_runs_only():
    both = {MANAGER, ADVISER}
    assert deciding_roles(both, is_shared=True) == {"manager", "adviser"}
    assert deciding_roles(both, is_shared=False) == {"manager"}
    assert deciding_roles({ADVISER}, is_shared=False) == frozenset()
