"""What moving one run of many would do, or why it cannot: the same for the preview and for carrying it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from app.catalogue.versions import precedence
from app.engine.errors import Blocked, Reason
from app.engine.run import ParkedKind, Run
from app.engine.run_migration import moves
from app.engine.run_migration.items import Choice, RunMigration, plan_run_migration
from app.engine.run_migration.outcome import Outcome
from app.storage.plan_routes import comparison

PREVIEW = "proef"
"""Stands for the id of a move that has not happened; it is no part of what the outcome's digest covers."""

PAST_IT = "mass_past_it"
PROPOSED_BEFORE = "mass_proposed_before"
CHANGED = "mass_changed"
RUN_GONE = "mass_run_gone"


@dataclass(frozen=True, slots=True)
class Target:
    plan_id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Decided:
    migration: RunMigration
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers and pieces of evidence: as they are, to be looked at again, set aside."""

    stays: int
    again: int
    parked: int

    @classmethod
    def of(cls, decided: Decided) -> Counts:
        choices = decided.outcome.choices.values()
        again = sum(choice is Choice.AGAIN for choice in choices)
        parked = sum(item.kind in (ParkedKind.ANSWER, ParkedKind.EVIDENCE) for item in decided.outcome.parked)
        return cls(max(0, _given(decided.migration.run) - again - parked), again, parked)


def _given(run: Run) -> int:
    steps = [step for instance in run.stages.values() for step in instance.steps.values()]
    answers = sum(mark.is_filled for step in steps for mark in step.answers.values())
    return answers + sum(item.counts for step in steps for item in step.evidence)


def decide(session: Session, run: Run, target: Target, *, move: str = PREVIEW) -> Decided:
    """With the choices that are proposed by themselves.  Raises Blocked."""
    if run.plan_id != target.plan_id or precedence(run.plan_version) >= precedence(target.version):
        raise Blocked("move_run", [Reason(PAST_IT, params={"version": run.plan_version})])
    if run.proposal is not None:
        # People made choices already; taking what is proposed by itself would undo them behind their backs.
        raise Blocked("move_run", [Reason(PROPOSED_BEFORE, params={"version": run.proposal.to_version})])
    migration = plan_run_migration(run, comparison(session, run.plan_digest, target.digest))
    return Decided(migration, moves.decide_outcome(migration, {}, {}, move=move))


def reason_told(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "stage": reason.stage,
        "step": reason.step,
        "question": reason.question,
        "params": dict(reason.params),
    }


def reason_read(told: Mapping[str, Any]) -> Reason:
    return Reason(told["code"], told["stage"], told["step"], told["question"], told["params"])
