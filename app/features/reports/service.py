"""Making a report in one of its forms, for the browser and the command line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from jinja2 import Environment
from sqlmodel import Session

from app.features.reports import pdf, sheet
from app.features.reports.compose import compose
from app.features.reports.texts import Words
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
    language: Language = DEFAULT_LANGUAGE,
    environment: Environment | None = None,
) -> bytes:
    """The report as a file.  Raises RunNotFound.  `environment`: templates, needed for HTML only."""
    report = compose(session, run_id, municipality=municipality, by=by, at=at)
    words = Words(language)
    match format:
        case ReportFormat.PDF:
            return pdf.write(report, words)
        case ReportFormat.CSV:
            return sheet.write(report, words)
        case ReportFormat.HTML:
            raise NotImplementedError
