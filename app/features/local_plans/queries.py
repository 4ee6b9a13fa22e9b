"""What the pages about plans of a municipality show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from app.catalogue.loader import PlanInvalid, Problem
from app.engine.definition import StepPlan, Text
from app.engine.run_migration.compare import Change, ChangeClass, Comparison, Difference, What, compare
from app.features.local_plans import service
from app.storage.local_plans import KeptPlan, local_plan, local_plans, source_of
from app.storage.people import names_of
from app.storage.plans import PinnedPlan, load_plan, national_plans
from app.web.change_words import ChangeWords, changes_by_stage
from app.web.i18n import Language


@dataclass(frozen=True, slots=True)
class Line:
    """`newer`: a version of the plan that is extended, on which these additions can be applied again."""

    kept: KeptPlan
    newer: PinnedPlan | None


@dataclass(frozen=True, slots=True)
class ListPage:
    lines: tuple[Line, ...]
    names: Mapping[str, str]
    national: tuple[PinnedPlan, ...]


def list_page(session: Session) -> ListPage:
    """Three queries, however many plans there are."""
    found, national = local_plans(session), national_plans(session)
    newest: dict[str, KeptPlan] = {}
    for kept in found:
        newest.setdefault(kept.plan_id, kept)
    lines = [
        Line(kept, service.newer_national(national, kept) if kept.is_overlay and kept is newest[kept.plan_id] else None)
        for kept in found
    ]
    return ListPage(tuple(lines), names_of(session, [id for kept in found for id in kept.people]), tuple(national))


# --- problems --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """`line_text` is the line of the file, so that one sees what is meant."""

    line: int
    column: int
    path: str
    advice: str
    line_text: str
    is_warning: bool


LINE_MAX = 200  # characters of a line of the file that are shown


def shown_problems(problems: Iterable[Problem], source: str, language: Language) -> tuple[ShownProblem, ...]:
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return tuple(
        ShownProblem(
            line=problem.line,
            column=problem.column,
            path=problem.path,
            advice=problem.advice(language),
            line_text=lines[problem.line - 1][:LINE_MAX] if problem.line <= len(lines) else "",
            is_warning=problem.is_warning,
        )
        for problem in problems
    )


# --- a draft of somebody else ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TheirDraft:
    kept: KeptPlan
    text: str
    by: str


def their_draft(session: Session, id: str) -> TheirDraft:
    kept = local_plan(session, id)
    return TheirDraft(kept, source_of(session, id), names_of(session, [kept.uploaded_by])[kept.uploaded_by])


# --- one plan --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """`added`: where all that was there still is, what came with it, and then `before` and `after` are empty."""

    name: str
    before: str
    after: str
    added: tuple[str, ...]
    is_of_plan: bool


@dataclass(frozen=True, slots=True)
class ShownChange:
    kind: str
    what: str
    is_added: bool
    title: Text
    place: Text | None
    differences: tuple[ShownDifference, ...]


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """`title` is None for what stands outside the stages."""

    title: Text | None
    changes: tuple[ShownChange, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """A plan, with what it adds to the one that it extends, if it does. By the paths of its parts: what was `added`,
    what `asks_more`, what the plan allowed to be loosened (`asks_less`), and what is `supplemented` with words only,
    such as help."""

    plan: StepPlan
    groups: tuple[ShownGroup, ...] = ()
    added: frozenset[str] = frozenset()
    asks_more: frozenset[str] = frozenset()
    asks_less: frozenset[str] = frozenset()
    supplemented: frozenset[str] = frozenset()


def composed(session: Session, plan: StepPlan, language: Language) -> Composed:
    if plan.extends is None:
        return Composed(plan)
    found = compare([load_plan(session, plan.extends.digest), plan])
    changed = [change for change in found.changes if change.after and change.what is What.CHANGED]
    asks_less = frozenset(change.after for change in changed if change.after and _asks_less(change))
    asks_more = frozenset(change.after for change in changed if change.after and _asks_more(change)) - asks_less
    return Composed(
        plan=plan,
        groups=tuple(_groups(found, language)),
        added=frozenset(_added(found)),
        asks_more=asks_more,
        asks_less=asks_less,
        supplemented=frozenset(change.after for change in changed if change.after) - asks_more - asks_less,
    )


ASKING = frozenset({"required", "optional", "requires", "approvals", "complete", "rows_min", "minimum", "link"})
"""Properties that decide what must be done."""


def _asks_more(change: Change) -> bool:
    return any(difference.name in ASKING for difference in change.differences)


def _asks_less(change: Change) -> bool:
    return any(_is_less(difference) for difference in change.differences)


def _is_less(difference: Difference) -> bool:
    before, after = difference.before, difference.after
    match difference.name:
        case "required":
            return after == "false"
        case "optional" | "link":
            return after == "true"
        case "approvals" | "rows_min":
            return int(after) < int(before)
        case "minimum":
            return float(after or 0) < float(before or 0)
        case "complete":
            return not set(before.split("\n")) <= set(after.split("\n"))
        case _:
            return difference.name == "text" and difference.change_class > ChangeClass.SAFE


def _added(found: Comparison) -> Iterable[str]:
    """With what is in an added part."""
    old, new = dict.fromkeys(_paths(found.old)), _paths(found.new)
    return (path for path in new if path not in old)


def _paths(plan: StepPlan) -> list[str]:
    found = []
    for stage in plan.stages:
        found.append(stage.id)
        for step in stage.all_steps():
            found.append(f"{stage.id}/{step.id}")
            found += [f"{stage.id}/{step.id}/{question.id}" for question in step.questions]
    return found


def _groups(found: Comparison, language: Language) -> Iterable[ShownGroup]:
    words = ChangeWords(found, language)
    for stage, changes in changes_by_stage(found):
        shown = [
            ShownChange(
                kind=words.kind(change),
                what=words.what(change),
                is_added=change.what is What.ADDED,
                title=change.title,
                place=words.place(change),
                differences=tuple(_difference(words, change, each) for each in change.differences),
            )
            for change in changes
        ]
        yield ShownGroup(found.new.stage(stage).title if stage else None, tuple(shown))


def _difference(words: ChangeWords, change: Change, difference: Difference) -> ShownDifference:
    name, sides = words.name(change, difference), words.sides(change, difference)
    before, after = sides.before.split("\n"), sides.after.split("\n")
    if len(after) > 1 and set(before) <= {*after, ""}:
        added = tuple(line for line in after if line not in before)
        return ShownDifference(name, "", "", added, sides.is_of_plan)
    return ShownDifference(name, sides.before, sides.after, (), sides.is_of_plan)


@dataclass(frozen=True, slots=True)
class PlanView:
    """`composed` is None for a draft that cannot be used any more; `problems` say why."""

    kept: KeptPlan
    composed: Composed | None
    problems: tuple[ShownProblem, ...]
    names: Mapping[str, str]
    newer: PinnedPlan | None


def plan_view(session: Session, id: str, language: Language) -> PlanView:
    """Raises LocalPlanNotFound."""
    kept = local_plan(session, id)
    found: Composed | None = None
    problems: tuple[ShownProblem, ...] = ()
    if kept.is_draft:
        source = source_of(session, id)
        try:
            loaded = service.check(session, source.encode())
        except PlanInvalid as invalid:
            problems = shown_problems(invalid.problems, source, language)
        else:
            found = composed(session, loaded.plan, language)
            problems = shown_problems(loaded.warnings, source, language)
    else:
        found = composed(session, load_plan(session, kept.digest), language)
    return PlanView(
        kept=kept,
        composed=found,
        problems=problems,
        names=names_of(session, kept.people),
        newer=service.newer_national(national_plans(session), kept) if kept.is_overlay else None,
    )
