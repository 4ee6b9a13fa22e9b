"""Additions on paper, and the plans that they extend."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from app.catalogue.loader import Document, LoadedPlan, PlanInvalid, load_bytes
from app.catalogue.overlay.loading import LoadedOverlay, NothingToExtend, load_overlay
from app.catalogue.problems import Problem
from tests.catalogue.files import GOLDEN, SMALL

OVERLAYS = GOLDEN / "overlays"
ADDITIONS = OVERLAYS / "valid" / "small.yaml"
OPEN = GOLDEN / "valid" / "open.yaml"

HEAD = """format: 1
overlay: {id: zonnedijk, version: 1.0.0, title: Aanvullingen, purpose: Meer doen., by: Zonnedijk, prefix: zd}
extends: klein-plan@1.0.0
"""


@cache
def national(path: Path = SMALL) -> LoadedPlan:
    return load_bytes(path.read_bytes(), path.name)


def extendable(plan_id: str, version: str) -> Document:
    """The golden plans; `kapot-plan` stands for one that has errors."""
    known = {(loaded.plan.id, loaded.plan.version): loaded.document for loaded in map(national, (SMALL, OPEN))}
    if plan_id == "kapot-plan":
        raise NothingToExtend("kapot-plan/1.0.0.yaml", is_invalid=True)
    if (plan_id, version) not in known:
        raise NothingToExtend(f"../{plan_id}/{version}.yaml", [f"{id}@{number}" for id, number in known])
    return known[plan_id, version]


def loaded(content: bytes | str, name: str = "overlay.yaml") -> LoadedOverlay:
    return load_overlay(content.encode() if isinstance(content, str) else content, name, extendable)


def refused(content: bytes | str, name: str = "overlay.yaml") -> tuple[Problem, ...]:
    try:
        loaded(content, name)
    except PlanInvalid as invalid:
        return invalid.problems
    raise AssertionError(f"{name} was taken for good additions")


def golden(folder: str) -> list[Path]:
    found = sorted((OVERLAYS / folder).glob("*.yaml"))
    assert found, f"no golden files in {OVERLAYS / folder}"
    return found
