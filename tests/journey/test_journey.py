"""The whole job over plain HTTP, without scripts, on both databases: from starting a run to the auditor's report.

Forms are sent with what the pages really put in them, so a page that cannot be used fails here.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # the package says nothing about types
import pytest

from app.storage.database import Database
from app.storage.verify import verify_all
from tests.features.client import World, a_world
from tests.journey import work
from tests.journey.visitor import Visitor

NO_STATEMENT_ANSWERED = "Stellingen van de checklist zonder antwoord: 10."


@dataclass
class Team:
    """Everybody who is signed in, each with a browser of their own; `run` is the address of what they work on."""

    world: World
    anna: Visitor
    run: str

    def somebody(self, login: str) -> Visitor:
        visitor = Visitor(self.world.app)
        visitor.sign_in(login)
        return visitor

    @property
    def stage(self) -> str:
        return f"{self.run}/fasen/{work.STAGE}"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, plan=work.the_real_plan(), data_dir=tmp_path / "data")


def test_a_policy_goes_from_start_to_report(world: World):
    team = start_a_run(world)
    start_the_stage(team)
    is_refused_while_nothing_is_done(team)
    is_refused_while_something_is_missing_in_a_step(team)
    add_a_file_and_a_link(team)
    complete_the_steps(team)
    is_refused_while_the_checklist_is_open(team)
    complete_the_checklist(team)
    request_approval(team)
    cannot_decide_about_own_work(team)
    send_back_with_a_reason(team)
    mend_and_ask_again(team)
    approve(team)
    download_as_auditor(team)
    history_tells_it(team)
    other_municipality_finds_nothing(team)
    history_agrees_with_the_tables(team)


def start_a_run(world: World) -> Team:
    anna = Visitor(world.app)
    anna.sign_in("anna")
    anna.follow("Traject starten")
    anna.send(
        "Traject starten",
        {
            "naam": work.NAME,
            "doel": work.PURPOSE,
            "domeinen": ["wonen", "zorg-en-welzijn"],
            "team": [world.users["anna"], world.users["bram"]],
            "leidinggevende": world.users["carla"],
        },
    )
    anna.reads(work.NAME, "Het traject is gestart.", "Wat is nu wijs")
    return Team(world, anna, anna.here)


def start_the_stage(team: Team) -> None:
    team.anna.follow("Verkennen")
    assert team.anna.here == team.stage
    team.anna.send("Begin met deze fase")
    team.anna.reads("De fase is begonnen.", "Voordat u akkoord kunt vragen, moet dit klaar zijn:")


def is_refused_while_nothing_is_done(team: Team) -> None:
    """The page offers no button and says why; asking all the same is refused with the same reasons."""
    anna, address = team.anna, f"{team.stage}/akkoord-vragen"
    anna.open(address)
    assert not [form for form in anna.forms() if form.action == address]
    reasons = (
        "Stap nog niet klaar: Aanleiding en startpunt",
        "Stap nog niet klaar: Ontbrekende stemmen en volgende stap",
        NO_STATEMENT_ANSWERED,
    )
    anna.reads(*reasons)
    token = anna.forms()[0].values["csrf_token"]
    data = {"csrf_token": token, "shown": "0" * 64, "revision": "2", "bericht": work.MESSAGE}
    anna.page = anna.client.post(address, data=data)
    assert anna.page.status_code == 409
    anna.reads("Dit is niet vastgelegd", *reasons)


def is_refused_while_something_is_missing_in_a_step(team: Team) -> None:
    """Nothing that was typed is lost by it."""
    anna = team.anna
    open_step(team, "signalen")
    answers = dict(work.ANSWERS["signalen"])
    last = answers.popitem()
    anna.send("Stap afronden", answers, status=409)
    anna.reads(
        "Opgeslagen, maar nog niet klaar",
        "Nog te beantwoorden: Wie vallen nu buiten de boot, en bij welke vraagstukken?",
        "Er ontbreekt een bewijsstuk: Verslag (0 van 1).",
    )
    anna.send("Stap afronden", dict([last]), status=409)
    assert "Nog te beantwoorden" not in anna.text
    anna.reads("Er ontbreekt een bewijsstuk: Verslag (0 van 1).")


def open_step(team: Team, step: str) -> None:
    """By its link on the page of the stage."""
    team.anna.open(team.stage)
    title = work.the_real_plan().plan.stage(work.STAGE.stage).step(step).title.nl
    team.anna.follow(title)
    assert team.anna.here == f"{team.stage}/stappen/{step}"


def add_a_file_and_a_link(team: Team) -> None:
    anna = team.anna
    open_step(team, "signalen")
    anna.follow("Bewijsstuk toevoegen")
    anna.send(
        "Toevoegen",
        {"soort": "verslag", "titel": work.FILE_TITLE, "gronden": ["inkomen"], "datum": "2026-11-12"},
        files=[(work.FILE_NAME, work.the_report())],
    )
    anna.reads("Het bewijsstuk is toegevoegd.", work.FILE_TITLE)
    open_step(team, "bestaand-beleid")
    anna.follow("Bewijsstuk toevoegen")
    anna.follow("Link")
    anna.send("Toevoegen", {"adres": work.LINK, "titel": work.LINK_TITLE, "soort": "beleidsoverzicht"})
    anna.reads("Het bewijsstuk is toegevoegd.", work.LINK_TITLE)


def complete_the_steps(team: Team) -> None:
    for step, answers in work.ANSWERS.items():
        open_step(team, step)
        team.anna.send("Stap afronden", answers)
        assert team.anna.here == team.stage, step
        team.anna.reads("De stap is klaar.")


def is_refused_while_the_checklist_is_open(team: Team) -> None:
    team.anna.open(f"{team.stage}/akkoord-vragen")
    assert "Akkoord vragen" not in [text for form in team.anna.forms() for text, *_ in form.buttons]
    team.anna.reads(NO_STATEMENT_ANSWERED)
    assert "Stap nog niet klaar" not in team.anna.text


def complete_the_checklist(team: Team) -> None:
    team.anna.open(team.stage)
    team.anna.follow("Inclusiviteitschecklist")
    answers = {f"antwoord.{id}": "unknown" if id == work.UNKNOWN else "partly" for id in work.statements()}
    reasons = {f"antwoord.{id}.reden": work.UNKNOWN_REASON for id in work.statements()}
    team.anna.send("Checklist afronden", {**answers, **reasons})
    assert team.anna.here == team.stage


def request_approval(team: Team) -> None:
    anna = team.anna
    anna.open(team.stage)
    anna.follow("Akkoord vragen")
    anna.reads(work.FILE_TITLE, work.LINK_TITLE, "Woonvisie 2024", "Ouderen met weinig geld")
    anna.send("Akkoord vragen", {"bericht": work.MESSAGE})
    anna.reads("Er is akkoord gevraagd.")


def cannot_decide_about_own_work(team: Team) -> None:
    """Who did the work may read what lies before the manager, but gets no button and is refused."""
    anna, address = team.anna, f"{team.stage}/beoordelen"
    anna.open(address)
    assert not [form for form in anna.forms() if form.action == address]
    token = anna.forms()[0].values["csrf_token"]
    data = {"csrf_token": token, "shown": "0" * 64, "revision": "20", "besluit": "akkoord"}
    assert anna.client.post(address, data=data).status_code == 403


def send_back_with_a_reason(team: Team) -> None:
    carla = team.somebody("carla")
    carla.follow(f"Beoordeel: {work.the_real_plan().plan.stage('verkennen').title.nl}")
    carla.reads(work.MESSAGE, "Anna de Wit", "Ouderen met weinig geld", work.FILE_TITLE)
    carla.send("Terugsturen", {"reden.conclusie": work.FINDING})
    carla.reads("De fase is terug bij het team, met uw redenen.")


def mend_and_ask_again(team: Team) -> None:
    anna = team.anna
    anna.open("/")
    anna.follow("Bekijk opnieuw")
    anna.reads(work.FINDING)
    anna.send("Stap afronden", {"antwoord.waarom": work.MENDED})
    assert anna.here == team.stage
    anna.follow("Akkoord vragen")
    anna.send("Akkoord vragen")
    anna.reads("Er is akkoord gevraagd.")


def approve(team: Team) -> None:
    carla = team.somebody("carla")
    carla.follow("Beoordeel: ")
    carla.reads("Gewijzigd sinds het vorige besluit", work.FIRST_CONCLUSION, work.MENDED)
    carla.send("Akkoord", {"opmerking": work.REMARK})
    carla.reads("Uw akkoord is vastgelegd en verzegeld.", "Vastgesteld")


def download_as_auditor(team: Team) -> None:
    emma = team.somebody("emma")
    emma.open(f"{team.run}/rapport")
    emma.follow("Download als PDF")
    assert emma.page.headers["content-type"] == "application/pdf"
    assert emma.page.headers["content-disposition"].startswith("attachment;")
    in_pdf = text_of_pdf(emma.page.content)
    emma.open(f"{team.run}/rapport")
    emma.follow("Download voor een rekenblad (CSV)")
    assert emma.page.headers["content-disposition"].startswith("attachment;")
    in_csv = text_of_csv(emma.page.content)
    assert squeezed("Inkomen en bestaanszekerheid Onbekend: 1") in in_csv
    for everything in (in_pdf, in_csv):
        for wanted in what_the_report_must_tell():
            assert squeezed(wanted) in everything, wanted


def what_the_report_must_tell() -> list[str]:
    texts = [
        value
        for answers in work.ANSWERS.values()
        for name, value in answers.items()
        if isinstance(value, str) and " " in value and value != work.FIRST_CONCLUSION
    ]
    hash = hashlib.sha256(work.the_report()).hexdigest()
    decisions = [work.FINDING, work.REMARK, "Carla Smit", "Teruggestuurd", "Anna de Wit"]
    return [*texts, work.MENDED, work.UNKNOWN_REASON, *decisions, hash, work.FILE_TITLE, work.LINK_TITLE, work.LINK]


def text_of_pdf(content: bytes) -> str:
    pages = pypdfium2.PdfDocument(content)
    return squeezed(" ".join(page.get_textpage().get_text_range() for page in pages))


def text_of_csv(content: bytes) -> str:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len({len(row) for row in rows}) == 1
    return squeezed(" ".join(" ".join(row) for row in rows))


def squeezed(text: str) -> str:
    """Without what a line break in a PDF adds: white space, and the mark (U+FFFE) at which a word is divided."""
    return "".join(text.replace("\ufffe", "").split())


def history_tells_it(team: Team) -> None:
    emma = team.somebody("emma")
    emma.open(f"{team.run}/geschiedenis")
    emma.reads(
        "Het traject is gestart.",
        "Verkennen wat er speelt is begonnen.",
        "Er is akkoord gevraagd voor Verkennen wat er speelt.",
        "Verkennen wat er speelt is teruggestuurd.",
        "Verkennen wat er speelt is vastgesteld.",
        work.FINDING,
        work.FILE_TITLE,
        "Carla Smit",
    )


def other_municipality_finds_nothing(team: Team) -> None:
    emma, gwen = team.somebody("emma"), team.somebody("gwen")
    emma.open(f"{team.run}/bewijsstukken")
    evidence = emma.page.text.split(f"{team.run}/bewijsstukken/", 1)[1][:36]
    addresses = [
        "",
        "/bewerken",
        "/checklist",
        "/checklist/leeftijd",
        "/bewijsstukken",
        f"/bewijsstukken/{evidence}",
        f"/bewijsstukken/{evidence}/bestand",
        "/rapport",
        "/rapport/pdf",
        "/rapport/csv",
        "/geschiedenis",
        f"/fasen/{work.STAGE}",
        f"/fasen/{work.STAGE}/akkoord-vragen",
        f"/fasen/{work.STAGE}/checklist",
        f"/fasen/{work.STAGE}/stappen/conclusie",
        f"/fasen/{work.STAGE}/stappen/signalen/bewijs",
    ]
    for address in addresses:
        gwen.open(team.run + address, status=404)
        assert work.NAME not in gwen.page.text
    hugo = team.somebody("hugo")
    hugo.open(f"{team.stage}/beoordelen", status=404)


def history_agrees_with_the_tables(team: Team) -> None:
    with team.world.reading() as session:
        verified = list(verify_all(session))
    assert [run.findings for run in verified] == [()]
    assert verified[0].events > 20
