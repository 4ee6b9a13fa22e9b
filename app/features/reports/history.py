"""Every event of a run as a sentence with who, when and where; newest first, page by page."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

import sqlalchemy
from sqlmodel import Session, col, func, select

from app.engine import events as e
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.run import StageRef
from app.features.reports.texts import Words
from app.storage import codec
from app.storage.people import names_of
from app.storage.plans import load_plan
from app.storage.run_header import RunHeader, RunNotFound, run_header
from app.storage.tables import EventRow, EvidenceRow, RunRow
from app.storage.texts import read_texts
from app.web.i18n import N_

EVENTS_PER_PAGE = 50

# What people filter on: the kinds of events below each heading.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "werk": (N_("Work on steps"), ("StepSaved", "StepCompleted")),
    "bewijs": (N_("Evidence"), ("EvidenceAdded", "EvidenceWithdrawn")),
    "besluiten": (
        N_("Decisions"),
        (
            *("ApprovalRequested", "RequestWithdrawn", "StageApproved", "StageSentBack", "ApprovalWithdrawn"),
            *("DecisionRecorded", "DecisionWithdrawn", "StageSkipped", "SkipUndone"),
        ),
    ),
    "traject": (
        N_("Trajectory"),
        ("RunStarted", "RunRenamed", "TeamChanged", "DomainsChanged", "StageStarted", "StageReopened"),
    ),
}


@dataclass(frozen=True, slots=True)
class EventLine:
    """`quotes` are the texts that belong to the event: a reason, a message, findings per step."""

    sequence: int
    sentence: str
    by: str
    at: datetime
    address: str | None
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    header: RunHeader
    lines: tuple[EventLine, ...]
    total: int
    page: int
    pages: int
    people: tuple[tuple[str, str], ...]
    person: str
    kind: str


def history_page(
    session: Session, run_id: str, words: Words, *, page: int, person: str = "", kind: str = ""
) -> HistoryPage:
    """Seven queries.  Raises RunNotFound.  An unknown `person` or `kind` filters nothing."""
    try:
        key = uuid.UUID(run_id)
    except ValueError:
        raise RunNotFound(run_id) from None
    digest = session.exec(select(RunRow.plan_digest).where(RunRow.id == key)).one_or_none()
    if digest is None:
        raise RunNotFound(run_id)
    plan = load_plan(session, digest)
    everyone = session.exec(select(EventRow.by).where(EventRow.run_id == key).distinct()).all()
    names = names_of(session, map(str, everyone))
    wanted = [col(EventRow.run_id) == key]
    if person in names:
        wanted.append(col(EventRow.by) == uuid.UUID(person))
    if kind in KINDS:
        wanted.append(col(EventRow.kind).in_(KINDS[kind][1]))
    total = session.exec(select(func.count()).select_from(EventRow).where(*wanted)).one()
    pages = max(1, -(-total // EVENTS_PER_PAGE))
    page = min(max(1, page), pages)
    columns: tuple[Any, ...] = (EventRow.sequence, EventRow.kind, EventRow.data, EventRow.by, EventRow.at)
    query = sqlalchemy.select(*columns).where(*wanted).order_by(col(EventRow.sequence).desc())
    rows = session.execute(query.limit(EVENTS_PER_PAGE).offset((page - 1) * EVENTS_PER_PAGE))
    events = [(row.sequence, codec.decode_event(row.kind, row.data, by=str(row.by), at=row.at)) for row in rows]
    teller = _Teller(session, plan, words, [event for _, event in events], run_id)
    return HistoryPage(
        header=run_header(session, run_id),
        lines=tuple(teller.line(sequence, event, names) for sequence, event in events),
        total=total,
        page=page,
        pages=pages,
        people=tuple(sorted(names.items(), key=lambda item: item[1])),
        person=person if person in names else "",
        kind=kind if kind in KINDS else "",
    )


class _Teller:
    """Turns events into sentences; asks for the texts and titles of all of them at once."""

    def __init__(self, session: Session, plan: StepPlan, words: Words, events: Sequence[e.Event], run_id: str) -> None:
        self.plan, self.words, self.run_id = plan, words, run_id
        self.texts = read_texts(session, [text for event in events for text in _text_ids(event)])
        evidence = [
            uuid.UUID(event.evidence) for event in events if isinstance(event, e.EvidenceAdded | e.EvidenceWithdrawn)
        ]
        self.evidence: dict[str, str] = {}
        if evidence:
            titles = session.execute(select(EvidenceRow.id, EvidenceRow.title).where(col(EvidenceRow.id).in_(evidence)))
            self.evidence = {str(id): title for id, title in titles}

    def line(self, sequence: int, event: e.Event, names: dict[str, str]) -> EventLine:
        texts = (self.texts.get(text) for text in _text_ids(event) if text)
        if isinstance(event, e.StageSentBack):
            stage = self.plan.stage(event.ref.stage)
            quotes = tuple(
                f"{self.words(stage.step(step).title)}: {self.texts.get(text, '')}"
                for step, text in event.findings.items()
            )
        else:
            quotes = tuple(text for text in texts if text)
        return EventLine(
            sequence=sequence,
            sentence=self._sentence(event),
            by=names.get(event.by, ""),
            at=event.at,
            address=self._address(event),
            quotes=quotes,
        )

    def _stage(self, ref: StageRef) -> str:
        parts = [self.words(self.plan.stage(ref.stage).title)]
        if ref.domain:
            parts.append(self._domain(ref.domain))
        if ref.round > 1:
            parts.append(self.words.say(N_("round %(n)s"), n=ref.round))
        return " · ".join(parts)

    def _domain(self, id: str) -> str:
        return self.words(self.plan.domains_by_id[id].title)

    def _step(self, ref: StageRef, step: str) -> str:
        return self.words(self.plan.stage(ref.stage).step(step).title)

    def _sentence(self, event: e.Event) -> str:  # one branch per kind of event
        say: Callable[..., str] = self.words.say
        match event:
            case e.RunStarted():
                return say(N_("The trajectory was started."))
            case e.RunRenamed():
                return say(N_("Name or purpose was changed."))
            case e.TeamChanged():
                return say(N_("The team or the manager was changed."))
            case e.DomainsChanged():
                return say(N_("Domains are now: %(domains)s."), domains=", ".join(map(self._domain, event.domains)))
            case e.StageStarted() if event.unmet_advice:
                return say(N_("%(stage)s was started, earlier than advised."), stage=self._stage(event.ref))
            case e.StageStarted():
                return say(N_("%(stage)s was started."), stage=self._stage(event.ref))
            case e.StageSkipped():
                return say(N_("%(stage)s was skipped."), stage=self._stage(event.ref))
            case e.SkipUndone():
                return say(N_("%(stage)s is no longer skipped."), stage=self._stage(event.ref))
            case e.StepSaved() if event.step == CHECKLIST:
                return self.words.ngettext(
                    "%(num)s statement was answered in the checklist of %(stage)s.",
                    "%(num)s statements were answered in the checklist of %(stage)s.",
                    len(event.answers),
                    stage=self._stage(event.ref),
                )
            case e.StepSaved():
                return self.words.ngettext(
                    "%(num)s answer was saved at %(step)s (%(stage)s).",
                    "%(num)s answers were saved at %(step)s (%(stage)s).",
                    len(event.answers),
                    stage=self._stage(event.ref),
                    step=self._step(event.ref, event.step),
                )
            case e.StepCompleted():
                place = {"step": self._step(event.ref, event.step), "stage": self._stage(event.ref)}
                return say(N_("The step %(step)s (%(stage)s) was completed."), **place)
            case e.EvidenceAdded() | e.EvidenceWithdrawn():
                return self._evidence_sentence(event)
            case e.DecisionRecorded() | e.DecisionWithdrawn():
                return self._decision_sentence(event)
            case e.ApprovalRequested():
                return say(N_("Approval was asked for %(stage)s."), stage=self._stage(event.ref))
            case e.RequestWithdrawn():
                return say(N_("The request for approval of %(stage)s was withdrawn."), stage=self._stage(event.ref))
            case e.StageApproved() if not event.is_final:
                return say(N_("%(stage)s got an approval; more are needed."), stage=self._stage(event.ref))
            case e.StageApproved():
                return say(N_("%(stage)s was approved."), stage=self._stage(event.ref))
            case e.StageSentBack():
                return say(N_("%(stage)s was sent back."), stage=self._stage(event.ref))
            case e.StageReopened():
                return say(N_("Work on %(stage)s went on after approval."), stage=self._stage(event.ref))
            case e.ApprovalWithdrawn():
                return say(N_("The approval of %(stage)s was withdrawn."), stage=self._stage(event.ref))
            case _:
                assert_never(event)

    def _evidence_sentence(self, event: e.EvidenceAdded | e.EvidenceWithdrawn) -> str:
        title = self.evidence.get(event.evidence, "")
        place = {"title": title, "step": self._step(event.ref, event.step), "stage": self._stage(event.ref)}
        if isinstance(event, e.EvidenceAdded):
            return self.words.say(N_("Evidence was added at %(step)s (%(stage)s): %(title)s."), **place)
        return self.words.say(N_("Evidence was withdrawn at %(step)s (%(stage)s): %(title)s."), **place)

    def _decision_sentence(self, event: e.DecisionRecorded | e.DecisionWithdrawn) -> str:
        title = self.words(self.plan.decisions_by_id[event.decision].title)
        if event.domain:
            title = f"{title} · {self._domain(event.domain)}"
        if isinstance(event, e.DecisionRecorded):
            return self.words.say(N_("Decided: %(title)s."), title=title)
        return self.words.say(N_("Decision withdrawn: %(title)s."), title=title)

    def _address(self, event: e.Event) -> str | None:
        base = f"/trajecten/{self.run_id}"
        match event:
            case e.EvidenceAdded() | e.EvidenceWithdrawn():
                return f"{base}/bewijsstukken/{event.evidence}"
            case e.StepSaved() | e.StepCompleted() if event.step == CHECKLIST:
                return f"{base}/fasen/{event.ref}/checklist"
            case e.StepSaved() | e.StepCompleted():
                return f"{base}/fasen/{event.ref}/stappen/{event.step}"
            case e.RunStarted() | e.RunRenamed() | e.TeamChanged() | e.DomainsChanged():
                return base
            case e.DecisionRecorded() | e.DecisionWithdrawn():
                return f"{base}#besluiten"
            case _:
                return f"{base}/fasen/{event.ref}"


def _text_ids(event: e.Event) -> Iterator[str | None]:
    match event:
        case e.StageStarted():
            yield event.early_reason
        case e.StageSkipped() | e.EvidenceWithdrawn() | e.ApprovalWithdrawn():
            yield event.reason
        case e.DecisionRecorded() | e.DecisionWithdrawn():
            yield event.reason
        case e.ApprovalRequested():
            yield event.message
        case e.StageApproved():
            yield event.remark
        case e.StageSentBack():
            yield from event.findings.values()
        case e.RunRenamed():
            yield event.name
            yield event.purpose
        case _:
            return
