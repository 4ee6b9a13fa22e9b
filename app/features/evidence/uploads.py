"""Receiving files. They go to the disk as they come in, each with its own limit, so memory stays flat and no lie in
Content-Length helps. What is too large is read and thrown away: to a browser a server that stops reading looks like
a lost connection, and then nobody sees what was wrong.

All of this is done before the transaction of the request begins: a slow sender keeps no other writer waiting.

    router = Room(route_class=UploadRoute)

    @router.post("/…", max_body_size=READ_BYTES_MAX)
    def add(upload: Uploaded, session: WriteSession, form: Posted, …):   # Uploaded first: it outlives the session
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, ExitStack
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.features.evidence.file_types import FileType
from app.features.evidence.inspection import Problem
from app.features.evidence.inspector import inspect
from app.policy import Action
from app.storage import logins
from app.storage.database import Database
from app.storage.evidence_files import EVIDENCE_BYTES_MAX, READ_BYTES, EvidenceFiles, IncomingFile
from app.storage.evidence_store import used_hashes
from app.web.clock import now
from app.web.csrf import origin_is_ours
from app.web.forms import FIELDS_MAX, TEXT_BYTES_MAX, typed_text
from app.web.identity import caller_of, seen_after, session_id_of, token_of
from app.web.once import Route

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILES_AT_ONCE_MAX: Final = 10
# Of one request. More than ten files of the largest size, so that somebody who chose too much hears so on the page.
READ_BYTES_MAX: Final = 1024**3


class ReceivedFile(UploadFile):
    """A file of the form. Just one of `type` and `problem` is there, unless it is empty, too large or one too many."""

    def __init__(self, filename: str, incoming: IncomingFile | None) -> None:
        super().__init__(BytesIO(), filename=filename)
        self.incoming: Final = incoming
        self.bytes = 0
        self.type: FileType | None = None
        self.problem: Problem | None = None

    @property
    def sha256(self) -> str | None:
        return self.incoming.sha256 if self.incoming is not None else None

    @property
    def is_empty(self) -> bool:
        return self.bytes == 0

    @property
    def is_too_large(self) -> bool:
        return self.bytes > EVIDENCE_BYTES_MAX


class Upload:
    """The files of one request, until its transaction has ended."""

    def __init__(self, files: EvidenceFiles) -> None:
        self.store: Final = files
        self.files: list[ReceivedFile] = []
        self._placing: Final = ExitStack()
        self._placed: Final[set[str]] = set()
        self._is_recorded = False

    def place(self, file: ReceivedFile) -> None:
        """Puts a good file where it stays. Call `recorded()` once the rows that refer to it are written."""
        assert file.incoming is not None
        if not self._placed:
            self._placing.enter_context(self.store.placing())
        self.store.place(file.incoming)
        self._placed.add(file.incoming.sha256)

    def recorded(self) -> None:
        self._is_recorded = True

    def end(self, database: Database, *, failed: bool) -> None:
        for file in self.files:
            if file.incoming is not None:
                file.incoming.discard()
        self._placing.close()
        if self._placed and (failed or not self._is_recorded):
            with database.read() as session:
                self.store.remove_unused(self._placed, used_hashes(session))


def files_of(request: Request) -> EvidenceFiles:
    return EvidenceFiles(request.app.state.settings.evidence_dir)


# --- the request -----------------------------------------------------------------------------------------------


class UploadRoute(Route):
    """A route whose form is read by `UploadRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_upload(request: Request) -> Response:
            return await handle(UploadRequest(request.scope, request.receive))

        return handle_upload


class UploadRequest(Request):
    """Gives the same form to whoever asks; what kind of form the others want makes no difference."""

    upload: Upload
    _read: FormData | None = None

    def form(self, **limits: object) -> _FormReading:
        return _FormReading(self)

    async def read(self) -> FormData:
        if self._read is None:
            self.upload = Upload(files_of(self))
            content_type, options = parse_options_header(self.headers.get("content-type"))
            if content_type == b"multipart/form-data" and b"boundary" in options:
                self._read = await self._read_multipart(options[b"boundary"])
            else:
                limits = {"max_fields": FIELDS_MAX, "max_part_size": TEXT_BYTES_MAX}
                self._read = await super().form(max_files=0, **limits)
        return self._read

    async def _read_multipart(self, boundary: bytes) -> FormData:
        # Who may not add evidence fills no disk either: those files are thrown away, the texts are kept.
        parts = _Parts(self.upload.store if await self._may_send_files() else None)
        self.upload.files = parts.files
        try:
            parser = MultipartParser(boundary, parts.callbacks())
            async for chunk in self.stream():
                parser.write(chunk)
                if parts.bytes_waiting >= READ_BYTES:
                    await run_in_threadpool(parts.write)
            await run_in_threadpool(parts.finish)
        except (FormParserError, ClientDisconnect):
            raise HTTPException(400) from None
        finally:
            self.state.typed = typed_text(FormData(parts.items))
        good = [file for file in parts.files if file.incoming and not file.is_empty and not file.is_too_large]
        verdicts = await inspect([(file.incoming.path, file.filename or "") for file in good if file.incoming])
        for file, verdict in zip(good, verdicts, strict=True):
            file.type, file.problem = verdict.type, verdict.problem
        return FormData(parts.items)

    async def _may_send_files(self) -> bool:
        token = token_of(self)
        if token is None or origin_is_ours(self) is False:
            return False
        at = now(self)
        database: Database = self.app.state.database
        async with database.reading_request() as session:
            login = await run_in_threadpool(
                logins.find_login, session, session_id_of(token), at=at, seen_after=seen_after(at)
            )
        caller = caller_of(login) if login else None
        return caller is not None and caller.may(Action.WORK_ON_STAGE)


class _FormReading(AbstractAsyncContextManager[FormData]):
    """`await request.form()` and `async with request.form() as form` both work, as with Starlette's own."""

    def __init__(self, request: UploadRequest) -> None:
        self._request: Final = request

    def __await__(self) -> Generator[Any, None, FormData]:
        return self._request.read().__await__()

    async def __aenter__(self) -> FormData:
        return await self._request.read()

    async def __aexit__(self, *_: object) -> None:
        return None


class _Parts:
    """What the parser finds. Bytes of files wait here until `write()` takes them to the disk, outside the loop."""

    def __init__(self, store: EvidenceFiles | None) -> None:
        self._store: Final = store
        self.items: list[tuple[str, str | UploadFile]] = []
        self.files: list[ReceivedFile] = []
        self.bytes_waiting = 0
        self._waiting: list[tuple[ReceivedFile, bytes]] = []
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        self._name = ""
        self._text = bytearray()
        self._file: ReceivedFile | None = None
        self._is_complete = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self._disposition, self._text, self._file = b"", bytearray(), None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise FormParserError("a part without a name")
        self._name = _decoded(options[b"name"])
        if len(self.items) >= FIELDS_MAX:
            raise FormParserError("too many parts")
        if b"filename" in options:
            # One more than allowed is enough to know that there are too many.
            is_kept = self._store is not None and len(self.files) < FILES_AT_ONCE_MAX
            incoming = self._store.receive() if self._store is not None and is_kept else None
            self._file = ReceivedFile(_decoded(options[b"filename"]), incoming)
            self.files.append(self._file)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._text += data[start:end]
            if len(self._text) > TEXT_BYTES_MAX:
                raise FormParserError("a text that is too long")
            return
        self._file.bytes += end - start
        if self._file.incoming is not None and not self._file.is_too_large:
            self._waiting.append((self._file, data[start:end]))
            self.bytes_waiting += end - start

    def _on_part_end(self) -> None:
        self.items.append((self._name, self._file if self._file is not None else _decoded(bytes(self._text))))

    def _on_end(self) -> None:
        self._is_complete = True

    def write(self) -> None:
        for file, data in self._waiting:
            if file.incoming is not None:
                file.incoming.write(data)
        self._waiting.clear()
        self.bytes_waiting = 0

    def finish(self) -> None:
        self.write()
        if not self._is_complete:
            raise FormParserError("the end is missing")
        for file in self.files:
            if file.incoming is not None:
                file.incoming.finish()


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


async def _upload(request: Request) -> AsyncIterator[Upload]:
    assert isinstance(request, UploadRequest), "the route is not an UploadRoute"
    database: Database = request.app.state.database
    failed = True
    try:
        await request.form()
        yield request.upload
        failed = False
    finally:
        await run_in_threadpool(request.upload.end, database, failed=failed)


Uploaded = Annotated[Upload, Depends(_upload, scope="function")]
