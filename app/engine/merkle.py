"""Merkle trees as in RFC 6962, section 2.1: hashes, proofs and their verification, with SHA-256.

A log is the list of its leaves; a hash over a prefix of it is the root of that prefix. Who knows an earlier root can
tell that nothing before it changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Peaks:
    """As much of a tree as appending takes: the roots of its full subtrees, largest first, one for every bit of `size`
    that is set. Its own size grows with the logarithm of the log."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has another number of peaks than {len(self.hashes)}")

    def with_leaf(self, leaf: bytes) -> Peaks:
        hashes, node, full = [*self.hashes], leaf, self.size
        while full & 1:
            node = node_hash(hashes.pop(), node)
            full >>= 1
        return Peaks(self.size + 1, (*hashes, node))

    @property
    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        *larger, root = self.hashes
        for peak in reversed(larger):
            root = node_hash(peak, root)
        return root


class Tree:
    """A whole tree in memory, for proofs: 64 bytes per leaf. Level 0 holds the leaves, level n the roots of the full
    subtrees of 2**n leaves."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        return len(self.levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        index, node, level = self.size, leaf, 0
        self.levels[0] += leaf
        while index & 1:
            node = node_hash(self._node(level, index - 1), node)
            index, level = index >> 1, level + 1
            if level == len(self.levels):
                self.levels.append(bytearray())
            self.levels[level] += node

    def _node(self, level: int, index: int) -> bytes:
        return bytes(self.levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def root(self, size: int | None = None) -> bytes:
        """Of the first `size` leaves."""
        size = self._known(self.size if size is None else size)
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Shows that leaf `index` is in the tree of the first `size` leaves."""
        if not 0 <= index < self._known(size):
            raise ValueError(f"there is no leaf {index} among {size}")
        return self._path(index, 0, size)

    def consistency_proof(self, earlier: int, later: int) -> list[bytes]:
        """Shows that the tree of `earlier` leaves is the beginning of that of `later`."""
        if not 0 <= earlier <= self._known(later):
            raise ValueError(f"{earlier} leaves are not the beginning of {later}")
        return self._subproof(earlier, 0, later, is_whole=True) if 0 < earlier < later else []

    def _known(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _hash(self, begin: int, end: int) -> bytes:
        width = end - begin
        level = width.bit_length() - 1
        if width == 1 << level:  # full; splitting as below keeps it aligned
            return self._node(level, begin >> level)
        middle = begin + _split(width)
        return node_hash(self._hash(begin, middle), self._hash(middle, end))

    def _path(self, index: int, begin: int, end: int) -> list[bytes]:
        if end - begin == 1:
            return []
        middle = begin + _split(end - begin)
        if index < middle:
            return [*self._path(index, begin, middle), self._hash(middle, end)]
        return [*self._path(index, middle, end), self._hash(begin, middle)]

    def _subproof(self, earlier: int, begin: int, end: int, *, is_whole: bool) -> list[bytes]:
        if earlier == end:
            return [] if is_whole else [self._hash(begin, end)]
        middle = begin + _split(end - begin)
        if earlier <= middle:
            return [*self._subproof(earlier, begin, middle, is_whole=is_whole), self._hash(middle, end)]
        return [*self._subproof(earlier, middle, end, is_whole=False), self._hash(begin, middle)]


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, section 2.1.3.2, which gives the steps for the proofs of RFC 6962."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(step, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, step)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(earlier: int, later: int, earlier_root: bytes, later_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162, section 2.1.4.2. An empty tree is the beginning of every other."""
    if not 0 <= earlier <= later:
        return False
    if earlier in (0, later):
        return not proof and earlier_root == (later_root if earlier else EMPTY_ROOT)
    path = [earlier_root, *proof] if earlier & (earlier - 1) == 0 else [*proof]
    if not path:
        return False
    node, last = earlier - 1, later - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == earlier_root and new == later_root
