"""The properties of one part in two versions, and how much each difference weighs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from app.engine.definition import (
    ApprovalsOf,
    Column,
    Condition,
    EvidenceDemand,
    Gate,
    Item,
    Option,
    Question,
    Step,
    Text,
)
from app.engine.run_migration.changes import ChangeClass, Difference

Words = Text | None


def nl(text: Words) -> str:
    return text.nl if text else ""


def wording(name: str, before: Words, after: Words, *, is_cosmetic: bool) -> Iterator[Difference]:
    """Words that people answered to or decided on: another meaning, unless the author says otherwise."""
    if nl(before) != nl(after):
        found = ChangeClass.COSMETIC if is_cosmetic else ChangeClass.ANSWER_AGAIN
        yield Difference(name, nl(before), nl(after), found)
    elif before != after:
        yield Difference(name, _translations(before), _translations(after), ChangeClass.SAFE)


def _translations(text: Words) -> str:
    return "; ".join(f"{language}: {words}" for language, words in sorted(text.translations.items())) if text else ""


def helps(name: str, before: object, after: object) -> Iterator[Difference]:
    """What helps, and asks nothing."""
    if before != after:
        yield Difference(name, shown(before), shown(after), ChangeClass.SAFE)


def meant(name: str, before: object, after: object, *, is_looser: bool = False) -> Iterator[Difference]:
    """What decides which answer is right or enough."""
    if before != after:
        found = ChangeClass.SAFE if is_looser else ChangeClass.ANSWER_AGAIN
        yield Difference(name, shown(before), shown(after), found)


def shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Text() | Item():
            return (value if isinstance(value, Text) else value.text).nl
        case Condition():
            return f"{value.question}: {', '.join(value.any_of) or '*'}"
        case float():
            return f"{value:g}"
        case tuple() | list() | frozenset():
            return "\n".join(filter(None, map(shown, value)))
        case ApprovalsOf():
            return f"{value.role}: {value.approvals}"
        case Option() | Column():
            return value.title.nl
        case _:
            return str(value)


def _options(before: tuple[Option, ...], after: tuple[Option, ...], *, is_cosmetic: bool) -> Iterator[Difference]:
    if [option.id for option in before] != [option.id for option in after]:
        yield from meant("options", before, after)
        return
    for a, b in zip(before, after, strict=True):
        yield from wording("option", a.title, b.title, is_cosmetic=is_cosmetic)


def _columns(before: tuple[Column, ...], after: tuple[Column, ...], *, is_cosmetic: bool) -> Iterator[Difference]:
    def shape(columns: tuple[Column, ...]) -> object:
        return [(c.id, c.type, c.is_required, tuple(option.id for option in c.options)) for c in columns]

    if shape(before) != shape(after):
        yield Difference("columns", _columns_shown(before), _columns_shown(after), ChangeClass.ANSWER_AGAIN)
        return
    for a, b in zip(before, after, strict=True):
        yield from wording("column", a.title, b.title, is_cosmetic=is_cosmetic)
        yield from _options(a.options, b.options, is_cosmetic=is_cosmetic)


def _columns_shown(columns: tuple[Column, ...]) -> str:
    return "\n".join(f"{c.title.nl} ({c.type}{', required' if c.is_required else ''})" for c in columns)


def _limits(before: Question, after: Question) -> Iterator[Difference]:
    lower = before.minimum is not None and (after.minimum is None or after.minimum <= before.minimum)
    yield from meant("minimum", before.minimum, after.minimum, is_looser=lower)
    higher = before.maximum is not None and (after.maximum is None or after.maximum >= before.maximum)
    yield from meant("maximum", before.maximum, after.maximum, is_looser=higher)
    yield from meant("rows_min", before.rows_min, after.rows_min, is_looser=after.rows_min < before.rows_min)


def question_differences(before: Question, after: Question, *, is_cosmetic: bool) -> Iterator[Difference]:
    yield from wording("text", before.text, after.text, is_cosmetic=is_cosmetic)
    yield from meant("type", before.type, after.type)
    yield from meant("required", before.is_required, after.is_required, is_looser=before.is_required)
    yield from _options(before.options, after.options, is_cosmetic=is_cosmetic)
    yield from _columns(before.columns, after.columns, is_cosmetic=is_cosmetic)
    yield from meant("unit", before.unit and before.unit.nl, after.unit and after.unit.nl)
    yield from _limits(before, after)
    yield from meant("shown_when", before.shown_when, after.shown_when)
    yield from meant("ground", before.ground, after.ground)
    yield from helps("help", before.help, after.help)
    yield from helps("sources", (before.sources, before.is_addition), (after.sources, after.is_addition))


def demands(step: Step | None) -> Mapping[str, EvidenceDemand]:
    return {demand.kind: demand for demand in step.evidence} if step else {}


def gate_differences(before: Gate, after: Gate, *, is_cosmetic: bool) -> Iterator[Difference]:
    for each in wording("question", before.question.text, after.question.text, is_cosmetic=is_cosmetic):
        yield decide_again(each)
    for name in ("approvers", "approvals", "of_which", "complete"):
        for each in meant(name, getattr(before, name), getattr(after, name)):
            yield decide_again(each)
    yield from helps("explanation", before.explanation, after.explanation)


def decide_again(difference: Difference) -> Difference:
    if difference.change_class is ChangeClass.ANSWER_AGAIN:
        return replace(difference, change_class=ChangeClass.APPROVE_AGAIN)
    return difference


def heaviest(differences: Iterable[Difference]) -> ChangeClass:
    return max((each.change_class for each in differences), default=ChangeClass.SAFE)
