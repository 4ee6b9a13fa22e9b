"""The pages of a stage and of a step, saving and completing a step, and the checklist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.engine.definition import CHECKLIST
from app.engine.guards import NoSuchPart
from app.features.steps import service
from app.features.steps.conflict_page import conflict_page
from app.features.steps.content import StepContent, load_content
from app.features.steps.forms import Act, StepForm, answer_name, cell_name, plan_mark, read_form, reason_name
from app.features.steps.grid import Place, grid, ground_anchor, ground_page
from app.features.steps.stage_page import stage_page
from app.features.steps.step_page import StepPage, form_state, step_address, step_page
from app.features.steps.words import GRADE_WORDS, problem_text
from app.policy import Action
from app.storage.database import ReadSession, WriteSession
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.formats import day_of
from app.web.forms import Posted
from app.web.i18n import N_, Language, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.once import shown_at
from app.web.paths import stage_ref
from app.web.reasons import reason_text
from app.web.render import is_htmx, render
from app.web.room import Room

router = Room()
register(
    {
        "step_saved": N_("Your answers have been saved."),
        "step_merged": N_(
            "Your answers have been saved. A colleague saved other answers meanwhile; those are kept too."
        ),
        "step_completed": N_("The step is done."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Worker = Annotated[Caller, allowed(Action.WORK_ON_STAGE)]
Basis = Annotated[str, based_on()]


@router.get("/trajecten/{run_id}/fasen/{ref}")
def show_stage(request: Request, run_id: str, ref: str, session: ReadSession, caller: Viewer) -> Response:
    page = stage_page(session, caller, run_id, stage_ref(ref), at=now(request))
    today = day_of(now(request))
    return render(request, "steps/stage.html", header=page.header, page=page, here_tab="run", today=today)


# --- a step, and the checklist of a stage ------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/fasen/{ref}/stappen/{step}")
def show_step(request: Request, run_id: str, ref: str, step: str, session: ReadSession, caller: Viewer) -> Response:
    if step == CHECKLIST:
        return RedirectResponse(step_address(run_id, stage_ref(ref), step), status_code=308)
    return _show(request, session, caller, run_id, ref, step)


@router.get("/trajecten/{run_id}/fasen/{ref}/checklist")
def show_checklist(request: Request, run_id: str, ref: str, session: ReadSession, caller: Viewer) -> Response:
    return _show(request, session, caller, run_id, ref, CHECKLIST)


@router.post("/trajecten/{run_id}/fasen/{ref}/stappen/{step}")
def change_step(
    request: Request,
    run_id: str,
    ref: str,
    step: str,
    session: WriteSession,
    caller: Worker,
    posted: Posted,
    basis: Basis,
) -> Response:
    if step == CHECKLIST:
        raise NoSuchPart(step)
    return _change(request, session, caller, posted, run_id, ref, step)


@router.post("/trajecten/{run_id}/fasen/{ref}/checklist")
def change_checklist(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted, basis: Basis
) -> Response:
    return _change(request, session, caller, posted, run_id, ref, CHECKLIST)


def _show(request: Request, session: ReadSession, caller: Caller, run_id: str, ref: str, step: str) -> Response:
    content = load_content(session, run_id, stage_ref(ref), step)
    return _step_answer(request, step_page(session, caller, content, at=now(request)))


def _change(
    request: Request, session: WriteSession, caller: Caller, posted: Posted, run_id: str, ref: str, step: str
) -> Response:
    at, language = now(request), language_of(request)
    content = service.open_step(session, run_id, stage_ref(ref), step, by=caller.user_id, at=at)
    form = read_form(content.step, posted)
    if form.act in (Act.REFRESH, Act.ADD_ROW):
        return _step_answer(request, step_page(session, caller, content, at=at, form=form))
    if form.plan and form.plan != plan_mark(content.plan):
        # The run went on with another version: what was typed belongs to other questions, perhaps.
        page = step_page(session, caller, content, at=at, form=form)
        return _step_answer(request, page, status=409, is_other_plan=True)
    try:
        complete = form.act is Act.COMPLETE
        saved = service.save(session, content, form, complete=complete, by=caller.user_id, at=at)
    except service.AnswersInvalid as invalid:
        page = step_page(session, caller, content, at=at, form=form, invalid=invalid.problems)
        return _step_answer(request, page, status=422, errors=_problems(form, invalid, language))
    except service.StepConflict as conflict:
        return _conflict_answer(request, session, caller, content, form, conflict)
    if saved.still_needed:
        page = _page_again(request, session, caller, content)
        return _step_answer(request, page, status=409, errors=_missing(page, language), is_saved=True)
    notice = "step_completed" if saved.is_completed else "step_merged" if saved.merged else "step_saved"
    if saved.is_completed:
        return see_other(f"/trajecten/{content.run.id}/fasen/{content.ref}", notice=notice)
    if is_htmx(request):
        shown_at(request, step_address(content.run.id, content.ref, step))
        page = _page_again(request, session, caller, content)
        return _step_answer(request, page, is_saved=True, merged=bool(saved.merged))
    return see_other(step_address(content.run.id, content.ref, step), notice=notice)


def _page_again(request: Request, session: WriteSession, caller: Caller, content: StepContent) -> StepPage:
    """After saving: what is stored now."""
    fresh = load_content(session, content.run.id, content.ref, content.step.id)
    return step_page(session, caller, fresh, at=now(request))


def _step_answer(
    request: Request,
    page: StepPage,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    is_saved: bool = False,
    merged: bool = False,
    is_other_plan: bool = False,
) -> Response:
    return render(
        request,
        "steps/step.html",
        block="step_panel",
        status=status,
        header=page.header,
        page=page,
        form=form_state(page, errors),
        is_saved=is_saved,
        merged=merged,
        is_other_plan=is_other_plan,
        grade_words=GRADE_WORDS,
        ground_anchor=ground_anchor,
        here_tab="checklist" if page.is_checklist else "run",
    )


def _conflict_answer(
    request: Request,
    session: WriteSession,
    caller: Caller,
    content: StepContent,
    form: StepForm,
    conflict: service.StepConflict,
) -> Response:
    page = conflict_page(session, content, form, conflict.conflicts)
    return render(
        request,
        "steps/conflict.html",
        block="step_panel",
        status=422 if form.is_comparison else 409,
        header=page.header,
        page=page,
        form=page.form_state(language_of(request)),
        grade_words=GRADE_WORDS,
        here_tab="run",
    )


def _problems(form: StepForm, invalid: service.AnswersInvalid, language: Language) -> dict[str, str]:
    """Field -> sentence."""
    found = {}
    for question, problem in invalid.problems.values():
        name = answer_name(question.id)
        if problem.row is not None:
            name = cell_name(question.id, problem.row, problem.column)
        elif isinstance(form.raw[question.id], Mapping) and problem.code == "too_long":
            name = reason_name(question.id)
        found[name] = problem_text(question, problem, language)
    return found


def _missing(page: StepPage, language: Language) -> dict[str, str]:
    found: dict[str, str] = {}
    for needed in page.needed:
        found.setdefault(needed.anchor, reason_text(needed.reason, language, page.plan))
    return found


# --- the checklist of the run ------------------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/checklist")
def show_grid(request: Request, run_id: str, session: ReadSession, caller: Viewer) -> Response:
    page = grid(session, run_id)
    return render(request, "steps/grid.html", header=page.header, page=page, here_tab="checklist")


@router.get("/trajecten/{run_id}/checklist/{ground}/{ref}")
def show_cell(
    request: Request,
    run_id: str,
    ground: str,
    ref: str,
    session: ReadSession,
    caller: Viewer,
    dicht: Literal["", "ja"] = "",
) -> Response:
    """The grid with one cell opened in place, or closed again; for htmx only the row of that cell."""
    page = grid(session, run_id, Place(ground, stage_ref(ref)), is_open=not dicht)
    if is_htmx(request):
        return render(request, "steps/_grid_row.html", page=page, plan=page.plan, row=page.toggled_row)
    return render(request, "steps/grid.html", header=page.header, page=page, here_tab="checklist")


@router.get("/trajecten/{run_id}/checklist/{ground}")
def show_ground(request: Request, run_id: str, ground: str, session: ReadSession, caller: Viewer) -> Response:
    page = ground_page(session, run_id, ground)
    return render(
        request, "steps/ground.html", header=page.header, page=page, grade_words=GRADE_WORDS, here_tab="checklist"
    )
