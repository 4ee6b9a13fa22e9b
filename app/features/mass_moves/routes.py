"""An administrator moves many runs to a newer version of their plan: choosing, following, stopping, looking back."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import BackgroundTasks, Query, Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.mass_moves import queries, service
from app.features.mass_moves.choosing import Wanted
from app.features.mass_moves.forms import PART_MAX, StartForm
from app.features.mass_moves.service import NoSuchMassMove, SelectionChanged
from app.features.mass_moves.worker import in_app
from app.policy import Action
from app.storage.database import ReadSession, WriteSession
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "mass_move_started": N_("It has begun. You may leave this page: it goes on by itself."),
        "mass_move_stopped": N_("It has been stopped. What was not done stays as it is."),
        "mass_move_goes_on": N_("It goes on from where it was."),
    }
)

Mover = Annotated[Caller, allowed(Action.MOVE_MANY)]
Viewer = Annotated[Caller, allowed(Action.VIEW_MASS_MOVES)]
SelectionShown = Annotated[str, based_on("overzetting", "aantal")]
Part = Annotated[str, Query(max_length=PART_MAX)]

HERE = "/beheer/overzetten"


@router.get("/beheer/overzetten")
def show_choice(
    request: Request,
    session: ReadSession,
    caller: Viewer,
    stappenplan: Part = "",
    naar: Part = "",
    van: Annotated[list[str] | None, Query(max_length=100)] = None,
    fase: Part = "",
    domein: Part = "",
    pagina: int = 1,
) -> Response:
    if not caller.may(Action.MOVE_MANY):
        return show_earlier(request, session, caller, pagina)
    wanted = Wanted(stappenplan, naar, tuple(van or ()), fase, domein)
    return _choice(request, session, wanted, FormState(), page=pagina)


def _choice(
    request: Request,
    session: Session,
    wanted: Wanted,
    form: FormState,
    *,
    page: int = 1,
    status: int = 200,
    changed: bool = False,
) -> Response:
    return render(
        request,
        "mass_moves/choose.html",
        status=status,
        page=queries.choose_page(session, wanted, page=page, new_id="" if changed else form.value("overzetting")),
        turn=partial(_address_of, wanted),
        form=form,
        changed=changed,
    )


def _address_of(wanted: Wanted, *, pagina: int | None) -> str:
    """Of a page of the selection. After a POST the address itself does not hold it."""
    query = {
        "stappenplan": wanted.plan,
        "naar": wanted.to,
        "van": wanted.versions,
        "fase": wanted.stage,
        "domein": wanted.domain,
        "pagina": pagina,
    }
    return f"{HERE}?{urlencode({name: value for name, value in query.items() if value}, doseq=True)}"


@router.post("/beheer/overzetten")
def start(
    request: Request,
    session: WriteSession,
    caller: Mover,
    posted: Posted,
    selection: SelectionShown,
    background: BackgroundTasks,
) -> Response:
    try:
        form = parse(StartForm, posted)
        service.start(session, posted, form, by=caller.user_id, at=now(request))
    except FormInvalid as invalid:
        return _again(request, session, invalid.state(language_of(request)), status=422)
    except SelectionChanged:
        return _again(request, session, FormState(typed_text(posted)), status=409, changed=True)
    background.add_task(in_app, request.app, str(form.id), caller.municipality_id)
    return see_other(f"{HERE}/{form.id}", notice="mass_move_started")


def _again(request: Request, session: Session, form: FormState, *, status: int, changed: bool = False) -> Response:
    session.rollback()
    wanted = Wanted(
        form.value("stappenplan"),
        form.value("naar"),
        tuple(version for version in form.values_of("van") if version),
        form.value("fase"),
        form.value("domein"),
    )
    page = form.value("pagina")
    number = int(page) if page.isdecimal() and len(page) < 9 else 1
    return _choice(request, session, wanted, form, page=number, status=status, changed=changed)


@router.get("/beheer/overzetten/eerdere")
def show_earlier(request: Request, session: ReadSession, caller: Viewer, pagina: int = 1) -> Response:
    page = queries.earlier_page(session, page=pagina, at=now(request))
    return render(request, "mass_moves/earlier.html", page=page, may_move=caller.may(Action.MOVE_MANY))


@router.get("/beheer/overzetten/{mass_move_id}")
def show_result(
    request: Request,
    mass_move_id: str,
    session: ReadSession,
    caller: Viewer,
    uitkomst: Part = "",
    pagina: int = 1,
    kwart: int = 0,
) -> Response:
    try:
        page = queries.result_page(session, mass_move_id, outcome=uitkomst, page=pagina, at=now(request))
    except NoSuchMassMove:
        raise HTTPException(404) from None
    return render(
        request,
        "mass_moves/result.html",
        block="progress",
        page=page,
        address=f"{HERE}/{page.line.mass.id}",
        told=kwart,
        may_move=caller.may(Action.MOVE_MANY),
    )


@router.post("/beheer/overzetten/{mass_move_id}/stoppen")
def stop(request: Request, mass_move_id: str, session: WriteSession, caller: Mover) -> Response:
    try:
        is_stopped = service.stop(session, mass_move_id, by=caller.user_id, at=now(request))
    except NoSuchMassMove:
        raise HTTPException(404) from None
    return see_other(f"{HERE}/{mass_move_id}", notice="mass_move_stopped" if is_stopped else None)


@router.post("/beheer/overzetten/{mass_move_id}/verder")
def go_on(
    request: Request, mass_move_id: str, session: WriteSession, caller: Mover, background: BackgroundTasks
) -> Response:
    try:
        worker = service.go_on(session, mass_move_id, at=now(request))
    except NoSuchMassMove:
        raise HTTPException(404) from None
    if worker is None:
        return see_other(f"{HERE}/{mass_move_id}")
    background.add_task(in_app, request.app, mass_move_id, caller.municipality_id, worker=worker)
    return see_other(f"{HERE}/{mass_move_id}", notice="mass_move_goes_on")
