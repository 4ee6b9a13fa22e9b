"""What kind of file is this, told from its content? Runs in a process of its own (see inspector.py): these libraries
read what strangers made, so a crash, an endless loop or a swollen memory must stay their own.

    echo '[["/path/of/file", "name as given.pdf"]]' | python -m app.features.evidence.inspection

Prints "ready", then a line of JSON per file: {"type": "pdf"} or {"problem": "damaged"}.
"""

from __future__ import annotations

import codecs
import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final
from xml.parsers import expat

PIXELS_MAX: Final = 100_000_000  # a poster of A0 scanned at 250 dots an inch
ENTRIES_MAX: Final = 10_000  # parts of an office document; a presentation full of pictures has a few hundred
UNPACKED_BYTES_MAX: Final = 300 * 1024**2
# A sheet that repeats one row compresses 1:100; only above the first number does the second one say "bomb".
BOMB_BYTES_MIN: Final = 20 * 1024**2
BOMB_RATIO: Final = 200
CONTENT_TYPES_BYTES_MAX: Final = 1024**2
CHUNK_BYTES: Final = 64 * 1024

MEMORY_BYTES_MAX: Final = 1024**3  # of the process; a large picture takes 4 bytes a pixel
CPU_SECONDS_MAX: Final = 20

_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Problem(StrEnum):
    """Why a file is not taken. `locked`: behind a password. `two_kinds`: it reads as a file of another kind too."""

    ARCHIVE = "archive"
    BOMB = "bomb"
    DAMAGED = "damaged"
    LOCKED = "locked"
    MACROS = "macros"
    MAIL = "mail"
    NOT_ALLOWED = "not_allowed"
    NOT_UTF8 = "not_utf8"
    OLD_OFFICE = "old_office"
    OTHER_IMAGE = "other_image"
    TOO_MANY_PIXELS = "too_many_pixels"
    TWO_KINDS = "two_kinds"


class Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def kind_of(path: Path, name: str) -> str:
    """The extension that belongs to the content.  Raises Refused.

    `name`, as the sender gave it, only matters where content cannot tell: among plain texts.
    """
    import puremagic

    suffix = Path(name.lower()).suffix
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(0)
        try:
            found = {match.mime_type for match in puremagic.magic_stream(file)}
        except puremagic.PureError:
            found = set()
    if suffix in (".eml", ".msg"):
        raise Refused(Problem.MAIL)
    if head.startswith(b"%PDF-") and "application/pdf" in found:
        return _pdf(path)
    if head.startswith(b"PK\x03\x04"):
        return _document(path)
    for mime_type, format in (("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP")):
        if mime_type in found and _starts_as(format, head):
            return _image(path, format)
    if head.startswith(_OLE):
        raise Refused(Problem.OLD_OFFICE)
    if suffix in (".txt", ".csv"):  # before other images: a text that begins with BM is no bitmap
        return _text(path, suffix)
    if any(mime_type.startswith("image/") and mime_type != "image/svg+xml" for mime_type in found):
        raise Refused(Problem.OTHER_IMAGE)
    raise Refused(Problem.NOT_ALLOWED)


def _starts_as(format: str, head: bytes) -> bool:
    match format:
        case "PNG":
            return head.startswith(b"\x89PNG\r\n\x1a\n")
        case "JPEG":
            return head.startswith(b"\xff\xd8\xff")
        case _:
            return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()


def _refuse_second_kind(path: Path) -> None:
    """A zip archive is read from its end, so it can hide behind a picture or a PDF."""
    tail = _tail(path, _ZIP_END_BYTES + 65_535)
    place = tail.rfind(_ZIP_END)
    while place >= 0:
        comment = int.from_bytes(tail[place + 20 : place + 22], "little")
        if place + _ZIP_END_BYTES + comment == len(tail):
            raise Refused(Problem.TWO_KINDS)
        place = tail.rfind(_ZIP_END, 0, place)


# --- PDF -------------------------------------------------------------------------------------------------------


def _pdf(path: Path) -> str:
    import pypdfium2  # type: ignore[import-untyped]  # the package says nothing about types

    _refuse_second_kind(path)
    # PDFium mends what was cut off, and shows the half that is left.
    if b"%%EOF" not in _tail(path, CHUNK_BYTES).rstrip(b"\0\t\r\n ")[-1024:]:
        raise Refused(Problem.DAMAGED)
    try:
        with pypdfium2.PdfDocument(path) as document:
            if not len(document):
                raise Refused(Problem.DAMAGED)
            document[0].close()
    except pypdfium2.PdfiumError as error:
        raise Refused(Problem.LOCKED if "password" in str(error).lower() else Problem.DAMAGED) from None
    return "pdf"


# --- images ----------------------------------------------------------------------------------------------------


def _image(path: Path, format: str) -> str:
    from PIL import Image

    _refuse_second_kind(path)
    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is unpacked
    try:
        with Image.open(path, formats=[format]) as image:
            width, height = image.size
            if width * height > PIXELS_MAX:
                raise Refused(Problem.TOO_MANY_PIXELS)
            if format == "PNG":
                image.verify()  # the checksum of each part, without unpacking
            else:
                image.draft("RGB", (width // 8, height // 8))  # a JPEG is then read whole, and kept small
                image.load()
    except (OSError, SyntaxError, ValueError, EOFError):
        raise Refused(Problem.DAMAGED) from None
    return format.lower()


# --- office documents, which are zip archives --------------------------------------------------------------------

ODF: Final = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
OOXML: Final = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": "pptx",
}
_MACRO_TYPES: Final = re.compile(r"macro|vba", re.IGNORECASE)
_ODF_MACROS: Final = re.compile(r"(Basic/(?!.*script-l[bc]\.xml$).*|Scripts/.*)[^/]")


def _document(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _refuse_strange_zip(path, entries)
            names = {entry.filename for entry in entries}
            if "mimetype" in names:
                kind = _odf(archive, names)
            elif "[Content_Types].xml" in names:
                kind = _ooxml(archive, names)
            else:
                raise Refused(Problem.ARCHIVE)
            _read_through(archive, entries)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, NotImplementedError, EOFError, OSError, ValueError):
        raise Refused(Problem.DAMAGED) from None
    return kind


def _refuse_strange_zip(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refused(Problem.LOCKED)
    # Programs write the parts from the first byte and end with the list of them. Anything else around it, or a name
    # that comes twice, and two programs can see two different documents.
    names = {entry.filename for entry in entries}
    starts_first = min((entry.header_offset for entry in entries), default=-1) == 0
    if len(names) < len(entries) or not starts_first or not _tail(path, _ZIP_END_BYTES).startswith(_ZIP_END):
        raise Refused(Problem.DAMAGED)
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > ENTRIES_MAX or unpacked > UNPACKED_BYTES_MAX:
        raise Refused(Problem.BOMB)
    if unpacked > BOMB_BYTES_MIN and unpacked > BOMB_RATIO * packed:
        raise Refused(Problem.BOMB)


def _odf(archive: zipfile.ZipFile, names: set[str]) -> str:
    kind = ODF.get(_part(archive, "mimetype").strip())
    if kind is None:
        raise Refused(Problem.NOT_ALLOWED)
    if not {"content.xml", "META-INF/manifest.xml"} <= names:
        raise Refused(Problem.DAMAGED)
    if b"encryption-data" in _part(archive, "META-INF/manifest.xml"):
        raise Refused(Problem.LOCKED)
    if any(_ODF_MACROS.fullmatch(name) for name in names):
        raise Refused(Problem.MACROS)
    return kind


def _ooxml(archive: zipfile.ZipFile, names: set[str]) -> str:
    types = [*_content_types(_part(archive, "[Content_Types].xml"))]
    if any(_MACRO_TYPES.search(type) for _, type in types) or any("vbaproject" in name.lower() for name in names):
        raise Refused(Problem.MACROS)
    mains = [(part, OOXML[type]) for part, type in types if type in OOXML]
    if not mains:
        raise Refused(Problem.NOT_ALLOWED)
    [(part, kind), *others] = mains
    if others or part.removeprefix("/") not in names:
        raise Refused(Problem.DAMAGED)
    return kind


def _content_types(xml: bytes) -> Iterator[tuple[str, str]]:
    """(part, type) of each part that names its own type; the part is "" for the types of extensions."""
    found: list[tuple[str, str]] = []

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition("}")[2] in ("Override", "Default"):
            found.append((attributes.get("PartName", ""), attributes.get("ContentType", "")))

    def on_doctype(*_: object) -> None:
        raise Refused(Problem.DAMAGED)  # nothing to declare here, only entities that swell

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = on_start
    parser.StartDoctypeDeclHandler = on_doctype
    parser.Parse(xml, True)
    yield from found


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        content = part.read(CONTENT_TYPES_BYTES_MAX + 1)
    if len(content) > CONTENT_TYPES_BYTES_MAX:
        raise Refused(Problem.BOMB)
    return content


def _read_through(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Whole and with the right checksums. No part can give more than the size it declares."""
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(Problem.DAMAGED)
        with archive.open(entry) as part:
            while part.read(CHUNK_BYTES):
                pass


# --- text ------------------------------------------------------------------------------------------------------

_NOT_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKUP: Final = re.compile(r"\ufeff?\s*<[a-zA-Z!?/]")


def _text(path: Path, suffix: str) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_first = True
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                text = decoder.decode(chunk)
                if is_first and _MARKUP.match(text):
                    raise Refused(Problem.NOT_ALLOWED)
                if _NOT_IN_TEXT.search(text):
                    raise Refused(Problem.NOT_ALLOWED)
                is_first = False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Refused(Problem.NOT_UTF8) from None
    return suffix.removeprefix(".")


# --- the process -----------------------------------------------------------------------------------------------


def main() -> None:
    # What takes long to load is loaded before the limits and before "ready": without it this is not the file's fault.
    import PIL.Image
    import puremagic  # noqa: F401
    import pypdfium2  # noqa: F401

    PIL.Image.preinit()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer("ready")
    for path, name in json.load(sys.stdin):
        try:
            answer({"type": kind_of(Path(path), name)})
        except Refused as refused:
            answer({"problem": refused.problem})
        except MemoryError:
            answer({"problem": Problem.BOMB})


def answer(line: object) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
