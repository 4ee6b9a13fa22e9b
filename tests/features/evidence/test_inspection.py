"""What a file is, is told from its content; whoever sends something else gets the reason."""

from __future__ import annotations

import asyncio
import struct
import zipfile
from pathlib import Path

import pytest

from app.features.evidence import inspector
from app.features.evidence.file_types import FILE_TYPES, clean_name, name_for, title_for
from app.features.evidence.inspection import PIXELS_MAX, Problem
from app.features.evidence.inspector import Verdict, inspect
from tests.features.evidence.files import (
    a_huge_png,
    a_pdf,
    a_windows_program,
    a_zip,
    an_image,
    an_odf,
    an_ooxml,
    content_types,
)


def verdicts(folder: Path, **files: bytes) -> dict[str, Verdict]:
    """One process for all of them; `report_pdf` is sent as report.pdf."""
    sent: list[tuple[Path, str]] = []
    for label, content in files.items():
        path = folder / f"{len(sent)}"
        path.write_bytes(content)
        sent.append((path, label.replace("_", ".")))
    return dict(zip(files, asyncio.run(inspect(sent)), strict=True))


def test_every_kind_that_is_allowed_is_recognised_whatever_it_is_called(tmp_path: Path):
    found = verdicts(
        tmp_path,
        a=a_pdf(3),
        b=an_image("PNG"),
        c=an_image("JPEG"),
        d=an_image("WEBP"),
        e=an_ooxml("docx"),
        f=an_ooxml("xlsx"),
        g=an_ooxml("pptx"),
        h=an_odf("text"),
        i=an_odf("spreadsheet"),
        j=an_odf("presentation"),
        k_txt="Één regel.\r\n".encode(),
        l_csv="\ufeffnaam;aantal\r\nBM;3\r\n".encode(),
        m_csv=b"BM;this begins like a bitmap\n",
    )
    types = [verdict.type and verdict.type.suffixes[0] for verdict in found.values()]
    assert types == [
        *(".pdf", ".png", ".jpg", ".webp", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".txt", ".csv", ".csv")
    ]


def a_prefixed(content: bytes) -> bytes:
    """A zip archive that starts further on; its own list of parts still fits, as for a self-extracting program."""
    return a_zip({"a.txt": "eerst"}) + content


MACRO_DOCX = a_zip(
    {
        "[Content_Types].xml": content_types(
            "word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml"
        ),
        "word/document.xml": "<document/>",
        "word/vbaProject.bin": b"\0",
    }
)
ENTITIES = a_zip(
    {
        "[Content_Types].xml": '<!DOCTYPE t [<!ENTITY a "aaaaaaaaaa">]><Types>&a;</Types>',
        "word/document.xml": "<document/>",
    }
)


REFUSED: list[tuple[str, bytes, Problem]] = [
    ("verslag.pdf", a_windows_program(), Problem.NOT_ALLOWED),
    ("verslag.pdf", b"\x7fELF" + bytes(100), Problem.NOT_ALLOWED),
    ("verslag.pdf", a_pdf()[:-400], Problem.DAMAGED),
    ("verslag.pdf", b"%PDF-1.7\nniets\n%%EOF\n", Problem.DAMAGED),
    ("verslag.pdf", a_pdf() + a_zip({"a": "b"}), Problem.TWO_KINDS),
    ("foto.jpg", an_image("JPEG") + a_zip({"a": "b"}), Problem.TWO_KINDS),
    ("foto.jpg", an_image("JPEG", (800, 800))[:-900], Problem.DAMAGED),
    ("foto.png", an_image("PNG")[:-5], Problem.DAMAGED),
    ("foto.png", a_huge_png(), Problem.TOO_MANY_PIXELS),
    ("foto.webp", an_image("WEBP")[:-20], Problem.DAMAGED),
    ("foto.gif", an_image("GIF"), Problem.OTHER_IMAGE),
    ("foto.tif", an_image("TIFF"), Problem.OTHER_IMAGE),
    ("foto.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Problem.OTHER_IMAGE),
    ("plaat.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', Problem.NOT_ALLOWED),
    ("plaat.txt", b'<svg xmlns="http://www.w3.org/2000/svg"/>', Problem.NOT_ALLOWED),
    ("pagina.html", b"<!doctype html><script>1</script>", Problem.NOT_ALLOWED),
    ("pagina.txt", b"\n <!doctype html><script>1</script>", Problem.NOT_ALLOWED),
    ("script.js", b"alert(1)", Problem.NOT_ALLOWED),
    ("zonder-naam", b"gewone tekst", Problem.NOT_ALLOWED),
    ("tekst.txt", b"met een nul\0", Problem.NOT_ALLOWED),
    ("tekst.txt", b"scherm\x1b[2J", Problem.NOT_ALLOWED),
    ("tabel.csv", "naam;reden\nJoão;één".encode("cp1252"), Problem.NOT_UTF8),
    ("tekst.txt", "tekst".encode("utf-16"), Problem.NOT_UTF8),
    ("tekst.txt", "afgebroken é".encode()[:-1], Problem.NOT_UTF8),
    ("bericht.eml", b"From: a@example.nl\nSubject: x\n\nhoi", Problem.MAIL),
    ("oud.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), Problem.OLD_OFFICE),
    ("alles.zip", a_zip({"a.pdf": a_pdf()}), Problem.ARCHIVE),
    ("leeg.docx", a_zip({}), Problem.NOT_ALLOWED),
    ("verslag.docx", MACRO_DOCX, Problem.MACROS),
    ("verslag.docx", an_ooxml(more={"word/vbaProject.bin": b"\0"}), Problem.MACROS),
    ("verslag.odt", an_odf(more={"Basic/Standard/Module1.xml": "<module/>"}), Problem.MACROS),
    ("verslag.odt", an_odf(more={"Scripts/python/m.py": "1"}), Problem.MACROS),
    ("verslag.odt", an_odf(manifest="<manifest><encryption-data/></manifest>"), Problem.LOCKED),
    ("verslag.ott", an_odf("text-template"), Problem.NOT_ALLOWED),
    ("verslag.docx", ENTITIES, Problem.DAMAGED),
    ("verslag.docx", an_ooxml() + b"rest", Problem.DAMAGED),
    ("verslag.docx", a_prefixed(an_ooxml()), Problem.DAMAGED),
    ("verslag.docx", a_zip({"[Content_Types].xml": "<Types/>", "word/document.xml": "<d/>"}), Problem.NOT_ALLOWED),
    ("verslag.docx", an_ooxml()[:200], Problem.DAMAGED),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """All at once, since each process takes a quarter of a second to start."""
    folder = tmp_path_factory.mktemp("refused")
    for number, (_, content, _) in enumerate(REFUSED):
        (folder / f"{number}").write_bytes(content)
    return asyncio.run(inspect([(folder / f"{number}", name) for number, (name, _, _) in enumerate(REFUSED)]))


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[f"{name}-{problem}" for name, _, problem in REFUSED])
def test_everything_else_is_refused_with_its_reason(judged: list[Verdict], number: int):
    assert judged[number] == Verdict(problem=REFUSED[number][2])


def test_document_that_swells_is_refused_before_it_is_unpacked(tmp_path: Path):
    zeros = bytes(30 * 1024**2)
    found = verdicts(tmp_path, a_docx=an_ooxml(more={"word/media/a.bin": zeros}))
    assert found["a_docx"] == Verdict(problem=Problem.BOMB)


def test_document_that_lies_about_the_size_of_its_parts_is_refused(tmp_path: Path):
    honest = an_ooxml(more={"word/media/a.bin": bytes(5 * 1024**2)})
    size = struct.pack("<I", 5 * 1024**2)
    assert honest.count(size) == 2
    found = verdicts(tmp_path, a_docx=honest.replace(size, struct.pack("<I", 100)))
    assert found["a_docx"] == Verdict(problem=Problem.DAMAGED)


def test_document_with_too_many_parts_is_refused(tmp_path: Path):
    found = verdicts(tmp_path, a_docx=an_ooxml(more={f"word/{n}.xml": "" for n in range(10_000)}))
    assert found["a_docx"] == Verdict(problem=Problem.BOMB)


def test_document_behind_a_password_is_refused(tmp_path: Path):
    content = bytearray(an_ooxml())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 1)
    assert verdicts(tmp_path, a_docx=bytes(content))["a_docx"] == Verdict(problem=Problem.LOCKED)


def test_document_with_a_name_that_comes_twice_is_refused(tmp_path: Path):
    path = tmp_path / "twee.docx"
    path.write_bytes(an_ooxml())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("word/document.xml", "<ander/>")
    assert asyncio.run(inspect([(path, "twee.docx")])) == [Verdict(problem=Problem.DAMAGED)]


def test_largest_image_still_passes(tmp_path: Path):
    side = int(PIXELS_MAX**0.5)
    assert verdicts(tmp_path, a_png=a_huge_png(side, side))["a_png"].problem is None
    assert verdicts(tmp_path, a_png=a_huge_png(side + 1, side))["a_png"].problem is Problem.TOO_MANY_PIXELS


def test_file_that_kills_the_process_is_refused_and_the_ones_after_it_are_still_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Stands in for a library that crashes on what strangers made."""
    import sys

    crashing = (
        "import json, os, sys\n"
        "print('\"ready\"', flush=True)\n"
        "for path, name in json.load(sys.stdin):\n"
        "    os.abort() if name == 'kapot.pdf' else print(json.dumps({'type': 'pdf'}), flush=True)\n"
    )
    monkeypatch.setattr(inspector, "_COMMAND", [sys.executable, "-c", crashing])
    sent = [(tmp_path / name, name) for name in ("een.pdf", "kapot.pdf", "drie.pdf")]
    pdf = FILE_TYPES["pdf"]
    assert asyncio.run(inspect(sent)) == [Verdict(type=pdf), Verdict(problem=Problem.DAMAGED), Verdict(type=pdf)]


def test_inspection_that_does_not_start_is_our_fault_and_not_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import sys

    monkeypatch.setattr(inspector, "_COMMAND", [sys.executable, "-c", "raise SystemExit('geen pillow')"])
    with pytest.raises(RuntimeError, match="geen pillow"):
        asyncio.run(inspect([(tmp_path / "a", "a.pdf")]))


# --- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("Verslag gesprek.pdf", "Verslag gesprek.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Anna\\verslag.pdf", "verslag.pdf"),
        ("regel\r\neinde\x00.pdf", "regel einde.pdf"),
        ("factuur\u202efdp.exe", "factuur fdp.exe"),
        ("e\u0301e\u0301n.pdf", "één.pdf"),
        ("  ..  ", ""),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
        ("é" * 300, "é" * 120),
        ("%22citaat%22.pdf", '"citaat".pdf'),
    ],
)
def test_name_is_a_label_without_power(given: str, clean: str):
    assert clean_name(given) == clean


@pytest.mark.parametrize(
    ("given", "type", "name"),
    [
        ("verslag.pdf", "pdf", "verslag.pdf"),
        ("VERSLAG.PDF", "pdf", "VERSLAG.PDF"),
        ("verslag.exe", "pdf", "verslag.exe.pdf"),
        ("verslag.pdf", "docx", "verslag.docx"),
        ("foto.JPEG", "jpeg", "foto.JPEG"),
        ("", "pdf", "bestand.pdf"),
        (".pdf", "pdf", "pdf.pdf"),
        ("a" * 300, "docx", "a" * 115 + ".docx"),
    ],
)
def test_name_ends_as_the_content_does(given: str, type: str, name: str):
    assert name_for(given, FILE_TYPES[type]) == name


def test_name_of_the_file_serves_as_title():
    assert title_for("verslag_gesprek__jongeren.pdf") == "Verslag gesprek jongeren"
