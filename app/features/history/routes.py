"""The history of the whole municipality, to take along and check elsewhere."""

from __future__ import annotations

import hashlib
import zipfile
from typing import IO, Annotated

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.features.history.queries import history_check
from app.policy import Action
from app.storage.account_log import Act
from app.storage.database import ReadSession
from app.storage.history.export import About, NothingSigned, write_export
from app.storage.history.time_stamps import Stamp, stamps_in
from app.web.access import allowed
from app.web.clock import now
from app.web.download import chunks_of, made_file, zip_download
from app.web.identity import Caller
from app.web.read_log import note_read
from app.web.render import render
from app.web.room import Room

router = Room()

Exporter = Annotated[Caller, allowed(Action.EXPORT_HISTORY)]


@router.get("/geschiedenis")
def show_check(request: Request, session: ReadSession, caller: Exporter) -> Response:
    return render(request, "history/check.html", page=history_check(session), stamps=_stamps(request, caller))


def _stamps(request: Request, caller: Caller) -> list[Stamp]:
    return stamps_in(request.app.state.settings.time_stamps, str(caller.municipality_id))


@router.get("/geschiedenis/tijdstempels")
def download_stamps(request: Request, session: ReadSession, caller: Exporter) -> Response:
    """Each head that a service for time stamps got, and its stamp beside it. Apart from the export: the program that
    checks an export takes the files that it knows, also the one that an auditor kept from before."""
    if not (stamps := _stamps(request, caller)):
        return RedirectResponse("/geschiedenis", status_code=303)

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (path for stamp in stamps for path in stamp.files):
                archive.write(path, path.name)

    file, _ = made_file(write)
    return zip_download(file, f"tijdstempels-{caller.municipality_id}.zip")


@router.get("/geschiedenis/export")
def download_export(request: Request, session: ReadSession, caller: Exporter) -> Response:
    """Everything up to the newest signed head."""
    about = About(caller.municipality_name, caller.name, now(request))
    try:
        file, head = made_file(lambda file: write_export(session, file, about))
    except NothingSigned:
        return RedirectResponse("/geschiedenis", status_code=303)
    note_read(request, caller, Act.TOOK_HISTORY)
    digest = hashlib.sha256()
    for chunk in chunks_of(file):
        digest.update(chunk)
    name = f"geschiedenis-{head.municipality}-{head.number}.zip"
    return zip_download(file, name, {"X-Content-SHA256": digest.hexdigest()})
