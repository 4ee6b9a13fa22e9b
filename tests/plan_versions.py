"""Three versions of the small plan: 1.1.0 asks nothing of people, 2.0.0 asks all there is to ask.

A file is JSON, which is YAML too.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.catalogue.loader import LoadedPlan, load_bytes

SMALL = Path("tests/golden/valid/small.yaml")
HOSTILE = '<img src=x onerror="alert(1)">'

Document = dict[str, Any]


def find(items: list[Document], id: str) -> Document:
    return next(item for item in items if item["id"] == id)


def question(document: Document, path: str) -> Document:
    stage, step, id = path.split("/")
    return find(find(find(document["stages"], stage)["steps"], step)["questions"], id)


def _version_1_1(document: Document) -> None:
    document["changes"] = {
        "since": "1.0.0",
        "summary": {"text": "Vragen zijn duidelijker. Er is een tip bij.", "addition": True},
        "cosmetic": ["verkennen/overzicht/naam"],
    }
    question(document, "verkennen/overzicht/naam")["text"] = "Hoe noemt u het overzicht?"
    question(document, "verkennen/overzicht/beschrijving")["help"] = "Noem ook wat er niet lukte."
    find(document["stages"], "verkennen")["tips"].append({"text": "Vraag het ook aan de balie.", "addition": True})


def _version_2(document: Document) -> None:
    _version_1_1(document)
    document["changes"] = {
        "since": "1.1.0",
        "summary": {"text": "Steun is nu een eigen stap. Voortaan kijken twee mensen mee.", "addition": True},
        "renamed": [{"before": "verkennen/overzicht/visie-bekend", "after": "verkennen/overzicht/bekend"}],
        "split": [{"before": "verkennen/overzicht", "after": ["verkennen/overzicht", "verkennen/steun"]}],
        "merged": [
            {
                "before": ["verkennen/overzicht/beschrijving", "verkennen/conclusie/eerst"],
                "after": "verkennen/overzicht/inhoud",
            }
        ],
        "reasons": [
            {"part": "verkennen/overzicht/inhoud", "text": "De oude vraag werd verschillend gelezen."},
            {"part": "werkgroep", "text": "Een werkgroep heeft haar eigen plan."},
        ],
    }
    stages = document["stages"]
    verkennen = find(stages, "verkennen")
    overzicht = find(verkennen["steps"], "overzicht")
    inhoud = question(document, "verkennen/overzicht/beschrijving")
    inhoud.update(id="inhoud", text=f"Wat staat erin en wat {HOSTILE} ontbreekt?")
    overzicht["questions"].remove(question(document, "verkennen/overzicht/datum"))
    question(document, "verkennen/overzicht/visie-bekend").update(
        {"id": "bekend", "text": "Wie kennen de visie, en sinds wanneer?"}
    )
    question(document, "verkennen/overzicht/aantal").update(maximum=2_000_000, required=True)
    question(document, "verkennen/overzicht/visie")["options"].append({"id": "deels", "title": "Deels"})
    draagvlak = question(document, "verkennen/overzicht/draagvlak")
    overzicht["questions"].remove(draagvlak)
    steun = {"id": "steun", "title": "Steun peilen", "goal": {"text": "Weten wie meedoet.", "addition": True}}
    waarom = {"id": "waarom", "text": "Waarom is er steun?", "type": "short_text", "required": True, "addition": True}
    verkennen["steps"].insert(1, {**steun, "questions": [draagvlak, waarom]})
    conclusie = find(verkennen["steps"], "conclusie")
    conclusie["questions"] = []
    conclusie["evidence"] = [{"kind": "besluit", "minimum": 1, "link": False}]
    verkennen["gate"]["approvals"] = 2
    document["grounds"].append({"id": "inkomen", "title": "Inkomen"})
    rondkomen = {"id": "rondkomen", "ground": "inkomen", "text": "We weten wie moet rondkomen.", "addition": True}
    verkennen["statements"].append(rondkomen)
    stages.remove(find(stages, "werkgroep"))
    find(stages, "beleid").pop("advised_after")
    find(stages, "beleid")["requires"].append({"decision": "bestaand-volstaat"})
    find(stages, "monitoren")["continuous"] = False


def _loaded(version: str, change: Callable[[Document], None]) -> LoadedPlan:
    document = json.loads(json.dumps(load_bytes(SMALL.read_bytes(), SMALL.name).document))
    document = copy.deepcopy(document)
    change(document)
    document["plan"]["version"] = version
    return load_bytes(json.dumps(document).encode(), f"{version}.yaml")


@cache
def small_versions() -> Mapping[str, LoadedPlan]:
    return {
        "1.0.0": load_bytes(SMALL.read_bytes(), SMALL.name),
        "1.1.0": _loaded("1.1.0", _version_1_1),
        "2.0.0": _loaded("2.0.0", _version_2),
    }


def write_versions(folder: Path) -> Path:
    """A folder with the three versions as drafts."""
    (folder / "klein-plan").mkdir(parents=True)
    for version, loaded in small_versions().items():
        (folder / "klein-plan" / f"{version}.yaml").write_text(json.dumps(loaded.document, indent=1))
    return folder
