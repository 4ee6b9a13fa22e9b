"""The library of step plans: what each is for, what it asks, and where that comes from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.engine.definition import DecisionRequired, Requirement, StageRequired, StepPlan
from app.policy import Action
from app.storage.database import ReadSession
from app.storage.plans import load_plan, pinned_plans
from app.web.access import allowed
from app.web.identity import Caller
from app.web.render import render

router = APIRouter()

Reader = Annotated[Caller, allowed(Action.VIEW_PLANS)]


@router.get("/stappenplannen")
def list_plans(request: Request, session: ReadSession, caller: Reader) -> Response:
    pinned = pinned_plans(session)
    plans = [(plan, load_plan(session, plan.digest)) for plan in pinned]
    return render(request, "plans/list.html", plans=plans, may_start=caller.may(Action.START_RUN))


@router.get("/stappenplannen/{plan_id}/{version}")
def show_plan(request: Request, plan_id: str, version: str, session: ReadSession, caller: Reader) -> Response:
    pinned = next((p for p in pinned_plans(session) if (p.plan_id, p.version) == (plan_id, version)), None)
    if pinned is None:
        raise HTTPException(404)
    plan = load_plan(session, pinned.digest)
    return render(
        request,
        "plans/plan.html",
        plan=plan,
        pinned=pinned,
        needs={stage.id: [_needed(plan, requirement) for requirement in stage.requires] for stage in plan.stages},
        may_start=caller.may(Action.START_RUN),
    )


def _needed(plan: StepPlan, requirement: Requirement) -> list[tuple[str, StageRequired | DecisionRequired]]:
    """The alternatives of a requirement, each as ("stage" or "decision", what is required)."""
    return [("stage" if isinstance(a, StageRequired) else "decision", a) for a in requirement.alternatives]
