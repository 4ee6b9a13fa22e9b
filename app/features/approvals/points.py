"""One open point: what it asks, who sees to it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from app.engine.events import ByMandate, Event
from app.engine.point_decisions import Judge
from app.engine.points import Point, PointState
from app.engine.run import Run, StageRef
from app.features.approvals.decider import Decider, known, note_use, stands_in_by
from app.features.approvals.forms import ChangePointForm, JudgeForm, ReportForm
from app.policy import Action
from app.storage import deciding, run_store
from app.storage.database import ReadSession, WriteSession
from app.storage.deciding import StandIn
from app.storage.marks import Outdated, check, point_mark
from app.storage.run_header import RunHeader, run_header
from app.storage.texts import write_text
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
from app.web.sender import sender_of

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
    """`cannot_…`: why this visitor cannot do that; None for what is not for them at all. `mandates`: with which this
    visitor can judge in the name of the manager; `in_own_name`: whether without one too."""

    header: RunHeader
    plan: StepPlan
    run: Run
    ref: StageRef
    point: Point
    today: date
    names: Mapping[str, str]
    texts: Mapping[str, str]
    mandates: tuple[StandIn, ...]
    in_own_name: bool
    cannot_report: list[Reason] | None
    cannot_judge: list[Reason] | None
    cannot_change: list[Reason] | None

    @property
    def mark(self) -> str:
        return point_mark(self.point)

    def said(self, text: str | None) -> str:
        return self.texts.get(text or "", "")

    def is_judged(self, state: PointState, by: Caller, mandate: str) -> bool:
        """Whether this person said so last, in the same name."""
        point = self.point
        return (point.state, point.judged_by, point.mandate or "") == (state, by.user_id, mandate)

    @property
    def address(self) -> str:
        return f"{self.stage_address}/open-punten/{self.point.id}"

    @property
    def stage_address(self) -> str:
        return f"/trajecten/{self.run.id}/fasen/{self.ref}"


def point_page(session: Session, caller: Caller, place: PointPlace, at: datetime) -> PointPage:
    """Three queries.  Raises RunNotFound, NoSuchPart."""
    plan, run = run_store.load_stages(session, place.run_id)
    ref, id = place.ref, place.id
    instance, point = decisions.find_point(plan, run, ref, id)
    me, roles, stage = caller.user_id, caller.roles_on(run), plan.stage(ref.stage)
    who = deciding.who(
        session,
        run,
        by=me,
        at=at,
        texts=[point.text, point.report, point.returned, point.changed],
        people=[point.owner, point.by, point.reported_by, point.judged_by, point.on_behalf_of, *run.team],
    )
    mandates = stands_in_by(who.stand_ins, caller)
    ways = deciders.ways_to_decide(
        *(stage, run.manager, instance),
        by=me,
        roles=roles,
        people=who.people,
        mandates=[each.mandate for each in mandates],
        at=at,
    )
    # Whoever can judge in no way reads why not: with the mandate, if that is all that this person has.
    is_approver = caller.may(Action.APPROVE_STAGE) and not any(deciders.approver_lacks_role(stage, ref, roles))
    tried = ways or ([None] if is_approver else [each.mandate for each in mandates[:1]])
    judges = [Judge(me, roles, who.people, at, way) for way in tried]
    return PointPage(
        header=run_header(session, place.run_id),
        plan=plan,
        run=run,
        ref=ref,
        point=point,
        today=day_of(at),
        names=who.names,
        texts=who.texts,
        mandates=tuple(each for each in mandates if each.mandate in ways),
        in_own_name=None in ways,
        cannot_report=decisions.reporter_reasons(plan, run, ref, id, by=me)
        if caller.may(Action.WORK_ON_STAGE)
        else None,
        cannot_judge=decisions.judge_reasons(plan, run, ref, id, judge=judges[0]) if judges else None,
        cannot_change=decisions.changer_reasons(plan, run, ref, id, judge=judges[0]) if judges else None,
    )


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

    def decider(self, mandate: str = "") -> Decider:
        return Decider(self.caller, self.at, sender_of(self.request), mandate)

    def judge(self, run: Run, mandate: str) -> Judge:
        """Raises Blocked for a mandate that is not, or not any more, for this person and this run."""
        who, found = known(self.session, run, self.place.ref, self.decider(mandate))
        return Judge(self.caller.user_id, self.caller.roles_on(run), who.people, self.at, found)


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
        event = decide(plan, run, form)
        run_store.record(session, plan, run, event)
        if isinstance(event, ByMandate):
            note_use(session, run.id, event, sent.decider())
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
    sent = Sent(request, session, caller, place, posted, basis)
    by, at = caller.user_id, sent.at

    def decide(plan: StepPlan, run: Run, form: ReportForm) -> Event:
        text = write_text(session, run.id, form.remark, by=by, at=at)
        return decisions.report_point(plan, run, place.ref, place.id, remark=text, by=by, at=at)

    def is_recorded(page: PointPage, form: ReportForm) -> bool:
        state, said = page.point.state, page.said(page.point.report)
        return (state, page.point.reported_by, said) == (PointState.REPORTED, by, form.remark)

    return _do(sent, ReportForm, decide, is_recorded=is_recorded, notice="point_reported")


@router.post(PLACE + "/afsluiten")
def close_point(
    request: Request, session: WriteSession, caller: Approver, place: Place, posted: Posted, basis: Basis
) -> Response:
    sent = Sent(request, session, caller, place, posted, basis)

    def decide(plan: StepPlan, run: Run, form: JudgeForm) -> Event:
        return decisions.close_point(plan, run, place.ref, place.id, judge=sent.judge(run, form.mandate))

    def is_recorded(page: PointPage, form: JudgeForm) -> bool:
        return page.is_judged(PointState.CLOSED, caller, form.mandate)

    return _do(sent, JudgeForm, decide, is_recorded=is_recorded, notice="point_closed")


@router.post(PLACE + "/teruggeven")
def return_point(
    request: Request, session: WriteSession, caller: Approver, place: Place, posted: Posted, basis: Basis
) -> Response:
    sent = Sent(request, session, caller, place, posted, basis)

    def decide(plan: StepPlan, run: Run, form: JudgeForm) -> Event:
        judge = sent.judge(run, form.mandate)
        text = write_text(session, run.id, form.reason, by=judge.by, at=judge.at)
        return decisions.return_point(plan, run, place.ref, place.id, reason=text, judge=judge)

    def is_recorded(page: PointPage, form: JudgeForm) -> bool:
        return page.is_judged(PointState.OPEN, caller, form.mandate) and page.said(page.point.returned) == form.reason

    return _do(sent, JudgeForm, decide, is_recorded=is_recorded, notice="point_returned")


@router.post(PLACE + "/wijzigen")
def change_point(
    request: Request, session: WriteSession, caller: Approver, place: Place, posted: Posted, basis: Basis
) -> Response:
    sent = Sent(request, session, caller, place, posted, basis)

    def decide(plan: StepPlan, run: Run, form: ChangePointForm) -> Event:
        judge = sent.judge(run, form.mandate)
        text = write_text(session, run.id, form.reason, by=judge.by, at=judge.at)
        return decisions.change_point(
            plan, run, place.ref, place.id, owner=form.owner, due=form.due, reason=text, judge=judge
        )

    return _do(sent, ChangePointForm, decide, is_recorded=lambda _page, _form: False, notice="point_changed")
