"""What the page of a stage shows: where it stands, its steps, its guidance, and the decision at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from app.engine import deciders, guards
from app.engine.definition import CHECKLIST, PlanRole, Stage, Step, StepPlan
from app.engine.errors import Reason
from app.engine.people import Mandate, People
from app.engine.progress import Progress, checklist_progress, missing_in_step
from app.engine.quorum import Missing
from app.engine.run import Advice, Run, StageInstance, StageRef, StageStatus, StepState, StepStatus, UserId
from app.engine.seal import seal
from app.engine.stage_decisions import decider_reasons
from app.engine.standing import Standing, standing
from app.engine.transitions import reopener_reasons
from app.features.steps.step_page import step_address
from app.policy import Action, may_by_mandate
from app.storage import deciding
from app.storage.approved_on import ApprovedOn, EarlierVersion, approved_on, earlier_versions
from app.storage.deciding import StandIn, Who
from app.storage.marks import NOT_BEGUN, stage_mark
from app.storage.run_header import RunHeader, run_header
from app.storage.run_store import load_stage
from app.storage.seals import find_seals
from app.storage.texts import read_texts
from app.web.identity import Caller


class NextAct(StrEnum):
    """The one main action of the page for this visitor."""

    START = "start"
    CONTINUE = "continue"
    ASK = "ask"
    JUDGE = "judge"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class StepLine:
    """`missing` is what a step that was begun still needs."""

    step: Step
    state: StepState
    address: str
    missing: tuple[Reason, ...]
    finding: str | None

    @property
    def is_checklist(self) -> bool:
        return self.step.id == CHECKLIST


@dataclass(frozen=True, slots=True)
class OpenPoint:
    reason: Reason
    address: str


@dataclass(frozen=True, slots=True)
class StagePage:
    """`waits_on` are the stages that must get somewhere first. `advice` names stages that are better finished
    before this round, `following_advice` before the next one.
    `cannot_decide` says why somebody who may decide on stages cannot decide on this one. `versions`: by seal, on which
    version of the plan was decided, where that is another one than now. `manager_takes_no_part`: with whatever account
    that was said. `set_aside`: how many parts of this stage have no place in the present version."""

    header: RunHeader
    plan: StepPlan
    run: Run
    stage: Stage
    ref: StageRef
    instance: StageInstance | None
    standing: Standing
    address: str
    lines: tuple[StepLine, ...]
    checklist: Progress
    roles: tuple[PlanRole, ...]
    act: NextAct
    next_line: StepLine | None
    open_points: tuple[OpenPoint, ...]
    waits_on: tuple[StageRef, ...]
    advice: tuple[StageRef, ...]
    following: StageRef | None
    following_advice: tuple[StageRef, ...]
    rounds: tuple[StageRef, ...]
    advice_given: tuple[Advice, ...]
    names: Mapping[UserId, str]
    texts: Mapping[str, str]
    may_work: bool
    may_skip: bool
    may_undo_skip: bool
    cannot_work: tuple[Reason, ...]
    may_decide: bool
    cannot_decide: tuple[Reason, ...]
    manager_takes_no_part: bool
    may_reopen: bool
    still_needed: Missing
    stand_ins: tuple[StandIn, ...]
    versions: Mapping[str, EarlierVersion]
    approved_on: ApprovedOn | None
    set_aside: int
    mark: str
    following_mark: str = NOT_BEGUN


def stage_page(session: Session, caller: Caller, run_id: str, ref: StageRef, *, at: datetime) -> StagePage:
    """Six queries, seven in a run that moved to another version.  Raises RunNotFound, NoSuchPart."""
    plan, run = load_stage(session, run_id, ref)
    stage, instance = guards.find_stage(plan, run, ref), run.instance(ref)
    address = f"/trajecten/{run.id}/fasen/{ref}"
    advice_given = tuple(each for each in run.advice if each.ref == ref)
    texts = read_texts(session, [*_texts_of(instance), *_texts_of_advice(advice_given)])
    lines = tuple(_lines(stage, instance, run.id, ref, texts))
    stands = standing(plan, run, ref)
    people = [*_people_of(run, instance, lines), *_advising(advice_given)]
    who = deciding.who(session, run, by=caller.user_id, at=at, people=people)
    mandates = who.mandates_of(caller.user_id) if may_by_mandate(caller.roles, Action.APPROVE_STAGE) else ()
    can_decide = caller.may(Action.APPROVE_STAGE) or bool(mandates)
    cannot_decide = tuple(_cannot_decide(plan, run, ref, caller, who, mandates, at))
    cannot_work = tuple(guards.not_in_team(run, caller.user_id)) if caller.may(Action.WORK_ON_STAGE) else ()
    may_work = caller.may(Action.WORK_ON_STAGE) and not cannot_work
    points = tuple(
        OpenPoint(reason, step_address(run.id, ref, reason.step or ""))
        for reason in (guards.gate_open_points(stage, instance) if instance else ())
    )
    better_first = tuple(_latest(plan, run, ref, id) for id in guards.unmet_advice(plan, run, stage, ref.domain))
    is_latest = run.latest(ref.stage, ref.domain) == instance
    versions = _versions(session, run, instance)
    following = ref.next_round() if stands.can_start_round else None
    return StagePage(
        header=run_header(session, run_id),
        plan=plan,
        run=run,
        stage=stage,
        ref=ref,
        instance=instance,
        standing=stands,
        address=address,
        lines=lines,
        checklist=checklist_progress(stage, _state(instance, CHECKLIST)),
        roles=tuple(role for role in plan.roles if role.id in stage.roles),
        act=_act(stands, instance, points, may_work=may_work, may_decide=can_decide and not cannot_decide),
        next_line=_next_line(lines, points),
        open_points=points,
        waits_on=tuple(_named(plan, run, ref, stands.waits_for)),
        advice=better_first if instance is None else (),
        following=following,
        following_advice=better_first if following else (),
        rounds=tuple(each.ref for each in run.rounds(ref.stage, ref.domain) if each.ref != ref),
        advice_given=advice_given,
        names=who.names,
        texts=texts,
        may_work=may_work,
        may_skip=may_work and _may_skip(stage, instance, stands),
        may_undo_skip=may_work and is_latest and instance is not None and instance.status is StageStatus.SKIPPED,
        cannot_work=cannot_work,
        may_decide=can_decide,
        cannot_decide=cannot_decide,
        manager_takes_no_part=instance is not None and who.people.is_among(run.manager, instance.recused),
        may_reopen=may_work and not reopener_reasons(plan, run, ref, by=caller.user_id),
        still_needed=_still_needed(stage, run, instance, who.people),
        stand_ins=who.stand_ins,
        versions=versions,
        approved_on=approved_on(instance, versions) if instance else None,
        set_aside=sum(item.ref == ref for item in run.parked),
        mark=stage_mark(run, ref),
    )


def _still_needed(stage: Stage, run: Run, instance: StageInstance | None, people: People) -> Missing:
    """Whose approval the request waits for; nothing without a request."""
    if instance is None or instance.request is None:
        return Missing()
    return deciders.missing_approvals(stage, instance, seal(run, instance.ref), people)


def _cannot_decide(
    plan: StepPlan, run: Run, ref: StageRef, caller: Caller, who: Who, mandates: Sequence[Mandate], at: datetime
) -> list[Reason]:
    """Nothing, if there is one way: in the own name, or in that of an absent manager."""
    own: list[Mandate | None] = [None] if caller.may(Action.APPROVE_STAGE) or not mandates else []
    ways = [
        decider_reasons(
            plan, run, ref, by=caller.user_id, roles=caller.roles_on(run), people=who.people, mandate=mandate, at=at
        )
        for mandate in (*own, *mandates)
    ]
    return next((reasons for reasons in ways if not reasons), ways[0])


def _versions(session: Session, run: Run, instance: StageInstance | None) -> dict[str, EarlierVersion]:
    if not run.moves or instance is None or not instance.approvals:
        return {}
    seals = {approval.seal for approval in instance.approvals}
    return earlier_versions(run, instance, find_seals(session, run.id, seals))


def _state(instance: StageInstance | None, step: str) -> StepState:
    return instance.step(step) if instance else StepState()


def _texts_of(instance: StageInstance | None) -> Iterable[str | None]:
    if instance is None:
        return
    yield from (instance.early_reason, instance.round_reason, instance.reopened_reason, instance.skip_reason)
    yield from (point.text for point in instance.points)
    yield instance.request.message if instance.request else None
    yield from (approval.remark for approval in instance.approvals)
    yield from (state.finding for state in instance.steps.values())


def _texts_of_advice(given: Iterable[Advice]) -> Iterable[str]:
    for each in given:
        yield each.text
        if each.answer:
            yield each.answer.reason


def _advising(given: Iterable[Advice]) -> Iterable[UserId]:
    for each in given:
        yield each.by
        if each.answer:
            yield each.answer.by


def _people_of(run: Run, instance: StageInstance | None, lines: Iterable[StepLine]) -> Iterable[UserId | None]:
    yield run.manager
    yield from run.team
    if instance is None:
        return
    yield instance.started_by
    yield instance.request.by if instance.request else None
    for approval in instance.approvals:
        yield from (approval.by, approval.withdrawn_by)
    yield from (point.owner for point in instance.points)
    for line in lines:
        yield from (line.state.changed_by, line.state.completed_by)


def _latest(plan: StepPlan, run: Run, ref: StageRef, stage: str) -> StageRef:
    """The round of another stage that matters now; of one that works per domain, in the same domain or the first."""
    domain = (ref.domain or next(iter(run.domains), None)) if plan.stage(stage).is_per_domain else None
    latest = run.latest(stage, domain)
    return latest.ref if latest else StageRef(stage, domain)


def _named(plan: StepPlan, run: Run, ref: StageRef, reasons: Iterable[Reason]) -> Iterable[StageRef]:
    for reason in reasons:
        for key, id in reason.params.items():
            if key.startswith("stage_"):
                yield _latest(plan, run, ref, str(id))


def _lines(
    stage: Stage, instance: StageInstance | None, run_id: str, ref: StageRef, texts: Mapping[str, str]
) -> Iterable[StepLine]:
    for step in stage.all_steps():
        state = _state(instance, step.id)
        is_begun = state.status in (StepStatus.BUSY, StepStatus.REVISIT)
        yield StepLine(
            step=step,
            state=state,
            address=step_address(run_id, ref, step.id),
            missing=tuple(missing_in_step(step, state, ref)) if is_begun else (),
            finding=texts.get(state.finding) if state.finding else None,
        )


def _next_line(lines: tuple[StepLine, ...], points: tuple[OpenPoint, ...]) -> StepLine | None:
    """Where to go on: first what was sent back, then what was begun, then what is open, in the order of the plan."""
    asked = {point.reason.step for point in points}
    open_lines = [line for line in lines if line.step.id in asked]
    order = (StepStatus.REVISIT, StepStatus.BUSY, StepStatus.NOT_STARTED, StepStatus.COMPLETED)
    return min(open_lines, key=lambda line: order.index(line.state.status), default=None)


def _act(
    stands: Standing,
    instance: StageInstance | None,
    points: tuple[OpenPoint, ...],
    *,
    may_work: bool,
    may_decide: bool,
) -> NextAct:
    if instance is None:
        return NextAct.START if may_work and not stands.waits_for else NextAct.NOTHING
    if instance.status is StageStatus.SUBMITTED and may_decide:
        return NextAct.JUDGE
    if instance.status is StageStatus.OPEN and may_work:
        return NextAct.CONTINUE if points else NextAct.ASK
    return NextAct.NOTHING


def _may_skip(stage: Stage, instance: StageInstance | None, stands: Standing) -> bool:
    """Shows the form; whether it is really allowed is for `transitions.skip_stage` to say."""
    if not stage.is_optional:
        return False
    if instance is None:
        return not stands.waits_for
    return instance.status is StageStatus.OPEN and not instance.passed
