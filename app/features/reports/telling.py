"""Events as sentences, in the words of the version of the plan that was in force then."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import bindparam, select, type_coerce
from sqlmodel import Session, col

from app.engine import events as e
from app.engine import guards
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.guards import NoSuchPart
from app.engine.run import Followed, Run, StageRef, UserId
from app.engine.run_migration.timeline import Timeline
from app.features.reports.plan_titles import PlanTitles
from app.features.reports.telling_moves import MoveDetails, MoveTeller, evidence_in
from app.features.reports.texts import Words
from app.storage.mandates import grounds_of
from app.storage.people import names_of
from app.storage.run_moves import OF_THE_MOVE
from app.storage.scope import Prepared
from app.storage.tables import EvidenceRow
from app.storage.texts import read_texts
from app.storage.types import IdText
from app.web.i18n import N_


@dataclass(frozen=True, slots=True)
class EventLine:
    """`address` is None where what it was about has no page any more. `quotes` are the texts that belong to the event:
    a reason, a message, findings per step. `details`: of a move to another version, what was chosen."""

    sequence: int
    sentence: str
    by: str
    at: datetime
    address: str | None
    quotes: tuple[str, ...]
    details: MoveDetails | None = None


@dataclass(frozen=True)
class Known:
    """What telling starts from. Of the run, the stages are there without their content, and only if it moved."""

    run: Run
    present: StepPlan
    timeline: Timeline
    titles: Mapping[str, PlanTitles]
    names: Mapping[UserId, str]


_TITLES = Prepared(
    select(type_coerce(col(EvidenceRow.id), IdText), col(EvidenceRow.title)).where(
        col(EvidenceRow.run_id) == bindparam("of_run"), col(EvidenceRow.id).in_(bindparam("ids", expanding=True))
    )
)


ANSWERED = {
    Followed.WHOLLY: N_("An advice was answered: followed."),
    Followed.PARTLY: N_("An advice was answered: followed in part."),
    Followed.NOT: N_("An advice was answered: not followed."),
}


class Teller:
    """Turns events into sentences; asks for the texts and titles of all of them at once."""

    def __init__(self, session: Session, known: Known, words: Words, events: Sequence[e.Event]) -> None:
        self.known, self.words = known, words
        self.base = f"/trajecten/{known.run.id}"
        self.texts = read_texts(session, [text for event in events for text in _text_ids(event)])
        by_mandate = [event for event in events if isinstance(event, e.ByMandate) and event.on_behalf_of]
        self.grounds = grounds_of(session, {event.mandate for event in by_mandate if event.mandate})
        given = [event.given_by for event in events if isinstance(event, e.ApprovalWithdrawn)]
        self.others = names_of(session, [*(event.on_behalf_of for event in by_mandate), *given])
        self.evidence: dict[str, str] = {}
        if evidence := {uuid.UUID(id) for event in events for id in _evidence_ids(event)}:
            found = _TITLES.run(session, {"of_run": uuid.UUID(known.run.id), "ids": [*evidence]})
            self.evidence = dict(found.all())
        advising = [event.adviser for event in events if isinstance(event, e.RunShared | e.SharingEnded)]
        self.advisers = names_of(session, advising) if advising else {}
        self.moves = MoveTeller(words, self.texts, self.evidence, known.names, self.base, known.run)
        self.versions = {event.proposal: event.to_version for event in events if isinstance(event, e.MoveProposed)}

    def line(self, sequence: int, event: e.Event) -> EventLine:
        digest = self.known.timeline.in_force(sequence)
        titles = self.known.titles[digest]
        return EventLine(
            sequence=sequence,
            sentence=self._with_mandate(event, self._sentence(event, titles)),
            by=self.known.names.get(event.by, ""),
            at=event.at,
            address=self._address(event, titles),
            quotes=tuple(self._quotes(event, titles)),
            details=self.moves.details(event, titles, digest),
        )

    def _with_mandate(self, event: e.Event, sentence: str) -> str:
        """In whose name it was decided, and on what ground."""
        if not isinstance(event, e.ByMandate) or not event.on_behalf_of:
            return sentence
        who = self.words.say(
            N_("In the name of %(name)s (mandate: %(ground)s)."),
            name=self.others.get(event.on_behalf_of, ""),
            ground=self.grounds.get(event.mandate or "", ""),
        )
        return f"{sentence} {who}"

    def _quotes(self, event: e.Event, titles: PlanTitles) -> Iterator[str]:
        if isinstance(event, e.StageSentBack):
            for step, text in event.findings.items():
                yield f"{titles.step(event.ref.stage, step)}: {self.texts.get(text, '')}"
            return
        yield from (self.texts[text] for text in _quoted_ids(event) if text in self.texts)

    def _sentence(self, event: e.Event, titles: PlanTitles) -> str:  # one branch per kind of event
        say: Callable[..., str] = self.words.say
        match event:
            case e.RunStarted():
                return say(N_("The trajectory was started."))
            case e.RunRenamed():
                return say(N_("Name or purpose was changed."))
            case e.TeamChanged():
                return say(N_("The team or the manager was changed."))
            case e.DomainsChanged():
                return say(N_("Domains are now: %(domains)s."), domains=", ".join(map(titles.domain, event.domains)))
            case e.StageStarted() if event.unmet_advice:
                return say(N_("%(stage)s was started, earlier than advised."), stage=titles.place(event.ref))
            case e.StageStarted():
                return say(N_("%(stage)s was started."), stage=titles.place(event.ref))
            case e.StageSkipped():
                return say(N_("%(stage)s was skipped."), stage=titles.place(event.ref))
            case e.SkipUndone():
                return say(N_("%(stage)s is no longer skipped."), stage=titles.place(event.ref))
            case e.StepSaved() | e.StepCompleted() | e.AnswersProposed():
                return self._step_sentence(event, titles)
            case e.EvidenceAdded() | e.EvidenceWithdrawn():
                return self._evidence_sentence(event, titles)
            case e.DecisionRecorded() | e.DecisionWithdrawn():
                return self._decision_sentence(event, titles)
            case e.ApprovalRequested():
                return say(N_("Approval was asked for %(stage)s."), stage=titles.place(event.ref))
            case e.RequestWithdrawn():
                return say(N_("The request for approval of %(stage)s was withdrawn."), stage=titles.place(event.ref))
            case e.StageApproved() if event.conditions:
                return self._conditional_sentence(event, titles)
            case e.StageApproved() if not event.is_final:
                return say(N_("%(stage)s got an approval; more are needed."), stage=titles.place(event.ref))
            case e.StageApproved():
                return say(N_("%(stage)s was approved."), stage=titles.place(event.ref))
            case e.StageSentBack():
                return say(N_("%(stage)s was sent back."), stage=titles.place(event.ref))
            case e.StageReopened():
                return say(N_("Work on %(stage)s went on after approval."), stage=titles.place(event.ref))
            case e.ApprovalWithdrawn() if event.given_by:
                return say(
                    N_("The approval of %(stage)s that %(name)s gave was withdrawn."),
                    stage=titles.place(event.ref),
                    name=self.others.get(event.given_by, ""),
                )
            case e.ApprovalWithdrawn():
                return say(N_("The approval of %(stage)s was withdrawn."), stage=titles.place(event.ref))
            case e.Recused():
                return say(N_("Somebody takes no part in the decision about %(stage)s."), stage=titles.place(event.ref))
            case e.RecusalTakenBack():
                return say(
                    N_("Somebody takes part again in the decision about %(stage)s."), stage=titles.place(event.ref)
                )
            case e.RunShared() | e.SharingEnded() | e.AdviceGiven() | e.AdviceAnswered():
                return self._advice_sentence(event, titles)
            case e.PointReported() | e.PointClosed() | e.PointReturned() | e.PointChanged():
                return self._point_sentence(event, titles)
            case e.MoveProposed() | e.RunMoved() | e.MoveUndone():
                return self.moves.sentence(event)
            case e.MoveProposalWithdrawn():
                return self.moves.withdrawal(self.versions.get(event.proposal))
            case e.PersonalDataErased():
                number = len(event.answers) + len(event.texts) + len(event.evidence)
                return self.words.ngettext(
                    "Personal data was erased in %(num)s place.", "Personal data was erased in %(num)s places.", number
                )
            case _:
                assert_never(event)

    def _conditional_sentence(self, event: e.StageApproved, titles: PlanTitles) -> str:
        stage, n = titles.place(event.ref), len(event.conditions)
        if event.is_final:
            return self.words.ngettext(
                "%(stage)s was approved with %(num)s condition.",
                "%(stage)s was approved with %(num)s conditions.",
                n,
                stage=stage,
            )
        return self.words.ngettext(
            "%(stage)s got an approval with %(num)s condition; more are needed.",
            "%(stage)s got an approval with %(num)s conditions; more are needed.",
            n,
            stage=stage,
        )

    def _point_sentence(
        self, event: e.PointReported | e.PointClosed | e.PointReturned | e.PointChanged, titles: PlanTitles
    ) -> str:
        say: Callable[..., str] = self.words.say
        stage = titles.place(event.ref)
        match event:
            case e.PointReported():
                return say(N_("An open point of %(stage)s was reported as done."), stage=stage)
            case e.PointClosed():
                return say(N_("An open point of %(stage)s was closed."), stage=stage)
            case e.PointReturned():
                return say(N_("An open point of %(stage)s was given back."), stage=stage)
            case e.PointChanged():
                return say(
                    N_("An open point of %(stage)s is now for %(name)s, done by %(day)s."),
                    stage=stage,
                    name=self.known.names.get(event.owner, ""),
                    day=self.words.day(event.due),
                )
            case _:
                assert_never(event)

    def _step_sentence(self, event: e.StepSaved | e.StepCompleted | e.AnswersProposed, titles: PlanTitles) -> str:
        stage = titles.place(event.ref)
        step = titles.step(event.ref.stage, event.step)
        match event:
            case e.StepCompleted():
                return self.words.say(N_("The step %(step)s (%(stage)s) was completed."), step=step, stage=stage)
            case e.AnswersProposed():
                return self.words.ngettext(
                    "%(num)s answer came along from the earlier trajectory as a proposal at %(step)s (%(stage)s).",
                    "%(num)s answers came along from the earlier trajectory as a proposal at %(step)s (%(stage)s).",
                    len(event.answers),
                    stage=stage,
                    step=step,
                )
            case e.StepSaved() if event.step == CHECKLIST:
                return self.words.ngettext(
                    "%(num)s statement was answered in the checklist of %(stage)s.",
                    "%(num)s statements were answered in the checklist of %(stage)s.",
                    len(event.answers),
                    stage=stage,
                )
            case e.StepSaved():
                return self.words.ngettext(
                    "%(num)s answer was saved at %(step)s (%(stage)s).",
                    "%(num)s answers were saved at %(step)s (%(stage)s).",
                    len(event.answers),
                    stage=stage,
                    step=step,
                )
            case _:
                assert_never(event)

    def _evidence_sentence(self, event: e.EvidenceAdded | e.EvidenceWithdrawn, titles: PlanTitles) -> str:
        title = self.evidence.get(event.evidence) or self.words.say(N_("without a title"))
        place = {
            "title": title,
            "step": titles.step(event.ref.stage, event.step),
            "stage": titles.place(event.ref),
        }
        if isinstance(event, e.EvidenceAdded):
            return self.words.say(N_("Evidence was added at %(step)s (%(stage)s): %(title)s."), **place)
        return self.words.say(N_("Evidence was withdrawn at %(step)s (%(stage)s): %(title)s."), **place)

    def _advice_sentence(
        self, event: e.RunShared | e.SharingEnded | e.AdviceGiven | e.AdviceAnswered, titles: PlanTitles
    ) -> str:
        match event:
            case e.RunShared():
                return self.words.say(N_("The trajectory was shared with %(name)s."), name=self._name(event.adviser))
            case e.SharingEnded():
                return self.words.say(
                    N_("The trajectory is no longer shared with %(name)s."), name=self._name(event.adviser)
                )
            case e.AdviceGiven() if event.ref is not None:
                return self.words.say(N_("Advice was given about %(stage)s."), stage=titles.place(event.ref))
            case e.AdviceGiven():
                return self.words.say(N_("Advice was given about the whole trajectory."))
            case e.AdviceAnswered():
                return self.words.say(ANSWERED[event.followed])
            case _:
                assert_never(event)

    def _name(self, user: UserId) -> str:
        return self.advisers.get(user) or self.words.say(N_("an adviser"))

    def _decision_sentence(self, event: e.DecisionRecorded | e.DecisionWithdrawn, titles: PlanTitles) -> str:
        title = titles.decision(event.decision)
        if event.domain:
            title = f"{title} · {titles.domain(event.domain)}"
        if isinstance(event, e.DecisionRecorded):
            return self.words.say(N_("Decided: %(title)s."), title=title)
        return self.words.say(N_("Decision withdrawn: %(title)s."), title=title)

    def _address(self, event: e.Event, titles: PlanTitles) -> str | None:
        match event:
            case e.EvidenceAdded() | e.EvidenceWithdrawn():
                return f"{self.base}/bewijsstukken/{event.evidence}" if event.evidence in self.evidence else None
            case e.StepSaved() | e.StepCompleted() | e.AnswersProposed():
                return self._part_address(event.ref, event.step)
            case e.RunStarted() | e.RunRenamed() | e.TeamChanged() | e.DomainsChanged() | e.PersonalDataErased():
                return self.base
            case e.DecisionRecorded() | e.DecisionWithdrawn():
                return f"{self.base}#besluiten"
            case e.RunShared() | e.SharingEnded() | e.AdviceGiven() | e.AdviceAnswered():
                return f"{self.base}/advies"
            case e.MoveProposed() | e.MoveProposalWithdrawn() | e.RunMoved() | e.MoveUndone():
                return self.moves.address(event, titles.parts.plan)
            case e.PointReported() | e.PointClosed() | e.PointReturned() | e.PointChanged():
                place = self._part_address(event.ref, None)
                return f"{place}/open-punten/{event.point}" if place and "/fasen/" in place else place
            case _:
                return self._part_address(event.ref, None)

    def _part_address(self, ref: StageRef, step: str | None) -> str | None:
        """The page of a stage or step if the present plan has it; else of what was set aside, if that can hold it."""
        run, present = self.known.run, self.known.present
        if run.moves:
            try:
                stage = guards.find_stage(present, run, ref)
            except NoSuchPart:
                stage = None
            if stage is None or (step is not None and step not in stage.steps_by_id):
                return f"{self.base}/geparkeerd" if run.parked else None
        address = f"{self.base}/fasen/{ref}"
        if step is None:
            return address
        return f"{address}/checklist" if step == CHECKLIST else f"{address}/stappen/{step}"


def _text_ids(event: e.Event) -> Iterator[str | None]:
    yield from _quoted_ids(event)
    if isinstance(event, e.StageSentBack):
        yield from event.findings.values()
    if isinstance(event, e.MoveProposed | e.RunMoved):
        yield from event.reasons.values()


def _quoted_ids(event: e.Event) -> Iterator[str | None]:
    match event:
        case e.StageStarted():
            yield from dict.fromkeys((event.early_reason, event.reason))
        case e.StageSkipped() | e.EvidenceWithdrawn() | e.ApprovalWithdrawn():
            yield event.reason
        case e.RequestWithdrawn() | e.StageReopened() | e.PointReturned() | e.PointChanged():
            yield event.reason
        case e.PointReported():
            yield event.remark
        case e.DecisionRecorded() | e.DecisionWithdrawn() | e.Recused() | e.RecusalTakenBack():
            yield event.reason
        case e.MoveProposalWithdrawn() | e.MoveUndone():
            yield event.reason
        case e.MoveProposed() | e.RunMoved():
            yield event.reasons.get(OF_THE_MOVE)
        case e.ApprovalRequested():
            yield event.message
        case e.RunShared():
            yield event.question
        case e.AdviceGiven():
            yield event.text
        case e.AdviceAnswered():
            yield event.reason
        case e.StageApproved():
            yield event.remark
            yield from (condition.text for condition in event.conditions)
        case e.RunRenamed():
            yield event.name
            yield event.purpose
        case _:
            return


def _evidence_ids(event: e.Event) -> Iterator[str]:
    match event:
        case e.EvidenceAdded() | e.EvidenceWithdrawn():
            yield event.evidence
        case e.MoveProposed() | e.RunMoved():
            yield from evidence_in(event)
        case _:
            return
