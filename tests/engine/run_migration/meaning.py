"""Whether what was approved still asks the same: an account of its own, by the words of the requirement."""

from __future__ import annotations

from collections.abc import Callable

from app.engine.definition import Column, Gate, Item, Option, Question, Stage, Step, Text
from app.engine.guards import gate_open_points
from app.engine.run import Run, StageInstance, StageRef
from tests.engine.run_migration.edits import Edited


def check_what_stays_approved(edited: Edited, before: Run, after: Run, gave_back: set[StageRef]) -> int:
    """Every stage of the newer version whose approval still covers it asks what it asked, and holds what it held.
    Earlier rounds are history. `gave_back`: stages to which parked content returned. Says how many were looked at."""
    looked_at = 0
    for ref, instance in after.stages.items():
        if not instance.passed or instance.changed_since_approval:
            continue
        if after.latest(ref.stage, ref.domain) is not instance:
            continue
        ((origin, *others),) = (olds for path, olds in edited.origins.items() if path == (ref.stage,))
        assert not others
        was = before.stages[StageRef(origin[0], ref.domain, ref.round)]
        assert was.passed
        assert not was.changed_since_approval
        assert was.approvals == instance.approvals
        assert ref not in gave_back
        _check_stage(edited, edited.old.stage(was.ref.stage), edited.new.stage(ref.stage), was, instance)
        assert not [*gate_open_points(edited.new.stage(ref.stage), instance)] or instance.status is was.status.OPEN
        looked_at += 1
    return looked_at


def _check_stage(edited: Edited, old: Stage, new: Stage, was: StageInstance, instance: StageInstance) -> None:
    is_cosmetic = edited.is_cosmetic(new.id)
    assert _same_words(old.title, new.title) or is_cosmetic
    assert _same_words(old.goal, new.goal) or is_cosmetic
    _check_gate(old.gate, new.gate, is_cosmetic=is_cosmetic)
    held = {mark.commitment for state in was.steps.values() for mark in state.answers.values() if mark.is_filled}
    proved = {item.id for state in was.steps.values() for item in state.evidence}
    for step in new.all_steps():
        _check_step(edited, old, new, step)
        state = instance.step(step.id)
        assert proved >= {item.id for item in state.evidence}
        for question in step.questions:
            mark = state.answers.get(question.id)
            if mark is not None and mark.is_filled:
                assert mark.commitment in held
                assert not mark.is_proposal or mark in (m for s in was.steps.values() for m in s.answers.values())
                _check_question(edited, (new.id, step.id, question.id))


def _check_gate(old: Gate, new: Gate, *, is_cosmetic: bool) -> None:
    assert (old.approvers, old.approvals, old.complete) == (new.approvers, new.approvals, new.complete)
    assert _same_words(old.question, new.question) or is_cosmetic


def _check_step(edited: Edited, old: Stage, new: Stage, step: Step) -> None:
    """A required step, question or piece of evidence is not new, and a step asks for what one of its origins did."""
    path = (new.id, step.id)
    origins = [edited.old.stage(stage).step(id) for stage, id in edited.origins.get(path, ())]
    if not origins:
        assert not step.is_required
        return
    is_cosmetic = edited.is_cosmetic("/".join(path))
    assert any(_same_words(o.title, step.title) and _same_words(o.goal, step.goal) for o in origins) or is_cosmetic
    for demand in step.evidence:
        asked = [d.minimum for origin in origins for d in origin.evidence if d.kind == demand.kind]
        assert asked
        assert demand.minimum <= max(asked)
    for question in step.questions:
        if question.is_required:
            assert edited.origins.get((*path, question.id)), "a new required question"


def _check_question(edited: Edited, path: tuple[str, str, str]) -> None:
    """The question over an answer is the one that was answered, or asks less."""
    (origin,) = edited.origins[path]
    old = edited.old.stage(origin[0]).step(origin[1]).question(origin[2])
    new = edited.new.stage(path[0]).step(path[1]).question(path[2])
    is_cosmetic = edited.is_cosmetic("/".join(path))

    def words(before: object, after: object) -> None:
        assert before == after or is_cosmetic, path

    assert old.type == new.type
    words(old.text.nl, new.text.nl)
    assert [o.id for o in old.options] == [o.id for o in new.options]
    words(*_titles(old.options, new.options))
    assert [_shape(c) for c in old.columns] == [_shape(c) for c in new.columns]
    words(*_titles(old.columns, new.columns))
    assert (old.unit and old.unit.nl) == (new.unit and new.unit.nl)
    assert _looser(old.minimum, new.minimum, lambda a, b: b <= a)
    assert _looser(old.maximum, new.maximum, lambda a, b: b >= a)
    assert new.rows_min <= old.rows_min
    assert old.is_required or not new.is_required
    assert _condition(edited, origin, old) == (new.shown_when and (new.shown_when.question, new.shown_when.any_of))
    assert old.ground == new.ground
    if old.ground is not None:
        a, b = edited.old.grounds_by_id[old.ground], edited.new.grounds_by_id[old.ground]
        assert a.title.nl == b.title.nl or edited.is_cosmetic(f"grounds.{old.ground}")


def _condition(edited: Edited, origin: tuple[str, ...], old: Question) -> object:
    """In the names of the newer version, if the question that it looks at still stands beside it."""
    if old.shown_when is None:
        return None
    heirs = edited.heirs((*origin[:2], old.shown_when.question))
    return (heirs[0][2] if heirs else old.shown_when.question), old.shown_when.any_of


def _same_words(old: Text | Item, new: Text | Item) -> bool:
    return _nl(old) == _nl(new)


def _nl(words: Text | Item) -> str:
    return words.nl if isinstance(words, Text) else words.text.nl


def _titles(
    old: tuple[Option, ...] | tuple[Column, ...], new: tuple[Option, ...] | tuple[Column, ...]
) -> tuple[list[str], list[str]]:
    return [each.title.nl for each in old], [each.title.nl for each in new]


def _shape(column: Column) -> object:
    return column.id, column.type, column.is_required, [option.id for option in column.options]


def _looser(old: float | None, new: float | None, is_wider: Callable[[float, float], bool]) -> bool:
    return old == new or new is None or (old is not None and is_wider(old, new))
