"""Nothing that one municipality wrote is ever on a page, or in an export, of another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.policy import Role
from app.storage.database import Database
from tests.features.client import PEOPLE, World, a_world
from tests.journey.test_journey import squeezed, text_of_pdf
from tests.journey.visitor import Visitor
from tests.security.prepared import Prepared, prepare_all, visitor
from tests.security.routes import addresses_of, one_address, routes_of

# A search page repeats what was searched for, so the half that must not be found is another one.
SEARCHED, CANARY = "kanarie", "zangvogeltje"
NAMES = ("Gwen Prins", "Hugo Kuiper", "Ilse Baan", "Veldermeer")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return a_world(database, data_dir=tmp_path / "data")


def test_nothing_of_another_municipality_is_shown_anywhere(world: World):
    ours = prepare_all(world, officer="anna", manager="carla", word="merel")
    theirs = prepare_all(world, officer="gwen", manager="hugo", word=f"{SEARCHED} {CANARY}")
    assert_the_canary_sings_at_home(visitor(world, "hugo"), theirs)
    for login in somebody_of_every_role("Zonnedijk"):
        person = visitor(world, login)
        for address in [*everything(world, ours), *everything(world, theirs)]:
            answer = person.client.get(address)
            assert answer.status_code < 500, address
            content = readable(answer)
            for word in (CANARY, *NAMES):
                assert squeezed(word) not in content, f"{word} on {address} for {login}"


def somebody_of_every_role(municipality: str) -> list[str]:
    found = {role: login for login, (_, place, role) in PEOPLE.items() if place == municipality}
    assert set(found) == set(Role)
    return [*found.values()]


def everything(world: World, prepared: Prepared) -> Iterator[str]:
    """Every address that can be read, with everything that can be filtered on."""
    for route in routes_of(world.app):
        if "GET" not in route.methods:
            continue
        yield from addresses_of(route.path, world, prepared)
        for name in sorted(route.query):
            for value in (SEARCHED, CANARY[:6], world.users["gwen"], prepared.evidence[0], "1"):
                yield f"{one_address(route.path, world, prepared)}?{name}={value}"


def assert_the_canary_sings_at_home(hugo: Visitor, theirs: Prepared) -> None:
    """Or the test would find nothing anywhere."""
    run = f"/trajecten/{theirs.run}"
    pages = ("", "/geschiedenis", "/rapport", "/rapport/pdf", "/rapport/csv", "/bewijsstukken", "/fasen/verkennen.1")
    for address in itertools.chain(("/", f"/?zoek={SEARCHED}"), (run + page for page in pages)):
        assert CANARY in readable(hugo.client.get(address)), address
    plan = f"/stappenplannen/{theirs.local_plan}/1.0.0"
    for address in (
        "/stappenplannen",
        plan,
        f"{plan}/verschillen",
        f"/trajecten/nieuw?stappenplan={theirs.local_plan}@1.0.0",
    ):
        assert CANARY in readable(hugo.client.get(address)), address


def readable(answer: Any) -> str:
    if answer.headers.get("content-type") == "application/pdf":
        return text_of_pdf(answer.content)
    return squeezed(answer.content.decode("utf-8", "replace") + str(answer.headers))
