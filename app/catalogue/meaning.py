"""Does a plan make sense? All rules, each a function that yields what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalogue.problems import Finding
from app.catalogue.rules import changes, gates, graph, names, overlays, questions
from app.catalogue.rules.parts import Part


def check_meaning(root: object) -> Iterator[Finding]:
    plan = Part((), root)
    yield from names.check(plan)
    yield from questions.check(plan)
    yield from graph.check(plan)
    yield from gates.check(plan)
    yield from changes.check(plan)
    yield from overlays.check(plan)
