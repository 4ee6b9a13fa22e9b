"""Looking at a step plan, and at the format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from app.catalogue.json_schema import schema_text
from app.catalogue.lock import Lock, Name
from app.catalogue.overlay.format import OverlayFile
from app.catalogue.schema import PlanFile
from app.cli.common import say
from app.cli.plan.folder import Folder, Version, find, load, open_folder
from app.engine.definition import DecisionRequired, Gate, Question, Requirement, Stage, StageRequired, Step, StepPlan


def show(wanted: Version, folder: Folder = None) -> None:
    """Show a step plan as an outline.

    Its stages, steps and questions, what is required, and its status and digest.
    """
    plans = open_folder(folder)
    name, path = find(plans, wanted)
    plan = load(plans, path).plan
    for line in [*_head(plan, plans.lock, name), *(line for stage in plan.stages for line in _stage(plan, stage))]:
        say(line)


def schema(
    overlay: Annotated[bool, typer.Option("--overlay", help="That of additions to a plan instead.")] = False,
) -> None:
    """Print the JSON Schema of step plans.

    Editors use it to complete keys and to mark mistakes.
    """
    say(schema_text(OverlayFile if overlay else PlanFile).rstrip("\n"))


def _head(plan: StepPlan, lock: Lock, name: Name) -> Iterator[str]:
    release = lock.releases.get(name)
    since = f" on {release.released}" if release else ""
    retired = f", retired on {release.retired}" if release and release.retired else ""
    yield f"{plan.title.nl}  ({plan.id}@{plan.version})"
    yield f"status: {'released' if release else 'draft'}{since}{retired}"
    yield f"digest: sha256:{plan.digest}"
    steps = [step for stage in plan.stages for step in stage.steps]
    counts = [
        _count(len(plan.stages), "stage"),
        _count(len(steps), "step"),
        _count(sum(len(step.questions) for step in steps), "question"),
        _count(sum(len(stage.statements) for stage in plan.stages), "statement"),
        _count(len(plan.grounds), "ground"),
        _count(len(plan.domains), "domain"),
        _count(len(plan.sources), "source"),
    ]
    yield f"counts: {', '.join(counts)}"
    yield ""
    yield plan.purpose.text.nl
    for decision in plan.decisions:
        yield ""
        yield f"Decision: {decision.title.nl}  [{decision.id}]{' per domain' if decision.is_per_domain else ''}"
        yield from (f"  requires {_requirement(plan, each)}" for each in decision.requires)


def _stage(plan: StepPlan, stage: Stage) -> Iterator[str]:
    traits = {
        "optional": stage.is_optional,
        "repeatable": stage.is_repeatable,
        "per domain": stage.is_per_domain,
        "continuous": stage.is_continuous,
    }
    kinds = ", ".join(name for name, holds in traits.items() if holds)
    yield ""
    yield f"{stage.title.nl}  [{stage.id}]{f'  {kinds}' if kinds else ''}"
    yield from (f"  requires {_requirement(plan, each)}" for each in stage.requires)
    yield from (f"  wiser after {plan.stage(advice.stage).title.nl}" for advice in stage.advised_after)
    for number, step in enumerate(stage.steps, 1):
        yield from _step(number, step)
    if stage.statements:
        yield f"  checklist: {_count(len(stage.statements), 'statement')}"
    yield f"  gate: {stage.gate.question.text.nl}  ({_decides(stage.gate)})"


def _decides(gate: Gate) -> str:
    of_which = ", ".join(f"{each.approvals} by {each.role}" for each in gate.of_which)
    return f"{_count(gate.approvals, 'approval')} by {' or '.join(gate.approvers)}" + (of_which and f", {of_which}")


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"  {number}. {step.title.nl}  [{step.id}]{'' if step.is_required else '  not required'}"
    yield from (f"     - {question.text.nl}  ({_asked(question)})" for question in step.questions)
    for demand in step.evidence:
        yield f"     + evidence: {demand.minimum} × {demand.kind}"


def _asked(question: Question) -> str:
    return f"{question.type.replace('_', ' ')}{', required' if question.is_required else ''}"


def _requirement(plan: StepPlan, requirement: Requirement) -> str:
    return " or ".join(_alternative(plan, each) for each in requirement.alternatives)


def _alternative(plan: StepPlan, alternative: StageRequired | DecisionRequired) -> str:
    if isinstance(alternative, DecisionRequired):
        return f"the decision {plan.decisions_by_id[alternative.decision].title.nl}"
    return f"{plan.stage(alternative.stage).title.nl} {alternative.reached}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
