"""On which version of its plan an approval was given, when that is not the one that the run has now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.engine.run import Approval, Run, StageInstance
from app.engine.seal import Manifest


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """Of a plan; a run can have gone on with what its municipality made of that, which is another one."""

    plan_id: str
    version: str


@dataclass(frozen=True, slots=True)
class ApprovedOn:
    """`is_outdated`: the approval no longer covers what stands in the stage."""

    earlier: EarlierVersion
    is_outdated: bool


def earlier_versions(run: Run, instance: StageInstance, sealed: Mapping[str, Manifest]) -> dict[str, EarlierVersion]:
    """Of the decisions about an instance: the version by seal, where it is another than the present one. `sealed`: the
    manifests that were kept; without one the time of the decision tells."""
    found = {}
    for seal, at in _decided(instance):
        if seal in sealed:
            plan = sealed[seal]["plan"]
            digest, earlier = plan["digest"], EarlierVersion(plan["id"], plan["version"])
        else:
            digest, version = version_at(run, at)
            earlier = EarlierVersion(run.plan_id, version)
        if digest != run.plan_digest:
            found[seal] = earlier
    return found


def approved_on(instance: StageInstance, versions: Mapping[str, EarlierVersion]) -> ApprovedOn | None:
    """About the latest approval that was not withdrawn; None when it was given on the present version, or there is
    none. `versions`: of `earlier_versions`."""
    standing = [approval for approval in instance.approvals if approval.withdrawn_by is None]
    latest: Approval | None = standing[-1] if standing else None
    if latest is None or not instance.passed or latest.seal not in versions:
        return None
    return ApprovedOn(versions[latest.seal], instance.changed_since_approval)


def version_at(run: Run, at: datetime) -> tuple[str, str]:
    """Digest and version of the plan that a run had at a moment."""
    if not run.moves:
        return run.plan_digest, run.plan_version
    first = run.moves[0]
    in_force = first.from_digest, first.from_version
    changes = [(move.revision, move.at, (move.to_digest, move.to_version)) for move in run.moves]
    for move in run.moves:
        if move.undone_revision is not None and move.undone_at is not None:
            changes.append((move.undone_revision, move.undone_at, (move.from_digest, move.from_version)))
    for _, since, after in sorted(changes):
        if since < at:
            in_force = after
    return in_force


def _decided(instance: StageInstance) -> Iterator[tuple[str, datetime]]:
    if instance.decided:
        yield instance.decided.seal, instance.decided.at
    for approval in instance.approvals:
        yield approval.seal, approval.at
