"""The words for what differs between two versions of a plan: kinds, classes, properties, and values that are codes.

words = ChangeWords(comparison, language_of(request))
words.kind(change.kind), words.what(change.what), words.change_class(change.change_class)
for difference in change.differences:
    words.name(change, difference), words.sides(change, difference)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.engine.definition import Text
from app.engine.run_migration.compare import Change, ChangeClass, Comparison, Difference, PartKind, What
from app.web.change_values import PlanValues
from app.web.i18n import N_, Language, gettext_for

KINDS: Final[Mapping[PartKind, str]] = MappingProxyType(
    {
        PartKind.STAGE: N_("Stage"),
        PartKind.STEP: N_("Step"),
        PartKind.QUESTION: N_("Question"),
        PartKind.STATEMENT: N_("Statement"),
        PartKind.EVIDENCE: N_("Evidence asked for"),
        PartKind.GATE: N_("Approval"),
        PartKind.GROUND: N_("Ground"),
        PartKind.DECISION: N_("Decision"),
        PartKind.GUIDANCE: N_("Explanation"),
    }
)
WHATS: Final[Mapping[What, str]] = MappingProxyType(
    {
        What.ADDED: N_("New"),
        What.REMOVED: N_("Gone"),
        What.CHANGED: N_("Changed"),
        What.MOVED: N_("Moved"),
        What.SPLIT: N_("Split"),
        What.MERGED: N_("Merged"),
    }
)
CLASSES: Final[Mapping[ChangeClass, str]] = MappingProxyType(
    {
        ChangeClass.COSMETIC: N_("Cosmetic"),
        ChangeClass.SAFE: N_("Safe"),
        ChangeClass.ANSWER_AGAIN: N_("Answer again"),
        ChangeClass.APPROVE_AGAIN: N_("Approve again"),
    }
)
MEANINGS: Final[Mapping[ChangeClass, str]] = MappingProxyType(
    {
        ChangeClass.COSMETIC: N_("other words, same meaning"),
        ChangeClass.SAFE: N_("asks nothing of you"),
        ChangeClass.ANSWER_AGAIN: N_("look at an answer again, or answer something new"),
        ChangeClass.APPROVE_AGAIN: N_("decide about the stage again"),
    }
)
TONES: Final[Mapping[ChangeClass, str]] = MappingProxyType(
    {
        ChangeClass.COSMETIC: "inactive",
        ChangeClass.SAFE: "neutral",
        ChangeClass.ANSWER_AGAIN: "warning",
        ChangeClass.APPROVE_AGAIN: "danger",
    }
)
"""Of the badges in templates/components/content.html."""
NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text": N_("Text"),
        "type": N_("Kind of answer"),
        "required": N_("Required or not"),
        "options": N_("Choices"),
        "option": N_("Words of a choice"),
        "columns": N_("Columns"),
        "column": N_("Name of a column"),
        "unit": N_("Unit"),
        "minimum": N_("Lowest number"),
        "maximum": N_("Highest number"),
        "rows_min": N_("Fewest rows"),
        "shown_when": N_("When it is asked"),
        "ground": N_("Ground"),
        "help": N_("Help with the question"),
        "sources": N_("Where it comes from"),
        "title": N_("Title"),
        "goal": N_("Goal"),
        "why": N_("Why this matters"),
        "gives": N_("What it gives"),
        "grounds": N_("Grounds that count here"),
        "guiding_questions": N_("Guiding questions"),
        "activities": N_("Activities"),
        "pitfalls": N_("Pitfalls"),
        "tips": N_("Tips"),
        "roles": N_("Who takes part"),
        "requires": N_("What must be done first"),
        "advised_after": N_("Wiser after"),
        "is_repeatable": N_("Rounds"),
        "is_continuous": N_("After approval"),
        "optional": N_("Skipping"),
        "explanation": N_("Explanation"),
        "examples": N_("Examples"),
        "question": N_("Question to decide about"),
        "approvers": N_("Who decides"),
        "approvals": N_("How many people must agree"),
        "of_which": N_("How many of them with which role"),
        "complete": N_("What is ready before approval"),
        "link": N_("Link or note instead of a file"),
        "covers": N_("What it covers"),
        "questions": N_("Questions about this ground"),
        "crossing": N_("Several grounds at once"),
        "taken_by": N_("Who takes the decision"),
        "purpose": N_("Purpose"),
        "terms": N_("Words"),
        "evidence_kinds": N_("Kinds of evidence"),
        "domains": N_("Domains"),
    }
)
# Where the same property has another name.
_SPECIAL: Final[Mapping[tuple[PartKind, str], str]] = MappingProxyType(
    {
        (PartKind.EVIDENCE, "minimum"): N_("How many"),
        (PartKind.GUIDANCE, "roles"): N_("Roles"),
        (PartKind.GUIDANCE, "sources"): N_("Sources"),
    }
)
# Properties that are one text: where these are safe, only a translation differs, or what it stands with.
_TEXTS: Final = frozenset({"text", "option", "column", "title", "goal", "question"})


@dataclass(frozen=True, slots=True)
class Sides:
    """A property as it was and as it is. `is_of_plan`: words of the plan, so Dutch; otherwise ours, in the language
    of the visitor. Empty: it was not there, or is not any more. Both the same: only the source, the mark that it is an
    addition or a translation differs."""

    before: str
    after: str
    is_of_plan: bool


class ChangeWords:
    """`titles`: the language of what the plan calls its parts, where it has that language; else as our own words."""

    def __init__(self, comparison: Comparison, language: Language, *, titles: Language | None = None) -> None:
        self.comparison, self._titles = comparison, titles or language
        self._gettext = gettext_for(language).gettext
        self._old = PlanValues(comparison.old, language, titles=self._titles)
        self._new = PlanValues(comparison.new, language, titles=self._titles)

    def kind(self, change: Change) -> str:
        return self._gettext(KINDS[change.kind])

    def what(self, change: Change) -> str:
        """A part that only got another id has not moved for who reads it."""
        is_renamed = change.what is What.MOVED and not _is_elsewhere(self.comparison, change)
        return self._gettext(WHATS[What.CHANGED if is_renamed else change.what])

    def change_class(self, change_class: ChangeClass) -> str:
        return self._gettext(CLASSES[change_class])

    def meaning(self, change_class: ChangeClass) -> str:
        """What a class asks, to stand after its name and a colon."""
        return self._gettext(MEANINGS[change_class])

    def property(self, name: str) -> str:
        return self._gettext(NAMES[name])

    def name(self, change: Change, difference: Difference) -> str:
        name = self._gettext(_SPECIAL.get((change.kind, difference.name)) or NAMES[difference.name])
        if _is_translation(change, difference):
            return self._gettext(N_("%(name)s, in another language")) % {"name": name}
        return name

    def sides(self, change: Change, difference: Difference) -> Sides:
        if _is_translation(change, difference):
            return Sides(difference.before, difference.after, is_of_plan=False)
        before, is_of_plan = self._old.value(change.kind, _befores(change)[0], difference.name, difference.before)
        after, _ = self._new.value(change.kind, change.after, difference.name, difference.after)
        return Sides(before, after, is_of_plan)

    def described(self, change: Change) -> list[tuple[str, str, bool]]:
        """Of a new part: name and value of what somebody who never saw it wants to know, and whether the value is in
        the words of the plan."""
        if change.what is not What.ADDED:
            return []
        found = self._new.described(change.kind, change.after)
        return [(self._gettext(NAMES[name]), value, is_of_plan) for name, value, is_of_plan in found]

    def origin(self, change: Change) -> str:
        """A sentence about where a part was before, or of what it was made; empty where it stayed in its place."""
        befores = [path for path in _befores(change) if path]
        match change.what:
            case What.SPLIT:
                stage, _, step = befores[0].partition("/")
                pieces = ["/".join(piece) for piece in self.comparison.parts.steps[stage, step]]
                words = {"part": self._title(self._old, befores[0]), "parts": self._list(self._new, pieces)}
                return self._gettext(N_("“%(part)s” was split into %(parts)s.")) % words
            case What.MERGED:
                return self._gettext(N_("It was made of %(parts)s.")) % {"parts": self._list(self._old, befores)}
            case What.MOVED if _is_elsewhere(self.comparison, change):
                place = (change.before or "").rpartition("/")[0]
                return self._gettext(N_("It stood under “%(part)s” before.")) % {"part": self._title(self._old, place)}
            case _:
                return ""

    def place(self, change: Change) -> Text | None:
        """The step that a part stands under; None for steps, stages and what stands outside the stages."""
        if change.kind not in (PartKind.QUESTION, PartKind.STATEMENT, PartKind.EVIDENCE):
            return None
        values, path = (self._new, change.after) if change.after else (self._old, _befores(change)[0])
        step = path if change.kind is PartKind.EVIDENCE else (path or "").rpartition("/")[0]
        return values.title(step or "")

    def _list(self, values: PlanValues, paths: list[str]) -> str:
        *first, last = [f"“{self._title(values, path)}”" for path in paths]
        return f"{', '.join(first)} {self._gettext(N_('and'))} {last}" if first else last

    def _title(self, values: PlanValues, path: str) -> str:
        return values.title(path).in_language(self._titles)


def changes_by_stage(found: Comparison) -> Iterator[tuple[str, list[Change]]]:
    """The changes outside the stages, under an empty id, then those of each stage that has any: in the order of the
    newer version, then the stages that are gone. Within a stage the heaviest come first."""
    grouped: dict[str, list[Change]] = {"": []}
    for stage in (*found.new.stages, *found.old.stages):
        grouped.setdefault(stage.id, [])
    for change in found.changes:
        grouped[change.stage].append(change)
    for id, changes in grouped.items():
        if changes:
            yield id, sorted(changes, key=lambda change: -change.change_class)


def _befores(change: Change) -> list[str | None]:
    """The earlier paths; there are several where parts were merged."""
    return [*change.before.split(", ")] if change.before is not None else [None]


def _is_elsewhere(comparison: Comparison, change: Change) -> bool:
    """Whether what a part stands under is another part than before."""
    before, after = (change.before or "").split("/")[:-1], (change.after or "").split("/")[:-1]
    match before, after:
        case _ if before == after:
            return False
        case [stage], [now]:
            return comparison.parts.stages.get(stage) != now
        case [stage, step], [now, piece]:
            return comparison.parts.steps.get((stage, step)) != ((now, piece),)
        case _:
            return False


def _is_translation(change: Change, difference: Difference) -> bool:
    is_wording = difference.name in _TEXTS and change.kind is not PartKind.GUIDANCE
    return is_wording and difference.change_class is ChangeClass.SAFE
