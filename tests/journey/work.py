"""What the team of the journey fills in: the first stage of the real plan, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import typst

from app.catalogue.loader import LoadedPlan, load_bytes
from app.engine.run import StageRef
from app.resources import stepplans_dir

PLAN = stepplans_dir() / "inclusief-beleid" / "1.0.0.yaml"
STAGE = StageRef.parse("verkennen.1")

NAME = "Ouder worden in de wijk"
PURPOSE = "Ouderen wonen prettig, en wie nu niet meedoet, doet straks wel mee."
MESSAGE = "Wij spraken twaalf bewoners; kijkt u vooral naar de conclusie."
FINDING = "Noem ook wie wij nog niet spraken: jonge mantelzorgers."
FIRST_CONCLUSION = "De woonvisie wordt toch herzien; daarom volgt nu de visie."
MENDED = "De woonvisie wordt toch herzien; daarom volgt nu de visie, en spreken wij jonge mantelzorgers."
REMARK = "Helder verhaal, ga zo door."
FILE_NAME = "verslag wijkgesprek.pdf"
FILE_TITLE = "Verslag van het wijkgesprek"
LINK = "https://raad.example.nl/woonvisie-2024"
LINK_TITLE = "Woonvisie op de site van de raad"
UNKNOWN_REASON = "Wij weten het niet; in januari vragen wij het aan de adviesraad."

# Step -> field -> what is typed or chosen. Only what the step requires, and some more.
ANSWERS: Mapping[str, Mapping[str, str | list[str]]] = {
    "aanleiding": {
        "antwoord.herkomst": ["inwoners", "raad"],
        "antwoord.aanleiding": "De raad vroeg erom nadat ouderen vertelden dat zij nergens terechtkunnen.",
        "antwoord.einddatum": "2027-03-01",
    },
    "bestaand-beleid": {
        "antwoord.overzicht.rij.0.stuk": "Woonvisie 2024",
        "antwoord.overzicht.rij.0.soort": "beleid",
        "antwoord.overzicht.rij.0.domein": "Wonen",
        "antwoord.overzicht.rij.0.kans": "verbreden",
        "antwoord.afdelingen": "3",
    },
    "signalen": {
        "antwoord.bronnen": ["gesprekken", "adviesraad"],
        "antwoord.aantal-gesprekken": "12",
        "antwoord.buiten-de-boot": "Ouderen met weinig geld, en wie de brieven niet kan lezen.",
    },
    "stand-van-zaken": {
        "antwoord.visie": "geen",
        "antwoord.steun.rij.0.wie": "collegas",
        "antwoord.steun.rij.0.steun": "wisselend",
    },
    "conclusie": {
        "antwoord.ontbrekend.rij.0.perspectief": "Ouderen die thuis zitten",
        "antwoord.volgende-stap": ["visie"],
        "antwoord.waarom": FIRST_CONCLUSION,
    },
}
# Every statement gets this answer, except that one of them is unknown: an answer too.
UNKNOWN = "geld-als-drempel"


@cache
def the_real_plan() -> LoadedPlan:
    return load_bytes(PLAN.read_bytes(), PLAN.name)


@cache
def the_report() -> bytes:
    """A document as a word processor exports it, with text on its page."""
    content: bytes = typst.compile(b"= Wijkgesprek\nTwaalf bewoners vertelden wat zij missen.", format="pdf")
    return content


def statements() -> list[str]:
    return [statement.id for statement in the_real_plan().plan.stage(STAGE.stage).statements]
