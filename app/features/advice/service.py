"""Sharing a run with advisers, giving advice and answering it. All raise RunNotFound, and Blocked with the reasons."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from app.engine import advice as rules
from app.engine.guards import NoSuchPart
from app.engine.run import Followed, StageRef, UserId
from app.policy import Role
from app.storage import marks, run_store
from app.storage.people import members_with_role
from app.storage.texts import write_text


class NotAnAdviser(Exception):
    """Nobody with this id advises in this municipality (any more)."""


def share(
    session: Session,
    run_id: str,
    adviser: str,
    *,
    question: str,
    wanted_by: date | None,
    based_on: str,
    by: UserId,
    at: datetime,
) -> None:
    """`based_on`: the marks of all advisers with whom the page said that it is shared. With whom it is shared otherwise
    makes no difference.  Raises NotAnAdviser, Outdated."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    current = marks.shared_mark(run, adviser)
    marks.check(current if not current or current in based_on.split() else "", current)
    if all(person.id != adviser for person in members_with_role(session, Role.ADVISER)):
        raise NotAnAdviser(adviser)
    text = write_text(session, run_id, question, by=by, at=at)
    events = rules.share_run(run, adviser, question=text, wanted_by=wanted_by, by=by, at=at)
    run_store.record(session, plan, run, events)


def end_sharing(session: Session, run_id: str, adviser: str, *, based_on: str, by: UserId, at: datetime) -> None:
    """Ending it twice is done once.  Raises Outdated, and NoSuchPart for who is no adviser at all."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    marks.check(based_on, marks.shared_mark(run, adviser))
    if adviser not in run.advisers and all(person.id != adviser for person in members_with_role(session, Role.ADVISER)):
        raise NoSuchPart(adviser)
    run_store.record(session, plan, run, rules.end_sharing(run, adviser, by=by, at=at))


def give(
    session: Session,
    run_id: str,
    *,
    ref: StageRef | None,
    text: str,
    grounds: Sequence[str],
    by: UserId,
    at: datetime,
) -> None:
    """Raises NoSuchPart for a stage or a ground that the run does not have."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    written = write_text(session, run_id, text, by=by, at=at)
    given = rules.give_advice(plan, run, str(uuid.uuid4()), ref=ref, text=written, grounds=grounds, by=by, at=at)
    run_store.record(session, plan, run, given)


def answer(
    session: Session,
    run_id: str,
    advice: str,
    *,
    followed: Followed,
    reason: str,
    based_on: str,
    by: UserId,
    at: datetime,
) -> None:
    """Raises NoSuchPart for an advice that was not given on this run, Outdated when it was answered otherwise."""
    plan, run = run_store.load_stages(session, run_id, for_change=True)
    for each in run.advice:
        if each.id == advice:
            marks.check(based_on, marks.advice_mark(each))
    written = write_text(session, run_id, reason, by=by, at=at)
    run_store.record(
        session, plan, run, rules.answer_advice(run, advice, followed=followed, reason=written, by=by, at=at)
    )
