"""What a process remembers of one database from request to request. What may be remembered, and how it is known to be
what the database would give now, is in docs/decisions/0022-kept-in-memory.md."""

from __future__ import annotations

from threading import Lock
from typing import Any, Final, TypeVar

from sqlmodel import Session

_INFO: Final = "memory"
Kind = TypeVar("Kind")


class Memory:
    """Holds one of each kind of thing that remembers."""

    def __init__(self) -> None:
        self._kinds: Final[dict[type[Any], Any]] = {}
        self._lock: Final = Lock()

    def of(self, kind: type[Kind]) -> Kind:
        with self._lock:
            if kind not in self._kinds:
                self._kinds[kind] = kind()
            found: Kind = self._kinds[kind]
            return found


def remember_in(session: Session, memory: Memory) -> None:
    """What this session reads may come from there, and may go there."""
    session.info[_INFO] = memory


def remembered(session: Session, kind: type[Kind]) -> Kind | None:
    """None in a session that remembers nothing, as those of the command line."""
    memory: Memory | None = session.info.get(_INFO)
    return memory.of(kind) if memory is not None else None
