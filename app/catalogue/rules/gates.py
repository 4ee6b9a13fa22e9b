"""Gates: whether the approvals that one asks for can ever be there."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalogue.problems import Finding
from app.catalogue.rules.parts import Part
from app.catalogue.schema import Gate

_APPROVERS = tuple(Gate.model_fields["approvers"].default)


def check(plan: Part) -> Iterator[Finding]:
    for stage in plan.each("stages"):
        yield from _quorum(stage.get("gate"))


def _quorum(gate: Part) -> Iterator[Finding]:
    approvers = tuple(each.text or "" for each in gate.each("approvers")) if gate.has("approvers") else _APPROVERS
    total, of_roles, seen = gate.get("approvals"), 0, set[str]()
    wanted = total.number if gate.has("approvals") else 1
    for each in gate.each("of_which"):
        role, number = each.get("role"), each.get("approvals")
        of_roles += int(number.number or 0) if each.has("approvals") else 1
        if role.text is None:
            continue
        if role.text in seen:
            yield Finding("quorum_role_twice", role.path, {"value": role.text})
        elif role.text not in approvers and "" not in approvers:
            yield Finding("quorum_role_unknown", role.path, {"value": role.text})
        seen.add(role.text)
    if wanted is None or of_roles == 0:
        return
    if of_roles > wanted:
        yield Finding("quorum_impossible", gate.get("of_which").path, {"value": of_roles, "limit": int(wanted)})
    elif of_roles == wanted:
        for each in gate.each("approvers"):
            if each.text and each.text not in seen:
                yield Finding("quorum_without_place", each.path, {"value": each.text})
