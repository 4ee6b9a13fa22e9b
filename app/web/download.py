"""A file that leaves: made for one answer, in memory while it is small, or one that is open already."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Final, TypeVar

import anyio
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

IN_MEMORY_MAX: Final = 1024**2  # bytes; a larger one goes to a temporary file
CHUNK: Final = 64 * 1024  # bytes


Given = TypeVar("Given")


def made_file(write: Callable[[IO[bytes]], Given]) -> tuple[IO[bytes], Given]:
    """With what `write` gives. Open still: `zip_download` closes it once it has left. Closed when `write` fails."""
    file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115  # it is read while the answer leaves
    try:
        return file, write(file)
    except BaseException:
        file.close()
        raise


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def zip_download(file: IO[bytes], name: str, more: Mapping[str, str] | None = None) -> Response:
    """`name`: in ASCII, without quotes. `more`: headers."""
    file.seek(0, 2)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Length": str(file.tell()),
        **(more or {}),
    }
    closing = BackgroundTask(file.close)
    return StreamingResponse(chunks_of(file), media_type="application/zip", headers=headers, background=closing)


class OpenFileResponse(FileResponse):
    """Sends the very file that was opened and looked at, whole or in part. Starlette would look its name up again when
    the answer leaves: by then it may be gone, or be another file. Closes it."""

    def __init__(self, file: BinaryIO, *, media_type: str, filename: str, headers: Mapping[str, str]) -> None:
        super().__init__(
            file.name, media_type=media_type, filename=filename, headers=headers, stat_result=os.fstat(file.fileno())
        )
        self._file: Final = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[anyio.AsyncFile[bytes]]:
        yield anyio.wrap_file(self._file)
