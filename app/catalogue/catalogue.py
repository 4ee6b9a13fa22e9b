"""The step plans in a folder: `<plan id>/<version>.yaml`, and beside them the lock that says which are released."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.catalogue import yaml_tree
from app.catalogue.earlier import Versions, without_a_word
from app.catalogue.loader import Document, LoadedPlan, load_bytes, read_file
from app.catalogue.lock import LOCK_NAME, Lock, Name, Release, Status, part_changes, parts_of
from app.catalogue.overlay.folders import extendable_in
from app.catalogue.overlay.loading import load_overlay, means_overlay
from app.catalogue.problems import PlanInvalid, Problem, in_order, path_text
from app.catalogue.versions import precedence


@dataclass(frozen=True, slots=True)
class CataloguePlan(LoadedPlan):
    status: Status = Status.DRAFT


class Catalogue:
    """Iterates over the plans by id, each with its versions from old to new."""

    def __init__(self, plans: list[CataloguePlan]) -> None:
        ordered = sorted(plans, key=lambda loaded: (loaded.plan.id, precedence(loaded.plan.version)))
        self._plans = {(loaded.plan.id, loaded.plan.version): loaded for loaded in ordered}

    @classmethod
    def load(cls, folder: Path, *, with_drafts: bool = True, known: Collection[str] = ()) -> Catalogue:
        """Raises PlanInvalid with the problems of all files together: of the plans, of the lock, and of released
        versions that are gone or changed; also when there is no plan at all. Without drafts, their files are not
        even opened, so that unfinished work keeps nobody from working with what was released. `known`: digests that
        whoever asks has already; such a version is left out while its file is, byte for byte, what was released."""
        lock = Lock.read(folder)
        plans: list[CataloguePlan] = []
        problems = gone(lock)
        is_known = False
        versions = Versions(lambda path: with_drafts or (path.parent.name, path.stem) in lock.releases)
        for path in sorted(folder.glob("*/*")):
            name = (path.parent.name, path.stem)
            if path.name.startswith(".") or (not with_drafts and name not in lock.releases):
                continue  # left there by an editor, or not asked for
            if path.suffix != ".yaml":
                if path.suffix.lower() in (".yml", ".yaml"):
                    problems.append(Problem(str(path), 1, 1, "", "wrong_suffix"))
                continue
            if (release := lock.releases.get(name)) and release.digest in known and _is_untouched(path, release):
                is_known = True
                continue
            try:
                loaded = check_file(path, lock, versions)
            except PlanInvalid as invalid:
                problems += invalid.problems
                continue
            if name != (loaded.plan.id, loaded.plan.version):
                params = {"value": f"{loaded.plan.id}/{loaded.plan.version}.yaml"}
                problems.append(Problem(str(path), 1, 1, "", "wrong_place", params))
            plans.append(CataloguePlan(loaded.plan, loaded.document, loaded.warnings, lock.status(name)))
        if not plans and not problems and not is_known:
            problems.append(Problem(str(folder), 1, 1, "", "no_plans" if with_drafts else "nothing_released"))
        if problems:
            raise PlanInvalid(problems)
        return cls(plans)

    def __iter__(self) -> Iterator[CataloguePlan]:
        return iter(self._plans.values())

    def __len__(self) -> int:
        return len(self._plans)

    def get(self, plan_id: str, version: str) -> CataloguePlan:
        """Raises KeyError for what is not there."""
        return self._plans[plan_id, version]

    def newest(self, plan_id: str) -> CataloguePlan:
        """The newest version that runs can start on: a release if there is one, otherwise a pre-release. Drafts and
        retired versions do not count.  Raises KeyError when there is none."""
        usable = [loaded for loaded in self if loaded.plan.id == plan_id and loaded.status is Status.RELEASED]
        if not usable:
            raise KeyError(plan_id)
        return ([loaded for loaded in usable if "-" not in loaded.plan.version] or usable)[-1]


def _is_untouched(path: Path, release: Release) -> bool:
    try:
        return release.is_same_file(read_file(path))
    except PlanInvalid:
        return False  # told when it is checked


def lint(paths: list[Path], *, also_in: Sequence[Path] = ()) -> list[Problem]:
    """What is wrong with each file, by line; for a file that can be used, the warnings (`Problem.is_warning`). With a
    lock beside the folder of a file, also what was changed or removed since the release. The version that additions
    extend is looked for beside the folder of their file, and then in `also_in`."""
    problems: list[Problem] = []
    locks: dict[Path, Lock] = {}
    versions = Versions()
    for path in paths:
        folder = path.absolute().parent.parent
        try:
            if folder not in locks:
                locks[folder] = Lock(folder / LOCK_NAME)  # told once if it cannot be read
                locks[folder] = Lock.read(folder)
                problems += gone(locks[folder])
        except PlanInvalid as unreadable:
            problems += unreadable.problems
        try:
            if means_overlay(data := read_file(path)):
                problems += load_overlay(data, str(path), extendable_in([folder, *also_in])).warnings
            else:
                problems += check_file(path, locks[folder], versions).warnings
        except PlanInvalid as invalid:
            problems += invalid.problems
    return problems


def check_file(path: Path, lock: Lock, versions: Versions | None = None) -> LoadedPlan:
    """The plan in a file.  Raises PlanInvalid with every problem, among them what changed since the release.
    `versions` keeps what was read of the others beside it, for whoever checks several."""
    data, versions = read_file(path), versions or Versions()
    loaded = load_bytes(data, str(path), versions.beside(path))
    if problems := _changed(data, loaded, lock, path):
        raise PlanInvalid(in_order(problems, str(path)))
    versions.keep(path, loaded.plan)
    released = [version for plan_id, version in lock.releases if plan_id == loaded.plan.id]
    warnings = [*loaded.warnings, *without_a_word(data, loaded.plan, path, released)]
    return replace(loaded, warnings=tuple(in_order(warnings, str(path))))


def gone(lock: Lock) -> list[Problem]:
    """Released versions whose file is not there, by their place in the lock."""
    found = []
    for plan_id, version in lock.releases:
        path = lock.file.parent / plan_id / f"{version}.yaml"
        if not path.exists():
            line, column = lock.mark((plan_id, version))
            params = {"value": f"{plan_id}/{version}.yaml"}
            found.append(Problem(str(lock.file), line, column, f"{plan_id}@{version}", "released_gone", params))
    return found


def _changed(data: bytes, loaded: LoadedPlan, lock: Lock, path: Path) -> list[Problem]:
    name: Name = (path.absolute().parent.name, path.stem)
    release = lock.releases.get(name)
    if release is None or release.digest == loaded.plan.digest:
        return []
    return list(_differences(data, loaded.document, release.parts, path, name))


def _differences(
    data: bytes, document: Document, released: Mapping[str, str], path: Path, name: Name
) -> Iterator[Problem]:
    tree = yaml_tree.read(data)
    told = False
    for change in part_changes(released, parts_of(document)):
        told = True
        line, column = tree.place(change.path)
        params = {"part": change.name, "plan": name[0], "version": name[1]}
        yield Problem(str(path), line, column, path_text(change.path), change.code, params)
    if not told:  # then the lock itself was edited
        yield Problem(str(path), 1, 1, "", "released_other_digest", {"plan": name[0], "version": name[1]})
