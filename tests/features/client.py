"""The whole application on a test database: two municipalities, a person per role, and browsers for them.

world = a_world(database)
anna = world.browser("anna")            # policy officer of Zonnedijk; see PEOPLE
run = world.a_run(anna)                 # started through the pages, with the small plan
page = anna.get(f"/trajecten/{run}")
answer = anna.post(f"/trajecten/{run}/fasen/verkennen.1/starten", {})   # the CSRF token goes along
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import event
from sqlmodel import Session
from starlette.testclient import TestClient

from app.catalogue.loader import LoadedPlan, load_bytes
from app.engine.definition import StepPlan
from app.main import create_app
from app.policy import Role
from app.settings import Settings
from app.storage import plans
from app.storage.database import Database, create_engine_for
from app.storage.history.keeper import HistoryKeeper
from app.storage.scope import set_scope
from app.web.access import read_form
from tests.features.accounts.building import MONDAY, OURS, AdjustableClock, a_municipality, a_session, a_user
from tests.features.basis import basis_of, municipality_at

SMALL = Path("tests/golden/valid/small.yaml")

# login: (name, municipality, role). Two officers and two managers, so that somebody else can do things too.
PEOPLE: Mapping[str, tuple[str, str, Role]] = {
    "anna": ("Anna de Wit", "Zonnedijk", Role.POLICY_OFFICER),
    "bram": ("Bram Bos", "Zonnedijk", Role.POLICY_OFFICER),
    "carla": ("Carla Smit", "Zonnedijk", Role.MANAGER),
    "dirk": ("Dirk Vos", "Zonnedijk", Role.MANAGER),
    "emma": ("Emma Kok", "Zonnedijk", Role.AUDITOR),
    "ferry": ("Ferry Mol", "Zonnedijk", Role.ADMINISTRATOR),
    "kees": ("Kees Maas", "Zonnedijk", Role.ADVISER),
    "gwen": ("Gwen Prins", "Veldermeer", Role.POLICY_OFFICER),
    "hugo": ("Hugo Kuiper", "Veldermeer", Role.MANAGER),
    "ilse": ("Ilse Baan", "Veldermeer", Role.ADMINISTRATOR),
    "joke": ("Joke Blom", "Veldermeer", Role.ADVISER),
}


class Browser:
    """A signed-in user. Redirects are followed as a browser does; `post` adds the token of the session, and what the
    form would be based on had its page been opened just now; a test about that gives `based_on` itself."""

    def __init__(self, app: FastAPI, token: str, csrf_token: str) -> None:
        self.app = app
        self.client = TestClient(app, base_url=OURS, cookies={"stappenplan": token})
        self.csrf_token = csrf_token
        self._municipality: uuid.UUID | None = None

    def get(self, address: str, *, htmx: bool = False, **options: Any) -> Any:
        return self.client.get(address, headers={"HX-Request": "true"} if htmx else {}, **options)

    def post(
        self,
        address: str,
        fields: Mapping[str, str | Sequence[str]],
        *,
        htmx: bool = False,
        token: str | None = None,
        **options: Any,
    ) -> Any:
        """`token`: another CSRF token; "" sends none."""
        given = self.csrf_token if token is None else token
        data = {**self.basis(address, fields), **fields, **({"csrf_token": given} if given else {})}
        return self.client.post(address, data=data, headers={"HX-Request": "true"} if htmx else {}, **options)

    def basis(self, address: str, fields: Mapping[str, object]) -> dict[str, str]:
        database: Database = self.app.state.database
        if self._municipality is None:
            self._municipality = municipality_at(database, self.csrf_token)
        if self._municipality is None:
            return {}
        found = basis_of(database, self._municipality, address, fields, at=self.app.state.clock())
        return {} if found is None else {"based_on": found}


@dataclass
class World:
    database: Database
    app: FastAPI
    clock: AdjustableClock
    plan: StepPlan
    municipalities: dict[str, uuid.UUID]
    users: dict[str, str]
    _browsers: dict[str, Browser] = field(default_factory=dict)

    def browser(self, login: str) -> Browser:
        if login not in self._browsers:
            token, csrf = f"sessie-{login}", f"csrf-{login}"
            user = uuid.UUID(self.users[login])
            a_session(self.database, user, token=token, csrf_token=csrf, at=self.clock.at)
            self._browsers[login] = Browser(self.app, token, csrf)
        return self._browsers[login]

    def a_run(
        self,
        by: Browser,
        *,
        name: str = "Wonen voor iedereen",
        domains: Sequence[str] = ("wonen",),
        team: Sequence[str] = ("anna", "bram"),
        manager: str = "carla",
    ) -> str:
        """Starts a run through the form; gives its id."""
        answer = by.post(
            "/trajecten/nieuw",
            {
                "stappenplan": self.plan.digest,
                "naam": name,
                "doel": "Iedereen vindt een passend thuis.",
                "domeinen": list(domains),
                "team": [self.users[login] for login in team],
                "leidinggevende": self.users[manager],
            },
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
        run_id: str = answer.headers["location"].rsplit("/", 1)[1]
        return run_id

    @contextmanager
    def reading(self, municipality: str = "Zonnedijk") -> Iterator[Session]:
        """A session limited to one municipality, to look behind the pages."""
        with self.database.read() as session:
            set_scope(session, self.municipalities[municipality])
            yield session

    @contextmanager
    def counting_queries(self) -> Iterator[list[str]]:
        """The statements that are executed meanwhile, without the ones that only begin or end a transaction."""
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)


@cache
def small_plan() -> LoadedPlan:
    return load_bytes(SMALL.read_bytes(), SMALL.name)


def a_world(database: Database, *, plan: LoadedPlan | None = None, data_dir: Path | None = None) -> World:
    loaded = plan or small_plan()
    clock = AdjustableClock()
    with database.write() as session:
        plans.pin(session, [loaded], at=MONDAY)
    municipalities = {name: a_municipality(database, name) for name in dict.fromkeys(p[1] for p in PEOPLE.values())}
    users = {
        login: str(a_user(database, login, roles={municipalities[place]: {role}}, name=name))
        for login, (name, place, role) in PEOPLE.items()
    }
    app = the_app()
    app.state.database, app.state.clock = database, clock
    folder = data_dir or Path(tempfile.mkdtemp(prefix="stappenplan-"))
    app.state.settings = Settings(data_dir=folder)
    app.state.providers = {}  # one application serves all tests
    database.before_writing = read_form
    database.keeper = HistoryKeeper(database, app.state.settings.history_key, clock=clock)
    world = World(database, app, clock, loaded.plan, municipalities, users)
    if data_dir is None:
        weakref.finalize(world, shutil.rmtree, folder, ignore_errors=True)
    return world


@cache
def the_app() -> FastAPI:
    """Compiling the templates takes half a second, so one application serves one test after another."""
    return create_app(Settings(), Database(create_engine_for("sqlite:///never-opened.sqlite3")))
