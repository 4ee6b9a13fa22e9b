"""From a released plan and additions to the plan that comes out: values in, values out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from app.catalogue.build import Document
from app.catalogue.meaning import check_meaning
from app.catalogue.overlay.adding import add_all, check_ids
from app.catalogue.overlay.draft import Draft, parts_of
from app.catalogue.overlay.format import OverlayFile, overlay_document
from app.catalogue.overlay.setting import set_all
from app.catalogue.problems import Finding, Path, path_text
from app.catalogue.schema import ID_MAX, TITLE_MAX, PlanFile, document_of
from app.catalogue.sentences import WARNINGS
from app.catalogue.shape import check_shape_of
from app.catalogue.yaml_tree import Tree

# About the plan that is extended, and not of the plan that comes out: what it changed is told with its own version.
_OF_EXTENDED = ("changes", "allow_overlays")

_TITLES = {"nl": "{plan}, met aanvullingen van {by}", "en": "{plan}, with additions by {by}"}


@dataclass(frozen=True, slots=True)
class Applied:
    """`document` is None where `findings` (by their path in the additions) hold more than warnings."""

    document: Document | None
    findings: tuple[Finding, ...]


def apply_overlay(
    national: Document, digest: str, overlay: OverlayFile, *, made_for: Document | None = None
) -> Applied:
    """`digest` is that of the national plan. `made_for`: the version that the additions were made for, where that is
    another one; then what it has and `national` has not is told to be gone."""
    head = overlay_document(overlay)
    draft = Draft(_name(national), national)
    if made_for is not None:
        draft.before_name, draft.before = _name(made_for), {path for path, _ in parts_of(made_for)}
    draft.findings += check_ids(national, head.get("add", {}), overlay.overlay.prefix)
    if len(plan_id := f"{national['plan']['id']}-{overlay.overlay.id}") > ID_MAX:
        draft.tell("text_too_long", ("overlay", "id"), {"limit": ID_MAX - len(national["plan"]["id"]) - 1})
    head_of_plan = _head(national, plan_id, overlay)
    if (longest := max(map(len, head_of_plan["title"].values()))) > TITLE_MAX:
        draft.tell("text_too_long", ("overlay", "by"), {"limit": TITLE_MAX - longest + len(overlay.overlay.by)})
    of_extended = {key: draft.document.pop(key) for key in _OF_EXTENDED if key in draft.document}
    allowed = frozenset(of_extended.get("allow_overlays", {}).get("loosen", ()))
    set_all(draft, head, allowed)
    add_all(draft, head.get("add", {}))
    if any(finding.code not in WARNINGS for finding in draft.findings):
        return Applied(None, tuple(draft.findings))
    draft.document["plan"] = head_of_plan
    checked, findings = _check(draft)
    findings = [*draft.findings, *findings]
    if checked is None or any(finding.code not in WARNINGS for finding in findings):
        return Applied(None, tuple(findings))
    document = document_of(checked)
    if "changes" in of_extended:
        document["changes"] = of_extended["changes"]
    document["extends"] = {
        "plan": national["plan"]["id"],
        "version": national["plan"]["version"],
        "digest": digest,
        "title": national["plan"]["title"],
        "overlay": {key: value for key, value in head["overlay"].items() if key != "version"},
    }
    return Applied(document, tuple(findings))


def _name(document: Document) -> str:
    return f"{document['plan']['id']}@{document['plan']['version']}"


def _head(national: Document, plan_id: str, overlay: OverlayFile) -> Document:
    head = national["plan"]
    texts = head["title"] if isinstance(head["title"], dict) else {"nl": head["title"]}
    titles = {
        language: _TITLES[language].format(plan=text, by=overlay.overlay.by)
        for language, text in texts.items()
        if language in _TITLES
    }
    return {**head, "id": plan_id, "version": overlay.overlay.version, "title": titles}


def _check(draft: Draft) -> tuple[PlanFile | None, list[Finding]]:
    """All that is checked of any plan, told where it is in the additions."""
    checked, shape = check_shape_of(PlanFile, Tree(root=draft.document, lines=[""], is_whole=True))
    findings = [*shape, *check_meaning(draft.document)]
    return checked, _in_additions(draft, findings)


def _in_additions(draft: Draft, findings: Collection[Finding]) -> list[Finding]:
    ours: list[Finding] = []
    elsewhere: list[Finding] = []
    for finding in findings:
        path = _origin(draft, finding)
        params = dict(finding.params)
        if isinstance(first := params.get("first"), str):
            params["first"] = path_text(draft.origin(_path(first)) or _path(first))
        if path is not None:
            ours.append(replace(finding, path=path, params=params))
        elif finding.code not in WARNINGS:  # those are of the plan itself, and told with that
            elsewhere.append(replace(finding, path=("extends",), params=params))
    # What is wrong in the plan for want of something here is told only if nothing else explains it.
    return ours if any(finding.code not in WARNINGS for finding in ours) else [*ours, *elsewhere]


def _origin(draft: Draft, finding: Finding) -> Path | None:
    found = draft.origin(finding.path)
    if found is None and isinstance(circle := finding.params.get("value"), str) and " → " in circle:
        origins = (draft.origin_of_part(id) or draft.origin_of_part(f"decisions.{id}") for id in circle.split(" → "))
        found = next(filter(None, origins), None)
    return found


def _path(text: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in text.split("."))
