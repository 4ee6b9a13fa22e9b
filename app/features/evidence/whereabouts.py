"""Where a piece of evidence is, in the words of the version of the plan that it belongs to; also what was set aside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from sqlmodel import Session

from app.engine import guards
from app.engine.definition import EvidenceKind, Ground, Stage, StepPlan, Text
from app.engine.guards import NoSuchPart
from app.engine.run import EvidenceId, Parked, Run
from app.storage.evidence_store import Evidence
from app.storage.plans import load_plans

T = TypeVar("T")
Part = TypeVar("Part", EvidenceKind, Stage, Ground)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Titles of where evidence is, or was when it was set aside (`parked`). `has_step`: the present plan has that step,
    so that its page can be opened."""

    stage: Text
    domain: Text | None
    round: int
    step: Text
    kind: Text
    grounds: tuple[Text, ...]
    parked: Parked | None
    has_step: bool


@dataclass(frozen=True)
class Versions:
    """The versions of the plan that a run had, its present one first."""

    run: Run
    plans: Mapping[str, StepPlan]

    @property
    def present(self) -> StepPlan:
        return self.plans[self.run.plan_digest]

    @cached_property
    def parked(self) -> Mapping[EvidenceId, Parked]:
        return {item.evidence.id: item for item in self.run.parked if item.evidence}

    def kinds(self) -> list[EvidenceKind]:
        """All that evidence of this run can be of; the same goes for stages and grounds."""
        return [*_by_id(kind for plan in self.plans.values() for kind in plan.evidence_kinds).values()]

    def stages(self) -> list[Stage]:
        return [*_by_id(stage for plan in self.plans.values() for stage in plan.stages).values()]

    def grounds(self) -> list[Ground]:
        return [*_by_id(ground for plan in self.plans.values() for ground in plan.grounds).values()]

    def whereabouts(self, evidence: Evidence) -> Whereabouts:
        parked, ref, step = self.parked.get(evidence.id), evidence.ref, evidence.step
        own = self.plans[parked.plan_digest] if parked else self.present
        plans = (own, *(plan for plan in self.plans.values() if plan is not own))
        domains = [plan.domains_by_id for plan in plans]
        steps = [plan.stages_by_id[ref.stage].steps_by_id for plan in plans if ref.stage in plan.stages_by_id]
        return Whereabouts(
            stage=_title([plan.stages_by_id for plan in plans], ref.stage, lambda stage: stage.title),
            domain=_title(domains, ref.domain, lambda domain: domain.title) if ref.domain else None,
            round=ref.round,
            step=_title(steps, step, lambda found: found.title),
            kind=_title(
                [plan.evidence_kinds_by_id for plan in plans], evidence.described.kind, lambda kind: kind.title
            ),
            grounds=tuple(
                _title([plan.grounds_by_id for plan in plans], ground, lambda found: found.title)
                for ground in evidence.described.grounds
            ),
            parked=parked,
            has_step=parked is None and self._has_step(evidence),
        )

    def _has_step(self, evidence: Evidence) -> bool:
        try:
            guards.find_step(self.present, self.run, evidence.ref, evidence.step)
        except NoSuchPart:
            return False
        return True


def versions_of(session: Session, plan: StepPlan, run: Run) -> Versions:
    """Asks nothing for a run that never moved."""
    digests = [digest for move in run.moves for digest in (move.from_digest, move.to_digest)]
    digests += [item.plan_digest for item in run.parked]
    others = {digest for digest in digests if digest != plan.digest}
    return Versions(run, {plan.digest: plan, **_loaded(session, others)})


def _loaded(session: Session, digests: Collection[str]) -> dict[str, StepPlan]:
    return dict(sorted(load_plans(session, digests).items())) if digests else {}


def _by_id(parts: Iterable[Part]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for part in parts:
        found.setdefault(part.id, part)
    return found


def _title(versions: Iterable[Mapping[str, T]], id: str, title: Callable[[T], Text]) -> Text:
    """In the first version that knows it; else a readable form of the id."""
    found = next((version[id] for version in versions if id in version), None)
    return title(found) if found is not None else Text(id.replace("-", " ").capitalize())
