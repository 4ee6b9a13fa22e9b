from datetime import timedelta
from time import process_time

import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from app.features.accounts.attempts import ATTEMPTS_MAX, ATTEMPTS_WINDOW, network_of
from app.features.accounts.checks import PasswordChecks
from app.policy import Role
from app.storage import accounts, passwords, sign_in_attempts
from app.storage.accounts import DemoAccount
from app.storage.attempt_keys import attempt_key
from app.storage.database import Database
from app.storage.passwords import PASSWORD_BYTES_MAX
from app.storage.sign_in_attempts import AttemptLimit
from app.storage.tables import LoginAttempt, LoginSession, User
from app.web.identity import session_id_of
from tests.features.accounts.building import (
    MONDAY,
    OURS,
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_session,
    a_user,
    an_app,
    hidden_fields_in,
)

WRONG = "De inlognaam en het wachtwoord horen niet bij elkaar."


def sign_in(browser: TestClient, login: str = "anna", password: str = PASSWORD, **fields: str):
    return browser.post("/inloggen", data={"login": login, "password": password, **fields})


def test_user_signs_in_works_and_signs_out(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database))

    answer = sign_in(browser, verder="/bekijken")

    assert (answer.status_code, answer.headers["location"]) == (303, "/bekijken")
    assert browser.get("/bekijken").json()["user"] == str(anna)
    with database.read() as session:
        csrf_token = session.exec(select(LoginSession.csrf_token)).one()
    token = browser.cookies["stappenplan"]

    answer = browser.post("/uitloggen", data={"csrf_token": csrf_token})

    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")
    assert "stappenplan" not in browser.cookies
    assert "U bent uitgelogd." in browser.get("/inloggen").text
    browser.cookies.set("stappenplan", token)
    assert browser.get("/bekijken").status_code == 303
    with database.read() as session:
        assert session.exec(select(LoginSession)).all() == []


@pytest.mark.parametrize("login", ["ANNA", "  anna ", "Anna\t"])
def test_login_name_is_taken_as_people_type_it(database: Database, login: str):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})

    assert sign_in(a_browser(an_app(database)), login).status_code == 303


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("anna", "iets anders dan dit"),
        ("anna", PASSWORD + " "),
        ("anna", PASSWORD.upper()),
        ("anna", "x" * (PASSWORD_BYTES_MAX + 1)),
        ("onbekend", PASSWORD),
        ("uitgezet", PASSWORD),
        ("zonder", PASSWORD),
        ("an\x00na", PASSWORD),
        ("anna", "nul\x00nul"),
        ("a" * 10_000, PASSWORD),
        ("' OR '1'='1", PASSWORD),
        ("😀", "😀😀😀"),
    ],
)
def test_every_wrong_sign_in_gets_the_same_answer(database: Database, login: str, password: str):
    zonnedam = a_municipality(database)
    a_user(database, roles={zonnedam: [Role.AUDITOR]})
    a_user(database, "uitgezet", roles={zonnedam: [Role.AUDITOR]})
    a_user(database, "zonder", roles={zonnedam: [Role.AUDITOR]})
    with database.write() as session:
        accounts.disable_user(session, "uitgezet", at=MONDAY)
        session.exec(select(User).where(User.login == "zonder")).one().password_hash = None
    browser = a_browser(an_app(database))

    answer = sign_in(browser, login, password)

    assert answer.status_code == 422
    assert WRONG in answer.text
    assert "set-cookie" not in answer.headers
    assert password not in answer.text
    with database.read() as session:
        assert session.exec(select(LoginSession)).all() == []


def test_unknown_login_costs_as_much_as_a_wrong_password():
    """A real hash with today's parameters; the time itself only shows that it is not skipped."""
    stored = passwords.hash_password(PASSWORD)
    assert passwords._NOBODY.split("$")[:4] == stored.split("$")[:4]

    def cost(of: str | None) -> float:
        start = process_time()
        assert passwords.check_password("iets anders dan dit", of) == (False, None)
        return process_time() - start

    assert cost(None) > cost(stored) / 4
    assert passwords.check_password(PASSWORD, stored) == (True, None)


def test_hash_with_older_parameters_is_renewed_at_sign_in(database: Database):
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    with database.write() as session:
        session.exec(select(User)).one().password_hash = weak

    assert sign_in(a_browser(an_app(database))).status_code == 303

    with database.read() as session:
        renewed = session.exec(select(User.password_hash)).one()
    assert renewed is not None
    assert renewed.split("$")[:4] == passwords._NOBODY.split("$")[:4]
    assert sign_in(a_browser(an_app(database))).status_code == 303


@pytest.mark.parametrize(
    ("data", "sentences"),
    [
        ({}, ["Vul uw inlognaam in.", "Vul uw wachtwoord in."]),
        ({"login": "  ", "password": PASSWORD}, ["Vul uw inlognaam in."]),
        ({"login": "anna"}, ["Vul uw wachtwoord in."]),
    ],
)
def test_empty_field_is_named(database: Database, data: dict[str, str], sentences: list[str]):
    answer = a_browser(an_app(database)).post("/inloggen", data=data)

    assert answer.status_code == 422
    for sentence in sentences:
        assert sentence in answer.text
    with database.read() as session:
        assert session.exec(select(LoginAttempt)).all() == []


def test_refused_sign_in_keeps_the_login_name_and_the_way_back(database: Database):
    answer = sign_in(a_browser(an_app(database)), "Jan <b>", "verkeerd wachtwoord", verder="/bekijken?x=1&y=2")

    assert 'value="Jan &lt;b&gt;"' in answer.text
    assert ("verder", "/bekijken?x=1&y=2") in hidden_fields_in(answer.text, action="/inloggen")


# --- the session and its cookie -----------------------------------------------------------------------------------


def test_cookie_on_plain_http(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})

    header, *_ = sign_in(a_browser(an_app(database))).headers.get_list("set-cookie")

    assert header.startswith("stappenplan=")
    flags = {flag.strip().lower() for flag in header.split(";")[1:]}
    assert flags == {"httponly", "path=/", "samesite=lax"}


def test_cookie_over_tls_can_only_come_from_us(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database, secure_cookies=True), base_url="https://testserver")

    header, *_ = sign_in(browser).headers.get_list("set-cookie")

    assert header.startswith("__Host-stappenplan=")
    flags = {flag.strip().lower() for flag in header.split(";")[1:]}
    assert flags == {"httponly", "path=/", "samesite=lax", "secure"}
    assert browser.get("/bekijken").status_code == 200
    browser.cookies.clear()
    browser.cookies.set("stappenplan", header.split("=")[1].split(";")[0])
    assert browser.get("/bekijken").status_code == 303  # a name without the prefix can be set by a neighbour


def test_token_is_random_and_stored_only_as_its_hash(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser, other = a_browser(an_app(database)), a_browser(an_app(database))
    sign_in(browser)
    sign_in(other)

    tokens = {browser.cookies["stappenplan"], other.cookies["stappenplan"]}

    assert len(tokens) == 2
    assert all(len(token) == 43 for token in tokens)  # 32 bytes
    with database.read() as session:
        rows = session.exec(select(LoginSession)).all()
    assert {row.id for row in rows} == {session_id_of(token) for token in tokens}
    assert len({row.csrf_token for row in rows}) == 2


def test_signing_in_again_ends_the_session_that_the_browser_had(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna, token="door een ander geplant"))

    sign_in(browser)

    with database.read() as session:
        left = session.exec(select(LoginSession.id)).all()
    assert session_id_of("door een ander geplant") not in left
    assert len(left) == 1


def test_sessions_that_ended_a_week_ago_are_swept(database: Database):
    clock = AdjustableClock()
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    a_session(database, anna, token="oud")
    clock.advance(days=7, minutes=1)

    sign_in(a_browser(an_app(database, clock)))

    with database.read() as session:
        assert session_id_of("oud") not in session.exec(select(LoginSession.id)).all()


def test_signing_out_needs_the_token(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.post("/uitloggen").status_code == 403
    assert browser.get("/uitloggen").status_code == 405
    assert browser.get("/bekijken").status_code == 200


def test_sign_in_form_of_another_site_is_refused(database: Database):
    """Otherwise somebody could make our user work, unaware, in the account of an attacker."""
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database))

    answer = browser.post(
        "/inloggen", data={"login": "anna", "password": PASSWORD}, headers={"origin": "https://evil.example"}
    )

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


# --- where to afterwards ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verder",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/\u202e/evil",
        "evil.example",
        "",
        "//[::1",
        "/" + "a" * 2001,
        "/inloggen",
        "/uitloggen?x=1",
        "http:evil.example",
    ],
)
def test_afterwards_never_to_another_site(database: Database, verder: str):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database))

    page = browser.get("/inloggen", params={"verder": verder})
    assert ("verder", "/") in hidden_fields_in(page.text, action="/inloggen")
    assert sign_in(browser, verder=verder).headers["location"] == "/"


@pytest.mark.parametrize("verder", ["/", "/trajecten/1?fase=visie&x=%2F%2Fevil.example", "/a//b", "/gemeenten"])
def test_afterwards_back_to_where_one_was(database: Database, verder: str):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})

    assert sign_in(a_browser(an_app(database)), verder=verder).headers["location"] == verder


# --- too many attempts --------------------------------------------------------------------------------------------


def attempts(database: Database, count: int, *, login: str | None = None, at: timedelta = timedelta()) -> None:
    """Failed ones, without the cost of a hash: of one account from many addresses, or the other way round."""

    keys = [attempt_key("account", login)] if login else [attempt_key("address", "unknown")]
    with database.write() as session:
        session.add_all(LoginAttempt(key=keys[0], at=MONDAY + at) for _ in range(count))


def test_attempt_ten_is_heard_and_eleven_is_not(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database))
    attempts(database, ATTEMPTS_MAX - 1, login="anna")

    assert sign_in(browser, password="verkeerd wachtwoord").status_code == 422
    answer = sign_in(browser)  # even with the right password: that is what somebody who guesses would find out

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "300"
    assert "Wacht 5 minuten en probeer het opnieuw." in answer.text
    assert 'value="anna"' in answer.text
    assert "<title>Fout: Inloggen" in answer.text
    assert "<title>Inloggen" in browser.get("/inloggen").text


def test_waiting_helps(database: Database):
    clock = AdjustableClock()
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database, clock))
    attempts(database, 1, login="anna")
    attempts(database, ATTEMPTS_MAX - 1, login="anna", at=timedelta(minutes=2))

    clock.advance(minutes=4, seconds=1)
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "59")
    assert "Wacht één minuut" in answer.text
    clock.at = MONDAY + ATTEMPTS_WINDOW
    assert sign_in(browser).status_code == 303


def test_address_that_tries_many_accounts_is_slowed_down(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    attempts(database, ATTEMPTS_MAX)  # TestClient's address is no IP address

    assert sign_in(a_browser(an_app(database))).status_code == 429


def test_other_account_from_elsewhere_is_not_bothered(database: Database):
    a_user(database, "bert", roles={a_municipality(database): [Role.AUDITOR]})
    attempts(database, ATTEMPTS_MAX, login="anna")

    assert sign_in(a_browser(an_app(database)), "bert").status_code == 303


def test_account_is_counted_however_its_name_is_typed(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    attempts(database, ATTEMPTS_MAX, login="anna")

    assert sign_in(a_browser(an_app(database)), " ANNA ").status_code == 429


def test_success_does_not_count_and_refused_attempts_do_not_prolong(database: Database):
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database))

    assert sign_in(browser).status_code == 303
    with database.read() as session:
        assert session.exec(select(LoginAttempt)).all() == []
    attempts(database, ATTEMPTS_MAX, login="anna")
    sign_in(browser)
    with database.read() as session:
        assert len(session.exec(select(LoginAttempt)).all()) == ATTEMPTS_MAX


def test_attempts_at_the_same_moment_do_not_slip_past(database: Database):
    from concurrent.futures import ThreadPoolExecutor

    def claim(_: int) -> bool:
        with database.write() as session:
            ids, _until = sign_in_attempts.claim_attempt(
                session, [AttemptLimit(key * 64, ATTEMPTS_MAX, ATTEMPTS_WINDOW) for key in "ab"], at=MONDAY
            )
            return bool(ids)

    with ThreadPoolExecutor(8) as threads:
        heard = sum(threads.map(claim, range(40)))

    assert heard == ATTEMPTS_MAX


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_one_subscriber_is_one_address(address: str | None, network: str):
    assert network_of(address) == network


def test_few_passwords_are_checked_at_once_and_the_queue_is_short():
    import asyncio
    import threading
    import time

    running, most = 0, 0
    lock = threading.Lock()

    def slow_check(password: str, stored: str | None) -> tuple[bool, str | None]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return True, None

    async def storm() -> bool:
        checks = PasswordChecks(check=slow_check)
        tasks = [asyncio.create_task(checks.run("x", None)) for _ in range(40)]
        await asyncio.sleep(0.001)
        full = checks.is_full
        await asyncio.gather(*tasks)
        assert not checks.is_full
        return full

    assert asyncio.run(storm())
    assert most == 2


def test_full_queue_asks_to_wait_a_few_seconds(database: Database):
    class Full(PasswordChecks):
        is_full = True  # as if thirty people were waiting

    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    app = an_app(database)
    checks, app.state.password_checks = app.state.password_checks, Full()
    try:
        answer = sign_in(a_browser(app))
    finally:
        app.state.password_checks = checks

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Het is erg druk" in answer.text
    with database.read() as session:
        assert session.exec(select(LoginAttempt)).all() == []


# --- the page -----------------------------------------------------------------------------------------------------


def test_page_helps_password_managers(database: Database):
    page = a_browser(an_app(database)).get("/inloggen").text

    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "demonstratie" not in page


def test_demonstration_accounts_sign_in_with_one_click(database: Database):
    zonnedam = a_municipality(database)
    a_user(database, "leo@zonnedam.example", roles={zonnedam: [Role.MANAGER]}, name="Leo van Dam")
    shown = DemoAccount("leo@zonnedam.example", PASSWORD, "Leo van Dam", "Zonnedam", (Role.MANAGER,))
    browser = a_browser(an_app(database, demo_accounts=[shown]))

    page = browser.get("/inloggen?verder=/bekijken").text

    assert "Dit is een demonstratie" in page
    assert PASSWORD in page
    fields = dict(hidden_fields_in(page[page.index("<aside") :], action="/inloggen"))
    answer = browser.post("/inloggen", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/bekijken")


def test_operator_of_the_demonstration_is_shown_after_the_municipalities(database: Database):
    people = [
        DemoAccount("beheer@stappenplan.example", PASSWORD, "Robin Meijer", "", ()),
        DemoAccount("leo@zonnedam.example", PASSWORD, "Leo van Dam", "Zonnedam", (Role.MANAGER,)),
    ]
    page = a_browser(an_app(database, demo_accounts=people)).get("/inloggen").text
    places = [
        page.index(words) for words in ("Leo van Dam", "Deze installatie", "Robin Meijer", "beheerder van de inst")
    ]
    assert places == sorted(places)


def test_client_without_address_headers_can_sign_in(database: Database):
    """Scripts and very old browsers say nothing about where they come from; they can't be made to attack us."""
    a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    client = TestClient(an_app(database), base_url=OURS, follow_redirects=False)

    assert sign_in(client).status_code == 303


# --- behind a proxy -----------------------------------------------------------------------------------------------


def through_proxy(app: FastAPI, forwarded: str, *, direct: str = "10.0.0.7", password: str = "verkeerd wachtwoord"):
    client = TestClient(app, base_url=OURS, follow_redirects=False, client=(direct, 1234))
    data = {"login": f"niemand-{forwarded}", "password": password}
    return client.post("/inloggen", data=data, headers={"origin": OURS, "x-forwarded-for": forwarded}).status_code


def test_sender_behind_a_proxy_is_counted_whatever_it_says_of_itself(database: Database):
    app = an_app(database, trusted_proxies="10.0.0.7")
    for number in range(ATTEMPTS_MAX):
        assert through_proxy(app, f"203.0.113.{number}, 192.0.2.1") == 422
    assert through_proxy(app, "203.0.113.99, 192.0.2.1") == 429
    assert through_proxy(app, "192.0.2.1, 198.51.100.1") == 422  # who it says it is does not matter to another


def test_forwarded_address_of_somebody_who_is_no_proxy_is_ignored(database: Database):
    app = an_app(database, trusted_proxies="10.0.0.7")
    for number in range(ATTEMPTS_MAX):
        assert through_proxy(app, f"203.0.113.{number}", direct="192.0.2.1") == 422
    assert through_proxy(app, "203.0.113.99", direct="192.0.2.1") == 429
    assert through_proxy(app, "203.0.113.99", direct="192.0.2.2") == 422


def test_without_a_configured_proxy_the_header_means_nothing(database: Database):
    app = an_app(database)
    for number in range(ATTEMPTS_MAX):
        assert through_proxy(app, f"203.0.113.{number}") == 422
    assert through_proxy(app, "203.0.113.99") == 429
