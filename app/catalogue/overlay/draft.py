"""A plan while additions are put into it: its parts by path, and where in the additions each of them comes from."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.catalogue.build import Document
from app.catalogue.problems import PROBLEMS_MAX, Finding, Path
from app.catalogue.rules.changes import NEAR_MAX, Near, kind_of
from app.engine.definition import CHECKLIST


def parts_of(document: Document) -> Iterator[tuple[str, Document]]:
    """By path, as `changes` of a plan names them; without the checklist itself, which is no part of a document."""
    for stage in document["stages"]:
        yield stage["id"], stage
        for step in stage["steps"]:
            yield f"{stage['id']}/{step['id']}", step
            for question in step.get("questions", ()):
                yield f"{stage['id']}/{step['id']}/{question['id']}", question
        for statement in stage.get("statements", ()):
            yield f"{stage['id']}/{CHECKLIST}/{statement['id']}", statement
    for key in ("decisions", "grounds"):
        for each in document.get(key, ()):
            yield f"{key}.{each['id']}", each


@dataclass
class Draft:
    """`plan` is the name of the version that is extended. `before` has the paths of the version that the additions
    were made for, where that is another one."""

    plan: str
    document: Document
    before_name: str = ""
    before: Collection[str] = ()
    findings: list[Finding] = field(default_factory=list)
    _parts: dict[str, Document] = field(init=False)
    _added: dict[int, Path] = field(default_factory=dict)
    _changed: dict[int, Path] = field(default_factory=dict)
    _after: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = copy.deepcopy(self.document)
        self._parts = dict(parts_of(self.document))

    # --- parts

    def has(self, path: str) -> bool:
        return path in self._parts

    def find(self, path: str, kinds: Collection[str], at: Path) -> Document | None:
        """The part with this path, if it is of one of these kinds; says what is wrong at `at` otherwise."""
        part = self._parts.get(path)
        if part is not None and kind_of(path) in kinds:
            return part
        known = self._likely(path, kinds) if len(self.findings) < PROBLEMS_MAX else []
        params: dict[str, str | int] = {"value": path, "plan": self.plan}
        if path in self.before and part is None:
            self.tell("overlay_part_gone", at, {**params, "before": self.before_name})
        else:
            code = "overlay_no_part" if part is None else "overlay_other_kind"
            self.tell(code, at, params, wrong=path, known=known)
        return None

    def _likely(self, path: str, kinds: Collection[str]) -> list[str]:
        known = [each for each in self._parts if kind_of(each) in kinds]
        return Near(known)(path) or known[:NEAR_MAX]

    def add(self, path: str, part: Document, origin: Path) -> None:
        """Remembers a part that was put in, and those in it; each for itself, as others may come between them."""
        self._added[id(part)] = origin
        self._parts[path] = part
        for key, around in (("steps", path), ("questions", path), ("statements", f"{path}/{CHECKLIST}")):
            for number, inner in enumerate(part.get(key, ())):
                self.add(f"{around}/{inner['id']}", inner, (*origin, key, number))

    def add_loose(self, part: Document, origin: Path) -> None:
        """Remembers what was put in and has no path of its own, such as a demand for evidence."""
        self._added[id(part)] = origin

    def put_after(self, part: Document, other: str) -> None:
        self._after[id(part)] = other

    def was_put_after(self, part: Document, other: str) -> bool:
        return self._after.get(id(part)) == other

    def changed(self, part: Document, by: Path) -> None:
        self._changed.setdefault(id(part), by)

    def gone(self, path: str) -> None:
        for each in [each for each in self._parts if each == path or each.startswith(f"{path}/")]:
            del self._parts[each]

    # --- what is wrong

    def tell(self, code: str, path: Path, params: dict[str, str | int] | None = None, **more: Any) -> None:
        self.findings.append(Finding(code, path, params or {}, **more))

    # --- where things come from

    def origin(self, path: Path) -> Path | None:
        """From a path in the document to the one in the additions that it comes from, or that changed what is there.
        None for what is as it was in the plan."""
        here: Any = self.document
        found: Path | None = None
        added: Path | None = None
        for number, part in enumerate(path):
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                break
            if id(here) in self._added:
                found = added = (*self._added[id(here)], *path[number + 1 :])
            elif added is None:
                found = self._changed.get(id(here), found)
        return found

    def origin_of_part(self, path: str) -> Path | None:
        part = self._parts.get(path)
        return None if part is None else self._added.get(id(part)) or self._changed.get(id(part))
