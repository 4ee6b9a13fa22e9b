"""Many runs on the small plan with newer versions beside it, made quickly with storage functions.

1.1.0 asks nothing of people; 2.0.0 touches an approval of the stage `verkennen` (tests/features/moving.py)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import datetime
from functools import cache
from threading import Event

from sqlalchemy import text

from app.catalogue.loader import LoadedPlan, from_document
from app.engine import transitions
from app.engine.run import Run, StageRef
from app.features.mass_moves.worker import carry_on
from app.storage import mass_moves, plans, run_store
from app.storage.database import Database
from app.storage.mass_moves import Chosen, Mass, RunOutcome
from app.storage.run_selection import digests_of
from app.storage.scope import set_scope
from app.storage.texts import write_text
from app.storage.verify import verify_all
from app.web.clock import Clock
from tests.databases import behind
from tests.features.accounts.building import MONDAY
from tests.features.client import World, small_plan

PLACE = "Zonnedijk"
CHOOSE = "/beheer/overzetten"
GO = "Zet deze trajecten over"
WHY = {"reden": "De tip helpt iedereen."}


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


def release_1_1(world: World, *, is_retired: bool = False) -> None:
    plan = version_1_1()
    with world.database.write() as session:
        plans.pin(session, [plan], retired=[plan.plan.digest] if is_retired else [], at=MONDAY)


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
            run_id, name_id, purpose_id = (str(uuid.uuid4()) for _ in range(3))
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


def spoil(world: World, *run_ids: str) -> None:
    """What is stored of these runs cannot be read any more."""
    with behind(world.database).begin() as connection:
        for run_id in run_ids:
            key = uuid.UUID(run_id)
            shown = key.hex if world.database.is_sqlite else str(key)
            connection.execute(text('UPDATE run SET state = \'{"domains": ["wonen"]}\' WHERE id = :id'), {"id": shown})


def loaded(world: World, run_id: str, place: str = PLACE) -> Run:
    with world.reading(place) as session:
        return run_store.load_run(session, run_id)[1]


def versions(world: World, run_ids: Sequence[str]) -> list[str]:
    return [loaded(world, run_id).plan_version for run_id in run_ids]


def assert_history_holds(world: World, place: str = PLACE) -> None:
    with world.reading(place) as session:
        found = list(verify_all(session))
    assert found
    assert [finding for verified in found for finding in verified.findings] == []


# --- without the pages -----------------------------------------------------------------------------------------


def begun_mass(world: World, run_ids: Sequence[str], *, shown: str | None = None, place: str = PLACE) -> str:
    """A mass move to 1.1.0 that was written down, and that nobody is at yet."""
    id, plan = str(uuid.uuid4()), version_1_1().plan
    with world.database.write() as session:
        set_scope(session, world.municipalities[place])
        digests = digests_of(session, run_ids)
        mass_moves.add(
            session,
            id,
            plan_id=plan.id,
            to_version=plan.version,
            to_digest=plan.digest,
            chosen={"versions": ["1.0.0"], "stage": "", "domain": "", "all": False},
            reason="De tip helpt iedereen.",
            runs=[Chosen(run_id, digests.get(run_id, world.plan.digest), shown) for run_id in run_ids],
            by=world.users["ferry"],
            at=world.clock(),
        )
    return id


class StopAfter(Event):
    """Is set once it was asked so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def is_set(self) -> bool:
        self.times -= 1
        return self.times < 0


class Killed(BaseException):
    """The process is gone: nothing of ours gets to do anything any more."""


def killed_after(world: World, readings: int) -> Clock:
    """A clock that ends the process at the reading after so many: one to begin with, and one for each run."""
    left = iter(range(readings))

    def clock() -> datetime:
        if next(left, None) is None:
            raise Killed
        return world.clock()

    return clock


def work_on(
    world: World,
    id: str,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
    stopping: Event | None = None,
    place: str = PLACE,
) -> None:
    work = carry_on(
        database or world.database,
        id,
        world.municipalities[place],
        clock=clock or world.clock,
        stopping=stopping or Event(),
    )
    with ThreadPoolExecutor(1) as pool:  # the test of a browser has an event loop of its own in this thread
        pool.submit(asyncio.run, work).result()


def mass_of(world: World, id: str) -> Mass:
    with world.reading() as session:
        found = mass_moves.find(session, id)
    assert found is not None
    return found


def counted(world: World, id: str) -> dict[str, int]:
    """Outcomes with the number of runs, where there are any."""
    with world.reading() as session:
        found = mass_moves.counts(session, [id])[id]
    return {outcome.value: found[outcome] for outcome in RunOutcome if found[outcome]}


def all_masses(world: World) -> list[Mass]:
    with world.reading() as session:
        return mass_moves.newest(session, most=100)
