"""Newer versions of a plan by small edits, and runs that move to them and back as people would do it.

newer = changed(PLAN, "verkennen/overzicht/naam", text=text("Hoe heet het?"))
after = moved(a_run().with_stage_approved("verkennen.1"), newer)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.engine.apply import replay
from app.engine.definition import CHECKLIST, Changes, StepPlan
from app.engine.events import MoveUndone, RunMoved
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import Parked, ParkedKind, ParkedWhy, Run
from app.engine.run_migration.compare import Change, ChangeClass, PartKind, What, compare
from app.engine.run_migration.items import RunMigration, plan_run_migration
from app.engine.run_migration.moves import decide_outcome, move_run, propose_move, undo_move
from app.engine.run_migration.outcome import Outcome
from app.engine.run_migration.undoing import Undo, plan_undo
from tests.builders import ANNA, BRAM, MANAGER, MARIAM, THURSDAY, RunBuilder, an_id, an_item

# --- another version of a plan ---------------------------------------------------------------------------------


def version(plan: StepPlan, number: str = "2.0.0", *, since: str | None = None, **changes: Any) -> StepPlan:
    """The plan under another number. `moved`, `cosmetic` and `reasons` are what it declares."""
    declared = Changes(
        since=since or plan.version,
        summary=an_item("Wat er anders is."),
        moved=tuple(changes.pop("moved", ())),
        cosmetic=frozenset(changes.pop("cosmetic", ())),
        reasons=changes.pop("reasons", {}),
    )
    newer = replace(plan, version=number, changes=declared, digest="", **changes)
    return replace(newer, digest=hashlib.sha256(repr(newer).encode()).hexdigest())


def with_stage(plan: StepPlan, stage: str, /, **changes: Any) -> StepPlan:
    return replace(plan, stages=tuple(replace(s, **changes) if s.id == stage else s for s in plan.stages))


def with_step(plan: StepPlan, path: str, /, **changes: Any) -> StepPlan:
    stage, step = path.split("/")
    steps = tuple(replace(s, **changes) if s.id == step else s for s in plan.stage(stage).steps)
    return with_stage(plan, stage, steps=steps)


def with_question(plan: StepPlan, path: str, /, **changes: Any) -> StepPlan:
    """Also a statement, under the step `checklist`."""
    stage, step, id = path.split("/")
    if step == CHECKLIST:
        statements = (replace(s, **changes) if s.id == id else s for s in plan.stage(stage).statements)
        return with_stage(plan, stage, statements=tuple(statements))
    questions = (replace(q, **changes) if q.id == id else q for q in plan.stage(stage).step(step).questions)
    return with_step(plan, f"{stage}/{step}", questions=tuple(questions))


def with_part(plan: StepPlan, path: str, /, **changes: Any) -> StepPlan:
    return (with_stage, with_step, with_question)[path.count("/")](plan, path, **changes)


def changed(
    plan: StepPlan, path: str, *, number: str = "2.0.0", cosmetic: Iterable[str] = (), **changes: Any
) -> StepPlan:
    """The next version of a plan, with one part changed. A new id is declared as a new name."""
    to = "/".join([*path.split("/")[:-1], changes["id"]]) if "id" in changes else path
    renamed = [(path, to)] if to != path else []
    return version(with_part(plan, path, **changes), number, since=plan.version, moved=renamed, cosmetic=cosmetic)


def without(plan: StepPlan, path: str) -> StepPlan:
    """The plan without a stage, step, question or statement; not yet another version."""
    *at, id = path.split("/")

    def others(parts: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(part for part in parts if part.id != id)

    match at:
        case []:
            return replace(plan, stages=others(plan.stages))
        case [stage] if id == CHECKLIST:
            return with_stage(plan, stage, statements=())
        case [stage]:
            return with_stage(plan, stage, steps=others(plan.stage(stage).steps))
        case [stage, step] if step == CHECKLIST:
            return with_stage(plan, stage, statements=others(plan.stage(stage).statements))
        case [stage, step]:
            return with_step(plan, f"{stage}/{step}", questions=others(plan.stage(stage).step(step).questions))
    raise AssertionError(path)


def adding(plan: StepPlan, at: str, *parts: Any) -> StepPlan:
    """The plan with stages (at ""), steps, questions or statements added at the end; not yet another version."""
    match [each for each in at.split("/") if each]:
        case []:
            return replace(plan, stages=(*plan.stages, *parts))
        case [stage]:
            return with_stage(plan, stage, steps=(*plan.stage(stage).steps, *parts))
        case [stage, step] if step == CHECKLIST:
            return with_stage(plan, stage, statements=(*plan.stage(stage).statements, *parts))
        case [stage, step]:
            return with_step(plan, at, questions=(*plan.stage(stage).step(step).questions, *parts))
    raise AssertionError(at)


# --- what is different -----------------------------------------------------------------------------------------


def differences(*plans: StepPlan) -> list[tuple[PartKind, What, str | None, str | None, ChangeClass]]:
    """The changes between the first and the last plan."""
    return [(c.kind, c.what, c.before, c.after, c.change_class) for c in compare(plans).changes]


def the_change(*plans: StepPlan) -> Change:
    (change,) = compare(plans).changes
    return change


def heaviest(*plans: StepPlan) -> ChangeClass:
    return max(change.change_class for change in compare(plans).changes)


# --- moving ----------------------------------------------------------------------------------------------------


def planned(built: RunBuilder, *plans: StepPlan) -> RunMigration:
    return plan_run_migration(built.run, compare([built.plan, *plans]))


def outcome_of(
    built: RunBuilder, *plans: StepPlan, choices: Mapping[str, str] | None = None, move: str = "m"
) -> Outcome:
    """What moving leads to; every choice that takes a reason has one."""
    migration = planned(built, *plans)
    return decide_outcome(migration, choices or {}, {item.id: "r" for item in migration.items}, move=move)


def moved(built: RunBuilder, *plans: StepPlan, choices: Mapping[str, str] | None = None, by: str = ANNA) -> RunBuilder:
    """The run on the last of the plans. Where an approval is touched, `by` proposes and a manager confirms."""
    move = an_id(f"move {len(built.events)}")
    result = outcome_of(built, *plans, choices=choices, move=move)
    if result.needs_manager:
        proposed = propose_move(
            planned(built, *plans),
            result,
            proposal=an_id(f"proposal {len(built.events)}"),
            shown=result.digest,
            reasons={},
            by=by,
            at=THURSDAY,
        )
        built = built.then(proposed)
        result = outcome_of(built, *plans, choices=choices, move=move)
        by = MARIAM if by != MARIAM else BRAM
    event = move_run(
        planned(built, *plans),
        result,
        move=move,
        shown=result.digest,
        reasons={},
        by=by,
        roles=MANAGER,
        at=THURSDAY,
        people=ONE_ACCOUNT_EACH,
    )
    after = replace(built.then(event), plan=plans[-1])
    assert replace(after.run, revision=0, moves=()) == replace(result.run, revision=0, moves=())
    return after


def around(built: RunBuilder) -> tuple[Run, Run]:
    """The run right before and right after its last move."""
    move = built.run.last_move
    assert move is not None
    return replay(built.events[: move.revision - 1]), replay(built.events[: move.revision])


def undo_of(built: RunBuilder, old: StepPlan) -> Undo:
    before, after = around(built)
    return plan_undo(old, built.plan, before, after, built.run, undo=an_id(f"undo {len(built.events)}"))


def undone(built: RunBuilder, old: StepPlan, *, park_later: bool = False, by: str = MARIAM) -> RunBuilder:
    undo = undo_of(built, old)
    event = undo_move(
        built.run, undo, park_later=park_later, reason=None, by=by, roles=MANAGER, at=THURSDAY, people=ONE_ACCOUNT_EACH
    )
    after = replace(built.then(event), plan=old)
    assert replace(after.run, revision=0, moves=()) == replace(undo.run, revision=0, moves=())
    return after


def moves_of(built: RunBuilder) -> list[RunMoved | MoveUndone]:
    return [event for event in built.events if isinstance(event, RunMoved | MoveUndone)]


def parked(built: RunBuilder | Outcome) -> list[tuple[ParkedKind, ParkedWhy, str]]:
    """What is set aside: kind, why, and where it was."""
    return [(item.kind, item.why, where(item)) for item in built.run.parked]


def where(item: Parked) -> str:
    return "/".join(filter(None, [str(item.ref or ""), item.step, item.key]))
