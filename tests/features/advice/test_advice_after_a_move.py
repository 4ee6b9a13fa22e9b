"""Advice on a stage, or in a domain, that a newer version of the plan does not have."""

from __future__ import annotations

import re

import pytest

from app.storage.database import Database
from tests.features.advice.test_advice import give, share
from tests.features.moving import a_full_room, moved
from tests.features.runs.test_manager_and_mandate import change
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room


def advised_before_a_move(database: Database) -> Room:
    """On three stages; 2.0.0 has no stage `werkgroep`, and no domain `werk`."""
    room = a_full_room(database)
    world, run, anna = room.world, room.run, room.browser("anna")
    assert change(world, "anna", run, domeinen=[*room.loaded().domains, "werk"]) == ""
    started = anna.post(f"/trajecten/{run}/fasen/beleid.werk.1/starten", {"reden": "Vast."}, follow_redirects=False)
    assert started.status_code == 303, started.text
    assert share(world, anna, run).status_code == 303
    for stage in ("werkgroep.1", "beleid.werk.1", "verkennen.1"):
        assert give(world, run, fase=stage, advies=f"Over {stage}.").status_code == 303
    moved(world, run, "2.0.0")
    return room


def test_every_page_that_shows_it_opens_and_says_where_it_was_about(database: Database):
    room = advised_before_a_move(database)
    anna, base = room.browser("anna"), f"/trajecten/{room.run}"
    page = anna.get(f"{base}/advies")
    assert page.status_code == 200
    assert text_of(page.text).count("een fase van een eerdere versie") == 2
    for advice in set(re.findall(r"/advies/([0-9a-f-]{36})/antwoord", page.text)):
        assert anna.get(f"{base}/advies/{advice}/antwoord").status_code == 200
    for reader in ("anna", "kees", "emma"):
        for address in ("", "/advies", "/fasen/verkennen.1", "/rapport/pdf", "/geschiedenis"):
            assert room.browser(reader).get(base + address).status_code == 200, (reader, address)
        for address in ("/rapport", "/rapport/csv"):
            report = room.browser(reader).get(base + address)
            assert report.status_code == 200, (reader, address)
            assert report.text.count("Een fase van een eerdere versie") == 2, (reader, address)
            assert "Over beleid.werk.1." in report.text


@pytest.mark.parametrize("stage", ["werkgroep.1", "beleid.werk.1"])
def test_nobody_advises_any_more_on_what_is_gone(database: Database, stage: str):
    room = advised_before_a_move(database)
    assert give(room.world, room.run, fase=stage, advies="Nog iets.").status_code == 422
