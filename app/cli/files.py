"""Files of evidence on the command line."""

from __future__ import annotations

from collections.abc import Collection

from app.cli.common import database, now, say, settings
from app.storage.evidence_files import EvidenceFiles
from app.storage.evidence_store import used_hashes


def sweep_files() -> None:
    """Remove files of evidence that a crash left behind.

    What came in halfway, and what nothing refers to, once it is a day old. Safe while the application serves; let a
    timer do it every night.
    """
    with database() as opened:

        def used(hashes: Collection[str]) -> Collection[str]:
            # Asked anew for each folder: one long transaction would not see a file that is put to use meanwhile.
            with opened.read() as session:
                return used_hashes(session)(hashes)

        removed = EvidenceFiles(settings().evidence_dir).sweep(used, at=now())
    for sha256 in removed:
        say(sha256)
