"""What counts as an answer: from what somebody typed to a stored value, and from a value to its mark.

Stored values are JSON: text, a number as decimal text ("12.5"), a date as "2027-03-01", an option id, a list of
option ids, {"grade": …, "reason": …} for an assessment, a list of {column: text} for a table. None is no answer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from app.engine.definition import Column, Grade, Option, Question, QuestionType, Step
from app.engine.run import AnswerMark, StepState

SHORT_TEXT_MAX = 300  # characters; one line on screen and in the report
LONG_TEXT_MAX = 20_000  # characters; about eight pages
TABLE_ROWS_MAX = 200  # rows; above that an attached sheet serves better
NUMBER_ABS_MAX = Decimal(10) ** 15

_PLAIN_NUMBER = re.compile(r"[-+]?([0-9]{1,20}(\.[0-9]{1,20})?|\.[0-9]{1,20})")
# A lone point with three digits after it groups; 0.125 cannot be grouped, and 1,234.5 is not the Dutch way.
_GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]+)?")
_GROUPING_SPACE = re.compile(r"(?<=[0-9])\s(?=[0-9]{3}(?![0-9]))")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DUTCH_DATE = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})")

Value = None | str | list[str] | dict[str, str] | list[dict[str, str]]
Raw = None | str | list[str] | Mapping[str, str] | list[dict[str, str]]


class AnswerInvalid(ValueError):
    """An answer that cannot be stored. `row` and `column` (zero-based, id) point into a table."""

    def __init__(
        self, code: str, params: Mapping[str, str | int] | None = None, *, row: int | None = None, column: str = ""
    ) -> None:
        super().__init__(code)
        self.code, self.params, self.row, self.column = code, dict(params or {}), row, column


def canonical(value: object) -> bytes:
    """One byte form per JSON value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def commitment(value: object, salt: str) -> str:
    """HMAC-SHA-256 (hex) of the value under a hex salt: proves the value, and tells nothing once both are erased."""
    return hmac.new(bytes.fromhex(salt), canonical(value), hashlib.sha256).hexdigest()


def read(question: Question, raw: Raw) -> Value:
    """The stored value for what somebody typed or chose.  Raises AnswerInvalid; an unfinished answer is no error."""
    match question.type:
        case QuestionType.MULTIPLE_CHOICE:
            chosen = [raw] if isinstance(raw, str) else [str(item) for item in raw or []]
            wanted = {item for item in chosen if item}
            for item in wanted:
                _check_option(question.options, item)
            return [option.id for option in question.options if option.id in wanted] or None
        case QuestionType.ASSESSMENT:
            given = raw if isinstance(raw, Mapping) else {}
            grade = str(given.get("grade") or "")
            reason = _text(str(given.get("reason") or ""), LONG_TEXT_MAX)
            if grade and grade not in set(Grade):
                raise AnswerInvalid("unknown_option", {"value": grade[:80]})
            return {"grade": grade, "reason": reason} if grade or reason else None
        case QuestionType.TABLE:
            rows = [row for row in raw or [] if isinstance(row, Mapping)]
            return _read_rows(question.columns, rows) or None
        case _:
            text = raw if isinstance(raw, str) else ""
            return _read_single(question.type, text, question.options, question.minimum, question.maximum) or None


def _read_single(
    type: QuestionType,
    raw: str,
    options: Iterable[Option],
    minimum: float | None = None,
    maximum: float | None = None,
) -> str:
    match type:
        case QuestionType.LONG_TEXT:
            return _text(raw, LONG_TEXT_MAX)
        case QuestionType.NUMBER:
            return _number(raw, minimum, maximum)
        case QuestionType.DATE:
            return _date(raw)
        case QuestionType.SINGLE_CHOICE:
            if raw:
                _check_option(options, raw)
            return raw
        case _:
            return _text(raw, SHORT_TEXT_MAX)


def _text(raw: str, limit: int) -> str:
    """Line ends become \\n; control characters, which no keyboard types but a paste may bring, are dropped."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and not 0xD800 <= ord(c) <= 0xDFFF and c != "\x7f"))
    text = text.strip()
    if len(text) > limit:
        raise AnswerInvalid("too_long", {"limit": limit, "length": len(text)})
    return text


def _number(raw: str, minimum: float | None, maximum: float | None) -> str:
    """Accepts the Dutch way (1.234,5 and 1.234) and a decimal point that cannot group thousands (1234.5)."""
    text = _GROUPING_SPACE.sub("", raw.strip())
    if not text:
        return ""
    if _GROUPED.fullmatch(text):
        text = text.replace(".", "")
    text = text.replace(",", ".")
    # Not whatever Decimal takes: of 1e-999999999 it would make a text of a gigabyte.
    if not _PLAIN_NUMBER.fullmatch(text):
        raise AnswerInvalid("not_a_number", {"value": raw[:80]})
    number = Decimal(text)
    if abs(number) > NUMBER_ABS_MAX:
        raise AnswerInvalid("not_a_number", {"value": raw[:80]})
    if minimum is not None and number < Decimal(str(minimum)):
        raise AnswerInvalid("number_too_small", {"minimum": _plain(Decimal(str(minimum)))})
    if maximum is not None and number > Decimal(str(maximum)):
        raise AnswerInvalid("number_too_large", {"maximum": _plain(Decimal(str(maximum)))})
    return _plain(number)


def _plain(number: Decimal) -> str:
    """One text per number: no exponent, no needless zeros, no minus before a zero."""
    text = format(number if number else Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(raw: str) -> str:
    """Accepts 2027-03-01, and 1-3-2027 as people write it."""
    text = raw.strip()
    if not text:
        return ""
    try:
        if iso := _ISO_DATE.fullmatch(text):
            return date(int(iso[1]), int(iso[2]), int(iso[3])).isoformat()
        if dutch := _DUTCH_DATE.fullmatch(text):
            return date(int(dutch[3]), int(dutch[2]), int(dutch[1])).isoformat()
    except ValueError:
        pass  # it looks like a date, but there is no such day
    raise AnswerInvalid("not_a_date", {"value": raw[:80]})


def _check_option(options: Iterable[Option], id: str) -> None:
    if all(option.id != id for option in options):
        raise AnswerInvalid("unknown_option", {"value": id[:80]})


def _read_rows(columns: tuple[Column, ...], rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    if len(rows) > TABLE_ROWS_MAX:
        raise AnswerInvalid("too_many_rows", {"limit": TABLE_ROWS_MAX, "length": len(rows)})
    read_rows = []
    for number, row in enumerate(rows):
        cells = {}
        for column in columns:
            try:
                cells[column.id] = _read_single(column.type, str(row.get(column.id) or ""), column.options)
            except AnswerInvalid as error:
                raise AnswerInvalid(error.code, error.params, row=number, column=column.id) from None
        if any(cells.values()):
            read_rows.append(cells)
    return read_rows


def mark(question: Question, value: Value, salt: str) -> AnswerMark:
    """What the engine keeps of a stored value."""
    return AnswerMark(
        commitment=commitment(value, salt),
        is_filled=value is not None,
        is_complete=value is not None and _is_complete(question, value),
        choices=_choices(question, value),
    )


def _is_complete(question: Question, value: Value) -> bool:
    if question.type is QuestionType.ASSESSMENT:
        assert isinstance(value, dict)
        grade, reason = value["grade"], value["reason"]
        return bool(grade) and (grade != Grade.NOT_APPLICABLE or bool(reason))
    if question.type is QuestionType.TABLE:
        rows = value if isinstance(value, list) else []
        required = [column.id for column in question.columns if column.is_required]
        return len(rows) >= max(1, question.rows_min) and all(
            row.get(column) for row in rows if isinstance(row, dict) for column in required
        )
    return True


def _choices(question: Question, value: Value) -> tuple[str, ...]:
    match question.type:
        case QuestionType.SINGLE_CHOICE if isinstance(value, str):
            return (value,)
        case QuestionType.MULTIPLE_CHOICE if isinstance(value, list):
            return tuple(str(item) for item in value)
        case QuestionType.ASSESSMENT if isinstance(value, dict) and value["grade"]:
            return (value["grade"],)
        case _:
            return ()


def is_shown(step: Step, state: StepState, question: Question) -> bool:
    """Whether the condition of a question holds; a question whose own condition's question is hidden is hidden."""
    condition = question.shown_when
    if condition is None:
        return True
    if not is_shown(step, state, step.question(condition.question)):
        return False
    if not condition.any_of:
        return state.is_filled(condition.question)
    return any(choice in condition.any_of for choice in state.choices(condition.question))
