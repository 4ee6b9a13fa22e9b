"""The history of a municipality as a file that an auditor checks without us, up to the newest signed head."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from sqlmodel import Session, col

from app.engine.log import Head, canonical, fingerprint
from app.engine.merkle import Tree, leaf_hash
from app.storage.history import heads
from app.storage.history.keys import public_pem
from app.storage.history.verify import ENTRIES, entry_of
from app.storage.tables import LogEntry

PROGRAM: Final = Path(__file__).with_name("verify_export.py")
_MOMENT_OF_FILES = (2000, 1, 1, 0, 0, 0)  # so that the same history gives the same bytes


@dataclass(frozen=True, slots=True)
class About:
    """What the README says; none of it is signed."""

    municipality: str
    by: str
    at: datetime


class NothingSigned(Exception):
    """There is no signed head yet, so nothing that could be checked."""


def write_export(session: Session, file: IO[bytes], about: About) -> Head:
    """Gives the head up to which everything is in the file. Memory: 64 bytes for each event.  Raises NothingSigned."""
    last = heads.newest(session)
    if last is None:
        raise NothingSigned
    head = last.head
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        tree = Tree()
        _write(archive, "entries.jsonl", _entries(session, tree, head.size))
        _write(archive, "heads.jsonl", (signed.text() for signed in heads.heads_after(session, -1)))
        _write(archive, "proofs.jsonl", _proofs(session, tree))
        _write(archive, "public-key.pem", iter(public_pem(head.key).encode().splitlines()))
        _write(archive, "README.txt", iter(_readme(head, about).encode().splitlines()))
        _write(archive, PROGRAM.name, iter(PROGRAM.read_bytes().splitlines()))
    return head


def _write(archive: zipfile.ZipFile, name: str, lines: Iterator[bytes]) -> None:
    info = zipfile.ZipInfo(name, _MOMENT_OF_FILES)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=True) as file:
        for line in lines:
            file.write(line + b"\n")


def _entries(session: Session, tree: Tree, size: int) -> Iterator[bytes]:
    """As the events say now, not as the log has it: a difference shows when the export is checked."""
    query = ENTRIES.where(col(LogEntry.position) < size).execution_options(yield_per=500)
    for row in session.execute(query):
        entry = entry_of(row)
        tree.append(leaf_hash(entry))
        yield entry


def _proofs(session: Session, tree: Tree) -> Iterator[bytes]:
    earlier: Head | None = None
    for signed in heads.heads_after(session, -1):
        if earlier is not None:
            # Where events are missing there is no proof to give; checking the export says so.
            is_whole = earlier.size <= signed.head.size <= tree.size
            proof = tree.consistency_proof(earlier.size, signed.head.size) if is_whole else []
            hashes = [step.hex() for step in proof]
            yield canonical({"from": earlier.number, "to": signed.head.number, "hashes": hashes})
        earlier = signed.head


def _readme(head: Head, about: About) -> str:
    made = f"{about.at:%Y-%m-%d %H:%M} UTC"
    name, by = (" ".join(text.split()) for text in (about.municipality, about.by))
    return f"""\
GESCHIEDENIS VAN {name.upper()}
Gemaakt op {made} door {by}. Tot en met bewijs {head.number}: {head.size} gebeurtenissen.

Zo controleert u deze export. U hebt Python 3.9 of nieuwer nodig, en geen netwerk:

    python3 verify_export.py . --fingerprint VINGERAFDRUK --head EERDER-BEWIJS.json

- VINGERAFDRUK: die van de sleutel. Vraag hem langs een andere weg dan deze export, of neem hem van een bewijs dat u
  eerder kreeg. In deze export is hij {fingerprint(head.key)}.
- EERDER-BEWIJS.json: een bewijs dat een getuige eerder kreeg, in een map of per mail. Zonder dat ziet u niet of de
  nieuwste gebeurtenissen zijn weggehaald. Ook niet of alles met de sleutel opnieuw is gemaakt.
- Vertrouwt u ons niet? Gebruik dan een verify_export.py die u zelf uit de broncode haalt of eerder bewaarde: wie deze
  export kan veranderen, kan ook het programma erin veranderen. Dit bestand is niet ondertekend.

entries.jsonl     elke regel een gebeurtenis: handeling (kind), object (run en data), resultaat (data), herkomst
                  (origin), wie (by), wanneer (at, UTC). Geen namen en geen teksten: alleen nummers ervan.
heads.jsonl       de ondertekende bewijzen, elk met de hash van het vorige
proofs.jsonl      van elk bewijs naar het volgende: de geschiedenis groeide alleen
public-key.pem    de openbare sleutel van het laatste bewijs

--------------------------------------------------------------------------------------------------------------------

HISTORY OF {name.upper()}
Made on {made} by {by}. Up to head {head.number}: {head.size} events.

How to check this export. It takes Python 3.9 or newer, and no network:

    python3 verify_export.py . --fingerprint FINGERPRINT --head EARLIER-HEAD.json

- FINGERPRINT: that of the key. Ask it by another road than this export, or take it from a head that you got earlier.
  In this export it is {fingerprint(head.key)}.
- EARLIER-HEAD.json: a head that a witness got earlier, in a folder or by mail. Without one you do not see whether the
  newest events were removed, nor whether everything was made anew with the key.
- You do not trust us? Use a verify_export.py that you took from the source code yourself or kept from before: whoever
  can change this export can change the program in it. This file is not signed.

The format. A line of entries.jsonl is canonical JSON: keys sorted, no spaces, everything outside of printable ASCII
escaped. Its leaf hash is SHA-256 of 0x00 and the line, the tree is that of RFC 6962 (SHA-256). A head is signed over
its canonical JSON with Ed25519 (RFC 8032); "previous" is the SHA-256 of the canonical JSON of the head before it,
"next_key" the key that signs from the next head on. The fingerprint is the SHA-256 of the DER of the public key:

    openssl pkey -pubin -in public-key.pem -outform DER | sha256sum
"""
