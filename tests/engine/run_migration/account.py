"""What people gave to a run, counted without the help of what moves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from app.engine.run import Approval, ParkedKind, Run, StageInstance

Given = tuple[object, ...]


def account(run: Run) -> Counter[Given]:
    """Everything in the run and everything that is parked, each with how often it is there. Of a text only that it is
    there: a finding about a step that was split stands at both pieces."""
    found: Counter[Given] = Counter()
    for instance in run.stages.values():
        found.update(_of_stage(instance))
    for item in run.parked:
        match item.kind:
            case ParkedKind.ANSWER:
                assert item.answer is not None
                found["answer", item.answer.commitment] += 1
            case ParkedKind.EVIDENCE:
                assert item.evidence is not None
                found["evidence", item.evidence.id, item.evidence.commitment, item.evidence.withdrawn_by] += 1
            case ParkedKind.TEXT:
                found["text", item.key] += 1
            case ParkedKind.APPROVAL:
                assert item.approval is not None
                found.update(_of_approvals([item.approval]))
            case ParkedKind.STAGE:
                assert item.stage is not None
                assert not item.stage.steps
                found.update(_of_stage(item.stage))
            case ParkedKind.DECISION:
                assert item.decision is not None
                found["decision", item.decision.domain, item.decision.by, item.decision.at, item.decision.reason] += 1
    for taken in run.decisions:
        found["decision", taken.domain, taken.by, taken.at, taken.reason] += 1
    return Counter({given: 1 if given[0] == "text" else n for given, n in found.items()})


def _of_stage(instance: StageInstance) -> Iterator[Given]:
    if instance.started_at is not None:
        yield "begun", instance.started_by, instance.started_at
    if instance.early_reason is not None:
        yield "text", instance.early_reason
    if instance.skip_reason is not None:
        yield "text", instance.skip_reason
    yield from _of_approvals(instance.approvals)
    for state in instance.steps.values():
        for mark in state.answers.values():
            if mark.is_filled:
                yield "answer", mark.commitment
        for item in state.evidence:
            yield "evidence", item.id, item.commitment, item.withdrawn_by
        if state.finding is not None:
            yield "text", state.finding


def _of_approvals(approvals: Iterable[Approval]) -> Iterator[Given]:
    for approval in approvals:
        yield (
            "approval",
            approval.request,
            approval.by,
            approval.at,
            approval.seal,
            approval.remark,
            approval.withdrawn_by,
        )


def approvals_of(run: Run) -> Iterator[Approval]:
    """Wherever they are."""
    for instance in run.stages.values():
        yield from instance.approvals
    for item in run.parked:
        if item.approval:
            yield item.approval
        if item.stage:
            yield from item.stage.approvals
