"""Sharing a run with advisers, their advice, and what the team did with it.

Advice is not work on a stage: whoever gives it is no contributor, and no approval depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import assert_never

from app.engine import events as e
from app.engine import guards
from app.engine.definition import StepPlan
from app.engine.errors import Reason, refuse_if
from app.engine.run import Advice, Answered, Followed, Run, Shared, StageRef, TextId, UserId

AdviceEvent = e.RunShared | e.SharingEnded | e.AdviceGiven | e.AdviceAnswered


def unanswered(advice: Iterable[Advice]) -> list[Advice]:
    """What the team has yet to say what it did with."""
    return [each for each in advice if each.answer is None]


def not_shared_with(run: Run, by: UserId) -> Iterator[Reason]:
    if by not in run.advisers:
        yield Reason("not_shared")


def share_run(
    run: Run,
    adviser: UserId,
    *,
    question: TextId | None,
    wanted_by: date | None,
    by: UserId,
    at: datetime,
) -> list[e.Event]:
    """Sharing again with another question replaces the earlier one. Who works on the run does not advise on it."""
    reasons = [*guards.not_in_team(run, by)]
    if adviser in run.team or adviser == run.manager:
        reasons.append(Reason("adviser_in_team"))
    refuse_if("share_run", reasons)
    return [e.RunShared(adviser=adviser, question=question, wanted_by=wanted_by, by=by, at=at)]


def end_sharing(run: Run, adviser: UserId, *, by: UserId, at: datetime) -> list[e.Event]:
    """What the adviser said stays. Ending what is not shared gives no events."""
    refuse_if("end_sharing", [*guards.not_in_team(run, by)])
    return [e.SharingEnded(adviser=adviser, by=by, at=at)] if adviser in run.advisers else []


def give_advice(
    plan: StepPlan,
    run: Run,
    advice: str,
    *,
    ref: StageRef | None,
    text: TextId | None,
    grounds: Sequence[str],
    by: UserId,
    at: datetime,
) -> e.AdviceGiven:
    if ref is not None:
        guards.find_stage(plan, run, ref)
    if unknown := [ground for ground in grounds if ground not in plan.grounds_by_id]:
        raise guards.NoSuchPart(unknown[0])
    reasons = [*not_shared_with(run, by)]
    if text is None:
        reasons.append(Reason("advice_missing"))
    refuse_if("give_advice", reasons)
    assert text is not None
    given = tuple(ground.id for ground in plan.grounds if ground.id in grounds)
    return e.AdviceGiven(advice=advice, ref=ref, text=text, grounds=given, by=by, at=at)


def answer_advice(
    run: Run, advice: str, *, followed: Followed, reason: TextId | None, by: UserId, at: datetime
) -> e.AdviceAnswered:
    """May be given again; each answer stays in the history.  Raises NoSuchPart."""
    if all(each.id != advice for each in run.advice):
        raise guards.NoSuchPart(advice)
    reasons = [*guards.not_in_team(run, by)]
    if reason is None:
        reasons.append(Reason("reason_missing"))
    refuse_if("answer_advice", reasons)
    assert reason is not None
    return e.AdviceAnswered(advice=advice, followed=followed, reason=reason, by=by, at=at)


def applied(run: Run, event: AdviceEvent) -> Run:
    """Without the count of events, which `apply` keeps.  Raises ValueError for an event that cannot follow here."""
    match event:
        case e.RunShared():
            shared = Shared(event.adviser, event.by, event.at, event.question, event.wanted_by)
            return replace(run, shared=(*_without(run, event.adviser), shared))
        case e.SharingEnded():
            return replace(run, shared=_without(run, event.adviser))
        case e.AdviceGiven():
            given = Advice(event.advice, event.ref, event.text, event.grounds, event.by, event.at)
            return replace(run, advice=(*run.advice, given))
        case e.AdviceAnswered():
            if all(each.id != event.advice for each in run.advice):
                raise ValueError(f"no advice {event.advice}")
            answer = Answered(event.followed, event.reason, event.by, event.at)
            return replace(
                run,
                advice=tuple(replace(each, answer=answer) if each.id == event.advice else each for each in run.advice),
            )
        case _:
            assert_never(event)


def _without(run: Run, adviser: UserId) -> tuple[Shared, ...]:
    return tuple(each for each in run.shared if each.adviser != adviser)
