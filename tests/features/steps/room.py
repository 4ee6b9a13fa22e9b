"""A run with its first stage begun, and what tests of this room do with it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.engine import stage_decisions, transitions
from app.engine.people import ONE_ACCOUNT_EACH
from app.engine.run import EvidenceForm, Run, StageRef, StepState
from app.engine.seal import seal
from app.storage import run_store
from app.storage.answer_store import Answer, current_answers
from app.storage.database import Database
from app.storage.evidence_store import Description, write_evidence
from app.storage.scope import set_scope
from app.storage.texts import write_text
from tests.features.client import Browser, World, a_world
from tests.features.steps.pages import Data, form_data

SALT = "00" * 16
# Enough to complete the step `overzicht` of the small plan, besides its evidence.
COMPLETE = {"naam": "Overzicht 2026", "visie": "nee", "draagvlak": "yes"}


@dataclass
class Room:
    world: World
    run: str
    ref: str = "verkennen.1"

    @property
    def stage(self) -> str:
        return f"/trajecten/{self.run}/fasen/{self.ref}"

    @property
    def step(self) -> str:
        return f"{self.stage}/stappen/overzicht"

    @property
    def checklist(self) -> str:
        return f"{self.stage}/checklist"

    def browser(self, login: str) -> Browser:
        return self.world.browser(login)

    def form(self, login: str = "anna", address: str | None = None) -> Data:
        address = address or self.step
        page = self.browser(login).get(address)
        assert page.status_code == 200, page.text
        return form_data(page.text, address)

    def loaded(self) -> Run:
        with self.world.reading() as session:
            return run_store.load_run(session, self.run)[1]

    def state(self, step: str = "overzicht", ref: str | None = None) -> StepState:
        return self.loaded().stages[StageRef.parse(ref or self.ref)].step(step)

    def answers(self, step: str = "overzicht") -> dict[str, Any]:
        return {id: answer.value for id, answer in self.answer_rows(step).items()}

    def answer_rows(self, step: str = "overzicht") -> dict[str, Answer]:
        with self.world.reading() as session:
            found = current_answers(session, self.run, StageRef.parse(self.ref), step)
        return {answer.question: answer for answer in found.values()}

    def add_evidence(self, title: str = "Verslag van 3 maart", *, step: str = "overzicht", grounds: Sequence[str] = ()):
        """As the evidence room does it, without a file."""
        with self.world.database.write() as session:
            set_scope(session, self.world.municipalities["Zonnedijk"])
            plan, run = run_store.load_run(session, self.run, for_change=True)
            id, by, at = str(uuid.uuid4()), self.world.users["anna"], self.world.clock()
            described = Description(
                kind="verslag",
                form=EvidenceForm.NOTE,
                title=title,
                document_date=None,
                source="",
                confidentiality="internal",
                grounds=tuple(grounds),
                note="Besproken.",
            )
            ref = StageRef.parse(self.ref)
            written = write_evidence(session, id, self.run, ref, step, described, salt=SALT, by=by, at=at)
            events = transitions.add_evidence(
                plan,
                run,
                ref,
                step,
                evidence=id,
                kind=described.kind,
                form=described.form,
                commitment=written.commitment,
                grounds=grounds,
                by=by,
                at=at,
            )
            run_store.record(session, plan, run, events)
        return id

    def complete_everything(self) -> None:
        """All that the first stage asks for, through the pages."""
        anna = self.browser("anna")
        self.add_evidence()
        for address, answers in (
            (self.step, {f"antwoord.{id}": value for id, value in COMPLETE.items()}),
            (self.checklist, {"antwoord.jong-en-oud": "yes", "antwoord.stapeling": "unknown"}),
        ):
            data = {**self.form(address=address), **{name: [value] for name, value in answers.items()}}
            answer = anna.post(address, {**data, "actie": "afronden"}, follow_redirects=False)
            assert answer.status_code == 303, answer.text

    def ask_approval(self) -> None:
        self._gate("request")

    def approve(self) -> None:
        self._gate("approve")

    def send_back(self, step: str, finding: str) -> None:
        self._gate("send_back", step, finding)

    def _gate(self, act: str, step: str = "", finding: str = "") -> None:
        """As the approvals room does it."""
        manager, roles = self.world.users["carla"], frozenset({"manager"})
        with self.world.database.write() as session:
            set_scope(session, self.world.municipalities["Zonnedijk"])
            plan, run = run_store.load_run(session, self.run, for_change=True)
            ref, at = StageRef.parse(self.ref), self.world.clock()
            event: Any
            if act == "request":
                event = stage_decisions.request_approval(
                    plan,
                    run,
                    ref,
                    request=str(uuid.uuid4()),
                    shown=seal(run, ref),
                    message=write_text(session, self.run, "Graag uw oordeel.", by=self.world.users["anna"], at=at),
                    by=self.world.users["anna"],
                    at=at,
                )
            elif act == "approve":
                event = stage_decisions.approve_stage(
                    plan,
                    run,
                    ref,
                    shown=seal(run, ref),
                    remark=None,
                    by=manager,
                    roles=roles,
                    at=at,
                    people=ONE_ACCOUNT_EACH,
                )
            else:
                text = write_text(session, self.run, finding, by=manager, at=at)
                assert text is not None
                event = stage_decisions.send_back_stage(
                    plan,
                    run,
                    ref,
                    shown=seal(run, ref),
                    findings={step: text},
                    by=manager,
                    roles=roles,
                    at=at,
                    people=ONE_ACCOUNT_EACH,
                )
            run_store.record(session, plan, run, event)


def a_room(database: Database, *, is_begun: bool = True) -> Room:
    world = a_world(database)
    anna = world.browser("anna")
    room = Room(world, world.a_run(anna))
    if is_begun:
        answer = anna.post(f"{room.stage}/starten", {}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
    return room
