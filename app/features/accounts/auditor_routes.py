"""To what an auditor has access: chosen runs, a period. Set by an administrator."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Final, Literal

from fastapi import Request
from pydantic import Field
from sqlmodel import Session, col, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.accounts.visit import visit_of
from app.policy import Action, Role
from app.storage import account_log, open_sessions, user_admin
from app.storage.account_log import Act
from app.storage.auditor_limits import Limit, limit_of, set_limit
from app.storage.database import ReadSession, WriteSession
from app.storage.tables import RunRow
from app.storage.user_admin import Managed, UserNotFound
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import DutchDate, Form, FormInvalid, FormState, Posted, parse, refuse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room

router = Room()
register({"auditor_limited": N_("This counts from now on.")})

Administrator = Annotated[Caller, allowed(Action.ADMINISTER_USERS)]
Basis = Annotated[str, based_on()]

PLACE: Final = "/beheer/gebruikers/{user_id}/auditor"


class LimitForm(Form):
    which: Annotated[Literal["alle", "gekozen"], Field(alias="welke", title=N_("Which trajectories?"))]
    runs: Annotated[list[uuid.UUID], Field(alias="trajecten", title=N_("Trajectories"), max_length=500)] = []
    starts_on: Annotated[DutchDate | None, Field(alias="van", title=N_("First day"))] = None
    ends_on: Annotated[DutchDate | None, Field(alias="tot", title=N_("Last day"))] = None


@router.get(PLACE)
def show_limit(request: Request, user_id: str, session: ReadSession, caller: Administrator) -> Response:
    user = _auditor(session, caller, user_id)
    limit = limit_of(session, user.id)
    form = FormState.of(
        welke="alle" if limit.runs is None else "gekozen",
        trajecten=sorted(str(id) for id in limit.runs or ()),
        van=limit.starts_on or "",
        tot=limit.ends_on or "",
    )
    return _page(request, session, user, form)


def _auditor(session: Session, caller: Caller, user_id: str, *, for_change: bool = False) -> Managed:
    find = user_admin.person_for_change if for_change else user_admin.person
    try:
        user = find(session, caller.municipality_id, uuid.UUID(user_id))
    except (ValueError, UserNotFound):
        raise HTTPException(404) from None
    if Role.AUDITOR not in user.roles:
        raise HTTPException(404)
    return user


def _page(request: Request, session: Session, user: Managed, form: FormState, *, status: int = 200) -> Response:
    """With 409: somebody else changed it meanwhile, while `form` holds what was chosen."""
    columns: tuple[Any, ...] = (RunRow.id, RunRow.name)
    runs = session.execute(select(*columns).order_by(col(RunRow.name), col(RunRow.id))).all()
    limit = limit_of(session, user.id)
    return render(
        request,
        "accounts/auditor_limit.html",
        status=status,
        user=user,
        runs=[(str(id), name) for id, name in runs],
        chosen_now=[name for id, name in runs if id in (limit.runs or ())],
        limit=limit,
        is_stale=status == 409,
        others=sorted(user.roles - {Role.AUDITOR}),
        form=form,
    )


@router.post(PLACE)
def change_limit(
    request: Request, user_id: str, session: WriteSession, caller: Administrator, posted: Posted, basis: Basis
) -> Response:
    user = _auditor(session, caller, user_id, for_change=True)
    try:
        form = parse(LimitForm, posted)
        if form.starts_on and form.ends_on and form.ends_on < form.starts_on:
            raise refuse(posted, "tot", N_("The last day comes before the first."))
        if form.which == "gekozen" and not form.runs:
            raise refuse(posted, "trajecten", N_("Choose at least one trajectory."))
    except FormInvalid as invalid:
        return _page(request, session, user, invalid.state(language_of(request)), status=422)
    chosen = frozenset(form.runs) if form.which == "gekozen" else None
    limit, current = Limit(chosen, form.starts_on, form.ends_on), limit_of(session, user.id)
    if basis != current.mark and limit != current:
        return _page(request, session, user, FormState(typed_text(posted)), status=409)
    set_limit(session, user.id, limit, at=now(request))
    open_sessions.renew_sessions(session, user.id, at=now(request))
    detail = {
        "runs": sorted(map(str, chosen)) if chosen is not None else "all",
        "starts_on": form.starts_on.isoformat() if form.starts_on else None,
        "ends_on": form.ends_on.isoformat() if form.ends_on else None,
    }
    account_log.note(
        session,
        Act.AUDITOR_LIMITED,
        about=user.id,
        trace=visit_of(request).trace(uuid.UUID(caller.user_id)),
        municipality_id=caller.municipality_id,
        detail=detail,
    )
    return see_other(f"/beheer/gebruikers/{user.id}", notice="auditor_limited")
