"""How wide a text is in a drawing, near enough to wrap it: an SVG does not wrap by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# In thousandths of the size of the letters, measured in Noto Sans and rounded up; other fonts are hardly wider.
_WIDTHS: Final = {
    **dict.fromkeys("iljI.,:;'’‘!|", 300),
    **dict.fromkeys('ftr()[]-–/ \u00a0“”"·', 420),
    **dict.fromkeys("acekszvxyJLF?_", 560),
    **dict.fromkeys("mM%@W—", 960),
    **dict.fromkeys("wNOQGHDU&", 800),
}
_OTHER: Final = 640
_WIDE: Final = 1000  # beyond Latin, Greek and Cyrillic
_BOLD: Final = 1.07


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """In the unit of `size`."""
    thousandths = sum(_WIDTHS.get(letter, _OTHER if letter < "\u0590" else _WIDE) for letter in text)
    return thousandths * size / 1000 * (_BOLD if bold else 1)


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """In lines of at most `width`, never at a no-break space. A word that is wider is broken, with a hyphen."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text, width, size, bold):
        longer = f"{line} {word}" if line else word
        if line and (text_width(longer, size, bold=bold) > width or line.endswith(_BREAK)):
            lines.append(line.replace(_BREAK, "-"))
            longer = word
        line = longer
    return (*lines, line) if line else tuple(lines)


_LEFT_MIN: Final = 4  # letters of a broken word on the last line: fewer look like a mistake
_SPACE: Final = re.compile("[ \t\r\n]+")
_BREAK: Final = "\u00ad"  # a soft hyphen, where a word was broken


def _pieces(text: str, width: float, size: float, bold: bool) -> Iterator[str]:
    for word in filter(None, _SPACE.split(text.replace(_BREAK, ""))):
        rest = word
        while text_width(rest, size, bold=bold) > width:
            fits = max(1, sum(text_width(f"{rest[:end]}-", size, bold=bold) <= width for end in range(1, len(rest))))
            if len(rest) - fits < _LEFT_MIN < fits:
                fits = len(rest) - _LEFT_MIN
            yield rest[:fits] + _BREAK
            rest = rest[fits:]
        yield rest
