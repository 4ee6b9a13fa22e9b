"""A run that exercises everything that a version of a plan can do, as its events: kept for every released version.

python -m tests.stored_runs.making inclusief-beleid@1.0.0     writes tests/stored_runs/inclusief-beleid@1.0.0.jsonl

Made once, when the version is released, and never made anew: it stands for the work of people who followed it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from app.catalogue.catalogue import Catalogue
from app.engine import guards
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.events import Event
from app.engine.run import EvidenceForm, StageRef
from app.resources import stepplans_dir
from app.storage import codec
from tests.builders import BRAM, MARIAM, MAX, RunBuilder, a_run, an_answer, an_id

FOLDER = Path(__file__).parent
DOMAINS_MAX = 2  # of a run; more would say the same again


def make(plan: StepPlan) -> RunBuilder:
    built = a_run(plan, domains=tuple(domain.id for domain in plan.domains[:DOMAINS_MAX]))
    waiting = [ref for stage in plan.stages for ref in _refs(built, stage.id)]
    while True:
        built = _decide(built)
        ready = [ref for ref in waiting if not any(guards.cannot_start(plan, built.run, ref))]
        if not ready:
            break
        # What nothing is better done before comes first; a stage against the advice is started all the same.
        advised = [ref for ref in ready if not guards.unmet_advice(plan, built.run, plan.stage(ref.stage), ref.domain)]
        ref = ready[0] if len(waiting) % 2 else (advised or ready)[0]
        waiting.remove(ref)
        built = _do(built, ref)
    assert not waiting, f"never possible: {waiting}"
    # A stage may ask for the latest round of an earlier one: new rounds begin at the end of the plan.
    for stage in reversed(plan.stages):
        for ref in _refs(built, stage.id) if stage.is_repeatable else ():
            built = _next_round(built, str(ref.next_round()), stage.steps[0].id)
    return built


def _next_round(built: RunBuilder, at: str, step: str) -> RunBuilder:
    built = built.with_stage(at, early_reason=an_id(f"early {at}"))
    return _answered(built, at, step)


def _refs(built: RunBuilder, stage: str) -> Iterator[StageRef]:
    for domain in built.run.domains if built.plan.stage(stage).is_per_domain else (None,):
        yield StageRef(stage, domain)


def _decide(built: RunBuilder) -> RunBuilder:
    """Each decision as soon as it can be taken, withdrawn, and taken again."""
    for decision in built.plan.decisions:
        for domain in built.run.domains[:1] if decision.is_per_domain else (None,):
            taken = built.run.decision(decision.id, domain) is not None
            if taken or any(guards.cannot_decide(built.plan, built.run, decision, domain)):
                continue
            built = built.with_decision(decision.id, domain, reason=an_id(f"reason {decision.id}"))
            built = built.with_decision_withdrawn(decision.id, domain, reason=an_id(f"withdrawn {decision.id}"))
            built = built.with_decision(decision.id, domain, reason=an_id(f"again {decision.id}"))
    return built


def _do(built: RunBuilder, ref: StageRef) -> RunBuilder:
    stage, at = built.plan.stage(ref.stage), str(ref)
    if stage.is_optional:
        built = built.with_skip(at, reason=an_id(f"skip {at}")).with_skip_undone(at)
    if ref not in built.run.stages:
        built = built.with_stage(at, early_reason=an_id(f"early {at}"))
    for step in stage.all_steps():
        built = _work(built, at, step.id)
    built = _asked(built, at)
    first = stage.steps[0].id
    built = built.with_sent_back(at, {first: an_id(f"finding {at}")}).with_step_completed(at, first, by=BRAM)
    built = _approved(_asked(built, at), at)
    if not stage.is_continuous:
        built = built.with_approval_withdrawn(at, reason=an_id(f"withdrawn {at}"))
        built = _approved(_asked(built, at), at)
    else:
        built = _work(built, at, first)  # work goes on after the approval
        built = _approved(_asked(built, at), at)
    return built


def _answered(built: RunBuilder, at: str, step: str) -> RunBuilder:
    """Every question, also those that another answer hides."""
    definition = built.plan.stage(StageRef.parse(at).stage).step(step)
    answers = {question.id: an_answer(question) for question in definition.questions}
    return built.with_answers(at, step, answers) if answers else built


def _work(built: RunBuilder, at: str, step: str) -> RunBuilder:
    built = _answered(built, at, step)
    grounds = tuple(ground.id for ground in built.plan.grounds[:2])
    for demand in built.plan.stage(StageRef.parse(at).stage).step(step).evidence:
        gone = an_id(f"withdrawn {at} {step} {demand.kind} {len(built.events)}")
        built = built.with_evidence(at, step, demand.kind, id=gone, form=EvidenceForm.NOTE)
        built = built.with_evidence_withdrawn(at, step, gone, reason=an_id(f"old {gone}"))
        for _ in range(demand.minimum):
            built = built.with_evidence(at, step, demand.kind, grounds=grounds, by=BRAM)
        built = built.with_evidence(at, step, demand.kind, form=EvidenceForm.LINK)
    return built if step == CHECKLIST else built.with_step_completed(at, step)


def _asked(built: RunBuilder, at: str) -> RunBuilder:
    return built.with_request(at).with_request_withdrawn(at).with_request(at)


def _approved(built: RunBuilder, at: str) -> RunBuilder:
    needed = built.plan.stage(StageRef.parse(at).stage).gate.approvals
    managers = [MARIAM, MAX, *(an_id(f"manager {n}") for n in range(3, needed + 1))]
    for manager in managers[:needed]:
        built = built.with_approval(at, by=manager)
    return built


# --- on disk ---------------------------------------------------------------------------------------------------


def lines_of(plan: StepPlan, events: Iterable[Event]) -> Iterator[str]:
    yield json.dumps({"plan": plan.id, "version": plan.version, "digest": plan.digest})
    for event in events:
        kind, data = codec.encode_event(event)
        line = {"kind": kind, "by": event.by, "at": event.at.isoformat(), "data": data}
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def read(path: Path) -> tuple[dict[str, Any], list[Event]]:
    """The head and the events of a stored run."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    events = [
        codec.decode_event(each["kind"], each["data"], by=each["by"], at=datetime.fromisoformat(each["at"]))
        for each in map(json.loads, lines)
    ]
    return json.loads(head), events


def path_of(plan_id: str, version: str) -> Path:
    return FOLDER / f"{plan_id}@{version}.jsonl"


def main(names: list[str]) -> None:
    catalogue = Catalogue.load(stepplans_dir())
    for name in names:
        plan = catalogue.get(*name.split("@")).plan
        path_of(plan.id, plan.version).write_text("\n".join(lines_of(plan, make(plan).events)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
