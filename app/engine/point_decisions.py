"""Deciding about open points: reporting one as done, closing it, giving it back, another owner or date.

All raise NoSuchPart for a point that does not exist, and Blocked with every reason at once. `at` is aware, UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from app.engine import deciders, guards
from app.engine import events as e
from app.engine.definition import StepPlan
from app.engine.errors import Reason, refuse_if
from app.engine.people import Mandate, People
from app.engine.points import NewPoint, Point, PointState
from app.engine.run import Run, StageInstance, StageRef, TextId, UserId


class Signed(TypedDict):
    mandate: str | None
    on_behalf_of: UserId | None
    by: UserId
    at: datetime


@dataclass(frozen=True, slots=True)
class Judge:
    """Who says whether a point is done, or gives it another owner or date: as what, and when; with `mandate`, in the
    name of who is absent."""

    by: UserId
    roles: frozenset[str]
    people: People
    at: datetime
    mandate: Mandate | None = None

    @property
    def signed(self) -> Signed:
        """What the event says of it."""
        mandate = self.mandate
        return {
            "mandate": mandate.id if mandate else None,
            "on_behalf_of": mandate.mandator if mandate else None,
            "by": self.by,
            "at": self.at,
        }


def find_point(plan: StepPlan, run: Run, ref: StageRef, point: str) -> tuple[StageInstance, Point]:
    """Raises NoSuchPart."""
    guards.find_stage(plan, run, ref)
    instance = run.instance(ref)
    found = instance.point(point) if instance else None
    if instance is None or found is None:
        raise guards.NoSuchPart(f"{ref}/{point}")
    return instance, found


def _owner_and_date(run: Run, ref: StageRef, owner: UserId, due: date, at: datetime) -> Iterator[Reason]:
    if owner not in run.team:
        yield Reason("owner_not_in_team", stage=str(ref))
    # `at` is in UTC, where a day begins no earlier than in the Netherlands: today is never refused.
    if due < at.date():
        yield Reason("due_in_the_past", stage=str(ref))


def condition_reasons(run: Run, ref: StageRef, conditions: Sequence[NewPoint], at: datetime) -> list[Reason]:
    """Why these cannot be conditions, each reason once."""
    assert len({each.id for each in conditions}) == len(conditions), "an id is given once"
    found = [reason for each in conditions for reason in _owner_and_date(run, ref, each.owner, each.due, at)]
    return list({reason.code: reason for reason in found}.values())


def _not_open(ref: StageRef, point: Point) -> Iterator[Reason]:
    if point.state is not PointState.OPEN:
        yield Reason("point_not_open", stage=str(ref))


def _not_reported(ref: StageRef, point: Point) -> Iterator[Reason]:
    if point.state is not PointState.REPORTED:
        yield Reason("point_not_reported", stage=str(ref))


def reporter_reasons(plan: StepPlan, run: Run, ref: StageRef, point: str, *, by: UserId) -> list[Reason]:
    """Why this person cannot report this point as done."""
    _, found = find_point(plan, run, ref, point)
    reasons = [*_not_open(ref, found)]
    if by != found.owner:
        reasons.append(Reason("not_owner_of_point", stage=str(ref)))
    return reasons


def judge_reasons(plan: StepPlan, run: Run, ref: StageRef, point: str, *, judge: Judge) -> list[Reason]:
    """Why this person cannot close this point or give it back. Who reported it worked on the stage."""
    instance, found = find_point(plan, run, ref, point)
    return [*_not_reported(ref, found), *_decides(plan, run, instance, judge)]


def changer_reasons(plan: StepPlan, run: Run, ref: StageRef, point: str, *, judge: Judge) -> list[Reason]:
    """Why this person cannot give this point another owner or date."""
    instance, found = find_point(plan, run, ref, point)
    return [*_not_open(ref, found), *_decides(plan, run, instance, judge)]


def _decides(plan: StepPlan, run: Run, instance: StageInstance, judge: Judge) -> Iterator[Reason]:
    stage = plan.stage(instance.ref.stage)
    yield from deciders.cannot_decide_on(
        stage,
        run.manager,
        instance,
        by=judge.by,
        roles=judge.roles,
        people=judge.people,
        mandate=judge.mandate,
        at=judge.at,
    )


def report_point(
    plan: StepPlan, run: Run, ref: StageRef, point: str, *, remark: TextId | None, by: UserId, at: datetime
) -> e.PointReported:
    """By its owner, with what was done."""
    reasons = reporter_reasons(plan, run, ref, point, by=by)
    if remark is None:
        reasons.append(Reason("remark_missing", stage=str(ref)))
    refuse_if("report_point", reasons)
    assert remark is not None
    return e.PointReported(ref=ref, point=point, remark=remark, by=by, at=at)


def close_point(plan: StepPlan, run: Run, ref: StageRef, point: str, *, judge: Judge) -> e.PointClosed:
    refuse_if("close_point", judge_reasons(plan, run, ref, point, judge=judge))
    return e.PointClosed(ref=ref, point=point, **judge.signed)


def return_point(
    plan: StepPlan, run: Run, ref: StageRef, point: str, *, reason: TextId | None, judge: Judge
) -> e.PointReturned:
    reasons = judge_reasons(plan, run, ref, point, judge=judge)
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    refuse_if("return_point", reasons)
    assert reason is not None
    return e.PointReturned(ref=ref, point=point, reason=reason, **judge.signed)


def change_point(
    plan: StepPlan,
    run: Run,
    ref: StageRef,
    point: str,
    *,
    owner: UserId,
    due: date,
    reason: TextId | None,
    judge: Judge,
) -> e.PointChanged:
    """Another owner, another date, or both."""
    _, found = find_point(plan, run, ref, point)
    reasons = changer_reasons(plan, run, ref, point, judge=judge)
    reasons += _owner_and_date(run, ref, owner, due, judge.at)
    if (owner, due) == (found.owner, found.due):
        reasons.append(Reason("nothing_changed", stage=str(ref)))
    if reason is None:
        reasons.append(Reason("reason_missing", stage=str(ref)))
    refuse_if("change_point", reasons)
    assert reason is not None
    return e.PointChanged(ref=ref, point=point, owner=owner, due=due, reason=reason, **judge.signed)
