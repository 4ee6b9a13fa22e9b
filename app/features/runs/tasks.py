"""What waits for somebody: to decide, to look at again, to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlmodel import Session

from app.engine.definition import CHECKLIST, Stage, StepPlan, Text
from app.engine.people import People
from app.engine.points import PointState
from app.engine.run import StageRef
from app.features.runs.waiting import TASKS_MAX
from app.policy import deciding_roles
from app.storage.plans import load_plan
from app.web.identity import Caller


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this person. `kind`: approve, advise, move (a manager is asked to confirm that the run
    goes on with another version), point (an open point that they own), judge (that its owner reported as done), erase
    (personal data, of no run in particular), revisit (a step that was sent back) or continue (a stage in progress).
    `due` belongs to a point; `on_behalf_of` is the absent manager in whose name this person decides."""

    kind: str
    run_name: str
    address: str
    stage_title: Text | None = None
    domain_title: Text | None = None
    to_version: str = ""
    step_title: Text | None = None
    asked_by: str | None = None
    text: str | None = None
    due: date | None = None
    is_late: bool = False
    on_behalf_of: str | None = None


def asker(row: Any) -> str | None:
    match row.kind:
        case "move":
            return str(row.state["proposal"]["by"])
        case "point" | "erase":
            return str(row.owner)
        case "approve" if row.state.get("request"):
            return str(row.state["request"]["by"])
        case _:
            return None


def people_at(row: Any) -> Iterator[str]:
    """Who had a hand in a stage that waits for a decision, who takes no part in that, and its manager."""
    if row.kind in ("approve", "point"):
        yield row.manager
        yield from row.state.get("contributors", ())
        yield from _recused(row)


def _recused(row: Any) -> list[str]:
    return [each["by"] for each in row.state.get("recusals", ()) if not each.get("taken_back_at")]


def _is_out(row: Any, user: str, people: People) -> bool:
    return people.is_among(user, (*row.state.get("contributors", ()), *_recused(row)))


def _in_whose_name(row: Any, people: People) -> str | None:
    """The absent manager, if there is one for whom this person stands in."""
    return row.manager if row.stands_in and not _is_out(row, row.manager, people) else None


def _has_role(row: Any, stage: Stage, caller: Caller) -> bool:
    return not deciding_roles(caller.roles, is_shared=row.is_shared).isdisjoint(stage.gate.approvers)


def tasks_of(
    session: Session, caller: Caller, rows: list[Any], names: dict[str, str], people: People, today: date
) -> list[Task]:
    tasks = []
    for row in rows:
        if row.kind == "advise":
            tasks.append(Task("advise", row.name, f"/trajecten/{row.id}/advies"))
            continue
        if row.kind == "erase":
            if not people.is_same(by := asker(row), caller.user_id):  # another confirms what somebody asked
                tasks.append(Task("erase", "", f"/beheer/gegevens-wissen/{row.id}", asked_by=names.get(by or "")))
            continue
        if row.kind == "move":
            by = asker(row)
            if not people.is_same(by, caller.user_id):
                address = f"/trajecten/{row.id}/nieuwe-versie"
                version = row.state["proposal"]["to_version"]
                tasks.append(Task("move", row.name, address, to_version=version, asked_by=names.get(by or "")))
            continue
        plan, ref = load_plan(session, row.plan_digest), StageRef.parse(row.ref)
        stage, domain = plan.stage(ref.stage), _domain_title(plan, ref)
        stage_address = f"/trajecten/{row.id}/fasen/{ref}"
        decides = row.kind in ("approve", "point") and not _is_out(row, caller.user_id, people)
        in_whose_name = _in_whose_name(row, people) if decides else None
        absent = names.get(in_whose_name) if in_whose_name else None
        may_decide = decides and (in_whose_name is not None or _has_role(row, stage, caller))
        if row.kind == "point":
            address = f"{stage_address}/open-punten/{row.point}"
            is_own = row.point_state == PointState.OPEN
            is_late = is_own and row.due < today
            by = names.get(str(row.owner))
            if is_own:
                task = Task("point", row.name, address, stage.title, domain, text=row.text, due=row.due)
                tasks.append(replace(task, is_late=is_late))
            elif may_decide:
                task = Task("judge", row.name, address, stage.title, domain, text=row.text, due=row.due, asked_by=by)
                tasks.append(replace(task, on_behalf_of=absent))
        elif row.kind == "approve":
            if may_decide:
                address, by = f"{stage_address}/beoordelen", names.get(asker(row) or "")
                task = Task("approve", row.name, address, stage.title, domain, asked_by=by, on_behalf_of=absent)
                tasks.append(task)
        elif row.step is None:
            tasks.append(Task("continue", row.name, stage_address, stage.title, domain))
        else:
            address = f"{stage_address}/checklist" if row.step == CHECKLIST else f"{stage_address}/stappen/{row.step}"
            step_title = stage.step(row.step).title
            tasks.append(Task("revisit", row.name, address, stage.title, domain, step_title=step_title))
    return tasks[:TASKS_MAX]


def _domain_title(plan: StepPlan, ref: StageRef) -> Text | None:
    return plan.domains_by_id[ref.domain].title if ref.domain else None
