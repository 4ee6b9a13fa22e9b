"""What is wrong with a step plan: where, what, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from app.catalogue.sentences import ADD_IT, KINDS, LISTED, MEANT, SENTENCES, WARNING_WORD, WARNINGS

PROBLEMS_MAX = 100  # an author mends these first; a hostile file cannot make us write a million sentences
SHOWN_MAX = 60  # characters of a value from the file in a sentence
LISTED_MAX = 20  # names in "choose from: …"
NEAR_AMONG_MAX = 500  # names that are compared for "did you mean"

Path = tuple[str | int, ...]
Mark = tuple[int, int]
"""Line and column, both from 1, as editors count."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a path. `mark` where the place is known already (else the tree knows); `wrong` and `known`
    give "did you mean" or "choose from"."""

    code: str
    path: Path = ()
    params: Mapping[str, str | int] = field(default_factory=dict)
    at_key: bool = False
    mark: Mark | None = None
    wrong: str = ""
    known: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is like `stages.0.steps.1.title`, empty for the whole file; `suggestion` and `choices` may be empty."""

    file: str
    line: int
    column: int
    path: str
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    suggestion: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_warning(self) -> bool:
        """A warning is worth a look, and does not keep a plan from being used."""
        return self.code in WARNINGS

    def sentence(self) -> str:
        """`file:line:column  path: what is wrong, and what to do`, on one line, in English."""
        return self._line("en")

    def sentence_nl(self) -> str:
        return self._line("nl")

    def advice(self, language: str) -> str:
        """What is wrong and what to do, without the place; `language` is nl or en."""
        words: dict[str, str | int] = {
            name: printable(value) if isinstance(value, str) else value for name, value in self.params.items()
        }
        if "found" in words:
            words["found"] = KINDS[str(words["found"])][language]
        if self.suggestion:
            words["hint"] = MEANT[language].format(printable(self.suggestion))
        elif self.choices:
            words["hint"] = LISTED[language].format(", ".join(printable(choice) for choice in self.choices))
        else:
            words["hint"] = ADD_IT[language]
        return SENTENCES[self.code][language].format_map(words)

    def _line(self, language: str) -> str:
        place = f"{printable(self.file, length_max=1000)}:{self.line}:{self.column}"
        path = f"{printable(self.path, length_max=1000)}: " if self.path else ""
        warning = f"{WARNING_WORD[language]}: " if self.is_warning else ""
        return f"{place}  {path}{warning}{self.advice(language)}"


class PlanInvalid(Exception):
    """Step plans that cannot be used. `problems` holds what is wrong with all of them, by file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(*(problem.sentence() for problem in problems))
        self.problems = tuple(problems)


def printable(text: str, length_max: int = SHOWN_MAX) -> str:
    """Text from a file on one line, without anything that a terminal would obey."""
    if len(text) > length_max:
        text = text[: length_max - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def path_text(path: Path) -> str:
    return ".".join(map(str, path))


def in_order(problems: Iterable[Problem], file: str) -> list[Problem]:
    """By place in the file; above `PROBLEMS_MAX` the last one says how many more there are."""
    ordered = sorted(problems, key=attrgetter("line", "column", "path", "code"))
    if len(ordered) <= PROBLEMS_MAX:
        return ordered
    more = {"n": len(ordered) - PROBLEMS_MAX}
    return [*ordered[:PROBLEMS_MAX], Problem(file, ordered[-1].line, 1, "", "more_problems", more)]


def suggestion(wrong: str, known: Sequence[str]) -> str:
    """The name that was probably meant, or an empty text."""
    if not wrong or len(wrong) > SHOWN_MAX:
        return ""
    near = difflib.get_close_matches(wrong, known[:NEAR_AMONG_MAX], n=1)
    return near[0] if near else ""
