"""What all witnesses share: failing with a reason, and a file per head that nothing replaces."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.storage.history.heads import Signed
from app.storage.history.keys import sync_folder


class WitnessFailed(Exception):
    """The head did not arrive; the message says why."""


def file_name(signed: Signed) -> str:
    return f"head-{signed.head.number:08}.json"


def write_once(path: Path, text: bytes) -> None:
    """On the disk afterwards; the same may be written again.  Raises WitnessFailed for another head under this name,
    OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        if path.read_bytes() != text:
            raise WitnessFailed(f"{path} holds another head with this number")
        return
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with unfinished.open("xb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)
