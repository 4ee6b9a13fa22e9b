"""Runs as teams leave them, made by doing the work: each act goes through the engine and the storage functions that
the application uses, so that tables and history agree."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import reduce

from sqlmodel import Session

from app.engine import guards, stage_decisions, transitions
from app.engine.answers import Raw, Value, is_shown, read
from app.engine.apply import apply
from app.engine.definition import (
    Column,
    EvidenceDemand,
    Grade,
    Question,
    QuestionType,
    Step,
    StepPlan,
)
from app.engine.events import Event
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.progress import current_refs
from app.engine.run import EvidenceForm, Run, StageInstance, StageRef, UserId
from app.engine.seal import manifest, seal
from app.storage import run_store
from app.storage.answer_store import write_answers
from app.storage.evidence_store import Description, StoredFile, commit_to, new_salt, write_evidence
from app.storage.seals import keep_seal
from app.storage.texts import write_text

ACT = timedelta(hours=3)  # between two acts
LONG_TEXT = (
    "Wij spraken hierover met inwoners, met de adviesraad en met collega’s van vier afdelingen. Daaruit bleek dat veel "
    "mensen de weg naar hulp niet vinden, en dat brieven te moeilijk zijn. Jongeren en mensen met een kleine beurs "
    "zien wij het minst. In het overleg van maart hebben wij afgesproken wat er eerst gebeurt, wie dat doet en wanneer "
    "wij kijken of het helpt. De gesprekken staan in het verslag bij de bewijsstukken."
)
SHORT_TEXT = "Besproken met de adviesraad"
GRADES = (Grade.YES, Grade.PARTLY, Grade.YES, Grade.UNKNOWN, Grade.NO, Grade.YES, Grade.PARTLY)


class Stop(Enum):
    """How far the last stage came."""

    STARTED = "started"
    HALFWAY = "halfway"
    SENT_BACK = "sent_back"
    SUBMITTED = "submitted"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Variation:
    """`approved` stages behind them, and the next one as far as `stop`."""

    approved: int
    stop: Stop
    domains: int


@dataclass(frozen=True, slots=True)
class People:
    """The officers are the team; only managers who did none of the work can approve it."""

    officers: tuple[UserId, UserId]
    managers: tuple[UserId, UserId]


class Walker:
    def __init__(self, session: Session, plan: StepPlan, people: People, *, at: datetime) -> None:
        self.session, self.plan, self.people, self.at = session, plan, people, at
        self.run: Run
        self._turn = 0

    # --- a whole run -------------------------------------------------------------------------------------------

    def walk(self, variation: Variation, *, name: str, purpose: str) -> Run:
        self.start(name=name, purpose=purpose, domains=variation.domains)
        approved = 0
        while (ref := self._next_ref()) is not None:
            is_last = approved == variation.approved
            self._take_up(ref, variation.stop if is_last else Stop.APPROVED)
            if is_last:
                break
            approved += 1
        return self.run

    def start(self, *, name: str, purpose: str, domains: int) -> None:
        run_id, name_id, purpose_id = (str(uuid.uuid4()) for _ in range(3))
        by, at = self.people.officers[0], self._tick()
        event = transitions.start_run(
            self.plan,
            run_id,
            name=name_id,
            purpose=purpose_id,
            domains=[domain.id for domain in self.plan.domains[:domains]],
            team=self.people.officers,
            manager=self.people.managers[0],
            by=by,
            at=at,
        )
        self.run = run_store.start(self.session, self.plan, event, name=name, purpose=purpose)
        write_text(self.session, run_id, name, by=by, at=at, id=name_id)
        write_text(self.session, run_id, purpose, by=by, at=at, id=purpose_id)

    def _next_ref(self) -> StageRef | None:
        """The first stage in the order of the plan that is not begun and can begin."""
        for ref in current_refs(self.plan, self.run):
            if self.run.instance(ref) is None and not any(guards.cannot_start(self.plan, self.run, ref)):
                return ref
        return None

    def _take_up(self, ref: StageRef, stop: Stop) -> None:
        self.start_stage(ref)
        steps = self.plan.stage(ref.stage).steps
        match stop:
            case Stop.STARTED:
                self.fill(ref, steps[0], questions=1)
            case Stop.HALFWAY:
                done = len(steps) // 2
                for step in steps[:done]:
                    self.complete(ref, step)
                self.fill(ref, steps[done], questions=max(1, len(steps[done].questions) // 2))
                self.fill_checklist(ref, part=2)
            case Stop.SUBMITTED | Stop.SENT_BACK | Stop.APPROVED:
                for step in steps:
                    self.complete(ref, step)
                self.fill_checklist(ref)
                self.request(ref)
                if stop is Stop.SENT_BACK:
                    self.send_back(ref, steps[0])
                elif stop is Stop.APPROVED:
                    self.approve(ref)

    # --- single acts -------------------------------------------------------------------------------------------

    def start_stage(self, ref: StageRef) -> None:
        stage, by, at = self.plan.stage(ref.stage), self._officer(), self._tick()
        is_early = guards.unmet_advice(self.plan, self.run, stage, ref.domain)
        reason = self._text("De raad wil voor de zomer resultaat zien.", by) if is_early else None
        self._record(transitions.start_stage(self.plan, self.run, ref, early_reason=reason, by=by, at=at))

    def complete(self, ref: StageRef, step: Step) -> None:
        self.fill(ref, step)
        for demand in step.evidence:
            for number in range(demand.minimum):
                self.add_evidence(ref, step, demand, number)
        by, at = self._officer(), self._tick()
        self._record(transitions.complete_step(self.plan, self.run, ref, step.id, by=by, at=at))

    def fill_checklist(self, ref: StageRef, *, part: int = 1) -> None:
        if checklist := self.plan.stage(ref.stage).checklist:
            self.fill(ref, checklist, questions=-(-len(checklist.questions) // part))

    def fill(self, ref: StageRef, step: Step, *, questions: int | None = None) -> None:
        """Saves until all is answered: an answer may bring a question to light."""
        wanted = step.questions[:questions]
        while True:
            state = self._instance(ref).step(step.id)
            values: dict[str, Value] = {
                question.id: read(question, _raw(question, number))
                for number, question in enumerate(wanted)
                if question.id not in state.answers and is_shown(step, state, question)
            }
            if not values:
                return
            by, at = self._officer(), self._tick()
            marks = write_answers(self.session, self.run.id, ref, step, values, by=by, at=at)
            self._record(
                transitions.save_step(
                    self.plan, self.run, ref, step.id, answers=marks, based_on=state.revision, by=by, at=at
                )
            )

    def add_evidence(self, ref: StageRef, step: Step, demand: EvidenceDemand, number: int) -> None:
        evidence, salt, by, at = str(uuid.uuid4()), new_salt(), self._officer(), self._tick()
        is_link = demand.may_be_link and number % 2 == 1
        described = Description(
            kind=demand.kind,
            form=EvidenceForm.LINK if is_link else EvidenceForm.FILE,
            title=f"Verslag van de bijeenkomst van {at:%d-%m-%Y}",
            document_date=at.date(),
            source="Adviesraad sociaal domein",
            confidentiality="internal",
            grounds=tuple(ground.id for ground in self.plan.grounds[:2]),
            # No bytes on disk: nothing that is measured opens them.
            file=None if is_link else StoredFile(secrets.token_hex(32), 180_000, "application/pdf", "verslag.pdf"),
            url="https://gemeente.example/verslagen/1" if is_link else None,
        )
        write_evidence(self.session, evidence, self.run.id, ref, step.id, described, salt=salt, by=by, at=at)
        self._record(
            transitions.add_evidence(
                self.plan,
                self.run,
                ref,
                step.id,
                evidence=evidence,
                kind=demand.kind,
                form=described.form,
                commitment=commit_to(described, salt),
                grounds=described.grounds,
                by=by,
                at=at,
            )
        )

    def request(self, ref: StageRef) -> None:
        by, at = self._officer(), self._tick()
        shown = seal(self.run, ref)
        message = self._text("Wilt u hiernaar kijken? De bijlagen staan erbij.", by)
        keep_seal(self.session, self.run.id, manifest(self.run, ref), at=at)
        self._record(
            stage_decisions.request_approval(
                self.plan, self.run, ref, request=str(uuid.uuid4()), shown=shown, message=message, by=by, at=at
            )
        )

    def approve(self, ref: StageRef) -> None:
        gate, at = self.plan.stage(ref.stage).gate, self._tick()
        for by in self.people.managers[: gate.approvals]:
            self._record(
                stage_decisions.approve_stage(
                    self.plan,
                    self.run,
                    ref,
                    shown=seal(self.run, ref),
                    remark=self._text("Helder verhaal, ga zo door.", by),
                    by=by,
                    roles=frozenset(gate.approvers),
                    at=at,
                    people=ONE_ACCOUNT_EACH,
                )
            )

    def send_back(self, ref: StageRef, step: Step) -> None:
        gate, by, at = self.plan.stage(ref.stage).gate, self.people.managers[0], self._tick()
        finding = self._text("Noem ook wie u nog niet heeft gesproken.", by)
        assert finding is not None
        self._record(
            stage_decisions.send_back_stage(
                self.plan,
                self.run,
                ref,
                shown=seal(self.run, ref),
                findings={step.id: finding},
                by=by,
                roles=frozenset(gate.approvers),
                at=at,
                people=ONE_ACCOUNT_EACH,
            )
        )

    def _record(self, events: Event | Iterable[Event]) -> None:
        happened = list(events) if isinstance(events, Iterable) else [events]
        after = run_store.record(self.session, self.plan, self.run, happened)
        assert after == reduce(apply, happened, self.run)
        self.run = after

    def _instance(self, ref: StageRef) -> StageInstance:
        return self.run.stages[ref]

    def _text(self, text: str, by: UserId) -> str | None:
        return write_text(self.session, self.run.id, text, by=by, at=self.at)

    def _officer(self) -> UserId:
        self._turn += 1
        return self.people.officers[self._turn % 2]

    def _tick(self) -> datetime:
        self.at += ACT
        return self.at


def _raw(question: Question, number: int) -> Raw:
    """What a busy official fills in."""
    match question.type:
        case QuestionType.SHORT_TEXT:
            return SHORT_TEXT
        case QuestionType.LONG_TEXT:
            return LONG_TEXT
        case QuestionType.SINGLE_CHOICE:
            return question.options[0].id
        case QuestionType.MULTIPLE_CHOICE:
            return [option.id for option in question.options[:2]]
        case QuestionType.ASSESSMENT:
            return {"grade": GRADES[number % len(GRADES)], "reason": SHORT_TEXT if number % 2 else ""}
        case QuestionType.NUMBER:
            return f"{question.minimum or 12:.0f}"
        case QuestionType.DATE:
            return _DATE.isoformat()
        case QuestionType.TABLE:
            return [_row(question.columns) for _ in range(max(3, question.rows_min))]


_DATE = date(2026, 3, 12)


def _row(columns: tuple[Column, ...]) -> dict[str, str]:
    def cell(column: Column) -> str:
        match column.type:
            case QuestionType.SINGLE_CHOICE:
                return column.options[0].id
            case QuestionType.NUMBER:
                return "3"
            case QuestionType.DATE:
                return _DATE.isoformat()
            case _:
                return SHORT_TEXT

    return {column.id: cell(column) for column in columns}
