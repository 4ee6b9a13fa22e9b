"""Who stands in for which manager: for everybody to read, for managers and administrators to record."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.mandates import service
from app.features.mandates.forms import MandateForm
from app.features.mandates.service import ForOneself, NotYours
from app.policy import MAY_STAND_IN, Action, Role
from app.storage import mandates
from app.storage.auditor_limits import dutch_day
from app.storage.database import ReadSession, WriteSession
from app.storage.mandates import MandateRefused, NoSuchMandate
from app.storage.people import Person, members_with_role, persons_of
from app.web.access import allowed
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, refuse
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room
from app.web.sender import sender_of

router = Room()
register(
    {
        "mandate_recorded": N_("The deputy has been recorded. It ends by itself after the last day."),
        "mandate_withdrawn": N_("The deputy decides no more from now on. What was decided stays."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_MANDATES)]
Recorder = Annotated[Caller, allowed(Action.RECORD_MANDATE)]

HERE: Final = "/vervanging"
REFUSALS: Final = {
    "not_a_manager": ("afwezig", N_("Choose somebody who is a manager now.")),
    "not_a_worker": ("vervanger", N_("Choose somebody who is a policy officer or a manager now.")),
    "one_person": ("vervanger", N_("This is the same person as the absent manager. Choose somebody else.")),
    "ends_before_it_begins": ("tot", N_("The last day is before the first day.")),
    "over_already": ("tot", N_("The last day is in the past.")),
    "too_far_ahead": ("tot", N_("Choose a last day within five years.")),
    "mandator_stands_in": (
        "afwezig",
        N_("In this time this manager is a deputy too. Somebody who is absent cannot stand in. Withdraw that first."),
    ),
    "deputy_is_absent": (
        "vervanger",
        N_("In this time this person is absent too. A deputy of a deputy is not possible. Choose somebody else."),
    ),
}


@router.get(HERE)
def show_mandates(
    request: Request, session: ReadSession, caller: Viewer, afwezig: str = "", vervanger: str = ""
) -> Response:
    """With who is absent in the address, for a choice of deputies that fits."""
    chosen = {"afwezig": afwezig, "vervanger": vervanger}
    form = FormState.of(**{name: value for name, value in chosen.items() if value})
    return _page(request, session, caller, form)


def _page(request: Request, session: Session, caller: Caller, form: FormState, *, status: int = 200) -> Response:
    today = dutch_day(now(request))
    told = mandates.all_of(session)
    may_record = caller.may(Action.RECORD_MANDATE)
    managers = members_with_role(session, Role.MANAGER) if may_record else []
    absent = _options([each for each in managers if service.may_record_for(caller, each.id)])
    form = form.with_default("afwezig", absent[0][0] if len(absent) == 1 else caller.user_id)
    return render(
        request,
        "mandates/list.html",
        block="deputy_choice",
        status=status,
        form=form,
        current=[(each, each.state(today)) for each in told if each.state(today) in ("in_force", "coming")],
        past=[(each, each.state(today)) for each in told if each.state(today) in ("over", "withdrawn")],
        may_record=may_record,
        withdrawable={each.id for each in told if may_record and service.may_withdraw(caller, each)},
        absent=absent,
        deputies=_options(_deputies(session, caller, form.value("afwezig"))) if may_record else [],
    )


def _deputies(session: Session, caller: Caller, mandator: str) -> list[Person]:
    """Who may be chosen: not the absent manager, nor who records it, with whatever account."""
    found = {each.id: each for role in sorted(MAY_STAND_IN) for each in members_with_role(session, role)}
    people = persons_of(session, [caller.user_id, *found])
    others = [each for each in found.values() if not people.is_among(each.id, (caller.user_id, mandator))]
    return sorted(others, key=lambda each: each.name)


def _options(people: list[Person]) -> list[tuple[str, str]]:
    return [(each.id, each.name) for each in people]


@router.post(HERE)
def record(request: Request, session: WriteSession, caller: Recorder, posted: Posted) -> Response:
    try:
        form = parse(MandateForm, posted)
        try:
            service.record(session, caller, form, at=now(request), address=sender_of(request))
        except MandateRefused as refused:
            field, sentence = REFUSALS[refused.code]
            raise refuse(posted, field, sentence) from None
        except NotYours:
            raise refuse(posted, "afwezig", N_("You can only record your own absence.")) from None
        except ForOneself:
            sentence = N_("You cannot make yourself a deputy. Ask another administrator, or the manager.")
            raise refuse(posted, "vervanger", sentence) from None
    except FormInvalid as invalid:
        return _page(request, session, caller, invalid.state(language_of(request)), status=422)
    return see_other(HERE, notice="mandate_recorded")


@router.post(f"{HERE}/{{mandate_id}}/intrekken")
def withdraw(request: Request, mandate_id: str, session: WriteSession, caller: Recorder) -> Response:
    try:
        service.withdraw(session, caller, mandate_id, at=now(request), address=sender_of(request))
    except NoSuchMandate:
        raise HTTPException(404) from None
    except NotYours:
        raise HTTPException(403) from None
    return see_other(HERE, notice="mandate_withdrawn")
