"""Where a name stands in a text, however it was typed: capitals, accents and signs between words do not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

TERM_LENGTH_MIN: Final = 2  # letters and digits; one stands in every text
TERMS_MAX: Final = 10

_SPACE: Final = re.compile(r"\s+")
# Between two words of a name, also as file names and addresses have it: jan-de-vries, jan_de_vries, Jan%20de%20Vries.
_BETWEEN: Final = r"(?:%20|[\W_]){1,4}"


class TermTooShort(ValueError):
    """A term that would be found everywhere."""


def folded(text: str) -> str:
    """Without capitals and accents."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


class Terms:
    """Ways to write what is looked for.  Raises TermTooShort."""

    def __init__(self, terms: Iterable[str]) -> None:
        found = list(dict.fromkeys(words for term in terms if (words := _SPACE.sub(" ", folded(term)).strip())))
        for term in found:
            if sum(letter.isalnum() for letter in term) < TERM_LENGTH_MIN:
                raise TermTooShort(term)
        # The longest first: of "Jan de Vries" and "de Vries" the whole name goes.
        found.sort(key=len, reverse=True)
        patterns = (_BETWEEN.join(re.escape(word) for word in term.split(" ")) for term in found)
        self._pattern: Final = re.compile("|".join(patterns)) if found else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def places(self, text: str) -> Sequence[tuple[int, int]]:
        """From and up to, in characters of the text as it is."""
        if self._pattern is None:
            return ()
        plain = folded(text)
        if self._pattern.search(plain) is None:  # nearly always
            return ()
        # Letter by letter, so that each letter of the folded text knows where it came from.
        letters, origins = [], []
        for at, letter in enumerate(text):
            for part in folded(letter):
                letters.append(part)
                origins.append(at)
        places = []
        for match in self._pattern.finditer("".join(letters)):
            end = origins[match.end() - 1] + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1  # an accent that was typed as a sign of its own
            places.append((origins[match.start()], end))
        return places
