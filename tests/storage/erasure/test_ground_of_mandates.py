"""The legal ground of a mandate is free text: who is named in it can be erased, and nothing else changes it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.storage.account_log import Trace
from app.storage.database import Database
from app.storage.erasure import requests
from app.storage.erasure.again import apply_again
from app.storage.erasure.carrying_out import carry_out
from app.storage.erasure.checking import verify_erasures
from app.storage.erasure.items import MARK, Ground, Item, Key, Kind
from app.storage.erasure.register import Register, Registered
from app.storage.history.verify import verify_log
from app.storage.scope import set_scope, unscoped
from tests.features.approvals.test_who_decides import mandate
from tests.features.client import World, a_world
from tests.features.steps.pages import text_of
from tests.storage.erasure.erasing import HERE, RESIDENT, ask, cleaner, erase, files_with, hits_for
from tests.storage.erasure.test_erasing import data_folder

SAID = f"Besluit 2026-14 op verzoek van {RESIDENT}"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Two mandates with the name of a resident in the ground; the first was withdrawn."""
    world = a_world(database, data_dir=tmp_path / "data")
    assert mandate(world, grondslag=f"Mandaatbesluit van {RESIDENT}").status_code == 303
    page = world.browser("ferry").get("/vervanging").text
    id = page.split('action="/vervanging/')[1].split("/")[0]
    assert world.browser("ferry").post(f"/vervanging/{id}/intrekken", {}, follow_redirects=False).status_code == 303
    assert mandate(world, grondslag=SAID).status_code == 303
    return world


def grounds(world: World) -> list[str]:
    with world.reading() as session:
        return sorted(session.connection().execute(text("SELECT ground FROM mandate")).scalars())


def test_a_name_in_the_ground_of_a_mandate_goes_without_a_trace(world: World, request: pytest.FixtureRequest):
    hits = hits_for(world, RESIDENT)
    assert [hit.place.key.kind for hit in hits] == [Kind.MANDATE] * 2
    assert files_with(data_folder(world, request), "Wielewaal") != []

    id = erase(world, [hit.passage_item for hit in hits])

    assert hits_for(world, RESIDENT) == []
    assert grounds(world) == [f"Besluit 2026-14 op verzoek van {MARK}", f"Mandaatbesluit van {MARK}"]
    assert files_with(data_folder(world, request), "Wielewaal") == []
    page = text_of(world.browser("anna").get("/vervanging").text)
    assert "Wielewaal" not in page
    assert f"Grondslag: Mandaatbesluit van {MARK}" in page
    with world.reading() as session:
        assert requests.find(session, id).is_clean
        assert [*verify_erasures(session), *verify_log(session).problems] == []


def test_all_of_it_can_go_and_who_decides_is_shown_where_it_stands(world: World):
    [first, second] = hits_for(world, RESIDENT)
    erase(world, [first.whole_item])
    assert sorted(grounds(world)) != [MARK, MARK]

    ferry = world.browser("ferry")
    page = text_of(ferry.get(f"/beheer/gegevens-wissen/{ask(world, [second.whole_item])}").text)
    assert "Grondslag van een mandaat" in page
    assert MARK in grounds(world)


def test_after_an_older_backup_it_goes_again(world: World, tmp_path: Path, request: pytest.FixtureRequest):
    """The register knows of an erasure, and the database does not: so it is after a backup of before was put back."""
    register = Register(tmp_path / "elsewhere" / "register.jsonl")
    erased = Registered(
        id=str(uuid.uuid4()),
        municipality=str(world.municipalities[HERE]),
        account=None,
        items=tuple(hit.passage_item for hit in hits_for(world, RESIDENT)),
        ground=Ground.UNLAWFUL,
        asked_by=world.users["ferry"],
        asked_at=world.clock.at,
        decided_by=world.users["dirk"],
        decided_at=world.clock.at,
    )
    register.add([erased])

    assert apply_again(world.database, register, at=world.clock.at).again == (erased.id,)

    assert cleaner(world).finish_all()
    assert hits_for(world, RESIDENT) == []
    assert files_with(data_folder(world, request), "Wielewaal") == []
    assert apply_again(world.database, register, at=world.clock.at).again == ()


def test_nothing_but_a_decision_to_erase_changes_a_ground(world: World):
    [hit, other] = hits_for(world, RESIDENT)
    for state in ("nobody asked", "asked", "decided on another", "erased and clean"):
        match state:
            case "asked":
                ask(world, [hit.whole_item])
            case "decided on another":
                _decide(world, [Item(Key(Kind.MANDATE, None, str(uuid.uuid4())))])
            case "erased and clean":
                erase(world, [other.whole_item])
        for ground in (SAID, MARK):
            _refused(world, f"UPDATE mandate SET ground = '{ground} ' WHERE ground LIKE '%{RESIDENT}'")
    _decide(world, [hit.whole_item])
    _refused(world, "UPDATE mandate SET ground = 'Een ander besluit'")


def _decide(world: World, items: list[Item]) -> None:
    """Carried out, and traces not removed yet."""
    id = ask(world, items)
    with world.database.write() as session:
        set_scope(session, world.municipalities[HERE])
        by = Trace(uuid.UUID(world.users["dirk"]), world.clock.at, None)
        carry_out(session, requests.find(session, id, for_change=True), by=by)


def _refused(world: World, change: str) -> None:
    with world.database.write() as session:
        unscoped(session, "what somebody with the database in hand could try")
        with pytest.raises(IntegrityError):
            session.connection().execute(text(change))
        session.rollback()
