"""What can be erased, without a word of what it says: where it is, and which part of it.

An item is one thing that somebody wrote. Its texts are known by their path in its value, a passage by path and place;
that is what a request to erase keeps, and what the register outside the database keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Final

from app.engine.definition import Question, QuestionType

MARK: Final = "[gewist]"
"""What stands where something was erased. In Dutch, as the texts around it are."""

Path = tuple[str | int, ...]
Texts = Mapping[Path, str]
"""The texts in a value that people typed themselves; choices, numbers and dates are left out."""


@unique
class Kind(StrEnum):
    """`ANSWER`: every version of it that has this commitment, in one run. The last three belong to no run; of a mandate
    it is the legal ground."""

    ANSWER = "answer"
    TEXT = "text"
    EVIDENCE = "evidence"
    MASS_MOVE = "mass_move"
    LOCAL_PLAN = "local_plan"
    MANDATE = "mandate"


@unique
class Ground(StrEnum):
    """Why, by article 17 paragraph 1 of the GDPR: a code, since a reason in words would be personal data again."""

    NOT_NEEDED = "not_needed"  # a
    CONSENT_WITHDRAWN = "consent_withdrawn"  # b
    OBJECTION = "objection"  # c
    UNLAWFUL = "unlawful"  # d: it should never have been written here
    LEGAL_DUTY = "legal_duty"  # e


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """From `start` up to `end`, in characters."""

    path: Path
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Key:
    kind: Kind
    run: str | None
    id: str


@dataclass(frozen=True, slots=True)
class Item:
    """`passages` None means all of it; of evidence that is a file, the file too."""

    key: Key
    passages: tuple[Passage, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        places = None if self.passages is None else [[[*one.path], one.start, one.end] for one in self.passages]
        return {"kind": self.key.kind.value, "run": self.key.run, "id": self.key.id, "passages": places}


def from_json(given: Any) -> Item:
    """Raises ValueError for what `to_json` does not give."""
    try:
        passages = given["passages"]
        places = None
        if passages is not None:
            places = tuple(Passage(_path(path), _place(start), _place(end)) for path, start, end in passages)
        run = given["run"]
        return Item(Key(Kind(given["kind"]), None if run is None else _id(run), _id(given["id"])), places)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an item to erase: {error!r}") from None


def _path(given: Sequence[Any]) -> Path:
    if not all(isinstance(part, str | int) for part in given):
        raise ValueError("a path has names and numbers")
    return tuple(given)


def _place(given: Any) -> int:
    if type(given) is not int:
        raise ValueError("a place in a text is a whole number")
    return given


def _id(given: Any) -> str:
    """No database takes every character."""
    if not (isinstance(given, str) and given and given.isascii() and given.isprintable()):
        raise ValueError("an id has letters, digits and signs")
    return given


class PassageGone(Exception):
    """There is no such place in the text: it is not the one that was looked at."""


def texts_in_answer(value: Any, question: Question | None) -> Texts:
    """`question` None where no version of the plan knows it any more: then every text counts."""
    kind = question.type if question else None
    if kind in (QuestionType.SINGLE_CHOICE, QuestionType.MULTIPLE_CHOICE, QuestionType.NUMBER, QuestionType.DATE):
        return {}
    match value:
        case str():
            return {(): value}
        case {"reason": str() as reason}:
            return {("reason",): reason}
        case [*rows]:
            typed = _text_columns(question)
            return {
                (number, name): cell
                for number, row in enumerate(rows)
                if isinstance(row, dict)
                for name, cell in row.items()
                if isinstance(cell, str) and cell and (typed is None or name in typed)
            }
        case _:
            return {}


def _text_columns(question: Question | None) -> Collection[str] | None:
    if question is None:
        return None
    return {c.id for c in question.columns if c.type in (QuestionType.SHORT_TEXT, QuestionType.LONG_TEXT)}


def erased(value: Any, texts: Texts, item: Item) -> Any:
    """The value without what the item names.  Raises PassageGone."""
    if item.passages is None:
        return _replaced(value, dict.fromkeys(texts, MARK))
    changed = {}
    for path in dict.fromkeys(passage.path for passage in item.passages):
        if path not in texts:
            raise PassageGone(path)
        changed[path] = without(texts[path], [p for p in item.passages if p.path == path])
    return _replaced(value, changed)


def without(text: str, passages: Collection[Passage]) -> str:
    """Raises PassageGone."""
    kept, done = [], 0
    for passage in sorted(passages):
        if not done <= passage.start < passage.end <= len(text):
            raise PassageGone(passage.path)
        kept += [text[done : passage.start], MARK]
        done = passage.end
    return "".join([*kept, text[done:]])


def _replaced(value: Any, texts: Texts, path: Path = ()) -> Any:
    if path in texts:
        return texts[path]
    if isinstance(value, dict):
        return {name: _replaced(part, texts, (*path, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, texts, (*path, number)) for number, part in enumerate(value)]
    return value


def is_erased(value: Any) -> bool:
    """Whether nothing of it is left."""
    match value:
        case str():
            return value == MARK
        case {"reason": reason}:
            return bool(reason == MARK)
        case [*rows]:
            cells = [cell for row in rows if isinstance(row, dict) for cell in row.values()]
            return bool(cells) and all(cell == MARK for cell in cells)
        case _:
            return False
