"""Somebody at work on a run, by the same calls that the application makes; time passes with every act."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Self

from sqlmodel import Session

from app.demo.content import answer_for, example_document
from app.engine import advice, stage_decisions, transitions
from app.engine.answers import Value, is_shown
from app.engine.definition import CHECKLIST, EvidenceDemand, Step, StepPlan
from app.engine.events import Event
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.progress import missing_in_step
from app.engine.run import EvidenceForm, Followed, Run, StageRef, StepStatus, UserId
from app.engine.seal import manifest, seal
from app.storage import run_store
from app.storage.answer_store import write_answers
from app.storage.evidence_files import EvidenceFiles
from app.storage.evidence_store import Description, StoredFile, commit_to, new_salt, write_evidence
from app.storage.seals import keep_seal
from app.storage.texts import write_text

ACT = timedelta(hours=27)  # between two acts: a part-time job beside others
WORKDAY = (8, 16)  # hours in UTC between which people act


class Worker:
    def __init__(
        self, session: Session, files: EvidenceFiles, plan: StepPlan, run: Run, at: datetime, number: int
    ) -> None:
        self.session, self.files, self.plan, self.run = session, files, plan, run
        self.at, self.number = at, number

    @classmethod
    def start(
        cls,
        session: Session,
        files: EvidenceFiles,
        plan: StepPlan,
        *,
        name: str,
        purpose: str,
        domains: Sequence[str],
        team: Sequence[UserId],
        manager: UserId,
        at: datetime,
        number: int,
    ) -> Self:
        """`number` (0, 1, 2) says which of the three runs this is, so that their answers differ."""
        run_id, name_id, purpose_id = (str(uuid.uuid4()) for _ in range(3))
        by = team[0]
        event = transitions.start_run(
            plan,
            run_id,
            name=name_id,
            purpose=purpose_id,
            domains=domains,
            team=team,
            manager=manager,
            by=by,
            at=at,
        )
        run = run_store.start(session, plan, event, name=name, purpose=purpose)
        write_text(session, run_id, name, by=by, at=at, id=name_id)
        write_text(session, run_id, purpose, by=by, at=at, id=purpose_id)
        return cls(session, files, plan, run, at, number)

    def _tick(self) -> datetime:
        self.at += ACT
        if not WORKDAY[0] <= self.at.hour < WORKDAY[1]:
            self.at = self.at.replace(hour=WORKDAY[0], minute=self.at.minute) + timedelta(minutes=25)
        while self.at.weekday() > 4:
            self.at += timedelta(days=1)
        return self.at

    def _text(self, text: str, by: UserId) -> str | None:
        return write_text(self.session, self.run.id, text, by=by, at=self.at)

    def start_stage(self, ref: StageRef, *, by: UserId, early_reason: str = "") -> None:
        at = self._tick()
        reason = self._text(early_reason, by)
        event = transitions.start_stage(self.plan, self.run, ref, early_reason=reason, by=by, at=at)
        self.run = run_store.record(self.session, self.plan, self.run, event)

    def _record(self, events: Event | Iterable[Event]) -> None:
        self.run = run_store.record(self.session, self.plan, self.run, events)

    def share(self, adviser: UserId, *, by: UserId, question: str) -> None:
        at = self._tick()
        events = advice.share_run(self.run, adviser, question=self._text(question, by), wanted_by=None, by=by, at=at)
        self._record(events)

    def advise(self, ref: StageRef, *, by: UserId, text: str, grounds: Sequence[str]) -> str:
        """Gives the id of the advice."""
        at, id = self._tick(), str(uuid.uuid4())
        self._record(
            advice.give_advice(
                self.plan, self.run, id, ref=ref, text=self._text(text, by), grounds=grounds, by=by, at=at
            )
        )
        return id

    def answer_advice(self, id: str, *, by: UserId, followed: Followed, reason: str) -> None:
        at = self._tick()
        self._record(advice.answer_advice(self.run, id, followed=followed, reason=self._text(reason, by), by=by, at=at))

    def skip(self, ref: StageRef, *, by: UserId, reason: str) -> None:
        at = self._tick()
        text = self._text(reason, by)
        event = transitions.skip_stage(self.plan, self.run, ref, reason=text, by=by, at=at)
        self.run = run_store.record(self.session, self.plan, self.run, event)

    def complete_all(self, ref: StageRef, *, by: UserId, helper: UserId) -> None:
        """Every step, by turns, and then the checklist."""
        for number, step in enumerate(self.plan.stage(ref.stage).steps):
            self._complete(ref, step, by=helper if number % 2 else by)
        if checklist := self.plan.stage(ref.stage).checklist:
            self._save(ref, checklist, by=by)

    def complete_some(self, ref: StageRef, *, by: UserId, steps: int) -> None:
        for step in self.plan.stage(ref.stage).steps[:steps]:
            self._complete(ref, step, by=by)

    def complete_revisited(self, ref: StageRef, *, by: UserId) -> None:
        for step in self.plan.stage(ref.stage).steps:
            if self.run.stages[ref].step(step.id).status is StepStatus.REVISIT:
                self._complete(ref, step, by=by)

    def save_unfinished(self, ref: StageRef, *, by: UserId) -> None:
        """Answers one question of the first step that was not begun, and leaves it at that."""
        for step in self.plan.stage(ref.stage).steps:
            state = self.run.stages[ref].step(step.id)
            if state.status is StepStatus.NOT_STARTED and step.questions:
                question = step.questions[0]
                self._save(ref, step, by=by, only=question.id)
                return

    def _complete(self, ref: StageRef, step: Step, *, by: UserId) -> None:
        self._save(ref, step, by=by)
        self._add_evidence(ref, step, by=by)
        at = self._tick()
        events = transitions.complete_step(self.plan, self.run, ref, step.id, by=by, at=at)
        self.run = run_store.record(self.session, self.plan, self.run, events)

    def _save(self, ref: StageRef, step: Step, *, by: UserId, only: str | None = None) -> None:
        """Saves until nothing is missing: an answer may bring a question to light."""
        for _ in step.questions:
            state = self.run.stages[ref].step(step.id)
            values: dict[str, Value] = {}
            for number, question in enumerate(step.questions):
                is_wanted = only is None or question.id == only
                if is_wanted and question.id not in state.answers and is_shown(step, state, question):
                    values[question.id] = answer_for(ref, step, question, number, run=self.number)
            if not values:
                break
            at = self._tick()
            marks = write_answers(self.session, self.run.id, ref, step, values, by=by, at=at)
            events = transitions.save_step(
                self.plan, self.run, ref, step.id, answers=marks, based_on=state.revision, by=by, at=at
            )
            self.run = run_store.record(self.session, self.plan, self.run, events)
        assert (
            only
            or step.id == CHECKLIST
            or not [
                reason for reason in missing_in_step(step, self.run.stages[ref].step(step.id), ref) if reason.question
            ]
        ), f"the demonstration leaves {ref}/{step.id} unanswered"

    def _add_evidence(self, ref: StageRef, step: Step, *, by: UserId) -> None:
        for demand in step.evidence:
            present = self.run.stages[ref].step(step.id).evidence_count(demand.kind, links_count=demand.may_be_link)
            for _ in range(present, demand.minimum):
                self._add_piece(ref, step, demand, by=by)

    def _add_piece(self, ref: StageRef, step: Step, demand: EvidenceDemand, *, by: UserId) -> None:
        """A document where a file is asked for, otherwise a note: what the fictional team has at hand."""
        kind, at, id = self.plan.evidence_kinds_by_id[demand.kind], self._tick(), str(uuid.uuid4())
        title = f"{kind.title.nl}: {step.title.nl}"
        as_file = not demand.may_be_link
        described = Description(
            kind=demand.kind,
            form=EvidenceForm.FILE if as_file else EvidenceForm.NOTE,
            title=title,
            document_date=at.date(),
            source="Projectteam (verzonnen voorbeeld)",
            confidentiality="internal",
            grounds=(),
            file=self._document(title) if as_file else None,
            note=None
            if as_file
            else f"Verzonnen voorbeeld. {demand.explanation.nl if demand.explanation else ''}".strip(),
        )
        salt = new_salt()
        events = transitions.add_evidence(
            self.plan,
            self.run,
            ref,
            step.id,
            evidence=id,
            kind=described.kind,
            form=described.form,
            commitment=commit_to(described, salt),
            grounds=(),
            by=by,
            at=at,
        )
        write_evidence(self.session, id, self.run.id, ref, step.id, described, salt=salt, by=by, at=at)
        self.run = run_store.record(self.session, self.plan, self.run, events)

    def _document(self, title: str) -> StoredFile:
        content = example_document(title)
        incoming = self.files.receive()
        incoming.write(content)
        incoming.finish()
        with self.files.placing():
            self.files.place(incoming)
        return StoredFile(incoming.sha256, len(content), "application/pdf", "voorbeeld.pdf")

    def request(self, ref: StageRef, *, by: UserId, message: str) -> None:
        at = self._tick()
        event = stage_decisions.request_approval(
            self.plan,
            self.run,
            ref,
            request=str(uuid.uuid4()),
            shown=seal(self.run, ref),
            message=self._text(message, by),
            by=by,
            at=at,
        )
        keep_seal(self.session, self.run.id, manifest(self.run, ref), at=at)
        self.run = run_store.record(self.session, self.plan, self.run, event)

    def approve(self, ref: StageRef, *, by: UserId, remark: str) -> None:
        at = self._tick()
        event = stage_decisions.approve_stage(
            self.plan,
            self.run,
            ref,
            shown=seal(self.run, ref),
            remark=self._text(remark, by),
            by=by,
            roles=frozenset({"manager"}),
            at=at,
            people=ONE_ACCOUNT_EACH,
        )
        keep_seal(self.session, self.run.id, manifest(self.run, ref), at=at)
        self.run = run_store.record(self.session, self.plan, self.run, event)

    def send_back(self, ref: StageRef, *, by: UserId, reason: str) -> None:
        at = self._tick()
        step = self.plan.stage(ref.stage).steps[0].id
        text = self._text(reason, by)
        assert text is not None
        event = stage_decisions.send_back_stage(
            self.plan,
            self.run,
            ref,
            shown=seal(self.run, ref),
            findings={step: text},
            by=by,
            roles=frozenset({"manager"}),
            at=at,
            people=ONE_ACCOUNT_EACH,
        )
        keep_seal(self.session, self.run.id, manifest(self.run, ref), at=at)
        self.run = run_store.record(self.session, self.plan, self.run, event)
