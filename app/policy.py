"""Who may do what. Pages, routes and services ask this one table; nothing else decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum, unique
from typing import Final


@unique
class Role(StrEnum):
    """What somebody is in one municipality. A person may hold several roles, never a role for all municipalities."""

    POLICY_OFFICER = "policy_officer"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    ADVISER = "adviser"  # of an advisory council: no civil servant, and at work on no stage


@unique
class Action(StrEnum):
    VIEW_RUN = "view_run"
    VIEW_REPORT = "view_report"
    VIEW_HISTORY = "view_history"
    EXPORT_HISTORY = "export_history"  # of the whole municipality, to check it elsewhere
    VIEW_PLANS = "view_plans"
    START_RUN = "start_run"
    EDIT_RUN = "edit_run"  # name, purpose, domains, team, manager
    WORK_ON_STAGE = "work_on_stage"  # start, skip, save, complete, evidence, ask for approval
    APPROVE_STAGE = "approve_stage"  # also sending back
    TAKE_DECISION = "take_decision"  # e.g. that existing policy suffices
    MOVE_RUN = "move_run"  # to another version of its plan; whether a manager is needed, the engine says
    MOVE_MANY = "move_many"  # a selection of runs at once; what touches an approval is proposed to its manager
    VIEW_MASS_MOVES = "view_mass_moves"
    MANAGE_PLANS = "manage_plans"  # of the own municipality: add, release, retire
    ADMINISTER_USERS = "administer_users"
    VIEW_ACCOUNT_LOG = "view_account_log"  # who signed in, and what administrators did about users


_EVERYBODY: Final = frozenset(Role) - {Role.ADVISER}
_WORKERS: Final = frozenset({Role.POLICY_OFFICER, Role.MANAGER})
_MANAGERS: Final = frozenset({Role.MANAGER})
_ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})

# Separation of duties: who manages users doesn't approve, who audits changes nothing. Whether this manager may
# approve this stage (not one's own work) depends on the run and is the engine's to say.
ALLOWED: Final[Mapping[Action, frozenset[Role]]] = {
    Action.VIEW_RUN: _EVERYBODY,
    Action.VIEW_REPORT: _EVERYBODY,
    Action.VIEW_HISTORY: _EVERYBODY,
    Action.EXPORT_HISTORY: frozenset({Role.MANAGER, Role.AUDITOR, Role.ADMINISTRATOR}),
    Action.VIEW_PLANS: _EVERYBODY,
    Action.START_RUN: _WORKERS,
    Action.EDIT_RUN: _WORKERS,
    Action.WORK_ON_STAGE: _WORKERS,
    Action.APPROVE_STAGE: _MANAGERS,
    Action.TAKE_DECISION: _MANAGERS,
    Action.MOVE_RUN: _WORKERS,
    Action.MOVE_MANY: _ADMINISTRATORS,
    Action.VIEW_MASS_MOVES: frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.MANAGE_PLANS: _ADMINISTRATORS,
    Action.ADMINISTER_USERS: _ADMINISTRATORS,
    Action.VIEW_ACCOUNT_LOG: frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
}


def may(roles: Collection[Role], action: Action) -> bool:
    return not ALLOWED[action].isdisjoint(roles)
