"""The step plans in a folder: `<plan id>/<version>.yaml`, every version that was ever released."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.catalogue.loader import LoadedPlan, load_bytes, read_file
from app.catalogue.problems import PlanInvalid, Problem
from app.catalogue.versions import precedence


class Catalogue:
    """Iterates over the plans by id, each with its versions from old to new."""

    def __init__(self, plans: list[LoadedPlan]) -> None:
        ordered = sorted(plans, key=lambda loaded: (loaded.plan.id, precedence(loaded.plan.version)))
        self._plans = {(loaded.plan.id, loaded.plan.version): loaded for loaded in ordered}

    @classmethod
    def load(cls, folder: Path) -> Catalogue:
        """Raises PlanInvalid with the problems of all files together, also when the folder holds no plan."""
        plans: list[LoadedPlan] = []
        problems: list[Problem] = []
        for path in sorted(folder.glob("*/*")):
            if path.name.startswith("."):
                continue  # left there by an editor
            if path.suffix != ".yaml":
                if path.suffix.lower() in (".yml", ".yaml"):
                    problems.append(Problem(str(path), 1, 1, "", "wrong_suffix"))
                continue
            try:
                loaded = load_bytes(read_file(path), str(path))
            except PlanInvalid as invalid:
                problems += invalid.problems
                continue
            plan = loaded.plan
            if (path.parent.name, path.stem) != (plan.id, plan.version):
                params = {"value": f"{plan.id}/{plan.version}.yaml"}
                problems.append(Problem(str(path), 1, 1, "", "wrong_place", params))
            plans.append(loaded)
        if not plans and not problems:
            problems.append(Problem(str(folder), 1, 1, "", "no_plans"))
        if problems:
            raise PlanInvalid(problems)
        return cls(plans)

    def __iter__(self) -> Iterator[LoadedPlan]:
        return iter(self._plans.values())

    def __len__(self) -> int:
        return len(self._plans)

    def get(self, plan_id: str, version: str) -> LoadedPlan:
        """Raises KeyError for what is not there."""
        return self._plans[plan_id, version]

    def newest(self, plan_id: str) -> LoadedPlan:
        """The newest release, or if there is none yet the newest pre-release.  Raises KeyError for an unknown plan."""
        versions = [loaded for loaded in self if loaded.plan.id == plan_id]
        if not versions:
            raise KeyError(plan_id)
        released = [loaded for loaded in versions if "-" not in loaded.plan.version]
        return (released or versions)[-1]
