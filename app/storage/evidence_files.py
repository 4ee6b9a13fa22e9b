"""The bytes of evidence: DATA_DIR/evidence/sha256/ab/<SHA-256 of the content>.

A file gets its name from its content, so it never changes, and the same document is kept once. It comes in under a
temporary name, is moved into place before the commit of the row that refers to it, and is on the disk by then: an
acknowledged upload survives a power cut. What no row refers to is removed, under a lock that a request holds from
placing a file until after its commit; a file that somebody is about to refer to is therefore never removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

EVIDENCE_BYTES_MAX: Final = 25 * 1024**2  # bytes of one file; chosen in docs/decisions/0006
READ_BYTES: Final = 1024**2  # at a time, so that memory stays flat
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600

_SHA256: Final = re.compile(r"[0-9a-f]{64}")

UsedHashes = Callable[[Collection[str]], Collection[str]]
"""Which of these hashes some row refers to, in whatever municipality."""


class FileMissing(Exception):
    """The database knows this file, the disk does not (any more)."""


class FileDamaged(Exception):
    """The bytes on the disk are no longer those that were uploaded."""


class IncomingFile:
    """A file that is being received. Writes until `finish()`; then its hash is known and it is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.size = 0
        self.sha256 = ""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        self._file: Final[BinaryIO] = os.fdopen(descriptor, "wb", buffering=0)
        self._hash: Final = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def finish(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()
        self.sha256 = self._hash.hexdigest()

    def discard(self) -> None:
        """Also after it was placed: then there is nothing left under this name."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class EvidenceFiles:
    def __init__(self, folder: Path) -> None:
        self._incoming: Final = folder / "incoming"
        self._placed: Final = folder / "sha256"
        self._lock: Final = folder / "lock"

    def receive(self) -> IncomingFile:
        _make_folder(self._incoming)
        return IncomingFile(self._incoming / secrets.token_hex(16))

    @contextmanager
    def placing(self) -> Iterator[None]:
        """Nothing is removed meanwhile. Keep it until the transaction that refers to the placed files has ended."""
        _make_folder(self._lock.parent)
        with self._lock.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    def place(self, incoming: IncomingFile) -> None:
        """Gives a finished file its lasting name. If the content is there already, this puts it there once more."""
        target = self.path_of(incoming.sha256)
        _make_folder(target.parent)
        incoming.path.replace(target)
        _sync_folder(target.parent)

    def path_of(self, sha256: str) -> Path:
        assert _SHA256.fullmatch(sha256), sha256
        return self._placed / sha256[:2] / sha256

    def open_intact(self, sha256: str) -> BinaryIO:
        """The file at its beginning, after reading it through: 25 MiB take some 20 ms. Whoever asked closes it; until
        then it can be read, also when it is removed meanwhile.  Raises FileMissing, FileDamaged."""
        try:
            file = self.path_of(sha256).open("rb")
        except FileNotFoundError:
            raise FileMissing(sha256) from None
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            file.close()
            raise FileDamaged(sha256)
        file.seek(0)
        return file

    def beginning(self, sha256: str, *, size: int, limit: int) -> bytes:
        """The first `limit` bytes, to look at: the rest is not read. What is there whole is checked like `open_intact`;
        of a longer file only whether it still has its `size`, so `open_intact` is for what somebody takes along.

        Raises FileMissing, FileDamaged."""
        try:
            with self.path_of(sha256).open("rb") as file:
                beginning, found = file.read(limit), os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            raise FileMissing(sha256) from None
        is_whole = size <= limit
        if found != size or (is_whole and hashlib.sha256(beginning).hexdigest() != sha256):
            raise FileDamaged(sha256)
        return beginning

    @contextmanager
    def removing(self) -> Iterator[bool]:
        """Whether nobody is placing files, and nobody will meanwhile."""
        _make_folder(self._lock.parent)
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def remove(self, sha256: str) -> None:
        """While `removing()`, and only what no row refers to."""
        path = self.path_of(sha256)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync_folder(path.parent)

    def remove_unused(self, hashes: Collection[str], used: UsedHashes) -> list[str]:
        """Removes those of `hashes` that no row refers to. Removes nothing if another request is placing files now;
        then `sweep()` will find them."""
        if not hashes:
            return []
        with self.removing() as is_alone:
            if not is_alone:
                return []
            removed = sorted(set(hashes) - set(used(hashes)))
            for sha256 in removed:
                self.path_of(sha256).unlink(missing_ok=True)
        return removed

    def sweep(self, used: UsedHashes, *, at: datetime, older_than: timedelta = timedelta(days=1)) -> list[str]:
        """Removes what crashes left behind: files that came in halfway, and files that no row refers to."""
        before = (at - older_than).timestamp()
        for path in _files_in(self._incoming, before):
            path.unlink(missing_ok=True)
        removed: list[str] = []
        for folder in sorted(self._placed.glob("??")):
            names = [path.name for path in _files_in(folder, before)]
            # What else somebody put there is not ours to judge.
            removed += self.remove_unused([name for name in names if _SHA256.fullmatch(name)], used)
        return removed


def _files_in(folder: Path, before: float) -> Iterator[Path]:
    for path in folder.glob("*"):
        if path.is_file() and path.stat().st_mtime < before:
            yield path


def _make_folder(folder: Path) -> None:
    """A new folder, too, is only there after a power cut if the folder that it is in was brought to the disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
