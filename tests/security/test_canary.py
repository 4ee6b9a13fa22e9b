"""Nothing that one municipality wrote ever reaches another: 0 bytes, in no part of any answer.

Here every route, as every role, with every kind of id; `make prove` does the same with every combination.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.testclient import TestClient

from app.storage.database import Database
from tests.features.client import a_world
from tests.journey.visitor import Visitor
from tests.security.canaries import (
    CANARY,
    SEARCHED,
    SILENT,
    SINGING,
    WORD,
    Lookout,
    Planted,
    plant,
    readable,
    silent_columns,
    text_columns,
)
from tests.security.prepared import visitor
from tests.security.sweeping import Sweep, somebody_of_every_role


@pytest.fixture
def planted(database: Database, tmp_path: Path) -> Planted:
    return plant(a_world(database, data_dir=tmp_path / "data"))


def test_every_column_with_text_has_a_canary_or_a_reason_why_not():
    assert text_columns() == SINGING | SILENT, "see tests/security/canaries.py"
    assert SINGING.isdisjoint(SILENT)


def test_nothing_of_another_municipality_reaches_anybody(planted: Planted):
    assert silent_columns(planted.world) == []
    assert_the_canary_sings_at_home(planted)
    sweep = Sweep(planted)
    # On PostgreSQL, where there is a second wall behind the first, the two who may do most; `make prove` takes all.
    people = somebody_of_every_role() if planted.world.database.is_sqlite else ["carla", "ferry"]
    for login in people:
        assert sweep.differences(login) == []
        sweep.everything(login)
    assert sweep.lookout.leaks == []
    assert sweep.lookout.answers > 500 * len(people)
    assert {200, 303, 403, 404} <= {*sweep.lookout.by_status}, "it was let in here and there"
    assert_the_canary_sings_at_home(planted)


def assert_the_canary_sings_at_home(planted: Planted) -> None:
    """Or the test would find nothing anywhere."""
    theirs, hugo, ilse = planted.theirs, visitor(planted.world, "hugo"), visitor(planted.world, "ilse")
    run, plan = f"/trajecten/{theirs.run}", f"/stappenplannen/{theirs.local_plan}/1.0.0"
    pages = ("", "/geschiedenis", "/rapport", "/rapport/pdf", "/rapport/csv", "/bewijsstukken", "/fasen/verkennen.1")
    for address in (
        *("/", f"/?zoek={SEARCHED}", "/stappenplannen", plan, f"{plan}/verschillen"),
        *(run + page for page in pages),
        *(f"{run}/bewijsstukken/{id}" for id in theirs.evidence),
        f"/trajecten/nieuw?stappenplan={theirs.local_plan}@1.0.0",
    ):
        assert sings(hugo, address), address
    for address in ("/beheer/gebruikers", f"/beheer/overzetten/{planted.ids['mass_move_id'][0]}", "/account"):
        assert sings(ilse, address), address


def sings(person: Visitor, address: str) -> bool:
    return CANARY in readable(person.client.get(address))


# --- would it be noticed? ----------------------------------------------------------------------------------------


def _zip(word: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("blad.csv", f"naam\r\n{word}\r\n")
    return packed.getvalue()


def _only_in_part(request: Request, word: str) -> Response:
    return PlainTextResponse(word if "hx-request" in request.headers else "niets")


LEAKS: dict[str, Callable[[Request, str], Response]] = {
    "page": lambda request, word: PlainTextResponse(f"Traject {word}"),
    "page with marks": lambda request, word: PlainTextResponse("&#122;angvogeltje"),
    "divided over lines": lambda request, word: PlainTextResponse("zang\nvogeltje"),
    "capitals": lambda request, word: PlainTextResponse(word.upper()),
    "part of a page": _only_in_part,
    "redirect": lambda request, word: RedirectResponse(f"/trajecten?naam={quote(word)}", 303),
    "file name": lambda request, word: Response(
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(word)}.pdf"}
    ),
    "tag": lambda request, word: Response(headers={"etag": f'"{quote(word)}"'}),
    "cookie": lambda request, word: Response(headers={"set-cookie": f"laatste={quote(word)}"}),
    "archive": lambda request, word: Response(_zip(word), media_type="application/zip"),
    "error": lambda request, word: PlainTextResponse(f"{word} mag dit niet", 403),
}


@pytest.mark.parametrize("way", LEAKS)
def test_route_that_leaks_is_noticed(way: str):
    app = FastAPI()

    @app.get("/lek")
    def leak(request: Request) -> Response:
        return LEAKS[way](request, WORD)

    client, lookout = TestClient(app, follow_redirects=False), Lookout()
    for headers in ({}, {"hx-request": "true"}):
        lookout.look(client.get("/lek", headers=headers), way)
    assert lookout.answers == 2
    assert any(CANARY in leak for leak in lookout.leaks)


def test_route_that_forgets_its_municipality_is_noticed(sqlite_database: Database, tmp_path: Path):
    """In the application itself, with the very addresses of the sweep. Without row-level security, so on SQLite."""
    planted = plant(a_world(sqlite_database, data_dir=tmp_path / "data"))
    sweep = Sweep(planted)
    genuine = planted.world.browser("anna").client

    class Forgetful:
        """Answers a page of a run from the table as a whole, below the limit."""

        def request(self, method: str, address: str, **options: Any) -> Any:
            if method == "GET" and address == f"/trajecten/{planted.theirs.run}":
                with sqlite_database.read() as session:
                    driver = session.connection().connection.driver_connection
                    assert driver is not None
                    found = driver.execute("SELECT name FROM run ORDER BY name").fetchall()
                return TestClient(_says(str(found))).get("/")
            return genuine.request(method, address, **options)

    browser = planted.world.browser("anna")
    browser.client = Forgetful()  # type: ignore[assignment]  # stands between
    sweep.paths(browser)
    [leak] = {*sweep.lookout.leaks}
    assert f"GET /trajecten/{planted.theirs.run} " in leak


def _says(what: str) -> FastAPI:
    app = FastAPI()
    app.get("/")(lambda: PlainTextResponse(what))
    return app
