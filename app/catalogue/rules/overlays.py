"""What a plan allows in additions to it: each part that may be loosened is there."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalogue.problems import Finding
from app.catalogue.rules.changes import Parts
from app.catalogue.rules.parts import Part


def check(plan: Part) -> Iterator[Finding]:
    allowed = plan.get("allow_overlays")
    if isinstance(allowed.value, dict):
        parts = Parts.of(plan)
        for part in allowed.each("loosen"):
            yield from parts.unknown(part)
