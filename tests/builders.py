"""A small step plan that asks for everything a plan can ask, people, moments, and runs built by what people do.

    run = a_run().with_stage("verkennen.1").with_evidence("verkennen.1", "overzicht", by=BRAM).run

Every step of a builder goes through the engine, so only runs come out that the engine lets happen.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce

from app.engine import point_decisions, stage_decisions, transitions
from app.engine.answers import Raw, Value, mark, read
from app.engine.apply import apply
from app.engine.definition import (
    Across,
    Advice,
    ApprovalsOf,
    Column,
    Condition,
    Decision,
    DecisionRequired,
    Domain,
    EvidenceDemand,
    EvidenceKind,
    Gate,
    Grade,
    Ground,
    Item,
    Option,
    PlanRole,
    Question,
    QuestionType,
    Reached,
    Requirement,
    Round,
    Source,
    Stage,
    StageRequired,
    Statement,
    Step,
    StepPlan,
    Term,
    Text,
)
from app.engine.events import Event, RunStarted
from app.engine.people import ONE_ACCOUNT_EACH, Mandate, People
from app.engine.point_decisions import Judge
from app.engine.points import NewPoint
from app.engine.run import AnswerMark, EvidenceForm, Run, StageInstance, StageRef, StepState, TextId, UserId
from app.engine.seal import seal


def an_id(name: str) -> str:
    """The same id for the same name, in the form that the database keeps."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://stappenplan.example/{name}"))


ANNA = an_id("anna")
"""Policy officer, in the team."""
BRAM = an_id("bram")
"""Policy officer, in the team."""
CHRIS = an_id("chris")
"""Policy officer, not in the team."""
MARIAM = an_id("mariam")
"""The manager of the run."""
MAX = an_id("max")
"""Another manager."""
NORA = an_id("nora")
"""Policy officer, not in the team; the deputy of a manager where a test says so."""
OLGA = an_id("olga")
"""Auditor."""

OFFICER = frozenset({"policy_officer"})
MANAGER = frozenset({"manager"})
AUDITOR = frozenset({"auditor"})
ROLES: Mapping[UserId, frozenset[str]] = {
    ANNA: OFFICER,
    BRAM: OFFICER,
    CHRIS: OFFICER,
    NORA: OFFICER,
    MARIAM: MANAGER,
    MAX: MANAGER,
    OLGA: AUDITOR,
}

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + timedelta(days=n) for n in range(1, 5))


# --- the plan --------------------------------------------------------------------------------------------------


def text(nl: str) -> Text:
    return Text(nl)


def an_item(nl: str) -> Item:
    return Item(Text(nl), is_addition=True)


def a_question(
    id: str,
    type: QuestionType = QuestionType.SHORT_TEXT,
    *,
    is_required: bool = False,
    options: Iterable[str] = (),
    columns: tuple[Column, ...] = (),
    rows_min: int = 0,
    minimum: float | None = None,
    maximum: float | None = None,
    shown_when: Condition | None = None,
) -> Question:
    return Question(
        id=id,
        text=text(id.replace("-", " ").capitalize()),
        type=type,
        is_required=is_required,
        options=tuple(Option(option, text(option)) for option in options),
        columns=columns,
        rows_min=rows_min,
        minimum=minimum,
        maximum=maximum,
        shown_when=shown_when,
        is_addition=True,
    )


def a_step(id: str, *questions: Question, is_required: bool = True, evidence: tuple[EvidenceDemand, ...] = ()) -> Step:
    return Step(
        id=id,
        title=text(id.capitalize()),
        goal=an_item(f"Doel van {id}."),
        is_required=is_required,
        questions=questions,
        evidence=evidence,
    )


def a_stage(
    id: str,
    *steps: Step,
    gate: Gate | None = None,
    statements: tuple[Statement, ...] = (),
    requires: tuple[Requirement, ...] = (),
    advised_after: Iterable[str] = (),
    is_optional: bool = False,
    is_repeatable: bool = False,
    is_per_domain: bool = False,
    is_continuous: bool = False,
) -> Stage:
    return Stage(
        id=id,
        title=text(id.capitalize()),
        goal=an_item(f"Doel van {id}."),
        why=an_item(f"Waarom {id}."),
        gives=an_item(f"Wat {id} oplevert."),
        gate=gate or a_gate(),
        steps=steps,
        statements=statements,
        requires=requires,
        advised_after=tuple(Advice(stage, an_item(f"Eerst {stage} helpt.")) for stage in advised_after),
        is_optional=is_optional,
        is_repeatable=is_repeatable,
        is_per_domain=is_per_domain,
        is_continuous=is_continuous,
    )


def a_gate(
    *complete: str,
    approvals: int = 1,
    approvers: tuple[str, ...] = ("manager",),
    of_which: Mapping[str, int] | None = None,
    names_nothing: bool = False,
) -> Gate:
    """With the completeness rules that a plan has by default, unless others are named. `of_which`: how many approvals
    by role."""
    question = an_item("Kan dit zo?")
    by_role = tuple(ApprovalsOf(role, number) for role, number in (of_which or {}).items())
    if complete or names_nothing:
        return Gate(question, approvers, approvals, by_role, complete)
    return Gate(question, approvers, approvals, by_role)


def a_condition(
    id: str = "punt", *, text: str = "cijfers aanvullen", owner: str | None = None, due: date = date(2026, 12, 18)
) -> NewPoint:
    """That somebody of the team (Anna, if not said) sees to something before Christmas."""
    return NewPoint(id, text, owner or ANNA, due)


def a_statement(id: str, ground: str) -> Statement:
    return Statement(id, ground, text(f"We weten dit: {id}."), is_addition=True)


def after(stage: str, **how: Round | Reached | Across) -> Requirement:
    return Requirement((StageRequired(stage, **how),))  # type: ignore[arg-type]  # each name has its own enum


def a_plan(*stages: Stage, decisions: tuple[Decision, ...] = (), id: str = "proefplan") -> StepPlan:
    return StepPlan(
        id=id,
        version="1.0.0",
        title=text("Proefplan"),
        purpose=an_item("Laat zien wat een plan kan vragen."),
        digest=hashlib.sha256(id.encode()).hexdigest(),
        stages=stages,
        grounds=(
            Ground("leeftijd", text("Leeftijd")),
            Ground("inkomen", text("Inkomen")),
            Ground("samenloop", text("Samenloop"), is_crossing=True),
        ),
        domains=(Domain("wonen", text("Wonen")), Domain("werk", text("Werk")), Domain("jeugd", text("Jeugd"))),
        evidence_kinds=(
            EvidenceKind("verslag", text("Verslag")),
            EvidenceKind("besluit", text("Besluit")),
            EvidenceKind("foto", text("Foto")),
        ),
        roles=(PlanRole("trekker", text("Trekker"), an_item("Houdt het gaande.")),),
        decisions=decisions,
        sources=(Source("S1", "Voorbeeldbron", "Uitgever", None),),
        terms=(Term("inclusie", text("Inclusie"), an_item("Iedereen doet mee.")),),
    )


OVERVIEW = a_step(
    "overzicht",
    a_question("naam", is_required=True),
    a_question("toelichting", QuestionType.LONG_TEXT),
    a_question("is-er-visie", QuestionType.SINGLE_CHOICE, is_required=True, options=("ja", "nee", "deels")),
    a_question(
        "wie-kent-visie",
        QuestionType.MULTIPLE_CHOICE,
        is_required=True,
        options=("team", "raad", "inwoners"),
        shown_when=Condition("is-er-visie", ("ja", "deels")),
    ),
    a_question(
        "welke-inwoners",
        QuestionType.LONG_TEXT,
        is_required=True,
        shown_when=Condition("wie-kent-visie", ("inwoners",)),
    ),
    a_question("steun", QuestionType.ASSESSMENT, is_required=True),
    a_question("aantal", QuestionType.NUMBER, minimum=0, maximum=1_000_000),
    a_question("waarom-zoveel", QuestionType.LONG_TEXT, shown_when=Condition("aantal")),
    a_question("laatste-besluit", QuestionType.DATE),
    a_question(
        "inbreng",
        QuestionType.TABLE,
        rows_min=1,
        columns=(
            Column("wat", text("Wat"), QuestionType.LONG_TEXT, is_required=True),
            Column("op", text("Op"), QuestionType.DATE),
            Column("hoeveel", text("Hoeveel"), QuestionType.NUMBER),
            Column(
                "gevolg",
                text("Gevolg"),
                QuestionType.SINGLE_CHOICE,
                options=(Option("gebruikt", text("Gebruikt")), Option("niet", text("Niet gebruikt"))),
            ),
        ),
    ),
    evidence=(EvidenceDemand("verslag", minimum=1), EvidenceDemand("besluit", minimum=1, may_be_link=False)),
)
"""Asks a question of every type, one that shows only after another, and evidence of two kinds."""

VERKENNEN = a_stage(
    "verkennen",
    OVERVIEW,
    a_step("gesprekken", a_question("verslag", is_required=True), is_required=False),
    statements=(
        a_statement("jong-en-oud", "leeftijd"),
        a_statement("rondkomen", "inkomen"),
        a_statement("stapeling", "samenloop"),
    ),
    is_repeatable=True,
)
VISIE = a_stage(
    "visie",
    a_step("opschrijven", a_question("visie", QuestionType.LONG_TEXT, is_required=True)),
    a_step("toetsen"),
    gate=a_gate(approvals=2),
    requires=(after("verkennen"),),
)
DRAAGVLAK = a_stage(
    "draagvlak",
    a_step("agenderen", a_question("moment", QuestionType.DATE, is_required=True)),
    statements=(a_statement("iedereen-steunt", "leeftijd"),),
    requires=(after("verkennen"),),
    advised_after=("visie",),
    is_repeatable=True,
    is_continuous=True,
)
WERKGROEP = a_stage(
    "werkgroep",
    a_step("samenstellen", a_question("leden", QuestionType.LONG_TEXT, is_required=True)),
    advised_after=("verkennen",),
    is_optional=True,
)
BELEID = a_stage(
    "beleid",
    a_step("schrijven", a_question("tekst", QuestionType.LONG_TEXT, is_required=True)),
    a_step("voorleggen", a_question("reacties"), is_required=False),
    statements=(a_statement("niemand-vergeten", "inkomen"),),
    gate=a_gate("all_steps_completed", "checklist_answered"),
    requires=(after("verkennen", round=Round.LATEST), after("visie")),
    advised_after=("draagvlak", "werkgroep"),
    is_repeatable=True,
    is_per_domain=True,
)
UITVOEREN = a_stage(
    "uitvoeren",
    a_step("plannen", a_question("eigenaar", is_required=True)),
    requires=(Requirement((StageRequired("beleid"), DecisionRequired("bestaand-volstaat"))),),
    is_per_domain=True,
)
MONITOREN = a_stage(
    "monitoren",
    a_step("meten", a_question("bereik", QuestionType.NUMBER, is_required=True)),
    requires=(after("uitvoeren", reached=Reached.STARTED),),
    is_repeatable=True,
    is_continuous=True,
)
VERANTWOORDEN = a_stage(
    "verantwoorden",
    a_step("afleggen", a_question("aan-wie", is_required=True)),
    requires=(after("uitvoeren", across=Across.ALL), Requirement((DecisionRequired("raad-akkoord"),))),
)

PLAN = a_plan(
    VERKENNEN,
    VISIE,
    DRAAGVLAK,
    WERKGROEP,
    BELEID,
    UITVOEREN,
    MONITOREN,
    VERANTWOORDEN,
    decisions=(
        Decision(
            "bestaand-volstaat",
            text("Bestaand beleid volstaat"),
            an_item("Nieuw beleid is niet altijd nodig."),
            is_per_domain=True,
            requires=(after("verkennen"),),
        ),
        Decision("raad-akkoord", text("De raad is akkoord"), an_item("De raad stelt kaders."), is_per_domain=False),
    ),
)


# --- answers and evidence --------------------------------------------------------------------------------------

_ANSWERS: Mapping[QuestionType, Raw] = {
    QuestionType.SHORT_TEXT: "Kort antwoord",
    QuestionType.LONG_TEXT: "Een langer antwoord.\nMet twee regels.",
    QuestionType.ASSESSMENT: {"grade": "yes", "reason": ""},
    QuestionType.NUMBER: "12,5",
    QuestionType.DATE: "2026-11-20",
}


def an_answer(question: Question) -> Raw:
    """What somebody could type or choose so that the question is fully answered."""
    match question.type:
        case QuestionType.SINGLE_CHOICE:
            return question.options[0].id
        case QuestionType.MULTIPLE_CHOICE:
            return [option.id for option in question.options]
        case QuestionType.TABLE:
            return [_a_row(question)] * max(1, question.rows_min)
        case QuestionType.NUMBER if question.minimum is not None:
            return f"{question.minimum:.0f}"
        case _:
            return _ANSWERS[question.type]


def _a_row(question: Question) -> dict[str, str]:
    return {
        column.id: column.options[0].id if column.options else str(_ANSWERS[column.type]) for column in question.columns
    }


SALT = "00" * 16


def marks(step: Step, answers: Mapping[str, Raw], salt: str = SALT) -> dict[str, AnswerMark]:
    """What the engine keeps of typed answers. The fixed salt makes the same answer the same commitment."""
    return {id: mark(step.question(id), read(step.question(id), raw), salt) for id, raw in answers.items()}


def a_state(step: Step, /, **answers: Raw) -> StepState:
    """A step with answers, outside any run; `is_er_visie="ja"` answers question `is-er-visie`."""
    return StepState(answers=marks(step, {id.replace("_", "-"): raw for id, raw in answers.items()}))


def graded(grade: Grade | str, reason: str = "") -> Value:
    return {"grade": str(grade), "reason": reason}


# --- a run, by what people do ----------------------------------------------------------------------------------


def ref(text: str) -> StageRef:
    return StageRef.parse(text)


@dataclass(frozen=True)
class RunBuilder:
    """The events so far and the run that they make. Each `with_…` gives a new builder."""

    plan: StepPlan
    events: tuple[Event, ...]
    run: Run

    def then(self, events: Event | Iterable[Event]) -> RunBuilder:
        new = tuple(events) if isinstance(events, Iterable) else (events,)
        return RunBuilder(self.plan, (*self.events, *new), reduce(apply, new, self.run))

    def instance(self, at_ref: str) -> StageInstance:
        return self.run.stages[ref(at_ref)]

    def state(self, at_ref: str, step: str) -> StepState:
        return self.instance(at_ref).step(step)

    def seal(self, at_ref: str) -> str:
        """Of what stands in the stage now; empty for a stage that was never begun."""
        return seal(self.run, ref(at_ref)) if ref(at_ref) in self.run.stages else ""

    def with_stage(
        self,
        at_ref: str,
        *,
        early_reason: TextId | None = "vroeg begonnen",
        reason: TextId | None = "opnieuw nodig",
        by: UserId = ANNA,
        at: datetime = MONDAY,
    ) -> RunBuilder:
        event = transitions.start_stage(
            self.plan, self.run, ref(at_ref), early_reason=early_reason, reason=reason, by=by, at=at
        )
        return self.then(event)

    def with_stage_reopened(
        self, at_ref: str, *, reason: TextId | None = "er is iets nieuws", by: UserId = ANNA, at: datetime = MONDAY
    ) -> RunBuilder:
        return self.then(transitions.reopen_stage(self.plan, self.run, ref(at_ref), reason=reason, by=by, at=at))

    def _open_again(self, at_ref: str, *, by: UserId, at: datetime) -> RunBuilder:
        """Who goes on working in an approved continuous stage says why first."""
        if transitions.reopener_reasons(self.plan, self.run, ref(at_ref), by=by):
            return self
        return self.with_stage_reopened(at_ref, by=by, at=at)

    def with_skip(
        self, at_ref: str, *, reason: TextId | None = "niet nodig", by: UserId = ANNA, at: datetime = MONDAY
    ) -> RunBuilder:
        return self.then(transitions.skip_stage(self.plan, self.run, ref(at_ref), reason=reason, by=by, at=at))

    def with_skip_undone(self, at_ref: str, *, by: UserId = ANNA, at: datetime = MONDAY) -> RunBuilder:
        return self.then(transitions.undo_skip(self.plan, self.run, ref(at_ref), by=by, at=at))

    def with_answers(
        self,
        at_ref: str,
        step: str,
        answers: Mapping[str, Raw],
        *,
        based_on: int | None = None,
        by: UserId = ANNA,
        at: datetime = MONDAY,
    ) -> RunBuilder:
        """`based_on`: the revision that the form was filled in from; the present one if not said."""
        definition = self.plan.stage(ref(at_ref).stage).step(step)
        instance = self.run.instance(ref(at_ref))
        current = instance.step(step).revision if instance else 0
        built = self._open_again(at_ref, by=by, at=at)
        return built.then(
            transitions.save_step(
                built.plan,
                built.run,
                ref(at_ref),
                step,
                answers=marks(definition, answers),
                based_on=current if based_on is None else based_on,
                by=by,
                at=at,
            )
        )

    def with_evidence(
        self,
        at_ref: str,
        step: str,
        kind: str = "verslag",
        *,
        id: str | None = None,
        form: EvidenceForm = EvidenceForm.FILE,
        grounds: tuple[str, ...] = (),
        by: UserId = ANNA,
        at: datetime = MONDAY,
    ) -> RunBuilder:
        evidence = id or an_id(f"evidence {len(self.events)}")
        built = self._open_again(at_ref, by=by, at=at)
        return built.then(
            transitions.add_evidence(
                built.plan,
                built.run,
                ref(at_ref),
                step,
                evidence=evidence,
                kind=kind,
                form=form,
                commitment=hashlib.sha256(evidence.encode()).hexdigest(),
                grounds=grounds,
                by=by,
                at=at,
            )
        )

    def with_evidence_withdrawn(
        self,
        at_ref: str,
        step: str,
        evidence: str,
        *,
        reason: TextId | None = "verouderd",
        by: UserId = ANNA,
        at: datetime = MONDAY,
    ) -> RunBuilder:
        built = self._open_again(at_ref, by=by, at=at)
        return built.then(
            transitions.withdraw_evidence(
                built.plan, built.run, ref(at_ref), step, evidence=evidence, reason=reason, by=by, at=at
            )
        )

    def with_step_filled(self, at_ref: str, step: str, *, by: UserId = ANNA, at: datetime = MONDAY) -> RunBuilder:
        """Answers to everything that the step requires, and the evidence that it asks for; not completed."""
        definition = self.plan.stage(ref(at_ref).stage).step(step)
        answers = {q.id: an_answer(q) for q in definition.questions if q.is_required or q.shown_when is None}
        built = self.with_answers(at_ref, step, answers, by=by, at=at) if answers else self
        for demand in definition.evidence:
            for _ in range(demand.minimum):
                built = built.with_evidence(at_ref, step, demand.kind, by=by, at=at)
        return built

    def with_step_completed(self, at_ref: str, step: str, *, by: UserId = ANNA, at: datetime = MONDAY) -> RunBuilder:
        """As it is now: fill it first."""
        built = self._open_again(at_ref, by=by, at=at)
        return built.then(transitions.complete_step(built.plan, built.run, ref(at_ref), step, by=by, at=at))

    def with_step_done(self, at_ref: str, step: str, *, by: UserId = ANNA, at: datetime = MONDAY) -> RunBuilder:
        filled = self.with_step_filled(at_ref, step, by=by, at=at)
        return filled.with_step_completed(at_ref, step, by=by, at=at)

    def with_work_done(self, at_ref: str, *, by: UserId = ANNA, at: datetime = MONDAY) -> RunBuilder:
        """The stage started if it was not, every step done and the checklist answered: ready for approval."""
        stage = self.plan.stage(ref(at_ref).stage)
        built = self if ref(at_ref) in self.run.stages else self.with_stage(at_ref, by=by, at=at)
        for step in stage.steps:
            built = built.with_step_done(at_ref, step.id, by=by, at=at)
        return built.with_step_filled(at_ref, "checklist", by=by, at=at) if stage.checklist else built

    def with_request(
        self, at_ref: str, *, shown: str | None = None, by: UserId = ANNA, at: datetime = TUESDAY
    ) -> RunBuilder:
        """`shown`: the seal of what was on the page; the present one if not said."""
        return self.then(
            stage_decisions.request_approval(
                self.plan,
                self.run,
                ref(at_ref),
                request=an_id(f"request {len(self.events)}"),
                shown=shown or self.seal(at_ref),
                message=None,
                by=by,
                at=at,
            )
        )

    def with_request_withdrawn(
        self, at_ref: str, *, reason: TextId | None = "nog niet af", by: UserId = ANNA, at: datetime = TUESDAY
    ) -> RunBuilder:
        return self.then(
            stage_decisions.withdraw_request(self.plan, self.run, ref(at_ref), reason=reason, by=by, at=at)
        )

    def with_approval(
        self,
        at_ref: str,
        *,
        shown: str | None = None,
        conditions: Iterable[NewPoint] = (),
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        people: People = ONE_ACCOUNT_EACH,
        mandate: Mandate | None = None,
        at: datetime = WEDNESDAY,
    ) -> RunBuilder:
        return self.then(
            stage_decisions.approve_stage(
                self.plan,
                self.run,
                ref(at_ref),
                shown=shown or self.seal(at_ref),
                remark=None,
                conditions=tuple(conditions),
                by=by,
                roles=roles,
                people=people,
                mandate=mandate,
                at=at,
            )
        )

    def with_point_reported(
        self, at_ref: str, point: str, *, remark: TextId | None = "gedaan", by: UserId = ANNA, at: datetime = THURSDAY
    ) -> RunBuilder:
        return self.then(
            point_decisions.report_point(self.plan, self.run, ref(at_ref), point, remark=remark, by=by, at=at)
        )

    def with_point_closed(
        self,
        at_ref: str,
        point: str,
        *,
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        mandate: Mandate | None = None,
        people: People = ONE_ACCOUNT_EACH,
        at: datetime = FRIDAY,
    ) -> RunBuilder:
        return self.then(
            point_decisions.close_point(
                self.plan, self.run, ref(at_ref), point, judge=Judge(by, roles, people, at, mandate)
            )
        )

    def with_point_returned(
        self,
        at_ref: str,
        point: str,
        *,
        reason: TextId | None = "nog niet genoeg",
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        mandate: Mandate | None = None,
        people: People = ONE_ACCOUNT_EACH,
        at: datetime = FRIDAY,
    ) -> RunBuilder:
        return self.then(
            point_decisions.return_point(
                self.plan,
                self.run,
                ref(at_ref),
                point,
                reason=reason,
                judge=Judge(by, roles, people, at, mandate),
            )
        )

    def with_point_changed(
        self,
        at_ref: str,
        point: str,
        *,
        owner: UserId,
        due: date,
        reason: TextId | None = "meer tijd nodig",
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        mandate: Mandate | None = None,
        people: People = ONE_ACCOUNT_EACH,
        at: datetime = FRIDAY,
    ) -> RunBuilder:
        return self.then(
            point_decisions.change_point(
                self.plan,
                self.run,
                ref(at_ref),
                point,
                owner=owner,
                due=due,
                reason=reason,
                judge=Judge(by, roles, people, at, mandate),
            )
        )

    def with_stage_approved(self, at_ref: str, *, by: UserId = ANNA) -> RunBuilder:
        """All of it: worked on by `by`, approved by as many managers as the gate takes."""
        built = self.with_work_done(at_ref, by=by).with_request(at_ref, by=by)
        for manager in (MARIAM, MAX)[: self.plan.stage(ref(at_ref).stage).gate.approvals]:
            built = built.with_approval(at_ref, by=manager)
        return built

    def with_sent_back(
        self,
        at_ref: str,
        findings: Mapping[str, TextId],
        *,
        shown: str | None = None,
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        people: People = ONE_ACCOUNT_EACH,
        mandate: Mandate | None = None,
        at: datetime = WEDNESDAY,
    ) -> RunBuilder:
        return self.then(
            stage_decisions.send_back_stage(
                self.plan,
                self.run,
                ref(at_ref),
                shown=shown or self.seal(at_ref),
                findings=findings,
                by=by,
                roles=roles,
                people=people,
                mandate=mandate,
                at=at,
            )
        )

    def with_recusal(
        self,
        at_ref: str,
        *,
        reason: TextId | None = "mijn zus woont er",
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        people: People = ONE_ACCOUNT_EACH,
        mandates: Sequence[Mandate] = (),
        at: datetime = TUESDAY,
    ) -> RunBuilder:
        return self.then(
            stage_decisions.recuse(
                self.plan,
                self.run,
                ref(at_ref),
                reason=reason,
                by=by,
                roles=roles,
                people=people,
                mandates=mandates,
                at=at,
            )
        )

    def with_recusal_taken_back(
        self, at_ref: str, *, reason: TextId | None = "zij is verhuisd", by: UserId = MARIAM, at: datetime = TUESDAY
    ) -> RunBuilder:
        return self.then(
            stage_decisions.take_recusal_back(self.plan, self.run, ref(at_ref), reason=reason, by=by, at=at)
        )

    def with_approval_withdrawn(
        self,
        at_ref: str,
        *,
        reason: TextId | None = "toch niet goed",
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        people: People = ONE_ACCOUNT_EACH,
        mandate: Mandate | None = None,
        at: datetime = THURSDAY,
    ) -> RunBuilder:
        return self.then(
            stage_decisions.withdraw_approval(
                self.plan,
                self.run,
                ref(at_ref),
                reason=reason,
                by=by,
                roles=roles,
                people=people,
                mandate=mandate,
                at=at,
            )
        )

    def with_decision(
        self,
        decision: str,
        domain: str | None = None,
        *,
        reason: TextId | None = "goed genoeg",
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        people: People = ONE_ACCOUNT_EACH,
        at: datetime = TUESDAY,
    ) -> RunBuilder:
        return self.then(
            transitions.take_decision(
                self.plan, self.run, decision, domain, reason=reason, by=by, roles=roles, people=people, at=at
            )
        )

    def with_decision_withdrawn(
        self,
        decision: str,
        domain: str | None = None,
        *,
        reason: TextId | None = "bij nader inzien",
        by: UserId = MARIAM,
        roles: frozenset[str] = MANAGER,
        people: People = ONE_ACCOUNT_EACH,
        at: datetime = TUESDAY,
    ) -> RunBuilder:
        return self.then(
            transitions.withdraw_decision(
                self.plan, self.run, decision, domain, reason=reason, by=by, roles=roles, people=people, at=at
            )
        )

    def with_domains(self, *domains: str, by: UserId = ANNA, at: datetime = MONDAY) -> RunBuilder:
        return self.then(transitions.change_domains(self.plan, self.run, domains=domains, by=by, at=at))

    def with_team(self, *team: UserId, manager: UserId = MARIAM, by: UserId = ANNA) -> RunBuilder:
        return self.then(transitions.change_team(self.run, team=team, manager=manager, by=by, at=MONDAY))


def a_run(
    plan: StepPlan = PLAN,
    *,
    id: str = an_id("run"),
    domains: tuple[str, ...] = ("wonen", "werk"),
    team: tuple[UserId, ...] = (ANNA, BRAM),
    manager: UserId = MARIAM,
    by: UserId = ANNA,
    at: datetime = MONDAY,
) -> RunBuilder:
    started: RunStarted = transitions.start_run(
        plan,
        id,
        name=an_id("name"),
        purpose=an_id("purpose"),
        domains=domains,
        team=team,
        manager=manager,
        by=by,
        at=at,
    )
    return RunBuilder(plan, (started,), apply(None, started))
