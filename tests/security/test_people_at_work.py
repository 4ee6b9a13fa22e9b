"""Random people of two municipalities do random things in the pages; a small model says what should come of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs

from app.storage.database import Database
from tests.databases import empty_tables, new_sqlite_database
from tests.features.client import PEOPLE
from tests.security.people_at_work import Model, People, place_of

if TYPE_CHECKING:
    from tests.databases import PostgreSQL

# Sequences of 25 acts on each database. `make prove` asks for more.
SEQUENCES = int(os.environ.get("STAPPENPLAN_SEQUENCES", "6"))
ACTS = 25
RUNS_MAX = 4  # so that people meet in the same run

somebody = st.sampled_from(sorted(PEOPLE))
officers = st.sampled_from(["anna", "anna", "bram", "gwen", "carla"])
managers = st.sampled_from(["carla", "carla", "dirk", "hugo", "anna"])
texts = st.sampled_from(["Overzicht", "Lijst", "Nota <b>", "O'Neill & co", "x" * 200])
pages = st.sampled_from(["", "/fasen/verkennen.1", "/fasen/verkennen.1/stappen/overzicht", "/checklist", "/rapport",
                         "/rapport/csv", "/geschiedenis", "/bewijsstukken", "/fasen/verkennen.1/beoordelen",
                         "/fasen/verkennen.1/checklist"])  # fmt: skip
teams = st.sampled_from([("anna", "bram"), ("anna",), ("anna", "carla"), ("bram", "dirk")])
which = st.integers(0, 99)


@pytest.fixture(autouse=True)
def _figures_are_not_lost_among_log_lines() -> Iterator[None]:
    with capture_logs():
        yield


class Work(RuleBasedStateMachine):
    """Mostly an act that could succeed: of the run with the most recent work, by somebody of its team."""

    database: Callable[[], Database]
    happened: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.people = People(type(self).database())

    def run_of(self, number: int, *statuses: str) -> Model:
        """One in which that could be done, if there is one."""
        fitting = [run for run in self.people.runs if run.status in statuses] or self.people.runs
        return fitting[-1 - number % len(fitting)]

    @initialize(is_asked=st.booleans())
    def begin_with_a_run(self, is_asked: bool) -> None:
        self.people.start("anna", frozenset({"anna", "bram"}), "carla")
        if is_asked:
            self.finish_and_ask(0, "anna")

    @precondition(lambda self: len(self.people.runs) < RUNS_MAX)
    @rule(login=officers | somebody, team=teams)
    def start(self, login: str, team: tuple[str, ...]) -> None:
        if place_of(login) == "Veldermeer":
            self.people.start(login, frozenset({"gwen"}), "hugo")
        else:
            self.people.start(login, frozenset(team), "carla")

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=officers | somebody)
    def begin(self, number: int, login: str) -> None:
        self.people.begin(self.run_of(number, "none"), login)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=officers | somebody, text=texts)
    def save(self, number: int, login: str, text: str) -> None:
        self.people.save(self.run_of(number, "open", "submitted"), login, text)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=officers)
    def keep_form(self, number: int, login: str) -> None:
        self.people.keep_form(self.run_of(number, "open", "submitted"), login)

    @precondition(lambda self: self.people.forms)
    @rule(number=which, text=texts)
    def save_kept_form(self, number: int, text: str) -> None:
        kept = sorted(self.people.forms)
        id, login = kept[number % len(kept)]
        self.people.save_kept_form(next(run for run in self.people.runs if run.id == id), login, text)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=officers)
    def finish_and_ask(self, number: int, login: str) -> None:
        run = self.run_of(number, "none", "open")
        self.people.begin(run, login)
        self.people.finish(run, login)
        self.people.ask(run, login)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=officers | somebody)
    def ask(self, number: int, login: str) -> None:
        self.people.ask(self.run_of(number, "open"), login)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=managers | somebody)
    def approve(self, number: int, login: str) -> None:
        self.people.approve(self.run_of(number, "submitted"), login)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=managers | somebody)
    def send_back(self, number: int, login: str) -> None:
        self.people.send_back(self.run_of(number, "submitted"), login)

    @precondition(lambda self: self.people.runs)
    @rule(number=which, login=somebody, page=pages)
    def look(self, number: int, login: str, page: str) -> None:
        self.people.look(self.run_of(number), login, page)

    @invariant()
    def model_and_database_agree(self) -> None:
        self.people.check()

    def teardown(self) -> None:
        self.people.check_history()
        type(self).happened += self.people.happened


def _work(new: Callable[[], Database]) -> None:
    class OnThis(Work):
        database = staticmethod(new)
        happened = Counter()

    run_state_machine_as_test(
        OnThis,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=ACTS,
            # Making a failing sequence smaller takes minutes, and one of 25 acts can be read as it is.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

    print(f"{SEQUENCES} sequences of {ACTS} acts: {dict(OnThis.happened)}")  # a figure of `make prove`
    assert OnThis.happened["asked"], "nothing that matters happened"


def test_what_people_do_comes_out_as_it_should_on_sqlite(tmp_path: Path):
    with _databases(tmp_path) as new:
        _work(new)


def test_what_people_do_comes_out_as_it_should_on_postgresql(postgresql: PostgreSQL):
    def new() -> Database:
        postgresql.database.dispose()
        empty_tables(postgresql.superuser)
        return postgresql.database

    try:
        _work(new)
    finally:
        new()


@contextmanager
def _databases(folder: Path) -> Iterator[Callable[[], Database]]:
    """A new database for each sequence."""
    made: list[Database] = []

    def new() -> Database:
        for database in made:
            database.dispose()
        path = folder / str(len(made))
        path.mkdir()
        made.append(new_sqlite_database(path))
        return made[-1]

    yield new
    for database in made:
        database.dispose()


def test_model_notices_what_goes_wrong(sqlite_database: Database):
    """So that the check is one that can fail."""
    people = People(sqlite_database)
    people.start("anna", frozenset({"anna"}), "carla")
    run = people.runs[0]
    people.begin(run, "anna")
    people.check()
    run.answer = "iets dat nooit is opgeslagen"
    with pytest.raises(AssertionError):
        people.check()
