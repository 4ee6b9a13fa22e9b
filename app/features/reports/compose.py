"""From what was read to what a report says. Asks nothing of the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from app.engine import events as e
from app.engine.answers import is_shown
from app.engine.definition import CHECKLIST, Grade, Stage, Step, Text
from app.engine.points import PointState
from app.engine.progress import (
    NOTHING,
    checklist_progress,
    current_refs,
    ground_progress,
    stage_progress,
)
from app.engine.run import Advice, StageInstance, StageRef, StageStatus, StepStatus
from app.engine.standing import stage_state, standing
from app.features.reports.sources import Told, Wording
from app.features.reports.values import (
    AdviceLine,
    AnswerLine,
    ApprovalLine,
    Contents,
    DomainLine,
    EvidenceLine,
    InstanceLine,
    OpenPoint,
    ParkedLine,
    RoadLine,
    StepLine,
)


def compose(
    told: Told, wording: Wording, *, today: date, on: date | None = None, with_confidential: bool = True
) -> Contents:
    """`today` decides what is late; it is the day `on` for a report on how the run stood at its end.
    `with_confidential`: what confidential evidence holds; its title is always there."""
    return _Composer(told, wording, today=today, with_confidential=with_confidential).contents(on)


class _Composer:
    """Holds what the parts of one report share, so that each is asked for once."""

    def __init__(self, told: Told, wording: Wording, *, today: date, with_confidential: bool) -> None:
        self.plan, self.run, self.moved, self.events = told.plan, told.run, told.moved, told.events
        self.wording, self.texts, self.names = wording, wording.texts, wording.names
        self.today, self.with_confidential = today, with_confidential
        self.refs = [*current_refs(self.plan, self.run)]
        self.progress = {ref: stage_progress(self.plan.stage(ref.stage), self.run.instance(ref)) for ref in self.refs}
        self.evidence_places = told.places
        self.withdrawals = {event.evidence: event for _, event in self.events if isinstance(event, e.EvidenceWithdrawn)}
        self.set_aside = {item.evidence.id: item for item in self.run.parked if item.evidence}
        self.evidence = [self._evidence_line(row) for row in wording.evidence]
        self.evidence_of: dict[tuple[StageRef, str], list[EvidenceLine]] = defaultdict(list)
        for line in self.evidence:
            if line.set_aside is None:
                self.evidence_of[line.ref, line.step].append(line)

    def _name(self, user: str | None) -> str | None:
        return self.names.get(user) if user else None

    def contents(self, on: date | None) -> Contents:
        plan, run, header = self.plan, self.run, self.wording.header
        current = set(self.refs)
        order = {stage.id: number for number, stage in enumerate(plan.stages)}
        domain_order = {domain.id: number for number, domain in enumerate(plan.domains)}
        begun = sorted(
            run.stages.values(),
            key=lambda i: (order[i.ref.stage], domain_order.get(i.ref.domain or "", -1), i.ref.round),
        )
        assert run.started_at is not None
        return Contents(
            run_id=run.id,
            name=header.name,
            purpose=header.purpose,
            plan_title=plan.title,
            plan_id=plan.id,
            plan_version=plan.version,
            plan_digest=plan.digest,
            manager=self._name(run.manager) or "",
            team=tuple(self._name(member) or "" for member in run.team),
            started_by=self._name(run.started_by) or "",
            started_at=run.started_at,
            revision=run.revision,
            progress=sum(self.progress.values(), NOTHING),
            stages=tuple(self._instance_line(i, is_current=i.ref in current) for i in begun),
            not_started=tuple(self._not_started_line(ref) for ref in self.refs if ref not in run.stages),
            domains=tuple(self._domain_lines()),
            grounds=tuple((plan.grounds_by_id[g.ground].title, g) for g in ground_progress(plan, run)),
            roads=tuple(
                RoadLine(
                    title=plan.decisions_by_id[taken.decision].title,
                    domain_title=self._domain_title(taken.domain),
                    by=self._name(taken.by) or "",
                    at=taken.at,
                    reason=self.texts.get(taken.reason),
                )
                for taken in run.decisions
            ),
            evidence=tuple(self.evidence),
            open_points=tuple(self._open_points()),
            versions=tuple(self.moved.versions(self.names)),
            parked=tuple(self._parked()),
            advice=tuple(map(self._advice_line, run.advice)),
            on=on,
        )

    def _parked(self) -> Iterator[ParkedLine]:
        evidence = {line.id: line for line in self.evidence}
        return self.moved.parked(self.wording.versions, evidence, self.texts, self.names)

    def _advice_line(self, given: Advice) -> AdviceLine:
        ref, answer = given.ref, given.answer
        has_place = ref is not None and self.plan.has_place(ref.stage, ref.domain)
        return AdviceLine(
            stage_title=self.plan.stage(ref.stage).title if ref and has_place else None,
            domain_title=self._domain_title(ref.domain) if ref and has_place else None,
            round=ref.round if ref else 1,
            is_of_earlier_version=ref is not None and not has_place,
            by=self._name(given.by) or "",
            at=given.at,
            text=self.texts.get(given.text),
            grounds=tuple(self.plan.grounds_by_id[id].title for id in given.grounds if id in self.plan.grounds_by_id),
            followed=answer.followed if answer else None,
            reason=self.texts.get(answer.reason) if answer else None,
            answered_by=(self._name(answer.by) or "") if answer else "",
            answered_at=answer.at if answer else None,
        )

    def _domain_title(self, domain: str | None) -> Text | None:
        return self.plan.domains_by_id[domain].title if domain else None

    def _domain_lines(self) -> Iterator[DomainLine]:
        for domain in self.run.domains:
            total = NOTHING
            for ref in self.refs:
                if ref.domain == domain:
                    total += self.progress[ref]
            yield DomainLine(self.plan.domains_by_id[domain].title, total)

    def _instance_line(self, instance: StageInstance, *, is_current: bool) -> InstanceLine:
        stage = self.plan.stage(instance.ref.stage)
        return InstanceLine(
            ref=instance.ref,
            stage=stage,
            domain_title=self._domain_title(instance.ref.domain),
            state=stage_state(instance, is_continuous=stage.is_continuous),
            progress=self.progress.get(instance.ref) or stage_progress(stage, instance),  # of an earlier round
            is_current=is_current,
            started_by=self._name(instance.started_by),
            started_at=instance.started_at,
            early_reason=self.texts.get(instance.early_reason or ""),
            skip_reason=self.texts.get(instance.skip_reason or ""),
            round_reason=self.texts.get(instance.round_reason or ""),
            contributors=tuple(self._name(user) or "" for user in instance.contributors),
            decisions=tuple(self._decisions(instance.ref)),
            steps=tuple(self._step_line(instance, step) for step in stage.steps),
            checklist=self._step_line(instance, stage.checklist) if stage.checklist else None,
        )

    def _not_started_line(self, ref: StageRef) -> InstanceLine:
        stage, where = self.plan.stage(ref.stage), standing(self.plan, self.run, ref)
        return InstanceLine(
            ref=ref,
            stage=stage,
            domain_title=self._domain_title(ref.domain),
            state=where.state,
            progress=where.progress,
            is_current=True,
            started_by=None,
            started_at=None,
            early_reason=None,
            skip_reason=None,
            round_reason=None,
            contributors=(),
            decisions=(),
            steps=(),
            checklist=None,
        )

    def _step_line(self, instance: StageInstance, step: Step) -> StepLine:
        state, place = instance.step(step.id), str(instance.ref)
        lines = []
        for question in step.questions:
            answer = self.wording.answers.by_place.get((place, step.id, question.id))
            given = answer if answer is not None and answer.value is not None else None
            if given is not None or is_shown(step, state, question):
                mark = state.answers.get(question.id)
                is_proposal = given is not None and mark is not None and mark.is_proposal
                by = self._name(given.saved_by) if given else None
                lines.append(AnswerLine(question, given, by, is_proposal=is_proposal))
        return StepLine(
            step=step,
            status=state.status,
            completed_by=self._name(state.completed_by) if state.status is StepStatus.COMPLETED else None,
            completed_at=state.completed_at if state.status is StepStatus.COMPLETED else None,
            finding=self.texts.get(state.finding or "") if state.status is StepStatus.REVISIT else None,
            answers=tuple(lines),
            evidence=tuple(self.evidence_of.get((instance.ref, step.id), ())),
        )

    def _decisions(self, ref: StageRef) -> Iterator[ApprovalLine]:
        for sequence, event in self.events:
            if isinstance(event, e.EvidenceWithdrawn) or self.moved.ref_now(event.ref, sequence) != ref:
                continue
            by, version = self._name(event.by) or "", self.moved.earlier_version(sequence)
            absent, ground = None, None
            if isinstance(event, e.ByMandate):
                absent, ground = self._name(event.on_behalf_of), self.wording.grounds.get(event.mandate or "")
            match event:
                case e.Recused():
                    yield ApprovalLine("recused", ref, by, event.at, None, self._said(event.reason), version)
                case e.RecusalTakenBack():
                    said = self._said(event.reason)
                    yield ApprovalLine("recusal_taken_back", ref, by, event.at, None, said, version)
                case e.StageApproved():
                    said = self._said(event.remark)
                    for condition in event.conditions:
                        said += self._said(condition.text)
                    kind = "approved_with_conditions" if event.conditions else "approved"
                    yield ApprovalLine(kind, ref, by, event.at, event.seal, said, version, absent, ground)
                case e.StageSentBack():
                    titles = self.moved.titles_at(sequence)
                    findings = tuple(
                        (titles.step(event.ref.stage, step), self.texts.get(text, ""))
                        for step, text in event.findings.items()
                    )
                    yield ApprovalLine("sent_back", ref, by, event.at, None, findings, version, absent, ground)
                case e.ApprovalWithdrawn():
                    said = self._said(event.reason)
                    yield ApprovalLine("withdrawn", ref, by, event.at, None, said, version, absent, ground)
                case e.RequestWithdrawn():
                    yield ApprovalLine("request_withdrawn", ref, by, event.at, None, self._said(event.reason), version)
                case e.StageReopened():
                    yield ApprovalLine("reopened", ref, by, event.at, None, self._said(event.reason), version)
                case e.PointReported() | e.PointClosed() | e.PointReturned() | e.PointChanged():
                    kind, said = self._about_point(event)
                    yield ApprovalLine(kind, ref, by, event.at, None, said, version, absent, ground)

    def _about_point(
        self, event: e.PointReported | e.PointClosed | e.PointReturned | e.PointChanged
    ) -> tuple[str, tuple[tuple[Text | None, str], ...]]:
        """The text of the point, then what was said of it."""
        asked = (point.text for i in self.run.stages.values() for point in i.points if point.id == event.point)
        said = self._said(next(asked, None))
        match event:
            case e.PointReported():
                return "point_reported", (*said, *self._said(event.remark))
            case e.PointClosed():
                return "point_closed", said
            case e.PointReturned():
                return "point_returned", (*said, *self._said(event.reason))
            case e.PointChanged():
                return "point_changed", (*said, *self._said(event.reason))

    def _said(self, text: str | None) -> tuple[tuple[Text | None, str], ...]:
        said = self.texts.get(text or "")
        return ((None, said),) if said else ()

    def _evidence_line(self, row: Any) -> EvidenceLine:
        ref, step = self.evidence_places[row.id]
        parked = self.set_aside.get(row.id)
        titles = self.moved.titles[parked.plan_digest] if parked else self.moved.present
        withdrawn = self.withdrawals.get(row.id)
        is_open = self.with_confidential or row.confidentiality != "confidential"
        return EvidenceLine(
            id=row.id,
            ref=ref,
            step=step,
            step_title=titles.step(ref.stage, step),
            kind_title=titles.evidence_kind(row.kind),
            form=row.form,
            title=row.title,
            source=row.source,
            document_date=row.document_date,
            confidentiality=row.confidentiality,
            ground_titles=tuple(titles.ground(ground) for ground in row.grounds),
            sha256=row.sha256,
            bytes=row.bytes,
            file_name=row.file_name if is_open else None,
            url=row.url if is_open else None,
            note=row.note if is_open else None,
            added_by=self._name(row.added_by) or "",
            added_at=row.added_at,
            withdrawn_by=self._name(withdrawn.by) if withdrawn else None,
            withdrawn_at=withdrawn.at if withdrawn else None,
            withdrawn_reason=self.texts.get(withdrawn.reason) if withdrawn else None,
            set_aside=parked.plan_version if parked else None,
        )

    def _open_points(self) -> Iterator[OpenPoint]:
        for ref in self.refs:
            instance = self.run.instance(ref)
            if instance is None:
                continue
            yield from self._conditions(instance)
            if instance.status is not StageStatus.SKIPPED:
                yield from self._open_in(self.plan.stage(ref.stage), instance)
        for ref, instance in sorted(self.run.stages.items(), key=lambda each: str(each[0])):
            if ref not in self.refs:
                yield from self._conditions(instance)

    def _conditions(self, instance: StageInstance) -> Iterator[OpenPoint]:
        title, domain = self.plan.stage(instance.ref.stage).title, self._domain_title(instance.ref.domain)
        for point in instance.points:
            if point.is_waiting:
                yield OpenPoint(
                    kind="condition" if point.state is PointState.OPEN else "condition_reported",
                    ref=instance.ref,
                    stage_title=title,
                    domain_title=domain,
                    what=None,
                    text=self.texts.get(point.text),
                    owner=self._name(point.owner) or "",
                    due=point.due,
                    is_late=point.is_late(self.today),
                )

    def _open_in(self, stage: Stage, instance: StageInstance) -> Iterator[OpenPoint]:
        place = (instance.ref, stage.title, self._domain_title(instance.ref.domain))
        if instance.status is StageStatus.SUBMITTED:
            yield OpenPoint("request", *place, None)
        for step in stage.steps:
            status = instance.step(step.id).status
            if status is StepStatus.REVISIT:
                was_sent_back = instance.step(step.id).finding is not None
                yield OpenPoint("sent_back" if was_sent_back else "look_again", *place, step.title)
            elif status is not StepStatus.COMPLETED and (step.is_required or status is StepStatus.BUSY):
                yield OpenPoint("step", *place, step.title)
        state = instance.step(CHECKLIST)
        checklist = checklist_progress(stage, state)
        if checklist.done < checklist.total:
            yield OpenPoint("checklist", *place, None, n=checklist.total - checklist.done)
        unknown: dict[str, int] = defaultdict(int)
        for statement in stage.statements:
            if state.choices(statement.id) == (Grade.UNKNOWN,):
                unknown[statement.ground] += 1
        for ground, n in unknown.items():
            yield OpenPoint("unknown", *place, self.plan.grounds_by_id[ground].title, n=n)
