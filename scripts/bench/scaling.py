"""Two things that must not grow: completing a step in a large plan, and a page about a long list."""

from __future__ import annotations

from sqlalchemy import Engine

from app.engine.run import StageRef
from app.features.steps.forms import Act as Button
from app.storage import plans
from app.storage.database import Database
from app.storage.scope import set_scope
from scripts.bench.client import Answer
from scripts.bench.dataset import build
from scripts.bench.places import SINCE, Place
from scripts.bench.plans import scaled_plan
from scripts.bench.scenarios import Do, Side, press
from scripts.bench.walker import Walker

SMALL_STEPS, LARGE_STEPS = 30, 300
LONG_LIST = 400  # runs of one municipality
PLACE = Place(900)


def build_scales(target: Engine, work: Engine) -> None:
    """One municipality with a long list of runs, and on top of it a run of either scaled plan."""
    build(target, work, [PLACE], runs_each=LONG_LIST)
    database = Database(target)
    for steps in (SMALL_STEPS, LARGE_STEPS):
        plan = scaled_plan(steps)
        with database.write() as session:
            plans.pin(session, [plan], at=SINCE)
        with database.write() as session:
            set_scope(session, PLACE.municipality)
            _half_way(Walker(session, plan.plan, PLACE.team, at=SINCE), name=f"Meten {steps}")


def _half_way(walker: Walker, *, name: str) -> None:
    """All stages begun, and of each half of the steps done."""
    walker.start(name=name, purpose="Meten.", domains=0)
    for stage in walker.plan.stages:
        ref = StageRef(stage.id)
        walker.start_stage(ref)
        for step in stage.steps[: -(-len(stage.steps) // 2)]:
            walker.complete(ref, step)


def complete_in(side: Side, steps: int) -> Do:
    """The first step of the fifth stage, saved anew before each time."""
    run_id = side.run_named(f"Meten {steps}")
    address = f"/trajecten/{run_id}/fasen/fase-5.1/stappen/stap-1"

    async def do() -> Answer:
        await press(side.anna, address, "antwoord.wat", Button.SAVE)
        return await press(side.anna, address, None, Button.COMPLETE)

    return do
