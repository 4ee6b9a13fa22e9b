"""Making a report in one of its forms, for the browser and the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from jinja2 import Environment
from sqlmodel import Session

from app.features.reports import pdf, sheet
from app.features.reports.answer_markup import AnswerMarkup
from app.features.reports.compose import compose
from app.features.reports.summary import account, as_it_stood, summary, versions
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
    report = compose(session, run_id, municipality=municipality, by=by, at=at, on=on)
    words = Words(language)
    match format:
        case ReportFormat.PDF:
            return pdf.write(report, words)
        case ReportFormat.CSV:
            return sheet.write(report, words)
        case ReportFormat.HTML:
            page = templates().get_template("reports/file.html")
            return page.render(**page_values(report, words)).encode()


def page_values(report: Report, words: Words) -> dict[str, Any]:
    """What `reports/_body.html` needs."""
    return {
        "report": report,
        "words": words,
        "answers": AnswerMarkup(words),
        "summary": summary(report, words),
        "versions": versions(report, words),
        "as_it_stood": as_it_stood(report, words),
        "account": account(report, words),
    }
