"""From the canonical document of a plan to its definition.

Nothing is checked: a document comes from a file that was, now or when a municipality pinned it. Rules that grow
stricter must not keep the plans of running work from being read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.engine.definition import (
    Across,
    Advice,
    ApprovalsOf,
    Changes,
    Column,
    Condition,
    Decision,
    DecisionRequired,
    Domain,
    EvidenceDemand,
    EvidenceKind,
    Extends,
    Gate,
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

Document = dict[str, Any]
"""JSON values under the keys of the format."""

T = TypeVar("T")
Reader = Callable[[Any], Any]

# Keys that the definition knows by another name; the others are the same.
_FIELDS = {
    "addition": "is_addition",
    "continuous": "is_continuous",
    "crossing": "is_crossing",
    "link": "may_be_link",
    "optional": "is_optional",
    "per_domain": "is_per_domain",
    "repeatable": "is_repeatable",
    "required": "is_required",
}


def _make(kind: Callable[..., T], part: Document, **readers: Reader) -> T:
    """A value of the definition; what the part leaves out has the default of the definition."""
    return kind(
        **{_FIELDS.get(key, key): readers[key](value) if key in readers else value for key, value in part.items()}
    )


def _each(reader: Callable[[Any], T]) -> Callable[[list[Any]], tuple[T, ...]]:
    return lambda values: tuple(map(reader, values))


def _text(value: str | Mapping[str, str]) -> Text:
    if isinstance(value, str):
        return Text(value)
    return Text(value["nl"], {language: text for language, text in sorted(value.items()) if language != "nl"})


def _item(part: Document) -> Item:
    return Item(_text(part["text"]), tuple(part.get("sources", ())), part.get("addition", False))


_items = _each(_item)


def _option(part: Document) -> Option:
    return Option(part["id"], _text(part["title"]))


def _column(part: Document) -> Column:
    return _make(Column, part, title=_text, type=QuestionType, options=_each(_option))


def _condition(part: Document) -> Condition:
    return _make(Condition, part, any_of=tuple)


def _question(part: Document) -> Question:
    return _make(
        Question,
        part,
        text=_text,
        type=QuestionType,
        help=_text,
        sources=tuple,
        options=_each(_option),
        columns=_each(_column),
        unit=_text,
        minimum=float,
        maximum=float,
        shown_when=_condition,
    )


def _evidence(part: Document) -> EvidenceDemand:
    return _make(EvidenceDemand, part, explanation=_text)


def _step(part: Document) -> Step:
    return _make(
        Step,
        part,
        title=_text,
        goal=_item,
        explanation=_items,
        examples=_items,
        pitfalls=_items,
        questions=_each(_question),
        evidence=_each(_evidence),
    )


def _statement(part: Document) -> Statement:
    return _make(Statement, part, text=_text, help=_text, sources=tuple)


def _alternative(part: Document) -> StageRequired | DecisionRequired:
    if "decision" in part:
        return DecisionRequired(part["decision"])
    return _make(StageRequired, part, round=Round, reached=Reached, across=Across)


def _requirement(part: Document) -> Requirement:
    return Requirement(tuple(map(_alternative, part.get("any_of", [part]))))


def _advice(part: Document) -> Advice:
    return _make(Advice, part, why=_item)


def _gate(part: Document) -> Gate:
    return _make(
        Gate,
        part,
        question=_item,
        approvers=tuple,
        of_which=_each(lambda each: _make(ApprovalsOf, each)),
        complete=tuple,
        explanation=_items,
    )


def _stage(part: Document) -> Stage:
    return _make(
        Stage,
        part,
        title=_text,
        goal=_item,
        why=_item,
        gives=_item,
        gate=_gate,
        steps=_each(_step),
        statements=_each(_statement),
        grounds=tuple,
        guiding_questions=_items,
        activities=_items,
        pitfalls=_items,
        tips=_items,
        roles=tuple,
        requires=_each(_requirement),
        advised_after=_each(_advice),
    )


def _decision(part: Document) -> Decision:
    return _make(Decision, part, title=_text, explanation=_item, requires=_each(_requirement), taken_by=tuple)


def _ground(part: Document) -> Ground:
    return _make(Ground, part, title=_text, covers=_each(_text), questions=_items)


def _titled(kind: Callable[..., T]) -> Callable[[Document], T]:
    return lambda part: _make(kind, part, title=_text, explanation=_text, task=_item, meaning=_item)


def _source(id: str, part: Document) -> Source:
    return Source(id, part["title"], part["publisher"], part.get("url"))


def _changes(part: Document) -> Changes:
    moved = [(each["before"], each["after"]) for each in part.get("renamed", ())]
    moved += [(each["before"], after) for each in part.get("split", ()) for after in each["after"]]
    moved += [(before, each["after"]) for each in part.get("merged", ()) for before in each["before"]]
    return Changes(
        since=part["since"],
        summary=_item(part["summary"]),
        moved=tuple(moved),
        cosmetic=frozenset(part.get("cosmetic", ())),
        reasons={each["part"]: _text(each["text"]) for each in part.get("reasons", ())},
    )


def _extends(part: Document) -> Extends:
    overlay = part["overlay"]
    return Extends(
        plan=part["plan"],
        version=part["version"],
        digest=part["digest"],
        title=_text(part["title"]),
        additions=_text(overlay["title"]),
        purpose=_text(overlay["purpose"]),
        by=overlay["by"],
        prefix=overlay["prefix"],
    )


def build(document: Document, digest: str) -> StepPlan:
    """Sources stand in the order of their ids, S2 before S10: a mapping has no order that a database would keep."""
    head = document["plan"]
    sources = document.get("sources", {})
    return StepPlan(
        id=head["id"],
        version=head["version"],
        title=_text(head["title"]),
        purpose=_item(head["purpose"]),
        digest=digest,
        stages=_each(_stage)(document["stages"]),
        grounds=_each(_ground)(document.get("grounds", ())),
        domains=_each(_titled(Domain))(document.get("domains", ())),
        evidence_kinds=_each(_titled(EvidenceKind))(document.get("evidence_kinds", ())),
        roles=_each(_titled(PlanRole))(document.get("roles", ())),
        decisions=_each(_decision)(document.get("decisions", ())),
        sources=tuple(_source(id, sources[id]) for id in sorted(sources, key=_natural)),
        terms=_each(_titled(Term))(document.get("terms", ())),
        changes=_changes(document["changes"]) if "changes" in document else None,
        extends=_extends(document["extends"]) if "extends" in document else None,
    )


def _natural(id: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorts the numbers in a text as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", id)
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
