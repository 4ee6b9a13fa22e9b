"""Many runs on the small plan with newer versions beside it, made quickly with storage functions.

1.1.0 asks nothing of people; 2.0.0 touches an approval of the stage `verkennen` (tests/features/moving.py)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from copy import deepcopy
from functools import cache

from sqlalchemy import text

from app.catalogue.loader import LoadedPlan, from_document
from app.engine import transitions
from app.engine.run import Run, StageRef
from app.storage import plans, run_store
from app.storage.scope import set_scope
from app.storage.texts import write_text
from tests.features.accounts.building import MONDAY
from tests.features.client import World, small_plan

PLACE = "Zonnedijk"
CHOOSE = "/beheer/overzetten"


@cache
def version_1_1() -> LoadedPlan:
    document = deepcopy(small_plan().document)
    document["plan"]["version"] = "1.1.0"
    document["changes"] = {
        "since": "1.0.0",
        "summary": {"text": {"nl": "Er is een tip bij."}, "addition": True},
    }
    stage = next(stage for stage in document["stages"] if stage["id"] == "verkennen")
    stage["tips"].append({"text": {"nl": "Vraag het ook aan de balie."}, "addition": True})
    return LoadedPlan(from_document(document), document)


def release_1_1(world: World) -> None:
    with world.database.write() as session:
        plans.pin(session, [version_1_1()], at=MONDAY)


def many_runs(
    world: World,
    number: int,
    *,
    domains: Sequence[str] = ("wonen",),
    begun: bool = False,
    place: str = PLACE,
    name: str = "Traject",
) -> list[str]:
    """Runs called `Traject 001` and on; `begun`: with the stage `verkennen` started."""
    officer, manager = ("anna", "carla") if place == PLACE else ("gwen", "hugo")
    by = world.users[officer]
    ids = []
    with world.database.write() as session:
        set_scope(session, world.municipalities[place])
        for each in range(1, number + 1):
            run_id = str(uuid.uuid4())
            name_id, purpose_id = str(uuid.uuid4()), str(uuid.uuid4())
            event = transitions.start_run(
                world.plan,
                run_id,
                name=name_id,
                purpose=purpose_id,
                domains=tuple(domains),
                team=(by,),
                manager=world.users[manager],
                by=by,
                at=MONDAY,
            )
            called, purpose = f"{name} {each:03}", "Iedereen doet mee."
            run = run_store.start(session, world.plan, event, name=called, purpose=purpose)
            write_text(session, run_id, called, by=by, at=MONDAY, id=name_id)
            write_text(session, run_id, purpose, by=by, at=MONDAY, id=purpose_id)
            if begun:
                started = transitions.start_stage(
                    world.plan, run, StageRef("verkennen"), early_reason=None, by=by, at=MONDAY
                )
                run_store.record(session, world.plan, run, started)
            ids.append(run_id)
    return ids


def spoil(world: World, run_id: str) -> None:
    """What is stored of the run cannot be read any more."""
    with world.database.engine.begin() as connection:
        key = uuid.UUID(run_id)
        shown = key.hex if world.database.is_sqlite else str(key)
        connection.execute(text('UPDATE run SET state = \'{"domains": ["wonen"]}\' WHERE id = :id'), {"id": shown})


def loaded(world: World, run_id: str, place: str = PLACE) -> Run:
    with world.reading(place) as session:
        return run_store.load_run(session, run_id)[1]
