import asyncio
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import event
from sqlmodel import select, update
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from app.policy import Action, Role
from app.storage.database import Database
from app.storage.tables import LoginSession, Membership, User
from app.web.access import Allowed, Public, allowed, check_routes, public, route_policies
from app.web.identity import ABSOLUTE, IDLE, Caller
from tests.features.accounts.building import (
    CSRF,
    MONDAY,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_session,
    a_user,
    an_app,
)


def test_caller_carries_who_where_and_as_what(database: Database):
    zonnedam = a_municipality(database, "Zonnedam")
    anna = a_user(database, roles={zonnedam: [Role.POLICY_OFFICER, Role.MANAGER]})
    browser = a_browser(an_app(database), token=a_session(database, anna, municipality_id=zonnedam))

    seen = browser.get("/bekijken")

    assert seen.json() == {
        "user": str(anna),
        "municipality": "Zonnedam",
        "roles": ["manager", "policy_officer"],
        "scope": str(zonnedam),
    }


def test_only_municipality_needs_no_choice(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.get("/bekijken").json()["municipality"] == "Zonnedam"


def test_roles_of_one_municipality_do_not_count_in_another(database: Database):
    zonnedam, maanstad = a_municipality(database, "Zonnedam"), a_municipality(database, "Maanstad")
    anna = a_user(database, roles={zonnedam: [Role.MANAGER], maanstad: [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna, municipality_id=maanstad))

    assert browser.get("/bekijken").json()["roles"] == ["auditor"]
    assert browser.post("/akkoord", data={"csrf_token": CSRF}).status_code == 403


def test_role_without_the_action_gets_403(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post("/akkoord", data={"csrf_token": CSRF}).status_code == 403
    assert browser.post("/bewaren", data={"csrf_token": CSRF}).status_code == 200


def test_refused_access_is_told_to_who_watches_with_ids_only(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    with capture_logs() as told:
        browser.post("/akkoord", data={"csrf_token": CSRF, "tekst": "van ons"})
        browser.post("/bewaren", data={"csrf_token": "verkeerd", "tekst": "van ons"})
        browser.post("/bewaren", data={"csrf_token": CSRF}, headers={"origin": "http://evil.example"})

    assert [(line["why"], line["path"], line["user"]) for line in told] == [
        ("no_role", "/akkoord", str(anna)),
        ("wrong_token", "/bewaren", str(anna)),
        ("foreign_origin", "/bewaren", None),
    ]
    assert "van ons" not in str(told)


def test_role_that_is_taken_away_is_gone_at_the_next_request(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.MANAGER, Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna))
    assert browser.post("/akkoord", data={"csrf_token": CSRF}).status_code == 200

    with database.write() as session:
        session.delete(session.exec(select(Membership).where(Membership.role == "manager")).one())

    assert browser.post("/akkoord", data={"csrf_token": CSRF}).status_code == 403


def test_identity_costs_one_query_on_the_connection_of_the_page(database: Database):
    anna = a_user(database, roles={a_municipality(database): list(Role), a_municipality(database, "B"): list(Role)})
    browser = a_browser(an_app(database), token=a_session(database, anna, municipality_id=None))
    with database.write() as session:
        first = session.exec(select(Membership.municipality_id)).first()
        session.execute(update(LoginSession).values(municipality_id=first))
    statements: list[str] = []
    connections: list[object] = []

    def note_statement(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    def note_connection(*_: object) -> None:
        connections.append(1)

    event.listen(database.engine, "before_cursor_execute", note_statement)
    event.listen(database.engine.pool, "checkout", note_connection)
    try:
        assert browser.get("/bekijken").status_code == 200
    finally:
        event.remove(database.engine, "before_cursor_execute", note_statement)
        event.remove(database.engine.pool, "checkout", note_connection)

    assert len([s for s in statements if s.lstrip().upper().startswith("SELECT")]) == 1
    assert not [s for s in statements if s.lstrip().upper().startswith(("UPDATE", "INSERT", "DELETE"))]
    assert len(connections) == 1


# --- ends of sessions ---------------------------------------------------------------------------------------------


def test_anonymous_page_leads_to_sign_in_and_back(database: Database):
    answer = a_browser(an_app(database)).get("/bekijken?fase=visie&ronde=2")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/inloggen?verder=%2Fbekijken%3Ffase%3Dvisie%26ronde%3D2"


def test_anonymous_part_of_a_page_moves_the_whole_page(database: Database):
    htmx = {"hx-request": "true", "hx-current-url": "http://testserver/trajecten/1?fase=visie"}

    answer = a_browser(an_app(database)).get("/bekijken", headers=htmx)

    assert answer.headers["hx-redirect"] == "/inloggen?verder=%2Ftrajecten%2F1%3Ffase%3Dvisie"
    assert answer.text == ""


def test_current_url_of_another_site_is_not_followed(database: Database):
    for elsewhere in ("http://evil.example//evil.example", "http://["):
        htmx = {"hx-request": "true", "hx-current-url": elsewhere}
        assert a_browser(an_app(database)).get("/bekijken", headers=htmx).headers["hx-redirect"] == "/inloggen"


@pytest.mark.parametrize("token", ["onbekend", "é", "a" * 5000, "' OR 1=1 --", "\x7f"])
def test_unknown_token_is_nobody(database: Database, token: str):
    browser = a_browser(an_app(database))

    assert browser.get("/bekijken", headers={b"cookie": f"stappenplan={token}".encode()}).status_code == 303


def test_idle_session_ends_after_half_an_hour(database: Database):
    clock = AdjustableClock()
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database, clock), token=a_session(database, anna))

    clock.advance(minutes=29, seconds=59)
    assert browser.get("/bekijken").status_code == 200
    clock.advance(minutes=29, seconds=59)
    assert browser.get("/bekijken").status_code == 200  # the visit before counted
    clock.at += IDLE
    assert browser.get("/bekijken").status_code == 303


def test_busy_session_ends_after_a_working_day(database: Database):
    clock = AdjustableClock()
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database, clock), token=a_session(database, anna))

    while clock.at < MONDAY + ABSOLUTE - timedelta(minutes=20):
        clock.advance(minutes=20)
        assert browser.get("/bekijken").status_code == 200, clock.at
    clock.at = MONDAY + ABSOLUTE
    assert browser.get("/bekijken").status_code == 303


def test_a_visit_is_noted_at_most_once_a_minute(database: Database):
    clock = AdjustableClock()
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database, clock), token=a_session(database, anna))

    def seen() -> timedelta:
        with database.read() as session:
            return session.exec(select(LoginSession.seen_at)).one() - MONDAY

    clock.advance(seconds=59)
    browser.get("/bekijken")
    assert seen() == timedelta(0)
    clock.advance(seconds=1)
    browser.get("/bekijken")
    assert seen() == timedelta(seconds=60)
    clock.advance(seconds=90)
    browser.post("/bewaren", data={"csrf_token": CSRF})
    assert seen() == timedelta(seconds=150)


def test_disabled_user_is_out_at_the_next_request(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna))
    assert browser.get("/bekijken").status_code == 200

    with database.write() as session:
        session.execute(update(User).values(disabled_at=MONDAY))  # not the session: that alone must be enough

    assert browser.get("/bekijken").status_code == 303


def test_user_who_lost_the_municipality_chooses_another(database: Database):
    zonnedam, maanstad, lost = (a_municipality(database, name) for name in ("Zonnedam", "Maanstad", "Weg"))
    anna = a_user(database, roles={zonnedam: [Role.AUDITOR], maanstad: [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna, municipality_id=lost))

    answer = browser.get("/bekijken")

    assert (answer.status_code, answer.headers["location"]) == (303, "/gemeente?verder=%2Fbekijken")


# --- CSRF ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "verkeerd", "é", CSRF + " ", CSRF.upper()])
def test_change_needs_the_token_of_the_session(database: Database, token: str | None):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post("/bewaren", data={} if token is None else {"csrf_token": token}).status_code == 403


def test_token_of_another_session_is_refused(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    a_session(database, anna, token="andere", csrf_token="andere-csrf")
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post("/bewaren", data={"csrf_token": "andere-csrf"}).status_code == 403


def test_token_may_come_in_a_header(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post("/bewaren", headers={"x-csrf-token": CSRF}).status_code == 200
    assert browser.post("/bewaren", headers={"x-csrf-token": "verkeerd"}, data={"csrf_token": CSRF}).status_code == 403


def test_token_in_a_file_field_is_no_token(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post("/bewaren", files={"csrf_token": ("a.txt", CSRF.encode())}).status_code == 403


def test_token_in_the_address_is_no_token(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post(f"/bewaren?csrf_token={CSRF}").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
    ],
)
def test_change_from_another_site_is_refused_even_with_the_token(database: Database, headers: dict[str, str]):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    answer = browser.post("/bewaren", data={"csrf_token": CSRF, "tekst": "van ons"}, headers=headers)

    assert answer.status_code == 403


def test_what_the_browser_calls_same_origin_is_believed(database: Database):
    """Behind a proxy that changes the host, Origin differs; Sec-Fetch-Site can't be set by a page."""
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))
    headers = {"sec-fetch-site": "same-origin", "origin": "https://stappenplan.example"}

    assert browser.post("/bewaren", data={"csrf_token": CSRF}, headers=headers).status_code == 200


def test_slow_sender_does_not_keep_other_writers_waiting(database: Database):
    """On SQLite one request writes at a time, so the form has to be in before its turn begins."""
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    token = a_session(database, anna)
    app = an_app(database)
    body = f"csrf_token={CSRF}&tekst=klaar".encode()

    async def post(chunks: "asyncio.Queue[dict[str, object]]") -> int:
        status = 0

        async def send(message: dict[str, object]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(str(message["status"]))

        headers = [
            (b"host", b"testserver"),
            (b"cookie", f"stappenplan={token}".encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"origin", b"http://testserver"),
        ]
        scope = {
            "type": "http", "method": "POST", "path": "/bewaren", "raw_path": b"/bewaren", "query_string": b"",
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("testserver", 80), "scheme": "http",
            "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await app(scope, chunks.get, send)  # type: ignore[arg-type]  # a queue of messages is what ASGI receives from
        return status

    async def both() -> tuple[int, int]:
        slow: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        quick: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        slow.put_nowait({"type": "http.request", "body": body[:10], "more_body": True})
        quick.put_nowait({"type": "http.request", "body": body, "more_body": False})
        first = asyncio.create_task(post(slow))
        await asyncio.sleep(0.1)
        second = await asyncio.wait_for(post(quick), timeout=5)
        assert not first.done()
        slow.put_nowait({"type": "http.request", "body": body[10:], "more_body": False})
        return await asyncio.wait_for(first, timeout=5), second

    assert asyncio.run(both()) == (200, 200)


# --- declarations -------------------------------------------------------------------------------------------------


def _answer() -> PlainTextResponse:
    return PlainTextResponse("")


def test_route_without_policy_stops_the_start():
    app = FastAPI(openapi_url=None)
    app.get("/vergeten")(_answer)

    with pytest.raises(RuntimeError, match=r"GET /vergeten: declare public, signed_in, allowed\(.*\) or operating"):
        check_routes(app)


def test_every_forgotten_route_is_named_also_in_routers_and_mounts():
    router, inner, mounted = APIRouter(), APIRouter(), FastAPI(openapi_url=None)
    inner.post("/binnen")(_answer)
    router.include_router(inner, prefix="/diep")
    mounted.get("/kamer")(_answer)
    app = FastAPI(openapi_url=None)
    app.include_router(router, prefix="/a")
    app.mount("/b", mounted)
    app.routes.append(Route("/kaal", _answer))
    app.mount("/bestanden", _answer)  # type: ignore[arg-type]  # never called

    with pytest.raises(RuntimeError) as refusal:
        check_routes(app)

    named = {line.split(":")[0] for line in str(refusal.value).splitlines()[1:]}
    assert named == {"POST /a/diep/binnen", "GET /b/kamer", "GET HEAD /kaal", "any method /bestanden"}


def test_exempt_paths_are_named_one_by_one():
    app = FastAPI(openapi_url=None)
    app.mount("/static", _answer)  # type: ignore[arg-type]  # never called

    check_routes(app, exempt={"/static"})


def test_documentation_pages_of_the_framework_are_not_overlooked():
    with pytest.raises(RuntimeError, match=r"/openapi\.json"):
        check_routes(FastAPI())


def test_two_policies_on_a_route_are_one_too_many():
    router = APIRouter(dependencies=[public])
    router.get("/x", dependencies=[allowed(Action.VIEW_RUN)])(_answer)
    app = FastAPI(openapi_url=None)
    app.include_router(router)

    with pytest.raises(RuntimeError, match="declares 2 policies"):
        check_routes(app)


def test_policy_may_stand_at_the_router_or_below_another_dependency():
    def run_of_caller(caller: Annotated[Caller, allowed(Action.VIEW_RUN)]) -> str:
        return caller.name

    router = APIRouter(dependencies=[public])
    router.get("/router")(_answer)
    app = FastAPI(openapi_url=None)
    app.include_router(router, prefix="/a")
    app.get("/diep", dependencies=[Depends(run_of_caller)])(_answer)
    app.get("/dubbel", dependencies=[allowed(Action.VIEW_RUN), Depends(run_of_caller)])(_answer)

    check_routes(app)
    assert {route.path: route.policies for route in route_policies(app)} == {
        "/a/router": (Public(),),
        "/diep": (Allowed(Action.VIEW_RUN),),
        "/dubbel": (Allowed(Action.VIEW_RUN),),
    }
