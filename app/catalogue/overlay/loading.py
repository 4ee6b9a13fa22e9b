"""Reading additions: from a YAML file, and the plan that it extends, to the checked plan that comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.catalogue import yaml_tree
from app.catalogue.loader import Document, LoadedPlan, digest, from_document, located
from app.catalogue.overlay.applying import apply_overlay
from app.catalogue.overlay.format import OVERLAY_BRANCHES, OverlayFile, is_overlay
from app.catalogue.problems import Finding, PlanInvalid, Problem, in_order
from app.catalogue.shape import check_shape_of
from app.catalogue.yaml_tree import Tree

Extendable = Callable[[str, str], Document]
"""The document of a released version by plan id and version.  Raises NothingToExtend."""


class NothingToExtend(Exception):
    """`where` is the place where its file is looked for, seen from the folder of the additions, if it is a file;
    `known` has the names that are there. Invalid: it is there and has errors itself."""

    def __init__(self, where: str, known: Sequence[str] = (), *, is_invalid: bool = False) -> None:
        super().__init__(where)
        self.where, self.known, self.is_invalid = where, tuple(known), is_invalid


@dataclass(frozen=True, slots=True)
class LoadedOverlay(LoadedPlan):
    """The plan that comes out, and the additions in it."""

    overlay: OverlayFile | None = None


def means_overlay(data: bytes) -> bool:
    return is_overlay(yaml_tree.read(data).root)


def load_overlay(data: bytes, name: str, extendable: Extendable, *, made_for: Document | None = None) -> LoadedOverlay:
    """`name` stands before each problem, as the name of the file. `made_for`: see apply_overlay.

    Raises PlanInvalid with every problem; nothing is applied half."""
    tree = yaml_tree.read(data)
    overlay, findings = _read(tree)
    document = None
    if overlay is not None:
        try:
            national = extendable(*overlay.extended)
        except NothingToExtend as nothing:
            findings.append(_nothing(overlay, nothing))
        else:
            applied = apply_overlay(national, digest(national), overlay, made_for=made_for)
            document = applied.document
            findings += applied.findings
    problems = located(findings, tree, name)
    if wrong := [problem for problem in problems if not problem.is_warning]:
        raise PlanInvalid(in_order(wrong, name))
    assert document is not None, "nothing was said about additions that could not be applied"
    return LoadedOverlay(from_document(document), document, tuple(in_order(problems, name)), overlay)


def _read(tree: Tree) -> tuple[OverlayFile | None, list[Finding]]:
    findings = list(tree.findings)
    if not tree.is_whole:
        return None, findings
    told = {finding.path for finding in findings}
    overlay, shape = check_shape_of(OverlayFile, tree, OVERLAY_BRANCHES)
    findings += [finding for finding in shape if finding.path not in told]
    return (None if findings else overlay), findings


def _nothing(overlay: OverlayFile, nothing: NothingToExtend) -> Finding:
    params: dict[str, str | int] = {"value": overlay.extends, "where": nothing.where}
    code = "overlay_base_missing" if nothing.where else "overlay_base_unknown"
    if nothing.is_invalid:
        code = "overlay_base_invalid"
    return Finding(code, ("extends",), params, wrong=overlay.extends, known=nothing.known)


__all__ = [
    "Extendable",
    "LoadedOverlay",
    "NothingToExtend",
    "Problem",
    "load_overlay",
    "means_overlay",
]
