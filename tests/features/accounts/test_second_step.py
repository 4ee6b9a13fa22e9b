"""Signing in with a second factor, and setting one up at the first sign-in."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.features.accounts.attempts import ATTEMPTS_MAX
from app.policy import Role
from app.settings import DEMONSTRATION_SECRET
from app.storage import accounts, second_factors
from app.storage.database import Database
from app.storage.second_factors import Proof
from app.storage.tables import AuthenticatorApp, LoginSession, PendingSignIn, RecoveryCode
from app.storage.vault import SealBroken, Vault
from tests.features.accounts.building import (
    MONDAY,
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_user,
    an_app,
    code_of,
    codes_in,
    csrf_token_in,
    hidden_fields_in,
    with_app,
)

VAULT = Vault(DEMONSTRATION_SECRET)


def sign_in(browser: TestClient, **fields: str) -> Any:
    return browser.post("/inloggen", data={"login": "anna", "password": PASSWORD, **fields})


@pytest.fixture
def anna(database: Database) -> uuid.UUID:
    return a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})


def open_sessions(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(LoginSession)).all())


# --- with an app --------------------------------------------------------------------------------------------------


def test_password_alone_opens_nothing(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database))

    answer = sign_in(browser, verder="/bekijken?x=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen/code?verder=%2Fbekijken%3Fx%3D1")
    assert open_sessions(database) == 0
    assert browser.get("/bekijken").status_code == 303
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert 'autocomplete="one-time-code"' in page.text
    assert "readonly" not in page.text


def test_code_of_the_app_opens_the_session_and_leads_back(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database))
    sign_in(browser)

    answer = browser.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY), "verder": "/bekijken"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/bekijken")
    assert browser.get("/bekijken").status_code == 200
    assert "stappenplan-stap2" not in browser.cookies
    with database.read() as session:
        assert session.exec(select(PendingSignIn)).all() == []


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_clock_may_be_one_step_off(database: Database, anna: uuid.UUID, steps: int):
    with_app(database, anna, at=MONDAY - timedelta(minutes=5))
    browser = a_browser(an_app(database))
    sign_in(browser)

    assert (
        browser.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY, steps=steps)}).status_code == 303
    )


@pytest.mark.parametrize("steps", [-2, 2, -20])
def test_clock_that_is_further_off_is_refused(database: Database, anna: uuid.UUID, steps: int):
    with_app(database, anna, at=MONDAY - timedelta(minutes=15))
    browser = a_browser(an_app(database))
    sign_in(browser)

    answer = browser.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY, steps=steps)})

    assert answer.status_code == 422
    assert "Deze code klopt niet" in answer.text
    assert open_sessions(database) == 0


def test_code_counts_once_also_for_another_browser(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    code = code_of(database, anna, MONDAY)
    first, second = a_browser(an_app(database)), a_browser(an_app(database))
    sign_in(first)
    sign_in(second)

    assert first.post("/inloggen/code", data={"code": code}).status_code == 303
    assert second.post("/inloggen/code", data={"code": code}).status_code == 422
    older = code_of(database, anna, MONDAY, steps=-1)
    assert second.post("/inloggen/code", data={"code": older}).status_code == 422


@pytest.mark.parametrize("code", ["000 000", "geen code", "", "１２３４５６", "1" * 5000, "12\x0034", "é"])
def test_wrong_code_is_refused_and_not_shown_again(database: Database, anna: uuid.UUID, code: str):
    with_app(database, anna)
    browser = a_browser(an_app(database))
    sign_in(browser)

    answer = browser.post("/inloggen/code", data={"code": code, "verder": "/bekijken"})

    assert answer.status_code == 422
    assert ("verder", "/bekijken") in hidden_fields_in(answer.text, action="/inloggen/code")
    assert open_sessions(database) == 0


def test_tenth_code_is_heard_and_the_eleventh_is_not(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database))
    sign_in(browser)

    for _ in range(ATTEMPTS_MAX):
        assert browser.post("/inloggen/code", data={"code": "000000"}).status_code == 422
    answer = browser.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY)})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "300")
    assert "Wacht 5 minuten" in answer.text
    assert "<title>Fout: " in answer.text
    assert open_sessions(database) == 0


def test_wrong_passwords_do_not_keep_others_from_typing_their_code(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    app = an_app(database, trusted_proxies="10.0.0.0/8")
    browser = a_browser(app)
    sign_in(browser)
    with database.write() as session:
        from app.features.accounts.attempts import claim_password

        for _ in range(ATTEMPTS_MAX):
            claim_password(session, "anna", "192.0.2.1", at=MONDAY)

    assert browser.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY)}).status_code == 303


def test_ten_minutes_after_the_password_one_begins_anew(database: Database, anna: uuid.UUID):
    clock = AdjustableClock()
    with_app(database, anna)
    browser = a_browser(an_app(database, clock))
    sign_in(browser)
    clock.advance(minutes=10)

    page = browser.get("/inloggen/code?verder=/bekijken")
    answer = browser.post("/inloggen/code", data={"code": code_of(database, anna, clock.at), "verder": "/bekijken"})

    for each in (page, answer):
        assert each.status_code == 401
        assert "Het inloggen duurde te lang" in each.text
        assert ("verder", "/bekijken") in hidden_fields_in(each.text, action="/inloggen")
    assert open_sessions(database) == 0


def test_user_who_is_disabled_between_the_steps_stays_out(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database))
    sign_in(browser)
    with database.write() as session:
        accounts.disable_user(session, "anna", at=MONDAY)

    assert browser.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY)}).status_code == 401
    assert open_sessions(database) == 0


def test_cookie_of_the_second_step_is_no_session(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database))
    sign_in(browser)

    thief = a_browser(an_app(database), token=browser.cookies["stappenplan-stap2"])

    assert thief.get("/bekijken").status_code == 303
    assert thief.get("/inloggen/code").status_code == 401


def test_cookie_of_the_second_step_over_tls(database: Database, anna: uuid.UUID):
    with_app(database, anna)

    header = sign_in(a_browser(an_app(database, secure_cookies=True), base_url="https://testserver")).headers[
        "set-cookie"
    ]

    assert header.startswith("__Host-stappenplan-stap2=")
    flags = {flag.strip().lower() for flag in header.split(";")[1:]}
    assert flags == {"httponly", "path=/", "samesite=lax", "secure"}


def test_kept_text_goes_along_through_the_second_step(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database))
    kept = {"verder": "/bewaren", "bewaard.antwoord": "Een lang verhaal"}

    page = sign_in(browser, **kept)

    assert page.status_code == 200
    fields = hidden_fields_in(page.text, action="/inloggen/code")
    assert ("bewaard.antwoord", "Een lang verhaal") in fields
    answer = browser.post("/inloggen/code", data={**dict(fields), "code": code_of(database, anna, MONDAY)})
    assert "Een lang verhaal" in answer.text
    sent = browser.post("/bewaren", data=dict(hidden_fields_in(answer.text, action="/bewaren")))
    assert ["antwoord", "Een lang verhaal"] in sent.json()["got"]


# --- recovery codes -----------------------------------------------------------------------------------------------


def test_recovery_code_counts_once_however_it_is_typed(database: Database, anna: uuid.UUID):
    codes = with_app(database, anna)
    assert len(codes) == len(set(codes)) == 10
    for code, status in ((codes[0], 303), (codes[0], 422), (codes[1].replace("-", " ").upper(), 303)):
        browser = a_browser(an_app(database))
        sign_in(browser)
        assert browser.post("/inloggen/code", data={"code": code}).status_code == status


def test_recovery_codes_are_stored_as_hashes_only(database: Database, anna: uuid.UUID):
    codes = with_app(database, anna)
    with database.read() as session:
        stored = [row.digest for row in session.exec(select(RecoveryCode))]
        sealed = session.exec(select(AuthenticatorApp.secret)).one()
    assert len(stored) == 10
    assert all(code.replace("-", "") not in digest for code in codes for digest in stored)
    secret = VAULT.open(sealed, purpose=f"authenticator app of {anna}")
    assert secret not in sealed
    for vault, purpose in ((Vault("x" * 40), f"authenticator app of {anna}"), (VAULT, "authenticator app of bert")):
        with pytest.raises(SealBroken):
            vault.open(sealed, purpose=purpose)


def test_one_recovery_code_at_the_same_moment_succeeds_once(database: Database, anna: uuid.UUID):
    code = with_app(database, anna)[0]
    assert sum(proof is Proof.RECOVERY_CODE for proof in at_once(database, anna, code)) == 1


def test_one_code_of_the_app_at_the_same_moment_succeeds_once(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    assert sum(proof is Proof.APP for proof in at_once(database, anna, code_of(database, anna, MONDAY))) == 1


def at_once(database: Database, user_id: uuid.UUID, code: str) -> list[Proof | None]:
    def prove(_: int) -> Proof | None:
        with database.write() as session:
            return second_factors.prove(session, VAULT, user_id, code, at=MONDAY)

    with ThreadPoolExecutor(6) as threads:
        return list(threads.map(prove, range(6)))


def test_other_key_makes_the_app_unusable(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    code = code_of(database, anna, MONDAY)
    with database.write() as session:
        assert second_factors.prove(session, Vault("een heel andere sleutel, ook lang"), anna, code, at=MONDAY) is None


# --- the first sign-in --------------------------------------------------------------------------------------------


def test_first_sign_in_leads_to_setting_up_an_app_before_anything_else(database: Database, anna: uuid.UUID):
    browser = a_browser(an_app(database, second_factor_required=True))

    answer = sign_in(browser, verder="/bekijken")

    assert answer.headers["location"] == "/inloggen/instellen?verder=%2Fbekijken"
    assert open_sessions(database) == 0
    page = browser.get(answer.headers["location"])
    assert "<svg" in page.text
    key = re.search(r"<code[^>]*>([A-Z2-7 ]{39})</code>", page.text)
    assert key, "the key as text"
    assert browser.get("/bekijken").status_code == 303

    wrong = browser.post("/inloggen/instellen", data={"code": "000000", "verder": "/bekijken"})
    assert wrong.status_code == 422
    assert key[1] in wrong.text  # the same key, so that the app need not scan again

    done = browser.post("/inloggen/instellen", data={"code": code_of(database, anna, MONDAY), "verder": "/bekijken"})
    assert done.status_code == 200
    assert len(set(codes_in(done.text))) == 10
    assert 'href="/bekijken"' in done.text
    assert csrf_token_in(done.text)
    assert browser.get("/bekijken").status_code == 200


def test_second_click_on_logging_in_shows_one_key(database: Database, anna: uuid.UUID):
    def begin(_: int) -> None:
        with database.write() as session:
            second_factors.begin_app(session, VAULT, anna, at=MONDAY)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(begin, range(4)))
    with database.read() as session:
        assert len(session.exec(select(AuthenticatorApp)).all()) == 1
        assert second_factors.unconfirmed_secret(session, VAULT, anna)


def test_after_setting_up_the_next_sign_in_asks_for_a_code(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    browser = a_browser(an_app(database, second_factor_required=True))

    assert sign_in(browser).headers["location"] == "/inloggen/code"
    assert browser.get("/inloggen/instellen").text.count("<svg") == browser.get("/inloggen/code").text.count("<svg")
    answer = browser.post("/inloggen/instellen", data={"code": code_of(database, anna, MONDAY)})
    assert answer.status_code == 409
    assert open_sessions(database) == 0


def test_kept_text_goes_along_through_setting_up(database: Database, anna: uuid.UUID):
    browser = a_browser(an_app(database, second_factor_required=True))

    page = sign_in(browser, verder="/bewaren", **{"bewaard.antwoord": "Een lang verhaal"})

    fields = hidden_fields_in(page.text, action="/inloggen/instellen")
    done = browser.post("/inloggen/instellen", data={**dict(fields), "code": code_of(database, anna, MONDAY)})
    sent = browser.post("/bewaren", data=dict(hidden_fields_in(done.text, action="/bewaren")))
    assert ["antwoord", "Een lang verhaal"] in sent.json()["got"]


def test_kept_text_goes_along_to_the_choice_of_a_municipality(database: Database, anna: uuid.UUID):
    with database.write() as session:
        accounts.add_municipality(session, "Maanstad", at=MONDAY)
        accounts.add_roles(session, login="anna", municipality="Maanstad", roles=[Role.POLICY_OFFICER], at=MONDAY)
    browser = a_browser(an_app(database, second_factor_required=True))
    page = sign_in(browser, verder="/bewaren", **{"bewaard.antwoord": "Een lang verhaal"})
    fields = hidden_fields_in(page.text, action="/inloggen/instellen")
    done = browser.post("/inloggen/instellen", data={**dict(fields), "code": code_of(database, anna, MONDAY)})

    choice = browser.post("/gemeente", data=dict(hidden_fields_in(done.text, action="/gemeente")))

    place = re.findall(r'value="([0-9a-f-]{36})"', choice.text)[0]
    again = browser.post(
        "/gemeente", data={**dict(hidden_fields_in(choice.text, action="/gemeente")), "gemeente": place}
    )
    sent = browser.post("/bewaren", data=dict(hidden_fields_in(again.text, action="/bewaren")))
    assert ["antwoord", "Een lang verhaal"] in sent.json()["got"]


def test_code_pages_without_a_password_begin_at_the_beginning(database: Database):
    browser = a_browser(an_app(database))
    for path in ("/inloggen/code", "/inloggen/instellen"):
        for answer in (browser.get(path), browser.post(path, data={"code": "123456"})):
            assert answer.status_code == 401
            assert 'action="/inloggen"' in answer.text
