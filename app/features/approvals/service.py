"""Asking for approval, deciding, and taking either back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from app.engine import stage_decisions
from app.engine.apply import replay
from app.engine.points import NewPoint
from app.engine.run import StageRef, UserId
from app.engine.seal import Manifest, digest, manifest
from app.features.approvals.decider import Decider, known, mandates_of, note_use
from app.features.approvals.forms import ConditionTyped
from app.storage import deciding, marks, run_store
from app.storage.seals import find_seal, keep_seal
from app.storage.texts import write_text


def request_approval(
    session: Session, run_id: str, ref: StageRef, *, shown: str, message: str, by: UserId, at: datetime
) -> None:
    """Raises Blocked, and SealBroken when the content is no longer what was shown."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    text = write_text(session, run_id, message, by=by, at=at)
    event = stage_decisions.request_approval(
        plan, run, ref, request=str(uuid.uuid4()), shown=shown, message=text, by=by, at=at
    )
    keep_seal(session, run_id, manifest(run, ref), at=at)
    run_store.record(session, plan, run, event)


def withdraw_request(
    session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: UserId, at: datetime
) -> None:
    """Raises Outdated when something else happened to the stage, Blocked."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    text = write_text(session, run_id, reason, by=by, at=at)
    run_store.record(session, plan, run, stage_decisions.withdraw_request(plan, run, ref, reason=text, by=by, at=at))


class TakingPart(Protocol):
    """`recuse` or `take_recusal_back`."""

    def __call__(self, session: Session, run_id: str, ref: StageRef, *, reason: str, by: Decider) -> None: ...


def approve(
    session: Session,
    run_id: str,
    ref: StageRef,
    *,
    shown: str,
    remark: str,
    conditions: Iterable[ConditionTyped] = (),
    by: Decider,
) -> None:
    """Raises Blocked, and SealBroken when the content is no longer what was shown."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    who, mandate = known(session, run, ref, by)
    text = write_text(session, run_id, remark, by=by.caller.user_id, at=by.at)
    event = stage_decisions.approve_stage(
        plan,
        run,
        ref,
        shown=shown,
        remark=text,
        conditions=[_new_point(session, run_id, each, by=by.caller.user_id, at=by.at) for each in conditions],
        by=by.caller.user_id,
        roles=by.caller.roles_on(run),
        people=who.people,
        mandate=mandate,
        at=by.at,
    )
    after = run_store.record(session, plan, run, event)
    keep_seal(session, run_id, manifest(after, ref), at=by.at)
    note_use(session, run.id, event, by)


def _new_point(session: Session, run_id: str, typed: ConditionTyped, *, by: UserId, at: datetime) -> NewPoint:
    text = write_text(session, run_id, typed.text, by=by, at=at)
    assert text is not None, "the form asks for it"
    return NewPoint(str(uuid.uuid4()), text, typed.owner, typed.due)


def send_back(
    session: Session, run_id: str, ref: StageRef, *, shown: str, findings: Mapping[str, str], by: Decider
) -> None:
    """`findings`: by step, what should change; empty ones do not count.  Raises as `approve` does."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    who, mandate = known(session, run, ref, by)
    user, at = by.caller.user_id, by.at
    texts = {step: write_text(session, run_id, text, by=user, at=at) for step, text in findings.items()}
    given = {step: text for step, text in texts.items() if text is not None}
    event = stage_decisions.send_back_stage(
        plan,
        run,
        ref,
        shown=shown,
        findings=given,
        by=user,
        roles=by.caller.roles_on(run),
        people=who.people,
        mandate=mandate,
        at=at,
    )
    keep_seal(session, run_id, manifest(run, ref), at=at)
    run_store.record(session, plan, run, event)
    note_use(session, run.id, event, by)


def withdraw_approval(session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: Decider) -> None:
    """Raises Outdated when something else happened to the stage, Blocked."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    who, mandate = known(session, run, ref, by)
    event = stage_decisions.withdraw_approval(
        plan,
        run,
        ref,
        reason=write_text(session, run_id, reason, by=by.caller.user_id, at=by.at),
        by=by.caller.user_id,
        roles=by.caller.roles_on(run),
        people=who.people,
        mandate=mandate,
        at=by.at,
    )
    run_store.record(session, plan, run, event)
    note_use(session, run.id, event, by)


def recuse(session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: Decider) -> None:
    """Takes no part in the decision.  Raises Blocked, Outdated."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    user = by.caller.user_id
    who = deciding.who(session, run, by=user, at=by.at)
    event = stage_decisions.recuse(
        plan,
        run,
        ref,
        reason=write_text(session, run_id, reason, by=user, at=by.at),
        by=user,
        roles=by.caller.roles_on(run),
        people=who.people,
        mandates=mandates_of(who, by.caller),
        at=by.at,
    )
    run_store.record(session, plan, run, event)


def take_recusal_back(session: Session, run_id: str, ref: StageRef, *, reason: str, based_on: str, by: Decider) -> None:
    """Raises Blocked, Outdated."""
    plan, run = run_store.load_stage(session, run_id, ref, for_change=True)
    marks.check(based_on, marks.stage_mark(run, ref))
    user = by.caller.user_id
    text = write_text(session, run_id, reason, by=user, at=by.at)
    event = stage_decisions.take_recusal_back(plan, run, ref, reason=text, by=user, at=by.at)
    run_store.record(session, plan, run, event)


def manifest_shown(session: Session, run_id: str, ref: StageRef, *, shown: str, revision: int) -> Manifest | None:
    """What a page showed: kept if it was sealed, else rebuilt from the history up to the revision of that page.
    None if neither gives the digest that the page carried."""
    kept = find_seal(session, run_id, shown)
    if kept is not None:
        return kept if kept["stage"] == str(ref) else None  # of another stage: a page that was made up
    try:
        run = replay(run_store.events_of(session, run_id, up_to=revision))
    except ValueError:
        return None
    if ref not in run.stages:
        return None
    rebuilt = manifest(run, ref)
    return rebuilt if digest(rebuilt) == shown else None
