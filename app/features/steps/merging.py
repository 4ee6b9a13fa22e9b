"""Two people at one step: what each changed is put together per answer; only the same answer twice asks for a choice.

Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Final

from app.engine.answers import LONG_TEXT_MAX, TABLE_ROWS_MAX, AnswerInvalid, Value, read
from app.engine.definition import Question, QuestionType, Step
from app.features.steps.forms import Keep, StepForm
from app.storage.answer_store import Answer

TEXTS: Final = frozenset({QuestionType.LONG_TEXT, QuestionType.SHORT_TEXT})


@dataclass(frozen=True, slots=True)
class Conflict:
    """An answer that two people changed. `both` joins the two where that makes sense, else None. `together` is what
    somebody made of the two texts and that does not fit, such as a text that is too long."""

    question: Question
    mine: Value
    theirs: Answer
    both: Value
    together: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether the two can be written together in a field."""
        return self.question.type in TEXTS and isinstance(self.mine, str) and isinstance(self.theirs.value, str)


@dataclass(frozen=True, slots=True)
class Merged:
    """`changes` is what to write; `kept` are answers that somebody else changed meanwhile and that stay so."""

    changes: Mapping[str, Value]
    kept: tuple[Answer, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def merge(
    step: Step,
    form: StepForm,
    mine: Mapping[str, Value],
    current: Mapping[str, Answer],
    base: Mapping[str, Answer],
    confirmed: Collection[str] = (),
) -> Merged:
    """`current` is by question, `base` by commitment: the answers from which the form was filled in, as far as they
    are known. An answer whose base is unknown counts as changed by who sent the form. `confirmed` are proposals that
    are still right: they are written again, by who says so."""
    changes: dict[str, Value] = {}
    kept: list[Answer] = []
    conflicts: list[Conflict] = []
    for question in step.questions:
        if question.id not in mine:
            continue
        value, stored = mine[question.id], current.get(question.id)
        if value == (stored.value if stored else None):
            if question.id in confirmed:
                changes[question.id] = value
            continue
        seen = form.basis.get(question.id)
        if stored is None or stored.commitment == seen:
            changes[question.id] = value
        elif seen is not None and value == _base_value(seen, base):
            kept.append(stored)
        else:
            conflict = Conflict(question, value, stored, joined(question, value, stored.value))
            match form.chosen.get(question.id):
                case (Keep.MINE, stored.commitment):
                    changes[question.id] = value
                case (Keep.THEIRS, stored.commitment):
                    kept.append(stored)
                case (Keep.BOTH, stored.commitment) if conflict.is_text and question.id in form.together:
                    text = form.together[question.id]
                    try:
                        changes[question.id] = read(question, text)
                    except AnswerInvalid:
                        conflicts.append(replace(conflict, together=text))
                case (Keep.BOTH, stored.commitment) if conflict.both is not None:
                    changes[question.id] = conflict.both
                case _:
                    conflicts.append(replace(conflict, together=form.together.get(question.id)))
    return Merged(changes, tuple(kept), tuple(conflicts))


def _base_value(seen: str, base: Mapping[str, Answer]) -> Value | EllipsisType:
    """What the form showed at first; "" is no answer. The ellipsis, which equals no value, stands for unknown."""
    if not seen:
        return None
    return base[seen].value if seen in base else ...


def joined(question: Question, mine: Value, theirs: Value) -> Value:
    """Both answers in one; None where that cannot be."""
    match question.type, theirs, mine:
        case QuestionType.LONG_TEXT, str(), str():
            text = f"{theirs}\n\n{mine}"
            return text if len(text) <= LONG_TEXT_MAX else None
        case QuestionType.MULTIPLE_CHOICE, list(), list():
            return [option.id for option in question.options if option.id in theirs or option.id in mine]
        case QuestionType.TABLE, list(), list():
            rows = [*theirs, *(row for row in mine if row not in theirs)]
            return rows if len(rows) <= TABLE_ROWS_MAX else None
        case _:
            return None
