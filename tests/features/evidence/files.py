"""Files as people and attackers send them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import pypdfium2  # type: ignore[import-untyped]  # the package says nothing about types
from PIL import Image


def a_pdf(pages: int = 1) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(595, 842)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue().rstrip() + b"\n"


def an_image(format: str, size: tuple[int, int] = (60, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, format)
    return out.getvalue()


def a_zip(parts: Mapping[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


OOXML_MAINS = {
    "docx": ("word/document.xml", "wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", "presentationml.presentation.main+xml"),
}


def content_types(main: str, type: str, *more: str) -> str:
    overrides = "".join(f'<Override PartName="/{name}" ContentType="application/x.{name}"/>' for name in more)
    return (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{type}"/>{overrides}</Types>'
    )


def an_ooxml(kind: str = "docx", more: Mapping[str, str | bytes] | None = None) -> bytes:
    main, type = OOXML_MAINS[kind]
    types = content_types(main, f"application/vnd.openxmlformats-officedocument.{type}")
    return a_zip({"[Content_Types].xml": types, main: "<document/>", **(more or {})})


def an_odf(kind: str = "text", more: Mapping[str, str | bytes] | None = None, manifest: str = "<manifest/>") -> bytes:
    parts: dict[str, str | bytes] = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": "<content/>",
        "META-INF/manifest.xml": manifest,
    }
    return a_zip({**parts, **(more or {})})


def a_huge_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """A few hundred bytes that a viewer unpacks to ten gigabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def a_windows_program() -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(500)
