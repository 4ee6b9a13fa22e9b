"""Stages and decisions as a graph: nothing waits for itself, everything can be reached, advice can be followed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.catalogue.problems import Finding
from app.catalogue.rules.parts import Names, Part
from app.catalogue.schema import DECISIONS_MAX, STAGES_MAX
from app.engine.definition import Across, Reached, Round

Key = tuple[str, str]
"""What is required: ("stage", id) or ("decision", id)."""


@dataclass(frozen=True, slots=True)
class _Alternative:
    part: Part
    target: Key | None  # None where nothing was named


@dataclass(frozen=True, slots=True)
class _Node:
    """A stage or decision; `requires` holds the alternatives of each of its requirements."""

    key: Key
    part: Part
    is_per_domain: bool
    is_repeatable: bool
    requires: tuple[tuple[_Alternative, ...], ...]
    required: Mapping[Key, Part]  # each other part that is named in `requires`, and where first
    advised: Mapping[Key, Part]  # the same for `advised_after`


Graph = Mapping[Key, _Node]


def check(plan: Part) -> Iterator[Finding]:
    stages, decisions = Names.of(plan, "stages"), Names.of(plan, "decisions")
    if len(stages.known) > STAGES_MAX or len(decisions.known) > DECISIONS_MAX:
        return  # its shape has been refused for that; the graph would take long
    nodes = [_node("stage", part) for part in plan.each("stages")]
    nodes += [_node("decision", part) for part in plan.each("decisions")]
    graph: dict[Key, _Node] = {}
    for node in nodes:
        if node.key[1]:
            graph.setdefault(node.key, node)
    reach = _Reach(graph)
    possible = reach.possible(set())
    has_domains = bool(plan.get("domains").value)
    for node in nodes:
        if node.is_per_domain and not has_domains:
            yield Finding("no_domains", node.part.get("per_domain").path, at_key=True)
        yield from _requirements(node, graph, stages, decisions)
        yield from _advice(node, reach, possible, stages)
    in_circle = set()
    for circle in _circles(graph, lambda node: node.required):
        in_circle.update(circle)
        yield _circle(graph, circle)
    yield from _never_possible(graph, reach, in_circle, has_domains=has_domains)
    yield from _advice_circles(graph)
    yield from _unused(plan, nodes)


def _node(kind: str, part: Part) -> _Node:
    requires = []
    required: dict[Key, Part] = {}
    for requirement in part.each("requires"):
        parts = requirement.each("any_of") if requirement.has("any_of") else (requirement,)
        alternatives = tuple(_Alternative(each, _target(each)) for each in parts)
        requires.append(alternatives)
        for alternative in alternatives:
            if alternative.target is not None:
                required.setdefault(alternative.target, alternative.part)
    advised: dict[Key, Part] = {}
    for advice in part.each("advised_after"):
        if name := advice.get("stage").text:
            advised.setdefault(("stage", name), advice.get("stage"))
    is_per_domain, is_repeatable = part.get("per_domain").is_true, part.get("repeatable").is_true
    return _Node((kind, part.id), part, is_per_domain, is_repeatable, tuple(requires), required, advised)


def _target(alternative: Part) -> Key | None:
    for kind in ("stage", "decision"):
        if name := alternative.get(kind).text:
            return kind, name
    return None


# --- one requirement -------------------------------------------------------------------------------------------


def _requirements(node: _Node, graph: Graph, stages: Names, decisions: Names) -> Iterator[Finding]:
    told_before: set[object] = set()
    for requirement in node.requires:
        seen: set[object] = set()
        for alternative in requirement:
            part = alternative.part
            yield from stages.unknown(part.get("stage"), "unknown_stage")
            yield from decisions.unknown(part.get("decision"), "unknown_decision")
            yield from _words_of_requirement(node, part, graph)
            meant = _meant(alternative)
            if meant is not None and meant in seen:
                yield Finding("repeated_requirement", part.path)
            seen.add(meant)
        if seen and None not in seen:
            if frozenset(seen) in told_before:
                yield Finding("repeated_requirement", requirement[0].part.path)
            told_before.add(frozenset(seen))


def _meant(alternative: _Alternative) -> object:
    if alternative.target is None or alternative.target[0] == "decision":
        return alternative.target
    defaults = (("round", Round.FIRST), ("reached", Reached.APPROVED), ("across", Across.ANY))
    return alternative.target, *(alternative.part.get(word).text or default.value for word, default in defaults)


def _words_of_requirement(node: _Node, alternative: Part, graph: Graph) -> Iterator[Finding]:
    name = alternative.get("stage").text
    target = graph.get(("stage", name or ""))
    if target is None:
        return
    if alternative.has("across") and (node.is_per_domain or not target.is_per_domain):
        yield Finding("across_without_use", alternative.get("across").path, at_key=True)
    if alternative.get("round").text == Round.LATEST and not target.is_repeatable:
        yield Finding("round_without_use", alternative.get("round").path, {"value": target.key[1]}, at_key=True)


# --- reaching --------------------------------------------------------------------------------------------------


def _circle(graph: Graph, circle: list[Key]) -> Finding:
    following = circle[1] if len(circle) > 1 else circle[0]
    where = graph[circle[0]].required[following].path
    if len(circle) == 1:
        return Finding("requires_itself", where)
    return Finding("requires_circle", where, {"value": _arrows(circle)})


def _arrows(circle: list[Key]) -> str:
    return " → ".join(name for _, name in (*circle, circle[0]))


def _circles(graph: Graph, edges: Callable[[_Node], Mapping[Key, Part]]) -> Iterator[list[Key]]:
    """The shortest circle through each node that is not in one told before."""
    left = _without_ends({key: {other for other in edges(node) if other in graph} for key, node in graph.items()})
    told: set[Key] = set()
    for start in left:
        if start in told:
            continue
        came_from: dict[Key, Key] = {}
        todo = deque([start])
        while todo and start not in came_from:
            here = todo.popleft()
            for key in edges(graph[here]):
                if key in left and key not in came_from:
                    came_from[key] = here
                    todo.append(key)
        if start in came_from:
            circle = [start]
            while came_from[circle[-1]] != start:
                circle.append(came_from[circle[-1]])
            circle[1:] = reversed(circle[1:])
            told.update(circle)
            yield circle


def _without_ends(edges: dict[Key, set[Key]]) -> dict[Key, set[Key]]:
    """What is left when all that leads nowhere is taken away, again and again: circles and what leads to them."""
    backwards: dict[Key, set[Key]] = {key: set() for key in edges}
    for key, others in edges.items():
        for other in others:
            backwards[other].add(key)
    left = {key: set(others) for key, others in edges.items()}
    ends = [key for key, others in left.items() if not others]
    while ends:
        end = ends.pop()
        del left[end]
        for key in backwards[end]:
            left[key].discard(end)
            if not left[key]:
                ends.append(key)
    return left


class _Reach:
    """What can begin, counted from what waits for nothing. What is unknown is not held against anybody."""

    def __init__(self, graph: Graph) -> None:
        self.waits_for: dict[Key, int] = {}  # per part, its requirements that have to be met
        self.opens: dict[Key, set[tuple[Key, int]]] = {}  # per part, the requirements that it meets
        for key, node in graph.items():
            self.waits_for[key] = 0
            for number, alternatives in enumerate(node.requires):
                targets = {alternative.target for alternative in alternatives}
                if targets and targets <= graph.keys():
                    self.waits_for[key] += 1
                    for target in targets:
                        assert target is not None
                        self.opens.setdefault(target, set()).add((key, number))

    def possible(self, without: set[Key]) -> set[Key]:
        """Everything that can begin when what is in `without` cannot."""
        waits_for = dict(self.waits_for)
        todo = [key for key, n in waits_for.items() if not n and key not in without]
        possible: set[Key] = set()
        met: set[tuple[Key, int]] = set()
        while todo:
            reached = todo.pop()
            possible.add(reached)
            for requirement in self.opens.get(reached, set()) - met:
                key = requirement[0]
                waits_for[key] -= 1
                if not waits_for[key] and key not in without:
                    todo.append(key)
            met |= self.opens.get(reached, set())
        return possible


def _never_possible(graph: Graph, reach: _Reach, in_circle: set[Key], *, has_domains: bool) -> Iterator[Finding]:
    """Stages and decisions that nothing is wrong with, but that wait for what can never be."""
    impossible = {key for key, node in graph.items() if node.is_per_domain and not has_domains}
    possible = reach.possible(impossible)
    for key, node in graph.items():
        if key in possible or key in impossible or key in in_circle:
            continue
        for alternatives in node.requires:
            if alternatives and all(each.target in graph and each.target not in possible for each in alternatives):
                yield Finding("never_possible", alternatives[0].part.path, {"value": key[1]})


# --- advice ----------------------------------------------------------------------------------------------------


def _advice(node: _Node, reach: _Reach, possible: set[Key], stages: Names) -> Iterator[Finding]:
    seen = set()
    for advice in node.part.each("advised_after"):
        where = advice.get("stage")
        yield from stages.unknown(where, "unknown_stage")
        if where.text is not None and where.text in seen:
            yield Finding("advice_repeated", where.path, {"value": where.text})
        seen.add(where.text)
    if node.key in node.advised:
        yield Finding("advice_itself", node.advised[node.key].path)
    others = [key for key in node.advised if key in possible and key != node.key]
    if others:
        before_this = reach.possible({node.key})
        for key in others:
            if key not in before_this:
                yield Finding("advice_backwards", node.advised[key].path, {"value": key[1]})


def _advice_circles(graph: Graph) -> Iterator[Finding]:
    for circle in _circles(graph, lambda node: node.advised):
        if len(circle) > 1:
            where = graph[circle[0]].advised[circle[1]].path
            yield Finding("advice_circle", where, {"value": _arrows(circle)})


# --- warnings --------------------------------------------------------------------------------------------------


def _unused(plan: Part, nodes: list[_Node]) -> Iterator[Finding]:
    required = {key for node in nodes for key in node.required}
    for node in nodes:
        if node.key[0] == "decision" and node.key[1] and node.key not in required:
            yield Finding("unused_decision", node.part.get("id").path)
    if plan.get("domains").value and not any(node.is_per_domain for node in nodes):
        yield Finding("unused_domains", plan.get("domains").path, at_key=True)
