"""The plans to measure with: the released one, and two that differ in their number of steps only."""

from __future__ import annotations

import json
from typing import Any

from app.catalogue.loader import LoadedPlan, load_bytes
from app.resources import stepplans_dir

MAIN_PLAN = "inclusief-beleid/1.0.0.yaml"
STAGES_OF_SCALED = 10


def main_plan() -> LoadedPlan:
    path = stepplans_dir() / MAIN_PLAN
    return load_bytes(path.read_bytes(), str(path))


def scaled_plan(steps: int) -> LoadedPlan:
    """Ten stages that share the steps; every step asks the same, so that only their number differs."""
    assert steps % STAGES_OF_SCALED == 0, steps
    name = f"meetplan-{steps}.yaml"
    return load_bytes(json.dumps(_document(steps), ensure_ascii=False, indent=1).encode(), name)


def _document(steps: int) -> dict[str, Any]:
    return {
        "format": 1,
        "plan": {
            "id": f"meetplan-{steps}",
            "version": "1.0.0",
            "title": f"Meetplan met {steps} stappen",
            "purpose": _ours("Meten of een stap afronden evenveel kost in een groot plan."),
        },
        "grounds": [{"id": "leeftijd", "title": "Leeftijd"}],
        "stages": [_stage(number, steps // STAGES_OF_SCALED) for number in range(1, STAGES_OF_SCALED + 1)],
    }


def _stage(number: int, steps: int) -> dict[str, Any]:
    return {
        "id": f"fase-{number}",
        "title": f"Fase {number}",
        "goal": _ours("Een doel."),
        "why": _ours("Een reden."),
        "gives": _ours("Een opbrengst."),
        "steps": [_step(each) for each in range(1, steps + 1)],
        "gate": {"question": _ours("Is het klaar?")},
    }


def _step(number: int) -> dict[str, Any]:
    return {
        "id": f"stap-{number}",
        "title": f"Stap {number}",
        "goal": _ours("Wat deze stap oplevert."),
        "questions": [
            {"id": "wat", "text": "Wat is er gedaan?", "type": "long_text", "required": True, "addition": True},
            {"id": "wie", "text": "Wie deed het?", "type": "short_text", "addition": True},
            {"id": "steun", "text": "Is er steun?", "type": "assessment", "addition": True},
            {"id": "wanneer", "text": "Wanneer was dat?", "type": "date", "addition": True},
        ],
    }


def _ours(text: str) -> dict[str, Any]:
    return {"text": text, "addition": True}
