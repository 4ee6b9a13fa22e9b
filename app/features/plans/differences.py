"""What is different between two versions of a plan, for people: summary first, then stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from app.catalogue.versions import precedence
from app.engine.definition import Item, StepPlan, Text
from app.engine.run_migration.compare import Change, ChangeClass, Comparison, Difference, PartKind, What
from app.storage.plan_routes import comparison
from app.storage.plans import PinnedPlan, load_plan, pinned_plans
from app.web.change_words import TONES, ChangeWords, changes_by_stage
from app.web.i18n import Language
from app.web.word_diff import Piece, differing_lines, word_diff


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A property as it was and as it is. `unchanged_lines` were left out of the pieces. `is_same_text`: the difference
    is in what stands with the words, such as their source."""

    name: str
    pieces: tuple[Piece, ...]
    was_there: bool
    is_there: bool
    is_of_plan: bool
    is_same_text: bool
    unchanged_lines: int


@dataclass(frozen=True, slots=True)
class Described:
    name: str
    value: str
    is_of_plan: bool


@dataclass(frozen=True, slots=True)
class ShownChange:
    """`place` is the step it stands under; `origin` a sentence about where it was; `described` what is new of it.
    `is_light`: it asks nothing, and is not a whole stage."""

    kind: str
    what: str
    title: Text
    place: Text | None
    origin: str
    is_only_another_id: bool
    is_light: bool
    class_name: str
    tone: str
    described: tuple[Described, ...]
    differences: tuple[ShownDifference, ...]
    reason: Text | None


@dataclass(frozen=True, slots=True)
class StageChanges:
    """`id` is empty for what stands outside the stages. `first` asks something of people, or is about the whole stage;
    `others` asks nothing."""

    id: str
    title: Text | None
    first: tuple[ShownChange, ...]
    others: tuple[ShownChange, ...]


@dataclass(frozen=True, slots=True)
class ClassCount:
    name: str
    meaning: str
    tone: str
    count: int


@dataclass(frozen=True, slots=True)
class Differences:
    """`summaries` are those of each version on the way, by version, oldest first; `counts` the heaviest class first."""

    old: PinnedPlan
    new: PinnedPlan
    summaries: tuple[tuple[str, Item], ...]
    counts: tuple[ClassCount, ...]
    stages: tuple[StageChanges, ...]
    unchanged: tuple[Text, ...]
    asks_nothing: bool


@dataclass(frozen=True, slots=True)
class DifferencesPage:
    """`versions` are all of the plan, newest first; `other` the one to compare with, None while it must be chosen."""

    pinned: PinnedPlan
    plan: StepPlan
    versions: tuple[PinnedPlan, ...]
    other: PinnedPlan | None
    differences: Differences | None


def differences_page(
    session: Session, plan_id: str, version: str, other: str | None, language: Language
) -> DifferencesPage | None:
    """None for a version that the database does not know. Without `other`: what `version` changed since the one
    before, or what it adds to the plan that it extends. The older of the two is always the beginning."""
    known = pinned_plans(session)
    versions = {plan.version: plan for plan in known if plan.plan_id == plan_id}
    pinned = versions.get(version)
    if pinned is None or (other is not None and other not in versions):
        return None
    plan = load_plan(session, pinned.digest)
    extended = next((each for each in known if plan.extends and each.digest == plan.extends.digest), None)
    second = versions[other] if other is not None else extended or _earlier(plan, versions)
    found = None
    if second is not None and second != pinned:
        is_extended = second.plan_id != pinned.plan_id
        pair = (second, pinned)
        old, new = pair if is_extended else sorted(pair, key=lambda each: precedence(each.version))
        found = _differences(comparison(session, old.digest, new.digest), old, new, language)
    return DifferencesPage(
        pinned=pinned,
        plan=plan,
        versions=tuple(versions.values()),
        other=None if second == pinned else second,
        differences=found,
    )


def _earlier(plan: StepPlan, versions: dict[str, PinnedPlan]) -> PinnedPlan | None:
    """What a version says that it changed, or else the one below it."""
    if plan.changes is not None and plan.changes.since in versions:
        return versions[plan.changes.since]
    below = [each for each in versions.values() if precedence(each.version) < precedence(plan.version)]
    return max(below, key=lambda each: precedence(each.version), default=None)


def _differences(found: Comparison, old: PinnedPlan, new: PinnedPlan, language: Language) -> Differences:
    words = ChangeWords(found, language)
    counted = found.counted()
    stages = tuple(_by_stage(found, words))
    touched = {stage.id for stage in stages}
    return Differences(
        old=old,
        new=new,
        summaries=tuple(_summaries(found)),
        counts=tuple(
            ClassCount(words.change_class(each), words.meaning(each), TONES[each], counted[each])
            for each in sorted(ChangeClass, reverse=True)
            if counted[each]
        ),
        stages=stages,
        unchanged=tuple(stage.title for stage in found.new.stages if stage.id not in touched),
        asks_nothing=all(change.change_class < ChangeClass.ANSWER_AGAIN for change in found.changes),
    )


def _summaries(found: Comparison) -> Iterator[tuple[str, Item]]:
    for before, plan in zip(found.plans, found.plans[1:], strict=False):
        if plan.changes is not None and plan.changes.since == before.version:
            yield plan.version, plan.changes.summary


def _by_stage(found: Comparison, words: ChangeWords) -> Iterator[StageChanges]:
    for id, changes in changes_by_stage(found):
        plan = found.new if id in found.new.stages_by_id else found.old
        shown = [_shown(change, words) for change in changes]
        yield StageChanges(
            id=id,
            title=plan.stage(id).title if id else None,
            first=tuple(each for each in shown if not each.is_light),
            others=tuple(each for each in shown if each.is_light),
        )


def _shown(change: Change, words: ChangeWords) -> ShownChange:
    origin = words.origin(change)
    is_stage = change.kind is PartKind.STAGE and change.what in (What.ADDED, What.REMOVED)
    return ShownChange(
        kind=words.kind(change),
        what=words.what(change),
        title=change.title,
        place=words.place(change),
        origin=origin,
        is_only_another_id=change.what is What.MOVED and not origin and not change.differences,
        is_light=change.change_class < ChangeClass.ANSWER_AGAIN and not is_stage,
        class_name=words.change_class(change.change_class),
        tone=TONES[change.change_class],
        described=tuple(Described(*each) for each in words.described(change)),
        differences=tuple(_shown_difference(change, each, words) for each in change.differences),
        reason=change.reason,
    )


def _shown_difference(change: Change, difference: Difference, words: ChangeWords) -> ShownDifference:
    sides = words.sides(change, difference)
    before, after, unchanged = differing_lines(sides.before, sides.after)
    return ShownDifference(
        name=words.name(change, difference),
        pieces=word_diff(before, after),
        was_there=bool(before),
        is_there=bool(after),
        is_of_plan=sides.is_of_plan,
        is_same_text=sides.before == sides.after,
        unchanged_lines=unchanged,
    )
