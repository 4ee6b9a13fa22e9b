"""Asking for approval and deciding about a stage."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from app.engine.errors import Blocked, SealBroken
from app.engine.run import StageRef
from app.engine.seal import manifest
from app.engine.transitions import approver_reasons, decider_reasons
from app.features.approvals import service
from app.features.approvals.content import Change, StageContent, changes_between, stage_content
from app.features.approvals.forms import DecisionForm, RequestForm, WithdrawForm, split_findings
from app.policy import Action
from app.storage.database import ReadSession, WriteSession
from app.web.access import allowed
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.paths import stage_ref
from app.web.render import render

router = APIRouter()
register(
    {
        "approval_requested": N_("Approval has been asked. The manager sees it on the overview."),
        "request_withdrawn": N_("The request has been withdrawn. You can work on it again."),
        "stage_approved": N_("Your approval has been recorded and sealed."),
        "stage_sent_back": N_("The stage went back to the team, with your reasons."),
        "approval_withdrawn": N_("The approval has been withdrawn. What was approved stays readable."),
    }
)

Worker = Annotated[Caller, allowed(Action.WORK_ON_STAGE)]
Approver = Annotated[Caller, allowed(Action.APPROVE_STAGE)]


def _address(run_id: str, ref: StageRef) -> str:
    return f"/trajecten/{run_id}/fasen/{ref}"


@router.get("/trajecten/{run_id}/fasen/{ref}/akkoord-vragen")
def show_request(request: Request, run_id: str, ref: str, session: ReadSession, caller: Worker) -> Response:
    content = stage_content(session, run_id, stage_ref(ref))
    return _request_page(request, caller, content, FormState())


def _request_page(
    request: Request,
    caller: Caller,
    content: StageContent,
    form: FormState,
    *,
    status: int = 200,
    changes: tuple[Change, ...] | None = None,
    blocked: Blocked | None = None,
) -> Response:
    in_team = caller.user_id in content.run.team or caller.user_id == content.run.manager
    return _page(
        request,
        "approvals/request.html",
        content,
        form,
        status=status,
        changes=changes,
        blocked=blocked,
        may_ask=in_team and content.instance.status == "open" and not content.open_points,
    )


def _page(request: Request, template: str, content: StageContent, form: FormState, **values: Any) -> Response:
    return render(
        request, template, block="panel", header=content.header, here_tab="run", content=content, form=form, **values
    )


@router.post("/trajecten/{run_id}/fasen/{ref}/akkoord-vragen")
def request_approval(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted
) -> Response:
    stage = stage_ref(ref)
    form = parse(RequestForm, posted)
    try:
        service.request_approval(
            session, run_id, stage, shown=form.shown, message=form.message, by=caller.user_id, at=now(request)
        )
    except SealBroken:
        content, changes = _look_again(session, run_id, stage, form.shown, form.revision)
        return _request_page(request, caller, content, FormState(typed_text(posted)), status=409, changes=changes)
    except Blocked as blocked:
        session.rollback()
        content = stage_content(session, run_id, stage)
        return _request_page(request, caller, content, FormState(typed_text(posted)), status=409, blocked=blocked)
    return see_other(_address(run_id, stage), notice="approval_requested")


def _look_again(
    session: Session, run_id: str, ref: StageRef, shown: str, revision: int
) -> tuple[StageContent, tuple[Change, ...]]:
    """The content as it is now, and what changed since the page that was sent in."""
    session.rollback()
    content = stage_content(session, run_id, ref)
    before = service.manifest_shown(session, run_id, ref, shown=shown, revision=revision)
    if before is None:
        return content, ()
    return content, changes_between(session, content.plan, content.run, ref, before, manifest(content.run, ref))


@router.post("/trajecten/{run_id}/fasen/{ref}/verzoek-intrekken")
def withdraw_request(request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker) -> Response:
    stage = stage_ref(ref)
    service.withdraw_request(session, run_id, stage, by=caller.user_id, at=now(request))
    return see_other(_address(run_id, stage), notice="request_withdrawn")


@router.get("/trajecten/{run_id}/fasen/{ref}/beoordelen")
def show_decision(request: Request, run_id: str, ref: str, session: ReadSession, caller: Approver) -> Response:
    content = stage_content(session, run_id, stage_ref(ref))
    return _decision_page(request, caller, content, FormState())


def _decision_page(
    request: Request,
    caller: Caller,
    content: StageContent,
    form: FormState,
    *,
    status: int = 200,
    changes: tuple[Change, ...] | None = None,
    blocked: Blocked | None = None,
) -> Response:
    plan, run, ref, me, roles = content.plan, content.run, content.ref, caller.user_id, caller.role_names
    return _page(
        request,
        "approvals/decide.html",
        content,
        form,
        status=status,
        changes=changes,
        blocked=blocked,
        cannot_approve=approver_reasons(plan, run, ref, by=me, roles=roles),
        cannot_decide=decider_reasons(plan, run, ref, by=me, roles=roles),
    )


@router.post("/trajecten/{run_id}/fasen/{ref}/beoordelen")
def decide(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Approver, posted: Posted
) -> Response:
    stage = stage_ref(ref)
    fixed, findings = split_findings(posted)
    typed = FormState(typed_text(posted))
    try:
        form = parse(DecisionForm, fixed)
    except FormInvalid as invalid:
        content = stage_content(session, run_id, stage)
        state = FormState(typed.values, invalid.state(language_of(request)).errors)
        return _decision_page(request, caller, content, state, status=422)
    try:
        if form.decision == "akkoord":
            service.approve(session, run_id, stage, shown=form.shown, remark=form.remark, by=caller, at=now(request))
            return see_other(_address(run_id, stage), notice="stage_approved")
        service.send_back(session, run_id, stage, findings=findings, by=caller, at=now(request))
    except SealBroken:
        content, changes = _look_again(session, run_id, stage, form.shown, form.revision)
        return _decision_page(request, caller, content, typed, status=409, changes=changes)
    except Blocked as blocked:
        session.rollback()
        content = stage_content(session, run_id, stage)
        return _decision_page(request, caller, content, typed, status=409, blocked=blocked)
    return see_other(_address(run_id, stage), notice="stage_sent_back")


@router.post("/trajecten/{run_id}/fasen/{ref}/akkoord-intrekken")
def withdraw_approval(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Approver, posted: Posted
) -> Response:
    stage, form = stage_ref(ref), parse(WithdrawForm, posted)
    service.withdraw_approval(session, run_id, stage, reason=form.reason, by=caller, at=now(request))
    return see_other(_address(run_id, stage), notice="approval_withdrawn")
