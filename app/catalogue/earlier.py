"""The other versions beside the file of a plan, for what it says about its changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from app.catalogue import yaml_tree
from app.catalogue.loader import load_bytes, read_file
from app.catalogue.problems import PlanInvalid, Problem
from app.catalogue.rules.changes_since import EarlierFinder
from app.catalogue.schema import VERSION
from app.catalogue.versions import precedence
from app.engine.definition import StepPlan


class Versions:
    """Reads each file at most once. `may_read`: of which files (all, if not told)."""

    def __init__(self, may_read: Callable[[Path], bool] = lambda _: True) -> None:
        self._may_read = may_read
        self._kept: dict[Path, StepPlan | None] = {}  # None for one that cannot be used

    def keep(self, path: Path, plan: StepPlan) -> None:
        """A plan that was read already."""
        self._kept[path] = plan

    def beside(self, path: Path) -> EarlierFinder:
        """Finds in the folder of this file, if it is one of versions: the name of the file is a version."""
        if re.fullmatch(VERSION, path.stem) is None:
            return lambda _: None
        return lambda version: self._find(path.with_name(f"{version}.yaml"))

    def _find(self, path: Path) -> StepPlan | None:
        if path not in self._kept:
            if not self._may_read(path):
                return None
            if not path.exists():
                raise KeyError(path.name)
            try:
                self._kept[path] = load_bytes(read_file(path), str(path)).plan
            except PlanInvalid:
                self._kept[path] = None
        plan = self._kept[path]
        if plan is None:
            raise PlanInvalid([])
        return plan


def without_a_word(data: bytes, plan: StepPlan, path: Path, released: Iterable[str]) -> Iterator[Problem]:
    """A warning when a version does not say what it changed, and a lower one of the same plan was released."""
    lower = [version for version in released if precedence(version) < precedence(plan.version)]
    if lower and plan.changes is None:
        line, column = yaml_tree.read(data).place(("plan", "version"))
        params = {"value": max(lower, key=precedence)}
        yield Problem(str(path), line, column, "plan.version", "changes_missing", params)
