"""Checking additions in a file: the version that they extend is looked for in folders of step plans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.catalogue.loader import Document, PlanInvalid, load_bytes, read_file
from app.catalogue.lock import Lock
from app.catalogue.overlay.loading import Extendable, NothingToExtend
from app.catalogue.versions import precedence


def extendable_in(folders: Sequence[Path]) -> Extendable:
    """The first folder that has the version counts. In a folder that keeps a list of what was released, a version
    that is not in it is a draft, and drafts are not extended."""

    def find(plan_id: str, version: str) -> Document:
        known: list[str] = []
        for folder in folders:
            path = folder / plan_id / f"{version}.yaml"
            released = _released(folder)
            known += [name for name in released if name not in known]
            if path.exists() and (not released or f"{plan_id}@{version}" in released):
                try:
                    return load_bytes(read_file(path), str(path)).document
                except PlanInvalid:
                    raise NothingToExtend(f"{plan_id}/{version}.yaml", is_invalid=True) from None
        raise NothingToExtend(f"../{plan_id}/{version}.yaml", known)

    return find


def _released(folder: Path) -> list[str]:
    try:
        releases = Lock.read(folder).releases
    except PlanInvalid:
        return []  # told elsewhere
    return [f"{id}@{version}" for id, version in sorted(releases, key=lambda name: (name[0], precedence(name[1])))]
