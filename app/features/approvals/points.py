"""One open point: what it asks, who sees to it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from app.engine import deciders
from app.engine import point_decisions as decisions
from app.engine.definition import StepPlan
from app.engine.errors import Blocked, Reason
from app.engine.events import Event
from app.engine.points import Point, PointState
from app.engine.run import Run, StageRef
from app.features.approvals.forms import ChangePointForm, ReportForm, WithdrawForm
from app.policy import Action
from app.storage import run_store
from app.storage.database import ReadSession, WriteSession
from app.storage.deciding import persons_in
from app.storage.marks import Outdated, check, point_mark
from app.storage.run_header import RunHeader, run_header
from app.storage.texts import read_texts_and_names, write_text
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.formats import day_of
from app.web.forms import FormInvalid, FormState, Posted, parse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.paths import stage_ref
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "point_reported": N_("You reported the point as done. Who decides looks at it."),
        "point_closed": N_("The point is closed."),
        "point_returned": N_("The point went back to its owner, with your reason."),
        "point_changed": N_("The point has another owner or date."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Worker = Annotated[Caller, allowed(Action.WORK_ON_STAGE)]
Approver = Annotated[Caller, allowed(Action.APPROVE_STAGE)]
Basis = Annotated[str, based_on()]
PLACE = "/trajecten/{run_id}/fasen/{ref}/open-punten/{point_id}"


@dataclass(frozen=True, slots=True)
class PointPage:
    """`cannot_…`: why this visitor cannot do that; None for what is not for them at all."""

    header: RunHeader
    plan: StepPlan
    run: Run
    ref: StageRef
    point: Point
    today: date
    names: dict[str, str]
    texts: dict[str, str]
    cannot_report: list[Reason] | None
    cannot_judge: list[Reason] | None
    cannot_change: list[Reason] | None

    @property
    def mark(self) -> str:
        return point_mark(self.point)

    @property
    def address(self) -> str:
        return f"{self.stage_address}/open-punten/{self.point.id}"

    @property
    def stage_address(self) -> str:
        return f"/trajecten/{self.run.id}/fasen/{self.ref}"


def point_page(session: Session, caller: Caller, run_id: str, ref: StageRef, id: str, at: datetime) -> PointPage:
    """Four queries.  Raises RunNotFound, NoSuchPart."""
    plan, run = run_store.load_stages(session, run_id)
    _, point = decisions.find_point(plan, run, ref, id)
    texts, names = read_texts_and_names(
        session,
        [point.text, point.report, point.returned, point.changed],
        [point.owner, point.by, point.reported_by, point.judged_by, *run.team],
    )
    me, roles = caller.user_id, caller.roles_on(run)
    people = persons_in(session, run, me)
    works, decides = caller.may(Action.WORK_ON_STAGE), _decides(plan, run, ref, caller)
    return PointPage(
        header=run_header(session, run_id),
        plan=plan,
        run=run,
        ref=ref,
        point=point,
        today=day_of(at),
        names=names,
        texts=texts,
        cannot_report=decisions.reporter_reasons(plan, run, ref, id, by=me) if works else None,
        cannot_judge=decisions.judge_reasons(plan, run, ref, id, by=me, roles=roles, people=people)
        if decides
        else None,
        cannot_change=decisions.changer_reasons(plan, run, ref, id, by=me, roles=roles, people=people)
        if decides
        else None,
    )


def _decides(plan: StepPlan, run: Run, ref: StageRef, caller: Caller) -> bool:
    stage = plan.stage(ref.stage)
    return caller.may(Action.APPROVE_STAGE) and not any(deciders.approver_lacks_role(stage, ref, caller.roles_on(run)))


@router.get(PLACE)
def show_point(
    request: Request, run_id: str, ref: str, point_id: str, session: ReadSession, caller: Viewer
) -> Response:
    return _page(request, point_page(session, caller, run_id, stage_ref(ref), point_id, now(request)), FormState())


def _page(
    request: Request,
    page: PointPage,
    form: FormState,
    *,
    status: int = 200,
    blocked: Blocked | None = None,
    is_stale: bool = False,
) -> Response:
    form = form.with_default("eigenaar", page.point.owner).with_default("datum", page.point.due.isoformat())
    return render(
        request,
        "approvals/point.html",
        block="panel",
        status=status,
        header=page.header,
        here_tab="run",
        page=page,
        form=form,
        blocked=blocked,
        is_stale=is_stale,
    )


Decide = Callable[[StepPlan, Run, StageRef], Event]


def _do(
    request: Request,
    session: Session,
    caller: Caller,
    posted: Posted,
    place: tuple[str, StageRef, str],
    decide: Callable[[], Decide],
    *,
    based_on: str,
    notice: str,
    leads_to: PointState | None = None,
) -> Response:
    """Reads the form and records what it leads to; shows the page again, with what was typed, when that is refused.
    `leads_to`: the state in which the same click a second time finds the point."""
    run_id, ref, id = place
    try:
        plan, run = run_store.load_stages(session, run_id, for_change=True)
        check(based_on, point_mark(decisions.find_point(plan, run, ref, id)[1]))
        run_store.record(session, plan, run, decide()(plan, run, ref))
    except FormInvalid as invalid:
        page = point_page(session, caller, run_id, ref, id, now(request))
        return _page(request, page, invalid.state(language_of(request)), status=422)
    except (Blocked, Outdated) as refusal:
        session.rollback()
        page = point_page(session, caller, run_id, ref, id, now(request))
        if leads_to is None or not _did_so_just_now(page.point, leads_to, caller.user_id):
            blocked = refusal if isinstance(refusal, Blocked) else None
            typed = FormState(typed_text(posted))
            return _page(request, page, typed, status=409, blocked=blocked, is_stale=blocked is None)
    return see_other(f"/trajecten/{run_id}/fasen/{ref}/open-punten/{id}", notice=notice)


def _did_so_just_now(point: Point, state: PointState, by: str) -> bool:
    """The same click once more: telling that nothing was recorded would be untrue."""
    return point.state is state and by == (point.reported_by if state is PointState.REPORTED else point.judged_by)


@router.post(PLACE + "/melden")
def report_point(
    request: Request,
    run_id: str,
    ref: str,
    point_id: str,
    session: WriteSession,
    caller: Worker,
    posted: Posted,
    basis: Basis,
) -> Response:
    by, at = caller.user_id, now(request)

    def decide() -> Decide:
        text = write_text(session, run_id, parse(ReportForm, posted).remark, by=by, at=at)
        return lambda plan, run, stage: decisions.report_point(plan, run, stage, point_id, remark=text, by=by, at=at)

    place = (run_id, stage_ref(ref), point_id)
    leads_to = PointState.REPORTED
    return _do(
        request, session, caller, posted, place, decide, based_on=basis, notice="point_reported", leads_to=leads_to
    )


@router.post(PLACE + "/afsluiten")
def close_point(
    request: Request,
    run_id: str,
    ref: str,
    point_id: str,
    session: WriteSession,
    caller: Approver,
    posted: Posted,
    basis: Basis,
) -> Response:
    by, at = caller.user_id, now(request)

    def decide() -> Decide:
        return lambda plan, run, stage: decisions.close_point(
            plan, run, stage, point_id, by=by, roles=caller.roles_on(run), people=persons_in(session, run, by), at=at
        )

    place = (run_id, stage_ref(ref), point_id)
    leads_to = PointState.CLOSED
    return _do(
        request, session, caller, posted, place, decide, based_on=basis, notice="point_closed", leads_to=leads_to
    )


@router.post(PLACE + "/teruggeven")
def return_point(
    request: Request,
    run_id: str,
    ref: str,
    point_id: str,
    session: WriteSession,
    caller: Approver,
    posted: Posted,
    basis: Basis,
) -> Response:
    by, at = caller.user_id, now(request)

    def decide() -> Decide:
        text = write_text(session, run_id, parse(WithdrawForm, posted).reason, by=by, at=at)
        return lambda plan, run, stage: decisions.return_point(
            plan,
            run,
            stage,
            point_id,
            reason=text,
            by=by,
            roles=caller.roles_on(run),
            people=persons_in(session, run, by),
            at=at,
        )

    place = (run_id, stage_ref(ref), point_id)
    leads_to = PointState.OPEN
    return _do(
        request, session, caller, posted, place, decide, based_on=basis, notice="point_returned", leads_to=leads_to
    )


@router.post(PLACE + "/wijzigen")
def change_point(
    request: Request,
    run_id: str,
    ref: str,
    point_id: str,
    session: WriteSession,
    caller: Approver,
    posted: Posted,
    basis: Basis,
) -> Response:
    by, at = caller.user_id, now(request)

    def decide() -> Decide:
        form = parse(ChangePointForm, posted)
        text = write_text(session, run_id, form.reason, by=by, at=at)
        return lambda plan, run, stage: decisions.change_point(
            plan,
            run,
            stage,
            point_id,
            owner=form.owner,
            due=form.due,
            reason=text,
            by=by,
            roles=caller.roles_on(run),
            people=persons_in(session, run, by),
            at=at,
        )

    place = (run_id, stage_ref(ref), point_id)
    return _do(request, session, caller, posted, place, decide, based_on=basis, notice="point_changed")
