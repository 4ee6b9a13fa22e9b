"""Every route of the application, as everybody: what is declared (app/web/access.py) is what happens."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.policy import may
from app.storage.database import Database
from app.web.access import Allowed, Public
from tests.databases import behind
from tests.features.accounts.building import OURS
from tests.features.client import PEOPLE, Browser, World, a_world
from tests.journey.visitor import Form, forms_in
from tests.security.prepared import Prepared, add_evidence, begin, prepare_all
from tests.security.routes import Route, addresses_of, one_address, permits, routes_of

NOWHERE = "00000000-0000-4000-8000-000000000000"
SIGN_OUT = "/uitloggen"  # ends the session of the test
HERE = "Zonnedijk"


@dataclass(frozen=True, slots=True)
class Place:
    world: World
    prepared: Prepared

    @property
    def routes(self) -> list[Route]:
        return routes_of(self.world.app)

    def address(self, route: Route, **other: str) -> str:
        return one_address(route.path, self.world, self.prepared, **other)

    def everything_stored(self) -> dict[str, list[str]]:
        """Every row of every table: what a refused request must leave alone."""
        with behind(self.world.database).connect() as connection:
            return {
                table.name: sorted(repr(row) for row in connection.execute(text(f'SELECT * FROM "{table.name}"')))
                for table in SQLModel.metadata.sorted_tables
            }


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    world = a_world(database, data_dir=tmp_path / "data")
    return Place(world, prepare_all(world, officer="anna", manager="carla", word="merel"))


# What a page could have shown; without these no change gets any further (test_based_on.py).
SHOWN = {"shown": "0" * 64, "revision": "1", "overzetting": NOWHERE, "aantal": "0", "based_on": "0", "gezocht": "0"}


def send(browser: Browser, method: str, address: str, route: Route, **options: Any) -> Any:
    """`Browser.post` itself knows most of what a change may be based on."""
    if method == "GET":
        return browser.get(address, follow_redirects=False, **options)
    known = browser.basis(address, {})
    fields = {name: SHOWN[name] for name in route.basis if name not in known}
    return browser.post(address, fields, follow_redirects=False, **options)


def calls(routes: list[Route]) -> Iterator[tuple[Route, str]]:
    for route in routes:
        assert route.methods <= {"GET", "POST"}, f"{route.path}: tell this test what a {route.methods} should do"
        for method in sorted(route.methods):
            yield route, method


def test_routes_are_the_ones_that_are_declared(place: Place):
    """So that this file cannot pass by looking at nothing."""
    paths = {route.path for route in place.routes}
    assert len(paths) >= 35
    assert {"/", "/trajecten/{run_id}", "/trajecten/{run_id}/rapport/pdf", SIGN_OUT} <= paths
    assert sum(isinstance(route.policy, Allowed) for route in place.routes) >= 30


def test_anonymous_is_sent_to_sign_in(place: Place):
    nobody = TestClient(place.world.app, base_url=OURS, follow_redirects=False)
    before = place.everything_stored()
    for route, method in calls(place.routes):
        address = place.address(route)
        answer = nobody.request(method, address)
        if isinstance(route.policy, Public):
            assert answer.status_code < 500, (method, address)
            assert not answer.headers.get("location", "").startswith("/inloggen"), (method, address)
        elif method == "GET":
            assert answer.status_code == 303, (method, address)
            assert answer.headers["location"].split("?")[0] == "/inloggen", (method, address)
        else:
            assert answer.status_code == 401, (method, address)
        assert "merel" not in answer.text, (method, address)
    assert place.everything_stored() == before


@pytest.mark.parametrize("login", [login for login, (_, where, _) in PEOPLE.items() if where == HERE])
def test_role_may_what_the_policy_says(sqlite_database: Database, tmp_path: Path, login: str):
    world = a_world(sqlite_database, data_dir=tmp_path / "data")
    place = Place(world, prepare_all(world, officer="anna", manager="carla", word="merel"))
    browser, role = world.browser(login), PEOPLE[login][2]
    for route, method in calls(place.routes):
        if route.path == SIGN_OUT:
            continue
        allowed = permits(route.policy, role)
        for address in addresses_of(route.path, world, place.prepared):
            before = None if allowed else place.everything_stored()
            answer = send(browser, method, address, route)
            assert answer.status_code < 500, (method, address)
            assert (answer.status_code != 403) == allowed, (method, address, answer.status_code)
            if before is not None:
                assert place.everything_stored() == before, (method, address)


@pytest.mark.parametrize("login", ["bram", "dirk"])
def test_who_is_not_in_the_team_reads_but_does_no_work(place: Place, login: str):
    """Bram is an officer and Dirk a manager of the municipality; the run has neither of them in it."""
    browser = place.world.browser(login)
    before = place.everything_stored()
    for route, method in calls(place.routes):
        if "{run_id}" not in route.path or not isinstance(route.policy, Allowed):
            continue
        if not may([PEOPLE[login][2]], route.policy.action):
            continue
        for address in addresses_of(route.path, place.world, place.prepared):
            answer = send(browser, method, address, route)
            if method == "GET":
                assert answer.status_code in {200, 303, 308, 404}, (method, address, answer.status_code)
            else:
                assert 400 <= answer.status_code < 500, (method, address, answer.status_code)
    assert place.everything_stored() == before


def test_other_municipality_finds_the_same_as_where_nothing_is(place: Place):
    browsers = {login: place.world.browser(login) for login in ("gwen", "hugo")}
    before = place.everything_stored()
    for login, browser in browsers.items():
        role = PEOPLE[login][2]
        for route, method in calls(place.routes):
            if "{run_id}" not in route.path:
                continue
            assert isinstance(route.policy, Allowed), route.path
            expected = 404 if may([role], route.policy.action) else 403
            for address in addresses_of(route.path, place.world, place.prepared):
                there = send(browser, method, address, route)
                absent = send(browser, method, address.replace(place.prepared.run, NOWHERE), route)
                assert there.status_code == absent.status_code == expected, (method, address, there.status_code)
                assert comparable(there.text) == comparable(absent.text), (method, address)
                assert {*there.headers} == {*absent.headers}, (method, address)
    assert place.everything_stored() == before


def comparable(page: str) -> str:
    """Without the address that was asked for, and what is drawn anew for each page."""
    page = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", page)
    return re.sub(r'(name="(?:csrf_token|once)" value|nonce)="[^"]*"', "", page)


@pytest.mark.parametrize("token", ["", "van-een-ander"])
def test_post_without_the_token_changes_nothing(place: Place, token: str):
    browsers = [place.world.browser(login) for login in ("anna", "carla")]
    before = place.everything_stored()
    for route in place.routes:
        if "POST" not in route.methods or isinstance(route.policy, Public):
            continue
        for browser in browsers:
            answer = browser.post(place.address(route), {}, token=token, follow_redirects=False)
            assert answer.status_code == 403, (route.path, answer.status_code)
    assert place.everything_stored() == before


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elders.example.nl"}])
def test_post_from_another_site_changes_nothing_even_with_the_token(place: Place, headers: dict[str, str]):
    browser = place.world.browser("carla")
    before = place.everything_stored()
    for route in place.routes:
        if "POST" in route.methods:
            data = {"csrf_token": browser.csrf_token}
            answer = browser.client.post(place.address(route), data=data, headers=headers, follow_redirects=False)
            assert answer.status_code == 403, (route.path, answer.status_code)
            assert "set-cookie" not in answer.headers, route.path
    assert place.everything_stored() == before


# --- hostile parameters ------------------------------------------------------------------------------------------

# As they stand in an address: percent-encoded.
HOSTILE = {
    "long": "x" * 5_000,
    "nul": "a%00b",
    "not_utf8": "%ff%fe%c3",
    "surrogate": "%ed%a0%80",
    "negative": "-1",
    "huge": "9" * 400,
    "int64": "9223372036854775808",
    "zero": "0",
    "dots": "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "quote": quote("' OR 1=1 -- \";"),
    "percent": "%25s%25d%25",
    "empty": "%20",
    "superscript": quote("verkennen.²"),
    "round_huge": "verkennen." + "9" * 30,
    "round_negative": "verkennen.-1",
    "round_long": "verkennen." + "9" * 5_000,
    "emoji": quote("🦜"),
    "crlf": "a%0d%0aSet-Cookie:%20x=1",
    "braces": quote("{{7*7}}${7*7}"),
}


def test_hostile_part_of_an_address_is_not_found(place: Place):
    browser = place.world.browser("carla")  # who, as a manager, may call every route of a run
    for route, method in calls(place.routes):
        for parameter in route.parameters:
            for name, hostile in HOSTILE.items():
                address = place.address(route, **{parameter: hostile})
                answer = send(browser, method, address, route)
                assert 400 <= answer.status_code < 500, (name, method, address[:200], answer.status_code)
                assert "x" not in answer.cookies


def test_hostile_query_is_never_our_fault(place: Place):
    browser = place.world.browser("carla")
    asked = 0
    for route in place.routes:
        if "GET" not in route.methods:
            continue
        for parameter in sorted(route.query | {"onbekend"}):
            for name, hostile in HOSTILE.items():
                # Twice: what counts is either the first or the last.
                answer = send(
                    browser, "GET", f"{place.address(route)}?{parameter}={hostile}&{parameter}={hostile}", route
                )
                assert answer.status_code < 500, (name, route.path, parameter)
                asked += 1
    assert asked > 500


TYPED = {
    "long": "x" * 100_000,
    "nul": "a\x00b",
    "negative": "-1",
    "huge": "9" * 400,
    "int64": "9223372036854775808",
    "hex": "f" * 64,
    "id": NOWHERE,
    "control": "\x01\x1b[31m\u202e\ufffe",
    "blank": " \t\r\n",
    "formula": "=1+1",
}


def test_hostile_field_of_any_form_is_never_our_fault(place: Place):
    """Every field of every form on every page; afterwards every page can still be shown, and the report be made."""
    begun = begin(place.world, officer="anna", manager="carla", word="meeuw")
    add_evidence(begun.team, begun.evidence_page, "link", "meeuw")
    places = (place, Place(place.world, begun.prepared()))
    tried: set[tuple[str, str]] = set()
    for login, each in itertools.product(("anna", "carla"), places):
        browser = place.world.browser(login)
        for form in forms_of(each, browser):
            for field in sorted({*form.values, *form.options} - {"csrf_token"}):
                if (form.action, field) not in tried:
                    tried.add((form.action, field))
                    type_nonsense(browser, form, field)
    assert len(tried) > 60
    for each in places:
        for address in pages_of(each):
            assert place.world.browser("emma").get(address).status_code < 500, address


def type_nonsense(browser: Browser, form: Form, field: str) -> None:
    for name, typed in TYPED.items():
        data = {**form.values, field: [typed]}
        answer = browser.client.post(form.action, data=data, follow_redirects=False)
        assert answer.status_code < 500, (name, form.action, field)
    answer = browser.client.post(
        form.action,
        content=f"{quote(field)}=%ff%fe%ed%a0%80&csrf_token={quote(browser.csrf_token)}",
        headers={"content-type": "application/x-www-form-urlencoded"},
        follow_redirects=False,
    )
    assert answer.status_code < 500, ("not_utf8", form.action, field)


def pages_of(place: Place) -> Iterator[str]:
    for route in place.routes:
        if "GET" in route.methods:
            yield from addresses_of(route.path, place.world, place.prepared)


def forms_of(place: Place, browser: Browser) -> Iterator[Form]:
    for address in pages_of(place):
        answer = browser.get(address)
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            yield from (form for form in forms_in(answer.text) if form.method == "post" and form.action != SIGN_OUT)
