"""A run goes on with a newer version of its step plan: choosing, trying out, carrying out, undoing, and what was set
aside."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from app.engine.errors import Blocked, Reason
from app.engine.run_migration.moves import MoveChanged
from app.engine.run_migration.outcome import Outcome
from app.features.moves import queries, service
from app.features.moves.forms import (
    CHOICE,
    REASON,
    Chosen,
    ConfirmForm,
    DeclineForm,
    UndoForm,
    parse_move,
    typed_after,
)
from app.features.moves.service import Opened
from app.policy import Action
from app.storage.database import ReadSession, WriteSession
from app.storage.run_header import run_header
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, Problem, parse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.render import is_htmx, render
from app.web.room import Room

router = Room()
register(
    {
        "run_moved": N_("The trajectory goes on with the new version. Nothing was lost."),
        "move_proposed": N_("The manager has been asked. Until then nothing changes."),
        "move_declined": N_("The proposal has been withdrawn. Nothing changed."),
        "move_undone": N_("The trajectory is as it was before the new version."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Mover = Annotated[Caller, allowed(Action.MOVE_RUN)]
OutcomeShown = Annotated[str, based_on("shown")]
Basis = Annotated[str, based_on()]
Revision = Annotated[str, based_on("revision")]


def _address(run_id: str) -> str:
    return f"/trajecten/{run_id}/nieuwe-versie"


@router.get("/trajecten/{run_id}/nieuwe-versie")
def show_move(
    request: Request,
    run_id: str,
    session: ReadSession,
    caller: Viewer,
    naar: Annotated[str, Query(max_length=130)] = "",
) -> Response:
    opened = service.open_move(session, run_id, naar)
    if opened is None:
        header = run_header(session, run_id)
        return render(request, "moves/nothing.html", header=header, here_tab="run")
    return _page(request, session, caller, opened, FormState())


def _page(
    request: Request,
    session: Session,
    caller: Caller,
    opened: Opened,
    form: FormState,
    *,
    outcome: Outcome | None = None,
    status: int = 200,
    changed: bool = False,
    refused: tuple[Reason, ...] = (),
) -> Response:
    proposal = opened.run.proposal
    is_proposed = proposal is not None and proposal.to_digest == opened.target.digest
    if outcome is None and is_proposed and not opened.migration.blocked and proposal is not None:
        known = {id: choice for id, choice in proposal.choices.items() if id in opened.migration.by_id}
        outcome = service.preview(opened, Chosen(known, proposal.reasons))
    page = queries.move_page(session, caller, opened, outcome, language_of(request))
    return render(
        request,
        "moves/move.html",
        status=status,
        header=page.header,
        here_tab="run",
        page=page,
        form=form,
        total=_counted(opened, form),
        address=_address(opened.run.id),
        is_proposed=is_proposed,
        changed=changed,
        refused=refused,
    )


def _counted(opened: Opened, form: FormState) -> queries.ChoiceTotal:
    choices, reasons = typed_after(form.values, CHOICE), typed_after(form.values, REASON)
    return queries.count_choices(opened.migration.items, choices, reasons)


@router.post("/trajecten/{run_id}/nieuwe-versie/bekijken")
def preview_move(request: Request, run_id: str, session: ReadSession, caller: Mover, posted: Posted) -> Response:
    """The dry run: shows what the choices lead to, and changes nothing. For htmx only how many choices are made: that
    is asked while somebody is still choosing."""
    typed = FormState(typed_text(posted))
    if is_htmx(request):
        opened = _opened(session, run_id, typed.value("naar"))
        return render(request, "moves/_total.html", total=_counted(opened, typed))
    try:
        form, chosen = parse_move(posted)
    except FormInvalid as invalid:
        return _invalid(request, session, caller, run_id, invalid)
    opened = _opened(session, run_id, form.version)
    try:
        outcome = service.preview(opened, chosen)
    except Blocked as blocked:
        return _refused(request, session, caller, opened, typed, blocked)
    return _page(request, session, caller, opened, typed, outcome=outcome)


def _invalid(request: Request, session: Session, caller: Caller, run_id: str, invalid: FormInvalid) -> Response:
    """With what was typed. The version may be what is wrong, so the page is about the newest one."""
    state = invalid.state(language_of(request))
    return _page(request, session, caller, _opened(session, run_id, ""), state, status=422)


def _opened(session: Session, run_id: str, version: str) -> Opened:
    opened = service.open_move(session, run_id, version)
    if opened is None:
        raise Blocked("move_run", [Reason("move_to_same_version")])
    return opened


def _refused(
    request: Request, session: Session, caller: Caller, opened: Opened, typed: FormState, blocked: Blocked
) -> Response:
    """What can be mended at a field is said there; the rest on top."""
    problems, others = [], []
    for reason in blocked.reasons:
        name = f"{reason.stage}/{reason.step}/{reason.question}"
        if reason.code == "move_reason_missing":
            problems.append(Problem(REASON + name, N_("Write why."), N_("Reason")))
        elif reason.code == "move_choice_not_allowed":
            problems.append(Problem(CHOICE + name, N_("Choose one of the possibilities."), N_("Choice")))
        else:
            others.append(reason)
    state = FormInvalid(typed.values, problems).state(language_of(request))
    status = 409 if others else 422
    return _page(request, session, caller, opened, state, status=status, refused=tuple(others))


def _changed(
    request: Request, session: Session, caller: Caller, run_id: str, version: str, typed: FormState, chosen: Chosen
) -> Response:
    """The run changed since the preview, or the choices did: the new outcome is shown first."""
    session.rollback()
    opened = _opened(session, run_id, version)
    known = {id: choice for id, choice in chosen.choices.items() if id in opened.migration.by_id}
    try:
        outcome = service.preview(opened, Chosen(known, chosen.reasons))
    except Blocked as blocked:
        return _refused(request, session, caller, opened, typed, blocked)
    return _page(request, session, caller, opened, typed, outcome=outcome, status=409, changed=True)


@router.post("/trajecten/{run_id}/nieuwe-versie/uitvoeren")
def carry_out(
    request: Request, run_id: str, session: WriteSession, caller: Mover, posted: Posted, outcome: OutcomeShown
) -> Response:
    refused = _decide(request, run_id, session, caller, posted, service.carry_out)
    return refused or see_other(f"/trajecten/{run_id}", notice="run_moved")


@router.post("/trajecten/{run_id}/nieuwe-versie/voorleggen")
def propose(
    request: Request, run_id: str, session: WriteSession, caller: Mover, posted: Posted, outcome: OutcomeShown
) -> Response:
    refused = _decide(request, run_id, session, caller, posted, service.propose)
    return refused or see_other(_address(run_id), notice="move_proposed")


def _decide(
    request: Request, run_id: str, session: Session, caller: Caller, posted: FormData, act: service.Act
) -> Response | None:
    """Carries out or proposes what was chosen; the page with what is wrong, or None."""
    typed = FormState(typed_text(posted))
    try:
        form, chosen = parse_move(posted)
    except FormInvalid as invalid:
        return _invalid(request, session, caller, run_id, invalid)
    try:
        act(session, run_id, form.version, chosen, shown=form.shown, by=caller, at=now(request))
    except MoveChanged:
        return _changed(request, session, caller, run_id, form.version, typed, chosen)
    except Blocked as blocked:
        session.rollback()
        return _refused(request, session, caller, _opened(session, run_id, form.version), typed, blocked)
    return None


@router.post("/trajecten/{run_id}/nieuwe-versie/bevestigen")
def confirm(
    request: Request, run_id: str, session: WriteSession, caller: Mover, posted: Posted, outcome: OutcomeShown
) -> Response:
    try:
        form = parse(ConfirmForm, posted)
    except FormInvalid as invalid:
        return _invalid(request, session, caller, run_id, invalid)
    try:
        service.confirm(session, run_id, shown=form.shown, by=caller, at=now(request))
    except (MoveChanged, Blocked) as refusal:
        session.rollback()
        opened = _opened(session, run_id, "")
        reasons = refusal.reasons if isinstance(refusal, Blocked) else ()
        changed = isinstance(refusal, MoveChanged)
        return _page(request, session, caller, opened, FormState(), status=409, changed=changed, refused=tuple(reasons))
    return see_other(f"/trajecten/{run_id}", notice="run_moved")


@router.post("/trajecten/{run_id}/nieuwe-versie/intrekken")
def withdraw_proposal(
    request: Request, run_id: str, session: WriteSession, caller: Mover, posted: Posted, basis: Basis
) -> Response:
    try:
        form = parse(DeclineForm, posted)
    except FormInvalid as invalid:
        return _invalid(request, session, caller, run_id, invalid)
    service.withdraw_proposal(session, run_id, reason=form.reason, based_on=basis, by=caller, at=now(request))
    return see_other(_address(run_id), notice="move_declined")


@router.get("/trajecten/{run_id}/nieuwe-versie/terugdraaien")
def show_undo(request: Request, run_id: str, session: ReadSession, caller: Viewer) -> Response:
    return _undo_page(request, session, caller, run_id, FormState())


def _undo_page(
    request: Request,
    session: Session,
    caller: Caller,
    run_id: str,
    form: FormState,
    *,
    status: int = 200,
    refused: tuple[Reason, ...] = (),
) -> Response:
    opened = service.open_undo(session, run_id)
    if opened is None:
        header = run_header(session, run_id)
        return render(request, "moves/not_moved.html", status=status, header=header, here_tab="run", refused=refused)
    page = queries.undo_page(session, caller, opened)
    return render(
        request,
        "moves/undo.html",
        status=status,
        header=page.header,
        here_tab="run",
        page=page,
        form=form,
        address=_address(run_id),
        refused=refused,
        may_move=caller.may(Action.MOVE_RUN),
    )


@router.post("/trajecten/{run_id}/nieuwe-versie/terugdraaien")
def undo(
    request: Request, run_id: str, session: WriteSession, caller: Mover, posted: Posted, revision: Revision
) -> Response:
    try:
        form = parse(UndoForm, posted)
    except FormInvalid as invalid:
        return _undo_page(request, session, caller, run_id, invalid.state(language_of(request)), status=422)
    try:
        service.undo(
            session,
            run_id,
            revision=form.revision,
            park_later=form.park_later,
            reason=form.reason,
            by=caller,
            at=now(request),
        )
    except Blocked as blocked:
        session.rollback()
        typed = FormState(typed_text(posted))
        return _undo_page(request, session, caller, run_id, typed, status=409, refused=blocked.reasons)
    return see_other(f"/trajecten/{run_id}", notice="move_undone")


@router.get("/trajecten/{run_id}/geparkeerd")
def show_parked(
    request: Request,
    run_id: str,
    session: ReadSession,
    caller: Viewer,
    zoek: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    page = queries.parked_page(session, run_id, zoek.strip())
    return render(request, "moves/parked.html", block="parked_list", header=page.header, here_tab="run", page=page)
