"""What is measured: who asks for which page, and who sends which form."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from sqlalchemy import event
from sqlmodel import select

from app.engine.definition import CHECKLIST, QuestionType, Step, StepPlan
from app.engine.run import Run, StageRef, StageStatus, StepStatus
from app.features.steps.forms import Act as Button
from app.features.steps.forms import answer_name
from app.main import create_app
from app.settings import Settings
from app.storage import logins
from app.storage.database import Database
from app.storage.run_store import load_run
from app.storage.scope import set_scope
from app.storage.tables import RunRow
from app.web.identity import COOKIE, new_token, session_id_of
from scripts.bench.client import Answer, Client
from scripts.bench.places import Place

Do = Callable[[], Awaitable[Answer]]
"""One measured request; what has to be done before it is not in the seconds of its answer."""
_NOWHERE: Final = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # as long as the process


class Kind(Enum):
    PAGE = "page"
    CHANGE = "change"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    kind: Kind
    do: Do


class Side:
    """The application on one data set, with somebody of each role signed in."""

    def __init__(self, database: Database, settings: Settings, place: Place) -> None:
        self.database, self.place = database, place
        self.app: FastAPI = create_app(settings, database)
        # Lines of the log are made all the same: that is part of what is measured.
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(_NOWHERE))
        self._sent = 0
        event.listen(database.engine, "before_cursor_execute", self._count)
        self.anna = self._signed_in("anna")
        self.mariam = self._signed_in("mariam")
        self.olga = self._signed_in("olga")

    def _signed_in(self, person: str) -> Client:
        token, at = new_token(), datetime.now(UTC)
        with self.database.write() as session:
            logins.open_session(
                session,
                session_id_of(token),
                user_id=self.place.id(person),
                municipality_id=self.place.municipality,
                csrf_token=secrets.token_urlsafe(32),
                at=at,
                expires_at=at + timedelta(hours=12),
            )
        return Client(self.app, f"{COOKIE}={token}", lambda: self._sent)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # SQLite has to be told to begin; that asks nothing.
        self._sent += not statement.startswith("BEGIN")

    def load(self, number: int) -> tuple[StepPlan, Run]:
        with self.database.read() as session:
            set_scope(session, self.place.municipality)
            return load_run(session, str(self.place.run(number)))

    def run_named(self, name: str) -> str:
        with self.database.read() as session:
            set_scope(session, self.place.municipality)
            return str(session.exec(select(RunRow.id).where(RunRow.name == name)).one())


# Runs of the data set, by the number of their variation (dataset.VARIATIONS) in its first and second copy.
SUBMITTED: Final = (2, 12, 5, 15, 8, 18)
PAGES_ON: Final = 7  # five stages behind it, the sixth halfway
CHANGES_IN: Final = (3, 13, 6, 16)


def scenarios(side: Side) -> Iterator[Scenario]:
    plan, run = side.load(PAGES_ON)
    ref, step = _open_step(plan, run)
    address = f"/trajecten/{run.id}"
    stage = f"{address}/fasen/{ref}"

    def page(name: str, who: Client, path: str, kind: Kind = Kind.PAGE) -> Scenario:
        return Scenario(name, kind, lambda: who.get(path))

    yield page("overview", side.anna, "/")
    yield page("run", side.anna, address)
    yield page("stage", side.anna, stage)
    yield page("step", side.anna, f"{stage}/stappen/{step.id}")
    yield page("checklist of a stage", side.anna, f"{stage}/{CHECKLIST}")
    yield page("checklist of the run", side.anna, f"{address}/checklist")
    yield page("evidence", side.anna, f"{address}/bewijsstukken")
    yield page("to decide", side.mariam, f"{_submitted(side, SUBMITTED[0])}/beoordelen")
    yield page("history", side.anna, f"{address}/geschiedenis")
    yield page("step plan", side.anna, f"/stappenplannen/{quote(plan.id)}/{plan.version}")
    yield page("report", side.anna, f"{address}/rapport")
    yield page("report to an auditor", side.olga, f"{address}/rapport")  # which is recorded: a write as well
    yield Scenario(
        "report after a change", Kind.PAGE, _report_after_change(side, address, f"{stage}/stappen/{step.id}", step)
    )
    yield Scenario("save a step", Kind.CHANGE, _change_step(side, Button.SAVE))
    yield Scenario("complete a step", Kind.CHANGE, _complete_step(side))
    yield Scenario("save and complete", Kind.CHANGE, _change_step(side, Button.COMPLETE))
    yield Scenario("approve", Kind.CHANGE, _approve(side))
    yield page("report as CSV", side.olga, f"{address}/rapport/csv", Kind.FILE)
    yield page("report as PDF", side.olga, f"{address}/rapport/pdf", Kind.FILE)


def _open_step(plan: StepPlan, run: Run) -> tuple[StageRef, Step]:
    """Of the stage that is being worked on, the step with the most questions of those that were completed."""
    ref = next(ref for ref, instance in run.stages.items() if instance.status is StageStatus.OPEN)
    done = [
        step
        for step in plan.stage(ref.stage).steps
        if run.stages[ref].step(step.id).status is StepStatus.COMPLETED and text_question(step)
    ]
    return ref, max(done, key=lambda step: len(step.questions))


def text_question(step: Step) -> str | None:
    """A question whose answer can be changed again and again without touching another."""
    for question in step.questions:
        if question.type in (QuestionType.LONG_TEXT, QuestionType.SHORT_TEXT) and question.shown_when is None:
            return question.id
    return None


def _steps_to_change(side: Side) -> Iterator[tuple[str, str]]:
    """The address of a step and the field to change, over several runs by turns."""
    steps = []
    for number in CHANGES_IN:
        plan, run = side.load(number)
        ref, step = _open_step(plan, run)
        steps.append((f"/trajecten/{run.id}/fasen/{ref}/stappen/{step.id}", answer_name(text_question(step) or "")))
    return itertools.cycle(steps)


async def press(who: Client, address: str, field: str | None, button: Button) -> Answer:
    """Fills in the form as it is now, with another answer in `field`."""
    form = await who.form(address)
    changed = {field: f"{form.value(field)[:300]} {secrets.token_hex(4)}"} if field else {}
    return await who.post(address, form.with_values({**changed, "actie": button.value}))


def _change_step(side: Side, button: Button) -> Do:
    steps = _steps_to_change(side)

    async def do() -> Answer:
        address, field = next(steps)
        return await press(side.anna, address, field, button)

    return do


def _report_after_change(side: Side, run: str, page: str, step: Step) -> Do:
    """Nothing of it was kept that is still the same."""

    async def do() -> Answer:
        await press(side.anna, page, answer_name(text_question(step) or ""), Button.SAVE)
        return await side.anna.get(f"{run}/rapport")

    return do


def _complete_step(side: Side) -> Do:
    """A step that is busy since its last save; nothing is changed on the form."""
    steps = _steps_to_change(side)

    async def do() -> Answer:
        address, field = next(steps)
        await press(side.anna, address, field, Button.SAVE)
        return await press(side.anna, address, None, Button.COMPLETE)

    return do


def _submitted(side: Side, number: int) -> str:
    """The address of the stage of a run that waits for approval."""
    _, run = side.load(number)
    ref = next(ref for ref, instance in run.stages.items() if instance.status is StageStatus.SUBMITTED)
    return f"/trajecten/{run.id}/fasen/{ref}"


def _approve(side: Side) -> Do:
    """Each stage is approved again and again: the approval is withdrawn and asked for anew in between."""
    stages = itertools.cycle([_submitted(side, number) for number in SUBMITTED])
    approved: set[str] = set()

    async def do() -> Answer:
        stage = next(stages)
        if stage in approved:
            withdrawal = await side.mariam.form(f"{stage}/beoordelen", f"{stage}/akkoord-intrekken")
            await side.mariam.post(withdrawal.action, withdrawal.with_fields(reden="Nog eens meten."))
            request = await side.anna.form(f"{stage}/akkoord-vragen")
            await side.anna.post(request.action, request.fields)
        approved.add(stage)
        form = await side.mariam.form(f"{stage}/beoordelen")
        return await side.mariam.post(form.action, form.with_fields(besluit="akkoord", opmerking="Helder verhaal."))

    return do
