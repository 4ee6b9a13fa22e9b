"""The report as a page and as files, and the history of a run."""

from __future__ import annotations

import hashlib
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.features.reports import pdf, sheet
from app.features.reports.composed import Composed, composed
from app.features.reports.finding_words import sentence
from app.features.reports.history import KINDS, history_page
from app.features.reports.moment import FIELD, moment_of, not_begun
from app.features.reports.since import since_page
from app.features.reports.summary import account, as_it_stood
from app.features.reports.texts import Words
from app.features.reports.values import Contents, Report
from app.policy import Action
from app.storage.account_log import Act
from app.storage.database import ReadSession
from app.storage.run_at import NotBegunYet
from app.storage.run_header import RunHeader, run_header
from app.storage.verify import verify_run
from app.web.access import allowed
from app.web.clock import now
from app.web.formats import day_of
from app.web.forms import FormInvalid, FormState
from app.web.i18n import language_of
from app.web.identity import Caller
from app.web.notice import see_other
from app.web.on_run import may_on_run
from app.web.read_log import note_read
from app.web.render import render, templates_for
from app.web.room import Room

router = Room()

NOW = ""

Reader = Annotated[Caller, allowed(Action.VIEW_REPORT)]
HistoryReader = Annotated[Caller, allowed(Action.VIEW_HISTORY)]


def _composed(request: Request, session: ReadSession, caller: Caller, run_id: str, stand: str) -> Composed:
    """Raises RunNotFound, FormInvalid for a moment (`stand`) of which there is no report, HTTPException(403) for
    somebody who may not choose one."""
    if stand and not may_on_run(session, caller, Action.VIEW_EARLIER_REPORT, run_id):
        run_header(session, run_id)
        raise HTTPException(403)
    try:
        return composed(
            session,
            run_id,
            at=now(request),
            on=moment_of(stand, at=now(request)),
            with_confidential=may_on_run(session, caller, Action.OPEN_CONFIDENTIAL, run_id),
        )
    except NotBegunYet as early:
        raise not_begun(stand, early, language_of(request)) from None


def _made_for(request: Request, caller: Caller, contents: Contents) -> Report:
    return Report.of(contents, municipality=caller.municipality_name, by=caller.name, at=now(request))


@router.get("/trajecten/{run_id}/rapport")
def show_report(request: Request, run_id: str, session: ReadSession, caller: Reader, stand: str = "") -> Response:
    form, status = FormState.of(stand=stand), 200
    try:
        made = _composed(request, session, caller, run_id, stand)
    except FormInvalid as invalid:
        made, status = _composed(request, session, caller, run_id, NOW), 422
        form = invalid.state(language_of(request))
    report, words = _made_for(request, caller, made.contents), Words(language_of(request))
    note_read(request, caller, Act.READ_REPORT, **_what(report))
    return render(
        request,
        "reports/report.html",
        status=status,
        header=RunHeader(report.run_id, report.name, report.purpose),
        here_tab="report",
        form=form,
        may_choose_moment=may_on_run(session, caller, Action.VIEW_EARLIER_REPORT, run_id),
        today=day_of(now(request)),
        report=report,
        chapters=made.chapters(words, templates_for(request)),
        as_it_stood=as_it_stood(report, words),
        account=account(report, words),
    )


@router.get("/trajecten/{run_id}/rapport/pdf")
def download_pdf(request: Request, run_id: str, session: ReadSession, caller: Reader, stand: str = "") -> Response:
    try:
        made = _composed(request, session, caller, run_id, stand)
    except FormInvalid:
        return _say_why(run_id, stand)
    report = _made_for(request, caller, made.contents)
    note_read(request, caller, Act.TOOK_REPORT, **_what(report))
    return _download(pdf.write(report, Words(language_of(request))), "application/pdf", report, "pdf")


@router.get("/trajecten/{run_id}/rapport/csv")
def download_csv(request: Request, run_id: str, session: ReadSession, caller: Reader, stand: str = "") -> Response:
    try:
        made = _composed(request, session, caller, run_id, stand)
    except FormInvalid:
        return _say_why(run_id, stand)
    report = _made_for(request, caller, made.contents)
    note_read(request, caller, Act.TOOK_REPORT, **_what(report))
    content = sheet.write(report, Words(language_of(request)))
    return _download(content, "text/csv; charset=utf-8", report, "csv")


def _what(report: Report) -> dict[str, str]:
    return {"run": report.run_id, **({"day": report.on.isoformat()} if report.on else {})}


def _say_why(run_id: str, stand: str) -> Response:
    """The page of the report has the field, and says what is wrong with it."""
    return see_other(f"/trajecten/{quote(run_id)}/rapport?{urlencode({FIELD: stand})}")


@router.get("/trajecten/{run_id}/rapport/sinds-vorige")
def show_since(request: Request, run_id: str, session: ReadSession, caller: Reader) -> Response:
    page = since_page(session, run_id)
    header = page.header if page else run_header(session, run_id)
    note_read(request, caller, Act.READ_REPORT, run=header.id)
    return render(request, "reports/since.html", header=header, here_tab="report", page=page)


def _download(content: bytes, media_type: str, report: Report, ending: str) -> Response:
    """Always an attachment; the name holds no text of users, the digest lets the reader check the copy."""
    moment = f"stand-{report.on:%Y%m%d}" if report.on else f"{report.made_at:%Y%m%d}"
    name = f"rapport-{report.run_id}-{moment}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-SHA256": hashlib.sha256(content).hexdigest(),
    }
    return Response(content, media_type=media_type, headers=headers)


@router.get("/trajecten/{run_id}/geschiedenis")
def show_history(
    request: Request,
    run_id: str,
    session: ReadSession,
    caller: HistoryReader,
    pagina: int = 1,
    wie: str = "",
    wat: str = "",
    fase: str = "",
    controle: str = "",
) -> Response:
    """`controle=ja` replays the whole history and compares; that costs more than a page, so it waits for a question."""
    words = Words(language_of(request))
    page = history_page(session, run_id, words, page=pagina, person=wie, kind=wat, stage=fase)
    note_read(request, caller, Act.READ_HISTORY, run=page.header.id)
    verified = verify_run(session, page.header.id) if controle == "ja" else None
    return render(
        request,
        "reports/history.html",
        block="history",
        header=page.header,
        page=page,
        verified=verified,
        findings=[sentence(found, language_of(request)) for found in verified.findings] if verified else [],
        kinds=[(kind, words.say(title)) for kind, (title, _) in KINDS.items()],
        here_tab="history",
        may_export=caller.may(Action.EXPORT_HISTORY),
    )
