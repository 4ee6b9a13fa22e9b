"""Adding evidence to a step: files, links and notes; what is refused keeps what was typed."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from app.engine.run import StageRef
from app.storage.database import Database
from app.storage.evidence_files import EVIDENCE_BYTES_MAX
from app.storage.evidence_store import Evidence, evidence_of, is_as_committed
from app.storage.run_store import load_run
from app.storage.tables import EventRow, EvidenceRow
from app.storage.verify import verify_run
from tests.features.accounts.building import hidden_fields_in
from tests.features.client import World, a_world
from tests.features.evidence.files import a_pdf, a_windows_program, an_image
from tests.features.evidence.sending import STEP, a_started_run, send

PDF = a_pdf()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path)


@pytest.fixture
def quick_world(sqlite_database: Database, tmp_path: Path) -> World:
    """For what is refused before any database matters."""
    return a_world(sqlite_database, data_dir=tmp_path)


def evidence_in(world: World, run: str) -> list[Evidence]:
    with world.reading() as session:
        return evidence_of(session, run)


def events_in(world: World, run: str) -> int:
    with world.reading() as session:
        query = select(func.count()).select_from(EventRow).where(col(EventRow.run_id) == uuid.UUID(run))
        return int(session.execute(query).scalar_one())


def stored_files(world: World) -> set[str]:
    folder: Path = world.app.state.settings.data_dir / "evidence"
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {f"{path.relative_to(folder).parts[0]}/{path.name}" for path in files}


# --- what can be added -----------------------------------------------------------------------------------------


def test_file_is_added_with_what_was_said_about_it(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    details: dict[str, str | list[str]] = {
        "titel": "Gesprek met jongeren",
        "datum": "3-11-2026",
        "bron": "Buurthuis De Linde",
        "gronden": ["samenloop", "leeftijd"],
        "vertrouwelijkheid": "confidential",
    }
    answer = send(anna, run, details, [("verslag gesprek.pdf", PDF)])
    assert (answer.status_code, answer.headers["location"]) == (303, f"/trajecten/{run}{STEP}")
    [found] = evidence_in(world, run)
    about = found.described
    assert (about.title, about.source, about.confidentiality) == (
        "Gesprek met jongeren",
        "Buurthuis De Linde",
        "confidential",
    )
    assert about.document_date is not None
    assert about.document_date.isoformat() == "2026-11-03"
    assert about.grounds == ("leeftijd", "samenloop")
    assert about.file is not None
    assert (about.file.name, about.file.media_type, about.file.size) == (
        "verslag gesprek.pdf",
        "application/pdf",
        len(PDF),
    )
    digest = hashlib.sha256(PDF).hexdigest()
    assert about.file.sha256 == digest
    assert stored_files(world) == {f"sha256/{digest}"}
    page = anna.get(answer.headers["location"]).text
    assert "Het bewijsstuk is toegevoegd." in page
    assert "Gesprek met jongeren" in page
    assert "1 van 1 aanwezig" in page


def test_engine_and_history_know_the_evidence_and_its_seal(world: World):
    run = a_started_run(world)
    send(world.browser("anna"), run, {}, [("a.pdf", PDF)])
    [found] = evidence_in(world, run)
    with world.reading() as session:
        _, loaded = load_run(session, run)
        [mark] = loaded.stages[StageRef("verkennen")].step("overzicht").evidence
        assert (mark.id, mark.commitment, mark.added_by) == (found.id, found.commitment, world.users["anna"])
        assert is_as_committed(found)
        assert not verify_run(session, run).findings


def test_several_files_get_their_own_title(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    send(anna, run, {}, [("eerste_verslag.pdf", PDF), ("foto.jpg", an_image("JPEG"))])
    send(anna, run, {"titel": "Avond"}, [("een.png", an_image("PNG")), ("twee.webp", an_image("WEBP"))])
    assert {e.described.title for e in evidence_in(world, run)} == {
        "Eerste verslag",
        "Foto",
        "Avond: Een",
        "Avond: Twee",
    }


def test_link_and_note_are_added_without_files(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    link = {"vorm": "link", "adres": "https://raad.example.nl/besluit?nr=4", "titel": "Raadsbesluit"}
    note = {"vorm": "notitie", "notitie": "Wij spraken af:\n- dit", "titel": "Afspraak", "datum": "2026-11-20"}
    assert send(anna, run, {**link}).status_code == 303
    assert send(anna, run, {**note}).status_code == 303
    found = {e.described.title: e.described for e in evidence_in(world, run)}
    assert found["Raadsbesluit"].url == "https://raad.example.nl/besluit?nr=4"
    assert found["Afspraak"].note == "Wij spraken af:\n- dit"


def test_evidence_can_be_added_to_the_checklist(world: World):
    run = a_started_run(world)
    to = "/fasen/verkennen.1/stappen/checklist/bewijs"
    assert send(world.browser("anna"), run, {}, [("a.pdf", PDF)], to=to).status_code == 303
    assert [e.step for e in evidence_in(world, run)] == ["checklist"]


def test_form_is_sent_without_a_file_part_by_a_page_about_a_link(world: World):
    """Browsers send a form without file field as plain fields."""
    run, anna = a_started_run(world), world.browser("anna")
    page = anna.get(f"/trajecten/{run}{STEP}?vorm=link").text
    assert "multipart" not in page
    fields = dict(hidden_fields_in(page, action=f"/trajecten/{run}{STEP}")) | {
        "adres": "https://example.nl/",
        "titel": "Link",
        "soort": "verslag",
    }
    answer = anna.post(f"/trajecten/{run}{STEP}", fields | {"vertrouwelijkheid": "public"}, follow_redirects=False)
    assert answer.status_code == 303


# --- twice -----------------------------------------------------------------------------------------------------


def test_double_click_adds_once(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    fields: dict[str, str | list[str]] = {"sleutel": str(uuid.uuid4())}
    first = send(anna, run, fields, [("a.pdf", PDF)])
    before = events_in(world, run)
    second = send(anna, run, fields, [("a.pdf", PDF)])
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])
    assert len(evidence_in(world, run)) == 1
    assert events_in(world, run) == before


def test_same_document_does_not_count_twice(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    send(anna, run, {"titel": "Het verslag"}, [("a.pdf", PDF)])
    again = send(anna, run, {"titel": "Nog een verslag"}, [("b.pdf", PDF)])
    assert again.status_code == 422
    assert "staat al bij deze stap, als ‘Het verslag’" in again.text
    assert len(evidence_in(world, run)) == 1
    assert send(anna, run, {"soort": "besluit"}, [("a.pdf", PDF)]).status_code == 303


def test_same_document_twice_in_one_form_is_added_once(world: World):
    run = a_started_run(world)
    answer = send(world.browser("anna"), run, {}, [("a.pdf", PDF), ("kopie.pdf", PDF)])
    assert answer.status_code == 422
    assert [e.described.title for e in evidence_in(world, run)] == ["A"]


def test_same_link_does_not_count_twice(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    fields: dict[str, str | list[str]] = {"vorm": "link", "adres": "https://example.nl/", "titel": "Eerste"}
    send(anna, run, fields)
    again = send(anna, run, {**fields, "titel": "Tweede"})
    assert again.status_code == 422
    assert "staat al bij deze stap, als ‘Eerste’" in again.text


def test_document_can_be_added_again_after_it_was_withdrawn(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    fields: dict[str, str | list[str]] = {"sleutel": str(uuid.uuid4())}
    send(anna, run, fields, [("a.pdf", PDF)])
    [found] = evidence_in(world, run)
    anna.post(f"/trajecten/{run}/bewijsstukken/{found.id}/intrekken", {"reden": "Verkeerde versie"})
    world.clock.advance(minutes=1)
    assert send(anna, run, fields, [("a.pdf", PDF)]).status_code == 303
    assert [e.is_withdrawn for e in evidence_in(world, run)] == [True, False]


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"soort": ""}, "Vul ‘Soort’ in."),
        ({"soort": "bestaat-niet"}, "Kies een van de antwoorden bij ‘Soort’."),
        ({"gronden": ["bestaat-niet"]}, "Kies een van de antwoorden bij ‘Gronden’."),
        ({"vertrouwelijkheid": "geheim"}, "Kies een van de antwoorden bij ‘Vertrouwelijkheid’."),
        ({"datum": "31-02-2026"}, "Typ een datum bij ‘Datum van het document’"),
        ({"datum": "0206-03-01"}, "Controleer het jaar van de datum."),
        ({"titel": "x" * 161}, "Maak ‘Titel’ korter"),
        ({"vorm": "link", "titel": "Zonder adres"}, "Vul ‘Webadres’ in."),
        ({"vorm": "notitie", "titel": "Zonder datum", "notitie": "x"}, "Vul ‘Datum’ in."),
        ({"vorm": "notitie", "datum": "2026-11-20", "notitie": "x"}, "Vul ‘Titel’ in."),
        ({"veld": "onbekend"}, "stuurde iets mee dat hier niet hoort"),
    ],
)
def test_form_that_is_not_right_keeps_what_was_typed(quick_world: World, fields: dict[str, Any], sentence: str):
    run = a_started_run(quick_world)
    answer = send(quick_world.browser("anna"), run, {"bron": "Afdeling Onderzoek", **fields}, [("a.pdf", PDF)])
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Afdeling Onderzoek"' in answer.text
    assert evidence_in(quick_world, run) == []
    assert stored_files(quick_world) == set()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.nl/",
        "file:///etc/passwd",
        "www.example.nl",
        "https://",
        "https:///pad",
        "https://exa mple.nl/",
        "https://example.nl:99999999/",
        "https://example.nl\\@evil.example/",
        "https://anna:geheim@example.nl/",
        "https://[::1/",
        "https://example.nl/\u202egpj.exe",
    ],
)
def test_address_that_is_no_web_page_is_refused(quick_world: World, address: str):
    run = a_started_run(quick_world)
    answer = send(quick_world.browser("anna"), run, {"vorm": "link", "adres": address, "titel": "x"})
    assert answer.status_code == 422
    assert 'id="adres-error"' in answer.text
    assert evidence_in(quick_world, run) == []


def test_file_that_is_something_else_is_refused_with_the_typed_details_kept(world: World):
    run = a_started_run(world)
    fields: dict[str, str | list[str]] = {"titel": "Het verslag", "gronden": ["leeftijd"]}
    answer = send(world.browser("anna"), run, fields, [("verslag.pdf", a_windows_program())])
    assert answer.status_code == 422
    assert "Bestanden zoals ‘verslag.pdf’ nemen wij niet aan." in answer.text
    assert 'value="Het verslag"' in answer.text
    assert re.search(r'value="leeftijd"\s+checked', answer.text)
    assert evidence_in(world, run) == []
    assert stored_files(world) == set()


def test_good_files_are_added_and_the_others_are_named(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    fields: dict[str, str | list[str]] = {"sleutel": str(uuid.uuid4())}
    files = [("goed.pdf", PDF), ("fout.pdf", a_windows_program()), ("leeg.pdf", b"")]
    answer = send(anna, run, fields, files)
    assert answer.status_code == 422
    assert "Eén bewijsstuk is toegevoegd" in answer.text
    assert "2 bestanden zijn niet toegevoegd" in answer.text
    assert "Bestanden zoals ‘fout.pdf’ nemen wij niet aan." in answer.text
    assert "‘leeg.pdf’ is leeg." in answer.text
    assert [e.described.title for e in evidence_in(world, run)] == ["Goed"]
    send(anna, run, fields, files)  # the page loaded once more
    assert len(evidence_in(world, run)) == 1


def test_file_of_the_largest_size_passes_and_one_byte_more_is_413_with_the_typed_details(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    filling = EVIDENCE_BYTES_MAX - len(PDF)
    largest = PDF.replace(b"%%EOF", b"%" + b"x" * (filling - 2) + b"\n%%EOF")
    assert len(largest) == EVIDENCE_BYTES_MAX
    assert send(anna, run, {"titel": "Past net"}, [("groot.pdf", largest)]).status_code == 303
    answer = send(anna, run, {"titel": "Past net niet"}, [("groot.pdf", largest + b"\n")])
    assert answer.status_code == 413
    assert "‘groot.pdf’ is groter dan 25 MB." in answer.text
    assert 'value="Past net niet"' in answer.text
    assert [e.described.title for e in evidence_in(world, run)] == ["Past net"]
    assert len(stored_files(world)) == 1


def test_eleven_files_are_too_many_and_ten_are_not(quick_world: World):
    run, anna = a_started_run(quick_world), quick_world.browser("anna")
    files = [(f"{n}.txt", f"tekst {n}".encode()) for n in range(11)]
    answer = send(anna, run, {"titel": "Alles"}, files)
    assert answer.status_code == 422
    assert "U koos 11 bestanden. Voeg er hoogstens 10 tegelijk toe." in answer.text
    assert evidence_in(quick_world, run) == []
    assert stored_files(quick_world) == set()
    assert send(anna, run, {}, files[:10]).status_code == 303
    assert len(evidence_in(quick_world, run)) == 10


def test_what_is_wrong_with_files_and_with_what_was_typed_is_said_at_once(quick_world: World):
    run, anna = a_started_run(quick_world), quick_world.browser("anna")
    for files, sentence in (
        ([], "Kies minstens één bestand."),
        ([("leeg.pdf", b"")], "‘leeg.pdf’ is leeg."),
        ([("goed.pdf", PDF)], "Kies uw bestand opnieuw: een browser bewaart dat niet."),
    ):
        answer = send(anna, run, {"soort": ""}, files)
        assert answer.status_code == 422
        assert "Vul ‘Soort’ in." in answer.text
        assert sentence in answer.text, files
    assert evidence_in(quick_world, run) == []


def test_nothing_chosen_is_said_so(quick_world: World):
    run = a_started_run(quick_world)
    answer = send(quick_world.browser("anna"), run, {"titel": "Verslag"})
    assert answer.status_code == 422
    assert "Kies minstens één bestand." in answer.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../../etc/cron.d/verslag.pdf", "verslag.pdf"),
        ("..\\..\\windows\\verslag.pdf", "verslag.pdf"),
        ("factuur\u202efdp.exe", "factuur fdp.exe.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ('<img src=x onerror="alert(1)">.pdf', '<img src=x onerror="alert(1)">.pdf'),
    ],
)
def test_name_of_a_file_is_only_a_label(quick_world: World, given: str, kept: str):
    run, anna = a_started_run(quick_world), quick_world.browser("anna")
    answer = send(anna, run, {}, [(given, PDF)])
    assert answer.status_code == 303
    [found] = evidence_in(quick_world, run)
    assert found.described.file is not None
    assert found.described.file.name == kept
    assert {name.split("/")[0] for name in stored_files(quick_world)} == {"sha256"}
    assert "<img src=x" not in anna.get(f"/trajecten/{run}/bewijsstukken/{found.id}").text


# --- the body of the request -----------------------------------------------------------------------------------


def a_body(world: World, run: str, *, end: bytes = b"\r\n--grens--\r\n", content: bytes = PDF) -> bytes:
    address = f"/trajecten/{run}{STEP}"
    fields = {
        **dict(hidden_fields_in(world.browser("anna").get(address).text, action=address)),
        "vorm": "bestand",
        "sleutel": str(uuid.uuid4()),
        "soort": "verslag",
        "titel": "Getypte titel van het verslag",
        "vertrouwelijkheid": "internal",
    }
    texts = "".join(
        f'--grens\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    file = '--grens\r\nContent-Disposition: form-data; name="bestanden"; filename="a.pdf"\r\n\r\n'
    return texts.encode() + file.encode() + content + end


def post_body(world: World, run: str, body: Any, **headers: str) -> Any:
    return world.browser("anna").client.post(
        f"/trajecten/{run}{STEP}",
        content=body,
        headers={"content-type": "multipart/form-data; boundary=grens", **headers},
        follow_redirects=False,
    )


def test_body_that_is_cut_off_adds_nothing_and_keeps_the_text(quick_world: World):
    run = a_started_run(quick_world)
    answer = post_body(quick_world, run, a_body(quick_world, run, end=b""))
    assert answer.status_code == 400
    assert "Getypte titel van het verslag" in answer.text
    assert evidence_in(quick_world, run) == []
    assert stored_files(quick_world) == set()


def test_content_length_that_lies_does_not_help(quick_world: World):
    run = a_started_run(quick_world)
    body = a_body(quick_world, run, content=bytes(EVIDENCE_BYTES_MAX + 1))

    def in_chunks() -> Any:
        for start in range(0, len(body), 1_000_000):
            yield body[start : start + 1_000_000]

    answer = post_body(quick_world, run, in_chunks(), **{"content-length": "100"})
    assert answer.status_code == 413
    assert evidence_in(quick_world, run) == []
    assert stored_files(quick_world) == set()


@pytest.mark.parametrize("body", [b"", b"onzin", b"--grens\r\n\r\n\r\n--grens--\r\n", b"--grens\r\n" + b"a" * 100_000])
def test_body_that_is_no_form_is_400(quick_world: World, body: bytes):
    run = a_started_run(quick_world)
    assert post_body(quick_world, run, body).status_code in (400, 401)
    assert evidence_in(quick_world, run) == []


def test_files_of_who_may_not_add_evidence_never_reach_the_disk(world: World, monkeypatch: pytest.MonkeyPatch):
    """Neither with a wrong token, nor without a session, nor in a role that only reads."""
    run = a_started_run(world)
    folder: Path = world.app.state.settings.data_dir / "evidence"
    anonymous = world.browser("anna").client.__class__(world.app, base_url="http://testserver")
    fields = {"vorm": "bestand", "soort": "verslag", "titel": "Mijn getypte tekst"}
    files = [("bestanden", ("a.pdf", PDF))]
    answer = anonymous.post(
        f"/trajecten/{run}{STEP}", data=fields, files=files, headers={"origin": "http://testserver"}
    )
    assert answer.status_code in (200, 303, 401)
    assert "Mijn getypte tekst" in answer.text
    assert not folder.exists()
    assert send(world.browser("emma"), run, {}, [("a.pdf", PDF)]).status_code == 403
    assert not folder.exists()
    wrong = send(world.browser("anna"), run, {}, [("a.pdf", PDF)], headers={"origin": "https://evil.example"})
    assert wrong.status_code == 403
    assert not folder.exists()


# --- who, where and when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("login", "status"), [("emma", 403), ("ferry", 403), ("gwen", 404), ("hugo", 404)])
def test_who_does_not_work_on_the_run_cannot_add(world: World, login: str, status: int):
    run = a_started_run(world)
    answer = send(world.browser(login), run, {}, [("a.pdf", PDF)])
    assert answer.status_code == status
    assert evidence_in(world, run) == []
    assert stored_files(world) == set()


def test_colleague_outside_the_team_is_told_so(world: World):
    run = a_started_run(world)
    page = world.browser("dirk").get(f"/trajecten/{run}{STEP}").text
    assert "U zit niet in het team van dit traject." in page
    assert 'name="bestanden"' not in page
    answer = send(world.browser("dirk"), run, {"titel": "Mijn eigen titel"}, [("a.pdf", PDF)])
    assert answer.status_code == 409
    assert "U zit niet in het team" in answer.text
    assert "Mijn eigen titel" in answer.text
    assert stored_files(world) == set()


def test_form_without_token_adds_nothing(world: World):
    run = a_started_run(world)
    answer = send(world.browser("anna"), run, {"titel": "Mijn eigen titel"}, [("a.pdf", PDF)], token="")
    assert answer.status_code in (200, 401, 403)
    assert evidence_in(world, run) == []
    assert stored_files(world) == set()


@pytest.mark.parametrize(
    "place",
    [
        "/fasen/verkennen.1/stappen/bestaat-niet/bewijs",
        "/fasen/bestaat-niet.1/stappen/overzicht/bewijs",
        "/fasen/verkennen/stappen/overzicht/bewijs",
    ],
)
def test_place_that_does_not_exist_is_404(quick_world: World, place: str):
    run, anna = a_started_run(quick_world), quick_world.browser("anna")
    assert anna.get(f"/trajecten/{run}{place}").status_code == 404
    assert send(anna, run, {}, [("a.pdf", PDF)], to=place).status_code == 404
    assert stored_files(quick_world) == set()


def test_stage_that_has_not_begun_takes_no_evidence(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    to = "/fasen/werkgroep.1/stappen/opdracht/bewijs"
    assert "is nog niet begonnen" in anna.get(f"/trajecten/{run}{to}").text
    assert send(anna, run, {}, [("a.pdf", PDF)], to=to).status_code == 409
    assert stored_files(world) == set()


# --- the disk and the database go together ---------------------------------------------------------------------


def test_file_is_swept_when_the_transaction_fails(world: World, monkeypatch: pytest.MonkeyPatch):
    run, anna = a_started_run(world), world.browser("anna")

    def failing(*_: object) -> None:
        raise OSError("the disk of the database is full")

    monkeypatch.setattr(Session, "commit", failing)
    assert send(anna, run, {}, [("a.pdf", PDF)]).status_code == 500
    monkeypatch.undo()
    assert evidence_in(world, run) == []
    assert stored_files(world) == set()


def test_file_of_another_row_stays_when_the_transaction_fails(world: World, monkeypatch: pytest.MonkeyPatch):
    run, anna = a_started_run(world), world.browser("anna")
    send(anna, run, {}, [("a.pdf", PDF)])

    def failing(*_: object) -> None:
        raise OSError("the disk of the database is full")

    monkeypatch.setattr(Session, "commit", failing)
    assert send(anna, run, {"soort": "besluit"}, [("a.pdf", PDF)]).status_code == 500
    monkeypatch.undo()
    [found] = evidence_in(world, run)
    assert anna.get(f"/trajecten/{run}/bewijsstukken/{found.id}/bestand").content == PDF


def test_file_is_in_place_before_the_commit(world: World, monkeypatch: pytest.MonkeyPatch):
    run, anna = a_started_run(world), world.browser("anna")
    seen: list[set[str]] = []
    commit = Session.commit

    def watching(session: Session) -> None:
        if session.execute(select(func.count(col(EvidenceRow.id)))).scalar_one():
            seen.append(stored_files(world))
        commit(session)

    monkeypatch.setattr(Session, "commit", watching)
    send(anna, run, {}, [("a.pdf", PDF)])
    assert seen == [{f"sha256/{hashlib.sha256(PDF).hexdigest()}"}]


def test_cost_of_adding_does_not_depend_on_what_is_there(world: World):
    run, anna = a_started_run(world), world.browser("anna")
    with world.counting_queries() as first:
        send(anna, run, {}, [("1.txt", b"een")])
    for number in range(5):
        send(anna, run, {}, [(f"{number}.txt", f"meer {number}".encode())])
    with world.counting_queries() as later:
        send(anna, run, {}, [("2.txt", b"twee")])
    assert len(later) <= len(first)
