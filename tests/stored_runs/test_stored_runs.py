"""For every released version there is a stored run that exercises all of it, and it reaches the newest version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache, reduce

import pytest

from app.catalogue.catalogue import Catalogue, CataloguePlan
from app.catalogue.lock import Status
from app.engine import events as e
from app.engine.apply import apply, replay
from app.engine.definition import CHECKLIST, StepPlan
from app.engine.guards import gate_open_points
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import Run, StageStatus, StepStatus
from app.engine.run_migration.compare import compare
from app.engine.run_migration.items import plan_run_migration
from app.engine.run_migration.moves import decide_outcome, move_run, propose_move, undo_move
from app.engine.run_migration.undoing import plan_undo
from app.engine.seal import seal
from app.resources import stepplans_dir
from tests.builders import ANNA, FRIDAY, MANAGER, MARIAM
from tests.stored_runs.making import path_of, read


@cache
def catalogue() -> Catalogue:
    return Catalogue.load(stepplans_dir())


RELEASED = [plan for plan in catalogue() if plan.status is not Status.DRAFT]
NAMES = [f"{each.plan.id}@{each.plan.version}" for each in RELEASED]


@cache
def stored(plan_id: str, version: str) -> tuple[dict[str, str], list[e.Event]]:
    return read(path_of(plan_id, version))


@pytest.mark.parametrize("released", RELEASED, ids=NAMES)
def test_every_released_version_has_a_stored_run_of_its_own(released: CataloguePlan):
    plan = released.plan
    path = path_of(plan.id, plan.version)
    assert path.exists(), (
        f"{plan.id}@{plan.version} was released without a stored run. "
        f"Make it: python -m tests.stored_runs.making {plan.id}@{plan.version}"
    )
    head, _ = stored(plan.id, plan.version)
    assert head == {"plan": plan.id, "version": plan.version, "digest": plan.digest}


@pytest.mark.parametrize("released", RELEASED, ids=NAMES)
def test_stored_run_exercises_every_part_of_its_version(released: CataloguePlan):
    plan = released.plan
    events = stored(plan.id, plan.version)[1]
    assert [*_not_exercised(plan, events)] == []


def _not_exercised(plan: StepPlan, events: list[e.Event]) -> Iterator[str]:
    run = replay(events)
    happened = Counter(type(event) for event in events)
    for stage in plan.stages:
        first = [i for i in run.instances(stage.id) if i.ref.round == 1]
        if not first:
            yield f"{stage.id}: not begun"
            continue
        if not any(instance.passed for instance in first):
            yield f"{stage.id}: not approved"
        if stage.is_repeatable and not any(i.ref.round == 2 for i in run.instances(stage.id)):
            yield f"{stage.id}: no second round"
        if stage.is_optional and not any(isinstance(x, e.StageSkipped) and x.ref.stage == stage.id for x in events):
            yield f"{stage.id}: not skipped"
        if stage.is_continuous and not any(isinstance(x, e.StageReopened) and x.ref.stage == stage.id for x in events):
            yield f"{stage.id}: no work after approval"
        if stage.is_per_domain and {instance.ref.domain for instance in first} != set(run.domains):
            yield f"{stage.id}: not in every domain"
        for step in stage.all_steps():
            state = first[0].step(step.id)
            if step.id != CHECKLIST and state.status is not StepStatus.COMPLETED:
                yield f"{stage.id}/{step.id}: not completed"
            for question in step.questions:
                if not state.is_filled(question.id):
                    yield f"{stage.id}/{step.id}/{question.id}: not answered"
            for demand in step.evidence:
                forms = {item.form for item in state.evidence if item.kind == demand.kind}
                if len(forms) < 3:
                    yield f"{stage.id}/{step.id}: not every form of evidence {demand.kind}"
    for decision in plan.decisions:
        if not any(taken.decision == decision.id for taken in run.decisions):
            yield f"decision {decision.id}: not taken"
    wanted = (e.StageSentBack, e.ApprovalWithdrawn, e.RequestWithdrawn, e.EvidenceWithdrawn, e.StepSaved)
    yield from (f"never {kind.__name__}" for kind in wanted if not happened[kind])


def _route(old: StepPlan, new: StepPlan) -> list[StepPlan]:
    """The versions between, as each says what it changed since."""
    row = [new]
    while row[0].digest != old.digest and row[0].changes:
        row.insert(0, catalogue().get(new.id, row[0].changes.since).plan)
    return row if row[0].digest == old.digest else [old, new]


OLDER = [each for each in RELEASED if catalogue().newest(each.plan.id).plan.digest != each.plan.digest]


def _content(run: Run) -> Counter[tuple[str, str]]:
    """Every filled answer and piece of evidence, in place or set aside."""
    found: Counter[tuple[str, str]] = Counter()
    for instance in run.stages.values():
        for state in instance.steps.values():
            found.update(("answer", mark.commitment) for mark in state.answers.values() if mark.is_filled)
            found.update(("evidence", item.id) for item in state.evidence)
    for item in run.parked:
        if item.answer:
            found["answer", item.answer.commitment] += 1
        if item.evidence:
            found["evidence", item.evidence.id] += 1
    return found


@pytest.mark.parametrize("released", OLDER, ids=[f"{each.plan.id}@{each.plan.version}" for each in OLDER])
def test_stored_run_reaches_the_newest_version_and_comes_back(released: CataloguePlan):
    old, new = released.plan, catalogue().newest(released.plan.id).plan
    events = stored(old.id, old.version)[1]
    before = replay(events)
    comparison = compare(_route(old, new))
    migration = plan_run_migration(before, comparison)
    assert migration.blocked == ()
    result = decide_outcome(migration, {}, {}, move="move")
    proposed = propose_move(migration, result, proposal="proposal", shown=result.digest, reasons={}, by=ANNA, at=FRIDAY)
    asked = apply(before, proposed)
    migration = plan_run_migration(asked, comparison)
    moved = move_run(
        migration,
        result,
        move="move",
        shown=result.digest,
        reasons={},
        by=MARIAM,
        roles=MANAGER,
        at=FRIDAY,
        people=ONE_ACCOUNT_EACH,
    )
    after = apply(asked, moved)
    assert after.plan_digest == new.digest
    assert _content(after) == _content(before)
    for ref, instance in after.stages.items():
        stage = new.stage(ref.stage)
        assert set(instance.steps) <= set(stage.steps_by_id)
        is_latest = after.latest(ref.stage, ref.domain) is instance
        if instance.status is StageStatus.APPROVED and is_latest:
            assert [*gate_open_points(stage, instance)] == []
    undo = plan_undo(old, new, asked, after, after, undo="undo")
    assert undo.later == ()
    undone = undo_move(
        after, undo, park_later=False, reason=None, by=MARIAM, roles=MANAGER, at=FRIDAY, people=ONE_ACCOUNT_EACH
    )
    back = apply(after, undone)
    assert _content(back) == _content(before)
    assert [(ref, i.status, i.passed, i.approvals) for ref, i in sorted(back.stages.items(), key=str)] == [
        (ref, i.status, i.passed, i.approvals) for ref, i in sorted(before.stages.items(), key=str)
    ]
    assert replay([*events, proposed, moved, undone]) == back


@pytest.mark.parametrize("released", RELEASED, ids=NAMES)
def test_every_seal_of_the_stored_run_is_that_of_what_was_there(released: CataloguePlan):
    run: Run | None = None
    for event in stored(released.plan.id, released.plan.version)[1]:
        if isinstance(event, e.StageApproved | e.ApprovalRequested):
            assert run is not None
            assert seal(run, event.ref) == event.seal
        run = reduce(apply, [event], run)
