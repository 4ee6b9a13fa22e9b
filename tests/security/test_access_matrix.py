"""docs/security/access.csv, which people review, is what the routes declare and what the application really answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from starlette.testclient import TestClient

from app.policy import Role
from app.storage import installation
from app.storage.auditor_limits import Limit, set_limit
from app.storage.database import Database
from app.storage.scope import set_scope, unscoped
from app.storage.tables import AccountEvent
from app.web.access import Allowed
from scripts.access_matrix import COLUMNS, FILE, NO, OWN, SIGN_IN, YES, Row, declared, differences, kept
from tests.features.accounts.building import MONDAY, OURS, a_session, a_user
from tests.features.client import Browser, World, a_world
from tests.security.prepared import Prepared, prepare, prepare_all
from tests.security.routes import one_address, routes_of

UNKNOWN = "allowed; on which runs, this address does not tell"
SIGN_OUT = "/uitloggen"  # ends the session of the test
LOGINS = {"policy_officer": "anna", "manager": "carla", "auditor": "emma", "adviser": "kees", "administrator": "ferry"}


def test_file_has_a_row_for_every_route_and_says_what_it_declares(sqlite_database: Database):
    """Mend it with: python -m scripts.access_matrix --write; then read the diff."""
    app = a_world(sqlite_database).app
    assert [*differences(kept(), declared(app))] == []
    assert FILE.read_text(encoding="utf-8").splitlines()[0] == ";".join(COLUMNS)


def test_difference_of_any_kind_is_found():
    row = dict.fromkeys(COLUMNS, YES) | {"route": "/a", "method": "GET", "why": "so"}
    assert [*differences([row], [row | {"why": ""}])] == []
    assert [*differences([row], [])] == ["GET /a: there is no such route"]
    assert [*differences([], [row])] == ["GET /a: has no row"]
    assert [*differences([row], [row | {"adviser": NO}])] == ["GET /a: adviser is 'yes', declared is 'no'"]


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return a_world(sqlite_database, data_dir=tmp_path / "data")


def test_every_role_gets_the_answer_of_the_file(world: World):
    """Of runs that are not one's own: the same as where there is none. Fragments answer as pages do."""
    ours = prepare_all(world, officer="anna", manager="carla", word="merel")
    hidden = prepare(world, officer="anna", manager="carla", word="spreeuw")
    stop = f"/trajecten/{hidden.run}/advies/delen/{world.users['kees']}/stoppen"
    assert world.browser("anna").post(stop, {}, follow_redirects=False).status_code == 303
    browsers = {name: world.browser(login) for name, login in LOGINS.items()}
    browsers["limited_auditor"] = a_limited_auditor(world, ours.run)
    browsers["operator"] = an_operator(world)
    nobody = TestClient(world.app, base_url=OURS, follow_redirects=False)
    wrong = []
    for row in kept():
        if row["route"] == SIGN_OUT:
            continue
        address = partial(one_address, row["route"], world)
        if (found := _as_nobody(nobody, row, address(ours))) != row["anonymous"]:
            wrong.append((row["method"], row["route"], "anonymous", found))
        if row["anonymous"] == YES:
            continue  # whoever may ask without signing in
        for name, browser in browsers.items():
            found = _as_somebody(browser, row, address, ours, hidden)
            if found != row[name] and not (found == UNKNOWN and row[name] != NO):
                wrong.append((row["method"], row["route"], name, found))
    assert wrong == [], "\n".join(map(str, wrong))
    for name in ("limited_auditor", "adviser"):  # lists, counts and searches
        for page in _lists(browsers[name]):
            assert "spreeuw" not in page
            assert "1 traject<" in page or "Er is geen traject" in page or "traject gevonden" in page


def _lists(browser: Browser) -> Iterator[str]:
    yield browser.get("/").text
    yield browser.get("/?zoek=spree", htmx=True).text
    yield browser.get("/?pagina=2", htmx=True).text


def _as_nobody(nobody: TestClient, row: Row, address: str) -> str:
    answer = nobody.request(row["method"], address)
    is_refused = answer.status_code == 401 or answer.headers.get("location", "").startswith("/inloggen")
    assert answer.status_code < 500, address
    return SIGN_IN if is_refused and not row["route"].startswith("/inloggen") else YES


def _as_somebody(browser: Browser, row: Row, address: Any, ours: Prepared, hidden: Prepared) -> str:
    status = _status(browser, row["method"], address(ours))
    if row["method"] == "GET" and status != 200:
        fragment = _status(browser, "GET", address(ours), htmx=True)
        # Somebody without a municipality is sent on; a part of a page says that in a header.
        assert fragment == status or (status, fragment) in {(303, 401), (303, 204)}, (row["route"], status, fragment)
    if status in (401, 403):
        return NO
    if status == 303 and row["method"] == "GET" and row["operator"] == NO:
        return NO if browser.get(address(ours)).url.path == "/installatie" else YES
    if "{run_id}" not in row["route"] or status == 404:
        return UNKNOWN
    if _status(browser, row["method"], address(hidden)) != 404:
        return YES
    assert _status(browser, row["method"], address(_nowhere(ours))) == 404, row["route"]
    return OWN


def _nowhere(ours: Prepared) -> Prepared:
    return replace(ours, run=str(uuid.uuid4()))


def _status(browser: Browser, method: str, address: str, *, htmx: bool = False) -> int:
    send: Mapping[str, Any] = {"GET": browser.get, "POST": partial(browser.post, fields={})}
    answer = send[method](address, htmx=htmx, follow_redirects=False)
    if (
        answer.status_code == 428
    ):  # as it is for everybody, whatever there is: ask again with what a page could have shown
        answer = browser.post(address, {"shown": "0" * 64, "revision": "1"}, htmx=htmx, follow_redirects=False)
    assert answer.status_code < 500, (method, address)
    status: int = answer.status_code
    return status


def a_limited_auditor(world: World, run: str) -> Browser:
    here = world.municipalities["Zonnedijk"]
    user = a_user(world.database, "buiten", roles={here: {Role.AUDITOR}}, name="Bo Buiten")
    with world.database.write() as session:
        set_scope(session, here)
        set_limit(session, user, Limit(frozenset({uuid.UUID(run)})), at=MONDAY)
    return _signed_in(world, user)


def an_operator(world: World) -> Browser:
    with world.database.write() as session:
        unscoped(session, "operators belong to no municipality")
        user, _ = installation.add_operator(session, login="otto", name="Otto Beheer", at=MONDAY)
    return _signed_in(world, user)


def _signed_in(world: World, user: uuid.UUID) -> Browser:
    token = f"sessie-{user}"
    a_session(world.database, user, token=token, csrf_token="csrf", at=world.clock.at)
    return Browser(world.app, token, "csrf")


def test_reading_is_recorded_where_the_file_says_so_and_nowhere_else(world: World):
    ours = prepare_all(world, officer="anna", manager="carla", word="merel")
    emma, carla = world.browser("emma"), world.browser("carla")
    emma.get("/")
    for row in kept():
        if row["method"] != "GET" or row["auditor"] != YES or row["anonymous"] == YES:
            continue
        address = one_address(row["route"], world, ours)
        before = _recorded(world)
        carla.get(address)
        assert _recorded(world) == before, ("a manager", row["route"])
        is_shown = emma.get(address, follow_redirects=False).status_code == 200
        assert (_recorded(world) > before) == (row["recorded"] == YES and is_shown), row["route"]


def _recorded(world: World) -> int:
    kinds = [col(AccountEvent.act).startswith("read_"), col(AccountEvent.act).startswith("took_")]
    with world.reading() as session:
        query = select(func.count()).select_from(AccountEvent).where(kinds[0] | kinds[1])
        return int(session.execute(query).scalar_one())


def test_routes_of_a_run_all_take_their_reach_from_the_policy(world: World):
    """So that no route of a run can show it to somebody for whom it was not opened."""
    for route in routes_of(world.app):
        if "{run_id}" in route.path:
            assert isinstance(route.policy, Allowed), route.path
