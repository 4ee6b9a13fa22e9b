"""An older backup that is put back loses again what was erased since, before anybody sees it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from app.engine.log import Origin
from app.storage.database import Database, create_engine_for
from app.storage.erasure import people, requests
from app.storage.erasure.again import apply_again, missing_in
from app.storage.erasure.checking import verify_erasures
from app.storage.erasure.register import Register, RegisterDamaged
from app.storage.history.heads import Signed, newest
from app.storage.history.keeper import HistoryKeeper
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope
from app.storage.tables import LogEntry
from app.storage.verify import verify_run
from tests.features.client import World, a_world
from tests.security.prepared import Prepared, add_evidence, begin
from tests.storage.erasure.erasing import (
    HERE,
    RESIDENT,
    cleaner,
    erase,
    files_of,
    files_with,
    hits_for,
)


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return a_world(sqlite_database, data_dir=tmp_path)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path / "erasures" / "register.jsonl")


def a_small_run(world: World) -> Prepared:
    begun = begin(world, officer="anna", manager="carla", word=RESIDENT)
    add_evidence(begun.team, begun.evidence_page, "bestand", RESIDENT)
    return begun.prepared()


@contextmanager
def restored(world: World, tmp_path: Path, backup: Path) -> Iterator[World]:
    """The database file and the files of evidence as they were; the register is no part of a backup."""
    world.database.dispose()
    for left in tmp_path.glob("stappenplan.sqlite3*"):
        left.unlink()
    shutil.copyfile(backup / "stappenplan.sqlite3", tmp_path / "stappenplan.sqlite3")
    shutil.copytree(backup / "evidence", tmp_path / "evidence", dirs_exist_ok=True)
    database = Database(create_engine_for(f"sqlite:///{tmp_path / 'stappenplan.sqlite3'}"))
    world.app.state.database = database
    yield replace(world, database=database)
    database.dispose()


def back_up(world: World, tmp_path: Path, backup: Path) -> None:
    world.database.dispose()  # the last connection brings the write-ahead log into the file
    backup.mkdir()
    shutil.copyfile(tmp_path / "stappenplan.sqlite3", backup / "stappenplan.sqlite3")
    shutil.copytree(tmp_path / "evidence", backup / "evidence")


def test_an_older_backup_loses_again_what_was_erased(
    world: World, register: Register, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    run, backup = a_small_run(world), tmp_path_factory.mktemp("elsewhere") / "backup"
    keeper = HistoryKeeper(world.database, world.app.state.settings.history_key, clock=world.clock)
    here = world.municipalities[HERE]
    keeper.sign(here, at=world.clock.at)
    back_up(world, tmp_path, backup)
    hits = hits_for(world, RESIDENT)
    erased = erase(world, [hit.whole_item for hit in hits], register=register)
    gone = erase(world, [], account=world.users["bram"], register=register)
    keeper.sign(here, at=world.clock.at)
    head = newest_head(world)
    assert files_with(tmp_path, "Wielewaal") == []

    with restored(world, tmp_path, backup) as older:
        assert files_with(tmp_path, "Wielewaal") != []
        assert any(files_of(older).path_of(hit.place.file).exists() for hit in hits if hit.place.file)
        with older.reading() as session:
            found = [problem.problem for problem in verify_erasures(session, register.read())]
            assert (
                found
                == [
                    "is in the register and not carried out here: an older backup was put back. "
                    "Run: stappenplan erasures apply"
                ]
                * 2
            )

        compared = apply_again(older.database, register, at=older.clock.at)

        assert (compared.again, compared.added, compared.elsewhere) == ((erased, gone), (), 0)
        assert cleaner(older).finish_all()
        assert files_with(tmp_path, "Wielewaal") == []
        assert files_with(tmp_path, "Bram Bos") == []
        assert not any(files_of(older).path_of(hit.place.file).exists() for hit in hits if hit.place.file)
        with older.reading() as session:
            assert verify_erasures(session, register.read()) == []
            assert verify_run(session, run.run).findings == ()
            assert verify_log(session).problems == []
            # The backup is older than what the witness has, and that stays to be seen.
            [rolled_back] = verify_log(session, kept=[head]).problems
            assert "rolled back" in rolled_back.problem
            origins = session.exec(select(LogEntry.origin).order_by(LogEntry.position.desc()).limit(1)).all()  # type: ignore[attr-defined]
            assert origins == [Origin.PROCESS]
        assert apply_again(older.database, register, at=older.clock.at).again == ()


def newest_head(world: World) -> Signed:
    with world.reading() as session:
        head = newest(session)
    assert head is not None
    return head


def test_people_who_decided_and_whom_the_backup_does_not_know_are_kept_by_id(world: World, register: Register):
    """Or the erasure could not be told in the history."""
    a_small_run(world)
    id = erase(world, [hit.whole_item for hit in hits_for(world, RESIDENT)], register=register)
    stranger = str(uuid.uuid4())
    other = Register(register.path.with_name("other.jsonl"))
    [known] = register.read()
    other.add([replace(known, id=str(uuid.uuid4()), decided_by=stranger, items=(), account=stranger)])

    assert len(apply_again(world.database, other, at=world.clock.at).again) == 1
    with world.reading() as session:
        assert people.find_account(session, stranger).name.startswith("een voormalig medewerker (")
    assert [each.id for each in other.read()][1:] == [id], "what the register did not have, it has now"


def test_register_keeps_order_and_each_erasure_once(world: World, register: Register):
    a_small_run(world)
    assert register.read() == []
    items = [hit.whole_item for hit in hits_for(world, RESIDENT)]
    ids = [erase(world, [item], register=register) for item in items[:3]]
    register.add(register.read())

    assert [each.id for each in register.read()] == ids
    assert register.path.stat().st_mode & 0o777 == 0o600
    assert "Wielewaal" not in register.path.read_text()
    assert missing_in(world.database, register.read()) == []


def test_a_damaged_register_is_refused_and_a_line_that_was_cut_off_gives_way(world: World, register: Register):
    a_small_run(world)
    items = [hit.whole_item for hit in hits_for(world, RESIDENT)]
    first, second = (erase(world, [item], register=register) for item in items[:2])
    lines = register.path.read_bytes().splitlines(keepends=True)
    for damaged in (
        [lines[1]],
        [lines[0], lines[1].replace(b"unlawful", b"objection")],
        [lines[1], lines[0]],
        [b"{}\n"],
    ):
        register.path.write_bytes(b"".join(damaged))
        with pytest.raises(RegisterDamaged, match="line"):
            register.read()
        with pytest.raises(RegisterDamaged, match="line"):
            register.add([])
    register.path.write_bytes(lines[0] + lines[1][:40])

    assert [each.id for each in register.read()] == [first]
    assert apply_again(world.database, register, at=world.clock.at).added == (second,)
    assert register.path.read_bytes() == b"".join(lines)


def test_an_account_goes_and_what_somebody_did_stays(world: World):
    a_small_run(world)
    bram = world.users["bram"]
    browser = world.browser("bram")
    assert browser.get("/").status_code == 200
    with world.reading() as session:
        held = people.find_account(session, bram)
    assert (held.sessions, held.roles, held.is_erased) == (1, ("policy_officer",), False)

    erase(world, [], account=bram)

    assert browser.get("/", follow_redirects=False).status_code == 303
    with world.reading() as session:
        left = people.find_account(session, bram)
        assert left.is_erased
        assert left.name == f"een voormalig medewerker ({uuid.UUID(bram).hex[:8]})"
        assert (left.sessions, left.passkeys, left.roles, left.has_password) == (0, 0, (), False)
    with world.reading("Veldermeer") as session, pytest.raises(people.AccountNotFound):
        people.find_account(session, bram)


def test_of_two_who_decide_one_is_first(world: World):
    id = erase(world, [], account=world.users["bram"])
    with world.database.write() as session, pytest.raises(requests.AlreadyDecided):
        set_scope(session, world.municipalities[HERE])
        request = requests.find(session, id)
        requests.decide(session, request, requests.Status.DECLINED, by=world.users["dirk"], at=world.clock.at)
