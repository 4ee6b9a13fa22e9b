"""The history of the whole municipality, to take along and check elsewhere."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Final

from fastapi import Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.features.history.queries import history_check
from app.policy import Action
from app.storage.account_log import Act
from app.storage.database import ReadSession
from app.storage.history.export import About, NothingSigned, write_export
from app.storage.history.time_stamps import Stamp, stamps_in
from app.web.access import allowed
from app.web.clock import now
from app.web.identity import Caller
from app.web.read_log import note_read
from app.web.render import render
from app.web.room import Room

router = Room()

Exporter = Annotated[Caller, allowed(Action.EXPORT_HISTORY)]

IN_MEMORY_MAX: Final = 1024**2  # bytes; a larger export goes to a temporary file
CHUNK: Final = 64 * 1024  # bytes


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
    file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115  # as below
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (path for stamp in stamps for path in stamp.files):
            archive.write(path, path.name)
    headers = {
        "Content-Disposition": f'attachment; filename="tijdstempels-{caller.municipality_id}.zip"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Length": str(file.tell()),
    }
    closing = BackgroundTask(file.close)
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers, background=closing)


@router.get("/geschiedenis/export")
def download_export(request: Request, session: ReadSession, caller: Exporter) -> Response:
    """Everything up to the newest signed head."""
    # Not closed here: it is read while the answer leaves.
    file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115
    try:
        head = write_export(session, file, About(caller.municipality_name, caller.name, now(request)))
    except NothingSigned:
        file.close()
        return RedirectResponse("/geschiedenis", status_code=303)
    except BaseException:
        file.close()
        raise
    note_read(request, caller, Act.TOOK_HISTORY)
    length, digest = file.tell(), hashlib.sha256()
    for chunk in _chunks(file):
        digest.update(chunk)
    headers = {
        "Content-Disposition": f'attachment; filename="geschiedenis-{head.municipality}-{head.number}.zip"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Length": str(length),
        "X-Content-SHA256": digest.hexdigest(),
    }
    closing = BackgroundTask(file.close)
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers, background=closing)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk
