"""The golden files, and plans on paper."""

from __future__ import annotations

from pathlib import Path

from app.catalogue.loader import PlanInvalid, load_bytes
from app.catalogue.lock import Lock
from app.catalogue.problems import Problem
from app.resources import stepplans_dir

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = GOLDEN / "valid" / "small.yaml"
SPELLINGS = GOLDEN / "valid" / "spellings.yaml"
RELEASED = [stepplans_dir() / plan_id / f"{version}.yaml" for plan_id, version in Lock.read(stepplans_dir()).releases]

TINY = """
format: 1
plan: {id: klein, version: 1.0.0, title: Klein plan, purpose: {text: Klein zijn., addition: true}}
stages:
  - id: verkennen
    title: Verkennen
    goal: {text: Weten waar we staan., addition: true}
    why: {text: Dan weet u waar u begint., addition: true}
    gives: {text: Een overzicht., addition: true}
    steps:
      - {id: overzicht, title: Overzicht maken, goal: {text: Weten wat er al is., addition: true}}
    gate: {question: {text: Is het klaar?, addition: true}}
"""


def golden(folder: str) -> list[Path]:
    found = sorted((GOLDEN / folder).glob("*.yaml"))
    assert found, f"no golden files in {GOLDEN / folder}"
    return found


def problems_of(content: bytes | str, name: str = "plan.yaml") -> tuple[Problem, ...]:
    """What is wrong with a file that must not load."""
    try:
        load_bytes(content.encode() if isinstance(content, str) else content, name)
    except PlanInvalid as invalid:
        return invalid.problems
    raise AssertionError(f"{name} was taken for a good plan")


def codes_of(content: bytes | str) -> list[str]:
    return [problem.code for problem in problems_of(content)]


def told(problems: tuple[Problem, ...]) -> str:
    """As in the .txt beside a golden file: English, an empty line, Dutch."""
    english = [problem.sentence() for problem in problems]
    dutch = [problem.sentence_nl() for problem in problems]
    return "\n".join([*english, "", *dutch, ""])
