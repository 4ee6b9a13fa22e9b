"""The folder with step plans, and the version in it that a command is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.catalogue.catalogue import check_file
from app.catalogue.loader import LoadedPlan
from app.catalogue.lock import Lock, Name
from app.catalogue.problems import PlanInvalid, Problem, suggestion
from app.catalogue.versions import precedence
from app.cli.common import complain, fail
from app.resources import stepplans_dir

Folder = Annotated[
    Path | None, typer.Option("--folder", help="Folder of the step plans; without it, those of this installation.")
]
Version = Annotated[str, typer.Argument(help="For instance inclusief-beleid@1.0.0.", metavar="ID@VERSION")]


@dataclass(frozen=True, slots=True)
class Plans:
    """The files by plan id and version, and what the lock says of them."""

    folder: Path
    lock: Lock
    files: dict[Name, Path]

    def versions(self, plan_id: str) -> list[str]:
        return sorted((version for id, version in self.files if id == plan_id), key=precedence)

    def ids(self) -> list[str]:
        return sorted({id for id, _ in self.files})


def open_folder(folder: Path | None) -> Plans:
    """Ends the command when there is no such folder, or when its lock cannot be read."""
    chosen = folder or stepplans_dir()
    if not chosen.is_dir():
        raise fail(f"There is no folder {chosen}")
    try:
        lock = Lock.read(chosen)
    except PlanInvalid as invalid:
        raise refused(invalid.problems) from None
    return Plans(chosen, lock, dict(_files(chosen)))


def _files(folder: Path) -> Iterable[tuple[Name, Path]]:
    for path in sorted(folder.glob("*/*.yaml")):
        if not path.name.startswith("."):
            yield (path.parent.name, path.stem), path


def find(plans: Plans, wanted: str) -> tuple[Name, Path]:
    """Ends the command for a version that is not there; says which one was probably meant."""
    plan_id, _, version = wanted.partition("@")
    name = (plan_id, version)
    if name in plans.files:
        return name, plans.files[name]
    known = [f"{id}@{version}" for id, version in plans.files]
    if not version and plan_id in plans.ids():
        raise fail(f"Which version of {plan_id}? Choose from: {', '.join(plans.versions(plan_id))}")
    if near := suggestion(wanted, known) or suggestion(plan_id, plans.ids()):
        raise fail(f"There is no step plan {wanted}, did you mean {near}?")
    raise fail(f"There is no step plan {wanted} in {plans.folder}. Known: {', '.join(known) or 'none'}")


def load(plans: Plans, path: Path) -> LoadedPlan:
    """Ends the command for a file with errors, after naming them; its warnings are told."""
    try:
        loaded = check_file(path, plans.lock)
    except PlanInvalid as invalid:
        raise refused(invalid.problems) from None
    for warning in loaded.warnings:
        complain(warning.sentence())
    return loaded


def refused(problems: Iterable[Problem]) -> typer.Exit:
    """Says what is wrong; the caller raises what this returns."""
    for problem in problems:
        complain(problem.sentence())
    return typer.Exit(1)
