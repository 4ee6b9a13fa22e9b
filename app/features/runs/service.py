"""Starting a run and steering it: team, domains, stages, decisions outside the stages."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from app.engine import transitions
from app.engine.apply import apply
from app.engine.events import Event
from app.engine.run import StageRef, UserId
from app.features.runs.settings import RunSettings, put_together, settings_of
from app.policy import Role
from app.storage import marks, run_store
from app.storage.carry_over import bring_along, earlier_runs
from app.storage.deciding import persons_in
from app.storage.mandates import stands_in_for
from app.storage.people import members_with_role
from app.storage.plans import load_plan_to_start
from app.storage.run_header import rename, run_header
from app.storage.texts import write_text
from app.web.identity import Caller


class PersonNotAvailable(Exception):
    """Somebody was chosen who does not have the role in this municipality (any more). `field`: team or manager."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class ManagerIsMandator(Exception):
    """Somebody chose as manager the one in whose name that same person decides now: a mandate is for the runs that the
    absent manager has, and a deputy does not say which those are."""


class EarlierRunNotAvailable(Exception):
    """A run was chosen to start from that is not there, or follows another plan or a newer version."""


def start_run(
    session: Session,
    *,
    plan_digest: str,
    name: str,
    purpose: str,
    domains: Sequence[str],
    team: Sequence[UserId],
    manager: UserId,
    earlier: str = "",
    by: UserId,
    at: datetime,
) -> str:
    """Gives the id of the new run. `earlier`: a run whose answers come along as proposals.
    Raises UnknownPlan, PlanRetired, PersonNotAvailable, ManagerIsMandator, EarlierRunNotAvailable, Blocked."""
    plan = load_plan_to_start(session, plan_digest)
    _check_people(session, team, manager)
    _check_new_manager(session, manager, by=by, at=at)
    if earlier and all(run.id != earlier for run in earlier_runs(session, plan)):
        raise EarlierRunNotAvailable(earlier)
    run_id, name_id, purpose_id = (str(uuid.uuid4()) for _ in range(3))
    event = transitions.start_run(
        plan,
        run_id,
        name=name_id if name else None,
        purpose=purpose_id if purpose else None,
        domains=domains,
        team=team,
        manager=manager,
        earlier_run=earlier or None,
        by=by,
        at=at,
    )
    run_store.start(session, plan, event, name=name, purpose=purpose)
    # Only now is there a run that the texts can belong to.
    write_text(session, run_id, name, by=by, at=at, id=name_id)
    write_text(session, run_id, purpose, by=by, at=at, id=purpose_id)
    return run_id


def _check_people(session: Session, team: Sequence[UserId], manager: UserId) -> None:
    managers = {person.id for person in members_with_role(session, Role.MANAGER)}
    if manager not in managers:
        raise PersonNotAvailable("manager")
    workers = {person.id for person in members_with_role(session, Role.POLICY_OFFICER)}
    if not set(team) <= workers | managers:
        raise PersonNotAvailable("team")


def _check_new_manager(session: Session, manager: UserId, *, by: UserId, at: datetime) -> None:
    if stands_in_for(session, manager, by, at=at):
        raise ManagerIsMandator(manager)


def change_run(
    session: Session,
    run_id: str,
    mine: RunSettings,
    *,
    based_on: str,
    asked: Collection[str] = (),
    chosen: Mapping[str, str],
    by: UserId,
    at: datetime,
) -> None:
    """`mine`: what was typed; what somebody else changed meanwhile stays beside it, see `put_together`.
    Raises SettingsConflict, PersonNotAvailable, ManagerIsMandator, Blocked."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    current = settings_of(run_header(session, run_id), run)
    new = put_together(mine, current, based_on=based_on, asked=asked, chosen=chosen)
    events: list[Event] = []  # decided before anything is recorded
    if (new.team, new.manager) != (current.team, current.manager):
        _check_people(session, sorted(new.team), new.manager)
        if new.manager != current.manager:
            _check_new_manager(session, new.manager, by=by, at=at)
        events.append(transitions.change_team(run, team=sorted(new.team), manager=new.manager, by=by, at=at))
    if new.domains != current.domains:
        domains = [domain.id for domain in plan.domains if domain.id in new.domains]
        domains += sorted(new.domains - set(domains))  # which the engine refuses
        events.append(transitions.change_domains(plan, run, domains=domains, by=by, at=at))
    if (new.name, new.purpose) != (current.name, current.purpose):
        renamed = transitions.rename_run(
            name=write_text(session, run_id, new.name, by=by, at=at),
            purpose=write_text(session, run_id, new.purpose, by=by, at=at),
            by=by,
            at=at,
        )
        events.append(renamed)
        rename(session, run_id, name=new.name, purpose=new.purpose)
    run_store.record(session, plan, run, events)


def start_stage(
    session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: UserId, at: datetime
) -> None:
    """`reason`: why a stage is started earlier than advised, or why there is a later round; both in one. Like what
    follows, raises Outdated when what is changed is not what its page showed, and Blocked."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    text = write_text(session, run_id, reason, by=by, at=at)
    event = transitions.start_stage(plan, run, ref, early_reason=text, reason=text, by=by, at=at)
    along = bring_along(session, plan, apply(run, event), ref, by=by, at=at)
    run_store.record(session, plan, run, [event, *along])


def reopen_stage(
    session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: UserId, at: datetime
) -> None:
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    text = write_text(session, run_id, reason, by=by, at=at)
    run_store.record(session, plan, run, transitions.reopen_stage(plan, run, ref, reason=text, by=by, at=at))


def skip_stage(
    session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: UserId, at: datetime
) -> None:
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    text = write_text(session, run_id, reason, by=by, at=at)
    run_store.record(session, plan, run, transitions.skip_stage(plan, run, ref, reason=text, by=by, at=at))


def undo_skip(session: Session, run_id: str, ref: StageRef, *, based_on: str, by: UserId, at: datetime) -> None:
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    run_store.record(session, plan, run, transitions.undo_skip(plan, run, ref, by=by, at=at))


def take_decision(
    session: Session,
    run_id: str,
    decision: str,
    domain: str | None,
    *,
    reason: str,
    based_on: str,
    by: Caller,
    at: datetime,
) -> None:
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.decision_mark(run, decision, domain))
    text = write_text(session, run_id, reason, by=by.user_id, at=at)
    event = transitions.take_decision(
        plan,
        run,
        decision,
        domain,
        reason=text,
        by=by.user_id,
        roles=by.roles_on(run),
        people=persons_in(session, run, by.user_id),
        at=at,
    )
    run_store.record(session, plan, run, event)


def withdraw_decision(
    session: Session,
    run_id: str,
    decision: str,
    domain: str | None,
    *,
    reason: str,
    based_on: str,
    by: Caller,
    at: datetime,
) -> None:
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.decision_mark(run, decision, domain))
    text = write_text(session, run_id, reason, by=by.user_id, at=at)
    event = transitions.withdraw_decision(
        plan,
        run,
        decision,
        domain,
        reason=text,
        by=by.user_id,
        roles=by.roles_on(run),
        people=persons_in(session, run, by.user_id),
        at=at,
    )
    run_store.record(session, plan, run, event)
