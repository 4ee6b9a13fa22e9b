"""The register of erasures: a file outside the database, so that an older backup loses what it should not have again.

Append-only JSON lines with ids and places only. Each line holds a checksum over itself and the one before it, so that a
damaged or missing line is seen. A line is on the disk before its erasure is committed; one that was cut off by a crash
belongs to nothing that was committed, and gives way to the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from app.engine.log import canonical, moment
from app.storage.erasure.items import Ground, Item, from_json

FORMAT: Final = 1
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


class RegisterDamaged(Exception):
    """Somebody or something changed the register; the message says which line, and what to do."""


@dataclass(frozen=True, slots=True)
class Registered:
    """An erasure that was decided on, with all that it takes to do it again."""

    id: str
    municipality: str
    account: str | None
    items: tuple[Item, ...]
    ground: Ground
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "municipality": self.municipality,
            "account": self.account,
            "items": [item.to_json() for item in self.items],
            "ground": self.ground.value,
            "asked_by": self.asked_by,
            "asked_at": moment(self.asked_at),
            "decided_by": self.decided_by,
            "decided_at": moment(self.decided_at),
        }


def _registered(given: dict[str, Any]) -> Registered:
    return Registered(
        id=given["id"],
        municipality=given["municipality"],
        account=given["account"],
        items=tuple(map(from_json, given["items"])),
        ground=Ground(given["ground"]),
        asked_by=given["asked_by"],
        asked_at=datetime.fromisoformat(given["asked_at"]),
        decided_by=given["decided_by"],
        decided_at=datetime.fromisoformat(given["decided_at"]),
    )


class Register:
    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def read(self) -> list[Registered]:
        """In the order in which they were decided on; each once.  Raises RegisterDamaged."""
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        return list({each.id: each for each in self._checked(lines)}.values())

    def add(self, erasures: Sequence[Registered]) -> None:
        """Those that are not in it yet; on the disk afterwards.  Raises RegisterDamaged."""
        with self._locked() as file:
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                file.truncate(len(whole))
            lines = whole.split(b"\n")[:-1]
            known = {each.id for each in self._checked(lines)}
            previous = lines[-1] if lines else b""
            file.seek(0, os.SEEK_END)
            for erasure in erasures:
                if erasure.id in known:
                    continue
                previous = _line(erasure, previous)
                file.write(previous + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _checked(self, lines: Sequence[bytes]) -> Iterator[Registered]:
        previous = b""
        for number, line in enumerate(lines, 1):
            erasure = _read_line(line)
            if erasure is None or _line(erasure, previous) != line:
                raise RegisterDamaged(
                    f"{self.path}: line {number} was changed, or the line before it is gone. Put the file back from a "
                    "copy; without it an older backup brings back what was erased"
                )
            yield erasure
            previous = line

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def _read_line(line: bytes) -> Registered | None:
    try:
        return _registered(json.loads(line)["erasure"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _line(erasure: Registered, previous: bytes) -> bytes:
    body = {"format": FORMAT, "erasure": erasure.to_json()}
    checksum = hashlib.sha256(previous + b"\n" + canonical(body)).hexdigest()
    return canonical({**body, "checksum": checksum})
