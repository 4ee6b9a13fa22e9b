"""A file that is made for one answer: in memory while it is small, streamed when it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Final, TypeVar

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

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
