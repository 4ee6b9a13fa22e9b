"""Questions: keys that go with their type, and conditions on earlier answers of the same step."""

from __future__ import annotations

from collections.abc import Iterator

from app.catalogue.problems import Finding
from app.catalogue.rules.parts import Part
from app.engine.definition import Grade, QuestionType

_CHOICES = (QuestionType.SINGLE_CHOICE, QuestionType.MULTIPLE_CHOICE)
_KEY_OF_TYPES: dict[str, tuple[QuestionType, ...]] = {
    "options": _CHOICES,
    "columns": (QuestionType.TABLE,),
    "rows_min": (QuestionType.TABLE,),
    "unit": (QuestionType.NUMBER,),
    "minimum": (QuestionType.NUMBER,),
    "maximum": (QuestionType.NUMBER,),
}
# One option is no choice; one box to tick or not is.
_OPTIONS_MIN = {QuestionType.SINGLE_CHOICE: 2, QuestionType.MULTIPLE_CHOICE: 1}


def check(plan: Part) -> Iterator[Finding]:
    for stage in plan.each("stages"):
        for step in stage.each("steps"):
            questions = list(step.each("questions"))
            for question in questions:
                yield from _keys_of_type(question)
                yield from _range(question)
                for column in question.each("columns"):
                    yield from _options_of_column(column)
            yield from _conditions(questions)


def _type_of(question: Part) -> QuestionType | None:
    name = question.get("type").text
    return QuestionType(name) if name in set(QuestionType) else None


def _keys_of_type(question: Part) -> Iterator[Finding]:
    kind = _type_of(question)
    if kind is None:
        return
    for key, types in _KEY_OF_TYPES.items():
        if question.has(key) and kind not in types:
            yield Finding("key_of_other_type", question.get(key).path, {"value": ", ".join(types)}, at_key=True)
    limit = _OPTIONS_MIN.get(kind, 0)
    if len(list(question.each("options"))) < limit:
        yield Finding("options_missing", question.path, {"value": kind.value, "limit": limit})
    if kind is QuestionType.TABLE and not question.get("columns").value:
        yield Finding("columns_missing", question.path)


def _options_of_column(column: Part) -> Iterator[Finding]:
    kind, limit = column.get("type").text, _OPTIONS_MIN[QuestionType.SINGLE_CHOICE]
    if kind == QuestionType.SINGLE_CHOICE and len(list(column.each("options"))) < limit:
        yield Finding("options_missing", column.path, {"value": kind, "limit": limit})
    elif kind != QuestionType.SINGLE_CHOICE and column.has("options"):
        params = {"value": QuestionType.SINGLE_CHOICE.value}
        yield Finding("key_of_other_type", column.get("options").path, params, at_key=True)


def _range(question: Part) -> Iterator[Finding]:
    minimum, maximum = question.get("minimum"), question.get("maximum")
    if minimum.number is not None and maximum.number is not None and minimum.number > maximum.number:
        yield Finding("minimum_above_maximum", minimum.path, {"limit": str(maximum.number)})


def _conditions(questions: list[Part]) -> Iterator[Finding]:
    positions = {question.id: position for position, question in reversed(list(enumerate(questions)))}
    known = tuple(filter(None, positions))
    for position, question in enumerate(questions):
        condition = question.get("shown_when")
        named = condition.get("question")
        if named.text is None:
            continue
        if named.text == question.id:
            yield Finding("condition_itself", named.path)
        elif named.text not in positions:
            # A question whose id could not be read may be the one that is meant.
            if "" not in positions:
                yield Finding("condition_unknown", named.path, {"value": named.text}, wrong=named.text, known=known)
        elif positions[named.text] > position:
            yield Finding("condition_later", named.path, {"value": named.text})
        else:
            yield from _answers(condition, questions[positions[named.text]])


def _answers(condition: Part, question: Part) -> Iterator[Finding]:
    """A condition names answers that its question can have."""
    kind = _type_of(question)
    if kind is None or not condition.has("any_of"):
        return
    if kind is QuestionType.ASSESSMENT:
        answers = tuple(grade.value for grade in Grade)
    elif kind in _CHOICES:
        answers = tuple(option.id for option in question.each("options"))
    else:
        yield Finding("condition_without_choices", condition.get("any_of").path, {"value": question.id}, at_key=True)
        return
    if "" in answers:
        return
    for answer in condition.each("any_of"):
        if answer.text is not None and answer.text not in answers:
            params = {"question": question.id, "value": answer.text}
            yield Finding("condition_unknown_answer", answer.path, params, wrong=answer.text, known=answers)
