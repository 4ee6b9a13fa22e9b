"""Advice on a run: of whom it is asked, what they said, and what was done with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from app.engine.guards import NoSuchPart
from app.features.advice import queries, service
from app.features.advice.forms import FOLLOWED, AdviceForm, AnswerForm, ShareForm
from app.features.advice.queries import AdvicePage
from app.policy import Action
from app.storage.account_log import Act
from app.storage.database import ReadSession, WriteSession
from app.storage.marks import Outdated, advice_mark
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, refuse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.paths import stage_ref
from app.web.read_log import note_read
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "run_shared": N_("The adviser can read this trajectory from now on."),
        "sharing_ended": N_("The adviser can no longer open this trajectory."),
        "advice_given": N_("Your advice has been sent to the team."),
        "advice_answered": N_("The answer has been saved. The adviser can read it."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Sharer = Annotated[Caller, allowed(Action.SHARE_RUN)]
Adviser = Annotated[Caller, allowed(Action.GIVE_ADVICE)]
Answerer = Annotated[Caller, allowed(Action.ANSWER_ADVICE)]
Basis = Annotated[str, based_on()]


def _here(run_id: str) -> str:
    return f"/trajecten/{run_id}/advies"


@router.get("/trajecten/{run_id}/advies")
def show_advice(request: Request, run_id: str, session: ReadSession, caller: Viewer) -> Response:
    page = queries.advice_page(session, caller, run_id)
    note_read(request, caller, Act.READ_ADVICE, run=page.run.id)
    return render(request, "advice/advice.html", header=page.header, here_tab="advice", page=page, followed=FOLLOWED)


# --- sharing -----------------------------------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/advies/delen")
def show_sharing(request: Request, run_id: str, session: ReadSession, caller: Sharer) -> Response:
    return _share_page(request, session, queries.advice_page(session, caller, run_id), FormState())


def _share_page(
    request: Request,
    session: ReadSession,
    page: AdvicePage,
    form: FormState,
    *,
    status: int = 200,
    is_stale: bool = False,
) -> Response:
    people = queries.advisers(session, page.run)
    return render(
        request,
        "advice/share.html",
        block="share_form",
        status=status,
        header=page.header,
        here_tab="advice",
        page=page,
        people=people,
        form=form,
        is_stale=is_stale,
    )


@router.post("/trajecten/{run_id}/advies/delen")
def share_run(
    request: Request, run_id: str, session: WriteSession, caller: Sharer, posted: Posted, basis: Basis
) -> Response:
    try:
        form = parse(ShareForm, posted)
        try:
            service.share(
                session,
                run_id,
                form.adviser,
                question=form.question,
                wanted_by=form.wanted_by,
                based_on=basis,
                by=caller.user_id,
                at=now(request),
            )
        except service.NotAnAdviser:
            raise refuse(posted, "adviseur", N_("Choose an adviser from the list.")) from None
    except FormInvalid as invalid:
        session.rollback()
        page = queries.advice_page(session, caller, run_id)
        return _share_page(request, session, page, invalid.state(language_of(request)), status=422)
    except Outdated:
        session.rollback()
        page = queries.advice_page(session, caller, run_id)
        return _share_page(request, session, page, FormState(typed_text(posted)), status=409, is_stale=True)
    return see_other(f"{_here(run_id)}/delen", notice="run_shared")


@router.post("/trajecten/{run_id}/advies/delen/{user_id}/stoppen")
def end_sharing(
    request: Request, run_id: str, user_id: str, session: WriteSession, caller: Sharer, basis: Basis
) -> Response:
    service.end_sharing(session, run_id, user_id, based_on=basis, by=caller.user_id, at=now(request))
    return see_other(f"{_here(run_id)}/delen", notice="sharing_ended")


# --- giving advice -----------------------------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/advies/geven")
def show_advice_form(request: Request, run_id: str, session: ReadSession, caller: Adviser, fase: str = "") -> Response:
    return _advice_form(request, queries.advice_page(session, caller, run_id), FormState.of(fase=fase))


def _advice_form(request: Request, page: AdvicePage, form: FormState, *, status: int = 200) -> Response:
    return render(
        request,
        "advice/give.html",
        block="advice_form",
        status=status,
        header=page.header,
        here_tab="advice",
        page=page,
        form=form,
    )


@router.post("/trajecten/{run_id}/advies/geven")
def give_advice(request: Request, run_id: str, session: WriteSession, caller: Adviser, posted: Posted) -> Response:
    try:
        form = parse(AdviceForm, posted)
        try:
            ref = stage_ref(form.ref) if form.ref else None
            service.give(
                session, run_id, ref=ref, text=form.text, grounds=form.grounds, by=caller.user_id, at=now(request)
            )
        except NoSuchPart:
            raise refuse(posted, "fase", N_("Choose a stage and grounds from the lists.")) from None
    except FormInvalid as invalid:
        session.rollback()
        page = queries.advice_page(session, caller, run_id)
        return _advice_form(request, page, invalid.state(language_of(request)), status=422)
    return see_other(_here(run_id), notice="advice_given")


# --- answering it ------------------------------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/advies/{advice_id}/antwoord")
def show_answer_form(request: Request, run_id: str, advice_id: str, session: ReadSession, caller: Answerer) -> Response:
    page = queries.advice_page(session, caller, run_id)
    given = queries.advice_on(page, advice_id).answer
    form = FormState.of(gevolg=given.followed.value, reden=page.texts.get(given.reason, "")) if given else FormState()
    return _answer_form(request, page, advice_id, form)


def _answer_form(
    request: Request,
    page: AdvicePage,
    advice_id: str,
    form: FormState,
    *,
    status: int = 200,
    basis: str | None = None,
    is_stale: bool = False,
) -> Response:
    """`basis`: of the form that was sent, where it still counts."""
    advice = queries.advice_on(page, advice_id)
    return render(
        request,
        "advice/answer.html",
        block="answer_form",
        status=status,
        header=page.header,
        here_tab="advice",
        page=page,
        advice=advice,
        basis=advice_mark(advice) if basis is None else basis,
        is_stale=is_stale,
        followed=FOLLOWED,
        form=form,
    )


@router.post("/trajecten/{run_id}/advies/{advice_id}/antwoord")
def answer_advice(
    request: Request,
    run_id: str,
    advice_id: str,
    session: WriteSession,
    caller: Answerer,
    posted: Posted,
    basis: Basis,
) -> Response:
    try:
        form = parse(AnswerForm, posted)
    except FormInvalid as invalid:
        page = queries.advice_page(session, caller, run_id)
        state = invalid.state(language_of(request))
        return _answer_form(request, page, advice_id, state, status=422, basis=basis)
    try:
        service.answer(
            session,
            run_id,
            advice_id,
            followed=form.followed,
            reason=form.reason,
            based_on=basis,
            by=caller.user_id,
            at=now(request),
        )
    except Outdated:
        session.rollback()
        page = queries.advice_page(session, caller, run_id)
        return _answer_form(request, page, advice_id, FormState(typed_text(posted)), status=409, is_stale=True)
    return see_other(_here(run_id), notice="advice_answered")
