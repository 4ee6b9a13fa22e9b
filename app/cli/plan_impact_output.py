"""What `stappenplan impact` prints: as text, or as JSON. Everything as soon as it is known, so that nothing is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import typer

from app.cli.common import say
from app.engine.definition import StepPlan
from app.engine.errors import Reason
from app.engine.run import StageRef
from app.engine.run_migration.compare import Comparison
from app.storage.run_impact import RunImpact
from app.web.reasons import reason_text

# What is counted, and how the text says it: one and several.
COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "approvals": ("approval that no longer covers its stage", "approvals that no longer cover their stage"),
    "answers_again": ("answer to look at again", "answers to look at again"),
    "steps_again": ("finished step to look at again", "finished steps to look at again"),
    "answers_parked": ("answer set aside", "answers set aside"),
    "evidence_parked": ("piece of evidence set aside", "pieces of evidence set aside"),
    "others_parked": ("decision or stage set aside", "decisions and stages set aside"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """The version that runs would move to. `status`: draft, released or retired."""

    plan: StepPlan
    status: str


@dataclass(frozen=True, slots=True)
class Asked:
    """`comparisons`: from each version (by digest, oldest first) that leads to the newer one."""

    newer: Target
    comparisons: Mapping[str, Comparison]


@dataclass(slots=True)
class Totals:
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, impact: RunImpact) -> None:
        self.counts.update(
            runs=1, hit=int(impact.is_hit), cannot_move_now=int(bool(impact.blocked)), **_counted(impact)
        )

    def document(self) -> dict[str, int]:
        return {name: self.counts[name] for name in ("runs", "hit", "cannot_move_now", *COUNTED)}


def _counted(impact: RunImpact) -> dict[str, int]:
    return {
        "approvals": len(impact.approvals),
        "answers_again": impact.answers_again,
        "steps_again": impact.steps_again,
        "answers_parked": impact.answers_parked,
        "evidence_parked": impact.evidence_parked,
        "others_parked": impact.others_parked,
    }


class Writer(Protocol):
    def open(self) -> None: ...
    def begin(self, municipality: str) -> None: ...
    def run(self, impact: RunImpact) -> None:
        """Of a run that is hit, or cannot move now."""

    def end(self, totals: Totals) -> None: ...
    def close(self, totals: Totals) -> None: ...


class TextWriter:
    def __init__(self, asked: Asked) -> None:
        self.asked, self.municipalities = asked, 0

    def open(self) -> None:
        plan = self.asked.newer.plan
        say(f"{plan.title.nl}: to {plan.id}@{plan.version} ({self.asked.newer.status})  sha256:{plan.digest}")
        say(f"from {', '.join(each.old.version for each in self.asked.comparisons.values())}")

    def begin(self, municipality: str) -> None:
        self.municipalities += 1
        say(f"\n{municipality}")

    def run(self, impact: RunImpact) -> None:
        plan = self.asked.comparisons[impact.digest].old
        say(f"  {impact.name}  ({impact.version}, {impact.run_id})")
        if impact.stages:
            say(f"      in {'; '.join(_stage_name(plan, ref) for ref in impact.stages)}")
        for line in _count_words(_counted(impact)):
            say(f"      {line}")
        for reason in impact.blocked:
            say(f"      cannot move now: {_why(reason)}")

    def end(self, totals: Totals) -> None:
        say(f"  {_summary(totals)}")

    def close(self, totals: Totals) -> None:
        say(f"\nTotal of {_number(self.municipalities, 'municipality', 'municipalities')}: {_summary(totals)}")
        for line in _count_words(totals.counts):
            say(f"  {line}")


def _why(reason: Reason) -> str:
    """Without the plan, of which the English titles would be other names than the Dutch ones that stand beside it."""
    return reason_text(reason, "en")


def _stage_name(plan: StepPlan, ref: StageRef) -> str:
    words = [plan.stage(ref.stage).title.nl]
    if ref.domain is not None:
        words.append(plan.domains_by_id[ref.domain].title.nl)
    if ref.round > 1:
        words.append(f"round {ref.round}")
    return ", ".join(words)


def _count_words(counts: Mapping[str, int]) -> Iterator[str]:
    return (_number(counts[name], *words) for name, words in COUNTED.items() if counts.get(name))


def _summary(totals: Totals) -> str:
    counts = totals.counts
    words = f"{counts['hit']} of {_number(counts['runs'], 'run', 'runs')} hit"
    return f"{words}, {counts['cannot_move_now']} cannot move now" if counts["cannot_move_now"] else words


def _number(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


class JsonWriter:
    """One JSON document, printed piece by piece. Keys are stable; new ones may come.

    plan              id of the plan
    newer             {version, digest, status}: where runs would move to; draft, released or retired
    older             [{version, digest}]: the versions of which runs were looked at, oldest first
    municipalities    [{municipality, runs, totals}]
      runs            those that are hit or cannot move now, each
        run, name     id and name
        version       that it has
        stages        refs of the stages that are touched, as in addresses and in the words of that version
        approvals     those of them whose approval no longer covers them
        answers_again, steps_again, answers_parked, evidence_parked, others_parked: how many
        blocked       [{code, text}]: why it cannot move now
      totals          {runs, hit, cannot_move_now, approvals, answers_again, …} of the municipality
    totals            the same of all
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.before_run = self.before_municipality = ""

    def open(self) -> None:
        plan = self.asked.newer.plan
        head = {
            "plan": plan.id,
            "newer": {"version": plan.version, "digest": plan.digest, "status": self.asked.newer.status},
            "older": [{"version": each.old.version, "digest": id} for id, each in self.asked.comparisons.items()],
        }
        self._print(f'{_json(head)[:-1]}, "municipalities": [')

    def begin(self, municipality: str) -> None:
        self._print(f'{self.before_municipality}\n{{"municipality": {_json(municipality)}, "runs": [')
        self.before_run, self.before_municipality = "", ","

    def run(self, impact: RunImpact) -> None:
        self._print(f"{self.before_run}\n{_json(self._document(impact))}")
        self.before_run = ","

    def end(self, totals: Totals) -> None:
        self._print(f'], "totals": {_json(totals.document())}}}')

    def close(self, totals: Totals) -> None:
        self._print(f'\n], "totals": {_json(totals.document())}}}\n')

    def _document(self, impact: RunImpact) -> dict[str, Any]:
        return {
            "run": impact.run_id,
            "name": impact.name,
            "version": impact.version,
            "stages": [str(ref) for ref in impact.stages],
            **_counted(impact),
            "approvals": [str(ref) for ref in impact.approvals],
            "blocked": [{"code": each.code, "text": _why(each)} for each in impact.blocked],
        }

    def _print(self, text: str) -> None:
        typer.echo(text, nl=False)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
