"""Finding evidence, taking it along, and withdrawing it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy import event
from sqlmodel import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.engine.run import StageRef, StepStatus
from app.features.evidence.preview import Preview, preview_of
from app.storage.account_log import Act, Trace
from app.storage.database import Database
from app.storage.erasure import requests
from app.storage.erasure.carrying_out import carry_out
from app.storage.erasure.items import Item, Key, Kind
from app.storage.evidence_files import EvidenceFiles
from app.storage.evidence_store import Evidence, StoredFile, evidence_of
from app.storage.run_store import load_run
from app.storage.scope import set_scope
from app.storage.tables import AccountEvent
from app.storage.verify import verify_run
from tests.features.accounts.building import OURS
from tests.features.client import World, a_world
from tests.features.evidence.files import a_pdf, an_image
from tests.features.evidence.sending import STEP, a_started_run, send
from tests.storage.erasure.erasing import HERE, ask, files_of

PDF = a_pdf()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path)


def evidence_in(world: World, run: str) -> list[Evidence]:
    with world.reading() as session:
        return evidence_of(session, run)


def added(world: World, run: str, title: str, **fields: str | list[str]) -> str:
    """A note by Anna; gives its id."""
    note: dict[str, str | list[str]] = {"vorm": "notitie", "titel": title, "notitie": title, "datum": "2026-11-20"}
    before = {e.id for e in evidence_in(world, run)}
    answer = send(world.browser("anna"), run, {**note, **fields})
    assert answer.status_code == 303, answer.text
    [id] = {e.id for e in evidence_in(world, run)} - before
    return id


def acts_of(world: World, login: str) -> Counter[str]:
    with world.reading() as session:
        return Counter(session.exec(select(AccountEvent.act).where(AccountEvent.by == uuid.UUID(world.users[login]))))


def a_file(world: World, run: str, name: str = "verslag.pdf", content: bytes = PDF) -> Evidence:
    assert send(world.browser("anna"), run, {}, [(name, content)]).status_code == 303
    return evidence_in(world, run)[-1]


# --- the list --------------------------------------------------------------------------------------------------


def test_list_without_evidence_says_what_belongs_there_and_what_is_asked_for(world: World):
    run = a_started_run(world)
    page = world.browser("anna").get(f"/trajecten/{run}/bewijsstukken").text
    assert "Nog geen bewijsstukken" in page
    assert f"/trajecten/{run}{STEP}?soort=verslag" in page
    assert "Nog gevraagd" in page


def test_auditor_sees_the_list_without_ways_to_add(world: World):
    run = a_started_run(world)
    added(world, run, "Gesprek")
    emma = world.browser("emma")
    page = emma.get(f"/trajecten/{run}/bewijsstukken").text
    assert "Gesprek" in page
    assert "stappen/overzicht/bewijs" not in page
    page = emma.get(f"/trajecten/{run}{STEP}").text
    assert "Gesprek" in page
    assert "<textarea" not in page
    assert 'name="bestanden"' not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Verslag", "Besluit", "Jong"}),
        ("soort=besluit", {"Besluit"}),
        ("grond=leeftijd", {"Jong"}),
        ("grond=samenloop", {"Jong"}),
        ("grond=eeftij", set()),
        ("fase=verkennen", {"Verslag", "Besluit"}),
        ("fase=werkgroep", {"Jong"}),
        ("fase=werkgroep&soort=besluit", set()),
        ("fase=verkenne_", set()),
        ("stand=ingetrokken", {"Besluit"}),
        ("stand=in-gebruik", {"Verslag", "Jong"}),
        ("soort=%25&pagina=1", set()),
        ("stand=anders", set()),
        ("pagina=99", {"Verslag", "Besluit", "Jong"}),
        ("pagina=-1", {"Verslag", "Besluit", "Jong"}),
    ],
)
def test_filter_in_the_address_narrows_the_list(world: World, query: str, expected: set[str]):
    run, anna = a_started_run(world), world.browser("anna")
    anna.post(f"/trajecten/{run}/fasen/werkgroep.1/starten", {"reden": "Nu kan het"})
    added(world, run, "Stuk Verslag")
    besluit = added(world, run, "Stuk Besluit", soort="besluit")
    answer = send(
        anna,
        run,
        {
            "vorm": "link",
            "titel": "Stuk Jong",
            "adres": "https://example.nl/",
            "gronden": ["leeftijd", "samenloop"],
        },
        to="/fasen/werkgroep.1/stappen/opdracht/bewijs",
    )
    assert answer.status_code == 303
    anna.post(f"/trajecten/{run}/bewijsstukken/{besluit}/intrekken", {"reden": "Vervallen"})
    page = anna.get(f"/trajecten/{run}/bewijsstukken?{query}")
    assert page.status_code == 200
    assert {title for title in ("Verslag", "Besluit", "Jong") if f"Stuk {title}" in page.text} == expected


def test_address_with_a_page_that_is_no_number_is_the_visitors_fault(world: World):
    run = a_started_run(world)
    assert world.browser("anna").get(f"/trajecten/{run}/bewijsstukken?pagina=x").status_code == 400


def test_long_list_is_paged_and_costs_the_same(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    added(world, run, "Stuk 00")
    with world.counting_queries() as short:
        anna.get(f"/trajecten/{run}/bewijsstukken")
    for number in range(1, 30):
        world.clock.advance(seconds=1)
        added(world, run, f"Stuk {number:02}")
    with world.counting_queries() as long:
        first = anna.get(f"/trajecten/{run}/bewijsstukken").text
    second = anna.get(f"/trajecten/{run}/bewijsstukken?pagina=2").text
    assert "30 bewijsstukken" in first
    assert "Stuk 29" in first
    assert "Stuk 04" not in first
    assert "Stuk 04" in second
    assert len(short) == len(long) <= 8
    for beyond in ("3", "9" * 30):
        with world.counting_queries() as statements:
            last = anna.get(f"/trajecten/{run}/bewijsstukken?pagina={beyond}").text
        assert "Stuk 04" in last
        assert "Pagina 2 van 2" in last
        assert len(statements) <= 8, statements


def test_page_beyond_the_last_of_a_filter_that_finds_nothing_says_so(world: World):
    run = a_started_run(world)
    page = world.browser("anna").get(f"/trajecten/{run}/bewijsstukken?stand=ingetrokken&pagina=2")
    assert page.status_code == 200
    assert "Geen bewijsstuk" in page.text


def test_pages_cost_few_queries(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    id = added(world, run, "Gesprek")
    for address in (f"{STEP}", f"/bewijsstukken/{id}"):
        with world.counting_queries() as statements:
            assert anna.get(f"/trajecten/{run}{address}").status_code == 200
        assert len(statements) <= 8, statements
    anna.post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "Dubbel"})
    with world.counting_queries() as statements:
        assert anna.get(f"/trajecten/{run}/bewijsstukken/{id}").status_code == 200
    assert len(statements) <= 8, statements


# --- one piece -------------------------------------------------------------------------------------------------


def test_page_of_a_file_says_what_it_is_and_how_to_check_it(world: World):
    run = a_started_run(world)
    found = a_file(world, run)
    assert found.described.file is not None
    page = world.browser("emma").get(f"/trajecten/{run}/bewijsstukken/{found.id}").text
    for text in (found.described.file.sha256, found.commitment, "Anna de Wit", "PDF", "verslag.pdf", "Overzicht maken"):
        assert text in page
    assert "/intrekken" not in page


def test_page_of_an_image_shows_it_and_that_is_reading(world: World):
    run = a_started_run(world)
    found = a_file(world, run, "plein.png", an_image("PNG"))
    emma, address = world.browser("emma"), f"/trajecten/{run}/bewijsstukken/{found.id}"
    assert f'src="{address}/bestand?beeld=ja" alt="De afbeelding zelf: Plein"' in emma.get(address).text
    shown = emma.client.get(f"{address}/bestand?beeld=ja", headers={"Sec-Fetch-Dest": "image"})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert "sandbox" in shown.headers["content-security-policy"]
    assert acts_of(world, "emma") == {Act.READ_EVIDENCE: 2}
    emma.get(f"{address}/bestand")
    assert acts_of(world, "emma") == {Act.READ_EVIDENCE: 2, Act.TOOK_EVIDENCE: 1}


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Dest": "empty"}])
def test_image_that_is_asked_for_outside_of_a_page_is_taken_along(world: World, headers: dict[str, str]):
    run = a_started_run(world)
    found = a_file(world, run, "plein.png", an_image("PNG"))
    address = f"/trajecten/{run}/bewijsstukken/{found.id}/bestand?beeld=ja"
    assert world.browser("emma").client.get(address, headers=headers).status_code == 200
    assert acts_of(world, "emma") == {Act.TOOK_EVIDENCE: 1}


def test_what_is_no_image_is_taken_along_whatever_the_address_says(world: World):
    run = a_started_run(world)
    found = a_file(world, run)
    page = f"/trajecten/{run}/bewijsstukken/{found.id}"
    assert "beeld=ja" not in world.browser("emma").get(page).text
    world.browser("emma").get(f"{page}/bestand?beeld=ja")
    assert acts_of(world, "emma")[Act.TOOK_EVIDENCE] == 1


def test_page_of_a_text_shows_how_it_begins(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    a_file(world, run, "kort.txt", "Eén <regel>".encode())
    a_file(world, run, "lang.csv", "\ufeffnaam;aantal\n".encode() + "é".encode() * 3_000)
    ids = {found.described.title: found.id for found in evidence_in(world, run)}
    page = anna.get(f"/trajecten/{run}/bewijsstukken/{ids['Kort']}").text
    assert "Dit staat erin:" in page
    assert "Eén &lt;regel&gt;</p>" in page
    page = anna.get(f"/trajecten/{run}/bewijsstukken/{ids['Lang']}").text
    assert "Zo begint het:" in page
    assert ">naam;aantal\né" in page
    assert "\ufffd" not in page, "a letter that is cut in two is left out"


def test_page_of_a_text_that_was_damaged_shows_nothing_of_it(world: World, tmp_path: Path):
    run = a_started_run(world)
    found = a_file(world, run, "kort.txt", b"Wat er stond.")
    assert found.described.file is not None
    EvidenceFiles(tmp_path / "evidence").path_of(found.described.file.sha256).write_bytes(b"Iets anders.")
    page = world.browser("anna").get(f"/trajecten/{run}/bewijsstukken/{found.id}")
    assert page.status_code == 200
    assert "Iets anders" not in page.text


def test_page_of_a_text_opens_its_file_once_so_that_it_cannot_be_erased_in_between(tmp_path: Path):
    class Erased(EvidenceFiles):
        def open_intact(self, sha256: str) -> BinaryIO:
            file = super().open_intact(sha256)
            self.path_of(sha256).unlink()
            return file

    files = Erased(tmp_path / "evidence")
    incoming = files.receive()
    incoming.write(b"Wat er stond.")
    incoming.finish()
    files.place(incoming)
    stored = StoredFile(incoming.sha256, incoming.size, "text/plain", "kort.txt")
    assert preview_of(files, stored) == Preview("Wat er stond.")
    files.path_of(incoming.sha256).unlink()
    assert preview_of(files, stored) is None


def test_link_leads_away_without_telling_where_from(world: World):
    run = a_started_run(world)
    send(world.browser("anna"), run, {"vorm": "link", "titel": "Besluit", "adres": 'https://example.nl/?a="><script>1'})
    [found] = evidence_in(world, run)
    page = world.browser("anna").get(f"/trajecten/{run}/bewijsstukken/{found.id}").text
    assert 'rel="noreferrer noopener nofollow"' in page
    assert "<script>1" not in page


@pytest.mark.parametrize("id", ["bestaat-niet", "6583db42-08e4-4306-b058-700202afcfd5", "%2e%2e"])
def test_evidence_that_does_not_exist_is_404(world: World, id: str):
    run, anna = a_started_run(world), world.browser("anna")
    for address in ("", "/bestand"):
        assert anna.get(f"/trajecten/{run}/bewijsstukken/{id}{address}").status_code == 404
    assert anna.post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "x"}).status_code == 404


@pytest.mark.parametrize("login", ["gwen", "hugo"])
def test_other_municipality_gets_the_404_of_what_does_not_exist(world: World, login: str):
    run = a_started_run(world)
    found = a_file(world, run)
    stranger = world.browser(login)
    for address in ("", f"/{found.id}", f"/{found.id}/bestand"):
        assert stranger.get(f"/trajecten/{run}/bewijsstukken{address}").status_code == 404
    own = world.a_run(world.browser("gwen"), team=("gwen",), manager="hugo")  # the run is theirs, the evidence is not
    assert stranger.get(f"/trajecten/{own}/bewijsstukken/{found.id}/bestand").status_code == 404
    assert stranger.post(f"/trajecten/{run}/bewijsstukken/{found.id}/intrekken", {"reden": "x"}).status_code == 404
    assert not evidence_in(world, run)[0].is_withdrawn


def test_evidence_of_one_run_is_not_found_in_another(world: World):
    run, other = a_started_run(world), a_started_run(world)
    found = a_file(world, run)
    assert world.browser("anna").get(f"/trajecten/{other}/bewijsstukken/{found.id}/bestand").status_code == 404


# --- taking it along -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["anna", "dirk", "emma", "ferry"])
def test_download_is_an_attachment_that_no_browser_runs(world: World, login: str):
    run = a_started_run(world)
    found = a_file(world, run, 'één "verslag"; \u202e.pdf')
    answer = world.browser(login).get(f"/trajecten/{run}/bewijsstukken/{found.id}/bestand")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''%C3%A9%C3%A9n%20%22verslag%22%3B.pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["content-length"] == str(len(PDF))


def test_part_of_a_file_can_be_asked_for(world: World):
    run = a_started_run(world)
    found = a_file(world, run)
    address = f"/trajecten/{run}/bewijsstukken/{found.id}/bestand"
    answer = world.browser("anna").client.get(address, headers={"range": "bytes=0-4"})
    assert (answer.status_code, answer.content) == (206, b"%PDF-")


def test_file_of_withdrawn_evidence_can_still_be_taken_along(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    found = a_file(world, run)
    anna.post(f"/trajecten/{run}/bewijsstukken/{found.id}/intrekken", {"reden": "Vervallen"})
    assert anna.get(f"/trajecten/{run}/bewijsstukken/{found.id}/bestand").content == PDF


def test_note_has_no_file(world: World):
    run = a_started_run(world)
    id = added(world, run, "Gesprek")
    answer = world.browser("anna").get(f"/trajecten/{run}/bewijsstukken/{id}/bestand", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/trajecten/{run}/bewijsstukken/{id}")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.unlink(), "Dit bestand is niet te vinden"),
        (lambda path: path.write_bytes(b"iets anders"), "Dit bestand is beschadigd"),
    ],
)
def test_file_that_the_disk_lost_is_said_so_and_logged(world: World, damage: Any, sentence: str):
    run = a_started_run(world)
    found = a_file(world, run)
    assert found.described.file is not None
    damage(EvidenceFiles(world.app.state.settings.data_dir / "evidence").path_of(found.described.file.sha256))
    with capture_logs() as logs:
        answer = world.browser("emma").get(f"/trajecten/{run}/bewijsstukken/{found.id}/bestand")
    assert answer.status_code == 404
    assert sentence in answer.text
    assert found.described.file.sha256 in answer.text
    assert b"iets anders" not in answer.content
    [entry] = [entry for entry in logs if entry["event"] == "evidence_file_unusable"]
    assert (entry["log_level"], entry["sha256"]) == ("error", found.described.file.sha256)


# --- erased while somebody asks for it ----------------------------------------------------------------------------


def erase_file(world: World, found: Evidence) -> None:
    """As an erasure does: first what is known of it, then the bytes."""
    file = found.described.file
    assert file is not None
    request = ask(world, [Item(Key(Kind.EVIDENCE, found.run_id, found.id))])
    with world.database.write() as session:
        set_scope(session, world.municipalities[HERE])
        by = Trace(uuid.UUID(world.users["dirk"]), world.clock.at, "192.0.2.7")
        carry_out(session, requests.find(session, request, for_change=True), by=by)
    files_of(world).remove(file.sha256)


@contextmanager
def when_first_said(world: World, moment: str, words: str, act: Callable[[], None]) -> Iterator[None]:
    """`act` once, at the first statement with these words; `moment`: before_cursor_execute or after_cursor_execute."""
    waiting = [act]

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if words in statement and waiting:
            waiting.pop()()

    event.listen(world.database.engine, moment, look)
    try:
        yield
    finally:
        event.remove(world.database.engine, moment, look)
    assert not waiting, "the moment never came"


def test_file_that_is_erased_after_it_was_checked_is_still_given_whole(world: World):
    run = a_started_run(world)
    found = a_file(world, run)
    file = found.described.file
    assert file is not None
    address = f"/trajecten/{run}/bewijsstukken/{found.id}/bestand"
    # Of an auditor it is noted that the file leaves: by then it was checked, and nothing of it was sent.
    with when_first_said(
        world, "before_cursor_execute", "INSERT INTO account_event", lambda: files_of(world).remove(file.sha256)
    ):
        answer = world.browser("emma").client.get(address)
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-length"] == str(len(PDF))


def test_file_that_is_erased_while_it_leaves_is_still_given_whole(world: World):
    run = a_started_run(world)
    found = a_file(world, run)
    file = found.described.file
    assert file is not None
    anna = world.browser("anna")

    async def erased_when_it_begins(scope: Any, receive: Any, send: Any) -> None:
        async def noticing(message: Any) -> None:
            if message["type"] == "http.response.start":
                files_of(world).remove(file.sha256)
            await send(message)

        await world.app(scope, receive, noticing)

    client = TestClient(erased_when_it_begins, base_url=OURS, cookies=anna.client.cookies)
    answer = client.get(f"/trajecten/{run}/bewijsstukken/{found.id}/bestand")
    assert (answer.status_code, answer.content) == (200, PDF)


def test_evidence_that_is_erased_before_its_file_is_opened_is_told_to_be_erased(world: World):
    run = a_started_run(world)
    found = a_file(world, run)
    address = f"/trajecten/{run}/bewijsstukken/{found.id}"
    with (
        capture_logs() as logs,
        when_first_said(world, "after_cursor_execute", "FROM evidence", lambda: erase_file(world, found)),
    ):
        answer = world.browser("anna").get(f"{address}/bestand", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert "Hier stonden persoonsgegevens" in world.browser("anna").get(address).text
    assert not [entry for entry in logs if entry["event"] == "evidence_file_unusable"]


# --- withdrawing -----------------------------------------------------------------------------------------------


def test_withdrawn_evidence_stays_visible_with_who_when_and_why(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    found = a_file(world, run)
    page = anna.get(f"/trajecten/{run}/bewijsstukken/{found.id}").text
    assert "/intrekken" in page
    answer = anna.post(f"/trajecten/{run}/bewijsstukken/{found.id}/intrekken", {"reden": "Er is een nieuwe versie."})
    assert "Het bewijsstuk is ingetrokken." in answer.text
    assert "Er is een nieuwe versie." in answer.text
    assert "Door Anna de Wit" in answer.text
    assert "/intrekken" not in answer.text
    assert "Verslag" in anna.get(f"/trajecten/{run}/bewijsstukken").text
    assert "0 van 1 aanwezig" in anna.get(f"/trajecten/{run}{STEP}").text
    with world.reading() as session:
        _, loaded = load_run(session, run)
        [mark] = loaded.stages[StageRef("verkennen")].step("overzicht").evidence
        assert mark.withdrawn_by == world.users["anna"]
        assert not verify_run(session, run).findings


def test_withdrawing_needs_a_reason(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    id = added(world, run, "Gesprek")
    for reason in ("", "   ", "x" * 2001):
        answer = anna.post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": reason})
        assert answer.status_code == 422
        assert 'id="reden-error"' in answer.text
    assert not evidence_in(world, run)[0].is_withdrawn


def test_withdrawing_twice_is_done_once(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    id = added(world, run, "Gesprek")
    answers = [
        anna.post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": reason}, follow_redirects=False)
        for reason in ("Dubbel", "Nog eens")
    ]
    assert [answer.status_code for answer in answers] == [303, 303]
    page = anna.get(f"/trajecten/{run}/bewijsstukken/{id}").text
    assert "Dubbel" in page
    assert "Nog eens" not in page


def test_what_a_colleague_withdrew_cannot_be_withdrawn_for_another_reason(world: World):
    run = a_started_run(world)
    id = added(world, run, "Gesprek")
    world.browser("anna").post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "Dubbel"})
    answer = world.browser("bram").post(
        f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "Mijn eigen reden is anders"}
    )
    assert answer.status_code == 409
    assert "Dit bewijsstuk is al ingetrokken." in answer.text
    assert "Mijn eigen reden is anders" in answer.text


@pytest.mark.parametrize(("login", "status"), [("emma", 403), ("ferry", 403), ("dirk", 409)])
def test_who_does_not_work_on_the_run_cannot_withdraw(world: World, login: str, status: int):
    run = a_started_run(world)
    id = added(world, run, "Gesprek")
    answer = world.browser(login).post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "Weg ermee"})
    assert answer.status_code == status
    assert not evidence_in(world, run)[0].is_withdrawn


def test_withdrawing_without_token_changes_nothing(world: World):
    run = a_started_run(world)
    id = added(world, run, "Gesprek")
    world.browser("anna").post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "Weg"}, token="")
    assert not evidence_in(world, run)[0].is_withdrawn


def test_finished_step_is_open_again_when_its_evidence_is_withdrawn(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    id = added(world, run, "Gesprek")
    answers = {
        "based_on": "0",
        "antwoord.naam": "Overzicht",
        "antwoord.visie": "nee",
        "antwoord.draagvlak": "yes",
        "actie": "afronden",
    }
    anna.post(f"/trajecten/{run}/fasen/verkennen.1/stappen/overzicht", answers)

    def status() -> StepStatus:
        with world.reading() as session:
            _, loaded = load_run(session, run)
            return loaded.stages[StageRef("verkennen")].step("overzicht").status

    assert status() is StepStatus.COMPLETED
    anna.post(f"/trajecten/{run}/bewijsstukken/{id}/intrekken", {"reden": "Vervallen"})
    assert status() is StepStatus.BUSY
