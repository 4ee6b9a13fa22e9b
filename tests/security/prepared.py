"""A run in which everything that people can type holds a word to recognise it by, made through the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from app.policy import Role
from tests.features.client import PEOPLE, World
from tests.journey.visitor import Form, Visitor
from tests.journey.work import the_report

NOWHERE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Prepared:
    """`refs` are its stages, and `evidence` its pieces: a file, a link and a note that was withdrawn. `local_plans`
    are those of the municipality, `local_plan` the id of what comes out: one version was released, one is a draft."""

    run: str
    refs: tuple[str, ...]
    evidence: tuple[str, ...]
    local_plans: tuple[str, ...] = (NOWHERE,)
    local_plan: str = "klein-plan"
    advice: str = NOWHERE
    point: str = NOWHERE


def visitor(world: World, login: str) -> Visitor:
    world.browser(login)  # opens the session
    return Visitor(world.app, token=f"sessie-{login}")


REFS = ("verkennen.1", "beleid.wonen.1", "werkgroep.1", "uitvoeren.wonen.1")


@dataclass(frozen=True, slots=True)
class Begun:
    """A run with its first stage started, and nothing done yet. `run` is its address."""

    team: Visitor
    run: str

    @property
    def stage(self) -> str:
        return f"{self.run}/fasen/verkennen.1"

    @property
    def evidence_page(self) -> str:
        return f"{self.stage}/stappen/overzicht/bewijs"

    def prepared(self) -> Prepared:
        self.team.open(f"{self.run}/bewijsstukken")
        return Prepared(self.run.rsplit("/", 1)[1], REFS, tuple(dict.fromkeys(evidence_on(self.team))))


def begin(world: World, *, officer: str, manager: str, word: str) -> Begun:
    team = visitor(world, officer)
    team.open("/trajecten/nieuw")
    chosen = {"domeinen": "wonen", "team": world.users[officer], "leidinggevende": world.users[manager]}
    team.send("Traject starten", {**chosen, **texts(team.form_with("Traject starten"), word)})
    begun = Begun(team, team.here)
    team.open(begun.stage)
    team.send("Begin met deze fase")
    return begun


def prepare(world: World, *, officer: str, manager: str, word: str) -> Prepared:
    """`word` is in every text: names, purpose, answers, reasons, messages, evidence."""
    begun = begin(world, officer=officer, manager=manager, word=word)
    team, chief, stage = begun.team, visitor(world, manager), begun.stage
    evidence = [add_evidence(team, begun.evidence_page, way, word) for way in WAYS]
    team.open(f"{begun.run}/bewijsstukken/{evidence[-1]}")
    team.send("Intrekken", texts(team.form_with("Intrekken"), word))
    fill_step(team, f"{stage}/stappen/overzicht", {"antwoord.visie": "ja", "antwoord.draagvlak": "yes"}, word)
    fill_step(team, f"{stage}/stappen/conclusie", {}, word)
    answers = {"antwoord.jong-en-oud": "partly", "antwoord.stapeling": "unknown"}
    fill_step(team, f"{stage}/checklist", answers, word, button="Checklist afronden")
    ask(team, stage, word)
    chief.open(f"{stage}/beoordelen")
    chief.send("Terugsturen", {"reden.overzicht": f"Kijk nog eens {word}"})
    fill_step(team, f"{stage}/stappen/overzicht", {"antwoord.naam": f"Beter {word}"}, word)
    ask(team, stage, word)
    chief.open(f"{stage}/beoordelen")
    condition = {"voorwaarde.1": f"Mits {word}", "eigenaar.1": world.users[officer], "datum.1": "2027-03-01"}
    chief.send("Akkoord met voorwaarden", {"opmerking": f"Goed zo {word}", **condition})
    point = see_to_the_point(begun, chief, word)
    go_around(begun, chief, word)
    advice = advise(world, begun, officer, word)
    return Prepared(begun.run.rsplit("/", 1)[1], REFS, tuple(evidence), advice=advice, point=point)


def see_to_the_point(begun: Begun, chief: Visitor, word: str) -> str:
    """A condition of the approval that its owner reports, that goes back, and gets another date. Gives its id."""
    team = begun.team
    team.open(begun.stage)
    [point] = set(re.findall(r"/open-punten/([0-9a-f-]{36})", team.page.text))
    address = f"{begun.stage}/open-punten/{point}"
    team.open(address)
    team.send("Meld als klaar", {"gedaan": f"Gedaan {word}"})
    chief.open(address)
    chief.send("Geef terug", {"reden": f"Nog niet {word}"})
    chief.open(address)
    chief.send("Opslaan", {"datum": "2027-04-01", "waarom": f"Meer tijd {word}"})
    return str(point)


def advise(world: World, begun: Begun, officer: str, word: str) -> str:
    """The run is shared with the adviser of the municipality, who gives advice that the team answers. Gives its id."""
    login = somebody(PEOPLE[officer][1], Role.ADVISER)
    team, adviser = begun.team, visitor(world, login)
    team.open(f"{begun.run}/advies/delen")
    team.send("Delen", {"adviseur": world.users[login], "vraag": f"Wat vindt u {word}"})
    adviser.open(f"{begun.run}/advies/geven")
    adviser.send("Advies versturen", {"fase": "verkennen.1", "advies": f"Ons advies {word}"})
    team.open(f"{begun.run}/advies")
    [advice] = set(re.findall(r"/advies/([0-9a-f-]{36})/antwoord", team.page.text))
    team.open(f"{begun.run}/advies/{advice}/antwoord")
    team.send("Antwoord opslaan", {"gevolg": "partly", "reden": f"Deels gedaan {word}"})
    return str(advice)


def somebody(municipality: str, role: Role) -> str:
    """The login of a person with this role there."""
    return next(login for login, (_, place, held) in PEOPLE.items() if (place, held) == (municipality, role))


def prepare_all(world: World, *, officer: str, manager: str, word: str) -> Prepared:
    """A run, and step plans of the municipality."""
    prepared = prepare(world, officer=officer, manager=manager, word=word)
    municipality = PEOPLE[officer][1]
    plans = add_local_plans(world, municipality, word)
    return replace(prepared, local_plans=plans, local_plan=f"klein-plan-{municipality.lower()}")


OVERLAY = """
format: 1
overlay: {{id: {id}, version: {version}, title: Titel {word}, purpose: Doel {word}, by: {by}, prefix: xx}}
extends: klein-plan@1.0.0
add:
  questions:
    - {{id: xx-vraag, step: verkennen/overzicht, text: Vraag {word}?, type: short_text, addition: true}}
"""


def add_local_plans(world: World, municipality: str, word: str) -> tuple[str, ...]:
    """By its administrator: one is released, the next one stays a draft."""
    person = visitor(world, somebody(municipality, Role.ADMINISTRATOR))
    found = []
    for version in ("1.0.0", "1.1.0"):
        person.open("/beheer/stappenplannen/toevoegen")
        text = OVERLAY.format(id=municipality.lower(), version=version, word=word, by=f"{municipality} {word}")
        person.send("Controleren en bewaren als concept", {"tekst": text})
        found.append(person.here.rsplit("/", 1)[1])
    person.open(f"/beheer/stappenplannen/{found[0]}")
    person.send("Versie 1.0.0 vaststellen", {"reden": f"Reden {word}"})
    return tuple(found)


def go_around(begun: Begun, chief: Visitor, word: str) -> None:
    """A stage that is skipped, a decision that takes the place of one, and one that starts against the advice."""
    team, run = begun.team, begun.run
    team.open(run)
    token = team.forms()[0].values["csrf_token"]
    reason = {"csrf_token": token, "based_on": "not-begun", "reden": f"Niet nodig {word}"}
    team.page = team.client.post(f"{run}/fasen/werkgroep.1/overslaan", data=reason)
    team.reads("Overgeslagen")
    chief.open(run)
    chief.send("Besluit vastleggen", texts(chief.form_with("Besluit vastleggen"), word))
    team.open(f"{run}/fasen/beleid.wonen.1")
    team.send("Begin met deze fase", texts(team.form_with("Begin met deze fase"), word))
    fill_step(team, f"{run}/fasen/beleid.wonen.1/stappen/tekst", {}, word, button="Opslaan")


WAYS = ("bestand", "link", "notitie")


def add_evidence(team: Visitor, address: str, way: str, word: str) -> str:
    team.open(f"{address}?vorm={way}")
    typed = texts(team.form_with("Toevoegen"), word)
    if way == "link":
        typed["adres"] = "https://raad.example.nl/" + word.replace(" ", "-")
    files = [(f"{word}.pdf", the_report())] if way == "bestand" else []
    seen = set(evidence_on(team))
    team.send("Toevoegen", {**typed, "soort": "verslag"}, files=files)
    return next(id for id in evidence_on(team) if id not in seen)


def evidence_on(team: Visitor) -> list[str]:
    found: list[str] = re.findall(r"/bewijsstukken/([0-9a-f-]{36})", team.page.text)
    return found


def fill_step(
    team: Visitor, address: str, answers: dict[str, str], word: str, *, button: str = "Stap afronden"
) -> None:
    team.open(address)
    team.send(button, {**texts(team.form_with(button), word), **answers})


def ask(team: Visitor, stage: str, word: str) -> None:
    team.open(f"{stage}/akkoord-vragen")
    team.send("Akkoord vragen", {"bericht": f"Graag uw oordeel {word}"})


def texts(form: Form, word: str) -> dict[str, str]:
    """For every field of the form in which one types: the word, or what such a field takes."""
    return {name: PLAIN.get(kind, f"{name.rsplit('.', 1)[-1]} {word}") for name, kind in form.text_fields.items()}


PLAIN = {"date": "2026-11-20", "decimal": "12", "numeric": "12", "url": "https://raad.example.nl/stuk"}
