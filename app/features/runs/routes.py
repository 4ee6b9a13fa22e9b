"""Overview, starting a run, the run page, and steering a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.engine.definition import StepPlan
from app.engine.errors import Blocked
from app.engine.run import StageRef
from app.features.runs import queries, service
from app.features.runs.drawing import run_graph
from app.features.runs.forms import ASKED, CHOICE, DecisionForm, ReasonForm, StartForm, parse_edit
from app.features.runs.overview import overview
from app.features.runs.settings import FIELDS, RunSettings, SettingsConflict
from app.policy import Action
from app.storage.carry_over import earlier_runs
from app.storage.database import ReadSession, WriteSession
from app.storage.plans import PlanRetired, UnknownPlan
from app.web.access import allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.formats import day_of
from app.web.forms import FormInvalid, FormState, Posted, Problem, parse, refuse, typed_text
from app.web.i18n import N_, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.paths import stage_ref
from app.web.render import render
from app.web.room import Room

router = Room()
register(
    {
        "run_started": N_("The trajectory has been started."),
        "run_changed": N_("Your changes have been saved."),
        "stage_started": N_("The stage has been started."),
        "stage_reopened": N_("You can work in this stage again. The approval stands for what was approved."),
        "stage_skipped": N_("The stage is skipped. The reason is in the history."),
        "skip_undone": N_("The stage is no longer skipped."),
        "decision_taken": N_("The decision has been recorded."),
        "decision_withdrawn": N_("The decision has been withdrawn."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Starter = Annotated[Caller, allowed(Action.START_RUN)]
Editor = Annotated[Caller, allowed(Action.EDIT_RUN)]
Worker = Annotated[Caller, allowed(Action.WORK_ON_STAGE)]
Decider = Annotated[Caller, allowed(Action.TAKE_DECISION)]
Basis = Annotated[str, based_on()]
NO_DOMAIN = N_("Choose at least one domain.")
AFTER_DOMAINS = ("team", "leidinggevende", "eerder")  # on the form


@router.get("/")
def show_overview(
    request: Request,
    session: ReadSession,
    caller: Viewer,
    pagina: int = 1,
    mijn: str = "",
    zoek: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    page = overview(session, caller, page=pagina, mine_only=mijn == "ja", search=zoek.strip(), at=now(request))
    return render(
        request,
        "runs/overview.html",
        block="run_list",
        overview=page,
        may_start=caller.may(Action.START_RUN),
        may_work=caller.may(Action.WORK_ON_STAGE),
    )


@router.get("/trajecten/nieuw")
def show_start_form(request: Request, session: ReadSession, caller: Starter, stappenplan: str = "") -> Response:
    choice = queries.plan_choice(session, name=stappenplan)
    form = FormState.of(
        stappenplan=choice.pinned.digest if choice.pinned else "",
        team=[caller.user_id],
    )
    return _start_page(request, session, form, choice, status=200)


def _start_page(
    request: Request, session: ReadSession, form: FormState, choice: queries.PlanChoice, *, status: int
) -> Response:
    return render(
        request,
        "runs/start.html",
        block="start_form",
        status=status,
        form=form,
        choice=choice,
        plan=choice.plan,
        people=queries.people(session),
        earlier=earlier_runs(session, choice.plan) if choice.plan else [],
    )


@router.post("/trajecten/nieuw")
def start_run(request: Request, session: WriteSession, caller: Starter, posted: Posted) -> Response:
    try:
        form = parse(StartForm, posted)
        run_id = _start(request, session, caller, posted, form)
    except FormInvalid as invalid:
        choice = queries.plan_choice(session, digest=FormState(invalid.typed).value("stappenplan"))
        state = _with_domains(invalid, choice.plan).state(language_of(request))
        return _start_page(request, session, state, choice, status=422)
    return see_other(f"/trajecten/{run_id}", notice="run_started")


def _start(request: Request, session: WriteSession, caller: Caller, posted: Posted, form: StartForm) -> str:
    try:
        return service.start_run(
            session,
            plan_digest=form.plan,
            name=form.name,
            purpose=form.purpose,
            domains=form.domains,
            team=form.team,
            manager=form.manager,
            earlier=form.earlier,
            by=caller.user_id,
            at=now(request),
        )
    except service.EarlierRunNotAvailable:
        raise refuse(posted, "eerder", N_("Choose an earlier trajectory from the list.")) from None
    except UnknownPlan:
        raise refuse(posted, "stappenplan", N_("Choose a step plan from the list.")) from None
    except PlanRetired:
        raise refuse(
            posted, "stappenplan", N_("No new trajectory can start on this version. Choose another.")
        ) from None
    except service.PersonNotAvailable as missing:
        raise _person_gone(posted, missing) from None
    except service.ManagerIsMandator:
        raise _own_mandator(posted) from None
    except Blocked as blocked:
        raise _domains_refused(posted, blocked) from None


def _with_domains(invalid: FormInvalid, plan: StepPlan | None) -> FormInvalid:
    """Whether domains are needed the plan says, so the form cannot; said together with what else is missing."""
    needs = plan is not None and any(stage.is_per_domain for stage in plan.stages)
    if not needs or invalid.typed.get("domeinen") or any(problem.name == "domeinen" for problem in invalid.problems):
        return invalid
    problems = [*invalid.problems, Problem("domeinen", NO_DOMAIN, NO_DOMAIN)]
    return FormInvalid(invalid.typed, sorted(problems, key=lambda problem: problem.name in AFTER_DOMAINS))


def _person_gone(posted: Posted, missing: service.PersonNotAvailable) -> FormInvalid:
    return refuse(
        posted,
        "leidinggevende" if missing.field == "manager" else "team",
        N_("Choose people from the list; somebody you chose is not available (any more)."),
    )


def _own_mandator(posted: Posted) -> FormInvalid:
    return refuse(
        posted, "leidinggevende", N_("You stand in for this manager now. Choose another, or have a colleague do this.")
    )


def _domains_refused(posted: Posted, blocked: Blocked) -> FormInvalid:
    """Name, purpose and team were checked by the form, so what the engine still refuses are the domains."""
    if all(reason.code == "domain_in_use" for reason in blocked.reasons):
        return refuse(posted, "domeinen", N_("A domain in which work was done or a decision was taken must stay."))
    return refuse(posted, "domeinen", NO_DOMAIN)


@router.get("/trajecten/{run_id}")
def show_run(request: Request, run_id: str, session: ReadSession, caller: Viewer) -> Response:
    page = queries.run_page(session, caller, run_id, at=now(request))
    graph = run_graph(page.plan, language_of(request))
    today = day_of(now(request))
    return render(request, "runs/run.html", header=page.header, page=page, graph=graph, here_tab="run", today=today)


@router.get("/trajecten/{run_id}/bewerken")
def show_edit_form(request: Request, run_id: str, session: ReadSession, caller: Editor) -> Response:
    page = queries.edit_page(session, run_id)
    form = FormState.of(
        based_on=page.basis,
        naam=page.header.name,
        doel=page.header.purpose,
        domeinen=page.run.domains,
        team=page.run.team,
        leidinggevende=page.run.manager,
    )
    return _edit_page(request, page, form, status=200)


def _edit_page(request: Request, page: queries.EditPage, form: FormState, *, status: int) -> Response:
    return render(
        request,
        "runs/edit.html",
        block="edit_form",
        status=status,
        header=page.header,
        page=page,
        form=form,
        asked=[(field, LABELS[field]) for field in FIELDS if field in form.values_of(ASKED)],
        here_tab="run",
    )


@router.post("/trajecten/{run_id}/bewerken")
def change_run(
    request: Request, run_id: str, session: WriteSession, caller: Editor, posted: Posted, basis: Basis
) -> Response:
    again = partial(_edit_again, request, session, run_id)
    try:
        form, asked, chosen = parse_edit(posted)
    except FormInvalid as invalid:
        return again(invalid, status=422)
    mine = RunSettings(form.name, form.purpose, frozenset(form.domains), frozenset(form.team), form.manager)
    by, at = caller.user_id, now(request)
    try:
        service.change_run(session, run_id, mine, based_on=basis, asked=asked, chosen=chosen, by=by, at=at)
    except service.PersonNotAvailable as missing:
        return again(_person_gone(posted, missing), status=422)
    except service.ManagerIsMandator:
        return again(_own_mandator(posted), status=422)
    except Blocked as blocked:
        return again(_domains_refused(posted, blocked), status=422)
    except SettingsConflict as conflict:
        # Who was asked about exactly these knows what is there now, and has yet to choose.
        is_again = set(conflict.fields) <= set(asked)
        problems = [Problem(CHOICE + field, CHOOSE, LABELS[field]) for field in conflict.fields] if is_again else []
        refused = FormInvalid(typed_text(posted), problems)
        return again(refused, status=422 if is_again else 409, conflicts=conflict.fields)
    return see_other(f"/trajecten/{run_id}", notice="run_changed")


CHOOSE = N_("Choose what stays at “%(label)s”.")
LABELS = {
    "naam": N_("Name of the policy"),
    "doel": N_("Purpose"),
    "domeinen": N_("Domains"),
    "team": N_("Team"),
    "leidinggevende": N_("Manager"),
}


def _edit_again(
    request: Request,
    session: WriteSession,
    run_id: str,
    invalid: FormInvalid,
    *,
    status: int,
    conflicts: Sequence[str] = (),
) -> Response:
    """With what was typed. `conflicts`: the fields that somebody else changed too; the page shows what is there now,
    and says that it did."""
    session.rollback()
    page = queries.edit_page(session, run_id)
    state = invalid.state(language_of(request))
    asked = tuple(field for field in FIELDS if field in {*conflicts, *state.values_of(ASKED)})
    values = {**state.values, ASKED: asked}
    if conflicts:
        values["based_on"] = (page.basis,)
    return _edit_page(request, page, FormState(values, state.errors), status=status)


# --- stages ------------------------------------------------------------------------------------------------------


def _stage_address(run_id: str, ref: StageRef) -> str:
    return f"/trajecten/{run_id}/fasen/{ref}"


@router.post("/trajecten/{run_id}/fasen/{ref}/starten")
def start_stage(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted, basis: Basis
) -> Response:
    stage, form, at = stage_ref(ref), parse(ReasonForm, posted), now(request)
    service.start_stage(session, run_id, stage, reason=form.reason, based_on=basis, by=caller.user_id, at=at)
    return see_other(_stage_address(run_id, stage), notice="stage_started")


@router.post("/trajecten/{run_id}/fasen/{ref}/heropenen")
def reopen_stage(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted, basis: Basis
) -> Response:
    """Work goes on in an approved stage that stays open, and why."""
    stage, form, at = stage_ref(ref), parse(ReasonForm, posted), now(request)
    service.reopen_stage(session, run_id, stage, reason=form.reason, based_on=basis, by=caller.user_id, at=at)
    return see_other(_stage_address(run_id, stage), notice="stage_reopened")


@router.post("/trajecten/{run_id}/fasen/{ref}/overslaan")
def skip_stage(
    request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, posted: Posted, basis: Basis
) -> Response:
    stage, form, at = stage_ref(ref), parse(ReasonForm, posted), now(request)
    service.skip_stage(session, run_id, stage, reason=form.reason, based_on=basis, by=caller.user_id, at=at)
    return see_other(_stage_address(run_id, stage), notice="stage_skipped")


@router.post("/trajecten/{run_id}/fasen/{ref}/overslaan-ongedaan")
def undo_skip(request: Request, run_id: str, ref: str, session: WriteSession, caller: Worker, basis: Basis) -> Response:
    stage = stage_ref(ref)
    service.undo_skip(session, run_id, stage, based_on=basis, by=caller.user_id, at=now(request))
    return see_other(_stage_address(run_id, stage), notice="skip_undone")


# --- decisions outside the stages --------------------------------------------------------------------------------


@router.post("/trajecten/{run_id}/besluiten/{decision}")
def take_decision(
    request: Request, run_id: str, decision: str, session: WriteSession, caller: Decider, posted: Posted, basis: Basis
) -> Response:
    form, at = parse(DecisionForm, posted), now(request)
    service.take_decision(session, run_id, decision, form.domain, reason=form.reason, based_on=basis, by=caller, at=at)
    return see_other(f"/trajecten/{run_id}", notice="decision_taken")


@router.post("/trajecten/{run_id}/besluiten/{decision}/intrekken")
def withdraw_decision(
    request: Request, run_id: str, decision: str, session: WriteSession, caller: Decider, posted: Posted, basis: Basis
) -> Response:
    form, at = parse(DecisionForm, posted), now(request)
    service.withdraw_decision(
        session, run_id, decision, form.domain, reason=form.reason, based_on=basis, by=caller, at=at
    )
    return see_other(f"/trajecten/{run_id}", notice="decision_withdrawn")
