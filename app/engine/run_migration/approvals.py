"""What becomes of approvals: each stays provable, and stands only where nothing that it decided on changed."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from types import MappingProxyType

from app.engine import guards
from app.engine.run import Run, StageRef, StageStatus
from app.engine.run_migration.compare import ChangeClass, Comparison, PartKind


def with_approvals(comparison: Comparison, run: Run, touched: Set[StageRef]) -> tuple[Run, tuple[StageRef, ...]]:
    """The run (on the newer version) with stages open again that are to be approved again, and which were not so yet.

    `touched`: stages whose content became something else. Earlier rounds are history."""
    stages = dict(run.stages)
    asking = {stage.id for stage in comparison.new.stages if _asks_approval(comparison, stage.id)}
    for ref, instance in run.stages.items():
        if not instance.passed or run.latest(ref.stage, ref.domain) is not instance:
            continue
        is_approved = instance.status is StageStatus.APPROVED
        falls_short = is_approved and any(guards.gate_open_points(comparison.new.stage(ref.stage), instance))
        if ref in touched or ref.stage in asking or falls_short:
            stages[ref] = replace(instance, status=StageStatus.OPEN, changed_since_approval=True)
    changed = (
        ref for ref in stages if stages[ref].changed_since_approval and not run.stages[ref].changed_since_approval
    )
    return replace(run, stages=MappingProxyType(stages)), tuple(sorted(changed, key=str))


def _asks_approval(comparison: Comparison, stage: str) -> bool:
    """Whether something in the stage asks for an answer or a decision again, or a ground that it asks about does."""
    questions = (question for step in comparison.new.stage(stage).all_steps() for question in step.questions)
    grounds = {question.ground for question in questions}
    for change in comparison.changes:
        if change.change_class < ChangeClass.ANSWER_AGAIN or change.after is None:
            continue
        if change.stage == stage:
            return True
        if change.kind is PartKind.GROUND and change.after.removeprefix("grounds.") in grounds:
            return True
    return False
