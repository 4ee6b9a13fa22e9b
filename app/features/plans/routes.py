"""The library of step plans: what each is for, what it asks, and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.engine.definition import StepPlan
from app.features.plans import differences, queries
from app.policy import Action
from app.storage.database import ReadSession
from app.web.access import allowed
from app.web.i18n import language_of
from app.web.identity import Caller
from app.web.plan_graph import plan_graph
from app.web.plan_part import plan_part
from app.web.render import render
from app.web.room import Room

router = Room()

Reader = Annotated[Caller, allowed(Action.VIEW_PLANS)]


@router.get("/stappenplannen")
def list_plans(request: Request, session: ReadSession, caller: Reader) -> Response:
    return render(request, "plans/list.html", plans=queries.library(session))


@router.get("/stappenplannen/{plan_id}/{version}")
def show_plan(request: Request, plan_id: str, version: str, session: ReadSession, caller: Reader) -> Response:
    page = queries.plan_page(session, plan_id, version)
    if page is None:
        raise HTTPException(404)
    return render(
        request,
        "plans/plan.html",
        page=page,
        plan=page.plan,
        content=_content(request, page.plan),
        may_start=caller.may(Action.START_RUN) and not page.pinned.is_retired,
    )


def _content(request: Request, plan: StepPlan) -> Markup:
    def context() -> Mapping[str, Any]:
        return {"plan": plan, "graph": plan_graph(plan, language_of(request)), "needs": queries.needs_of(plan)}

    return plan_part(request, "plans/_content.html", plan.digest, context)


@router.get("/stappenplannen/{plan_id}/{version}/verschillen")
def show_differences(
    request: Request, plan_id: str, version: str, session: ReadSession, caller: Reader, met: str | None = None
) -> Response:
    """Between this version and `met`, in whatever order these came; without it, the version before."""
    page = differences.differences_page(session, plan_id, version, met, language_of(request))
    if page is None:
        raise HTTPException(404)
    return render(request, "plans/differences.html", block="differences", page=page)
