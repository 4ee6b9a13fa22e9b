"""What the pages about one run show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine import deciders, guards
from app.engine.definition import Decision, Domain, Stage, StepPlan
from app.engine.errors import Reason
from app.engine.people import People as Persons
from app.engine.progress import NOTHING, GroundProgress, Progress, ground_progress
from app.engine.run import DecisionTaken, Run, StageInstance, StageRef, UserId
from app.engine.standing import NextStage, Standing, next_stages, standings
from app.features.runs.drawing import states_by_stage
from app.features.runs.settings import settings_of
from app.features.runs.versions import VersionNotice, version_notice
from app.policy import Action, Role
from app.storage import deciding
from app.storage.deciding import StandIn
from app.storage.marks import decision_mark
from app.storage.people import Person, members_with_role
from app.storage.plans import PinnedPlan, load_plan, load_plans, newest_of_each, pinned_plans
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_run, load_stages
from app.web.identity import Caller


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage with where it stands, once per domain where it works per domain; `earlier` are closed rounds."""

    stage: Stage
    standings: tuple[Standing, ...]
    earlier: tuple[StageInstance, ...]


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision outside the stages, per domain where that holds; `taken` with its reason if it was taken. `involved`:
    why it is not for the one who looks to take or withdraw it."""

    decision: Decision
    domain: Domain | None
    taken: DecisionTaken | None
    reason: str | None
    blocked_by: tuple[Reason, ...]
    involved: tuple[Reason, ...]
    mark: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """`states` by stage, for the drawing. `without_manager`: where the manager of the run takes no part in the
    decision, with whatever account that was said."""

    header: RunHeader
    plan: StepPlan
    run: Run
    progress: Progress
    next: tuple[NextStage, ...]
    without_manager: frozenset[StageRef]
    stages: tuple[StageLine, ...]
    decisions: tuple[DecisionLine, ...]
    grounds: tuple[GroundProgress, ...]
    names: dict[str, str]
    texts: dict[str, str]
    may_work: bool
    may_decide: bool
    stand_ins: tuple[StandIn, ...]
    may_edit: bool
    may_see_plan: bool
    versions: VersionNotice
    states: Mapping[str, str]


def run_page(session: Session, caller: Caller, run_id: str, *, at: datetime) -> RunPage:
    """Six queries.  Raises RunNotFound."""
    plan, run = load_run(session, run_id)
    all_standings = standings(plan, run)
    lines: dict[str, list[Standing]] = defaultdict(list)
    for standing in all_standings:
        lines[standing.ref.stage].append(standing)
    current = {standing.ref for standing in all_standings}
    reasons = [
        *(taken.reason for taken in run.decisions),
        *(instance.skip_reason for instance in run.stages.values()),
    ]
    who = deciding.who(session, run, by=caller.user_id, at=at, texts=reasons, people=_people(run))
    texts = dict(who.texts)
    header = run_header(session, run_id)
    in_team = caller.user_id in run.team or caller.user_id == run.manager
    return RunPage(
        header=header,
        plan=plan,
        run=run,
        progress=sum((standing.progress for standing in all_standings), NOTHING),
        next=tuple(next_stages(plan, run, all_standings)),
        without_manager=frozenset(
            ref for ref, instance in run.stages.items() if who.people.is_among(run.manager, instance.recused)
        ),
        stages=tuple(
            StageLine(
                stage=stage,
                standings=tuple(lines[stage.id]),
                earlier=tuple(
                    sorted(
                        (i for i in run.instances(stage.id) if i.ref not in current),
                        key=lambda i: (i.ref.domain or "", i.ref.round),
                    )
                ),
            )
            for stage in plan.stages
        ),
        decisions=tuple(_decisions(plan, run, texts, caller.user_id, who.people)),
        grounds=tuple(ground_progress(plan, run)),
        names=dict(who.names),
        texts=texts,
        may_work=caller.may(Action.WORK_ON_STAGE) and in_team,
        may_decide=caller.may(Action.TAKE_DECISION),
        stand_ins=who.stand_ins,
        may_edit=caller.may(Action.EDIT_RUN),
        may_see_plan=caller.may(Action.VIEW_PLANS),
        versions=version_notice(session, run, header.name),
        states=states_by_stage(all_standings),
    )


def _people(run: Run) -> list[str | None]:
    people: list[str | None] = [run.manager, run.started_by, *run.team]
    people += [taken.by for taken in run.decisions]
    people += [run.proposal.by if run.proposal else None, run.last_move.by if run.last_move else None]
    for instance in run.stages.values():
        people += [approval.by for approval in instance.approvals]
        people += [instance.request.by if instance.request else None]
    return people


def _decisions(plan: StepPlan, run: Run, texts: dict[str, str], by: UserId, people: Persons) -> list[DecisionLine]:
    lines = []
    for decision in plan.decisions:
        for domain in run.domains if decision.is_per_domain else (None,):
            taken = run.decision(decision.id, domain)
            lines.append(
                DecisionLine(
                    decision=decision,
                    domain=plan.domains_by_id[domain] if domain else None,
                    taken=taken,
                    reason=texts.get(taken.reason) if taken else None,
                    blocked_by=tuple(guards.unmet_requirements(plan, run, decision.requires, domain)),
                    involved=tuple(deciders.decider_is_involved(plan, run, decision, domain, by, people)),
                    mark=decision_mark(run, decision.id, domain),
                )
            )
    return lines


# Offered first, with the additions of the own municipality if it made those; the other plans are for a part of the road
# or for one occasion.
MAIN_PLAN = "inclusief-beleid"


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """What a run can start on. `others` are the newest versions of other plans, with what they are for; `older` are
    earlier versions that are still in use."""

    pinned: PinnedPlan | None
    plan: StepPlan | None
    others: tuple[tuple[PinnedPlan, StepPlan], ...]
    older: tuple[PinnedPlan, ...]
    retired: PinnedPlan | None = None


def plan_choice(session: Session, *, name: str = "", digest: str = "") -> PlanChoice:
    """The version that is named or has this digest; without either the newest one of the main plan."""
    pinned = pinned_plans(session)
    usable = [plan for plan in pinned if not plan.is_retired]
    newest = sorted(newest_of_each(pinned), key=lambda plan: (plan.base[0] != MAIN_PLAN, plan.plan_id == MAIN_PLAN))
    wanted = next((plan for plan in pinned if plan.name == name or plan.digest == digest), None)
    retired = wanted if wanted and wanted.is_retired else None
    chosen = wanted if wanted in usable else None
    if not (name or digest):
        chosen = newest[0] if newest else None
    plans = load_plans(session, [plan.digest for plan in newest])
    return PlanChoice(
        pinned=chosen,
        plan=load_plan(session, chosen.digest) if chosen else None,
        others=tuple((plan, plans[plan.digest]) for plan in newest if plan != chosen),
        older=tuple(plan for plan in usable if plan not in newest and plan != chosen),
        retired=retired,
    )


@dataclass(frozen=True, slots=True)
class People:
    """Who can be chosen: for the team, and as the manager that decides."""

    workers: tuple[Person, ...]
    managers: tuple[Person, ...]


def people(session: Session) -> People:
    return People(
        workers=tuple(members_with_role(session, Role.POLICY_OFFICER)),
        managers=tuple(members_with_role(session, Role.MANAGER)),
    )


@dataclass(frozen=True, slots=True)
class EditPage:
    header: RunHeader
    plan: StepPlan
    run: Run
    people: People
    domains_in_use: frozenset[str]
    changed_at: datetime | None = None

    @property
    def basis(self) -> str:
        return settings_of(self.header, self.run).basis


def edit_page(session: Session, run_id: str) -> EditPage:
    plan, run = load_stages(session, run_id)
    used = {ref.domain for ref in run.stages if ref.domain} | {d.domain for d in run.decisions if d.domain}
    return EditPage(
        header=run_header(session, run_id),
        plan=plan,
        run=run,
        people=people(session),
        domains_in_use=frozenset(used),
    )
