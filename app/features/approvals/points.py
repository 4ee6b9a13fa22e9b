"""One open point: what it asks, who sees to it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from app.engine import deciders
from app.engine import point_decisions as decisions
from app.engine.definition import StepPlan
from app.engine.errors import Blocked, Reason
from app.engine.events import Event
from app.engine.point_decisions import Judge
from app.engine.points import Point, PointState
from app.engine.run import Run, StageRef
from app.features.approvals.forms import ChangePointForm, JudgeForm, ReportForm
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
from app.web.forms import Form, FormInvalid, FormState, Posted, parse, typed_text
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
Typed = TypeVar("Typed", bound=Form)
PLACE = "/trajecten/{run_id}/fasen/{ref}/open-punten/{point_id}"


@dataclass(frozen=True, slots=True)
class PointPlace:
    """The open point that an address names."""

    run_id: str
    ref: StageRef
    id: str


async def _place(run_id: str, ref: str, point_id: str) -> PointPlace:
    return PointPlace(run_id, stage_ref(ref), point_id)


Place = Annotated[PointPlace, Depends(_place)]


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

    def said(self, text: str | None) -> str:
        return self.texts.get(text or "", "")

    @property
    def address(self) -> str:
        return f"{self.stage_address}/open-punten/{self.point.id}"

    @property
    def stage_address(self) -> str:
        return f"/trajecten/{self.run.id}/fasen/{self.ref}"


def point_page(session: Session, caller: Caller, place: PointPlace, at: datetime) -> PointPage:
    """Four queries.  Raises RunNotFound, NoSuchPart."""
    plan, run = run_store.load_stages(session, place.run_id)
    ref, id = place.ref, place.id
    _, point = decisions.find_point(plan, run, ref, id)
    texts, names = read_texts_and_names(
        session,
        [point.text, point.report, point.returned, point.changed],
        [point.owner, point.by, point.reported_by, point.judged_by, *run.team],
    )
    judge = _judge(session, run, caller, at)
    works, decides = caller.may(Action.WORK_ON_STAGE), _decides(plan, run, ref, caller)
    return PointPage(
        header=run_header(session, place.run_id),
        plan=plan,
        run=run,
        ref=ref,
        point=point,
        today=day_of(at),
        names=names,
        texts=texts,
        cannot_report=decisions.reporter_reasons(plan, run, ref, id, by=caller.user_id) if works else None,
        cannot_judge=decisions.judge_reasons(plan, run, ref, id, judge=judge) if decides else None,
        cannot_change=decisions.changer_reasons(plan, run, ref, id, judge=judge) if decides else None,
    )


def _judge(session: Session, run: Run, caller: Caller, at: datetime) -> Judge:
    people = persons_in(session, run, caller.user_id)
    return Judge(by=caller.user_id, roles=caller.roles_on(run), people=people, at=at)


def _decides(plan: StepPlan, run: Run, ref: StageRef, caller: Caller) -> bool:
    stage = plan.stage(ref.stage)
    return caller.may(Action.APPROVE_STAGE) and not any(deciders.approver_lacks_role(stage, ref, caller.roles_on(run)))


@router.get(PLACE)
def show_point(request: Request, session: ReadSession, caller: Viewer, place: Place) -> Response:
    return _page(request, point_page(session, caller, place, now(request)), FormState())


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


@dataclass(frozen=True, slots=True)
class Sent:
    """A form about a point, as it came in."""

    request: Request
    session: Session
    caller: Caller
    place: PointPlace
    posted: FormData
    based_on: str

    @property
    def at(self) -> datetime:
        return now(self.request)


def _do(
    sent: Sent,
    model: type[Typed],
    decide: Callable[[StepPlan, Run, Typed], Event],
    *,
    is_recorded: Callable[[PointPage, Typed], bool],
    notice: str,
) -> Response:
    """Reads the form and records what it leads to; shows the page again, with what was typed, when that is refused.
    `is_recorded`: whether the page shows exactly this, done by the same person. Then the form came in once more, and
    telling that nothing was recorded would be untrue."""
    request, session, place = sent.request, sent.session, sent.place
    try:
        form = parse(model, sent.posted)
    except FormInvalid as invalid:
        page = point_page(session, sent.caller, place, sent.at)
        return _page(request, page, invalid.state(language_of(request)), status=422)
    try:
        plan, run = run_store.load_stages(session, place.run_id, for_change=True)
        check(sent.based_on, point_mark(decisions.find_point(plan, run, place.ref, place.id)[1]))
        run_store.record(session, plan, run, decide(plan, run, form))
    except (Blocked, Outdated) as refusal:
        session.rollback()
        page = point_page(session, sent.caller, place, sent.at)
        if not is_recorded(page, form):
            blocked = refusal if isinstance(refusal, Blocked) else None
            typed = FormState(typed_text(sent.posted))
            return _page(request, page, typed, status=409, blocked=blocked, is_stale=blocked is None)
    return see_other(f"/trajecten/{place.run_id}/fasen/{place.ref}/open-punten/{place.id}", notice=notice)


@router.post(PLACE + "/melden")
def report_point(
    request: Request, session: WriteSession, caller: Worker, place: Place, posted: Posted, basis: Basis
) -> Response:
    by, at = caller.user_id, now(request)

    def decide(plan: StepPlan, run: Run, form: ReportForm) -> Event:
        text = write_text(session, run.id, form.remark, by=by, at=at)
        return decisions.report_point(plan, run, place.ref, place.id, remark=text, by=by, at=at)

    def is_recorded(page: PointPage, form: ReportForm) -> bool:
        state, said = page.point.state, page.said(page.point.report)
        return (state, page.point.reported_by, said) == (PointState.REPORTED, by, form.remark)

    sent = Sent(request, session, caller, place, posted, basis)
    return _do(sent, ReportForm, decide, is_recorded=is_recorded, notice="point_reported")


@router.post(PLACE + "/afsluiten")
def close_point(
    request: Request, session: WriteSession, caller: Approver, place: Place, posted: Posted, basis: Basis
) -> Response:
    def decide(plan: StepPlan, run: Run, _: JudgeForm) -> Event:
        judge = _judge(session, run, caller, now(request))
        return decisions.close_point(plan, run, place.ref, place.id, judge=judge)

    def is_recorded(page: PointPage, _: JudgeForm) -> bool:
        return (page.point.state, page.point.judged_by) == (PointState.CLOSED, caller.user_id)

    sent = Sent(request, session, caller, place, posted, basis)
    return _do(sent, JudgeForm, decide, is_recorded=is_recorded, notice="point_closed")


@router.post(PLACE + "/teruggeven")
def return_point(
    request: Request, session: WriteSession, caller: Approver, place: Place, posted: Posted, basis: Basis
) -> Response:
    def decide(plan: StepPlan, run: Run, form: JudgeForm) -> Event:
        judge = _judge(session, run, caller, now(request))
        text = write_text(session, run.id, form.reason, by=judge.by, at=judge.at)
        return decisions.return_point(plan, run, place.ref, place.id, reason=text, judge=judge)

    def is_recorded(page: PointPage, form: JudgeForm) -> bool:
        state, said = page.point.state, page.said(page.point.returned)
        return (state, page.point.judged_by, said) == (PointState.OPEN, caller.user_id, form.reason)

    sent = Sent(request, session, caller, place, posted, basis)
    return _do(sent, JudgeForm, decide, is_recorded=is_recorded, notice="point_returned")


@router.post(PLACE + "/wijzigen")
def change_point(
    request: Request, session: WriteSession, caller: Approver, place: Place, posted: Posted, basis: Basis
) -> Response:
    def decide(plan: StepPlan, run: Run, form: ChangePointForm) -> Event:
        judge = _judge(session, run, caller, now(request))
        text = write_text(session, run.id, form.reason, by=judge.by, at=judge.at)
        return decisions.change_point(
            plan, run, place.ref, place.id, owner=form.owner, due=form.due, reason=text, judge=judge
        )

    sent = Sent(request, session, caller, place, posted, basis)
    return _do(sent, ChangePointForm, decide, is_recorded=lambda _page, _form: False, notice="point_changed")
