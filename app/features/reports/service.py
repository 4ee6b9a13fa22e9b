"""Making a report in one of its forms, for the browser and the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum

from jinja2 import Environment
from sqlmodel import Session

from app.features.reports import pdf, sheet
from app.features.reports.composed import composed
from app.features.reports.summary import account
from app.features.reports.texts import Words
from app.features.reports.values import Report
from app.web.i18n import DEFAULT_LANGUAGE, Language


class ReportFormat(StrEnum):
    HTML = "html"
    PDF = "pdf"
    CSV = "csv"


def make(
    session: Session,
    run_id: str,
    format: ReportFormat,
    *,
    municipality: str,
    by: str,
    at: datetime,
    on: date | None = None,
    templates: Callable[[], Environment],
    language: Language = DEFAULT_LANGUAGE,
) -> bytes:
    """The report as a file that stands on its own, of now or of the end of the day `on`.  Raises RunNotFound,
    NotBegunYet.  `templates` is called for HTML only."""
    made = composed(session, run_id, at=at, on=on)
    report = Report.of(made.contents, municipality=municipality, by=by, at=at)
    words = Words(language)
    match format:
        case ReportFormat.PDF:
            return pdf.write(report, words)
        case ReportFormat.CSV:
            return sheet.write(report, words)
        case ReportFormat.HTML:
            environment = templates()
            page = environment.get_template("reports/file.html")
            chapters = made.chapters(words, environment)
            return page.render(report=report, chapters=chapters, account=account(report, words)).encode()
