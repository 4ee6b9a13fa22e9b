"""Newer versions of the small plan, made by editing its text."""

from __future__ import annotations

from functools import cache

from app.catalogue.loader import LoadedPlan, load_bytes
from app.storage import plans
from tests.features.accounts.building import MONDAY
from tests.features.client import SMALL, World

HEAD = "  purpose: {text: Laat elk onderdeel van het formaat zien., addition: true}\n"

# 1.1.0 asks nothing: other words, declared to mean the same, and an optional question.
COSMETIC = [
    ("text: Wat staat erin?", "text: Wat staat er in het overzicht?"),
    (
        "          - {id: datum, text: Wanneer was de laatste?, type: date, addition: true}\n",
        "          - {id: datum, text: Wanneer was de laatste?, type: date, addition: true}\n"
        "          - {id: bron, text: Uit welke bron komt dit?, type: short_text, addition: true}\n",
    ),
]
CHANGES_1_1 = """changes:
  since: 1.0.0
  summary: {text: Een vraag is duidelijker en u kunt de bron noemen., addition: true}
  cosmetic: [verkennen/overzicht/beschrijving]
"""

# 2.0.0 asks something: a question with another meaning, one that is gone, one with another name, a new required one.
MEANING = [
    ("text: Is er al een visie?", "text: Heeft de raad al een visie vastgesteld?"),
    (
        "          - {id: aantal, text: Hoeveel besluiten?, type: number, unit: besluiten, minimum: 0, "
        "maximum: 1000, addition: true}\n",
        "",
    ),
    ("{id: naam, text: Hoe heet het overzicht?", "{id: titel, text: Hoe heet het overzicht?"),
    (
        "          - {id: eerst, text: Wat komt eerst?, type: long_text, required: true, addition: true}\n",
        "          - {id: eerst, text: Wat komt eerst?, type: long_text, required: true, addition: true}\n"
        "          - {id: waarom, text: Waarom komt dat eerst?, type: long_text, required: true, addition: true}\n",
    ),
]
CHANGES_2 = """changes:
  since: 1.0.0
  summary: {text: De visie telt pas als de raad die vaststelde., addition: true}
  renamed:
    - {before: verkennen/overzicht/naam, after: verkennen/overzicht/titel}
  reasons:
    - {part: verkennen/overzicht/visie, text: Een losse notitie bleek niet genoeg.}
"""


# 3.0.0 has one stage less.
WITHOUT_GROUP = [("      - {stage: werkgroep, why: {text: Samen lukt het beter., sources: [S1]}}\n", "")]
CHANGES_3 = """changes:
  since: 1.0.0
  summary: {text: De werkgroep is geen aparte fase meer., addition: true}
"""
VERSIONS = {"1.1.0": (COSMETIC, CHANGES_1_1), "2.0.0": (MEANING, CHANGES_2), "3.0.0": (WITHOUT_GROUP, CHANGES_3)}


@cache
def a_version(version: str) -> LoadedPlan:
    """1.1.0, 2.0.0 or 3.0.0."""
    edits, changes = VERSIONS[version]
    text = SMALL.read_text().replace("version: 1.0.0", f"version: {version}").replace(HEAD, f"{HEAD}\n{changes}")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    if version == "3.0.0":
        start, end = text.index("  - id: werkgroep\n"), text.index("  - id: monitoren\n")
        text = (text[:start] + text[end:]).replace("    advised_after:\n    steps:", "    steps:")
    return load_bytes(text.encode(), f"{version}.yaml")


def release(world: World, *versions: str) -> None:
    with world.database.write() as session:
        plans.pin(session, [a_version(version) for version in versions], at=MONDAY)
