"""Who may do what. Pages, routes and services ask this one table; nothing else decides.

Some roles count on some runs only: of an adviser those that were shared, of an auditor with a limit those that were
chosen. For these `reach` says by which of somebody's roles an action is allowed; app/storage/scope.py turns that into
the one condition that every query on runs gets. So lists, counts and searches know no other runs, and asking for
another run gives the same 404 as asking for none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
    OPEN_CONFIDENTIAL = "open_confidential"  # what a confidential piece of evidence holds; its title is in lists
    VIEW_REPORT = "view_report"
    VIEW_EARLIER_REPORT = "view_earlier_report"  # how a run stood on another day, with what was replaced since
    VIEW_HISTORY = "view_history"
    EXPORT_HISTORY = "export_history"  # of the whole municipality, to check it elsewhere
    VIEW_PLANS = "view_plans"
    START_RUN = "start_run"
    EDIT_RUN = "edit_run"  # name, purpose, domains, team, manager
    SHARE_RUN = "share_run"  # with advisers, and taking that back
    WORK_ON_STAGE = "work_on_stage"  # start, skip, save, complete, evidence, ask for approval
    APPROVE_STAGE = "approve_stage"  # also sending back
    TAKE_DECISION = "take_decision"  # e.g. that existing policy suffices
    GIVE_ADVICE = "give_advice"
    ANSWER_ADVICE = "answer_advice"  # what was done with it, and why
    MOVE_RUN = "move_run"  # to another version of its plan; whether a manager is needed, the engine says
    MOVE_MANY = "move_many"  # a selection of runs at once; what touches an approval is proposed to its manager
    VIEW_MASS_MOVES = "view_mass_moves"
    MANAGE_PLANS = "manage_plans"  # of the own municipality: add, release, retire
    ADMINISTER_USERS = "administer_users"
    ASK_ERASURE = "ask_erasure"  # of personal data, after looking for it everywhere
    DECIDE_ON_ERASURE = "decide_on_erasure"  # another than who asked; shows what would go
    VIEW_ACCOUNT_LOG = "view_account_log"  # who signed in, and what administrators did about users
    VIEW_MANDATES = "view_mandates"  # who stands in for whom
    RECORD_MANDATE = "record_mandate"  # a manager of the own absence, an administrator of a manager's


_WORKERS: Final = frozenset({Role.POLICY_OFFICER, Role.MANAGER})
_MANAGERS: Final = frozenset({Role.MANAGER})
_APPROVERS: Final = frozenset({Role.MANAGER, Role.ADVISER})  # whichever of them the gate of the stage names
_ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})
_ADVISERS: Final = frozenset({Role.ADVISER})
_EVERYBODY: Final = frozenset(Role)
_INSIDE: Final = _EVERYBODY - _ADVISERS

# Separation of duties: who manages users doesn't approve, who audits or advises changes nothing. Whether this manager
# may approve this stage (not one's own work) depends on the run and is the engine's to say.
ALLOWED: Final[Mapping[Action, frozenset[Role]]] = {
    Action.VIEW_RUN: _EVERYBODY,
    Action.OPEN_CONFIDENTIAL: _INSIDE,
    Action.VIEW_REPORT: _EVERYBODY,
    Action.VIEW_EARLIER_REPORT: _INSIDE,  # a team shares with an adviser what it says, not what it said before
    Action.VIEW_HISTORY: _EVERYBODY,
    Action.EXPORT_HISTORY: frozenset({Role.MANAGER, Role.AUDITOR, Role.ADMINISTRATOR}),
    Action.VIEW_PLANS: _INSIDE,
    Action.START_RUN: _WORKERS,
    Action.EDIT_RUN: _WORKERS,
    Action.SHARE_RUN: _WORKERS,
    Action.WORK_ON_STAGE: _WORKERS,
    Action.APPROVE_STAGE: _APPROVERS,
    Action.TAKE_DECISION: _MANAGERS,
    Action.GIVE_ADVICE: _ADVISERS,
    Action.ANSWER_ADVICE: _WORKERS,
    Action.MOVE_RUN: _WORKERS,
    Action.MOVE_MANY: _ADMINISTRATORS,
    Action.VIEW_MASS_MOVES: frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.MANAGE_PLANS: _ADMINISTRATORS,
    Action.ADMINISTER_USERS: _ADMINISTRATORS,
    Action.ASK_ERASURE: _ADMINISTRATORS,
    Action.DECIDE_ON_ERASURE: frozenset({Role.MANAGER, Role.ADMINISTRATOR}),
    Action.VIEW_ACCOUNT_LOG: frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    Action.VIEW_MANDATES: _INSIDE,
    Action.RECORD_MANDATE: frozenset({Role.MANAGER, Role.ADMINISTRATOR}),
}

# What somebody may do who stands in for an absent manager, on the runs of that manager only, and who can stand in: a
# mandate makes nobody decide who does not work on policy.
BY_MANDATE: Final = frozenset({Action.APPROVE_STAGE})
MAY_STAND_IN: Final = _WORKERS

# Actions that mean something for one run, or that show nothing of any run. A role that counts on some runs only gives
# no other: those are about the municipality as a whole, and cannot be cut down to some of its runs.
_FOR_SOME_RUNS: Final = frozenset(
    {
        Action.VIEW_RUN,
        Action.OPEN_CONFIDENTIAL,
        Action.VIEW_REPORT,
        Action.VIEW_EARLIER_REPORT,
        Action.VIEW_HISTORY,
        Action.GIVE_ADVICE,
        Action.VIEW_PLANS,
        Action.APPROVE_STAGE,
        Action.VIEW_MANDATES,
    }
)

# Roles that count on the runs that were opened to somebody, always or (an auditor) when an administrator says so.
LIMITED_ALWAYS: Final = _ADVISERS
CAN_BE_LIMITED: Final = frozenset({Role.ADVISER, Role.AUDITOR})


@unique
class OperatorAction(StrEnum):
    """What an operator of the installation does: no role in a municipality, and nothing of its content."""

    VIEW_MUNICIPALITIES = "view_municipalities"  # their names, and how many users and runs they have
    MANAGE_MUNICIPALITIES = "manage_municipalities"  # add, rename, close, invite the first administrator


def operator_may(action: OperatorAction) -> bool:
    """All operators may the same."""
    return action in OperatorAction


# Who reads something sensitive in the municipality without working there: that is recorded (app/web/read_log.py).
_RECORDED: Final = frozenset({Role.AUDITOR})


def is_reading_recorded(roles: Collection[Role]) -> bool:
    return not _RECORDED.isdisjoint(roles) and _WORKERS.isdisjoint(roles)


def may(roles: Collection[Role], action: Action) -> bool:
    """Whether one of these roles allows it at all; on which runs, `reach` says."""
    return not ALLOWED[action].isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Reach:
    """On which runs somebody may do something: on all, or on those opened in one of the roles `opened_as`."""

    all_runs: bool
    opened_as: frozenset[Role] = frozenset()


ALL_RUNS: Final = Reach(all_runs=True)
NO_RUNS: Final = Reach(all_runs=False)


def reach(roles: Collection[Role], limited: Collection[Role], action: Action) -> Reach | None:
    """None: somebody with these roles may not do it. `limited`: those among them that count on some runs only."""
    giving = ALLOWED[action] & frozenset(roles)
    some = giving & (frozenset(limited) | LIMITED_ALWAYS)
    if giving - some:
        return ALL_RUNS
    if some and action in _FOR_SOME_RUNS:
        return Reach(all_runs=False, opened_as=some)
    return None


def deciding_roles(roles: Collection[Role], *, is_shared: bool) -> frozenset[str]:
    """Which of somebody's roles count when deciding on one run, as step plans name them. `is_shared`: that run with
    this user, as an adviser; on another run nobody is its adviser, whatever other role opens it. (No plan names
    auditors, the others who can be limited to some runs.)"""
    return frozenset(role.value for role in roles if is_shared or role not in LIMITED_ALWAYS)


def may_by_mandate(roles: Collection[Role], action: Action) -> bool:
    """Whether somebody with these roles may do it who stands in for the manager of the run."""
    return action in BY_MANDATE and not MAY_STAND_IN.isdisjoint(roles)
