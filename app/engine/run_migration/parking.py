"""Setting aside what has no place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.engine.answers import canonical
from app.engine.definition import Decision, StepPlan
from app.engine.run import Parked, ParkedKind, ParkedWhy, StageInstance, StageRef
from app.engine.run_migration.items import meaning_of


def decision_meaning(decision: Decision) -> str:
    """A digest of what a decision says and who takes it, so that one that was taken can return to the same."""
    return hashlib.sha256(canonical([decision.title.nl, decision.taken_by])).hexdigest()[:16]


class Parking:
    """`plan` is the version in which everything has its place so far; `id` begins the ids of what is parked."""

    def __init__(self, plan: StepPlan, id: str) -> None:
        self.plan, self.id = plan, id
        self.parked: list[Parked] = []

    def next_id(self) -> str:
        return f"{self.id}.{len(self.parked) + 1:04}"

    def park(
        self,
        kind: ParkedKind,
        why: ParkedWhy,
        ref: StageRef | None,
        step: str | None = None,
        key: str = "",
        **what: Any,
    ) -> None:
        type, meaning = "", ""
        if kind is ParkedKind.ANSWER and ref is not None and step is not None:
            question = self.plan.stage(ref.stage).step(step).question(key)
            type, meaning = question.type.value, meaning_of(question)
        elif kind is ParkedKind.DECISION:
            meaning = decision_meaning(self.plan.decisions_by_id[key])
        self.parked.append(
            Parked(
                id=self.next_id(),
                kind=kind,
                why=why,
                plan_version=self.plan.version,
                plan_digest=self.plan.digest,
                ref=ref,
                step=step,
                key=key,
                type=type,
                meaning=meaning,
                **what,
            )
        )

    def adopt(self, parked: Iterable[Parked], why: ParkedWhy) -> None:
        """What was parked elsewhere, under an id of this row."""
        for item in parked:
            self.parked.append(replace(item, id=self.next_id(), why=why))

    def park_stage(self, instance: StageInstance, why: ParkedWhy) -> None:
        """A stage with all that stands in it."""
        for step, state in sorted(instance.steps.items()):
            for question, mark in sorted(state.answers.items()):
                if mark.is_filled:
                    self.park(
                        ParkedKind.ANSWER, why, instance.ref, step, question, answer=mark, workers=instance.contributors
                    )
            for item in state.evidence:
                self.park(ParkedKind.EVIDENCE, why, instance.ref, step, item.id, evidence=item)
            if state.finding is not None:
                self.park(ParkedKind.TEXT, why, instance.ref, step, state.finding)
        self.park(ParkedKind.STAGE, why, instance.ref, stage=replace(instance, steps={}, request=None))
