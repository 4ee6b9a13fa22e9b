"""People of two municipalities who work in the pages at once, and a small model of what should come of it.

The model knows nothing of events, seals or SQL: who belongs where, who is in the team, and how far the first stage is.
Everything is done through the pages, with the forms that are on them; where a page has no form, a bare one is sent.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest

from app.engine.run import StageRef
from app.policy import Action, Role, may
from app.storage import run_store
from app.storage.answer_store import current_answers
from app.storage.database import Database
from app.storage.run_header import RunNotFound
from app.storage.verify import verify_run
from tests.features.client import PEOPLE, Browser, a_world
from tests.features.steps.pages import Data, form_data

REF = StageRef("verkennen", None, 1)
MARKS = {"Zonnedijk": "zonnebloem", "Veldermeer": "veldleeuwerik"}
COMPLETE = {"antwoord.visie": "nee", "antwoord.draagvlak": "yes"}
CHECKLIST = {"antwoord.jong-en-oud": "yes", "antwoord.stapeling": "unknown"}


def place_of(login: str) -> str:
    return PEOPLE[login][1]


def may_do(login: str, action: Action) -> bool:
    return may([PEOPLE[login][2]], action)


@dataclass
class Model:
    """One run, as the people see it."""

    id: str
    place: str
    team: frozenset[str]
    manager: str
    status: str = "none"  # none, open, submitted or approved
    answer: str = ""
    is_finished: bool = False
    contributors: set[str] = field(default_factory=set)

    def can_work(self, login: str) -> bool:
        """The manager of a run may help, and then no longer decides."""
        return (login in self.team or login == self.manager) and may_do(login, Action.WORK_ON_STAGE)

    def takes_work(self, login: str) -> bool:
        """Work may go on while a manager looks; what was shown is then no longer what is decided on."""
        return self.can_work(login) and self.status in ("open", "submitted")

    def can_decide(self, login: str) -> bool:
        """A manager of the municipality, as the gate of the plan asks, who did none of the work."""
        is_here = place_of(login) == self.place and PEOPLE[login][2] is Role.MANAGER
        return is_here and self.status == "submitted" and login not in self.contributors


class People:
    def __init__(self, database: Database) -> None:
        self.world = a_world(database)
        self.runs: list[Model] = []
        self.forms: dict[tuple[str, str], tuple[Data, str]] = {}  # of (run, login): an older form, and its answer
        self.happened: Counter[str] = Counter()  # answers that were read, and acts that succeeded

    # --- acts. Each does the same to the model as should happen, and then looks whether it did. ------------------

    def start(self, login: str, team: frozenset[str], manager: str) -> None:
        place = place_of(login)
        answer = self._post(
            login,
            "/trajecten/nieuw",
            {
                **self._form(login, "/trajecten/nieuw"),
                "stappenplan": self.world.plan.digest,
                "naam": f"Traject {len(self.runs)} {MARKS[place]}",
                "doel": f"Doel {MARKS[place]}",
                "domeinen": ["wonen"],
                "team": [self.world.users[member] for member in sorted(team)],
                "leidinggevende": self.world.users[manager],
            },
        )
        assert (answer.status_code == 303) == may_do(login, Action.START_RUN), answer.status_code
        if answer.status_code == 303:
            self.happened["started"] += 1
            self.runs.append(Model(answer.headers["location"].rsplit("/", 1)[1], place, team, manager))

    def begin(self, run: Model, login: str) -> None:
        address = f"{_stage(run)}/starten"
        self._post(login, address, self._form(login, address, on=_stage(run)))
        if run.can_work(login) and run.status == "none":
            run.status = "open"
            run.contributors.add(login)

    def save(self, run: Model, login: str, text: str) -> None:
        address = _step(run)
        typed = f"{text} {MARKS[place_of(login)]}"
        self._post(login, address, {**self._form(login, address), "antwoord.naam": typed, "actie": "opslaan"})
        if run.takes_work(login) and typed != run.answer:
            run.answer, run.is_finished = typed, False
            run.contributors.add(login)

    def keep_form(self, run: Model, login: str) -> None:
        if form := self._form(login, _step(run)):  # not there before the stage begins, nor for who may only read
            self.forms[run.id, login] = (form, run.answer)

    def save_kept_form(self, run: Model, login: str, text: str) -> None:
        """Sent from a page that was open while others went on: it is stored, or both texts are on the answer."""
        if (run.id, login) not in self.forms:
            return
        form, based_on = self.forms.pop((run.id, login))
        typed = f"{text} {MARKS[place_of(login)]}"
        answer = self._post(login, _step(run), {**form, "antwoord.naam": typed, "actie": "opslaan"})
        if not run.takes_work(login):
            return
        if answer.status_code == 303 and typed == based_on:  # nothing of one's own to add
            return
        if answer.status_code == 303:
            assert based_on == run.answer or typed == run.answer, "the text of somebody else was overwritten"
            if typed != run.answer:
                run.answer, run.is_finished = typed, False
                run.contributors.add(login)
        else:
            self.happened["told of another's text"] += 1
            page = unescape(answer.text)
            assert typed in page, "what was typed is gone"
            assert run.answer in page, "the text of the other is not shown"

    def finish(self, run: Model, login: str) -> None:
        """All that the first stage asks for."""
        mark = MARKS[place_of(login)]
        fields = {"vorm": "notitie", "sleutel": str(uuid.uuid4()), "soort": "verslag", "vertrouwelijkheid": "internal"}
        note = {**fields, "titel": f"Verslag {mark}", "notitie": str(uuid.uuid4()), "datum": "2026-11-20"}
        self._post(login, f"{_step(run)}/bewijs", {**self._form(login, f"{_step(run)}/bewijs"), **note})
        answer = (run.can_work(login) and run.answer) or f"Overzicht {mark}"
        step = {**self._form(login, _step(run)), **COMPLETE, "antwoord.naam": answer, "actie": "afronden"}
        self._post(login, _step(run), step)
        checklist = f"{_stage(run)}/checklist"
        self._post(login, checklist, {**self._form(login, checklist), **CHECKLIST, "actie": "afronden"})
        if run.takes_work(login):
            run.answer, run.is_finished = answer, True
            run.contributors.add(login)

    def ask(self, run: Model, login: str) -> None:
        address = f"{_stage(run)}/akkoord-vragen"
        answer = self._post(login, address, self._form(login, address))
        if run.can_work(login) and run.status == "open" and run.is_finished:
            assert answer.status_code == 303, answer.text
            self.happened["asked"] += 1
            run.status = "submitted"
            run.contributors.add(login)

    def approve(self, run: Model, login: str) -> None:
        address = f"{_stage(run)}/beoordelen"
        answer = self._post(login, address, {**self._form(login, address), "besluit": "akkoord"})
        if run.can_decide(login) and run.is_finished:
            assert answer.status_code == 303, answer.text
            self.happened["approved"] += 1
            run.status = "approved"

    def send_back(self, run: Model, login: str) -> None:
        address = f"{_stage(run)}/beoordelen"
        reason = {"besluit": "terugsturen", "reden.overzicht": f"Kijk nog eens {MARKS[place_of(login)]}"}
        answer = self._post(login, address, {**self._form(login, address), **reason})
        if run.can_decide(login):
            assert answer.status_code == 303, answer.text
            self.happened["sent back"] += 1
            run.status, run.is_finished = "open", False

    def look(self, run: Model, login: str, page: str) -> None:
        answer = self._get(login, f"/trajecten/{run.id}{page}")
        role = PEOPLE[login][2]
        if place_of(login) != run.place or role is Role.ADVISER:
            assert answer.status_code in (403, 404), answer.status_code
        elif run.status != "none" or page == "":
            assert answer.status_code in (200, 303), (page, login, answer.status_code)

    # --- what must hold -------------------------------------------------------------------------------------------

    def check(self) -> None:
        for run in self.runs:
            with self.world.reading(run.place) as session:
                loaded = run_store.load_run(session, run.id)[1]
                stage = loaded.stages.get(REF)
                status = stage.status.value if stage else "none"
                found = current_answers(session, run.id, REF, "overzicht") if stage else {}
            stored = {answer.question: answer.value for answer in found.values()}
            assert status == run.status, (run, status)
            assert (stored.get("naam") or "") == run.answer, (run, stored)
            logins = {id: login for login, id in self.world.users.items()}
            contributors = {logins[id] for id in (stage.contributors if stage else ())}
            assert contributors == run.contributors, (run, contributors)
            if stage and stage.passed:
                assert not {logins[a.by] for a in stage.approvals} & run.contributors, "approved by who did the work"

    def check_history(self) -> None:
        for run in self.runs:
            with self.world.reading(run.place) as session:
                assert verify_run(session, run.id).findings == ()
            (elsewhere,) = (place for place in MARKS if place != run.place)
            with self.world.reading(elsewhere) as session, pytest.raises(RunNotFound):
                run_store.load_run(session, run.id)

    # --- sending --------------------------------------------------------------------------------------------------

    def _form(self, login: str, address: str, *, on: str | None = None) -> Data:
        """As the page shows it to this person; empty where there is none."""
        page = self._get(login, on or address)
        try:
            return form_data(page.text, address) if page.status_code == 200 else {}
        except AssertionError:  # no such form on it
            return {}

    def _get(self, login: str, address: str) -> Any:
        return self._heard(login, self._browser(login).get(address, follow_redirects=False))

    def _post(self, login: str, address: str, fields: Mapping[str, Any]) -> Any:
        return self._heard(login, self._browser(login).post(address, fields, follow_redirects=False))

    def _heard(self, login: str, answer: Any) -> Any:
        """No fault of ours, and not a word of the other municipality."""
        self.happened["answers"] += 1
        assert answer.status_code < 500, (answer.request.url, answer.text)
        for place, mark in MARKS.items():
            assert place == place_of(login) or mark not in answer.text + str(answer.headers), (
                login,
                answer.request.url,
            )
        return answer

    def _browser(self, login: str) -> Browser:
        return self.world.browser(login)


def _stage(run: Model) -> str:
    return f"/trajecten/{run.id}/fasen/{REF}"


def _step(run: Model) -> str:
    return f"{_stage(run)}/stappen/overzicht"
