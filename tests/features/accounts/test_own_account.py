"""“Mijn account”: what somebody does with the own account."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.features.accounts.attempts import ATTEMPTS_MAX, claim_password
from app.features.accounts.device import Device, device_of
from app.policy import Role
from app.storage import accounts
from app.storage.account_log import shortened
from app.storage.database import Database
from app.storage.tables import AccountEvent, AuthenticatorApp, LoginSession, RecoveryCode, User
from app.web.identity import session_id_of
from tests.features.accounts.building import (
    CSRF,
    MONDAY,
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_session,
    a_user,
    an_app,
    code_of,
    codes_in,
    with_app,
)

NEW = "zes paarse laarzen fluiten"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def anna(database: Database) -> uuid.UUID:
    return a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})


@pytest.fixture
def browser(database: Database, anna: uuid.UUID) -> TestClient:
    return a_browser(an_app(database), token=a_session(database, anna))


def post(browser: TestClient, path: str, **fields: str) -> Any:
    data = {name.replace("_", "-"): value for name, value in fields.items()}
    return browser.post(path, data={"csrf_token": CSRF, **data})


def sign_in(browser: TestClient, password: str = PASSWORD, **options: Any) -> Any:
    return browser.post("/inloggen", data={"login": "anna", "password": password}, **options)


def acts(database: Database) -> list[str]:
    from app.storage.scope import unscoped

    with database.read() as session:
        unscoped(session, "looks at the whole log")
        return list(session.exec(select(AccountEvent.act)))


# --- the page -----------------------------------------------------------------------------------------------------


def test_page_shows_who_one_is_and_where_one_is_signed_in(database: Database, anna: uuid.UUID, browser: TestClient):
    other = a_browser(an_app(database))
    sign_in(other, headers={"user-agent": FIREFOX})

    page = browser.get("/account").text

    assert "Anna de Wit" in page
    assert "Firefox op Linux" in page
    assert "Een apparaat dat wij niet herkennen" in page
    assert page.count("Deze sessie") == 1
    assert page.count("/beeindigen") == 1


@pytest.mark.parametrize(
    ("said", "device"),
    [
        (FIREFOX, Device("Firefox", "Linux")),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140",
            Device("Edge", "Windows"),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/140 Safari/537.36",
            Device("Chrome", "Windows"),
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19 Safari/604.1", Device("Safari", "iPhone")),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537.36", Device("Chrome", "Android")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15) Version/19 Safari/605", Device("Safari", "Mac")),
        ("curl/8.0", Device(None, None)),
        ("", Device(None, None)),
        (None, Device(None, None)),
    ],
)
def test_browser_in_words(said: str | None, device: Device):
    assert device_of(said) == device


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.77", "192.0.2.*"),
        ("::ffff:192.0.2.77", "192.0.2.*"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", ""),
        (None, ""),
    ],
)
def test_address_is_shortened(address: str | None, place: str):
    assert shortened(address) == place


def test_what_a_browser_says_of_itself_is_text(database: Database, anna: uuid.UUID, browser: TestClient):
    sign_in(a_browser(an_app(database)), headers={"user-agent": "<script>alert(1)</script> Firefox " + "x" * 5000})
    page = browser.get("/account").text
    assert "<script>alert" not in page
    with database.read() as session:
        assert max(len(row.device or "") for row in session.exec(select(LoginSession))) == 300


def test_language_goes_along_to_another_browser(database: Database, browser: TestClient):
    assert post(browser, "/account/taal", taal="en").status_code == 303
    assert "My account" in browser.get("/account").text
    other = a_browser(an_app(database))
    sign_in(other)
    assert "My account" in other.get("/account").text
    assert post(browser, "/account/taal", taal="fr").status_code == 422
    assert post(browser, "/account/taal").status_code == 422


# --- sessions -----------------------------------------------------------------------------------------------------


def test_ended_session_is_out_at_the_next_request(database: Database, anna: uuid.UUID, browser: TestClient):
    other = a_browser(an_app(database), token=a_session(database, anna, token="elders"))
    assert other.get("/account").status_code == 200

    answer = post(browser, f"/account/sessies/{session_id_of('elders')}/beeindigen")

    assert answer.status_code == 303
    assert other.get("/account").status_code == 303
    assert browser.get("/account").status_code == 200
    assert acts(database) == ["sessions_ended"]


def test_session_of_somebody_else_can_not_be_ended(database: Database, anna: uuid.UUID, browser: TestClient):
    bert = a_user(database, "bert")
    theirs = a_browser(an_app(database), token=a_session(database, bert, token="van-bert"))
    for session_id in (session_id_of("van-bert"), "0" * 64, "x", "a%00b"):
        assert post(browser, f"/account/sessies/{session_id}/beeindigen").status_code == 404
    assert theirs.get("/account").status_code == 200


def test_all_other_sessions_end_at_once(database: Database, anna: uuid.UUID, browser: TestClient):
    others = [a_browser(an_app(database), token=a_session(database, anna, token=f"elders-{n}")) for n in range(3)]
    assert post(browser, "/account/sessies/andere-beeindigen").status_code == 303
    assert [other.get("/account").status_code for other in others] == [303] * 3
    assert browser.get("/account").status_code == 200


def test_ended_sessions_are_not_listed(database: Database, anna: uuid.UUID, browser: TestClient):
    a_session(database, anna, token="gisteren", at=MONDAY - timedelta(hours=13))
    a_session(database, anna, token="stil", at=MONDAY - timedelta(minutes=31))
    assert "/beeindigen" not in browser.get("/account").text


# --- password -----------------------------------------------------------------------------------------------------


def test_changed_password_works_and_ends_other_sessions(database: Database, anna: uuid.UUID, browser: TestClient):
    other = a_browser(an_app(database), token=a_session(database, anna, token="elders"))

    answer = post(browser, "/account/wachtwoord", wachtwoord=PASSWORD, nieuw_wachtwoord=NEW, nieuw_wachtwoord_2=NEW)

    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert sign_in(a_browser(an_app(database))).status_code == 422
    assert sign_in(a_browser(an_app(database)), NEW).status_code == 303
    assert "password_changed" in acts(database)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"wachtwoord", "nieuw-wachtwoord"}),
        ({"wachtwoord": "verkeerd"}, {"wachtwoord"}),
        ({"wachtwoord": PASSWORD + " "}, {"wachtwoord"}),
        ({"nieuw_wachtwoord": "kort", "nieuw_wachtwoord_2": "kort"}, {"nieuw-wachtwoord"}),
        ({"nieuw_wachtwoord": "Welkom-2026-!", "nieuw_wachtwoord_2": "Welkom-2026-!"}, {"nieuw-wachtwoord"}),
        ({"nieuw_wachtwoord_2": "iets anders"}, {"nieuw-wachtwoord-2"}),
    ],
)
def test_password_that_can_not_be_changed_stays(
    database: Database, browser: TestClient, fields: dict[str, str], wrong: set[str]
):
    right = {"wachtwoord": PASSWORD, "nieuw_wachtwoord": NEW, "nieuw_wachtwoord_2": NEW} if fields else {}
    answer = post(browser, "/account/wachtwoord", **{**right, **fields})
    assert answer.status_code == 422
    assert set(re.findall(r'id="([\w-]+)-error"', answer.text)) == wrong
    assert NEW not in answer.text
    assert sign_in(a_browser(an_app(database))).status_code == 303


def test_new_password_keeps_the_spaces_at_its_ends(database: Database, browser: TestClient):
    spaced = f" {NEW} "
    post(browser, "/account/wachtwoord", wachtwoord=PASSWORD, nieuw_wachtwoord=spaced, nieuw_wachtwoord_2=spaced)
    assert sign_in(a_browser(an_app(database)), NEW).status_code == 422
    assert sign_in(a_browser(an_app(database)), spaced).status_code == 303


def test_guessing_the_password_of_an_open_session_is_slowed_down_too(database: Database, browser: TestClient):
    with database.write() as session:
        for _ in range(ATTEMPTS_MAX):
            claim_password(session, "anna", "192.0.2.1", at=MONDAY)
    answer = post(browser, "/account/wachtwoord", wachtwoord=PASSWORD, nieuw_wachtwoord=NEW, nieuw_wachtwoord_2=NEW)
    assert answer.status_code == 422
    assert "Wacht vijf minuten" in answer.text


def test_wrong_password_of_an_open_session_is_counted(database: Database, browser: TestClient):
    for _ in range(ATTEMPTS_MAX):
        post(browser, "/account/tweede-stap/beginnen", wachtwoord="verkeerd")
    assert "Wacht vijf minuten" in post(browser, "/account/tweede-stap/beginnen", wachtwoord=PASSWORD).text


# --- second factor ------------------------------------------------------------------------------------------------


def test_app_is_set_up_and_counts_at_the_next_sign_in(database: Database, anna: uuid.UUID, browser: TestClient):
    assert browser.get("/account/tweede-stap/instellen").headers["location"] == "/account/tweede-stap"
    begun = post(browser, "/account/tweede-stap/beginnen", wachtwoord=PASSWORD)
    assert begun.headers["location"] == "/account/tweede-stap/instellen"
    page = browser.get("/account/tweede-stap/instellen")
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert sign_in(a_browser(an_app(database))).headers["location"] == "/"  # not confirmed yet

    wrong = post(browser, "/account/tweede-stap/instellen", code="000000")
    assert wrong.status_code == 422
    done = post(browser, "/account/tweede-stap/instellen", code=code_of(database, anna, MONDAY))

    assert len(set(codes_in(done.text))) == 10
    assert sign_in(a_browser(an_app(database))).headers["location"] == "/inloggen/code"
    assert "10 herstelcodes" in browser.get("/account").text
    assert "second_factor_set" in acts(database)
    # Shown once: nothing on any page tells them again.
    assert codes_in(browser.get("/account/tweede-stap").text) == []


def test_beginning_asks_for_the_password(database: Database, browser: TestClient):
    for password in ("", "verkeerd"):
        assert post(browser, "/account/tweede-stap/beginnen", wachtwoord=password).status_code == 422
    with database.read() as session:
        assert session.exec(select(AuthenticatorApp)).all() == []


def test_code_with_which_it_was_set_up_does_not_open_a_session(
    database: Database, anna: uuid.UUID, browser: TestClient
):
    post(browser, "/account/tweede-stap/beginnen", wachtwoord=PASSWORD)
    code = code_of(database, anna, MONDAY)
    post(browser, "/account/tweede-stap/instellen", code=code)
    other = a_browser(an_app(database))
    sign_in(other)
    assert other.post("/inloggen/code", data={"code": code}).status_code == 422


def test_new_recovery_codes_take_the_place_of_the_old(database: Database, anna: uuid.UUID, browser: TestClient):
    old = with_app(database, anna)
    assert post(browser, "/account/tweede-stap/herstelcodes", wachtwoord="verkeerd").status_code == 422

    page = post(browser, "/account/tweede-stap/herstelcodes", wachtwoord=PASSWORD)

    new = codes_in(page.text)
    assert len(set(new)) == 10
    for code, status in ((old[0], 422), (new[0], 303)):
        other = a_browser(an_app(database))
        sign_in(other)
        assert other.post("/inloggen/code", data={"code": code}).status_code == status


def test_turning_off_asks_for_password_and_code(database: Database, anna: uuid.UUID, browser: TestClient):
    with_app(database, anna)
    code = code_of(database, anna, MONDAY)
    for fields in (
        {},
        {"wachtwoord": PASSWORD},
        {"code": code},
        {"wachtwoord": PASSWORD, "code": "000000"},
        {"wachtwoord": "verkeerd", "code": code},
    ):
        assert post(browser, "/account/tweede-stap/uitzetten", **fields).status_code == 422
    assert sign_in(a_browser(an_app(database))).headers["location"] == "/inloggen/code"

    answer = post(browser, "/account/tweede-stap/uitzetten", wachtwoord=PASSWORD, code=code)

    assert answer.status_code == 303
    assert sign_in(a_browser(an_app(database))).headers["location"] == "/"
    with database.read() as session:
        assert session.exec(select(RecoveryCode)).all() == []
        assert session.exec(select(AuthenticatorApp)).all() == []
    assert "second_factor_removed" in acts(database)


def test_account_without_a_password_confirms_nothing(database: Database, anna: uuid.UUID, browser: TestClient):
    with database.write() as session:
        session.exec(select(User)).one().password_hash = None
    for password in ("None", "x" * 20):
        assert post(browser, "/account/tweede-stap/beginnen", wachtwoord=password).status_code == 422


# --- equal answers ------------------------------------------------------------------------------------------------


def test_refusal_is_the_same_for_known_unknown_disabled_and_invited(database: Database, anna: uuid.UUID):
    a_user(database, "uit")
    with database.write() as session:
        accounts.disable_user(session, "uit", at=MONDAY)
        session.add(User(login="genodigd", name="Nog Niet", created_at=MONDAY))
    app, answers = an_app(database), []
    for login in ("anna", "niemand", "uit", "genodigd"):
        browser = a_browser(app)
        answer = browser.post("/inloggen", data={"login": login, "password": "verkeerd wachtwoord"})
        page = answer.text.replace(f'value="{login}"', "")
        answers.append((answer.status_code, sorted(answer.headers.keys()), page))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 422


def test_refusal_does_the_same_work_before_the_answer_for_known_and_unknown(database: Database, anna: uuid.UUID):
    """What goes into the log of accounts is written when the answer is on its way."""
    from sqlalchemy import event

    app = an_app(database)

    def statements(login: str) -> list[str]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        try:
            a_browser(app).post("/inloggen", data={"login": login, "password": "verkeerd wachtwoord"})
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        return seen

    known, unknown = statements("anna"), statements("niemand")
    # TestClient waits for what comes after the answer: of the known account that is the log, and nothing comes before.
    assert known[: len(unknown)] == unknown
    assert all("account_event" in each or "membership" in each for each in known[len(unknown) :] if "BEGIN" not in each)


def test_refused_sign_in_is_in_the_log_of_a_known_account_only(database: Database, anna: uuid.UUID):
    for login in ("anna", "niemand"):
        a_browser(an_app(database)).post("/inloggen", data={"login": login, "password": "verkeerd wachtwoord"})
    assert acts(database) == ["sign_in_refused"]


def test_signing_in_gives_a_new_id_each_time(database: Database, anna: uuid.UUID):
    clock = AdjustableClock()
    browser = a_browser(an_app(database, clock))
    tokens = set()
    for _ in range(3):
        sign_in(browser)
        tokens.add(browser.cookies["stappenplan"])
    assert len(tokens) == 3
    with database.read() as session:
        assert len(session.exec(select(LoginSession)).all()) == 1
