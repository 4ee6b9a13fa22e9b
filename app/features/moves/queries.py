"""What the pages about moving a run show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from app.engine.definition import Question, StepPlan, Text
from app.engine.errors import Reason
from app.engine.guards import not_in_team
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.progress import Progress, run_progress
from app.engine.run import Move, Parked, ParkedKind, Run, UserId
from app.engine.run_migration.changes import ChangeClass, PartKind, What
from app.engine.run_migration.items import Choice, Item
from app.engine.run_migration.moves import mover_reasons, undoer_reasons
from app.engine.run_migration.outcome import Outcome
from app.features.moves.service import Opened, OpenedUndo
from app.policy import Action, Role
from app.storage.answer_store import Answer, answers_by_commitment
from app.storage.deciding import accounts_in, persons_in
from app.storage.evidence_store import evidence_of
from app.storage.people import names_and_persons, names_of
from app.storage.plans import load_plans
from app.storage.run_header import RunHeader, run_header
from app.storage.run_moves import OF_THE_MOVE
from app.storage.run_store import load_run
from app.storage.texts import read_texts, read_texts_and_names
from app.web.change_words import TONES, ChangeWords
from app.web.i18n import Language
from app.web.identity import Caller
from app.web.shown import Shown, shown
from app.web.word_diff import Piece, word_diff


class Group(StrEnum):
    """How much an item asks: a choice, nothing but knowing that it is set aside, or nothing at all."""

    CHOOSE = "choose"
    PARKED = "parked"
    QUIET = "quiet"


def group_of(item: Item) -> Group:
    if item.allowed == (Choice.PARK,):
        return Group.PARKED
    return Group.CHOOSE if item.change_class >= ChangeClass.ANSWER_AGAIN else Group.QUIET


@dataclass(frozen=True, slots=True)
class ChoiceTotal:
    """How far the choices are. `total`: what asks for one. `made`: as proposed, or another with the reason that it
    takes. `without_reason` counts the rest that stays as it is unless somebody wants otherwise, too."""

    total: int
    made: int
    otherwise: int
    without_reason: int


def count_choices(items: Sequence[Item], choices: Mapping[str, str], reasons: Mapping[str, str]) -> ChoiceTotal:
    """By the id of an item: what is filled in now. Where nothing is, the proposal stands."""
    total = made = otherwise = without_reason = 0
    for item in items:
        wanted = choices.get(item.id) or item.proposed.value
        is_possible = wanted in {choice.value for choice in item.allowed}
        lacks_reason = is_possible and item.takes_reason(Choice(wanted)) and not reasons.get(item.id, "").strip()
        without_reason += lacks_reason
        if group_of(item) is Group.CHOOSE:
            total += 1
            made += is_possible and not lacks_reason
            otherwise += wanted != item.proposed.value
    return ChoiceTotal(total, made, otherwise, without_reason)


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """A property of the question as it was and as it becomes. `is_of_plan`: in the words of the plan, so Dutch."""

    name: str
    pieces: tuple[Piece, ...]
    is_of_plan: bool


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with the words of then and of now. `given` is None where the text was erased."""

    item: Item
    group: Group
    step: Text
    question: Text
    differences: tuple[ItemDifference, ...]
    is_merged: bool
    change_class: str
    tone: str
    given: Shown | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class MovePage:
    """`outcome` is there once somebody asked for a preview, or when a proposal waits. `waits_for`: why this caller
    cannot carry it out."""

    header: RunHeader
    opened: Opened
    items: tuple[ItemView, ...]
    names: Mapping[UserId, str]
    reasons: Mapping[str, str]
    outcome: Outcome | None
    progress: Progress
    progress_after: Progress | None
    waits_for: tuple[Reason, ...]
    blocked: tuple[Reason, ...]
    may_move: bool

    @property
    def chosen(self) -> Mapping[Choice, int]:
        """How often each choice was made, of what there was to choose."""
        views = [view for view in self.items if view.group is not Group.PARKED]
        made = self.outcome.choices if self.outcome else {}
        return Counter(made.get(view.item.id, view.item.proposed) for view in views)

    @property
    def reason_of_all(self) -> str | None:
        """Why the move as a whole was proposed, by who moves many runs at once."""
        proposal = self.run.proposal
        id = proposal.reasons.get(OF_THE_MOVE) if proposal else None
        return self.reasons.get(id) if id else None

    @property
    def old(self) -> StepPlan:
        return self.opened.plan

    @property
    def new(self) -> StepPlan:
        return self.opened.migration.comparison.new

    @property
    def run(self) -> Run:
        return self.opened.run

    def of(self, group: str) -> list[ItemView]:
        return [view for view in self.items if view.group == group]


def move_page(
    session: Session, caller: Caller, opened: Opened, outcome: Outcome | None, language: Language
) -> MovePage:
    plan, run = opened.plan, opened.run
    items = opened.migration.items
    committed = {
        run.stages[item.ref].step(item.step).answers[item.key].commitment
        for item in items
        if item.kind is ParkedKind.ANSWER
    }
    answers = answers_by_commitment(session, run.id, committed)
    has_evidence = any(item.kind is ParkedKind.EVIDENCE for item in items)
    titles = {e.id: e.described.title for e in evidence_of(session, run.id)} if has_evidence else {}
    views = []
    words = ChangeWords(opened.migration.comparison, language)
    for item in items:
        step = plan.stage(item.ref.stage).step(item.step)
        question = step.question(item.key) if item.kind is ParkedKind.ANSWER else None
        given = None
        if question is not None:
            answer = answers.get(run.stages[item.ref].step(item.step).answers[item.key].commitment)
            given = shown(question, answer.value) if answer else None
        views.append(
            ItemView(
                item=item,
                group=group_of(item),
                step=step.title,
                question=question.text if question else step.title,
                differences=tuple(_differences(item, question, opened, words)),
                is_merged=item.to is not None and item.change is not None and item.change.what is What.MERGED,
                change_class=words.change_class(item.change_class),
                tone=TONES[item.change_class],
                given=given,
                evidence=titles.get(item.key) if question is None else None,
            )
        )
    proposal = run.proposal
    reasons = proposal.reasons.values() if proposal else ()
    texts, names = read_texts_and_names(session, reasons, [proposal.by] if proposal else [])
    return MovePage(
        header=run_header(session, run.id),
        opened=opened,
        items=tuple(views),
        names=names,
        reasons=texts,
        outcome=outcome,
        progress=run_progress(plan, run),
        progress_after=run_progress(opened.migration.comparison.new, outcome.run) if outcome else None,
        waits_for=tuple(_waits_for(session, caller, run, outcome)) if outcome else (),
        blocked=opened.migration.blocked,
        may_move=caller.may(Action.MOVE_RUN) and not any(not_in_team(run, caller.user_id)),
    )


def _waits_for(session: Session, caller: Caller, run: Run, outcome: Outcome) -> list[Reason]:
    is_decider = outcome.needs_manager and run.proposal is not None and Role.MANAGER in caller.roles
    people = persons_in(session, run, caller.user_id) if is_decider else ONE_ACCOUNT_EACH
    return mover_reasons(run, outcome, by=caller.user_id, roles=caller.roles_on(run), people=people)


def _differences(item: Item, question: Question | None, opened: Opened, words: ChangeWords) -> Iterator[ItemDifference]:
    """What of the question is different, without what only helps to answer it."""
    if item.change is None or item.to is None or item.change.kind not in (PartKind.QUESTION, PartKind.STATEMENT):
        return
    if item.change.what is What.MERGED and question is not None:
        # The change is about all that became one; this answer was to one of them.
        ref, step = item.to
        becomes = opened.migration.comparison.new.stage(ref.stage).step(step).question(item.to_key)
        yield ItemDifference(words.property("text"), word_diff(question.text.nl, becomes.text.nl), is_of_plan=True)
        return
    for difference in item.change.differences:
        if difference.change_class is not ChangeClass.SAFE:
            sides = words.sides(item.change, difference)
            pieces = word_diff(sides.before, sides.after)
            yield ItemDifference(words.name(item.change, difference), pieces, sides.is_of_plan)


# --- undoing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UndoPage:
    header: RunHeader
    opened: OpenedUndo
    move: Move
    by: str
    later: tuple[ParkedView, ...]
    waits_for: tuple[Reason, ...]


def undo_page(session: Session, caller: Caller, opened: OpenedUndo) -> UndoPage:
    move = opened.run.last_move
    assert move is not None
    names, people = names_and_persons(session, {*accounts_in(opened.run), move.by, caller.user_id})
    return UndoPage(
        header=run_header(session, opened.run.id),
        opened=opened,
        move=move,
        by=names.get(move.by, ""),
        later=tuple(parked_views(session, opened.run.id, opened.undo.later)),
        waits_for=tuple(
            undoer_reasons(opened.run, opened.undo, by=caller.user_id, roles=caller.roles_on(opened.run), people=people)
        ),
    )


# --- what was set aside ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParkedView:
    """Something set aside, with the words of the version it belongs to. `text` is of a finding or a reason; None where
    it was erased."""

    item: Parked
    plan: StepPlan
    stage: Text | None
    step: Text | None
    question: Question | None
    given: Shown | None
    evidence: str | None
    text: str | None
    by: str | None
    at: datetime | None

    def searched(self) -> str:
        """Everything that a search looks at."""
        titles = [self.stage, self.step, self.question.text if self.question else None]
        parts = [title.nl for title in titles if title]
        parts += [text for text in (self.evidence, self.text) if text]
        return " ".join([*parts, *_words(self.given)]).casefold()


def _words(given: Shown | None) -> list[str]:
    if given is None:
        return []
    cells = [word for row in given.rows for cell in row for word in _words(cell)]
    return [given.text, given.reason, *(option.nl for option in given.options), *cells]


def parked_views(session: Session, run_id: str, items: Sequence[Parked]) -> list[ParkedView]:
    """Five queries at most, whatever the number of items."""
    plans = load_plans(session, {item.plan_digest for item in items})
    answers = answers_by_commitment(session, run_id, [item.answer.commitment for item in items if item.answer])
    has_evidence = any(item.evidence for item in items)
    titles = {e.id: e.described.title for e in evidence_of(session, run_id)} if has_evidence else {}
    texts = read_texts(session, _text_ids(items))
    givers = {item.id: _giver(item, answers.get(item.answer.commitment) if item.answer else None) for item in items}
    names = names_of(session, givers.values())
    views = []
    for item in items:
        plan = plans[item.plan_digest]
        stage = plan.stage(item.ref.stage) if item.ref else None
        step = stage.step(item.step) if stage and item.step else None
        question = step.question(item.key) if step and item.kind is ParkedKind.ANSWER else None
        answer = answers.get(item.answer.commitment) if item.answer else None
        by = givers[item.id]
        views.append(
            ParkedView(
                item=item,
                plan=plan,
                stage=stage.title if stage else None,
                step=step.title if step else None,
                question=question,
                given=shown(question, answer.value) if question and answer else None,
                evidence=titles.get(item.evidence.id) if item.evidence else None,
                text=next((texts[id] for id in _text_ids([item]) if id in texts), None),
                by=names.get(by) if by else None,
                at=_given_at(item, answer),
            )
        )
    return views


def _giver(item: Parked, answer: Answer | None) -> UserId | None:
    if answer is not None:
        return answer.saved_by
    if item.approval is not None:
        return item.approval.by
    if item.decision is not None:
        return item.decision.by
    return item.evidence.added_by if item.evidence else None


def _given_at(item: Parked, answer: Answer | None) -> datetime | None:
    """When it was answered or decided; of evidence its own page tells."""
    if answer is not None:
        return answer.saved_at
    given = item.approval or item.decision
    return given.at if given else None


def _text_ids(items: Sequence[Parked]) -> list[str]:
    found = [item.key for item in items if item.kind is ParkedKind.TEXT]
    found += [item.decision.reason for item in items if item.decision]
    found += [item.approval.remark for item in items if item.approval and item.approval.remark]
    found += [item.stage.skip_reason for item in items if item.stage and item.stage.skip_reason]
    return found


@dataclass(frozen=True, slots=True)
class ParkedPage:
    header: RunHeader
    run: Run
    views: tuple[ParkedView, ...]
    total: int
    search: str


def parked_page(session: Session, run_id: str, search: str) -> ParkedPage:
    """Raises RunNotFound."""
    _, run = load_run(session, run_id)
    views = parked_views(session, run.id, run.parked)
    wanted = search.casefold()
    found = [view for view in views if wanted in view.searched()] if wanted else views
    return ParkedPage(run_header(session, run.id), run, tuple(found), len(views), search)
