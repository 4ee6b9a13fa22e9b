"""What the log of a municipality says, as bytes: its entries, and the heads that are signed.

An auditor checks these bytes years from now. They change only with another format number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import Any

ENTRY_FORMAT = 1
HEAD_FORMAT = "stappenplan-head-1"  # a signature over a head can't be taken for one over something else


@unique
class Origin(StrEnum):
    """Where an event came from."""

    REQUEST = "request"  # somebody at work in the browser
    PROCESS = "process"  # a command, or work in the background of the installation
    EARLIER = "earlier"  # it was there before the log was


def canonical(value: object) -> bytes:
    """One line of printable ASCII per JSON value: sorted keys, no spaces. Control characters, and whatever else could
    change how a line looks, are escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def entry(
    position: int,
    *,
    run: str,
    sequence: int,
    kind: str,
    data: Mapping[str, Any],
    by: str,
    at: datetime,
    origin: str,
) -> bytes:
    """An event at its place in the log: action (`kind`), object (`run` and what `data` names), result (`data`), origin,
    actor (`by`) and time. `position` counts from 0 per municipality, `sequence` from 1 per run."""
    return canonical(
        {
            "format": ENTRY_FORMAT,
            "position": position,
            "run": run,
            "sequence": sequence,
            "kind": kind,
            "data": data,
            "by": by,
            "at": moment(at),
            "origin": origin,
        }
    )


@dataclass(frozen=True, slots=True)
class Head:
    """What is signed: how long the log is and what its root is. `number` counts from 0 per municipality; `previous` is
    the hash of the head before it. `key` (hex, 32 bytes) is the one that signs this head, `next_key` the one that signs
    the heads after it, when that is another."""

    municipality: str
    number: int
    size: int
    root: str
    previous: str | None
    at: datetime
    key: str
    next_key: str | None = None

    def document(self) -> bytes:
        return canonical(
            {
                "format": HEAD_FORMAT,
                "municipality": self.municipality,
                "number": self.number,
                "size": self.size,
                "root": self.root,
                "previous": self.previous,
                "at": moment(self.at),
                "key": self.key,
                "next_key": self.next_key,
            }
        )


def head_hash(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()


def read_head(document: bytes) -> Head:
    """Raises ValueError for what is no head, or is written in another way than `document()` does."""
    try:
        given = json.loads(document)
        at = datetime.fromisoformat(given.pop("at"))
        if given.pop("format") != HEAD_FORMAT:
            raise ValueError("another format")
        head = Head(at=at, **given)
        is_the_same = head.document() == document
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a head: {error!r}") from None
    if not is_the_same:
        raise ValueError("not a head: written in another way")
    return head


# What every Ed25519 key has in front of its 32 bytes in a SubjectPublicKeyInfo (RFC 8410).
_SPKI = bytes.fromhex("302a300506032b6570032100")


def fingerprint(key: str) -> str:
    """SHA-256 (hex) of the public key as `openssl pkey -pubin -outform DER` writes it."""
    return hashlib.sha256(spki(key)).hexdigest()


def spki(key: str) -> bytes:
    """The public key (hex) as other programs know it."""
    return _SPKI + bytes.fromhex(key)
