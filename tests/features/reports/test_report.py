"""The report says what happened, on the page, in the PDF and in the CSV; on the work of the demonstration."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from sqlmodel import col, select

from app.catalogue.loader import load_bytes
from app.demo.build import build
from app.features.reports import pdf, sheet
from app.features.reports.composed import composed
from app.features.reports.sheet import safe
from app.features.reports.texts import Words
from app.features.reports.values import Report
from app.resources import stepplans_dir
from app.storage import plans
from app.storage.database import Database
from app.storage.evidence_files import EvidenceFiles
from app.storage.scope import set_scope
from app.storage.tables import Municipality, RunRow, TextRow
from app.storage.verify import verify_all
from tests.features.moving import a_full_room

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PLAN = stepplans_dir() / "inclusief-beleid" / "1.0.0.yaml"


@pytest.fixture
def housing(database: Database, tmp_path: Path) -> tuple[Database, str]:
    """The demonstration, and the id of its run "Wonen voor iedereen" in Zonnedijk."""
    with database.write() as session:
        plans.pin(session, [load_bytes(PLAN.read_bytes(), PLAN.name)], at=NOW)
    build(database, EvidenceFiles(tmp_path), now=NOW)
    with database.read() as session:
        set_scope(session, _zonnedijk(session))
        run = session.exec(select(RunRow.id).where(RunRow.name == "Wonen voor iedereen")).one()
    return database, str(run)


def _zonnedijk(session) -> uuid.UUID:
    municipality: uuid.UUID = session.exec(select(Municipality.id).where(Municipality.name == "Zonnedijk")).one()
    return municipality


def _report(database: Database, run_id: str) -> Report:
    with database.read() as session:
        set_scope(session, _zonnedijk(session))
        contents = composed(session, run_id, at=NOW).contents
        return Report.of(contents, municipality="Zonnedijk", by="Greta Lindeman", at=NOW)


def test_report_holds_stages_decisions_skips_evidence_and_open_points(housing):
    report = _report(*housing)
    by_stage = {line.ref.stage: line for line in report.stages}
    assert [decision.kind for decision in by_stage["verkennen"].decisions] == ["sent_back", "approved"]
    assert by_stage["verkennen"].decisions[1].by == "Willem Oosterhuis"
    assert len(by_stage["verkennen"].decisions[1].seal or "") == 64
    assert "Iedere medewerker" in (by_stage["werkgroep"].skip_reason or "")
    assert {point.kind for point in report.open_points} >= {"request", "step", "checklist", "unknown"}
    assert report.evidence
    assert report.progress.done < report.progress.total
    assert {line.ref.stage for line in report.not_started} == {
        "draagvlak",
        "beleid-ontwikkelen",
        "beleid-uitvoeren",
        "monitoren-borgen",
    }


def test_csv_opens_in_a_spreadsheet_and_holds_it_all(housing):
    report = _report(*housing)
    content = sheet.write(report, Words("nl"))
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert "\r\n" in text
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert len({len(row) for row in rows}) == 1
    assert rows[0][:3] == ["Onderdeel", "Fase", "Domein"]
    everything = "\n".join(";".join(row) for row in rows)
    for wanted in (
        "Willem Oosterhuis",
        "Teruggestuurd",
        "Iedere medewerker",
        "Woonvisie 2024-2030",
        report.plan_digest,
    ):
        assert wanted in everything
    assert "Tijden in dit bestand;Nederlandse tijd" in everything
    given = {row[9] for row in rows[1:] if row[9]}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", date) for date in given), given
    assert "2026-11-24 10:00:00" in given, "nine o'clock UTC is ten in the Netherlands, as on the page"


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\u00a0=cmd", "\n=1"])
def test_no_cell_of_the_csv_is_a_formula(formula: str):
    assert safe(formula).startswith("'")


def test_plain_text_stays_as_it_is():
    assert safe("Wonen - voor iedereen") == "Wonen - voor iedereen"


def test_pdf_is_accessible_archivable_and_holds_it_all(housing, tmp_path: Path):
    report = _report(*housing)
    content = pdf.write(report, Words("nl"))
    with pikepdf.open(io.BytesIO(content)) as document:
        root = document.Root
        assert root.MarkInfo.Marked
        assert str(root.Lang).lower().startswith("nl")
        assert "/StructTreeRoot" in root
        assert root.ViewerPreferences.DisplayDocTitle
        assert "/Outlines" in root
        assert "/OutputIntents" in root
        with document.open_metadata() as metadata:
            assert metadata["dc:title"] == "Wonen voor iedereen"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["pdfaid:part"] == "3"
        for page in document.pages:
            for font in page.Resources.get("/Font", {}).values():
                assert "/ToUnicode" in font
        attached = document.attachments["rapport.json"].get_file().read_bytes()
    assert b"Willem Oosterhuis" in attached


def test_user_text_is_never_markup_in_the_pdf(housing):
    database, run_id = housing
    hostile = '#panic("x") $sum$ *vet* _schuin_ `code` <label> @ref \\ // comment [ ] { } "#eval(1)"'
    with database.write() as session:
        set_scope(session, _zonnedijk(session))
        for row in session.exec(select(TextRow).where(col(TextRow.run_id) == uuid.UUID(run_id))):
            row.text = hostile
            session.add(row)
    assert pdf.write(_report(database, run_id), Words("nl")).startswith(b"%PDF")


def test_report_of_a_run_that_has_just_begun_can_be_made(database: Database, tmp_path: Path):
    with database.write() as session:
        plans.pin(session, [load_bytes(PLAN.read_bytes(), PLAN.name)], at=NOW)
    build(database, EvidenceFiles(tmp_path), now=NOW)
    with database.read() as session:
        set_scope(session, _zonnedijk(session))
        run = session.exec(select(RunRow.id).where(RunRow.name == "Jeugd doet mee")).one()
    report = _report(database, str(run))
    for language in ("nl", "en"):
        assert pdf.write(report, Words(language)).startswith(b"%PDF")
        assert sheet.write(report, Words(language))


def test_history_of_the_demonstration_agrees_with_its_tables(housing):
    database, _ = housing
    with database.read() as session:
        set_scope(session, _zonnedijk(session))
        verified = list(verify_all(session))
    assert len(verified) == 2
    assert [finding for each in verified for finding in each.findings] == []


def test_page_leads_to_its_parts_and_stages(database: Database):
    room = a_full_room(database)
    page = room.browser("emma").get(f"/trajecten/{room.run}/rapport").text
    links = re.findall(r'href="#([^"]+)"', page.partition('aria-label="Op deze pagina"')[2])
    assert {"samenvatting", "open-punten", "fasen", "bewijsstukken", "over-dit-rapport", "fase-verkennen.1"} <= {*links}
    assert "apart-gezet" not in links
    assert [link for link in links if page.count(f'id="{link}"') != 1] == []
