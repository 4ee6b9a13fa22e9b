"""What a step plan asks of a team: frozen values, as authored in YAML and checked by the catalogue.

Nothing here knows about runs, users, files or the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

CHECKLIST = "checklist"
"""Step id under which the statements of a stage are answered; authors cannot use it for their own steps."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the plan: Dutch always, other languages (ISO 639-1 code to text) if the author gave them."""

    nl: str
    translations: Mapping[str, str] = field(default_factory=dict)

    def language_for(self, wanted: str) -> str:
        return wanted if wanted in self.translations else "nl"

    def in_language(self, wanted: str) -> str:
        return self.translations.get(wanted, self.nl)


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of guidance with its origin: `sources` names keys of `StepPlan.sources`; `is_addition` says that
    the wording or the substance is ours. Both together: ours, inspired by those sources."""

    text: Text
    sources: tuple[str, ...] = ()
    is_addition: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    id: str
    title: str
    publisher: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Term:
    id: str
    title: Text
    meaning: Item


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground of inclusion. `is_crossing` marks the cross-question about several grounds at once (samenloop)."""

    id: str
    title: Text
    covers: tuple[Text, ...] = ()
    questions: tuple[Item, ...] = ()
    is_crossing: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    id: str
    title: Text
    explanation: Text | None = None


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    id: str
    title: Text
    explanation: Text | None = None


@dataclass(frozen=True, slots=True)
class PlanRole:
    """A part someone plays in the municipality (trekker, wethouder …); not an access role of the application."""

    id: str
    title: Text
    task: Item


class QuestionType(StrEnum):
    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"
    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    ASSESSMENT = "assessment"
    NUMBER = "number"
    DATE = "date"
    TABLE = "table"


class Grade(StrEnum):
    """The answer scale of an assessment; `UNKNOWN` is a full answer, `NOT_APPLICABLE` needs a reason."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    title: Text


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table question; `type` is one of short_text, long_text, date, number, single_choice."""

    id: str
    title: Text
    type: QuestionType
    is_required: bool = False
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Shows a question only when an earlier question of the same step has one of `any_of` as its answer
    (option ids or grades), or, with `any_of` empty, when that question has any answer."""

    question: str
    any_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    text: Text
    type: QuestionType
    is_required: bool = False
    help: Text | None = None
    sources: tuple[str, ...] = ()
    is_addition: bool = False
    options: tuple[Option, ...] = ()
    columns: tuple[Column, ...] = ()
    rows_min: int = 0
    unit: Text | None = None
    minimum: float | None = None
    maximum: float | None = None
    shown_when: Condition | None = None
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceDemand:
    """Evidence that a step asks for: at least `minimum` items of `kind`; a link or note counts if `may_be_link`."""

    kind: str
    minimum: int = 1
    may_be_link: bool = True
    explanation: Text | None = None


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    title: Text
    goal: Item
    is_required: bool = True
    explanation: tuple[Item, ...] = ()
    examples: tuple[Item, ...] = ()
    pitfalls: tuple[Item, ...] = ()
    questions: tuple[Question, ...] = ()
    evidence: tuple[EvidenceDemand, ...] = ()

    def question(self, id: str) -> Question:
        """Raises KeyError for an id that the step does not have."""
        for question in self.questions:
            if question.id == id:
                return question
        raise KeyError(id)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the inclusivity checklist, worded so that "yes" is the wanted answer."""

    id: str
    ground: str
    text: Text
    help: Text | None = None
    sources: tuple[str, ...] = ()
    is_addition: bool = False


class Round(StrEnum):
    FIRST = "first"
    LATEST = "latest"


class Reached(StrEnum):
    STARTED = "started"
    APPROVED = "approved"


class Across(StrEnum):
    """Which instances of a required per-domain stage count, seen from a stage without domains."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class StageRequired:
    """Another stage must have got somewhere. Between two per-domain stages the same domain is meant;
    otherwise `across` says whether one domain is enough. A skipped optional stage counts as approved."""

    stage: str
    round: Round = Round.FIRST
    reached: Reached = Reached.APPROVED
    across: Across = Across.ANY


@dataclass(frozen=True, slots=True)
class DecisionRequired:
    """A recorded decision; for a per-domain decision and stage, the one of the same domain."""

    decision: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """Met when at least one alternative is."""

    alternatives: tuple[StageRequired | DecisionRequired, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Wise to have finished `stage` first; starting earlier is allowed and recorded with a reason."""

    stage: str
    why: Item


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision outside the stages that opens another road, such as "bestaand beleid volstaat"."""

    id: str
    title: Text
    explanation: Item
    is_per_domain: bool
    requires: tuple[Requirement, ...] = ()
    taken_by: tuple[str, ...] = ("manager",)


@dataclass(frozen=True, slots=True)
class ApprovalsOf:
    """At least so many of the approvals that a gate takes come from people with this role."""

    role: str
    approvals: int = 1


@dataclass(frozen=True, slots=True)
class Gate:
    """Where people with one of the access roles `approvers` decide; `approvals` is how many of them it takes, of which
    some of certain roles. `complete` names guards of `guards.GATE_GUARDS`."""

    question: Item
    approvers: tuple[str, ...] = ("manager",)
    approvals: int = 1
    of_which: tuple[ApprovalsOf, ...] = ()
    complete: tuple[str, ...] = ("required_steps_completed", "checklist_answered")
    explanation: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Stage:
    id: str
    title: Text
    goal: Item
    why: Item
    gives: Item
    gate: Gate
    steps: tuple[Step, ...]
    statements: tuple[Statement, ...] = ()
    grounds: tuple[str, ...] = ()
    guiding_questions: tuple[Item, ...] = ()
    activities: tuple[Item, ...] = ()
    pitfalls: tuple[Item, ...] = ()
    tips: tuple[Item, ...] = ()
    roles: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    advised_after: tuple[Advice, ...] = ()
    is_optional: bool = False
    is_repeatable: bool = False
    is_per_domain: bool = False
    is_continuous: bool = False

    @cached_property
    def checklist(self) -> Step | None:
        """The statements as a step of assessments, so that saving, sealing and progress treat them alike."""
        if not self.statements:
            return None
        return Step(
            id=CHECKLIST,
            title=Text("Inclusiviteitschecklist", {"en": "Inclusivity checklist"}),
            goal=Item(Text("Nagaan voor wie dit werkt en wat we nog niet weten."), is_addition=True),
            questions=tuple(
                Question(
                    id=statement.id,
                    text=statement.text,
                    type=QuestionType.ASSESSMENT,
                    is_required=True,
                    help=statement.help,
                    sources=statement.sources,
                    is_addition=statement.is_addition,
                    ground=statement.ground,
                )
                for statement in self.statements
            ),
        )

    @cached_property
    def steps_by_id(self) -> Mapping[str, Step]:
        steps = {step.id: step for step in self.steps}
        if self.checklist:
            steps[CHECKLIST] = self.checklist
        return MappingProxyType(steps)

    @cached_property
    def required_parts(self) -> int:
        """What progress counts: required steps, and the checklist where there is one."""
        return sum(step.is_required for step in self.all_steps())

    def step(self, id: str) -> Step:
        """Also knows `CHECKLIST` where the stage has statements. Raises KeyError for an unknown id."""
        return self.steps_by_id[id]

    def all_steps(self) -> Iterator[Step]:
        """The authored steps, then the checklist."""
        yield from self.steps_by_id.values()


@dataclass(frozen=True, slots=True)
class Changes:
    """What this version did to the earlier version `since`, where comparing the two cannot tell.

    Parts are named by their path: `stage`, `stage/step`, `stage/step/question` (a statement as `stage/checklist/id`),
    `decisions.id`, `grounds.id`. `moved` holds each pair of an old and a new place of the same part: one old part with
    several new ones was split, several old ones with one new part were merged. `cosmetic` names parts of this version
    whose words changed and whose meaning did not. `reasons` says of a part of this version, or of the earlier one where
    it is gone, why.
    """

    since: str
    summary: Item
    moved: tuple[tuple[str, str], ...] = ()
    cosmetic: frozenset[str] = frozenset()
    reasons: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extends:
    """That a plan is another one with additions: which version, by name and digest, and what the additions are. Every
    id that was added begins with `prefix` and a hyphen. `by`: whose additions, as in the title."""

    plan: str
    version: str
    digest: str
    title: Text
    additions: Text
    purpose: Text
    by: str
    prefix: str


@dataclass(frozen=True)
class StepPlan:
    """One version of a plan. `digest` is the SHA-256 (hex) of its canonical form, set by the catalogue.

    Where it extends another version, `changes` are those of that one."""

    id: str
    version: str
    title: Text
    purpose: Item
    digest: str
    stages: tuple[Stage, ...]
    grounds: tuple[Ground, ...] = ()
    domains: tuple[Domain, ...] = ()
    evidence_kinds: tuple[EvidenceKind, ...] = ()
    roles: tuple[PlanRole, ...] = ()
    decisions: tuple[Decision, ...] = ()
    sources: tuple[Source, ...] = ()
    terms: tuple[Term, ...] = ()
    changes: Changes | None = None
    extends: Extends | None = None

    @property
    def base(self) -> tuple[str, str]:
        """Id and version of the plan whose parts these are: of the plan that it extends, or its own. What a version
        says that it changed is about versions by this name."""
        return (self.extends.plan, self.extends.version) if self.extends else (self.id, self.version)

    @cached_property
    def stages_by_id(self) -> Mapping[str, Stage]:
        return MappingProxyType({stage.id: stage for stage in self.stages})

    @cached_property
    def decisions_by_id(self) -> Mapping[str, Decision]:
        return MappingProxyType({decision.id: decision for decision in self.decisions})

    @cached_property
    def sources_by_id(self) -> Mapping[str, Source]:
        return MappingProxyType({source.id: source for source in self.sources})

    @cached_property
    def grounds_by_id(self) -> Mapping[str, Ground]:
        return MappingProxyType({ground.id: ground for ground in self.grounds})

    @cached_property
    def domains_by_id(self) -> Mapping[str, Domain]:
        return MappingProxyType({domain.id: domain for domain in self.domains})

    @cached_property
    def evidence_kinds_by_id(self) -> Mapping[str, EvidenceKind]:
        return MappingProxyType({kind.id: kind for kind in self.evidence_kinds})

    def has_place(self, stage: str, domain: str | None) -> bool:
        """What was said of a stage stays when the run moves to a version without it, or without the domain."""
        return stage in self.stages_by_id and (domain is None or domain in self.domains_by_id)

    def stage(self, id: str) -> Stage:
        """Raises KeyError for an id that the plan does not have."""
        return self.stages_by_id[id]
