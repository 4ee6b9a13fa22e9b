"""What an approval seals: a manifest of commitments, and the digest over it.

The manifest names each answer and each piece of evidence by its commitment, and each open point with its owner, date
and state, so it holds no text; whoever has a text and its salt can show that it was part of what was approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.answers import canonical
from app.engine.points import Point, PointState
from app.engine.run import Run, StageRef

Manifest = dict[str, Any]


def manifest(run: Run, ref: StageRef) -> Manifest:
    """The content of one stage instance in a form that JSON can hold. All of its steps must be loaded.

    Format 1 says that there is no open point and format 2 names them all, so every content has one form: what was
    sealed before there were open points is rebuilt byte for byte."""
    instance = run.stages[ref]
    assert instance.loaded is None, "a seal covers all steps"
    points = {point.id: _sealed(point) for point in sorted(instance.points, key=lambda p: p.id) if point.counts}
    return {
        "format": 2 if points else 1,
        "run": run.id,
        "plan": {"id": run.plan_id, "version": run.plan_version, "digest": run.plan_digest},
        "stage": str(ref),
        "early_reason": instance.early_reason,
        "steps": {
            id: {
                "answers": {q: mark.commitment for q, mark in sorted(state.answers.items()) if mark.is_filled},
                "evidence": {item.id: item.commitment for item in state.evidence if item.counts},
            }
            for id, state in sorted(instance.steps.items())
            if not state.is_empty
        },
        **({"points": points} if points else {}),
    }


def _sealed(point: Point) -> dict[str, str | None]:
    """A proposed condition is sealed as the open point that it becomes once enough people agree."""
    state = PointState.OPEN if point.state is PointState.PROPOSED else point.state
    return {
        "text": point.text,
        "owner": point.owner,
        "due": point.due.isoformat(),
        "state": state.value,
        "report": point.report,
        "returned": point.returned,
    }


def digest(content: Manifest) -> str:
    """SHA-256 (hex) of the canonical manifest."""
    return hashlib.sha256(canonical(content)).hexdigest()


def seal(run: Run, ref: StageRef) -> str:
    return digest(manifest(run, ref))


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer or piece of evidence that differs between two manifests; None where it is absent."""

    step: str
    kind: str
    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PointDifference:
    """An open point that differs between two manifests: what each says of it, None where it is absent."""

    id: str
    before: Mapping[str, str | None] | None
    after: Mapping[str, str | None] | None


def point_differences(before: Manifest, after: Manifest) -> list[PointDifference]:
    old, new = before.get("points", {}), after.get("points", {})
    ids = sorted({*old, *new})
    return [PointDifference(id, old.get(id), new.get(id)) for id in ids if old.get(id) != new.get(id)]


def differences(before: Manifest, after: Manifest) -> list[Difference]:
    """What changed between two manifests of the same stage instance, in step order."""
    found = []
    empty: dict[str, dict[str, str]] = {"answers": {}, "evidence": {}}
    for step in sorted({*before["steps"], *after["steps"]}):
        old, new = before["steps"].get(step, empty), after["steps"].get(step, empty)
        for kind in ("answers", "evidence"):
            for key in sorted({*old[kind], *new[kind]}):
                if old[kind].get(key) != new[kind].get(key):
                    found.append(Difference(step, kind, key, old[kind].get(key), new[kind].get(key)))
    return found
