"""Plans of the own municipality: what it adds to a national plan, or a plan of its own."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Request
from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from app.catalogue.loader import PlanInvalid
from app.catalogue.yaml_tree import BYTES_MAX
from app.features.local_plans import queries, service
from app.features.local_plans.forms import NothingForm, ReleaseForm, UploadForm
from app.policy import Action
from app.storage import local_plans
from app.storage.database import ReadSession, WriteSession
from app.storage.local_plans import DraftChanged, LocalPlanNotFound
from app.storage.marks import Outdated
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.forms import FormInvalid, FormState, Posted, parse, refuse
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "local_plan_kept": N_("This is kept as a draft. Nobody works with it until you release it."),
        "local_plan_released": N_("The step plan has been released. Trajectories can start on it."),
        "local_plan_retired": N_("The step plan has been retired. Trajectories that follow it go on."),
        "local_plan_in_use": N_("Trajectories can start on this step plan again."),
        "local_plan_discarded": N_("The draft has been removed."),
    }
)

Manager = Annotated[Caller, allowed(Action.MANAGE_PLANS)]
Basis = Annotated[str, based_on()]
PlanShown = Annotated[str, based_on("shown")]

HERE: Final = "/beheer/stappenplannen"


def _address(id: str) -> str:
    return f"{HERE}/{id}"


@router.get("/beheer/stappenplannen")
def show_list(request: Request, session: ReadSession, caller: Manager) -> Response:
    return render(request, "local_plans/list.html", page=queries.list_page(session))


# --- sending ---------------------------------------------------------------------------------------------------


@router.get("/beheer/stappenplannen/toevoegen")
def show_form(request: Request, session: ReadSession, caller: Manager, van: str = "") -> Response:
    """`van`: the plan whose text one begins with."""
    text = local_plans.source_of(session, van) if van else ""
    kept = local_plans.local_plan(session, van) if van else None
    # From what was released comes a next version, which takes the place of nothing.
    return _form_page(request, FormState.of(tekst=text), based_on=kept.mark if kept and kept.is_draft else "")


def _form_page(
    request: Request,
    form: FormState,
    *,
    based_on: str,
    problems: tuple[queries.ShownProblem, ...] = (),
    theirs: queries.TheirDraft | None = None,
    status: int = 200,
) -> Response:
    """`theirs`: the draft of this version that a colleague keeps meanwhile."""
    return render(
        request,
        "local_plans/add.html",
        status=status,
        form=form,
        based_on=based_on,
        problems=problems,
        theirs=theirs,
    )


@router.post("/beheer/stappenplannen/toevoegen")
def add(request: Request, session: WriteSession, caller: Manager, posted: Posted, basis: Basis) -> Response:
    language = language_of(request)
    try:
        form = parse(UploadForm, posted)
        source = _source(form)
        if not source.strip():
            raise refuse(posted, "bestand", N_("Choose a file, or type its text."))
    except FormInvalid as invalid:
        return _form_page(request, invalid.state(language), based_on=basis, status=422)
    try:
        id = service.keep(session, source, based_on=basis, by=caller.user_id, at=now(request))
    except DraftChanged as changed:
        theirs = queries.their_draft(session, changed.id)
        form_state = FormState.of(tekst=source.decode("utf-8-sig"))
        return _form_page(request, form_state, based_on=theirs.kept.mark, theirs=theirs, status=409)
    except PlanInvalid as invalid:
        text = source.decode("utf-8-sig", "replace")
        problems = queries.shown_problems(invalid.problems, text, language)
        # What is too large to be a plan is not sent back either.
        return _form_page(request, FormState.of(tekst=text[:BYTES_MAX]), based_on=basis, problems=problems, status=422)
    return see_other(_address(id), notice="local_plan_kept")


def _source(form: UploadForm) -> bytes:
    if isinstance(form.file, UploadFile):
        return form.file.file.read(BYTES_MAX + 1)
    return f"{form.text}\n".encode("utf-8", "replace") if form.text else b""


# --- one plan --------------------------------------------------------------------------------------------------


@router.get("/beheer/stappenplannen/{local_plan_id}")
def show_plan(request: Request, local_plan_id: str, session: ReadSession, caller: Manager) -> Response:
    return _plan_page(request, session, local_plan_id, FormState())


def _plan_page(
    request: Request, session: Session, id: str, form: FormState, *, status: int = 200, changed: bool = False
) -> Response:
    page = queries.plan_view(session, id, language_of(request))
    return render(
        request, "local_plans/plan.html", status=status, page=page, form=form, address=_address(id), changed=changed
    )


@router.post("/beheer/stappenplannen/{local_plan_id}/vaststellen")
def release(
    request: Request, local_plan_id: str, session: WriteSession, caller: Manager, posted: Posted, plan: PlanShown
) -> Response:
    kept = local_plans.local_plan(session, local_plan_id)
    try:
        form = parse(ReleaseForm, posted)
    except FormInvalid as invalid:
        return _plan_page(request, session, kept.id, invalid.state(language_of(request)), status=422)
    try:
        service.release(session, kept.id, shown=form.shown, reason=form.reason, by=caller.user_id, at=now(request))
    except (DraftChanged, PlanInvalid):
        typed = FormState.of(reden=form.reason)
        return _plan_page(request, session, kept.id, typed, status=409, changed=True)
    return see_other(_address(kept.id), notice="local_plan_released")


@router.post("/beheer/stappenplannen/{local_plan_id}/buiten-gebruik")
def retire(
    request: Request, local_plan_id: str, session: WriteSession, caller: Manager, posted: Posted, basis: Basis
) -> Response:
    parse(NothingForm, posted)
    try:
        local_plans.retire(session, local_plan_id, based_on=basis, by=caller.user_id, at=now(request))
    except Outdated:
        return _plan_page(request, session, local_plan_id, FormState(), status=409, changed=True)
    return see_other(_address(local_plan_id), notice="local_plan_retired")


@router.post("/beheer/stappenplannen/{local_plan_id}/weer-gebruiken")
def use_again(
    request: Request, local_plan_id: str, session: WriteSession, caller: Manager, posted: Posted, basis: Basis
) -> Response:
    parse(NothingForm, posted)
    try:
        local_plans.use_again(session, local_plan_id, based_on=basis)
    except Outdated:
        return _plan_page(request, session, local_plan_id, FormState(), status=409, changed=True)
    return see_other(_address(local_plan_id), notice="local_plan_in_use")


@router.post("/beheer/stappenplannen/{local_plan_id}/verwijderen")
def discard(
    request: Request, local_plan_id: str, session: WriteSession, caller: Manager, posted: Posted, basis: Basis
) -> Response:
    parse(NothingForm, posted)
    try:
        local_plans.discard_draft(session, local_plan_id, based_on=basis)
    except Outdated:
        return _plan_page(request, session, local_plan_id, FormState(), status=409, changed=True)
    return see_other(HERE, notice="local_plan_discarded")


# --- a newer version of the plan that is extended --------------------------------------------------------------


@router.get("/beheer/stappenplannen/{local_plan_id}/opnieuw-toepassen")
def show_reapplied(request: Request, local_plan_id: str, session: ReadSession, caller: Manager) -> Response:
    """Shows what comes out, or every conflict; nothing is kept until the text is sent."""
    language = language_of(request)
    kept = local_plans.local_plan(session, local_plan_id)
    try:
        newer, found = service.on_newer(session, kept)
    except service.NothingNewer:
        raise LocalPlanNotFound(local_plan_id) from None
    return render(
        request,
        "local_plans/reapplied.html",
        kept=kept,
        newer=newer,
        problems=queries.shown_problems(found.problems, found.text, language),
        composed=queries.composed(session, found.loaded.plan, language) if found.loaded else None,
        form=FormState.of(tekst=found.text),
    )
