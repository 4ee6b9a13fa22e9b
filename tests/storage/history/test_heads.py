"""Heads are signed when it is time, chained, and never over something that is wrong."""

from __future__ import annotations

import stat
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from structlog.testing import capture_logs

from app.engine.merkle import Peaks
from app.storage.database import Database, TransactionLost
from app.storage.grown import Grown
from app.storage.history import heads, keeper
from app.storage.history.heads import CannotSign, Signed, read_signed
from app.storage.history.keeper import SIGN_EVERY
from app.storage.history.keys import KeyUnusable, is_signed, load_key, make_key, public_pem
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope
from tests.storage.history.making import Clock, Town, a_keeper, a_town
from tests.storage.rows import NOW


def heads_of(town: Town) -> list[Signed]:
    with town.database.read() as session:
        set_scope(session, town.id)
        return [*heads.heads_after(session, -1)]


def problems(town: Town) -> list[str]:
    with town.database.read() as session:
        set_scope(session, town.id)
        return [f"{one.place}: {one.problem}" for one in verify_log(session).problems]


# --- the key ---------------------------------------------------------------------------------------------------------


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    path = tmp_path / "keys" / "history.pem"
    made = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert make_key(path).public == made.public
    found = load_key(path)
    assert found is not None
    assert found.public == made.public
    assert [one.name for one in path.parent.iterdir()] == ["history.pem"]


def test_openssl_reads_the_public_key(tmp_path: Path):
    key = make_key(tmp_path / "history.pem")
    command = ["openssl", "pkey", "-in", str(tmp_path / "history.pem"), "-pubout"]
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    assert read.stdout == public_pem(key.public)


@pytest.mark.parametrize("content", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_file_that_holds_no_key_is_named(tmp_path: Path, content: str):
    path = tmp_path / "history.pem"
    path.write_text(content, "utf-8")
    with pytest.raises(KeyUnusable, match=r"history\.pem cannot be used"):
        load_key(path)


def test_key_is_never_made_again_when_something_was_signed(database: Database, tmp_path: Path):
    town, keeper = a_town(database, "A"), a_keeper(database, tmp_path)
    town.work()
    keeper.sign(town.id, at=NOW)
    (tmp_path / "keys" / "history.pem").unlink()
    with pytest.raises(KeyUnusable, match="put it back"):
        keeper.ensure_key()
    assert not (tmp_path / "keys" / "history.pem").exists()


# --- signing ---------------------------------------------------------------------------------------------------------


def test_head_is_over_the_log_signed_and_follows_on_the_one_before(database: Database, tmp_path: Path):
    town, keeper = a_town(database, "A"), a_keeper(database, tmp_path)
    town.work(["RunStarted", "StepSaved"])
    keeper.sign(town.id, at=NOW)
    town.work()
    keeper.sign(town.id, at=NOW + timedelta(hours=2))

    first, second = heads_of(town)
    assert (first.head.number, first.head.size, first.head.previous) == (0, 2, None)
    assert (second.head.number, second.head.size, second.head.previous) == (1, 3, first.hash)
    assert first.head.municipality == str(town.id)
    assert all(is_signed(one.head.key, one.document, one.signature) for one in (first, second))
    assert read_signed(second.text()) == second
    assert problems(town) == []


def test_nothing_new_is_not_signed_again(database: Database, tmp_path: Path):
    town, keeper = a_town(database, "A"), a_keeper(database, tmp_path)
    assert keeper.sign(town.id, at=NOW) is None
    town.work()
    assert keeper.sign(town.id, at=NOW) is not None
    assert keeper.sign(town.id, at=NOW) is None
    assert len(heads_of(town)) == 1


def test_clock_that_goes_back_does_not_take_a_head_back(database: Database, tmp_path: Path):
    town, keeper = a_town(database, "A"), a_keeper(database, tmp_path)
    town.work()
    keeper.sign(town.id, at=NOW)
    town.work()
    keeper.sign(town.id, at=NOW - timedelta(days=1))
    assert [signed.head.at for signed in heads_of(town)] == [NOW, NOW]


def test_log_that_became_shorter_is_not_signed(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    town, keeper = a_town(sqlite_database, "A"), a_keeper(sqlite_database, tmp_path)
    town.work(["RunStarted", "StepSaved"])
    keeper.sign(town.id, at=NOW)
    monkeypatch.setattr("app.storage.history.heads.log.lock_head", lambda _: Peaks(1, (b"x" * 32,)))
    with pytest.raises(CannotSign, match="older backup"):
        keeper.sign(town.id, at=NOW)


def test_another_key_than_that_of_the_history_signs_nothing(database: Database, tmp_path: Path):
    town, keeper = a_town(database, "A"), a_keeper(database, tmp_path)
    town.work()
    keeper.sign(town.id, at=NOW)
    town.work()
    (tmp_path / "keys" / "history.pem").unlink()
    make_key(tmp_path / "keys" / "history.pem")
    with pytest.raises(CannotSign, match="the history goes on with"):
        keeper.sign(town.id, at=NOW)


# --- when ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def working(database: Database, tmp_path: Path) -> tuple[Town, Clock]:
    """A municipality at work, in an installation that signs."""
    clock = Clock()
    database.keeper = a_keeper(database, tmp_path, clock=clock)
    return a_town(database, "A"), clock


def test_first_change_and_every_approval_are_signed_at_once(working: tuple[Town, Clock]):
    town, _ = working
    town.work()
    assert [signed.head.size for signed in heads_of(town)] == [1]
    town.work()
    town.work(["StepSaved", "StageApproved"])
    town.work()
    assert [signed.head.size for signed in heads_of(town)] == [1, 4]


def test_first_change_is_signed_while_time_goes_on(database: Database, tmp_path: Path):
    class Ticking(Clock):
        def __call__(self) -> datetime:
            self.pass_by(timedelta(microseconds=1))
            return super().__call__()

    database.keeper, town = a_keeper(database, tmp_path, clock=Ticking()), a_town(database, "A")
    town.work()
    assert [signed.head.size for signed in heads_of(town)] == [1]


def test_change_an_hour_after_the_last_head_is_signed(working: tuple[Town, Clock]):
    town, clock = working
    town.work()
    clock.pass_by(SIGN_EVERY - timedelta(seconds=1))
    town.work()
    assert len(heads_of(town)) == 1
    clock.pass_by(timedelta(seconds=1))
    town.work()
    assert [signed.head.size for signed in heads_of(town)] == [1, 3]


def test_new_process_knows_when_the_last_head_was(database: Database, tmp_path: Path, working: tuple[Town, Clock]):
    town, clock = working
    town.work()
    database.keeper = a_keeper(database, tmp_path, clock=clock)
    town.work()
    assert len(heads_of(town)) == 1


def test_change_that_is_rolled_back_is_not_signed(database: Database, working: tuple[Town, Clock]):
    town, _ = working
    with pytest.raises(RuntimeError), database.write() as session:
        set_scope(session, town.id)
        town.add(session, town.runs[0], ["StageApproved"])
        raise RuntimeError
    assert heads_of(town) == []


def test_key_that_cannot_be_used_stops_nobody_and_is_logged(working: tuple[Town, Clock], tmp_path: Path):
    town, clock = working
    (tmp_path / "keys").mkdir()
    path = tmp_path / "keys" / "history.pem"
    path.write_text("no key", "utf-8")
    with capture_logs() as logs:
        town.work(["StageApproved"])
    assert [line["event"] for line in logs] == ["head_not_signed"]
    assert heads_of(town) == []

    path.unlink()
    town.work()  # tried again only after a minute
    assert heads_of(town) == []
    clock.pass_by(keeper.TRY_AGAIN_AFTER)
    town.work()
    assert [signed.head.size for signed in heads_of(town)] == [3]


def test_approval_and_the_head_over_it_are_one_commit(database: Database, working: tuple[Town, Clock]):
    town, _ = working
    commits: list[Connection] = []
    note = commits.append
    event.listen(database.engine, "commit", note)
    town.work(["StageApproved"])
    event.remove(database.engine, "commit", note)
    assert len(commits) == 1
    assert [signed.head.size for signed in heads_of(town)] == [1]


@pytest.mark.parametrize("what", ["sign_grown", "newest"])
@pytest.mark.parametrize("kind", ["StageApproved", "StepSaved"])
def test_database_that_refuses_a_head_keeps_the_work(
    working: tuple[Town, Clock], monkeypatch: pytest.MonkeyPatch, what: str, kind: str
):
    def refused(session: Session, *_: object, **__: object) -> None:
        session.connection().exec_driver_sql("SELECT 1 FROM no_such_table")

    town, clock = working
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(f"app.storage.history.heads.{what}", refused)
        town.work([kind])
    assert [line["event"] for line in logs] == ["head_not_signed"]
    clock.pass_by(keeper.TRY_AGAIN_AFTER)
    town.work()
    assert [signed.head.size for signed in heads_of(town)] == [2]
    assert problems(town) == []


def test_transaction_that_the_database_took_back_is_no_success(
    working: tuple[Town, Clock], monkeypatch: pytest.MonkeyPatch
):
    """As SQLite does by itself when the disk is full."""

    def full(session: Session, *_: object, **__: object) -> None:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        driver.rollback()
        raise OSError("the disk is full")

    town, _ = working
    with monkeypatch.context() as patched, capture_logs(), pytest.raises((TransactionLost, DBAPIError)):
        patched.setattr("app.storage.history.heads.sign_grown", full)
        town.work(["StageApproved"])
    assert heads_of(town) == []
    town.work(["StageApproved"])
    assert [signed.head.size for signed in heads_of(town)] == [1]
    assert problems(town) == []


def test_what_was_taken_back_before_the_commit_is_not_signed(database: Database, tmp_path: Path):
    database.keeper = a_keeper(database, tmp_path)
    town = a_town(database, "A", runs=3)
    with database.write() as session:
        set_scope(session, town.id)
        town.add(session, town.runs[2], ["StageApproved"])
        session.rollback()
    assert heads_of(town) == []
    with database.write() as session:
        set_scope(session, town.id)
        town.add(session, town.runs[0], ["StepSaved"])
        savepoint = session.begin_nested()
        town.add(session, town.runs[1], ["StageApproved"])
        savepoint.rollback()
    assert [signed.head.size for signed in heads_of(town)] == [1]
    assert problems(town) == []


class Listener:
    def __init__(self) -> None:
        self.heard: list[Grown] = []

    def before_commit(self, session: Session, grown: Grown) -> Grown:
        self.heard.append(grown)
        return grown

    def after_commit(self, grown: Grown) -> None:
        self.heard.append(grown)


def test_keeper_hears_of_changes_that_have_an_event(database: Database):
    database.keeper = listener = Listener()
    town = a_town(database, "A")
    assert listener.heard == []
    town.work()
    assert [grown.municipality for grown in listener.heard] == [town.id, town.id]


# --- another key -----------------------------------------------------------------------------------------------------


def test_new_key_is_introduced_by_the_old_one(database: Database, tmp_path: Path):
    keeper = a_keeper(database, tmp_path)
    town, other, idle = a_town(database, "A"), a_town(database, "B"), a_town(database, "C")
    for each in (town, other):
        each.work()
        keeper.sign(each.id, at=NOW)
    old = keeper.ensure_key()
    new = keeper.renew_key(at=NOW)
    town.work()
    keeper.sign(town.id, at=NOW)

    assert new.public != old.public
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["history.pem"]
    assert stat.S_IMODE((tmp_path / "keys" / "history.pem").stat().st_mode) == 0o600
    keys = [(signed.head.key, signed.head.next_key) for signed in heads_of(town)]
    assert keys == [(old.public, None), (old.public, new.public), (new.public, None), (new.public, None)]
    assert heads_of(idle) == []
    assert problems(town) == problems(other) == []


def test_renewal_that_was_interrupted_is_finished_by_doing_it_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keeper = a_keeper(database, tmp_path)
    towns = [a_town(database, "A"), a_town(database, "B")]
    for each in towns:
        each.work()
        keeper.sign(each.id, at=NOW)
    signed: list[object] = []
    whole = keeper.sign

    def breaks_off(municipality, **given):
        if signed:
            raise CannotSign("the power went")
        signed.append(municipality)
        return whole(municipality, **given)

    with monkeypatch.context() as patched:
        patched.setattr(keeper, "sign", breaks_off)
        with pytest.raises(CannotSign):
            keeper.renew_key(at=NOW)
    new = keeper.renew_key(at=NOW)

    for town in towns:
        town.work()
        keeper.sign(town.id, at=NOW)
        assert heads_of(town)[-1].head.key == new.public
        assert len([one for one in heads_of(town) if one.head.next_key]) == 1
        assert problems(town) == []
