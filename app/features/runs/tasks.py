"""What waits for somebody: to decide, to look at again, to go on with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from app.engine import deciders
from app.engine.advice import unanswered
from app.engine.definition import CHECKLIST, Stage, StepPlan, Text
from app.engine.people import Mandate
from app.engine.points import PointState
from app.engine.run import Advice, StageRef
from app.features.runs.waiting import TASKS_MAX
from app.policy import Action, deciding_roles, may_by_mandate
from app.storage.auditor_limits import dutch_day
from app.storage.codec import decode_advice, decode_stage
from app.storage.deciding import Managed, WhoInList
from app.storage.plans import load_plan
from app.web.identity import Caller


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this person. `kind`: approve, advise, move (a manager is asked to confirm that the run
    goes on with another version), answer (advice, by saying what was done with it), point (an open point that they
    own), judge (that its owner reported as done), erase (personal data, of no run in particular), revisit (a step that
    was sent back) or continue (a stage in progress).
    `due` belongs to a point; `on_behalf_of` is the absent manager in whose name this person decides. Advice without a
    `stage_title` is about the whole run, or about a stage that the present version of the plan does not have."""

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
    given_on: date | None = None
    is_of_earlier_version: bool = False


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
    """Who had a hand in a stage that waits for a decision, who takes no part in that, and its manager; of advice, who
    gave it."""
    if _waits_for_decision(row):
        yield row.manager
        yield from row.state.get("contributors", ())
        yield from (each["by"] for each in row.state.get("recusals", ()))
    elif row.kind == "answer":
        yield from (each.by for each in unanswered(decode_advice(row.state)))


def _waits_for_decision(row: Any) -> bool:
    return bool(row.kind == "approve" or (row.kind == "point" and row.point_state == PointState.REPORTED))


def deputised(caller: Caller, rows: Iterable[Any]) -> list[Managed]:
    """The runs among these of which the manager is absent, and this person can stand in."""
    if not may_by_mandate(caller.roles, Action.APPROVE_STAGE):
        return []
    found = [row for row in rows if _waits_for_decision(row) and row.stands_in]
    return list({Managed(str(row.id), row.manager, bool(row.is_shared_with_manager)) for row in found})


def _ways_to_decide(row: Any, stage: Stage, caller: Caller, who: WhoInList, at: datetime) -> list[Mandate | None]:
    """As the page does to which the task leads."""
    return deciders.ways_to_decide(
        stage,
        row.manager,
        decode_stage(StageRef.parse(row.ref), row.state, status=row.status, passed=row.passed),
        by=caller.user_id,
        roles=deciding_roles(caller.roles, is_shared=row.is_shared),
        people=who.people,
        mandates=who.mandates.get(str(row.id), ()),
        at=at,
    )


def tasks_of(session: Session, caller: Caller, rows: list[Any], who: WhoInList, *, at: datetime) -> list[Task]:
    tasks, names, people, today = [], who.names, who.people, dutch_day(at)
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
        plan = load_plan(session, row.plan_digest)
        if row.kind == "answer":
            tasks += [_to_answer(row, plan, each, names) for each in unanswered(decode_advice(row.state))]
            continue
        ref = StageRef.parse(row.ref)
        stage, domain = plan.stage(ref.stage), _domain_title(plan, ref)
        stage_address = f"/trajecten/{row.id}/fasen/{ref}"
        ways = _ways_to_decide(row, stage, caller, who, at) if _waits_for_decision(row) else []
        absent = names.get(ways[0].mandator) if ways and ways[0] else None
        if row.kind == "point":
            address = f"{stage_address}/open-punten/{row.point}"
            is_own = row.point_state == PointState.OPEN
            is_late = is_own and row.due < today
            by = names.get(str(row.owner))
            if is_own:
                task = Task("point", row.name, address, stage.title, domain, text=row.text, due=row.due)
                tasks.append(replace(task, is_late=is_late))
            elif ways:
                task = Task("judge", row.name, address, stage.title, domain, text=row.text, due=row.due, asked_by=by)
                tasks.append(replace(task, on_behalf_of=absent))
        elif row.kind == "approve":
            if ways:
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


def _to_answer(row: Any, plan: StepPlan, advice: Advice, names: Mapping[str, str]) -> Task:
    task = Task("answer", row.name, f"/trajecten/{row.id}/advies/{advice.id}/antwoord")
    task = replace(task, asked_by=names.get(advice.by), given_on=dutch_day(advice.at))
    ref = advice.ref
    if ref is None:
        return task
    if not plan.has_place(ref.stage, ref.domain):
        return replace(task, is_of_earlier_version=True)
    return replace(task, stage_title=plan.stage(ref.stage).title, domain_title=_domain_title(plan, ref))


def _domain_title(plan: StepPlan, ref: StageRef) -> Text | None:
    return plan.domains_by_id[ref.domain].title if ref.domain else None
