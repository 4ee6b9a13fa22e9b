"""What a plan declares about its changes, laid beside the earlier version that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from app.catalogue.problems import Finding, Path
from app.catalogue.rules.changes import Near, kind_of
from app.engine.definition import CHECKLIST, Decision, Ground, Question, QuestionType, Stage, Step, StepPlan
from app.engine.run_migration.compare import compare
from app.engine.run_migration.part_map import PartMap, map_parts

EarlierFinder = Callable[[str], StepPlan | None]
"""The plan with this version in the same folder, None where that cannot be told.  Raises KeyError when there is none,
problems.PlanInvalid when it cannot be used."""

PAIRS_MAX = 500  # of a part that is gone and one that is new, compared in all; each takes up to a millisecond
COMPARED_MAX = 200  # characters of each
SIMILAR = 0.75  # of difflib; wordings of one question score higher, two questions of one step seldom do

_COMPARED = frozenset({"stage", "step", "question", "statement"})

AnyPart = Stage | Step | Question | Decision | Ground
Changes = Mapping[str, Any]
"""The block `changes` of a canonical document."""


def check(changes: Changes, plan: StepPlan, earlier: StepPlan) -> Iterator[Finding]:
    """What is wrong. Also for a plan with other problems, as long as it has the right shape."""
    old, new = _parts(earlier), _parts(plan)
    near_old, near_any = Near(old), Near({**new, **old})
    for before, afters, path in _moves(changes):
        if before not in old:
            params: dict[str, str | int] = {"value": before, "since": earlier.version}
            yield Finding("part_unknown_before", path, params, wrong=before, known=near_old(before))
            continue
        for after in afters:
            if after in new and kind_of(before) == kind_of(after):
                yield from _fits(before, after, path, old, new)
    for number, reason in enumerate(changes.get("reasons", ())):
        part = reason["part"]
        if part not in old and part not in new:
            params = {"value": part, "since": earlier.version}
            yield Finding("part_unknown_anywhere", _reason(number), params, wrong=part, known=near_any(part))
    sources = _sources(map_parts(earlier, plan), old, new)
    for number, part in enumerate(changes.get("cosmetic", ())):
        if part in new:
            yield from _cosmetic(part, number, old, new, sources, earlier.version)


def advise(changes: Changes, plan: StepPlan, earlier: StepPlan) -> Iterator[Finding]:
    """What says nothing, and what was perhaps forgotten: warnings. For a plan without problems."""
    parts = map_parts(earlier, plan)
    since: Mapping[str, str | int] = {"since": earlier.version}
    for number, entry in enumerate(changes.get("renamed", ())):
        if _goes_there_anyway(entry["before"], entry["after"], parts):
            yield Finding("renamed_without_effect", ("changes", "renamed", number))
    old, new = _parts(earlier), _parts(plan)
    sources = _sources(parts, old, new)
    for number, part in enumerate(changes.get("cosmetic", ())):
        if any(_words(old[source]) == _words(new[part]) for source in sources[part]):
            yield Finding("cosmetic_without_effect", ("changes", "cosmetic", number), since)
    changed = {path for change in compare([earlier, plan]).changes for path in (change.before, change.after)}
    for number, reason in enumerate(changes.get("reasons", ())):
        if reason["part"] not in changed:
            yield Finding("reason_without_effect", _reason(number), since)
    yield from _undeclared(plan, old, new, parts)


def _parts(plan: StepPlan) -> dict[str, AnyPart]:
    """By path; of parts with one path the first, as a file that repeats an id is refused for that."""
    found: dict[str, AnyPart] = {}
    for stage in plan.stages:
        found.setdefault(stage.id, stage)
        for step in stage.all_steps():
            found.setdefault(f"{stage.id}/{step.id}", step)
            for question in step.questions:
                found.setdefault(f"{stage.id}/{step.id}/{question.id}", question)
    for decision in plan.decisions:
        found.setdefault(f"decisions.{decision.id}", decision)
    for ground in plan.grounds:
        found.setdefault(f"grounds.{ground.id}", ground)
    return found


def _moves(changes: Changes) -> Iterator[tuple[str, list[str], Path]]:
    """Each old place with the new ones, and where in the file the old one is named."""
    for number, entry in enumerate(changes.get("renamed", ())):
        yield entry["before"], [entry["after"]], ("changes", "renamed", number, "before")
    for number, entry in enumerate(changes.get("split", ())):
        yield entry["before"], entry["after"], ("changes", "split", number, "before")
    for number, entry in enumerate(changes.get("merged", ())):
        for place, before in enumerate(entry["before"]):
            yield before, [entry["after"]], ("changes", "merged", number, "before", place)


def _reason(number: int) -> Path:
    return "changes", "reasons", number, "part"


def _fits(
    before: str, after: str, path: Path, old: Mapping[str, AnyPart], new: Mapping[str, AnyPart]
) -> Iterator[Finding]:
    """Whether what was given under the one can stand under the other; what cannot is not carried along."""
    if _is_per_domain(before, old) != _is_per_domain(after, new):
        yield Finding("part_domains_differ", path, {"value": before, "after": after})
    a, b = old[before], new[after]
    if isinstance(a, Question) and isinstance(b, Question) and not _type_fits(a.type, b.type):
        yield Finding("part_type_differs", path, {"value": before, "before": a.type.value, "after": b.type.value})


def _is_per_domain(path: str, parts: Mapping[str, AnyPart]) -> bool:
    part = parts[path.split("/", maxsplit=1)[0]]
    return isinstance(part, Stage | Decision) and part.is_per_domain


def _type_fits(before: QuestionType, after: QuestionType) -> bool:
    return before is after or (before, after) == (QuestionType.SHORT_TEXT, QuestionType.LONG_TEXT)


# --- only words ------------------------------------------------------------------------------------------------


def _sources(parts: PartMap, old: Mapping[str, AnyPart], new: Mapping[str, AnyPart]) -> dict[str, list[str]]:
    """From the path of a part in the newer version to those in the older one; grounds keep their id."""
    found = {path: [path] for path in new if kind_of(path) == "ground" and path in old}
    for stage, became in parts.stages.items():
        found.setdefault(became, []).append(stage)
    for step, pieces in parts.steps.items():
        for piece in pieces:
            found.setdefault("/".join(piece), []).append("/".join(step))
    for question, target in parts.questions.items():
        found.setdefault("/".join(target), []).append("/".join(question))
    for decision, became in parts.decisions.items():
        found.setdefault(f"decisions.{became}", []).append(f"decisions.{decision}")
    return found


def _cosmetic(
    part: str,
    number: int,
    old: Mapping[str, AnyPart],
    new: Mapping[str, AnyPart],
    sources: Mapping[str, list[str]],
    since: str,
) -> Iterator[Finding]:
    path = ("changes", "cosmetic", number)
    befores, after = [old[source] for source in sources.get(part, [])], new[part]
    if not befores or (len(befores) > 1 and isinstance(after, Question)):
        yield Finding("cosmetic_not_same", path, {"since": since})
        return
    # Of merged steps the one that is closest: if one of them asked the same, only words changed.
    other = min((_differing(_meaning(before), _meaning(after)) for before in befores), key=len)
    if other:
        yield Finding("cosmetic_meaning", path, {"value": ", ".join(other), "since": since})


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [name for name, value in after.items() if before.get(name) != value]


def _words(part: AnyPart) -> object:
    """The words that people answered to or decided on, in Dutch."""
    match part:
        case Question():
            columns = [(c.title.nl, [option.title.nl for option in c.options]) for c in part.columns]
            return part.text.nl, [option.title.nl for option in part.options], columns
        case Stage():
            return part.title.nl, part.goal.text.nl, part.gate.question.text.nl
        case Step():
            return part.title.nl, part.goal.text.nl
        case Ground() | Decision():
            return part.title.nl


def _meaning(part: AnyPart) -> Mapping[str, object]:
    """What is no matter of words, under the keys of the format. What a step asks as evidence is no part of it here: a
    change of that is told by itself, whatever the words of the step do."""
    match part:
        case Question():
            return {
                "type": part.type,
                "required": part.is_required,
                "options": [option.id for option in part.options],
                "columns": [(c.id, c.type, c.is_required, [option.id for option in c.options]) for c in part.columns],
                "unit": part.unit.nl if part.unit else None,
                "minimum": part.minimum,
                "maximum": part.maximum,
                "rows_min": part.rows_min,
                "shown_when": part.shown_when,
                "ground": part.ground,
            }
        case Stage():
            gate = {name: getattr(part.gate, name) for name in ("approvers", "approvals", "of_which", "complete")}
            return {"optional": part.is_optional, **gate}
        case Step():
            return {"required": part.is_required}
        case Ground():
            return {"crossing": part.is_crossing}
        case Decision():
            return {"taken_by": part.taken_by}


# --- saying nothing, forgetting something ----------------------------------------------------------------------


def _goes_there_anyway(before: str, after: str, parts: PartMap) -> bool:
    """Whether a part would be taken for the same without a word about it: it has the same id in the same place."""
    if kind_of(before) in ("stage", "decision"):
        return before == after
    *place, id = before.split("/")
    *new_place, new_id = after.split("/")
    if id != new_id:
        return False
    if len(place) == 1:
        return parts.stages.get(place[0]) == new_place[0]
    return parts.steps.get((place[0], place[1])) == ((new_place[0], new_place[1]),)


def _undeclared(
    plan: StepPlan, old: Mapping[str, AnyPart], new: Mapping[str, AnyPart], parts: PartMap
) -> Iterator[Finding]:
    """A part that is gone, and one that is new in the same stage and says nearly the same."""
    kept = set(parts.stages) | {"/".join(path) for path in (*parts.steps, *parts.questions)}
    reached = set(_sources(parts, old, new))
    added: dict[tuple[str, str], list[str]] = {}
    for path in new:
        if path not in reached:
            added.setdefault((kind_of(path), _stage(path)), []).append(path)
    gone = [path for path in old if path not in kept and kind_of(path) in _COMPARED]
    pairs = ((path, each) for path in gone for each in added.get(_group(path, parts), ()))
    told: set[str] = set()
    for before, after in islice(pairs, PAIRS_MAX):
        # What is inside of a part that was told about goes along with it.
        if told.isdisjoint((before, after, *_outside(before), *_outside(after))) and _alike(old[before], new[after]):
            told |= {before, after}
            yield Finding("renamed_undeclared", _place(plan, after), {"before": before, "after": after})


def _stage(path: str) -> str:
    """The stage that a part is in, empty for a stage itself."""
    return path.split("/", maxsplit=1)[0] if "/" in path else ""


def _group(before: str, parts: PartMap) -> tuple[str, str]:
    """Kind and stage of the parts of the newer version that this one may be."""
    return kind_of(before), parts.stages.get(_stage(before), "")


def _outside(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _alike(before: AnyPart, after: AnyPart) -> bool:
    match before, after:
        case Question(), Question() if not _type_fits(before.type, after.type):
            return False
        case Stage(), Stage() if before.is_per_domain != after.is_per_domain:
            return False
    a, b = (_title(each)[:COMPARED_MAX].casefold() for each in (before, after))
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= SIMILAR and matcher.ratio() >= SIMILAR


def _title(part: AnyPart) -> str:
    return part.text.nl if isinstance(part, Question) else part.title.nl


def _place(plan: StepPlan, path: str) -> Path:
    """Where in the file a part of the plan is."""
    pieces = path.split("/")
    stage = next(n for n, each in enumerate(plan.stages) if each.id == pieces[0])
    place: Path = ("stages", stage)
    if len(pieces) == 1:
        return place
    if pieces[1] == CHECKLIST:
        statements = plan.stages[stage].statements
        return (*place, "statements", *(n for n, each in enumerate(statements) if each.id == pieces[-1]))
    step = next(n for n, each in enumerate(plan.stages[stage].steps) if each.id == pieces[1])
    place = (*place, "steps", step)
    if len(pieces) == 2:
        return place
    questions = plan.stages[stage].steps[step].questions
    return (*place, "questions", next(n for n, each in enumerate(questions) if each.id == pieces[2]))
