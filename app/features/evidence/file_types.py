"""The kinds of files that are taken, and the names under which they are kept and given back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

NAME_MAX: Final = 120  # characters; fits on a screen, and as bytes within the 255 of every file system

_ODF = "application/vnd.oasis.opendocument."
_OOXML = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True, slots=True)
class FileType:
    """`suffixes`: the names that such files have; the first is the one that we give. `title` is the same in all
    languages."""

    media_type: str
    title: str
    suffixes: tuple[str, ...]


# Why these and no others: docs/decisions/0006.
FILE_TYPES: Final[Mapping[str, FileType]] = MappingProxyType(
    {
        "pdf": FileType("application/pdf", "PDF", (".pdf",)),
        "odt": FileType(f"{_ODF}text", "OpenDocument (odt)", (".odt",)),
        "ods": FileType(f"{_ODF}spreadsheet", "OpenDocument (ods)", (".ods",)),
        "odp": FileType(f"{_ODF}presentation", "OpenDocument (odp)", (".odp",)),
        "docx": FileType(f"{_OOXML}wordprocessingml.document", "Word (docx)", (".docx",)),
        "xlsx": FileType(f"{_OOXML}spreadsheetml.sheet", "Excel (xlsx)", (".xlsx",)),
        "pptx": FileType(f"{_OOXML}presentationml.presentation", "PowerPoint (pptx)", (".pptx",)),
        "png": FileType("image/png", "PNG", (".png",)),
        "jpeg": FileType("image/jpeg", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
        "webp": FileType("image/webp", "WebP", (".webp",)),
        "txt": FileType("text/plain; charset=utf-8", "TXT", (".txt",)),
        "csv": FileType("text/csv; charset=utf-8", "CSV", (".csv",)),
    }
)
ALL_SUFFIXES: Final = tuple(suffix for type in FILE_TYPES.values() for suffix in type.suffixes)
ACCEPT: Final = ",".join(ALL_SUFFIXES)
_BY_MEDIA_TYPE: Final = {type.media_type: type for type in FILE_TYPES.values()}


def title_of(media_type: str) -> str:
    known = _BY_MEDIA_TYPE.get(media_type)
    return known.title if known else media_type


def clean_name(given: str) -> str:
    """The label under which a file is shown and given back: no folders, no characters that steer a screen or a
    header, not too long. Never a path of ours."""
    # Browsers send these three in this way inside a header.
    name = given.replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    # Cc: control; Cf: invisible, among them those that turn the direction of text, so that exe.pdf reads as pdf.exe.
    name = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in name)
    name = re.sub(r"\s+", " ", name).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if dot and len(suffix) <= 5:
        return stem[: NAME_MAX - len(suffix) - 1].rstrip(" .") + dot + suffix
    return name[:NAME_MAX].rstrip(" .")


def name_for(given: str, type: FileType) -> str:
    """A clean name that ends as files of this type do, whatever the sender called it."""
    name = clean_name(given)
    ending = next((suffix for suffix in ALL_SUFFIXES if name.lower().endswith(suffix)), "")
    stem = name[: len(name) - len(ending)].rstrip(" .")
    if ending not in type.suffixes:  # a file that is called something else would not open
        ending = type.suffixes[0]
    else:
        ending = name[len(name) - len(ending) :]
    return (stem[: NAME_MAX - len(ending)] or "bestand") + ending


def title_for(file_name: str) -> str:
    """A title for who gave none: the name of the file, read as words."""
    stem = file_name.rpartition(".")[0] or file_name
    words = re.sub(r"[_\s]+", " ", stem).strip()
    return words[:1].upper() + words[1:]
