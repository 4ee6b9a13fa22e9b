"""Ids and references: each id once, each reference to something that is there, each text with its origin."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalogue.problems import Finding, path_text
from app.catalogue.rules.parts import Names, Part
from app.engine.definition import CHECKLIST

# Lists of names; a name in them twice says nothing more.
_LISTS_OF_NAMES = frozenset(
    {"sources", "grounds", "roles", "approvers", "taken_by", "complete", "any_of", "cosmetic", "loosen"}
)

_REASONS = ("changes", "reasons")  # always of whoever made the version


def check(plan: Part) -> Iterator[Finding]:
    yield from _everywhere(plan)
    yield from _unused_sources(plan)
    yield from _stages(plan)


def _everywhere(plan: Part) -> Iterator[Finding]:
    """What holds wherever it stands in the file."""
    sources = Names.of(plan, "sources")
    todo = [plan]
    while todo:
        part = todo.pop()
        if isinstance(part.value, dict):
            todo += [part.get(key) for key in part.value]
            if part.has("text") and part.path[:2] != _REASONS:
                yield from _origin(part, sources)
        elif isinstance(part.value, list):
            items = [Part((*part.path, number), value) for number, value in enumerate(part.value)]
            todo += items
            yield from _repeated_ids(items)
            if part.path and part.path[-1] in _LISTS_OF_NAMES:
                yield from _repeated_names(items)


def _origin(part: Part, sources: Names) -> Iterator[Finding]:
    """A text of the plan (of an item, question or statement) says whose it is."""
    if not part.get("sources").value and not part.get("addition").value:
        yield Finding("no_origin", part.path)
    for source in part.each("sources"):
        yield from sources.unknown(source, "unknown_source")


def _repeated_ids(items: list[Part]) -> Iterator[Finding]:
    seen: dict[str, Part] = {}
    for item in items:
        if item.id and item.id in seen:
            params = {"value": item.id, "first": path_text(seen[item.id].path)}
            yield Finding("repeated_id", item.get("id").path, params)
        seen.setdefault(item.id, item)


def _repeated_names(items: list[Part]) -> Iterator[Finding]:
    seen: set[str] = set()
    for item in items:
        if item.text is not None:
            if item.text in seen:
                yield Finding("repeated_value", item.path, {"value": item.text})
            seen.add(item.text)


def _unused_sources(plan: Part) -> Iterator[Finding]:
    sources = plan.get("sources")
    if not isinstance(sources.value, dict):
        return
    used: set[object] = set()
    todo = [value for key, value in plan.value.items() if key != "sources"] if isinstance(plan.value, dict) else []
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            named = value.get("sources")
            used.update(name for name in named if isinstance(name, str)) if isinstance(named, list) else None
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    for name in sources.value:
        if name not in used:
            yield Finding("unused_source", (*sources.path, name), at_key=True)


def _stages(plan: Part) -> Iterator[Finding]:
    roles, grounds = Names.of(plan, "roles"), Names.of(plan, "grounds")
    kinds = Names.of(plan, "evidence_kinds")
    for stage in plan.each("stages"):
        for role in stage.each("roles"):
            yield from roles.unknown(role, "unknown_role")
        for ground in stage.each("grounds"):
            yield from grounds.unknown(ground, "unknown_ground")
        listed = {ground.text for ground in stage.each("grounds")}
        for statement in stage.each("statements"):
            ground = statement.get("ground")
            yield from grounds.unknown(ground, "unknown_ground")
            if ground.text is not None and ground.text in grounds and ground.text not in listed:
                yield Finding("ground_not_listed", ground.path, {"value": ground.text})
        for step in stage.each("steps"):
            if step.id == CHECKLIST:
                yield Finding("reserved_id", step.get("id").path, {"value": CHECKLIST})
            yield from _evidence(step, kinds)


def _evidence(step: Part, kinds: Names) -> Iterator[Finding]:
    seen: set[str] = set()
    for demand in step.each("evidence"):
        kind = demand.get("kind")
        yield from kinds.unknown(kind, "unknown_kind")
        if kind.text is not None:
            if kind.text in seen:
                yield Finding("repeated_kind", kind.path, {"value": kind.text})
            seen.add(kind.text)
