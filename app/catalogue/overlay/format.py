"""The shape of additions to a released plan: what a municipality adds to it, and where it asks more.

Parts are written as in a plan (schema.py), with the place where they come. A key that would loosen something is part
of the format too, so that it can be refused in words.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, StringConstraints, Tag, WithJsonSchema

from app.catalogue.schema import (
    EXTENDS,
    FORMAT,
    ID_MAX,
    ITEMS_MAX,
    PREFIX,
    Domain,
    EvidenceDemand,
    EvidenceKind,
    GuardName,
    Id,
    Language,
    Line,
    Part,
    PartPath,
    Prose,
    Question,
    Requirements,
    Source,
    SourceId,
    Stage,
    Statement,
    Step,
    Term,
    Text,
    Title,
    Version,
)
from app.catalogue.shape import BRANCHES, Branches
from app.engine.answers import TABLE_ROWS_MAX

ADDED_MAX = 500  # items in one list; the composed plan has limits of its own

Extended = Annotated[str, StringConstraints(pattern=EXTENDS, max_length=2 * ID_MAX)]
Prefix = Annotated[str, StringConstraints(pattern=PREFIX)]


# --- what is added ---------------------------------------------------------------------------------------------


class AddedStage(Stage):
    after: Id | None = None
    """The stage that it comes after; without it, it comes last."""


class AddedStep(Step):
    stage: Id
    """The stage that it comes in."""
    after: Id | None = None
    """The step of that stage that it comes after; without it, it comes last."""


class AddedQuestion(Question):
    step: PartPath
    """The step that it comes in, as stage/step."""
    after: Id | None = None
    """The question of that step that it comes after; without it, it comes last."""


class AddedStatement(Statement):
    stage: Id
    """The stage whose checklist it comes in."""
    after: Id | None = None
    """The statement that it comes after; without it, it comes last."""


class AddedEvidence(EvidenceDemand):
    step: PartPath
    """The step that asks for it, as stage/step."""


class AddedHelp(Part):
    """Help with a question or statement that has none yet."""

    question: PartPath
    text: Text


class AddedTranslation(Part):
    """The words that a part is known by, in a language that it does not have yet: the title of a stage, step, ground
    or decision, the text of a question or statement."""

    part: PartPath
    language: Language
    text: Prose


class Added(Part):
    sources: dict[SourceId, Source] = Field(default={}, max_length=ITEMS_MAX)
    terms: list[Term] = Field(default=[], max_length=ITEMS_MAX)
    domains: list[Domain] = Field(default=[], max_length=ITEMS_MAX)
    evidence_kinds: list[EvidenceKind] = Field(default=[], max_length=ITEMS_MAX)
    stages: list[AddedStage] = Field(default=[], max_length=ADDED_MAX)
    steps: list[AddedStep] = Field(default=[], max_length=ADDED_MAX)
    questions: list[AddedQuestion] = Field(default=[], max_length=ADDED_MAX)
    statements: list[AddedStatement] = Field(default=[], max_length=ADDED_MAX)
    evidence: list[AddedEvidence] = Field(default=[], max_length=ADDED_MAX)
    help: list[AddedHelp] = Field(default=[], max_length=ADDED_MAX)
    translations: list[AddedTranslation] = Field(default=[], max_length=ADDED_MAX)


# --- what is asked differently ---------------------------------------------------------------------------------


class SetStep(Part):
    other_keys = ("stage", "question", "gate", "evidence", "decision", "remove", "reword")

    step: PartPath
    """As stage/step."""
    required: bool | None = None


class SetStage(Part):
    stage: Id
    optional: bool | None = None
    requires: Requirements = []
    """What must have been reached as well before this stage can begin."""


class SetDecision(Part):
    decision: Id
    requires: Requirements = []
    """What must have been reached as well before this decision can be taken."""


class SetQuestion(Part):
    question: PartPath
    """As stage/step/question."""
    required: bool | None = None
    rows_min: int | None = Field(default=None, ge=0, le=TABLE_ROWS_MAX)
    """For a table."""


class SetGate(Part):
    gate: Id
    """The stage whose gate it is."""
    approvals: int | None = Field(default=None, ge=1, le=10)
    complete: list[GuardName] = []
    """What must be done as well before the gate."""
    without: list[GuardName] = []
    """What need not be done any more: that loosens."""


class SetEvidence(Part):
    evidence: PartPath
    """The step that asks for it, as stage/step."""
    kind: Id
    minimum: int | None = Field(default=None, ge=1, le=50)
    link: bool | None = None


class Remove(Part):
    """Loosens. A step, question, statement or ground."""

    remove: PartPath


class Reword(Part):
    """Loosens: what was answered or decided before was about other words. A question or statement."""

    reword: PartPath
    text: Text


_BY_KEY: Final[dict[str, type[Part]]] = {
    "remove": Remove,
    "reword": Reword,
    "gate": SetGate,
    "evidence": SetEvidence,
    "question": SetQuestion,
    "decision": SetDecision,
    "stage": SetStage,
    "step": SetStep,
}
OVERLAY_BRANCHES: Final[Branches] = {**BRANCHES, **{f"<{model.__name__}>": model for model in _BY_KEY.values()}}


def _kind_of_setting(value: object) -> str | None:
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if not isinstance(value, dict):
        return None
    return f"<{next((model for key, model in _BY_KEY.items() if key in value), SetStep).__name__}>"


Setting = Annotated[
    Annotated[SetStep, Tag("<SetStep>")]
    | Annotated[SetStage, Tag("<SetStage>")]
    | Annotated[SetDecision, Tag("<SetDecision>")]
    | Annotated[SetQuestion, Tag("<SetQuestion>")]
    | Annotated[SetGate, Tag("<SetGate>")]
    | Annotated[SetEvidence, Tag("<SetEvidence>")]
    | Annotated[Remove, Tag("<Remove>")]
    | Annotated[Reword, Tag("<Reword>")],
    Discriminator(_kind_of_setting, custom_error_type="not_mapping", custom_error_message="not a mapping"),
]
AnySetting = SetStep | SetStage | SetDecision | SetQuestion | SetGate | SetEvidence | Remove | Reword


# --- the file --------------------------------------------------------------------------------------------------


class OverlayHead(Part):
    id: Id
    """With the id of the plan that is extended before it, the id of the plan that comes out."""
    version: Version
    """Of these additions, and so of the plan that comes out."""
    title: Title
    purpose: Text
    by: Line
    """Whose additions these are; stands in the title: "…, met aanvullingen van Zonnedijk"."""
    prefix: Prefix
    """Every id that is added begins with it and a hyphen, so that no later version of the plan can use the same."""


class OverlayFile(Part):
    """Additions to a released plan (aanvullingen)."""

    format: Annotated[int, WithJsonSchema({"const": FORMAT})]
    overlay: OverlayHead
    extends: Extended
    """The released version that these are additions to, such as inclusief-beleid@1.0.0."""
    add: Added = Added()
    tighten: list[Setting] = Field(default=[], max_length=ADDED_MAX)
    """Where more is asked than the plan does."""
    loosen: list[Setting] = Field(default=[], max_length=ADDED_MAX)
    """Where less is asked; only what the plan names under allow_overlays.loosen."""

    @property
    def extended(self) -> tuple[str, str]:
        """Plan id and version."""
        plan_id, _, version = self.extends.partition("@")
        return plan_id, version


def overlay_document(overlay: OverlayFile) -> dict[str, Any]:
    """JSON values under the keys of the format, without what is equal to a default."""
    document: dict[str, Any] = overlay.model_dump(mode="json", exclude_defaults=True)
    return document


def is_overlay(root: object) -> bool:
    """Whether a file means to be this, and not a plan."""
    return isinstance(root, dict) and "plan" not in root and ("extends" in root or "overlay" in root)
