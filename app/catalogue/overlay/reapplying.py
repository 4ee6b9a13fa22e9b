"""Additions on a newer version of the plan that they extend.

What the newer version says that it renamed is followed in the text itself, so that whoever mends the rest has the file
as it will be. Then it is loaded like any other: all of it, or nothing and every conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any

from app.catalogue import yaml_tree
from app.catalogue.build import Document
from app.catalogue.loader import canonical, from_document
from app.catalogue.overlay.loading import LoadedOverlay, NothingToExtend, load_overlay
from app.catalogue.problems import Mark, Path, PlanInvalid, Problem, in_order, path_text
from app.catalogue.versions import precedence
from app.engine.definition import CHECKLIST
from app.engine.run_migration.part_map import DECISIONS, PartMap, map_parts


@dataclass(frozen=True, slots=True)
class Reapplied:
    """`text` is the file for the newer version, `problems` are conflicts and notices with their place in it. Without
    conflicts there is what comes out."""

    text: str
    problems: tuple[Problem, ...]
    loaded: LoadedOverlay | None


def reapply(data: bytes, route: Sequence[Document], *, version: str, name: str) -> Reapplied:
    """`route` goes from the version that is extended now to the newer one, over those between; `version` is that of
    the additions afterwards. The file must have loaded with the first of the route."""
    old, new = route[0], route[-1]
    text = data.decode("utf-8-sig")
    parts = _parts(route)
    rewriting = _Rewriting(text, _followed(parts))
    wanted = f"{new['plan']['id']}@{new['plan']['version']}"
    try:
        rewritten, notices = rewriting.done(wanted, version, new, name)
    except _NotRewritten:
        problem = Problem(
            name, *rewriting.tree.place(("extends",)), "extends", "overlay_not_rewritten", {"value": wanted}
        )
        return Reapplied(text, (problem,), None)

    def extendable(plan_id: str, version: str) -> Document:
        if (plan_id, version) != (new["plan"]["id"], new["plan"]["version"]):
            raise NothingToExtend("")
        return new

    try:
        loaded = load_overlay(rewritten.encode(), name, extendable, made_for=old)
    except PlanInvalid as invalid:
        problems = [_with_pieces(problem, parts) for problem in invalid.problems]
        return Reapplied(rewritten, tuple(in_order([*problems, *notices], name)), None)
    told = {(notice.line, notice.column) for notice in notices}
    others = [problem for problem in loaded.warnings if (problem.line, problem.column) not in told]
    return Reapplied(rewritten, tuple(in_order([*others, *notices], name)), loaded)


def next_version(version: str, taken: Sequence[str], *, is_other_plan: bool) -> str:
    """A higher version than any that is taken: a higher first number for another plan below it."""
    highest = max([version, *taken], key=precedence).partition("-")[0]
    major, minor, _ = (int(part) for part in highest.split("."))
    return f"{major + 1}.0.0" if is_other_plan else f"{major}.{minor + 1}.0"


# --- what is followed ------------------------------------------------------------------------------------------


def _parts(route: Sequence[Document]) -> PartMap:
    plans = [from_document(document) for document in route]
    whole = map_parts(plans[0], plans[0])
    for old, new in pairwise(plans):
        whole = whole.then(map_parts(old, new))
    return whole


def _followed(parts: PartMap) -> Mapping[str, str]:
    """From the path of each part that has another one now to that one; not for a step that was split."""
    found = dict(parts.stages)
    found |= {f"{DECISIONS}{old}": f"{DECISIONS}{new}" for old, new in parts.decisions.items()}
    found |= {"/".join(old): "/".join(news[0]) for old, news in parts.steps.items() if len(news) == 1}
    found |= {"/".join(old): "/".join(new) for old, new in parts.questions.items()}
    return {old: new for old, new in found.items() if old != new}


def _with_pieces(problem: Problem, parts: PartMap) -> Problem:
    """Of a step that was split: into what, since only people can choose."""
    stage, _, step = str(problem.params.get("value", "")).partition("/")
    pieces = parts.steps.get((stage, step), ())
    if problem.code != "overlay_part_gone" or len(pieces) < 2:
        return problem
    words = ", ".join("/".join(piece) for piece in pieces)
    return replace(problem, code="overlay_part_split", params={**problem.params, "pieces": words})


Reference = tuple[Path, str, bool]
"""Where a part is named, its whole path, and whether only the last piece of that is written there."""


def _references(root: Any) -> Iterator[Reference]:
    added = root.get("add", {})
    for number, stage in enumerate(added.get("stages", ())):
        path: Path = ("add", "stages", number)
        if "after" in stage:
            yield (*path, "after"), stage["after"], False
        yield from _requirements(stage, path)
        for place, advice in enumerate(stage.get("advised_after", ())):
            yield (*path, "advised_after", place, "stage"), advice["stage"], False
    for key, around, between in (("steps", "stage", ""), ("questions", "step", ""), ("statements", "stage", CHECKLIST)):
        for number, part in enumerate(added.get(key, ())):
            path = ("add", key, number)
            yield (*path, around), part[around], False
            if "after" in part:
                pieces = filter(None, (part[around], between, part["after"]))
                yield (*path, "after"), "/".join(pieces), True
    for key, name in (("evidence", "step"), ("help", "question"), ("translations", "part")):
        for number, part in enumerate(added.get(key, ())):
            yield ("add", key, number, name), part[name], False
    for section in ("tighten", "loosen"):
        for number, entry in enumerate(root.get(section, ())):
            path = (section, number)
            for name in ("step", "stage", "question", "gate", "evidence", "remove", "reword"):
                if name in entry:
                    yield (*path, name), entry[name], False
            if "decision" in entry:
                yield (*path, "decision"), f"decisions.{entry['decision']}", True
            yield from _requirements(entry, path)


def _requirements(part: Any, path: Path) -> Iterator[Reference]:
    for number, requirement in enumerate(part.get("requires", ())):
        around: Path = (*path, "requires", number)
        choices = requirement.get("any_of")
        alternatives = [((*around, "any_of", n), each) for n, each in enumerate(choices)] if choices else []
        for place, alternative in alternatives or [(around, requirement)]:
            if "stage" in alternative:
                yield (*place, "stage"), alternative["stage"], False
            else:
                yield (*place, "decision"), f"decisions.{alternative['decision']}", True


# --- the text --------------------------------------------------------------------------------------------------


class _NotRewritten(Exception):
    """A name is written in a way that cannot be changed without changing more."""


_SCALAR = re.compile(r'"[^"\\\r\n]*"|\'[^\'\r\n]*\'|[-.@/\w]+')
_LINE_END = re.compile("\r\n|\r|\n")


class _Rewriting:
    def __init__(self, text: str, followed: Mapping[str, str]) -> None:
        self.text, self.followed = text, followed
        self.tree = yaml_tree.read(text.encode())
        self.edits: dict[Path, str] = {}
        self.notices: list[tuple[Path, str, dict[str, str | int]]] = []

    def done(self, extends: str, version: str, new: Document, name: str) -> tuple[str, list[Problem]]:
        root: Any = self.tree.root
        self.edits = {("extends",): extends, ("overlay", "version"): version}
        for path, named, is_last in _references(root):
            after = self.followed.get(named)
            if after is not None:
                self.edits[path] = re.split(r"[/.]", after)[-1] if is_last else after
                self.notices.append((path, "overlay_followed", {"value": named, "after": after, "plan": extends}))
        self._overtaken(root, new, extends)
        rewritten = self._rewritten()
        tree = yaml_tree.read(rewritten.encode())
        problems = [
            Problem(name, *tree.place(path), path_text(path), code, params) for path, code, params in self.notices
        ]
        return rewritten, problems

    def _overtaken(self, root: Any, new: Document, plan: str) -> None:
        """Numbers that the newer plan is above by itself: its own number is written, so that the file stays right."""
        for path, wanted, now in _numbers(root, new, self.followed):
            if now > wanted:
                self.edits[path] = str(now)
                params: dict[str, str | int] = {"value": wanted, "now": now, "plan": plan}
                self.notices.append((path, "overlay_overtaken", params))

    def _rewritten(self) -> str:
        text, spans = self.text, []
        for path, value in self.edits.items():
            begin = _offset(self.text, self.tree.place(path))
            written = _SCALAR.match(self.text, begin)
            if written is None:
                raise _NotRewritten
            spans.append((begin, written.end(), value))
        for begin, end, value in sorted(spans, reverse=True):
            text = text[:begin] + value + text[end:]
        if canonical({"": yaml_tree.read(text.encode()).root}) != canonical({"": self._expected()}):
            raise _NotRewritten
        return text

    def _expected(self) -> Any:
        expected: Any = yaml_tree.read(self.text.encode()).root
        for path, value in self.edits.items():
            around = expected
            for part in path[:-1]:
                around = around[part]
            around[path[-1]] = yaml_tree.resolve(value)
        return expected


def _numbers(root: Any, new: Document, followed: Mapping[str, str]) -> Iterator[tuple[Path, int, int]]:
    """Where more was asked: the place, the number there and that of the newer plan."""
    stages = {stage["id"]: stage for stage in new["stages"]}
    steps = {f"{id}/{step['id']}": step for id, stage in stages.items() for step in stage["steps"]}
    questions = {
        f"{path}/{question['id']}": question for path, step in steps.items() for question in step.get("questions", ())
    }
    for number, entry in enumerate(root.get("tighten", ())):
        for kind, parts, key, default in (
            ("gate", stages, "approvals", 1),
            ("question", questions, "rows_min", 0),
            ("evidence", steps, "minimum", 1),
        ):
            part: Any = parts.get(followed.get(entry.get(kind, ""), entry.get(kind, "")))
            if part is None or key not in entry:
                continue
            if kind == "gate":
                part = part["gate"]
            if kind == "evidence":
                part = next((each for each in part.get("evidence", ()) if each["kind"] == entry["kind"]), None)
            if part is not None:
                yield ("tighten", number, key), entry[key], part.get(key, default)


def _offset(text: str, mark: Mark) -> int:
    line, column = mark
    before = 0
    for end in islice(_LINE_END.finditer(text), line - 1):
        before = end.end()
    return before + column - 1
