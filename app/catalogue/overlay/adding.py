"""Putting what a municipality adds into a plan, each thing at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.catalogue.build import Document
from app.catalogue.overlay.draft import Draft
from app.catalogue.problems import Finding, Path, path_text
from app.engine.definition import CHECKLIST

_PLACES = frozenset({"after", "stage", "step"})
"""Keys of what is added that say where it comes; `stage` and `step` are no keys of a step, question or statement."""

_LISTS = ("terms", "domains", "evidence_kinds")


def add_all(draft: Draft, added: Mapping[str, Any]) -> None:
    for id, source in added.get("sources", {}).items():
        draft.document.setdefault("sources", {})[id] = source
        draft.add_loose(source, ("add", "sources", id))
    for key in _LISTS:
        for number, part in enumerate(added.get(key, ())):
            draft.document.setdefault(key, []).append(part)
            draft.add_loose(part, ("add", key, number))
    _add_stages(draft, added.get("stages", ()))
    _add_steps(draft, added.get("steps", ()))
    _add_questions(draft, added.get("questions", ()))
    _add_statements(draft, added.get("statements", ()))
    _add_evidence(draft, added.get("evidence", ()))
    _add_help(draft, added.get("help", ()))
    _add_translations(draft, added.get("translations", ()))


# --- ids -------------------------------------------------------------------------------------------------------


def check_ids(document: Document, added: Mapping[str, Any], prefix: str) -> Iterator[Finding]:
    """Each added id begins with the prefix and is there once, and nothing in the plan begins with it."""
    begin = f"{prefix}-"
    if taken := next((id for id in _ids_in(document) if id.startswith(begin)), None):
        yield Finding("overlay_prefix_taken", ("overlay", "prefix"), {"value": prefix, "other": taken})
    first: dict[tuple[str, str], Path] = {}
    for space, id, path in _added_ids(added):
        if not id.startswith(begin):
            yield Finding("overlay_prefix", path, {"value": id, "prefix": prefix}, at_key=path[1] == "sources")
        if (space, id) in first:
            yield Finding("repeated_id", path, {"value": id, "first": path_text(first[space, id])})
        first.setdefault((space, id), path)


def _ids_in(document: Document) -> Iterator[str]:
    yield from document.get("sources", ())
    for key in (*_LISTS, "grounds", "roles", "decisions"):
        yield from (part["id"] for part in document.get(key, ()))
    for stage in document["stages"]:
        yield stage["id"]
        yield from (statement["id"] for statement in stage.get("statements", ()))
        for step in stage["steps"]:
            yield step["id"]
            yield from (question["id"] for question in step.get("questions", ()))


def _added_ids(added: Mapping[str, Any]) -> Iterator[tuple[str, str, Path]]:
    """In which space an id must be the only one, the id, and where it stands."""
    for id in added.get("sources", ()):
        yield "sources", id, ("add", "sources", id)
    for key in _LISTS:
        for number, part in enumerate(added.get(key, ())):
            yield key, part["id"], ("add", key, number, "id")
    for number, stage in enumerate(added.get("stages", ())):
        path: Path = ("add", "stages", number)
        yield "", stage["id"], (*path, "id")
        yield from _ids_of_stage(stage, path)
    for number, step in enumerate(added.get("steps", ())):
        path = ("add", "steps", number)
        yield step["stage"], step["id"], (*path, "id")
        yield from _ids_of_step(f"{step['stage']}/{step['id']}", step, path)
    for number, question in enumerate(added.get("questions", ())):
        yield question["step"], question["id"], ("add", "questions", number, "id")
    for number, statement in enumerate(added.get("statements", ())):
        yield f"{statement['stage']}/{CHECKLIST}", statement["id"], ("add", "statements", number, "id")


def _ids_of_stage(stage: Document, path: Path) -> Iterator[tuple[str, str, Path]]:
    for number, step in enumerate(stage["steps"]):
        inner: Path = (*path, "steps", number)
        yield stage["id"], step["id"], (*inner, "id")
        yield from _ids_of_step(f"{stage['id']}/{step['id']}", step, inner)
    for number, statement in enumerate(stage.get("statements", ())):
        yield f"{stage['id']}/{CHECKLIST}", statement["id"], (*path, "statements", number, "id")


def _ids_of_step(name: str, step: Document, path: Path) -> Iterator[tuple[str, str, Path]]:
    for number, question in enumerate(step.get("questions", ())):
        yield name, question["id"], (*path, "questions", number, "id")


# --- parts -----------------------------------------------------------------------------------------------------


def _without_place(part: Document) -> Document:
    return {key: value for key, value in part.items() if key not in _PLACES}


def _insert(draft: Draft, items: list[Document], part: Document, after: str | None, around: str, path: Path) -> bool:
    """Puts a part after another, behind those that were put there before it. False if there is no such other part."""
    if after is None:
        items.append(part)
        return True
    number = next((number for number, item in enumerate(items) if item["id"] == after), None)
    if number is None:
        name = f"{around}{after}"
        kinds = {0: "stage", 1: "step", 2: "question"}[name.count("/")]
        draft.find(name, ("statement",) if around.endswith(f"/{CHECKLIST}/") else (kinds,), (*path, "after"))
        return False
    number += 1
    while number < len(items) and draft.was_put_after(items[number], after):
        number += 1
    items.insert(number, part)
    draft.put_after(part, after)
    return True


def _add_stages(draft: Draft, stages: list[Document]) -> None:
    for number, given in enumerate(stages):
        path, part = ("add", "stages", number), {key: value for key, value in given.items() if key != "after"}
        if _insert(draft, draft.document["stages"], part, given.get("after"), "", path):
            draft.add(part["id"], part, path)


def _add_steps(draft: Draft, steps: list[Document]) -> None:
    for number, given in enumerate(steps):
        path, part = ("add", "steps", number), _without_place(given)
        stage = draft.find(given["stage"], ("stage",), (*path, "stage"))
        if stage is not None and _insert(draft, stage["steps"], part, given.get("after"), f"{given['stage']}/", path):
            draft.changed(stage, path)
            draft.add(f"{given['stage']}/{part['id']}", part, path)


def _add_questions(draft: Draft, questions: list[Document]) -> None:
    for number, given in enumerate(questions):
        path, part = ("add", "questions", number), _without_place(given)
        step = draft.find(given["step"], ("step",), (*path, "step"))
        if step is not None and _insert(
            draft, step.setdefault("questions", []), part, given.get("after"), f"{given['step']}/", path
        ):
            draft.changed(step, path)
            draft.add(f"{given['step']}/{part['id']}", part, path)


def _add_statements(draft: Draft, statements: list[Document]) -> None:
    """A ground that a statement is about counts in the stage from then on."""
    for number, given in enumerate(statements):
        path, part = ("add", "statements", number), _without_place(given)
        stage = draft.find(given["stage"], ("stage",), (*path, "stage"))
        around = f"{given['stage']}/{CHECKLIST}/"
        if stage is not None and _insert(
            draft, stage.setdefault("statements", []), part, given.get("after"), around, path
        ):
            if draft.has(f"grounds.{part['ground']}") and part["ground"] not in stage.setdefault("grounds", []):
                stage["grounds"].append(part["ground"])
            draft.changed(stage, path)
            draft.add(f"{around}{part['id']}", part, path)


def _add_evidence(draft: Draft, demands: list[Document]) -> None:
    for number, given in enumerate(demands):
        path, part = ("add", "evidence", number), _without_place(given)
        step = draft.find(given["step"], ("step",), (*path, "step"))
        if step is None:
            continue
        if any(demand["kind"] == part["kind"] for demand in step.get("evidence", ())):
            draft.tell("overlay_evidence_twice", (*path, "kind"), {"value": part["kind"], "step": given["step"]})
            continue
        step.setdefault("evidence", []).append(part)
        draft.changed(step, path)
        draft.add_loose(part, path)


def _add_help(draft: Draft, helps: list[Document]) -> None:
    for number, given in enumerate(helps):
        path: Path = ("add", "help", number)
        question = draft.find(given["question"], ("question", "statement"), (*path, "question"))
        if question is None:
            continue
        if "help" in question:
            draft.tell("overlay_has_help", (*path, "question"), {"value": given["question"]})
            continue
        question["help"] = given["text"]
        draft.changed(question, path)


_TITLED = ("stage", "step", "ground", "decision")


def _add_translations(draft: Draft, translations: list[Document]) -> None:
    for number, given in enumerate(translations):
        path: Path = ("add", "translations", number)
        part = draft.find(given["part"], (*_TITLED, "question", "statement"), (*path, "part"))
        if part is None:
            continue
        key = "title" if "title" in part else "text"
        text = part[key] if isinstance(part[key], dict) else {"nl": part[key]}
        if given["language"] in text:
            params: dict[str, str | int] = {"value": given["part"], "language": given["language"]}
            draft.tell("overlay_has_translation", (*path, "language"), params)
            continue
        part[key] = {**text, given["language"]: given["text"]}
        draft.changed(part, path)
