"""What an event does to a run. The only way in which a run changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import assert_never

from app.engine import advice
from app.engine import events as e
from app.engine.points import Point, PointState, proposed
from app.engine.run import (
    Approval,
    Decided,
    DecisionTaken,
    EvidenceMark,
    Recusal,
    Request,
    Run,
    StageInstance,
    StageStatus,
    StepState,
    StepStatus,
    TextId,
)
from app.engine.run_migration import applying as moving


def replay(events: Iterable[e.Event]) -> Run:
    """The run as its events made it. Raises ValueError for no events or a first event that starts no run."""
    run: Run | None = None
    for event in events:
        run = apply(run, event)
    if run is None:
        raise ValueError("no events to replay")
    return run


def apply(run: Run | None, event: e.Event) -> Run:
    """The run after the event.  Raises ValueError for an event that cannot follow on this run."""
    if isinstance(event, e.RunStarted):
        if run is not None:
            raise ValueError("a run starts once")
        return _started(event)
    if run is None:
        raise ValueError("the first event of a run must start it")
    return replace(_changed(run, event), revision=run.revision + 1)


def _started(event: e.RunStarted) -> Run:
    return Run(
        id=event.run,
        plan_id=event.plan_id,
        plan_version=event.plan_version,
        plan_digest=event.plan_digest,
        revision=1,
        name=event.name,
        purpose=event.purpose,
        domains=event.domains,
        team=event.team,
        manager=event.manager,
        started_by=event.by,
        started_at=event.at,
        earlier_run=event.earlier_run,
    )


def _changed(run: Run, event: e.Event) -> Run:
    match event:
        case e.RunStarted():
            raise ValueError("a run starts once")
        case e.RunRenamed():
            return replace(run, name=event.name, purpose=event.purpose)
        case e.TeamChanged():
            return replace(run, team=event.team, manager=event.manager)
        case e.DomainsChanged():
            return replace(run, domains=event.domains)
        case e.DecisionRecorded():
            taken = DecisionTaken(event.decision, event.domain, event.by, event.at, event.reason)
            return replace(run, decisions=(*run.decisions, taken))
        case e.DecisionWithdrawn():
            kept = (d for d in run.decisions if (d.decision, d.domain) != (event.decision, event.domain))
            return replace(run, decisions=tuple(kept))
        case e.SkipUndone():
            return _skip_undone(run, event)
        case e.MoveProposed() | e.MoveProposalWithdrawn() | e.RunMoved() | e.MoveUndone():
            return moving.applied(run, event)
        case e.RunShared() | e.SharingEnded() | e.AdviceGiven() | e.AdviceAnswered():
            return advice.applied(run, event)
        case e.PersonalDataErased():
            return run  # marks and commitments stay: what was approved is still told from what came later
        case _:
            return run.with_instance(_instance_after(run.instance(event.ref), event))


PointEvent = e.PointReported | e.PointClosed | e.PointReturned | e.PointChanged
StageEvent = (
    e.AnswersProposed
    | e.StageStarted
    | e.StageSkipped
    | e.StepSaved
    | e.StepCompleted
    | e.EvidenceAdded
    | e.EvidenceWithdrawn
    | e.ApprovalRequested
    | e.RequestWithdrawn
    | e.StageApproved
    | e.StageSentBack
    | e.StageReopened
    | e.ApprovalWithdrawn
    | e.Recused
    | e.RecusalTakenBack
    | PointEvent
)


def _skip_undone(run: Run, event: e.SkipUndone) -> Run:
    """A stage that had begun before it was skipped goes on; one that had not is again not begun."""
    instance = run.instance(event.ref)
    if instance is None or instance.status is not StageStatus.SKIPPED:
        raise ValueError(f"{event.ref} was not skipped")
    if instance.started_at is not None:
        return run.with_instance(replace(instance, status=StageStatus.OPEN, skip_reason=None))
    others = {ref: other for ref, other in run.stages.items() if ref != event.ref}
    return replace(run, stages=MappingProxyType(others))


def _instance_after(instance: StageInstance | None, event: StageEvent) -> StageInstance:
    if isinstance(event, e.StageStarted):
        if instance is not None:
            raise ValueError(f"{event.ref} was started before")
        return StageInstance(
            event.ref,
            started_by=event.by,
            started_at=event.at,
            early_reason=event.early_reason,
            round_reason=event.reason,
            contributors=(event.by,),
        )
    if isinstance(event, e.StageSkipped):
        before = instance or StageInstance(event.ref)
        return replace(before, status=StageStatus.SKIPPED, skip_reason=event.reason, decided_at=event.at)
    if instance is None:
        raise ValueError(f"{event.ref} was never started")
    match event:
        case e.StepSaved() | e.StepCompleted() | e.EvidenceAdded() | e.EvidenceWithdrawn():
            return _worked_on(instance, event)
        case e.AnswersProposed():
            return _with_proposals(instance, event)
        case e.ApprovalRequested():
            request = Request(event.request, event.by, event.at, event.seal, event.message)
            asked = replace(instance, status=StageStatus.SUBMITTED, request=request)
            return asked.with_contributor(event.by)
        case e.RequestWithdrawn():
            withdrawn = _without_proposed(replace(instance, status=StageStatus.OPEN, request=None))
            return withdrawn.with_contributor(event.by) if event.is_work else withdrawn
        case e.StageApproved():
            return _approved(instance, event)
        case e.StageSentBack():
            return _sent_back(instance, event.findings, event)
        case e.StageReopened():
            return replace(instance, status=StageStatus.OPEN, reopened_reason=event.reason)
        case e.ApprovalWithdrawn():
            return _approval_withdrawn(instance, event)
        case e.Recused():
            return replace(instance, recusals=(*instance.recusals, Recusal(event.by, event.at, event.reason)))
        case e.RecusalTakenBack():
            return _recusal_taken_back(instance, event)
        case e.PointReported() | e.PointClosed() | e.PointReturned() | e.PointChanged():
            return _point_changed(instance, event)
        case _:
            assert_never(event)


def _worked_on(
    instance: StageInstance, event: e.StepSaved | e.StepCompleted | e.EvidenceAdded | e.EvidenceWithdrawn
) -> StageInstance:
    state = instance.step(event.step)
    match event:
        case e.StepSaved():
            after = replace(
                state,
                status=StepStatus.BUSY,
                revision=state.revision + 1,
                answers=MappingProxyType({**state.answers, **event.answers}),
                changed_by=event.by,
                changed_at=event.at,
            )
        case e.StepCompleted():
            after = replace(
                state, status=StepStatus.COMPLETED, completed_by=event.by, completed_at=event.at, finding=None
            )
        case e.EvidenceAdded():
            item = EvidenceMark(event.evidence, event.kind, event.form, event.commitment, event.grounds, event.by)
            status = StepStatus.BUSY if state.status is StepStatus.NOT_STARTED else state.status
            after = replace(
                state,
                status=status,
                evidence=(*state.evidence, item),
                changed_by=event.by,
                changed_at=event.at,
            )
        case e.EvidenceWithdrawn():
            after = _without_evidence(state, event)
        case _:
            assert_never(event)
    changed = instance.changed_since_approval or (instance.passed and not isinstance(event, e.StepCompleted))
    return replace(instance.with_step(event.step, after).with_contributor(event.by), changed_since_approval=changed)


def _with_proposals(instance: StageInstance, event: e.AnswersProposed) -> StageInstance:
    """Nobody worked on the step yet, but somebody wrote what came along: who did is one of those who worked on it."""
    state = instance.step(event.step)
    answers = MappingProxyType({**event.answers, **state.answers})
    status = StepStatus.BUSY if state.status is StepStatus.NOT_STARTED else state.status
    after = replace(state, status=status, revision=state.revision + 1, answers=answers)
    return instance.with_step(event.step, after).with_contributor(*event.authors)


def _without_evidence(state: StepState, event: e.EvidenceWithdrawn) -> StepState:
    """Withdrawn evidence stays visible; a completed step is open again, since it may now fall short."""
    items = tuple(
        replace(item, withdrawn_by=event.by) if item.id == event.evidence else item for item in state.evidence
    )
    status = StepStatus.BUSY if state.status is StepStatus.COMPLETED else state.status
    return replace(state, status=status, evidence=items, changed_by=event.by, changed_at=event.at)


def _approved(instance: StageInstance, event: e.StageApproved) -> StageInstance:
    approval = Approval(
        event.request,
        event.by,
        event.at,
        event.seal,
        event.remark,
        mandate=event.mandate,
        on_behalf_of=event.on_behalf_of,
        roles=event.roles,
    )
    approvals = (*instance.approvals, approval)
    asked = (proposed(condition, event.request, by=event.by, at=event.at) for condition in event.conditions)
    points = (*instance.points, *asked)
    if not event.is_final:
        return replace(instance, approvals=approvals, points=points)
    return replace(
        instance,
        approvals=approvals,
        status=StageStatus.APPROVED,
        passed=True,
        request=None,
        decided_at=event.at,
        decided=Decided(True, event.by, event.at, event.seal, event.mandate, event.on_behalf_of),
        changed_since_approval=False,
        reopened_reason=None,
        points=tuple(replace(p, state=PointState.OPEN) if p.state is PointState.PROPOSED else p for p in points),
    )


def _lapsed(points: Iterable[Point], *states: PointState) -> tuple[Point, ...]:
    return tuple(replace(point, state=PointState.LAPSED) if point.state in states else point for point in points)


def _without_proposed(instance: StageInstance) -> StageInstance:
    """Conditions of an approval that does not come."""
    return replace(instance, points=_lapsed(instance.points, PointState.PROPOSED))


def _point_changed(instance: StageInstance, event: PointEvent) -> StageInstance:
    point = instance.point(event.point)
    if point is None:
        raise ValueError(f"{event.ref} has no point {event.point}")
    match event:
        case e.PointReported():
            after = replace(
                point, state=PointState.REPORTED, reported_by=event.by, reported_at=event.at, report=event.remark
            )
        case e.PointClosed():
            after = _judged(point, PointState.CLOSED, event, returned=None)
        case e.PointReturned():
            after = _judged(point, PointState.OPEN, event, returned=event.reason)
        case e.PointChanged():
            after = replace(point, owner=event.owner, due=event.due, changed=event.reason)
        case _:
            assert_never(event)
    changed = replace(instance, points=tuple(after if p is point else p for p in instance.points))
    return changed.with_contributor(event.by) if isinstance(event, e.PointReported) else changed


def _judged(
    point: Point, state: PointState, event: e.PointClosed | e.PointReturned, *, returned: TextId | None
) -> Point:
    return replace(
        point,
        state=state,
        judged_by=event.by,
        judged_at=event.at,
        mandate=event.mandate,
        on_behalf_of=event.on_behalf_of,
        returned=returned,
    )


def _sent_back(instance: StageInstance, findings: Mapping[str, str], event: e.StageSentBack) -> StageInstance:
    steps = dict(instance.steps)
    for step, finding in findings.items():
        steps[step] = replace(instance.step(step), status=StepStatus.REVISIT, finding=finding)
    request = instance.request
    sent_back = replace(
        instance,
        status=StageStatus.OPEN,
        request=None,
        decided_at=event.at,
        decided=Decided(False, event.by, event.at, event.seal or request.seal, event.mandate, event.on_behalf_of)
        if request
        else None,
        steps=MappingProxyType(steps),
    )
    return _without_proposed(sent_back)


def _approval_withdrawn(instance: StageInstance, event: e.ApprovalWithdrawn) -> StageInstance:
    if instance.request is not None:
        return _own_approval_withdrawn(instance, instance.request.id, event)
    approvals = tuple(
        approval if approval.withdrawn_by else replace(approval, withdrawn_by=event.by)
        for approval in instance.approvals
    )
    points = _lapsed(instance.points, PointState.PROPOSED, PointState.OPEN, PointState.REPORTED)
    return replace(
        instance, status=StageStatus.OPEN, passed=False, approvals=approvals, decided_at=event.at, points=points
    )


def _own_approval_withdrawn(instance: StageInstance, request: str, event: e.ApprovalWithdrawn) -> StageInstance:
    """The others go on deciding, without what was asked for with it."""
    hand, name = event.given_by or event.by, event.on_behalf_of or event.by
    gone = [
        each
        for each in instance.approvals
        if (each.request, each.by, each.withdrawn_by) == (request, hand, None)
        and (event.given_by is None or each.in_name_of == name)
    ]
    asked = {(each.by, each.at) for each in gone}
    return replace(
        instance,
        approvals=tuple(replace(each, withdrawn_by=event.by) if each in gone else each for each in instance.approvals),
        points=tuple(
            replace(each, state=PointState.LAPSED)
            if each.state is PointState.PROPOSED and (each.by, each.at) in asked
            else each
            for each in instance.points
        ),
    )


def _recusal_taken_back(instance: StageInstance, event: e.RecusalTakenBack) -> StageInstance:
    recusals = tuple(
        replace(recusal, taken_back_at=event.at, taken_back_reason=event.reason)
        if recusal.counts and recusal.by == event.by
        else recusal
        for recusal in instance.recusals
    )
    return replace(instance, recusals=recusals)
