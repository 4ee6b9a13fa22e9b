"""Is a password so common that somebody who guesses has it among the first? Asked when one is chosen, never at sign-in.

zxcvbn brings the 30,000 passwords that were found most often, and knows what people do to them: repeat them, put a year
behind them, walk over the keyboard. Why this package: docs/decisions/0013-identity.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from threading import Lock
from typing import Final

GUESSES_MIN: Final = 10**8  # sign-in hears 10 guesses per 5 minutes: a thousand years; zxcvbn calls less "weak"
LOOKED_AT_MAX: Final = 40  # characters; the estimate takes cubic time, and what follows can only make it harder

# What Dutch civil servants reach for first, and an English list does not hold.
OURS: Final = (
    "welkom", "wachtwoord", "geheim", "gemeente", "gemeentehuis", "inloggen", "stappenplan", "inclusief", "beleid",
    "beheerder", "lente", "voorjaar", "zomer", "herfst", "najaar", "winter", "januari", "februari", "maart", "april",
    "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december", "maandag", "dinsdag",
    "woensdag", "donderdag", "vrijdag", "nederland", "holland", "oranje", "koningsdag", "vakantie", "kantoor",
)  # fmt: skip

# zxcvbn keeps the words of its last caller in a variable of the module.
_ONE_AT_A_TIME: Final = Lock()


def is_too_common(password: str, *, about: Collection[str] = ()) -> bool:
    """`about`: what belongs to the person, such as the name and login; those words make a password easy to guess."""
    folded = password.casefold()
    core = _core(folded)
    if not core or folded in common_passwords() or core in common_passwords():
        return True
    if _letters(folded) in {_letters(text.casefold()) for text in about}:
        return True
    return _guesses(password[:LOOKED_AT_MAX], [*OURS, *_words(about)]) < GUESSES_MIN


@cache
def common_passwords() -> frozenset[str]:
    # Imported late: it takes 0.1 s, and only who chooses a password needs it.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"]) | frozenset(OURS)


def _core(folded: str) -> str:
    """Without digits and signs around it, and once if it is the same thing several times. Nothing is left of a password
    without letters: dates and telephone numbers are among the first guesses."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    repeated = re.fullmatch(r"(.+?)\1+", core)
    return repeated[1] if repeated else core


def _letters(folded: str) -> str:
    return "".join(character for character in folded if character.isalpha())


def _words(about: Iterable[str]) -> Iterator[str]:
    for text in about:
        yield text
        yield from (word for word in re.split(r"[\W_]+", text) if len(word) > 2)


def _guesses(password: str, words: list[str]) -> float:
    from zxcvbn import zxcvbn

    with _ONE_AT_A_TIME:
        return float(zxcvbn(password, user_inputs=words, max_length=LOOKED_AT_MAX)["guesses"])
