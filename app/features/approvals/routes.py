"""Asking for approval and deciding about a stage."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from app.engine.deciders import missing_approvals, standing_approvals
from app.engine.errors import Blocked, SealBroken
from app.engine.guards import not_in_team
from app.engine.run import StageRef
from app.engine.seal import manifest
from app.features.approvals import service
from app.features.approvals.changes import Change, PointChange, point_changes
from app.features.approvals.content import StageContent, changes_between, stage_content
from app.features.approvals.decider import Decider
from app.features.approvals.forms import (
    CONDITIONS_MAX,
    DecisionForm,
    RecuseForm,
    RequestForm,
    WithdrawForm,
    parse_decision,
)
from app.features.approvals.once_more import is_decided
from app.features.approvals.standing import standing_of
from app.policy import Action
from app.storage.database import ReadSession, WriteSession
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
from app.web.sender import sender_of

router = Room()
register(
    {
        "approval_requested": N_("Approval has been asked. The manager sees it on the overview."),
        "request_withdrawn": N_("The request has been withdrawn. You can work on it again."),
        "stage_approved": N_("Your approval has been recorded and sealed."),
        "stage_sent_back": N_("The stage went back to the team, with your reasons."),
        "recused": N_("It has been recorded that you take no part in this decision."),
        "recusal_taken_back": N_("It has been recorded that you take part again."),
        "approval_withdrawn": N_("The approval has been withdrawn. What was approved stays readable."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Worker = Annotated[Caller, allowed(Action.WORK_ON_STAGE)]
Approver = Annotated[Caller, allowed(Action.APPROVE_STAGE)]
Basis = Annotated[str, based_on()]
SealShown = Annotated[str, based_on("shown", "revision")]


def _content(request: Request, session: Session, caller: Caller, run_id: str, ref: StageRef) -> StageContent:
    return stage_content(session, run_id, ref, by=caller.user_id, at=now(request))


def _decider(request: Request, caller: Caller, mandate: str = "") -> Decider:
    return Decider(caller, now(request), sender_of(request), mandate)


def _address(run_id: str, ref: StageRef) -> str:
    return f"/trajecten/{run_id}/fasen/{ref}"


@router.get("/trajecten/{run_id}/fasen/{ref}/akkoord-vragen")
def show_request(request: Request, run_id: str, ref: str, session: ReadSession, caller: Worker) -> Response:
    content = _content(request, session, caller, run_id, stage_ref(ref))
    return _request_page(request, caller, content, FormState())


def _request_page(
    request: Request,
    caller: Caller,
    content: StageContent,
    form: FormState,
    *,
    status: int = 200,
    changes: tuple[Change, ...] | None = None,
    points_changed: tuple[PointChange, ...] = (),
    blocked: Blocked | None = None,
) -> Response:
    return _page(
        request,
        "approvals/request.html",
        content,
        form,
        status=status,
        changes=changes,
        points_changed=points_changed,
        blocked=blocked,
        not_in_team=list(not_in_team(content.run, caller.user_id)),
    )


def _page(request: Request, template: str, content: StageContent, form: FormState, **values: Any) -> Response:
    shared: dict[str, Any] = {
        "header": content.header,
        "here_tab": "run",
        "content": content,
        "form": form,
        "points_changed": (),
    }
    return render(request, template, block="panel", today=day_of(now(request)), **(shared | values))


@router.post("/trajecten/{run_id}/fasen/{ref}/akkoord-vragen")
def request_approval(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted, seal: SealShown
) -> Response:
    stage, typed = stage_ref(ref), FormState(typed_text(posted))
    try:
        form = parse(RequestForm, posted)
    except FormInvalid as invalid:
        content = _content(request, session, caller, run_id, stage)
        return _request_page(request, caller, content, invalid.state(language_of(request)), status=422)
    try:
        service.request_approval(
            session, run_id, stage, shown=form.shown, message=form.message, by=caller.user_id, at=now(request)
        )
    except SealBroken:
        content, changes, points = _look_again(request, session, caller, run_id, stage, form)
        return _request_page(request, caller, content, typed, status=409, changes=changes, points_changed=points)
    except Blocked as blocked:
        session.rollback()
        content = _content(request, session, caller, run_id, stage)
        if not _is_asked(content, caller, form):
            return _request_page(request, caller, content, typed, status=409, blocked=blocked)
    return see_other(_address(run_id, stage), notice="approval_requested")


def _is_asked(content: StageContent, caller: Caller, form: RequestForm) -> bool:
    """Whether exactly this was asked already, by the same person: then the form came in once more, and telling that
    nothing was recorded would be untrue."""
    request = content.instance.request
    if request is None:
        return False
    return (request.by, request.seal, content.said(request.message)) == (caller.user_id, form.shown, form.message)


def _look_again(
    request: Request, session: Session, caller: Caller, run_id: str, ref: StageRef, form: RequestForm | DecisionForm
) -> tuple[StageContent, tuple[Change, ...], tuple[PointChange, ...]]:
    """The content as it is now, and what changed since the page that was sent in: in answers and evidence, and in open
    points."""
    session.rollback()
    content = _content(request, session, caller, run_id, ref)
    before = service.manifest_shown(session, run_id, ref, shown=form.shown, revision=form.revision)
    if before is None:
        return content, (), ()
    after = manifest(content.run, ref)
    changes = changes_between(session, content.plan, content.run, ref, before, after)
    return content, changes, point_changes(before, after)


@router.post("/trajecten/{run_id}/fasen/{ref}/verzoek-intrekken")
def withdraw_request(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted, basis: Basis
) -> Response:
    stage = stage_ref(ref)
    try:
        form = parse(WithdrawForm, posted)
        service.withdraw_request(
            session, run_id, stage, reason=form.reason, based_on=basis, by=caller.user_id, at=now(request)
        )
    except FormInvalid as invalid:
        content = _content(request, session, caller, run_id, stage)
        return _request_page(request, caller, content, invalid.state(language_of(request)), status=422)
    except Blocked as blocked:
        session.rollback()
        content, typed = _content(request, session, caller, run_id, stage), FormState(typed_text(posted))
        return _request_page(request, caller, content, typed, status=409, blocked=blocked)
    return see_other(_address(run_id, stage), notice="request_withdrawn")


@router.get("/trajecten/{run_id}/fasen/{ref}/beoordelen")
def show_decision(request: Request, run_id: str, ref: str, session: ReadSession, caller: Viewer) -> Response:
    """Everybody may see what is decided on; who may not decide reads why."""
    content = _content(request, session, caller, run_id, stage_ref(ref))
    return _decision_page(request, caller, content, FormState())


@router.get("/trajecten/{run_id}/fasen/{ref}/wijzigingen")
def show_changes(request: Request, run_id: str, ref: str, session: ReadSession, caller: Viewer) -> Response:
    """What was approved beside what stands there now."""
    content = _content(request, session, caller, run_id, stage_ref(ref))
    may_ask = caller.may(Action.WORK_ON_STAGE) and not any(not_in_team(content.run, caller.user_id))
    return _page(request, "approvals/changes.html", content, FormState(), may_ask=may_ask)


def _decision_page(
    request: Request,
    caller: Caller,
    content: StageContent,
    form: FormState,
    *,
    status: int = 200,
    changes: tuple[Change, ...] | None = None,
    points_changed: tuple[PointChange, ...] = (),
    blocked: Blocked | None = None,
) -> Response:
    standing = standing_of(content, caller, now(request))
    return _page(
        request,
        "approvals/decide.html",
        content,
        form,
        status=status,
        changes=changes,
        points_changed=points_changed,
        blocked=blocked,
        conditions_max=CONDITIONS_MAX,
        standing=standing,
        cannot_approve=[*standing.cannot_approve, *(reason for reason, _ in content.open_points)],
        cannot_decide=standing.cannot_decide,
        agreed=standing_approvals(content.instance, content.seal, content.people),
        still_needed=missing_approvals(content.stage, content.instance, content.seal, content.people),
        may_withdraw=standing.may_withdraw,
    )


@router.post("/trajecten/{run_id}/fasen/{ref}/beoordelen")
def decide(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Approver, posted: Posted, seal: SealShown
) -> Response:
    stage = stage_ref(ref)
    try:
        decided = parse_decision(posted)
    except FormInvalid as invalid:
        content = _content(request, session, caller, run_id, stage)
        return _decision_page(request, caller, content, invalid.state(language_of(request)), status=422)
    typed, form = FormState(typed_text(posted)), decided.form
    by = _decider(request, caller, form.mandate)
    try:
        if form.decision == "terugsturen":
            service.send_back(session, run_id, stage, shown=form.shown, findings=decided.findings, by=by)
        else:
            conditions = decided.conditions
            service.approve(session, run_id, stage, shown=form.shown, remark=form.remark, conditions=conditions, by=by)
    except SealBroken:
        content, changes, points = _look_again(request, session, caller, run_id, stage, form)
        return _decision_page(request, caller, content, typed, status=409, changes=changes, points_changed=points)
    except Blocked as blocked:
        session.rollback()
        content = _content(request, session, caller, run_id, stage)
        if not is_decided(content, caller, decided):
            return _decision_page(request, caller, content, typed, status=409, blocked=blocked)
    notice = "stage_sent_back" if form.decision == "terugsturen" else "stage_approved"
    return see_other(_address(run_id, stage), notice=notice)


@router.post("/trajecten/{run_id}/fasen/{ref}/akkoord-intrekken")
def withdraw_approval(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Approver, posted: Posted, basis: Basis
) -> Response:
    stage = stage_ref(ref)
    try:
        form = parse(WithdrawForm, posted)
        by = _decider(request, caller, form.mandate)
        service.withdraw_approval(session, run_id, stage, reason=form.reason, based_on=basis, by=by)
    except FormInvalid as invalid:
        content = _content(request, session, caller, run_id, stage)
        return _decision_page(request, caller, content, invalid.state(language_of(request)), status=422)
    except Blocked as blocked:
        session.rollback()
        content, typed = _content(request, session, caller, run_id, stage), FormState(typed_text(posted))
        return _decision_page(request, caller, content, typed, status=409, blocked=blocked)
    return see_other(_address(run_id, stage), notice="approval_withdrawn")


@router.post("/trajecten/{run_id}/fasen/{ref}/niet-deelnemen")
def recuse(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Approver, posted: Posted, basis: Basis
) -> Response:
    """Somebody who may decide takes no part in it."""
    act = partial(service.recuse, based_on=basis)
    return _about_taking_part(request, run_id, ref, session, caller, posted, act, "recused")


@router.post("/trajecten/{run_id}/fasen/{ref}/weer-deelnemen")
def take_recusal_back(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Approver, posted: Posted, basis: Basis
) -> Response:
    act = partial(service.take_recusal_back, based_on=basis)
    return _about_taking_part(request, run_id, ref, session, caller, posted, act, "recusal_taken_back")


def _about_taking_part(
    request: Request,
    run_id: str,
    ref: str,
    session: Session,
    caller: Caller,
    posted: FormData,
    act: service.TakingPart,
    notice: str,
) -> Response:
    stage = stage_ref(ref)
    try:
        form = parse(RecuseForm, posted)
        act(session, run_id, stage, reason=form.reason, by=_decider(request, caller))
    except FormInvalid as invalid:
        content = _content(request, session, caller, run_id, stage)
        return _decision_page(request, caller, content, invalid.state(language_of(request)), status=422)
    except Blocked as blocked:
        session.rollback()
        content = _content(request, session, caller, run_id, stage)
        typed = FormState(typed_text(posted))
        return _decision_page(request, caller, content, typed, status=409, blocked=blocked)
    return see_other(f"{_address(run_id, stage)}/beoordelen", notice=notice)
