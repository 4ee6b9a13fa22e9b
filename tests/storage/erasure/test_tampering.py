"""Who blanks a text without an event, brings one back, or forges the event of an erasure, is found."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.events import PersonalDataErased
from app.storage import run_store
from app.storage.database import Database, create_engine_for
from app.storage.erasure.checking import verify_erasures
from app.storage.erasure.items import Kind
from app.storage.erasure.register import Register
from app.storage.scope import set_scope
from app.storage.verify import verify_run
from tests.features.client import World, a_world
from tests.security.prepared import Prepared, add_evidence, begin, fill_step
from tests.storage.erasure.erasing import HERE, RESIDENT, erase, hits_for
from tests.storage.history.test_verify import behind_the_back

Place = tuple[World, Prepared, Register, Path]


@pytest.fixture(scope="module")
def erased_once(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Of a run in which a resident is named everywhere, one text, one answer and one piece of evidence were erased."""
    from tests.databases import new_sqlite_database

    folder = tmp_path_factory.mktemp("erased")
    world = a_world(new_sqlite_database(folder), data_dir=folder)
    register = Register(folder / "erasures" / "register.jsonl")
    begun = begin(world, officer="anna", manager="carla", word=RESIDENT)
    for step in ("overzicht", "conclusie"):
        fill_step(begun.team, f"{begun.stage}/stappen/{step}", {}, RESIDENT, button="Opslaan")
    for way in ("link", "notitie"):
        add_evidence(begun.team, begun.evidence_page, way, RESIDENT)
    hits = hits_for(world, RESIDENT)
    one_of_each = {hit.place.key.kind: hit.whole_item for hit in hits}
    assert len(one_of_each) == 3
    erase(world, [*one_of_each.values()], register=register)
    world.database.dispose()
    return world, begun.prepared(), register, folder / "stappenplan.sqlite3"


@pytest.fixture
def copy_of(erased_once: Place, tmp_path: Path) -> Database:
    shutil.copyfile(erased_once[3], tmp_path / "copy.sqlite3")
    return Database(create_engine_for(f"sqlite:///{tmp_path / 'copy.sqlite3'}"))


def findings(place: Place, database: Database) -> list[str]:
    world, run, register, _ = place
    with database.read() as session:
        set_scope(session, world.municipalities[HERE])
        found = [each.problem for each in verify_run(session, run.run).findings]
        return [*found, *(each.problem for each in verify_erasures(session, register.read()))]


def test_what_was_erased_in_good_order_is_no_problem(erased_once: Place, copy_of: Database):
    assert findings(erased_once, copy_of) == []
    copy_of.dispose()


WAYS = {
    "a text is blanked": "UPDATE run_text SET text = NULL WHERE text <> '[gewist]'",
    "a text is changed": "UPDATE run_text SET text = 'Iets anders' WHERE text <> '[gewist]'",
    "a text looks erased": "UPDATE run_text SET text = '[gewist]' WHERE text <> '[gewist]'",
    "a text is removed": "DELETE FROM run_text WHERE text <> '[gewist]'",
    "an erased text says something again": "UPDATE run_text SET text = 'Terug' WHERE text = '[gewist]'",
    "an erased text is removed": "DELETE FROM run_text WHERE text = '[gewist]'",
    "an answer is blanked": "UPDATE answer SET value = NULL, salt = '' WHERE value NOT LIKE '%gewist%'",
    "an answer looks erased": "UPDATE answer SET value = '\"[gewist]\"' WHERE value NOT LIKE '%gewist%'",
    "an erased answer says something again": "UPDATE answer SET value = '\"Terug\"' WHERE value LIKE '%gewist%'",
    "an answer is removed": "DELETE FROM answer WHERE value LIKE '%gewist%'",
    "evidence is blanked": "UPDATE evidence SET title = '', source = '' WHERE title <> '[gewist]'",
    "evidence looks erased": "UPDATE evidence SET title = '[gewist]', note = '[gewist]' WHERE title <> '[gewist]'",
    "erased evidence says something again": "UPDATE evidence SET title = 'Terug' WHERE title = '[gewist]'",
    "a salt is replaced": "UPDATE answer SET salt = '00' || substr(salt, 3)",
    "the request is removed": "DELETE FROM erasure",
    "the request was of one person": "UPDATE erasure SET decided_by = asked_by",
    "the request was for less": "UPDATE erasure SET items = '[]'",
    "the request was declined": "UPDATE erasure SET status = 'declined'",
}


@pytest.mark.parametrize("way", [*WAYS])
def test_what_was_not_erased_in_good_order_is_found(erased_once: Place, copy_of: Database, way: str):
    behind_the_back(copy_of, WAYS[way])
    assert findings(erased_once, copy_of) != []
    copy_of.dispose()


def forge(place: Place, database: Database, erasure: str, take: Callable[[str, str], dict[str, str]]) -> None:
    """With the software itself, as somebody can who got into the server: a true event, well placed in the log."""
    world, run, _, _ = place
    with database.write() as session:
        set_scope(session, world.municipalities[HERE])
        plan, loaded = run_store.load_stages(session, run.run)
        event = PersonalDataErased(
            erasure=erasure,
            ground="unlawful",
            answers={},
            texts=take(loaded.name, loaded.purpose),
            evidence={},
            asked_by=world.users["ferry"],
            by=world.users["dirk"],
            at=world.clock.at,
        )
        run_store.record(session, plan, loaded, event)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_forged_erasure_is_found(erased_once: Place, copy_of: Database, is_known: bool):
    """Under the name of one that was decided on, or under another."""
    known = erased_once[2].read()[0]
    named = {item.key.id for item in known.items if item.key.kind is Kind.TEXT}
    id = known.id if is_known else str(uuid.uuid4())

    def one_more(name: str, purpose: str) -> dict[str, str]:
        return {text: "0" * 64 for text in (name, purpose) if text not in named}

    forge(erased_once, copy_of, id, one_more)
    found = findings(erased_once, copy_of)
    assert any("asked for" in problem for problem in found), found
    copy_of.dispose()


def test_an_erasure_that_is_not_in_the_register_is_found(erased_once: Place, copy_of: Database, tmp_path: Path):
    world, run, _, path = erased_once
    emptied = Register(tmp_path / "empty.jsonl")
    assert findings((world, run, emptied, path), copy_of) == ["is not in the register of erasures"]
    copy_of.dispose()
