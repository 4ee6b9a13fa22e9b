"""Two versions of a step plan on the command line, and the versions between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.catalogue.catalogue import check_file
from app.catalogue.lock import Lock, Status
from app.catalogue.problems import PlanInvalid
from app.cli.common import fail
from app.cli.plan.folder import find, open_folder, refused
from app.engine.definition import StepPlan

Older = Annotated[str, typer.Argument(help="ID@VERSION in the folder, or a file.", metavar="OLDER")]
Newer = Annotated[str, typer.Argument(help="The same; a draft will do.", metavar="NEWER")]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A version, and the file it stands in; other versions of the plan stand beside it."""

    plan: StepPlan
    path: Path
    lock: Lock

    @property
    def status(self) -> Status:
        return self.lock.status((self.plan.id, self.plan.version))

    def sibling(self, version: str) -> StepPlan | None:
        """Ends the command for a file with errors."""
        path = self.path.with_name(f"{version}.yaml")
        return _read(path, self.lock) if path.is_file() else None


def choose(wanted: str, folder: Path | None) -> Chosen:
    """Ends the command for a version that is not there, and for a file with errors."""
    path = Path(wanted)
    if path.suffix == ".yaml" or path.is_file():
        if not path.is_file():
            raise fail(f"There is no file {wanted}")
        lock = _lock(path.absolute().parent.parent)
        return Chosen(_read(path, lock), path, lock)
    plans = open_folder(folder)
    _, path = find(plans, wanted)
    return Chosen(_read(path, plans.lock), path, plans.lock)


def _lock(folder: Path) -> Lock:
    try:
        return Lock.read(folder)
    except PlanInvalid as invalid:
        raise refused(invalid.problems) from None


def _read(path: Path, lock: Lock) -> StepPlan:
    """What is merely unwise in a plan is for `lint` to say."""
    try:
        return check_file(path, lock).plan
    except PlanInvalid as invalid:
        raise refused(invalid.problems) from None


def must_be_one_plan(older: StepPlan, newer: StepPlan) -> None:
    """Ends the command for versions of different plans."""
    if older.id != newer.id:
        raise fail(
            f"{older.id}@{older.version} and {newer.id}@{newer.version} are different plans: "
            f"name two versions of {older.id}, or two of {newer.id}"
        )


def versions_between(older: StepPlan, newer: Chosen) -> list[StepPlan]:
    """From the older to the newer version by what each says it changed since; only the two when the newer one does not
    descend from the older."""
    row, seen = [newer.plan], {newer.plan.version}
    while (changes := row[0].changes) is not None:
        if changes.since == older.version:
            return [older, *row]
        earlier = newer.sibling(changes.since) if changes.since not in seen else None
        if earlier is None:
            break
        row.insert(0, earlier)
        seen.add(earlier.version)
    return [older, newer.plan]
