"""An auditor who got an export, knows the fingerprint of the key, and kept a head of halfway."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from app.storage.database import Database
from app.storage.history import verify_export
from app.storage.history.keys import load_key
from tests.storage.history.making import a_signed_history, an_export, files_in
from tests.storage.history.tampering import Target


@dataclass(frozen=True)
class Auditor:
    target: Target
    fingerprint: str
    kept: bytes
    export: bytes

    def refusal(self, path: Path, *heads: bytes) -> tuple[str, str] | None:
        """In Dutch and in English; None when everything is in order."""
        given = [(f"head-{number}", head) for number, head in enumerate(heads or [self.kept])]
        try:
            verify_export.verify(path, self.fingerprint, given)
        except verify_export.Refused as refused:
            dutch, english = refused.args
            return dutch, english
        return None


def an_auditor(database: Database, folder: Path, *, events: int = 60) -> Auditor:
    town, other, _ = a_signed_history(database, folder, seed=7, events=events)
    export = an_export(town)
    genuine = files_in(export)
    heads = [json.loads(line)["head"] for line in genuine["heads.jsonl"]]
    kept = len(heads) // 2
    key = load_key(folder / "keys" / "history.pem")
    assert key is not None
    target = Target(genuine, files_in(an_export(other)), key, kept)
    return Auditor(target, key.fingerprint, genuine["heads.jsonl"][kept], export)
