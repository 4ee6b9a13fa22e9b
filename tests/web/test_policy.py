"""Written out once more, so that a change of the table is a change of two files, made with thought."""

import pytest

from app.policy import ALLOWED, Action, Role, may

OFFICER, MANAGER, AUDITOR, ADMINISTRATOR = Role
MATRIX = {
    Action.VIEW_RUN: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.VIEW_REPORT: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.VIEW_HISTORY: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.EXPORT_HISTORY: {MANAGER, AUDITOR, ADMINISTRATOR},
    Action.VIEW_PLANS: {OFFICER, MANAGER, AUDITOR, ADMINISTRATOR},
    Action.START_RUN: {OFFICER, MANAGER},
    Action.EDIT_RUN: {OFFICER, MANAGER},
    Action.WORK_ON_STAGE: {OFFICER, MANAGER},
    Action.APPROVE_STAGE: {MANAGER},
    Action.TAKE_DECISION: {MANAGER},
    Action.MOVE_RUN: {OFFICER, MANAGER},
    Action.MOVE_MANY: {ADMINISTRATOR},
    Action.VIEW_MASS_MOVES: {AUDITOR, ADMINISTRATOR},
    Action.MANAGE_PLANS: {ADMINISTRATOR},
    Action.ADMINISTER_USERS: {ADMINISTRATOR},
    Action.VIEW_ACCOUNT_LOG: {AUDITOR, ADMINISTRATOR},
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
        Action.VIEW_REPORT,
        Action.VIEW_HISTORY,
        Action.VIEW_PLANS,
        Action.VIEW_MASS_MOVES,
        Action.VIEW_ACCOUNT_LOG,
        Action.EXPORT_HISTORY,
    }
    assert {action for action in Action if may({Role.AUDITOR}, action)} == viewing
    assert not may({Role.ADMINISTRATOR}, Action.APPROVE_STAGE)
