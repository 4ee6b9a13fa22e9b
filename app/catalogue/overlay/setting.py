"""Asking more of a part of the plan than the plan does; and less, where the plan allows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.catalogue.build import Document
from app.catalogue.overlay.draft import Draft
from app.catalogue.problems import Path
from app.catalogue.rules.changes import kind_of
from app.catalogue.schema import Gate
from app.engine.definition import CHECKLIST

Params = dict[str, str | int]

TIGHTEN, LOOSEN = "tighten", "loosen"
_COMPLETE: list[str] = list(Gate.model_fields["complete"].default)


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry: the part that it names, and where in the additions it stands."""

    section: str
    path: Path
    given: Document

    def at(self, key: str) -> Path:
        return (*self.path, key)


def set_all(draft: Draft, overlay: Document, allowed: frozenset[str]) -> None:
    """`allowed` has the paths that may be loosened."""
    for section in (TIGHTEN, LOOSEN):
        for number, given in enumerate(overlay.get(section, ())):
            _Setter(draft, Setting(section, (section, number), given), allowed).set()


class _Setter:
    def __init__(self, draft: Draft, setting: Setting, allowed: frozenset[str]) -> None:
        self.draft, self.setting, self.given, self.allowed = draft, setting, setting.given, allowed

    def set(self) -> None:
        match self.given:
            case {"remove": str(path)}:
                self._remove(path)
            case {"reword": str(path)}:
                self._reword(path)
            case {"gate": str(stage)}:
                if part := self._find(stage, "gate", "stage"):
                    self._gate(stage, part)
            case {"evidence": str(step)}:
                if part := self._find(step, "evidence", "step"):
                    self._evidence(step, part)
            case {"question": str(path)}:
                if part := self._find(path, "question", "question"):
                    self._values(path, part, (("required", False, 1), ("rows_min", 0, 1)))
            case {"decision": str(id)}:
                if part := self._find(f"decisions.{id}", "decision", "decision"):
                    self._requires(part)
            case {"stage": str(path)}:
                if part := self._find(path, "stage", "stage"):
                    self._requires(part)
                    if "optional" in self.given or "requires" not in self.given:
                        self._values(path, part, (("optional", False, -1),))
            case {"step": str(path)}:
                if part := self._find(path, "step", "step"):
                    self._values(path, part, (("required", True, 1),))

    def _find(self, path: str, key: str, kind: str) -> Document | None:
        return self.draft.find(path, (kind,), self.setting.at(key))

    # --- values

    def _values(self, path: str, part: Document, keys: tuple[tuple[str, Any, int], ...], *, name: str = "") -> None:
        """Each key with what it is when it is left out, and whether more of it (1) or less of it (-1) asks more."""
        said = [each for each in keys if each[0] in self.given]
        if not said:
            self.draft.tell("overlay_says_nothing", self.setting.path, {"value": ", ".join(key for key, *_ in keys)})
        for key, default, direction in said:
            now, wanted = part.get(key, default), self.given[key]
            params = self._params(name or path, now=_shown(now), wanted=_shown(wanted))
            if self._may_change(path, self.setting.at(key), (wanted - now) * direction, params):
                part[key] = wanted
                self.draft.changed(part, self.setting.path)

    def _params(self, value: str, **more: str) -> Params:
        return {"value": value, "plan": self.draft.plan, **more}

    def _may_change(self, path: str, at: Path, more: int, params: Params) -> bool:
        """`more`: above zero for what asks more than now, below zero for what asks less."""
        if more < 0:
            return self._may_loosen(path, at, params, "overlay_loosens")
        if more == 0:
            self.draft.tell("overlay_without_effect", at, params)
        elif self.setting.section == LOOSEN:
            self.draft.tell("overlay_not_looser", at, params)
        return more > 0 and self.setting.section == TIGHTEN

    def _may_loosen(self, path: str, at: Path, params: Params, code: str) -> bool:
        if path not in self.allowed:
            self.draft.tell(code, at, {**params, "allowed": self._allowed_words()})
        elif self.setting.section == TIGHTEN:
            self.draft.tell("overlay_under_loosen", at, params)
        return path in self.allowed and self.setting.section == LOOSEN

    def _allowed_words(self) -> str:
        return ", ".join(sorted(self.allowed)) or "–"

    # --- the gate

    def _gate(self, stage: str, part: Document) -> None:
        gate = part["gate"]
        if not self.given.keys() & {"approvals", "complete", "without"}:
            self.draft.tell("overlay_says_nothing", self.setting.path, {"value": "approvals, complete"})
        if "approvals" in self.given:
            self._values(stage, gate, (("approvals", 1, 1),))
        for number, guard in enumerate(self.given.get("complete", ())):
            self._guard(stage, gate, guard, (*self.setting.at("complete"), number), is_wanted=True)
        for number, guard in enumerate(self.given.get("without", ())):
            self._guard(stage, gate, guard, (*self.setting.at("without"), number), is_wanted=False)

    def _guard(self, stage: str, gate: Document, guard: str, at: Path, *, is_wanted: bool) -> None:
        guards = list(gate.get("complete", _COMPLETE))
        others = [each for each in guards if each != guard]
        wanted = [*others, guard] if is_wanted else others
        params = self._params(stage, now=", ".join(guards) or "–", wanted=", ".join(wanted) or "–")
        if self._may_change(stage, at, len(wanted) - len(guards), params):
            gate["complete"] = wanted
            self.draft.changed(gate, self.setting.path)

    # --- evidence

    def _evidence(self, step: str, part: Document) -> None:
        demands = {demand["kind"]: demand for demand in part.get("evidence", ())}
        kind = self.given["kind"]
        if kind not in demands:
            self.draft.tell(
                "overlay_no_evidence",
                self.setting.at("kind"),
                {"value": kind, "step": step},
                wrong=kind,
                known=[*demands],
            )
            return
        self._values(step, demands[kind], (("minimum", 1, 1), ("link", True, -1)), name=f"{step} ({kind})")

    # --- what is required

    def _requires(self, part: Document) -> None:
        if "requires" not in self.given:
            if "stage" not in self.given:
                self.draft.tell("overlay_says_nothing", self.setting.path, {"value": "requires"})
            return
        if self.setting.section == LOOSEN:
            self.draft.tell("overlay_not_looser", self.setting.at("requires"), self._params(part["id"]))
            return
        for number, requirement in enumerate(self.given["requires"]):
            path = (*self.setting.at("requires"), number)
            if requirement in part.get("requires", ()):
                self.draft.tell("overlay_without_effect", path, self._params(part["id"]))
                continue
            part.setdefault("requires", []).append(requirement)
            self.draft.add_loose(requirement, path)
            self.draft.changed(part, self.setting.path)

    # --- loosening

    def _remove(self, path: str) -> None:
        part = self.draft.find(path, ("step", "question", "statement", "ground"), self.setting.at("remove"))
        at, params = self.setting.at("remove"), self._params(path)
        if part is None or not self._may_loosen(path, at, params, "overlay_removes"):
            return
        for around, items in self._lists_with(path, part):
            items[:] = [each for each in items if each is not part]
            self.draft.changed(around, self.setting.path)
        self.draft.gone(path)
        if kind_of(path) == "ground":
            self._remove_ground(part["id"])

    def _lists_with(self, path: str, part: Document) -> Iterator[tuple[Document, list[Document]]]:
        if kind_of(path) == "ground":
            yield self.draft.document, self.draft.document["grounds"]
            return
        around = next(each for each in self.draft.document["stages"] if each["id"] == path.split("/", maxsplit=1)[0])
        if kind_of(path) == "question":
            around = next(each for each in around["steps"] if each["id"] == path.split("/")[1])
        for key in ("steps", "questions", "statements"):
            if any(each is part for each in around.get(key, ())):
                yield around, around[key]

    def _remove_ground(self, ground: str) -> None:
        """Nor does the checklist ask about it any more."""
        for stage in self.draft.document["stages"]:
            if ground in stage.get("grounds", ()):
                stage["grounds"].remove(ground)
                self.draft.changed(stage, self.setting.path)
            for statement in [each for each in stage.get("statements", ()) if each["ground"] == ground]:
                stage["statements"].remove(statement)
                self.draft.gone(f"{stage['id']}/{CHECKLIST}/{statement['id']}")

    def _reword(self, path: str) -> None:
        part = self.draft.find(path, ("question", "statement"), self.setting.at("reword"))
        at, params = self.setting.at("reword"), self._params(path)
        if part is None or not self._may_loosen(path, at, params, "overlay_rewords"):
            return
        part["text"], part["addition"] = self.given["text"], True
        self.draft.changed(part, self.setting.path)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
