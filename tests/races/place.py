"""A municipality on a database that two processes serve, and requests that all start at the same moment."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
from sqlalchemy import Engine

from app.engine import events as e
from app.policy import Role
from app.storage import installation, logins
from app.storage.database import Database
from app.storage.history.verify import verify_log
from app.storage.run_store import events_of
from app.storage.scope import unscoped
from app.storage.verify import verify_run
from app.web.identity import session_id_of
from tests.features.accounts.building import MONDAY, OURS, a_session, a_user
from tests.features.client import Browser, World, a_world
from tests.features.steps.pages import form_data
from tests.journey.visitor import Form, forms_in

HERE = "Zonnedijk"
ANSWERS = {
    "overzicht": {"antwoord.naam": "Overzicht", "antwoord.visie": "nee", "antwoord.draagvlak": "yes"},
    "conclusie": {"antwoord.eerst": "Wonen"},
}
MANAGERS = ("carla", "dirk", "mona", "nils", "olga", "piet")


@dataclass(frozen=True, slots=True)
class Sent:
    """What one request is to send: who, where, and the fields."""

    login: str
    address: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """`world` makes things and looks at them, in this process; the races go to the `servers`."""

    world: World
    servers: Sequence[str]

    def browser(self, login: str) -> Browser:
        return self.world.browser(login)

    def forms(self, login: str, page: str) -> list[Form]:
        answer = self.browser(login).get(page)
        assert answer.status_code == 200, (page, answer.text)
        return forms_in(answer.text)

    def form(self, login: str, page: str, action: str = "", **typed: Any) -> Sent:
        """As it stands on the page, with its token and its key; what is typed comes on top."""
        found = next((form for form in self.forms(login, page) if form.action == (action or page)), None)
        assert found is not None, f"{page} has no form to {action or page} for {login}"
        return Sent(login, found.action, {**found.values, **{name.replace("__", "."): v for name, v in typed.items()}})

    def at_once(self, requests: Sequence[Sent]) -> list[httpx.Response]:
        """All at the same moment, by turns to each process. None of them may be our fault."""
        gate = threading.Barrier(len(requests))

        def go(server: str, sent: Sent) -> httpx.Response:
            cookies = {"stappenplan": f"sessie-{sent.login}"} if sent.login else {}
            headers = {"Host": "testserver", "Origin": OURS}
            with httpx.Client(
                base_url=server, cookies=cookies, headers=headers, timeout=120, trust_env=False
            ) as client:
                gate.wait()
                return client.post(sent.address, data=dict(sent.fields))

        with ThreadPoolExecutor(len(requests)) as pool:
            turns = zip(itertools.cycle(self.servers), requests, strict=False)
            answers = [ended.result() for ended in [pool.submit(go, *turn) for turn in turns]]
        faults = [(answer.status_code, answer.text[:500]) for answer in answers if answer.status_code >= 500]
        assert not faults, faults
        return answers

    def sign_in_again(self, login: str) -> None:
        """Somebody who was disabled, or chose another password, lost the session."""
        token = f"sessie-{login}"
        with self.world.database.write() as session:
            logins.close_session(session, session_id_of(token))
        a_session(self.world.database, uuid.UUID(self.world.users[login]), token=token, csrf_token=f"csrf-{login}")

    # --- runs ------------------------------------------------------------------------------------------------------

    def begun(self) -> str:
        """The address of a run whose first stage has begun."""
        run = self.world.a_run(self.browser("anna"))
        self.browser("anna").post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})
        return f"/trajecten/{run}"

    def filled(self) -> str:
        """Nothing is open any more in its first stage."""
        run, anna = self.begun(), self.browser("anna")
        stage = f"{run}/fasen/verkennen.1"
        self.add_evidence(stage, "https://raad.example.nl/verslag")
        for step, answers in ANSWERS.items():
            address = f"{stage}/stappen/{step}"
            form = form_data(anna.get(address).text, address)
            answer = anna.post(address, {**form, **answers, "actie": "afronden"}, follow_redirects=False)
            assert answer.status_code == 303, answer.text
        address = f"{stage}/checklist"
        form = form_data(anna.get(address).text, address)
        grades = {name.replace("basis.", "antwoord."): "yes" for name in form if name.startswith("basis.")}
        answer = anna.post(address, {**form, **grades, "actie": "afronden"}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return run

    def asked(self) -> str:
        """Approval of its first stage was asked."""
        run = self.filled()
        sent = self.form("anna", f"{run}/fasen/verkennen.1/akkoord-vragen")
        assert self.browser("anna").post(sent.address, sent.fields, follow_redirects=False).status_code == 303
        return run

    def add_evidence(self, stage: str, url: str) -> None:
        sent = self.evidence(stage, url)
        assert self.browser("anna").post(sent.address, sent.fields, follow_redirects=False).status_code == 303

    def evidence(self, stage: str, url: str, login: str = "anna") -> Sent:
        page = f"{stage}/stappen/overzicht/bewijs"
        typed = {"adres": url, "titel": "Verslag", "soort": "verslag"}
        return self.form(login, f"{page}?vorm=link", page, **typed)

    def decision(self, login: str, run: str, **typed: str) -> Sent:
        return self.form(login, f"{run}/fasen/verkennen.1/beoordelen", **typed)

    # --- what came of it -------------------------------------------------------------------------------------------

    def kinds(self, run: str) -> Counter[str]:
        with self.world.reading(HERE) as session:
            return Counter(type(event).__name__ for event in self.events(session, run))

    @staticmethod
    def events(session: Any, run: str) -> list[e.Event]:
        return list(events_of(session, run.rsplit("/", 1)[1]))

    def holds(self, run: str) -> None:
        """The tables say what the history says, and the log of the municipality is whole."""
        with self.world.reading(HERE) as session:
            found = verify_run(session, run.rsplit("/", 1)[1])
            log = verify_log(session)
        assert not found.findings, found.findings
        assert not log.problems, log.problems


@contextmanager
def a_place(database: Database, folder: Path, *, processes: int = 2) -> Iterator[Place]:
    world = a_world(database, data_dir=folder)
    here = world.municipalities[HERE]
    for login, role in [*((name, Role.MANAGER) for name in MANAGERS[2:]), ("gerda", Role.ADMINISTRATOR)]:
        world.users[login] = str(a_user(database, login, roles={here: {role}}, name=login.title()))
    with database.write() as session:
        unscoped(session, "operators belong to no municipality")
        user, _ = installation.add_operator(session, login="otto", name="Otto Beheer", at=MONDAY)
    world.users["otto"] = str(user)
    urls = [_url(database.engine), "" if database.is_sqlite else _url(database.owner)]
    with ExitStack() as started:
        servers = [started.enter_context(_process(*urls, str(folder))) for _ in range(processes)]
        yield Place(
            world, [f"http://127.0.0.1:{server.stdout.readline().strip()}" for server in servers if server.stdout]
        )


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.races.server", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
