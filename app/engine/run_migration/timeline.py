"""Which version of its plan a run had at each moment, so that everything can be read with the words of its time."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.run import Move


class Timeline:
    """Which version of the plan a run had when."""

    def __init__(self, present: str, moves: Sequence[Move]) -> None:
        self.first = moves[0].from_digest if moves else present
        self.present = present
        changes = [(move.revision, move.to_digest) for move in moves]
        changes += [(move.undone_revision, move.from_digest) for move in moves if move.undone_revision is not None]
        self.changes = sorted(changes)
        self.digests = frozenset({present, self.first, *(digest for _, digest in changes)})

    def in_force(self, sequence: int) -> str:
        """The digest of the plan with which the event with this number happened; of a move, the one it began with."""
        digest = self.first
        for revision, after in self.changes:
            if revision >= sequence:
                break
            digest = after
        return digest
