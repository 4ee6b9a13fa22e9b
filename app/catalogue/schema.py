"""The shape of a step plan in YAML: which keys there are, what type each has, how long it may be.

The keys are the format; app/engine/definition.py is what they mean, build.py makes the one of the other. Whether names
refer to something, and what can't be said key by key, is the matter of rules/. A default here is that of the definition
(a test compares them) and never changes within a format: plans that municipalities pinned leave it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.catalogue import yaml_tree
from app.engine.answers import NUMBER_ABS_MAX, TABLE_ROWS_MAX
from app.engine.definition import Across, QuestionType, Reached, Round
from app.engine.guards import GATE_GUARDS

FORMAT = 1

ID_MAX = 60  # characters; ids stand in addresses and in the names of form fields
TITLE_MAX = 200  # characters
TEXT_MAX = 4000  # characters; the longest in the released plan has 277
URL_MAX = 2000  # characters
STAGES_MAX = DECISIONS_MAX = 100
STEPS_MAX = yaml_tree.ITEMS_MAX  # in one stage
QUESTIONS_MAX = 100  # in one step; a form has at most 2,000 fields
ITEMS_MAX = 200  # in any other list

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SOURCE_ID = r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"
LANGUAGE = r"^[a-z]{2}$"  # ISO 639-1
# stage, stage/step, stage/step/question; decisions.id and grounds.id for what stands outside the stages.
PART = r"^((decisions|grounds)\.[a-z0-9]+(-[a-z0-9]+)*|[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*){0,2})$"
PART_MAX = 3 * (ID_MAX + 1)  # characters
ONE_LINE = r"^[^\r\n]*$"
URL = r"^https?://[^\s/?#@\\]+([/?#][^\s\\]*)?$"  # no user name or password: those do not belong in a plan
# Semantic Versioning 2.0.0 without build metadata, which would give two files of equal precedence.
VERSION = (
    r"^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})"
    r"(-(0|[1-9][0-9]{0,8}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]{0,8}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?$"
)

# What additions of a municipality extend: `inclusief-beleid@1.0.0`.
EXTENDS = rf"{SLUG[:-1]}@{VERSION[1:]}"
PREFIX = r"^[a-z][a-z0-9]{0,11}$"  # one word, so that no id of another prefix can begin with it

# Access roles that the application lets approve and decide; app/policy.py is the source, a test compares them.
APPROVING_ROLES = ("manager", "adviser")
DECIDING_ROLES = ("manager",)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    other_keys: ClassVar[tuple[str, ...]] = ()
    """Of what a mapping is taken for when nothing says which kind it is: keys that tell the other kinds."""


# --- texts, ids, numbers ---------------------------------------------------------------------------------------

Id = Annotated[str, StringConstraints(pattern=SLUG, max_length=ID_MAX)]
SourceId = Annotated[str, StringConstraints(pattern=SOURCE_ID, max_length=ID_MAX)]
Version = Annotated[str, StringConstraints(pattern=VERSION, max_length=ID_MAX)]
PartPath = Annotated[str, StringConstraints(pattern=PART, max_length=PART_MAX)]
Url = Annotated[str, StringConstraints(pattern=URL, max_length=URL_MAX)]
Language = Annotated[str, StringConstraints(pattern=LANGUAGE)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_MAX, pattern=ONE_LINE)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_MAX)]


def _kind_of_text(value: object) -> str | None:
    if isinstance(value, str):
        return "<text>"
    return "<languages>" if isinstance(value, dict) else None


def _with_dutch(texts: dict[str, str]) -> dict[str, str]:
    if "nl" not in texts:
        raise PydanticCustomError("no_dutch", "no Dutch text")
    return texts


def _shortest(text: str | dict[str, str]) -> str | dict[str, str]:
    """A text in Dutch only has one form, however it was written."""
    return text["nl"] if isinstance(text, dict) and len(text) == 1 else text


_DUTCH_REQUIRED = Field(json_schema_extra={"required": ["nl"], "additionalProperties": False})
_TEXT_OR_LANGUAGES = Discriminator(_kind_of_text, custom_error_type="not_text", custom_error_message="not a text")

Title = Annotated[
    Annotated[Line, Tag("<text>")]
    | Annotated[dict[Language, Line], AfterValidator(_with_dutch), _DUTCH_REQUIRED, Tag("<languages>")],
    _TEXT_OR_LANGUAGES,
    AfterValidator(_shortest),
]
Text = Annotated[
    Annotated[Prose, Tag("<text>")]
    | Annotated[dict[Language, Prose], AfterValidator(_with_dutch), _DUTCH_REQUIRED, Tag("<languages>")],
    _TEXT_OR_LANGUAGES,
    AfterValidator(_shortest),
]


def _one_of(names: Iterable[str]) -> tuple[AfterValidator, WithJsonSchema]:
    """For names that are data elsewhere, so that no type can list them."""
    known = list(names)

    def check(name: str) -> str:
        if name not in known:
            raise PydanticCustomError("unknown_choice", "unknown name", {"known": known})
        return name

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": known})


Approver = Annotated[str, *_one_of(APPROVING_ROLES)]
Decider = Annotated[str, *_one_of(DECIDING_ROLES)]
GuardName = Annotated[str, *_one_of(GATE_GUARDS)]


def _shortest_number(value: float) -> int | float:
    """1000 and 1000.0 are one number; a database may give either back for the other."""
    return int(value) if float(value).is_integer() else value


Number = Annotated[
    float,
    Field(ge=-float(NUMBER_ABS_MAX), le=float(NUMBER_ABS_MAX), allow_inf_nan=False),
    PlainSerializer(_shortest_number),
]


# --- parts -----------------------------------------------------------------------------------------------------


class WithOrigin(Part):
    sources: list[SourceId] = Field(default=[], max_length=ITEMS_MAX)
    """Where the substance comes from: keys of `sources` of the plan."""
    addition: bool = False
    """The wording or the substance is our own. Together with sources: ours, inspired by them."""


class Item(WithOrigin):
    text: Text


Items = Annotated[list[Item], Field(max_length=ITEMS_MAX)]


class Source(Part):
    title: Line
    publisher: Line
    url: Url | None = None


class Term(Part):
    id: Id
    title: Title
    meaning: Item


class Ground(Part):
    id: Id
    title: Title
    covers: list[Title] = Field(default=[], max_length=ITEMS_MAX)
    """What falls under this ground, in a few words each."""
    questions: Items = []
    crossing: bool = False
    """The cross-question about several grounds at once (samenloop)."""


class Domain(Part):
    id: Id
    title: Title
    explanation: Text | None = None


class EvidenceKind(Part):
    id: Id
    title: Title
    explanation: Text | None = None


class PlanRole(Part):
    """A part someone plays in the municipality, such as trekker; not an access role of the application."""

    id: Id
    title: Title
    task: Item


class Option(Part):
    id: Id
    title: Title


Options = Annotated[list[Option], Field(max_length=ITEMS_MAX)]


class Column(Part):
    id: Id
    title: Title
    type: Literal["short_text", "long_text", "date", "number", "single_choice"]
    required: bool = False
    options: Options = []
    """For a single_choice."""


class Condition(Part):
    question: Id
    """An earlier question of the same step."""
    any_of: list[Annotated[str, StringConstraints(max_length=ID_MAX)]] = Field(
        default=[], min_length=1, max_length=ITEMS_MAX
    )
    """Ids of options, or for an assessment yes, partly, no, not_applicable, unknown. Left out: any answer."""


class Question(WithOrigin):
    id: Id
    text: Text
    type: Annotated[QuestionType, Field(strict=False)]
    required: bool = False
    help: Text | None = None
    options: Options = []
    """For a single_choice or multiple_choice."""
    columns: list[Column] = Field(default=[], max_length=20)
    """For a table."""
    rows_min: int = Field(default=0, ge=0, le=TABLE_ROWS_MAX)
    """For a table: how many rows make the answer complete."""
    unit: Title | None = None
    """For a number, such as euro or dagen."""
    minimum: Number | None = None
    """For a number."""
    maximum: Number | None = None
    """For a number."""
    shown_when: Condition | None = None
    """Shown only when an earlier question of this step has one of these answers."""


class EvidenceDemand(Part):
    kind: Id
    """Key of `evidence_kinds`."""
    minimum: int = Field(default=1, ge=1, le=50)
    link: bool = True
    """A link or a note counts too, not only a file."""
    explanation: Text | None = None


class Step(Part):
    id: Id
    title: Title
    required: bool = True
    goal: Item
    explanation: Items = []
    examples: Items = []
    pitfalls: Items = []
    questions: list[Question] = Field(default=[], max_length=QUESTIONS_MAX)
    evidence: list[EvidenceDemand] = Field(default=[], max_length=ITEMS_MAX)


class Statement(WithOrigin):
    """A statement of the checklist, worded so that "ja" is the wanted answer."""

    id: Id
    ground: Id
    text: Text
    help: Text | None = None


class StageRequired(Part):
    other_keys = ("decision", "any_of")

    stage: Id
    round: Annotated[Round, Field(strict=False)] = Round.FIRST
    reached: Annotated[Reached, Field(strict=False)] = Reached.APPROVED
    across: Annotated[Across, Field(strict=False)] = Across.ANY
    """For a stage per domain, required where there are no domains: is one domain enough, or does it take all?"""


class DecisionRequired(Part):
    decision: Id


def _kind_of_requirement(value: object) -> str | None:
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if not isinstance(value, dict):
        return None
    if "any_of" in value:
        return "<AnyOf>"
    return "<DecisionRequired>" if "decision" in value else "<StageRequired>"


_BY_KEY = Discriminator(_kind_of_requirement, custom_error_type="not_mapping", custom_error_message="not a mapping")
Alternative = Annotated[
    Annotated[StageRequired, Tag("<StageRequired>")] | Annotated[DecisionRequired, Tag("<DecisionRequired>")],
    _BY_KEY,
]


class AnyOf(Part):
    any_of: list[Alternative] = Field(min_length=1, max_length=20)
    """Met when at least one of these is."""


def _without_choice(
    requirement: StageRequired | DecisionRequired | AnyOf,
) -> StageRequired | DecisionRequired | AnyOf:
    """One alternative is no choice, and has one form."""
    if isinstance(requirement, AnyOf) and len(requirement.any_of) == 1:
        return requirement.any_of[0]
    return requirement


Requirement = Annotated[
    Annotated[StageRequired, Tag("<StageRequired>")]
    | Annotated[DecisionRequired, Tag("<DecisionRequired>")]
    | Annotated[AnyOf, Tag("<AnyOf>")],
    _BY_KEY,
    AfterValidator(_without_choice),
]
Requirements = Annotated[list[Requirement], Field(max_length=20)]


class Advice(Part):
    stage: Id
    why: Item


class Decision(Part):
    """A decision outside the stages that opens another road, such as "bestaand beleid volstaat"."""

    id: Id
    title: Title
    explanation: Item
    per_domain: bool
    taken_by: list[Decider] = Field(default=["manager"], min_length=1)
    requires: Requirements = []


class ApprovalsOf(Part):
    role: Approver
    approvals: int = Field(default=1, ge=1, le=10)
    """How many people with this role."""


class Gate(Part):
    question: Item
    approvers: list[Approver] = Field(default=["manager"], min_length=1)
    """Who may approve: each of these roles."""
    approvals: int = Field(default=1, ge=1, le=10)
    """How many people must approve. One person counts once, whatever roles they have."""
    of_which: list[ApprovalsOf] = Field(default=[], max_length=10)
    """How many of them, at least, with a certain role."""
    complete: list[GuardName] = ["required_steps_completed", "checklist_answered"]
    """What must be done before the gate; a required step always must."""
    explanation: Items = []


class Stage(Part):
    id: Id
    title: Title
    optional: bool = False
    """May be skipped, with a reason."""
    repeatable: bool = False
    """May have further rounds."""
    per_domain: bool = False
    """Done once for each policy domain of a run."""
    continuous: bool = False
    """Stays open after approval."""
    goal: Item
    why: Item
    gives: Item
    roles: list[Id] = Field(default=[], max_length=ITEMS_MAX)
    grounds: list[Id] = Field(default=[], max_length=ITEMS_MAX)
    """The grounds that count here."""
    requires: Requirements = []
    """What must have been reached before this stage can begin: each of these."""
    advised_after: list[Advice] = Field(default=[], max_length=20)
    """Stages that are better finished first; starting earlier is allowed and takes a reason."""
    guiding_questions: Items = []
    activities: Items = []
    pitfalls: Items = []
    tips: Items = []
    steps: list[Step] = Field(min_length=1, max_length=STEPS_MAX)
    statements: list[Statement] = Field(default=[], max_length=ITEMS_MAX)
    """The checklist of this stage."""
    gate: Gate


class Renamed(Part):
    """A part that got another id or another place; what was given there goes along."""

    before: PartPath
    """In the earlier version."""
    after: PartPath
    """In this version."""


class Split(Part):
    """A step whose questions now stand in several steps."""

    before: PartPath
    after: list[PartPath] = Field(min_length=2, max_length=20)


class Merged(Part):
    """Steps or questions that became one. Of several answers the first goes along, the others stay readable."""

    before: list[PartPath] = Field(min_length=2, max_length=20)
    after: PartPath


class ReasonOfChange(Part):
    part: PartPath
    """In this version, or in the earlier one where it is gone."""
    text: Text


class ChangesSince(Part):
    """What this version did to an earlier one, where comparing the two cannot tell. Parts are named by their path:
    stage, stage/step, stage/step/question, stage/checklist/statement, decisions.id, grounds.id."""

    since: Version
    summary: Item
    """For the people whose work moves: what is different, and what that asks of them."""
    renamed: list[Renamed] = Field(default=[], max_length=ITEMS_MAX)
    split: list[Split] = Field(default=[], max_length=ITEMS_MAX)
    merged: list[Merged] = Field(default=[], max_length=ITEMS_MAX)
    cosmetic: list[PartPath] = Field(default=[], max_length=yaml_tree.ITEMS_MAX)
    """Parts of this version whose words changed and whose meaning did not."""
    reasons: list[ReasonOfChange] = Field(default=[], max_length=ITEMS_MAX)


class AllowOverlays(Part):
    """What a municipality may do in its own additions to this plan, beside adding and requiring more."""

    loosen: list[PartPath] = Field(default=[], max_length=yaml_tree.ITEMS_MAX)
    """Parts that it may require less of, reword or remove. A stage stands for its gate and whether it may be skipped,
    a step for whether it is required and its evidence; the parts in them are named by themselves."""


class PlanHead(Part):
    id: Id
    """Also the name of the folder of the file."""
    version: Version
    """Also the name of the file."""
    title: Title
    purpose: Item


class PlanFile(Part):
    """A step plan (stappenplan): a file `<plan id>/<version>.yaml`."""

    format: Annotated[int, WithJsonSchema({"const": FORMAT})]
    plan: PlanHead
    changes: ChangesSince | None = None
    """Since the earlier version that this one takes the place of."""
    allow_overlays: AllowOverlays | None = None
    """Without it, additions of a municipality may loosen nothing."""
    sources: dict[SourceId, Source] = Field(default={}, max_length=ITEMS_MAX)
    terms: list[Term] = Field(default=[], max_length=ITEMS_MAX)
    grounds: list[Ground] = Field(default=[], max_length=ITEMS_MAX)
    domains: list[Domain] = Field(default=[], max_length=ITEMS_MAX)
    evidence_kinds: list[EvidenceKind] = Field(default=[], max_length=ITEMS_MAX)
    roles: list[PlanRole] = Field(default=[], max_length=ITEMS_MAX)
    decisions: list[Decision] = Field(default=[], max_length=DECISIONS_MAX)
    stages: list[Stage] = Field(min_length=1, max_length=STAGES_MAX)


def document_of(plan: PlanFile) -> dict[str, Any]:
    """The canonical document: JSON values, without what is equal to a default."""
    document: dict[str, Any] = plan.model_dump(mode="json", exclude_defaults=True)
    return document
