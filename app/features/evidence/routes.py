"""Evidence: adding it to a step, finding it, taking it along, withdrawing it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import structlog
from fastapi import Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from app.engine.definition import StepPlan
from app.engine.run import EvidenceForm
from app.features.evidence import queries, service, words
from app.features.evidence.file_types import ACCEPT, clean_name, title_of
from app.features.evidence.forms import FORM_NAMES, AddForm, FileForm, WithdrawForm, form_named, read_add_form
from app.features.evidence.preview import IMAGES, preview_of
from app.features.evidence.queries import Filter
from app.features.evidence.uploads import (
    FILES_AT_ONCE_MAX,
    READ_BYTES_MAX,
    ReceivedFile,
    Upload,
    Uploaded,
    UploadRoute,
    files_of,
)
from app.policy import Action
from app.storage.account_log import Act
from app.storage.database import ReadSession, WriteSession
from app.storage.evidence_files import FileDamaged, FileMissing
from app.storage.evidence_store import Evidence, find_evidence
from app.storage.marks import stage_mark
from app.web.access import NotAllowed, allowed
from app.web.based_on import based_on
from app.web.clock import now
from app.web.download import OpenFileResponse
from app.web.forms import FormInvalid, FormState, Posted, Problem, parse, typed_text
from app.web.i18n import N_, Language, gettext_for, language_of
from app.web.identity import Caller
from app.web.notice import register, see_other
from app.web.on_run import may_on_run
from app.web.paths import stage_ref
from app.web.read_log import note_read
from app.web.render import render
from app.web.room import Room

log = structlog.get_logger(__name__)

router = Room()
uploading = Room(route_class=UploadRoute)
register(
    {
        "evidence_added": N_("The evidence has been added."),
        "evidence_withdrawn": N_("The evidence has been withdrawn. It stays visible, with the reason."),
    }
)

Viewer = Annotated[Caller, allowed(Action.VIEW_RUN)]
Worker = Annotated[Caller, allowed(Action.WORK_ON_STAGE)]
Basis = Annotated[str, based_on()]

FILES: Final = "bestanden"  # name of the field

# What our pages may do does not count here: this is for whoever opens a downloaded file in the browser all the same.
DOWNLOAD_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Download-Options": "noopen",
    "Cache-Control": "private, no-store",
}


# --- adding ----------------------------------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/fasen/{ref}/stappen/{step}/bewijs")
def show_step_evidence(
    request: Request,
    run_id: str,
    ref: str,
    step: str,
    session: ReadSession,
    caller: Viewer,
    vorm: str = "",
    soort: str = "",
) -> Response:
    page = queries.step_evidence_page(session, caller, run_id, stage_ref(ref), step)
    form = FormState.of(
        soort=soort if soort in page.plan.evidence_kinds_by_id else page.first_missing,
        vertrouwelijkheid="internal",
        sleutel=uuid.uuid4(),
        vorm=next(name for name, form in FORM_NAMES.items() if form is form_named(vorm)),
    )
    return _step_page(request, page, form, status=200)


def _step_page(
    request: Request,
    page: queries.StepEvidencePage,
    form: FormState,
    *,
    status: int,
    added: Sequence[str] = (),
    refused: Sequence[str] = (),
    is_stale: bool = False,
) -> Response:
    return render(
        request,
        "evidence/step.html",
        status=status,
        header=page.header,
        here_tab="run",
        page=page,
        form=form,
        added=added,
        refused=refused,
        is_stale=is_stale,
        accept=ACCEPT,
        files_max=FILES_AT_ONCE_MAX,
        type_title=title_of,
    )


@uploading.post("/trajecten/{run_id}/fasen/{ref}/stappen/{step}/bewijs", max_body_size=READ_BYTES_MAX)
def add_evidence(
    # First, because it ends last: after the transaction.
    upload: Uploaded,
    request: Request,
    run_id: str,
    ref: str,
    step: str,
    session: WriteSession,
    caller: Worker,
    posted: Posted,
    basis: Basis,
) -> Response:
    stage = stage_ref(ref)
    place = service.open_step(session, run_id, stage, step, by=caller.user_id, at=now(request))
    added = service.Added((), ())
    if basis != stage_mark(place.run, stage):
        # Approved or asked for meanwhile, say: whoever adds something should know.
        page, typed = queries.step_evidence_page(session, caller, run_id, stage, step), FormState(typed_text(posted))
        return _step_page(request, page, typed, status=409, is_stale=True)
    try:
        form = _read_form(posted, place.plan, upload)
        chosen = _chosen(upload) if isinstance(form, FileForm) else []
        problems = [*_problems(chosen)] if isinstance(form, FileForm) else []
        if not any(problem.sentence == words.TOO_MANY for problem in problems):
            good = [file for file in chosen if file.type is not None]
            added = service.add_evidence(session, place, form, good, upload, by=caller.user_id, at=now(request))
            problems += _twins(added)
        if problems:
            raise FormInvalid(typed_text(posted), problems)
    except FormInvalid as invalid:
        page = queries.step_evidence_page(session, caller, run_id, stage, step)
        state, refused = _form_again(invalid, language_of(request))
        status = 413 if any(file.is_too_large for file in upload.files) else 422
        return _step_page(request, page, state, status=status, added=added.titles, refused=refused)
    return see_other(queries.adding_address(place.run.id, stage, step), notice="evidence_added")


def _read_form(posted: FormData, plan: StepPlan, upload: Upload) -> AddForm:
    """Raises FormInvalid with what is wrong with the files too, so that nobody mends one thing to hear of the next."""
    try:
        return read_add_form(posted, plan)
    except FormInvalid as invalid:
        if form_named(posted.get("vorm")) is not EvidenceForm.FILE:
            raise
        about_files = [*_problems(_chosen(upload))] or [Problem(FILES, words.CHOOSE_AGAIN, FILES)]
        raise FormInvalid(invalid.typed, [*about_files, *invalid.problems]) from None


def _chosen(upload: Upload) -> list[ReceivedFile]:
    """A field in which nothing was chosen sends a file without a name and without a byte."""
    return [file for file in upload.files if file.filename or file.bytes]


def _problems(chosen: list[ReceivedFile]) -> Iterator[Problem]:
    if not chosen:
        yield Problem(FILES, words.NONE_CHOSEN, FILES)
    if len(chosen) > FILES_AT_ONCE_MAX:
        yield Problem(FILES, words.TOO_MANY, FILES, {"n": len(chosen), "limit": FILES_AT_ONCE_MAX})
        return
    for file in chosen:
        if file.is_empty:
            sentence = words.EMPTY
        elif file.is_too_large:
            sentence = words.TOO_LARGE
        elif file.problem is not None:
            sentence = words.PROBLEMS[file.problem]
        else:
            continue
        yield Problem(FILES, sentence, FILES, {"name": clean_name(file.filename or "")})


def _twins(added: service.Added) -> Iterator[Problem]:
    for file, twin in added.twins:
        title = twin.described.title
        if file is None:
            yield Problem("adres", words.TWIN_LINK, "adres", {"title": title})
        else:
            params = {"name": clean_name(file.filename or ""), "title": title}
            yield Problem(FILES, words.TWIN, FILES, params)


def _form_again(invalid: FormInvalid, language: Language) -> tuple[FormState, list[str]]:
    """With a sentence about each file that was refused; several of them share one field."""
    state = invalid.state(language)
    about_files = [problem for problem in invalid.problems if problem.name == FILES]
    sentences = [FormInvalid({}, [problem]).state(language).errors[FILES] for problem in about_files]
    if len(sentences) < 2:
        return state, []
    summary = gettext_for(language).gettext(words.SEVERAL) % {"n": len(sentences)}
    return FormState(state.values, {**state.errors, FILES: summary}), sentences


# --- finding ---------------------------------------------------------------------------------------------------


@router.get("/trajecten/{run_id}/bewijsstukken")
def show_run_evidence(
    request: Request,
    run_id: str,
    session: ReadSession,
    caller: Viewer,
    soort: str = "",
    fase: str = "",
    grond: str = "",
    stand: str = "",
    pagina: int = 1,
) -> Response:
    wanted = Filter(kind=soort, stage=fase, ground=grond, state=stand)
    page = queries.run_evidence_page(session, caller, run_id, wanted, pagina)
    return render(
        request, "evidence/list.html", header=page.header, here_tab="evidence", page=page, type_title=title_of
    )


@router.get("/trajecten/{run_id}/bewijsstukken/{evidence_id}")
def show_evidence(request: Request, run_id: str, evidence_id: str, session: ReadSession, caller: Viewer) -> Response:
    page = queries.evidence_page(session, caller, run_id, evidence_id)
    _may_open(session, caller, page.evidence)
    _note(request, caller, page.evidence, Act.READ_EVIDENCE)
    return _evidence_page(request, page, FormState(), status=200)


def _may_open(session: Session, caller: Caller, found: Evidence) -> None:
    """Raises NotAllowed."""
    if found.described.confidentiality != "confidential":
        return
    if not may_on_run(session, caller, Action.OPEN_CONFIDENTIAL, found.run_id):
        raise NotAllowed(Action.OPEN_CONFIDENTIAL)


def _note(request: Request, caller: Caller, found: Evidence, act: Act) -> None:
    if found.described.confidentiality != "public":
        note_read(request, caller, act, run=found.run_id, evidence=found.id)


def _evidence_page(request: Request, page: queries.EvidencePage, form: FormState, *, status: int) -> Response:
    return render(
        request,
        "evidence/detail.html",
        status=status,
        header=page.header,
        here_tab="evidence",
        page=page,
        preview=preview_of(files_of(request), page.evidence.described.file),
        form=form,
        type_title=title_of,
    )


@router.get("/trajecten/{run_id}/bewijsstukken/{evidence_id}/bestand")
def download(
    request: Request, run_id: str, evidence_id: str, session: ReadSession, caller: Viewer, beeld: str = ""
) -> Response:
    """Always as an attachment, and only if the bytes are still those that were uploaded. `beeld=ja` is how the page of
    an image shows it: that is reading, and not taking along, as long as the browser asks for it to show in a page. The
    same address opened by itself is saved as a file."""
    found = find_evidence(session, run_id, evidence_id)
    _may_open(session, caller, found)
    file = found.described.file
    if file is None:
        return see_other(f"/trajecten/{found.run_id}/bewijsstukken/{found.id}")
    try:
        content = files_of(request).open_intact(file.sha256)
    except (FileMissing, FileDamaged) as trouble:
        return _without_file(request, session, caller, found, trouble)
    is_shown = beeld == "ja" and file.media_type in IMAGES and request.headers.get("sec-fetch-dest") == "image"
    _note(request, caller, found, Act.READ_EVIDENCE if is_shown else Act.TOOK_EVIDENCE)
    return OpenFileResponse(content, media_type=file.media_type, filename=file.name, headers=DOWNLOAD_HEADERS)


def _without_file(
    request: Request, session: Session, caller: Caller, found: Evidence, trouble: FileMissing | FileDamaged
) -> Response:
    session.rollback()  # to see what is there now: it may have been erased after it was looked up
    page = queries.evidence_page(session, caller, found.run_id, found.id)
    file = page.evidence.described.file
    if file is None:
        return see_other(page.address)
    is_damaged = isinstance(trouble, FileDamaged)
    log.error("evidence_file_unusable", sha256=file.sha256, evidence=found.id, damaged=is_damaged)
    return render(
        request,
        "evidence/unusable.html",
        status=404,
        header=page.header,
        here_tab="evidence",
        page=page,
        is_damaged=is_damaged,
    )


# --- withdrawing -----------------------------------------------------------------------------------------------


@router.post("/trajecten/{run_id}/bewijsstukken/{evidence_id}/intrekken")
def withdraw(
    request: Request, run_id: str, evidence_id: str, session: WriteSession, caller: Worker, posted: Posted, basis: Basis
) -> Response:
    try:
        form = parse(WithdrawForm, posted)
    except FormInvalid as invalid:
        page = queries.evidence_page(session, caller, run_id, evidence_id)
        return _evidence_page(request, page, invalid.state(language_of(request)), status=422)
    try:
        service.withdraw_evidence(
            session, run_id, evidence_id, reason=form.reason, based_on=basis, by=caller.user_id, at=now(request)
        )
    except service.EvidenceSetAside:
        page = queries.evidence_page(session, caller, run_id, evidence_id)
        return _evidence_page(request, page, FormState(typed_text(posted)), status=409)
    return see_other(f"/trajecten/{run_id}/bewijsstukken/{evidence_id}", notice="evidence_withdrawn")


router.include_router(uploading)
