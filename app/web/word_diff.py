"""Two texts compared word by word, for showing what was taken out and what came in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby
from typing import Final

# A word (with what joins it, as in "e-mail" and "collega's"), a sign, or the end of a line; with the spaces after it.
_TOKEN: Final = re.compile(r"(\w+(?:['’.-]\w+)*|[^\w\s]|\n)[^\S\n]*|[^\S\n]+")
_WORD: Final = re.compile(r"\w")

# Pairs of equal words that the comparison may look at in one go; two texts of 600 words have about 8,000.
PAIRS_MAX: Final = 20_000
# Below this share of words in common, the words left standing between the changes say nothing.
ALIKE_MIN: Final = 0.3


class Part(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` brings its own spaces along; of a removed or added piece it can be just the space that this side has. The
    pieces that are the same or added make up the newer text."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class _Block:
    """Words that are the same in both, or what stands in the place of what."""

    is_same: bool
    before: Sequence[str]
    after: Sequence[str]


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """What it takes to get from one text to the other. Differences in spaces are passed over. The work is bounded:
    very long texts are compared line by line, and as a whole where even that is too much."""
    if before == after:
        return (Piece(Part.SAME, before),) if before else ()
    return tuple(_pieces(_joined(_by_line(before, after))))


def differing_lines(before: str, after: str) -> tuple[str, str, int]:
    """Both texts without the lines that are in both, and how many those are. Texts whose lines only changed places are
    left whole."""
    olds, news = before.splitlines(), after.splitlines()
    only_old, only_new = Counter(olds) - Counter(news), Counter(news) - Counter(olds)
    if not only_old and not only_new:
        return before, after, 0
    left = "\n".join(_taken(olds, only_old)), "\n".join(_taken(news, only_new))
    return *left, len(news) - only_new.total()


def _taken(lines: Sequence[str], wanted: Counter[str]) -> Iterator[str]:
    left = wanted.copy()
    for line in lines:
        if left[line]:
            left[line] -= 1
            yield line


def _words(text: str) -> list[str]:
    return [match.group() for match in _TOKEN.finditer(text)]


def _by_line(before: str, after: str) -> list[_Block]:
    """Lines that stand in the place of just as many others are compared one by one."""
    olds, news = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[_Block] = []
    for block in _compared(olds, news) or [_Block(False, olds, news)]:
        if block.is_same:
            found.append(block)
        elif len(block.before) == len(block.after):
            for old, new in zip(block.before, block.after, strict=True):
                found += _by_word(old, new)
        else:
            found += _by_word("".join(block.before), "".join(block.after))
    return found


def _by_word(before: str, after: str) -> list[_Block]:
    whole = [_Block(False, [before] if before else [], [after] if after else [])]
    blocks = _compared(_words(before), _words(after))
    return blocks if blocks is not None and _are_alike(blocks, _words(before), _words(after)) else whole


def _compared(olds: Sequence[str], news: Sequence[str]) -> list[_Block] | None:
    """None when it would take too much work. Spaces do not count, nor does how the last line ends."""
    a, b = [_key(token) for token in olds], [_key(token) for token in news]
    counted = Counter(b)
    if sum(counted[token] for token in a) > PAIRS_MAX:
        return None
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return [_Block(tag == "equal", olds[i:k], news[j:m]) for tag, i, k, j, m in matcher.get_opcodes()]


def _key(token: str) -> str:
    return token.strip() or token.strip(" \t\r")


def _are_alike(blocks: Sequence[_Block], a: Sequence[str], b: Sequence[str]) -> bool:
    """Words that were only added or only taken out leave the others as they were."""
    same = sum(_count(block.before) for block in blocks if block.is_same)
    return same >= ALIKE_MIN * min(_count(a), _count(b))


def _count(tokens: Sequence[str]) -> int:
    return sum(_WORD.match(token) is not None for token in tokens)


def _joined(blocks: Sequence[_Block]) -> Iterator[_Block]:
    """Neighbours of one kind together; a sign between two changes belongs to them."""
    signs = {
        number
        for number, (earlier, block, later) in enumerate(zip(blocks, blocks[1:], blocks[2:], strict=False), 1)
        if block.is_same and not (earlier.is_same or later.is_same) and not any(map(_says_something, block.before))
    }
    for is_same, group in groupby(enumerate(blocks), lambda each: each[1].is_same and each[0] not in signs):
        together = [block for _, block in group]
        before = [token for block in together for token in block.before]
        yield _Block(is_same, before, [token for block in together for token in block.after])


def _says_something(token: str) -> bool:
    return _WORD.match(token) is not None or "\n" in token


def _pieces(blocks: Iterable[_Block]) -> Iterator[Piece]:
    old_spaces = new_spaces = ""  # after words that are the same, where those differ
    for block in blocks:
        before, after = old_spaces + "".join(block.before), new_spaces + "".join(block.after)
        old_spaces = new_spaces = ""
        if block.is_same:
            if _ending(before) != _ending(after):
                old_spaces, new_spaces = _ending(before), _ending(after)
                after = after.rstrip(" \t")
            yield Piece(Part.SAME, after)
            continue
        if before:
            yield Piece(Part.REMOVED, before)
        if after:
            yield Piece(Part.ADDED, after)
    if new_spaces:
        yield Piece(Part.ADDED, new_spaces)


def _ending(text: str) -> str:
    return text[len(text.rstrip(" \t")) :]
