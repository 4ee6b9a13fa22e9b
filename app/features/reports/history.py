"""Every event of a run as a sentence with who, when and where; newest first, page by page."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, assert_never

from sqlalchemy import bindparam, func, select, type_coerce
from sqlmodel import Session, col

from app.engine import events as e
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.run import StageRef
from app.features.reports.texts import Words
from app.storage import codec
from app.storage.plans import load_plan
from app.storage.run_header import RunHeader, RunNotFound
from app.storage.scope import Prepared
from app.storage.tables import EventRow, EvidenceRow, RunRow, User
from app.storage.texts import read_texts
from app.storage.types import IdText
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


_RUN_COLUMNS: tuple[Any, ...] = (RunRow.plan_digest, RunRow.name, RunRow.purpose)
_RUN = Prepared(select(*_RUN_COLUMNS).where(col(RunRow.id) == bindparam("of_run")))
_WHO: Any = select(col(EventRow.by)).where(col(EventRow.run_id) == bindparam("of_run"))
_PEOPLE = Prepared(select(type_coerce(col(User.id), IdText), col(User.name)).where(col(User.id).in_(_WHO)))
_EVENT_COLUMNS: tuple[Any, ...] = (
    EventRow.sequence,
    EventRow.kind,
    EventRow.data,
    type_coerce(col(EventRow.by), IdText).label("by"),
    EventRow.at,
)
_TITLES = Prepared(
    select(type_coerce(col(EvidenceRow.id), IdText), col(EvidenceRow.title)).where(
        col(EvidenceRow.run_id) == bindparam("of_run"), col(EvidenceRow.id).in_(bindparam("ids", expanding=True))
    )
)


@cache
def _events(kind: str, *, of_one_person: bool) -> tuple[Prepared, Prepared]:
    """The number of events, and one page of them. `kind`: of KINDS, or empty for all."""
    query = select(*_EVENT_COLUMNS).where(col(EventRow.run_id) == bindparam("of_run"))
    if of_one_person:
        query = query.where(col(EventRow.by) == bindparam("person"))
    if kind:
        query = query.where(col(EventRow.kind).in_(KINDS[kind][1]))
    newest = query.order_by(col(EventRow.sequence).desc())
    return (
        Prepared(select(func.count()).select_from(query.subquery())),
        Prepared(newest.limit(EVENTS_PER_PAGE).offset(bindparam("before"))),
    )


def history_page(
    session: Session, run_id: str, words: Words, *, page: int, person: str = "", kind: str = ""
) -> HistoryPage:
    """Six queries.  Raises RunNotFound.  An unknown `person` or `kind` filters nothing."""
    try:
        key = uuid.UUID(run_id)
    except ValueError:
        raise RunNotFound(run_id) from None
    run = _RUN.run(session, {"of_run": key}).one_or_none()
    if run is None:
        raise RunNotFound(run_id)
    plan = load_plan(session, run.plan_digest)
    names = dict(_PEOPLE.run(session, {"of_run": key}).all())
    person, kind = person if person in names else "", kind if kind in KINDS else ""
    count, one_page = _events(kind, of_one_person=bool(person))
    wanted: dict[str, Any] = {"of_run": key, **({"person": uuid.UUID(person)} if person else {})}
    total = count.run(session, wanted).scalar_one()
    pages = max(1, -(-total // EVENTS_PER_PAGE))
    page = min(max(1, page), pages)
    rows = one_page.run(session, {**wanted, "before": (page - 1) * EVENTS_PER_PAGE})
    events = [(sequence, codec.decode_event(kind, data, by=by, at=at)) for sequence, kind, data, by, at in rows]
    teller = _Teller(session, plan, words, [event for _, event in events], str(key))
    return HistoryPage(
        header=RunHeader(str(key), run.name, run.purpose),
        lines=tuple(teller.line(sequence, event, names) for sequence, event in events),
        total=total,
        page=page,
        pages=pages,
        people=tuple(sorted(names.items(), key=lambda item: item[1])),
        person=person,
        kind=kind,
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
        self.stages: dict[StageRef, str] = {}
        if evidence:
            titles = _TITLES.run(session, {"of_run": uuid.UUID(run_id), "ids": evidence})
            self.evidence = dict(titles.all())

    def line(self, sequence: int, event: e.Event, names: dict[str, str]) -> EventLine:
        if isinstance(event, e.StageSentBack):
            stage = self.plan.stage(event.ref.stage)
            quotes = tuple(
                f"{self.words(stage.step(step).title)}: {self.texts.get(text, '')}"
                for step, text in event.findings.items()
            )
        else:
            quotes = tuple(self.texts[text] for text in _text_ids(event) if text in self.texts)
        return EventLine(
            sequence=sequence,
            sentence=self._sentence(event),
            by=names.get(event.by, ""),
            at=event.at,
            address=self._address(event),
            quotes=quotes,
        )

    def _stage(self, ref: StageRef) -> str:
        if ref not in self.stages:
            self.stages[ref] = self._stage_name(ref)
        return self.stages[ref]

    def _stage_name(self, ref: StageRef) -> str:
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
