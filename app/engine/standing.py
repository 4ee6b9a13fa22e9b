"""Where each stage stands in the words people use, and what is wise to do next, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.engine import guards
from app.engine.definition import StepPlan
from app.engine.errors import Reason
from app.engine.progress import Progress, current_refs, stage_progress
from app.engine.run import Run, StageInstance, StageRef, StageStatus, StepStatus


class StageState(StrEnum):
    """`ADVISED`: can start and nothing is better done first. `CAN_START`: can start, against the advice."""

    WAITING = "waiting"
    CAN_START = "can_start"
    ADVISED = "advised"
    BUSY = "busy"
    SENT_BACK = "sent_back"
    CHANGED = "changed"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    CONTINUOUS = "continuous"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Standing:
    """`waits_for` says what blocks a stage, `better_after` names stages that are better finished first."""

    ref: StageRef
    state: StageState
    progress: Progress
    waits_for: tuple[Reason, ...] = ()
    better_after: tuple[str, ...] = ()
    can_start_round: int | None = None


def stage_state(instance: StageInstance, *, is_continuous: bool) -> StageState:
    match instance.status:
        case StageStatus.SKIPPED:
            return StageState.SKIPPED
        case StageStatus.SUBMITTED:
            return StageState.SUBMITTED
        case StageStatus.APPROVED:
            return StageState.CONTINUOUS if is_continuous else StageState.APPROVED
        case StageStatus.OPEN:
            if _was_sent_back(instance):
                return StageState.SENT_BACK
            if instance.changed_since_approval:
                return StageState.CHANGED
            if instance.passed and is_continuous:
                return StageState.CONTINUOUS
            return StageState.BUSY


def _was_sent_back(instance: StageInstance) -> bool:
    """Whether a manager asked for a second look at a step. A move to another version of the plan asks for it too, and
    that is no decision of anybody about this stage."""
    return any(state.status is StepStatus.REVISIT and state.finding is not None for state in instance.steps.values())


def standing(plan: StepPlan, run: Run, ref: StageRef) -> Standing:
    """Raises NoSuchPart for a reference that does not fit this run."""
    stage, instance = guards.find_stage(plan, run, ref), run.instance(ref)
    progress = stage_progress(stage, instance)
    if instance is None:
        waits_for = tuple(guards.cannot_start(plan, run, ref))
        better_after = tuple(guards.unmet_advice(plan, run, stage, ref.domain))
        if waits_for:
            state = StageState.WAITING
        else:
            state = StageState.CAN_START if better_after else StageState.ADVISED
        return Standing(ref, state, progress, waits_for, better_after)
    state = stage_state(instance, is_continuous=stage.is_continuous)
    following = ref.next_round()
    can_repeat = not any(guards.cannot_start(plan, run, following))
    return Standing(ref, state, progress, can_start_round=following.round if can_repeat else None)


def standings(plan: StepPlan, run: Run) -> list[Standing]:
    """The latest round of every stage, per domain where it works per domain, in the order of the plan."""
    return [standing(plan, run, ref) for ref in current_refs(plan, run)]


class NextKind(StrEnum):
    """Why something is wise now, most pressing first."""

    SENT_BACK = "sent_back"
    CHANGED = "changed"
    READY_FOR_APPROVAL = "ready_for_approval"
    CONTINUE = "continue"
    START = "start"
    START_EARLY = "start_early"
    WAIT_FOR_APPROVAL = "wait_for_approval"


@dataclass(frozen=True, slots=True)
class NextStage:
    ref: StageRef
    kind: NextKind
    better_after: tuple[str, ...] = ()


NEXT_MAX = 3  # the advice block stays short: one to three stages

_KIND_OF_STATE = {
    StageState.SENT_BACK: NextKind.SENT_BACK,
    StageState.CHANGED: NextKind.CHANGED,
    StageState.BUSY: NextKind.CONTINUE,
    StageState.ADVISED: NextKind.START,
    StageState.CAN_START: NextKind.START_EARLY,
    StageState.SUBMITTED: NextKind.WAIT_FOR_APPROVAL,
}


def next_stages(plan: StepPlan, run: Run, known: Sequence[Standing] | None = None) -> list[NextStage]:
    """One to three stages that are wise to take up now; none only when all is approved, continuous or blocked.

    An optional stage is proposed after the others; starting against the advice only if nothing else is left.
    `known`: the standings, from who worked them out already.
    """
    order = list(NextKind)
    found: list[NextStage] = []
    for each in standings(plan, run) if known is None else known:
        kind = _KIND_OF_STATE.get(each.state)
        if kind is NextKind.CONTINUE and not any(
            guards.gate_open_points(plan.stage(each.ref.stage), run.stages[each.ref])
        ):
            kind = NextKind.READY_FOR_APPROVAL
        if kind in (NextKind.START, NextKind.START_EARLY) and guards.is_passed_by(plan, run, each.ref):
            continue
        if kind is not None:
            found.append(NextStage(each.ref, kind, each.better_after))
    found.sort(key=lambda n: (order.index(n.kind), plan.stage(n.ref.stage).is_optional))
    without_early = [n for n in found if n.kind is not NextKind.START_EARLY]
    active = [n for n in without_early if n.kind is not NextKind.WAIT_FOR_APPROVAL]
    return (without_early if active else found)[:NEXT_MAX]
