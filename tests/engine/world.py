"""A run to which people do things, wise or not, and a second, independent account of what happened to it.

The engine says what may happen; `World` writes it down in its own way and checks after every command that nothing
was lost, nothing was let through, and that the engine's state is nothing but its events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any, TypeVar

from app.engine import events as e
from app.engine import guards, point_decisions, stage_decisions, transitions
from app.engine.answers import Raw, is_shown
from app.engine.apply import apply, replay
from app.engine.definition import (
    CHECKLIST,
    Across,
    DecisionRequired,
    Gate,
    Grade,
    Question,
    QuestionType,
    Reached,
    Requirement,
    Round,
    Stage,
    StageRequired,
    Step,
    StepPlan,
)
from app.engine.errors import Blocked, EngineError
from app.engine.people import Mandate, People
from app.engine.point_decisions import Judge
from app.engine.points import NewPoint
from app.engine.progress import (
    current_refs,
    ground_progress,
    missing_in_step,
    run_progress,
    stage_progress,
    step_progress,
)
from app.engine.run import (
    AnswerMark,
    Approval,
    EvidenceForm,
    Run,
    StageInstance,
    StageRef,
    StageStatus,
    StepStatus,
    UserId,
)
from app.engine.seal import differences, manifest, seal
from app.engine.standing import NEXT_MAX, NextKind, StageState, next_stages, standings
from tests.builders import ANNA, BRAM, CHRIS, MANAGER, MARIAM, MAX, MONDAY, NORA, OFFICER, OLGA, ROLES, an_answer, marks

PEOPLE: Mapping[UserId, frozenset[str]] = {**ROLES, BRAM: OFFICER | MANAGER}
"""As in the builders, but Bram is a manager who works in the team himself."""

ACCOUNTS = People({CHRIS: "chris, or max", MAX: "chris, or max"})
"""Chris the policy officer and Max the manager are one person with two accounts."""

AWAY = Mandate("vervanging", MARIAM, NORA, MONDAY, MONDAY + timedelta(minutes=200), MANAGER)
"""Nora stands in for Mariam, for as long as most of what happens here takes."""

Choice = int
"""Which of the possibilities, counted round; drawn by Hypothesis."""

ROUNDS_MAX = 4  # enough to see whether earlier rounds stay as they were

T = TypeVar("T")


def is_enough(gate: Gate, voters: Mapping[UserId, frozenset[str]]) -> bool:
    """By trying every way in which people can take the places that a gate asks for."""
    places = [each.role for each in gate.of_which for _ in range(each.approvals)]
    return len(voters) >= gate.approvals and any(
        all(role in voters[by] for role, by in zip(places, people, strict=True))
        for people in permutations(voters, len(places))
    )


def pick(options: Sequence[T], choice: Choice) -> T:
    return options[choice % len(options)]


def fit(fitting: Sequence[T], others: Sequence[T], choice: Choice) -> T:
    """Nine times out of ten one that fits, so that people get somewhere; else any."""
    return pick(fitting, choice // 10) if fitting and choice % 10 < 9 else pick(others, choice // 10)


RAW: Mapping[QuestionType, tuple[Raw, ...]] = {
    QuestionType.SHORT_TEXT: ("tekst", "", "andere tekst"),
    QuestionType.LONG_TEXT: ("lange\ntekst", ""),
    QuestionType.NUMBER: ("3", "", "7,5"),
    QuestionType.DATE: ("1-3-2027", "", "2027-04-01"),
    QuestionType.ASSESSMENT: (
        {"grade": "yes"},
        {"grade": "not_applicable"},
        {"grade": "not_applicable", "reason": "want"},
        {"grade": "unknown"},
        {"grade": "", "reason": "nog geen oordeel"},
        {"grade": ""},
    ),
}


def raw_answers(question: Question) -> Sequence[Raw]:
    """Full, half and empty answers to a question."""
    match question.type:
        case QuestionType.SINGLE_CHOICE:
            return [*(option.id for option in question.options), ""]
        case QuestionType.MULTIPLE_CHOICE:
            ids = [option.id for option in question.options]
            return [ids, ids[-1:], []]
        case QuestionType.TABLE:
            row = {column.id: column.options[0].id if column.options else "3" for column in question.columns}
            row |= {column.id: "1-3-2027" for column in question.columns if column.type is QuestionType.DATE}
            return [[row] * max(1, question.rows_min), [{question.columns[0].id: row[question.columns[0].id]}], []]
        case QuestionType.NUMBER if question.minimum is not None:
            return [f"{question.minimum:.0f}", ""]
        case _:
            return RAW[question.type]


Told = tuple[str, str, date, str, str | None, str | None]
"""Of an open point: its text, owner, date and state, what was reported, and why it was given back."""

Content = tuple[str | None, frozenset[tuple[str, str, str]], frozenset[tuple[str, str]], frozenset[tuple[str, Told]]]
"""Of one stage instance: why it began early, answers that are filled, evidence that counts, and open points."""


class Ledger:
    """What the events say, kept without the engine's help."""

    def __init__(self) -> None:
        self.begun: set[StageRef] = set()
        self.early: dict[StageRef, str | None] = {}
        self.passed: set[StageRef] = set()
        self.changed: set[StageRef] = set()
        self.skipped: set[StageRef] = set()
        self.decisions: set[tuple[str, str | None]] = set()
        self.workers: dict[StageRef, list[UserId]] = {}
        self.answers: dict[tuple[StageRef, str, str], str | None] = {}
        self.evidence: dict[tuple[StageRef, str, str], bool] = {}
        self.approvals: dict[StageRef, list[e.StageApproved | Approval]] = {}
        self.seals: dict[StageRef, dict[str, Content]] = {}
        self.withdrawn: set[tuple[str, str, str]] = set()
        """Request, who and seal of approvals that somebody took back while others were deciding."""
        self.points: dict[tuple[StageRef, str], Told] = {}
        self.asked_by: dict[str, UserId] = {}
        self.closed: dict[StageRef, StageInstance] = {}
        self.reopened: set[StageRef] = set()
        self.recused: set[tuple[StageRef, UserId]] = set()
        self.history: set[StageRef] = set()
        """Earlier rounds, from before the plan was another version."""

    def begin_anew(self, run: Run) -> None:
        """From here on the account starts with the run as it is: after it moved to another version of its plan."""
        self.__init__()  # type: ignore[misc]  # nothing that was noted before has its old name for sure
        self.decisions = {(taken.decision, taken.domain) for taken in run.decisions}
        self.recused = {(ref, by) for ref, instance in run.stages.items() for by in instance.recused}
        for ref, instance in run.stages.items():
            if instance.started_at is not None:
                self.begun.add(ref)
                self.early[ref] = instance.early_reason
            if instance.passed:
                self.passed.add(ref)
            if instance.changed_since_approval:
                self.changed.add(ref)
            if instance.status is StageStatus.SKIPPED:
                self.skipped.add(ref)
            if instance.passed and instance.status is StageStatus.OPEN:
                self.reopened.add(ref)
            if run.latest(ref.stage, ref.domain) is not instance:
                self.closed[ref] = instance
                self.history.add(ref)
            self.workers[ref] = list(instance.contributors)
            if instance.approvals:
                self.approvals[ref] = list(instance.approvals)
            for step, state in instance.steps.items():
                for question, mark in state.answers.items():
                    self.answers[ref, step, question] = mark.commitment if mark.is_filled else None
                for item in state.evidence:
                    self.evidence[ref, step, item.id] = item.counts
            for point in instance.points:
                told = (point.text, point.owner, point.due, point.state.value, point.report, point.returned)
                self.points[ref, point.id], self.asked_by[point.id] = told, point.by

    def refs(self, stage: str, domain: str | None) -> list[StageRef]:
        known = self.begun | self.passed | self.skipped
        return sorted(ref for ref in known if (ref.stage, ref.domain) == (stage, domain))

    def content(self, ref: StageRef) -> Content:
        return (
            self.early.get(ref),
            frozenset((s, q, c) for (r, s, q), c in self.answers.items() if r == ref and c is not None),
            frozenset((s, id) for (r, s, id), counts in self.evidence.items() if r == ref and counts),
            frozenset(
                (id, self._as_sealed(told)) for (r, id), told in self.points.items() if r == ref if told[3] != "lapsed"
            ),
        )

    @staticmethod
    def _as_sealed(told: Told) -> Told:
        return (*told[:3], "open", *told[4:]) if told[3] == "proposed" else told

    def _settle_points(self, ref: StageRef, to: str, *states: str, of: UserId | None = None) -> None:
        for (where, id), told in self.points.items():
            if where == ref and told[3] in states and (of is None or self.asked_by[id] == of):
                self.points[where, id] = (*told[:3], to, *told[4:])

    def _note_point(self, event: Any) -> None:
        text, owner, due, state, report, returned = self.points[event.ref, event.point]
        match event:
            case e.PointReported():
                state, report = "reported", event.remark
                self._worked(event)
            case e.PointClosed():
                state, returned = "closed", None
            case e.PointReturned():
                state, returned = "open", event.reason
            case e.PointChanged():
                owner, due = event.owner, event.due
        self.points[event.ref, event.point] = (text, owner, due, state, report, returned)

    def note(self, event: e.Event) -> None:
        match event:
            case e.StageStarted():
                self.begun.add(event.ref)
                self.early[event.ref] = event.early_reason
                self._worked(event)
            case e.StageSkipped():
                self.skipped.add(event.ref)
            case e.SkipUndone():
                self.skipped.remove(event.ref)
            case e.StepSaved():
                for question, mark in event.answers.items():
                    key = (event.ref, event.step, question)
                    self.answers[key] = mark.commitment if mark.is_filled else None
                self._worked(event)
            case e.AnswersProposed():
                for question, mark in event.answers.items():
                    self.answers.setdefault((event.ref, event.step, question), mark.commitment)
                for author in event.authors:
                    self._has_hand_in(event.ref, author)
            case e.EvidenceAdded():
                self.evidence[event.ref, event.step, event.evidence] = True
                self._worked(event)
            case e.EvidenceWithdrawn():
                self.evidence[event.ref, event.step, event.evidence] = False
                self._worked(event)
            case e.StepCompleted() | e.ApprovalRequested():
                self._worked(event)
            case e.RequestWithdrawn():
                self._worked(event)
                self._settle_points(event.ref, "lapsed", "proposed")
            case e.Recused():
                self.recused.add((event.ref, event.by))
            case e.RecusalTakenBack():
                self.recused.remove((event.ref, event.by))
            case e.StageApproved():
                self.approvals.setdefault(event.ref, []).append(event)
                for new in event.conditions:
                    self.points[event.ref, new.id] = (new.text, new.owner, new.due, "proposed", None, None)
                    self.asked_by[new.id] = event.by
                if event.is_final:
                    self._settle_points(event.ref, "open", "proposed")
                    self.passed.add(event.ref)
                    self.changed.discard(event.ref)
                    self.reopened.discard(event.ref)
            case e.StageSentBack():
                self._settle_points(event.ref, "lapsed", "proposed")
            case e.StageReopened():
                self.reopened.add(event.ref)
            case e.PointReported() | e.PointClosed() | e.PointReturned() | e.PointChanged():
                self._note_point(event)
            case e.DecisionRecorded():
                self.decisions.add((event.decision, event.domain))
            case e.DecisionWithdrawn():
                self.decisions.remove((event.decision, event.domain))
            case _:
                pass

    def _has_hand_in(self, ref: StageRef, user: UserId) -> None:
        people = self.workers.setdefault(ref, [])
        if user not in people:
            people.append(user)

    def _worked(self, event: Any) -> None:
        self._has_hand_in(event.ref, event.by)
        if event.ref in self.passed and isinstance(event, e.StepSaved | e.EvidenceAdded | e.EvidenceWithdrawn):
            self.changed.add(event.ref)

    def is_met(self, plan: StepPlan, domains: Iterable[str], requirement: Requirement, domain: str | None) -> bool:
        return any(self._alternative_met(plan, domains, a, domain) for a in requirement.alternatives)

    def _alternative_met(
        self, plan: StepPlan, domains: Iterable[str], needed: StageRequired | DecisionRequired, domain: str | None
    ) -> bool:
        if isinstance(needed, DecisionRequired):
            per_domain = next(d for d in plan.decisions if d.id == needed.decision).is_per_domain
            if per_domain and domain is None:
                return any(decision == needed.decision for decision, _ in self.decisions)
            return (needed.decision, domain if per_domain else None) in self.decisions
        stage = next(s for s in plan.stages if s.id == needed.stage)

        def there(in_domain: str | None) -> bool:
            refs = self.refs(stage.id, in_domain)
            good = self.passed | self.skipped | (self.begun if needed.reached is Reached.STARTED else set())
            return bool(good & set(refs[-1:] if needed.round is Round.LATEST else refs))

        if not stage.is_per_domain:
            return there(None)
        if domain is not None:
            return there(domain)
        each = [there(d) for d in domains]
        return bool(each) and (all(each) if needed.across is Across.ALL else any(each))


class World:
    def __init__(self, plan: StepPlan, domains: Sequence[str]) -> None:
        self.plan = plan
        self.ledger = Ledger()
        self.events: list[e.Event] = []
        self.happened: Counter[str] = Counter()
        self.given = 0
        self.authors: dict[str, set[str]] = {}
        """The persons who made an answer or a piece of evidence, wherever that stands: by commitment or id."""
        self.replayed: Run | None = None
        started = transitions.start_run(
            plan,
            "run",
            name="naam",
            purpose="doel",
            domains=domains,
            team=[ANNA, BRAM],
            manager=MARIAM,
            by=ANNA,
            at=self.now(),
        )
        self.run: Run = apply(None, started)
        self.events.append(started)

    # --- what commands choose from -----------------------------------------------------------------------------

    def now(self) -> datetime:
        return MONDAY + timedelta(minutes=len(self.events))

    def new_id(self, kind: str) -> str:
        self.given += 1
        return f"{kind}-{self.given}"

    def worker(self, choice: Choice) -> UserId:
        return fit([*self.run.team, self.run.manager or MARIAM], [*PEOPLE], choice)

    def approver(self, ref: StageRef, choice: Choice) -> UserId:
        worked = self.ledger.workers.get(ref, [])
        return fit([by for by in (MARIAM, MAX, BRAM, NORA, OLGA) if by not in worked], [*PEOPLE], choice)

    def mandate(self, by: UserId) -> Mandate | None:
        return AWAY if by == NORA else None

    def ref(self, choice: Choice, is_fit: Callable[[StageRef], bool] = lambda _: True) -> StageRef:
        """Mostly a stage instance that fits the command; now and then any other, or one that cannot exist."""
        current = [*current_refs(self.plan, self.run)]
        known = [*current, *self.run.stages, *(ref.next_round() for ref in self.run.stages)]
        wild = [
            StageRef("bestaat-niet"),
            *(replace(ref, domain=None if ref.domain else "wonen") for ref in current[:1]),
            *(replace(ref, round=ref.round + 2) for ref in current[-1:]),
        ]
        return fit([ref for ref in dict.fromkeys(known) if is_fit(ref)], [*known, *wild], choice)

    def can_start(self, ref: StageRef) -> bool:
        return ref.round < ROUNDS_MAX and not [*guards.cannot_start(self.plan, self.run, ref)]

    def is_workable(self, ref: StageRef) -> bool:
        stage = self.plan.stages_by_id[ref.stage]
        return not [*guards.not_open_for_work(stage, self.run, ref)]

    def is_in(self, *status: StageStatus) -> Callable[[StageRef], bool]:
        return lambda ref: ref in self.run.stages and self.run.stages[ref].status in status

    def step(self, ref: StageRef, choice: Choice) -> str:
        stage = self.plan.stages_by_id.get(ref.stage)
        return fit([step.id for step in stage.all_steps()] if stage else [], [CHECKLIST, "bestaat-niet"], choice)

    def definition(self, ref: StageRef, step: str) -> Step:
        stage = self.plan.stages_by_id.get(ref.stage, self.plan.stages[0])
        return stage.steps_by_id.get(step, stage.steps[0])

    def revision(self, ref: StageRef, step: str) -> int:
        instance = self.run.instance(ref)
        return instance.step(step).revision if instance else 0

    def seal(self, ref: StageRef) -> str:
        return seal(self.run, ref) if ref in self.run.stages else ""

    def note_authors(self, event: e.Event) -> None:
        match event:
            case e.StepSaved():
                made, by = [mark.commitment for mark in event.answers.values()], [event.by]
            case e.AnswersProposed():
                made, by = [mark.commitment for mark in event.answers.values()], [*event.authors]
            case e.EvidenceAdded() | e.EvidenceWithdrawn():
                made, by = [event.evidence], [event.by]
            case _:
                return
        for each in made:
            self.authors.setdefault(each, set()).update(map(ACCOUNTS.person, by))

    # --- doing -------------------------------------------------------------------------------------------------

    def attempt(self, command: Callable[[], e.Event | list[e.Event]], *, texts: Iterable[str | None] = ()) -> bool:
        """Does it if the engine allows it. `texts` were given along: what is accepted must keep them."""
        before = self.run
        try:
            decided = command()
        except EngineError as error:
            refused = error
        else:
            return self._accept(decided, texts)
        assert not isinstance(refused, Blocked) or refused.reasons
        assert self.run is before
        self.happened["refused"] += 1
        return False

    def _accept(self, decided: e.Event | list[e.Event], texts: Iterable[str | None]) -> bool:
        events = decided if isinstance(decided, list) else [decided]
        for event in events:
            self._check_allowed(event)
            self.run = apply(self.run, event)
            self.events.append(event)
            self.ledger.note(event)
            self.note_authors(event)
            if isinstance(event, e.PointReported | e.PointClosed | e.PointReturned | e.PointChanged):
                self._follow_points_of_closed_rounds(event.ref)
            self._check_seal(event)
            self.happened[type(event).__name__] += 1
        for text in texts:
            assert text is None or text in repr(events)
        return True

    def start(self, ref: StageRef, by: UserId, with_reason: bool) -> bool:
        reason = self.new_id("text") if with_reason else None
        return self.attempt(
            lambda: transitions.start_stage(
                self.plan, self.run, ref, early_reason=reason, reason=reason, by=by, at=self.now()
            ),
            texts=[reason] if ref.round > 1 else [],
        )

    def skip(self, ref: StageRef, by: UserId, with_reason: bool) -> bool:
        reason = self.new_id("text") if with_reason else None
        return self.attempt(
            lambda: transitions.skip_stage(self.plan, self.run, ref, reason=reason, by=by, at=self.now()),
            texts=[reason],
        )

    def undo_skip(self, ref: StageRef, by: UserId) -> bool:
        return self.attempt(lambda: transitions.undo_skip(self.plan, self.run, ref, by=by, at=self.now()))

    def marks(self, step: Step, answers: Mapping[str, Raw]) -> dict[str, AnswerMark]:
        """Each under a salt of its own, as when they are stored."""
        return {
            id: marks(step, {id: raw}, salt=f"{len(self.events):016x}{n:016x}")[id]
            for n, (id, raw) in enumerate(answers.items())
        }

    def save(self, ref: StageRef, step: str, answers: Mapping[str, Raw], by: UserId, is_stale: bool = False) -> bool:
        given = self.marks(self.definition(ref, step), answers)
        based_on = self.revision(ref, step) - is_stale
        return self.attempt(
            lambda: transitions.save_step(
                self.plan, self.run, ref, step, answers=given, based_on=based_on, by=by, at=self.now()
            ),
            texts=[mark.commitment for mark in given.values()],
        )

    def save_some(self, ref: StageRef, step: str, choices: Sequence[Choice], by: UserId, is_stale: bool) -> bool:
        questions = self.definition(ref, step).questions
        answers: dict[str, Raw] = {}
        for choice in choices if questions else ():
            question = pick(questions, choice)
            answers[question.id] = pick(raw_answers(question), choice // len(questions))
        return self.save(ref, step, answers, by, is_stale)

    def complete(self, ref: StageRef, step: str, by: UserId) -> bool:
        return self.attempt(lambda: transitions.complete_step(self.plan, self.run, ref, step, by=by, at=self.now()))

    def add_evidence(self, ref: StageRef, step: str, kind: str, form: EvidenceForm, by: UserId) -> bool:
        id = self.new_id("evidence")
        return self.attempt(
            lambda: transitions.add_evidence(
                self.plan,
                self.run,
                ref,
                step,
                evidence=id,
                kind=kind,
                form=form,
                commitment=f"hash of {id}",
                grounds=[],
                by=by,
                at=self.now(),
            ),
            texts=[id, f"hash of {id}"],
        )

    def withdraw_evidence(self, choice: Choice, by: UserId, with_reason: bool) -> bool:
        ref, step, id = fit(
            [key for key, counts in self.ledger.evidence.items() if counts],
            [*self.ledger.evidence, (StageRef("bestaat-niet"), "x", "y")],
            choice,
        )
        reason = self.new_id("text") if with_reason else None
        return self.attempt(
            lambda: transitions.withdraw_evidence(
                self.plan, self.run, ref, step, evidence=id, reason=reason, by=by, at=self.now()
            ),
            texts=[reason],
        )

    def request(self, ref: StageRef, by: UserId, shown: str | None = None) -> bool:
        message = self.new_id("text")
        return self.attempt(
            lambda: stage_decisions.request_approval(
                self.plan,
                self.run,
                ref,
                request=self.new_id("request"),
                shown=self.seal(ref) if shown is None else shown,
                message=message,
                by=by,
                at=self.now(),
            ),
            texts=[message],
        )

    def withdraw_request(self, ref: StageRef, by: UserId) -> bool:
        reason = self.new_id("text")
        return self.attempt(
            lambda: stage_decisions.withdraw_request(self.plan, self.run, ref, reason=reason, by=by, at=self.now()),
            texts=[reason],
        )

    def conditions(self, choices: Sequence[Choice]) -> list[NewPoint]:
        """Some of which fall short: of somebody from elsewhere, or before today."""
        team = [*self.run.team]
        return [
            NewPoint(
                self.new_id("point"),
                self.new_id("text"),
                fit(team, [*PEOPLE], choice),
                self.now().date() + timedelta(days=choice % 10 - 1),
            )
            for choice in choices
        ]

    def point(self, choice: Choice, *states: str) -> tuple[StageRef, str]:
        fitting = [key for key, told in self.ledger.points.items() if told[3] in states]
        return fit(fitting, [*self.ledger.points, (StageRef("bestaat-niet"), "x")], choice)

    def report_point(self, at: tuple[StageRef, str], choice: Choice) -> bool:
        told = self.ledger.points.get(at)
        by = fit([told[1]] if told else [], [*PEOPLE], choice)
        remark = self.new_id("text")
        return self.attempt(
            lambda: point_decisions.report_point(self.plan, self.run, *at, remark=remark, by=by, at=self.now()),
            texts=[remark],
        )

    def judge_point(self, at: tuple[StageRef, str], by: UserId, is_done: bool) -> bool:
        reason = self.new_id("text")
        judge = Judge(by, PEOPLE[by], ACCOUNTS, self.now(), self.mandate(by))
        if is_done:
            return self.attempt(lambda: point_decisions.close_point(self.plan, self.run, *at, judge=judge))
        return self.attempt(
            lambda: point_decisions.return_point(self.plan, self.run, *at, reason=reason, judge=judge), texts=[reason]
        )

    def change_point(self, at: tuple[StageRef, str], owner: UserId, days: int, by: UserId) -> bool:
        reason, due = self.new_id("text"), self.now().date() + timedelta(days=days)
        return self.attempt(
            lambda: point_decisions.change_point(
                self.plan,
                self.run,
                *at,
                owner=owner,
                due=due,
                reason=reason,
                judge=Judge(by, PEOPLE[by], ACCOUNTS, self.now(), self.mandate(by)),
            ),
            texts=[reason],
        )

    def reopen(self, ref: StageRef, by: UserId, with_reason: bool) -> bool:
        reason = self.new_id("text") if with_reason else None
        return self.attempt(
            lambda: transitions.reopen_stage(self.plan, self.run, ref, reason=reason, by=by, at=self.now()),
            texts=[reason],
        )

    def approve(self, ref: StageRef, by: UserId, shown: str | None = None, conditions: Sequence[Choice] = ()) -> bool:
        remark, asked = self.new_id("text"), self.conditions(conditions)
        return self.attempt(
            lambda: stage_decisions.approve_stage(
                self.plan,
                self.run,
                ref,
                shown=self.seal(ref) if shown is None else shown,
                remark=remark,
                conditions=asked,
                by=by,
                roles=PEOPLE[by],
                people=ACCOUNTS,
                mandate=self.mandate(by),
                at=self.now(),
            ),
            texts=[remark, *(new.text for new in asked)],
        )

    def send_back(self, ref: StageRef, steps: Iterable[str], by: UserId, shown: str | None = None) -> bool:
        findings = {step: self.new_id("text") for step in steps}
        return self.attempt(
            lambda: stage_decisions.send_back_stage(
                self.plan,
                self.run,
                ref,
                shown=self.seal(ref) if shown is None else shown,
                findings=findings,
                by=by,
                roles=PEOPLE[by],
                people=ACCOUNTS,
                mandate=self.mandate(by),
                at=self.now(),
            ),
            texts=findings.values(),
        )

    def withdraw_approval(self, ref: StageRef, by: UserId) -> bool:
        reason = self.new_id("text")
        return self.attempt(
            lambda: stage_decisions.withdraw_approval(
                self.plan,
                self.run,
                ref,
                reason=reason,
                by=by,
                roles=PEOPLE[by],
                people=ACCOUNTS,
                mandate=self.mandate(by),
                at=self.now(),
            ),
            texts=[reason],
        )

    def recuse(self, ref: StageRef, by: UserId) -> bool:
        reason = self.new_id("text")
        mandates = [AWAY] if by == NORA else []
        return self.attempt(
            lambda: stage_decisions.recuse(
                self.plan,
                self.run,
                ref,
                reason=reason,
                by=by,
                roles=PEOPLE[by],
                people=ACCOUNTS,
                mandates=mandates,
                at=self.now(),
            ),
            texts=[reason],
        )

    def take_recusal_back(self, ref: StageRef, by: UserId) -> bool:
        reason = self.new_id("text")
        return self.attempt(
            lambda: stage_decisions.take_recusal_back(self.plan, self.run, ref, reason=reason, by=by, at=self.now()),
            texts=[reason],
        )

    def decide(self, choice: Choice, by: UserId, is_withdrawal: bool) -> bool:
        options = [
            (decision.id, domain)
            for decision in self.plan.decisions
            for domain in (self.run.domains if decision.is_per_domain else (None,))
        ]
        decision, domain = fit(
            [option for option in options if (option in self.ledger.decisions) == is_withdrawal],
            [*options, ("bestaat-niet", None)],
            choice,
        )
        reason = self.new_id("text")
        act = transitions.withdraw_decision if is_withdrawal else transitions.take_decision
        return self.attempt(
            lambda: act(
                self.plan,
                self.run,
                decision,
                domain,
                reason=reason,
                by=by,
                roles=PEOPLE[by],
                people=ACCOUNTS,
                at=self.now(),
            ),
            texts=[reason],
        )

    def change_team(self, team: Sequence[UserId], manager: UserId) -> bool:
        return self.attempt(
            lambda: transitions.change_team(self.run, team=team, manager=manager, by=ANNA, at=self.now())
        )

    def change_domains(self, domains: Sequence[str]) -> bool:
        return self.attempt(
            lambda: transitions.change_domains(self.plan, self.run, domains=domains, by=ANNA, at=self.now())
        )

    # --- larger acts, so that random people get somewhere --------------------------------------------------------

    def do_step(self, ref: StageRef, step: str, by: UserId) -> bool:
        """Answers and evidence in full, and then completes; an approved continuous stage is opened again first."""
        if self.is_in(StageStatus.APPROVED)(ref):
            self.reopen(ref, by, with_reason=True)
        definition = self.definition(ref, step)
        self.save(ref, step, {question.id: an_answer(question) for question in definition.questions}, by)
        for demand in definition.evidence:
            for _ in range(demand.minimum):
                self.add_evidence(ref, step, demand.kind, EvidenceForm.FILE, by)
        return self.complete(ref, step, by)

    def do_stage(self, ref: StageRef, by: UserId) -> bool:
        """Everything up to the request."""
        self.start(ref, by, with_reason=True)
        stage = self.plan.stages_by_id.get(ref.stage, self.plan.stages[0])
        for step in stage.all_steps():
            self.do_step(ref, step.id, by)
        return self.request(ref, by)

    def do_so_far(self, ref: StageRef, so_far: str) -> None:
        """How a stage may look when somebody opens the run: started, filled, asked or approved."""
        match so_far:
            case "started":
                self.start(ref, ANNA, with_reason=True)
            case "filled":
                self.start(ref, BRAM, with_reason=True)
                for step in self.plan.stages_by_id.get(ref.stage, self.plan.stages[0]).all_steps():
                    self.do_step(ref, step.id, ANNA)
            case _:
                self.do_stage(ref, ANNA)
        if so_far == "approved":
            self.settle(ref)

    def settle(self, ref: StageRef) -> bool:
        """Whoever may approve does, if it is asked."""
        if not self.is_in(StageStatus.SUBMITTED)(ref):
            return False
        agreed = [self.approve(ref, by) for by in (MARIAM, MAX, BRAM, NORA, OLGA)]
        return any(agreed)

    # --- checks ------------------------------------------------------------------------------------------------

    def _check_allowed(self, event: e.Event) -> None:
        """What must hold at the moment at which this happens, judged by the ledger."""
        match event:
            case e.StageStarted(ref=ref):
                stage = self.plan.stage(ref.stage)
                for requirement in stage.requires:
                    assert self.ledger.is_met(self.plan, self.run.domains, requirement, ref.domain), ref
                assert ref.round == 1 or stage.is_repeatable
                assert event.by in {*self.run.team, self.run.manager}
                assert bool(event.unmet_advice) == (event.early_reason is not None)
                for advice in event.unmet_advice:
                    assert not self.ledger.is_met(
                        self.plan, self.run.domains, Requirement((StageRequired(advice),)), ref.domain
                    )
                self._close_round_before(ref)
            case e.StageSkipped(ref=ref):
                assert self.plan.stage(ref.stage).is_optional
                assert ref not in self.ledger.passed
                self._close_round_before(ref)
            case e.SkipUndone(ref=ref) if ref not in self.ledger.begun and ref.round > 1:
                del self.ledger.closed[replace(ref, round=ref.round - 1)]
            case e.DecisionRecorded(decision=id, domain=domain, by=by):
                decision = next(d for d in self.plan.decisions if d.id == id)
                for requirement in decision.requires:
                    assert self.ledger.is_met(self.plan, self.run.domains, requirement, domain)
                assert PEOPLE[by] & set(decision.taken_by)
                for requirement in decision.requires:
                    for needed in requirement.alternatives:
                        if isinstance(needed, StageRequired):
                            for ref in self.ledger.refs(needed.stage, domain) or self.ledger.refs(needed.stage, None):
                                self._check_four_eyes(ref, by)
            case e.StepSaved() | e.StepCompleted() | e.EvidenceAdded() | e.EvidenceWithdrawn():
                assert event.by in {*self.run.team, self.run.manager}
                assert event.ref in self.ledger.begun
                assert event.ref not in self.ledger.skipped
                assert event.ref not in self.ledger.passed or event.ref in self.ledger.reopened
                if isinstance(event, e.StepCompleted):
                    self._check_holds_what_it_asks(event.ref, self.plan.stage(event.ref.stage).step(event.step))
            case e.ApprovalRequested():
                assert event.seal == seal(self.run, event.ref)
                self._check_complete(event.ref)
            case e.StageApproved():
                self._check_approval(event)
            case e.StageSentBack():
                self._check_decider(event)
                assert event.findings
                assert event.seal == seal(self.run, event.ref)
            case e.StageReopened():
                assert self.plan.stage(event.ref.stage).is_continuous
                assert event.ref in self.ledger.passed
                assert event.reason
            case e.RequestWithdrawn():
                assert event.reason
            case e.ApprovalWithdrawn():
                self._check_decider(event)
                self._note_withdrawal(event)
            case e.PointReported():
                assert event.by == self.ledger.points[event.ref, event.point][1]
                assert self.ledger.points[event.ref, event.point][3] == "open"
            case e.PointClosed() | e.PointReturned() | e.PointChanged():
                self._check_decider(event)
                wanted = "open" if isinstance(event, e.PointChanged) else "reported"
                assert self.ledger.points[event.ref, event.point][3] == wanted
            case _:
                pass

    def _note_withdrawal(self, event: e.ApprovalWithdrawn) -> None:
        """Of the whole stage, or of one's own part while others decide."""
        instance, ledger = self.run.stages[event.ref], self.ledger
        if instance.request is None:
            ledger.passed.discard(event.ref)
            ledger._settle_points(event.ref, "lapsed", "proposed", "open", "reported")
            return
        hand, name = event.given_by or event.by, event.on_behalf_of or event.by
        own = [a for a in ledger.approvals[event.ref] if (a.request, a.by) == (instance.request.id, hand)]
        assert own
        if event.given_by:
            assert {hand, *(a.on_behalf_of for a in own)} & {name}
        ledger.withdrawn |= {(a.request, a.by, a.seal) for a in own}
        ledger._settle_points(event.ref, "lapsed", "proposed", of=hand)

    def _close_round_before(self, ref: StageRef) -> None:
        if ref.round > 1 and ref not in self.run.stages:
            before = replace(ref, round=ref.round - 1)
            self.ledger.closed[before] = self.run.stages[before]

    def _check_four_eyes(self, ref: StageRef, by: UserId) -> None:
        person = ACCOUNTS.person(by)
        assert person not in map(ACCOUNTS.person, self.ledger.workers.get(ref, []))
        assert person not in {ACCOUNTS.person(user) for at, user in self.ledger.recused if at == ref}

    def _check_decider(self, event: e.ByMandate) -> None:
        """Neither who decides, nor in whose name, had a hand in any of it; nor in what came from elsewhere."""
        ref, gate = event.ref, self.plan.stage(event.ref.stage).gate
        voices = [event.by, event.on_behalf_of] if event.on_behalf_of else [event.by]
        assert PEOPLE[voices[-1]] & set(gate.approvers)
        if event.on_behalf_of:
            assert (event.by, event.on_behalf_of, event.mandate) == (NORA, self.run.manager, AWAY.id)
            assert event.at < AWAY.ends_at
        for voice in voices:
            self._check_four_eyes(ref, voice)
        if isinstance(event, e.StageApproved):
            assert not {ACCOUNTS.person(voice) for voice in voices} & self._authors_in(self.run.stages[ref])

    def _authors_in(self, instance: StageInstance) -> set[str]:
        found: set[str] = set()
        for state in instance.steps.values():
            for mark in state.answers.values():
                found |= self.authors.get(mark.commitment, set()) if mark.is_filled else set()
            for item in state.evidence:
                found |= self.authors[item.id]
        return found

    def _check_approval(self, event: e.StageApproved) -> None:
        ref, gate = event.ref, self.plan.stage(event.ref.stage).gate
        self._check_decider(event)
        self._check_complete(ref)
        for new in event.conditions:
            assert new.owner in self.run.team
            assert new.due >= event.at.date()
        assert event.seal == seal(apply(self.run, event), ref)
        assert event.conditions or event.seal == seal(self.run, ref)
        out = {*self.ledger.workers[ref], *(user for at, user in self.ledger.recused if at == ref)}
        persons = {ACCOUNTS.person(user) for user in out}
        agree: set[str] = set()
        voters: dict[UserId, frozenset[str]] = {}
        for earlier in [*self.ledger.approvals.get(ref, []), event]:
            voices = {ACCOUNTS.person(voice) for voice in (earlier.by, earlier.on_behalf_of) if voice}
            is_standing = earlier.request == event.request
            is_standing = is_standing and (
                earlier is event or (not event.conditions and self._still_covers(ref, earlier))
            )
            if is_standing and not voices & (agree | persons):
                agree |= voices
                voters[earlier.by] = PEOPLE[earlier.on_behalf_of or earlier.by]
        assert event.is_final == is_enough(gate, voters)

    def _still_covers(self, ref: StageRef, earlier: e.StageApproved | Approval) -> bool:
        if (earlier.request, earlier.by, earlier.seal) in self.ledger.withdrawn:
            return False
        return self.ledger.seals[ref][earlier.seal] == self.ledger.content(ref)

    def _check_seal(self, event: e.Event) -> None:
        """The same seal means the same content, and the same content the same seal."""
        ref = getattr(event, "ref", None)
        if ref is None or ref not in self.run.stages:
            return
        known, content = self.ledger.seals.setdefault(ref, {}), self.ledger.content(ref)
        now = seal(self.run, ref)
        assert known.setdefault(now, content) == content
        assert [found for found, sealed in known.items() if sealed == content] == [now]

    def _follow_points_of_closed_rounds(self, ref: StageRef) -> None:
        """An open point of an earlier round is still seen to; nothing else of that round changes."""
        if ref in self.ledger.closed:
            now = self.run.stages[ref]
            self.ledger.closed[ref] = replace(self.ledger.closed[ref], points=now.points, contributors=now.contributors)

    def check(self) -> None:
        """After each command. What was refused changed nothing, not even deep inside: then the run still equals the
        one that was replayed before."""
        if self.replayed and self.run.revision == self.replayed.revision:
            assert self.run == self.replayed
            return
        self.replayed = replay(self.events)
        assert self.run == self.replayed
        assert self.run.revision == len(self.events)
        for ref, instance in self.run.stages.items():
            self._check_instance(ref, instance)
        for ref, closed in self.ledger.closed.items():
            assert self.run.stages[ref] == closed, "an earlier round stays as it was"
        self._check_nothing_lost()
        self._check_views()

    def _check_instance(self, ref: StageRef, instance: StageInstance) -> None:
        assert instance.ref == ref
        assert (instance.request is not None) == (instance.status is StageStatus.SUBMITTED)
        assert instance.passed == (ref in self.ledger.passed)
        assert instance.changed_since_approval == (ref in self.ledger.changed)
        assert (instance.status is StageStatus.SKIPPED) == (ref in self.ledger.skipped)
        assert instance.status is not StageStatus.APPROVED or instance.passed
        assert list(instance.contributors) == self.ledger.workers.get(ref, [])
        assert {(ref, by) for by in instance.recused} == {each for each in self.ledger.recused if each[0] == ref}
        if ref.round > 1:
            before = self.run.stages[replace(ref, round=ref.round - 1)]
            assert before.status in (StageStatus.APPROVED, StageStatus.SKIPPED)
        if instance.status is StageStatus.APPROVED and ref not in self.ledger.history:
            self._check_complete(ref)

    def _check_complete(self, ref: StageRef) -> None:
        """No open required step, nothing half done, and what else the gate names."""
        stage, instance = self.plan.stage(ref.stage), self.run.stages[ref]
        for step in stage.steps:
            state = instance.step(step.id)
            is_asked = step.is_required or "all_steps_completed" in stage.gate.complete
            if is_asked or self._has_content(ref, step.id):
                assert state.status is StepStatus.COMPLETED
            if state.status is StepStatus.COMPLETED:
                self._check_holds_what_it_asks(ref, step)
        if stage.checklist and ("checklist_answered" in stage.gate.complete or self._has_content(ref, CHECKLIST)):
            self._check_holds_what_it_asks(ref, stage.checklist)
        assert all(state.status is not StepStatus.REVISIT for state in instance.steps.values())

    def _has_content(self, ref: StageRef, step: str) -> bool:
        _, answers, evidence, _ = self.ledger.content(ref)
        return any(s == step for s, _, _ in answers) or any(s == step for s, _ in evidence)

    def _check_holds_what_it_asks(self, ref: StageRef, step: Step) -> None:
        state = self.run.stages[ref].step(step.id)
        for question in step.questions:
            mark = state.answers.get(question.id)
            if is_shown(step, state, question):
                assert not question.is_required or (mark and mark.is_filled), question.id
                assert not mark or not mark.is_filled or mark.counts, question.id
        for demand in step.evidence:
            there = [
                item
                for item in state.evidence
                if item.kind == demand.kind and self.ledger.evidence[ref, step.id, item.id]
                if demand.may_be_link or item.form is EvidenceForm.FILE
            ]
            assert len(there) >= demand.minimum

    def _check_nothing_lost(self) -> None:
        for (ref, step, question), commitment in self.ledger.answers.items():
            mark = self.run.stages[ref].step(step).answers[question]
            assert mark.is_filled == (commitment is not None)
            assert commitment in (None, mark.commitment)
        for (ref, step, id), counts in self.ledger.evidence.items():
            (item,) = [item for item in self.run.stages[ref].step(step).evidence if item.id == id]
            assert item.counts == counts
        for ref, approvals in self.ledger.approvals.items():
            kept = self.run.stages[ref].approvals
            assert [(a.by, a.seal, a.request, a.remark, a.at) for a in kept] == [
                (a.by, a.seal, a.request, a.remark, a.at) for a in approvals
            ]
        assert {
            (ref, p.id): (p.text, p.owner, p.due, p.state.value, p.report, p.returned)
            for ref, instance in self.run.stages.items()
            for p in instance.points
        } == self.ledger.points
        for ref in self.ledger.begun | self.ledger.skipped:
            assert ref in self.run.stages
        assert {(d.decision, d.domain) for d in self.run.decisions} == self.ledger.decisions
        assert {ref.domain for ref in self.run.stages} - {None} <= set(self.run.domains)

    def _check_views(self) -> None:
        """Pages ask these at any moment: they answer, and do not contradict what the engine allows."""
        places = standings(self.plan, self.run)
        assert [place.ref for place in places] == [*current_refs(self.plan, self.run)]
        for place in places:
            assert 0 <= place.progress.percent <= 100
            assert bool(place.waits_for) == (place.state is StageState.WAITING)
            may_start = place.state in (StageState.CAN_START, StageState.ADVISED)
            assert may_start == (place.ref not in self.run.stages and not place.waits_for)
            assert (place.can_start_round is not None) <= (place.ref in self.run.stages)
        advised = next_stages(self.plan, self.run)
        assert len(advised) <= NEXT_MAX
        assert len({each.ref for each in advised}) == len(advised)
        for each in advised:
            match each.kind:
                case NextKind.START | NextKind.START_EARLY:
                    assert not [*guards.cannot_start(self.plan, self.run, each.ref)]
                case NextKind.READY_FOR_APPROVAL:
                    self._check_complete(each.ref)
                case NextKind.WAIT_FOR_APPROVAL:
                    assert self.run.stages[each.ref].request
                case _:
                    assert self.run.stages[each.ref].status is StageStatus.OPEN
        total = run_progress(self.plan, self.run)
        assert 0 <= total.done <= total.total
        assert 0 <= total.percent <= 100
        for ground in ground_progress(self.plan, self.run):
            assert 0 <= ground.blind_spots <= ground.total
            assert set(ground.grades) <= set(Grade)
        for ref, instance in self.run.stages.items():
            stage: Stage = self.plan.stage(ref.stage)
            assert 0 <= stage_progress(stage, instance).percent <= 100
            for step in stage.all_steps():
                state = instance.step(step.id)
                progress = step_progress(step, state)
                assert 0 <= progress.done <= progress.total
                assert missing_in_step(step, state, ref) or progress.done == progress.total
            here = manifest(self.run, ref)
            assert differences(here, here) == []
