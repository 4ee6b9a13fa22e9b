"""What a plan declares about its changes, as far as the file itself shows it: each part is there, and named once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.catalogue.problems import Finding, path_text
from app.catalogue.rules.parts import Part
from app.catalogue.schema import PART, VERSION, PlanFile
from app.catalogue.versions import precedence
from app.engine.definition import CHECKLIST

NEAR_MAX = 60  # names that are compared for "did you mean"; paths are long, and an author may name hundreds
_DEPTHS = ("stage", "step", "question")
# What the declarations of the format can be about; comparing two versions passes over anything else.
_SPLIT, _MERGED = ("step",), ("step", "question", "statement")
_RENAMED = ("stage", "step", "question", "checklist", "statement", "decision")


def kind_of(path: str) -> str:
    """Of a part by its path: stage, step, question, checklist, statement, decision or ground."""
    if "." in path:
        return path.partition(".")[0].removesuffix("s")
    pieces = path.split("/")
    if len(pieces) > 1 and pieces[1] == CHECKLIST:
        return "checklist" if len(pieces) == 2 else "statement"
    return _DEPTHS[len(pieces) - 1]


def around(path: str) -> str:
    """The part that this one is in; empty for one that stands by itself."""
    return path.rpartition("/")[0]


class Near:
    """Among which parts the one that was meant is likely to be."""

    def __init__(self, known: Iterable[str]) -> None:
        self._beside: dict[tuple[str, str], list[str]] = {}
        self._alike: dict[str, list[str]] = {}
        for path in known:
            self._beside.setdefault((kind_of(path), around(path)), []).append(path)
            self._alike.setdefault(kind_of(path), []).append(path)

    def __call__(self, path: str) -> list[str]:
        """Those beside it, or else all of its kind; no more than are compared in a moment."""
        found = self._beside.get((kind_of(path), around(path))) or self._alike.get(kind_of(path), [])
        return found[:NEAR_MAX]


def check(plan: Part) -> Iterator[Finding]:
    changes = plan.get("changes")
    if not isinstance(changes.value, dict):
        return
    yield from _since(plan, changes.get("since"))
    parts = Parts.of(plan)
    said = _Said()
    for entry in changes.each("renamed"):
        yield from _moved(entry, (entry.get("before"),), (entry.get("after"),), "not_renamed", _RENAMED, said)
    for entry in changes.each("split"):
        yield from _moved(entry, (entry.get("before"),), tuple(entry.each("after")), "not_split", _SPLIT, said)
    for entry in changes.each("merged"):
        yield from _moved(entry, tuple(entry.each("before")), (entry.get("after"),), "not_merged", _MERGED, said)
    for part in (*said.afters.values(), *changes.each("cosmetic")):
        yield from parts.unknown(part)
    reasons: dict[str, Part] = {}
    for entry in changes.each("reasons"):
        yield from _once(entry.get("part"), reasons, "part_named_twice")


def _since(plan: Part, since: Part) -> Iterator[Finding]:
    earlier, version = since.text or "", plan.get("plan").get("version").text or ""
    if _is(VERSION, earlier) and _is(VERSION, version) and precedence(earlier) >= precedence(version):
        yield Finding("since_not_lower", since.path, {"value": earlier, "version": version})


def _is(pattern: str, text: str | None) -> bool:
    return text is not None and re.fullmatch(pattern, text) is not None


# --- which parts there are -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this version by their path. Where an id could not be read, a part that seems unknown may be that
    one and is no finding: `is_whole` is False then."""

    known: dict[str, None]
    is_whole: bool
    near: Near

    @classmethod
    def of(cls, plan: Part) -> Parts:
        known: dict[str, None] = {}
        for stage in plan.each("stages"):
            known[stage.id] = None
            for step in stage.each("steps"):
                known[f"{stage.id}/{step.id}"] = None
                known |= {f"{stage.id}/{step.id}/{each.id}": None for each in step.each("questions")}
            if stage.get("statements").value:
                known[f"{stage.id}/{CHECKLIST}"] = None
                known |= {f"{stage.id}/{CHECKLIST}/{each.id}": None for each in stage.each("statements")}
        for key in ("decisions", "grounds"):
            known |= {f"{key}.{each.id}": None for each in plan.each(key)}
        has_all = isinstance(plan.value, dict) and plan.value.keys() <= PlanFile.model_fields.keys()
        is_whole = has_all and bool(known) and all(_is(PART, path) for path in known)
        return cls(known, is_whole, Near(path for path in known if _is(PART, path)))

    def unknown(self, part: Part) -> Iterator[Finding]:
        path = part.text
        if self.is_whole and _is(PART, path) and path not in self.known:
            assert path is not None, "what has the form of a path is a text"
            yield Finding("part_unknown", part.path, {"value": path}, wrong=path, known=self.near(path))


# --- what became of parts --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Said:
    """Where each part was named first: of the earlier version, and of this one."""

    befores: dict[str, Part] = field(default_factory=dict)
    afters: dict[str, Part] = field(default_factory=dict)


def _moved(
    entry: Part, befores: tuple[Part, ...], afters: tuple[Part, ...], code: str, kinds: tuple[str, ...], said: _Said
) -> Iterator[Finding]:
    for part in befores:
        yield from _once(part, said.befores, "part_named_twice")
    for part in afters:
        yield from _once(part, said.afters, "part_taken")
    named = [part for part in (*befores, *afters) if _is(PART, part.text)]
    found = {kind_of(part.text): part for part in reversed(named) if part.text}
    impossible = [part for part in named if part.text and kind_of(part.text) not in kinds]
    if impossible:
        yield Finding(code, impossible[0].path, {"value": impossible[0].text or ""})
    elif len(found) > 1:
        first, other = sorted(found.values(), key=named.index)[:2]
        yield Finding("part_kinds_differ", entry.path, {"value": other.text or "", "first": first.text or ""})


def _once(part: Part, said: dict[str, Part], code: str) -> Iterator[Finding]:
    if part.text is None:
        return
    if part.text in said:
        yield Finding(code, part.path, {"value": part.text, "first": path_text(said[part.text].path)})
    said.setdefault(part.text, part)
