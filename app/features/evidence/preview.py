"""What the page of a file shows of it: an image as it is, the beginning of a text. Nothing else is opened here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.storage.evidence_files import EvidenceFiles, FileDamaged, FileMissing
from app.storage.evidence_store import StoredFile

IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
TEXT_BYTES_MAX: Final = 2_000  # half a page


@dataclass(frozen=True, slots=True)
class Preview:
    """`text` is None for an image, which the browser asks for itself; `is_whole`: there is no more text than this."""

    text: str | None
    is_whole: bool = True


def preview_of(files: EvidenceFiles, file: StoredFile | None) -> Preview | None:
    """None where there is nothing to show, or where the bytes turn out not to be those that were added any more. Of a
    long text that is for the download to find out: each view of the page would read all of it."""
    if file is None:
        return None
    if file.media_type in IMAGES:
        return Preview(None)
    if not file.media_type.startswith("text/"):
        return None
    try:
        beginning = files.beginning(file.sha256, size=file.size, limit=TEXT_BYTES_MAX)
    except (FileMissing, FileDamaged):
        return None
    # The end may be in the middle of a letter.
    return Preview(beginning.decode(errors="ignore").removeprefix("\ufeff"), is_whole=file.size <= TEXT_BYTES_MAX)
