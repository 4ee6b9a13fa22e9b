"""How often somebody may guess: without end for nobody, and not at the cost of colleagues behind the same address."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.features.accounts import known_device
from app.features.accounts.attempts import ATTEMPTS_MAX, CODES_A_DAY_MAX
from app.policy import Role
from app.settings import DEMONSTRATION_SECRET
from app.storage import passwords, second_factors
from app.storage.account_log import Act
from app.storage.attempt_keys import attempt_key
from app.storage.database import Database
from app.storage.scope import unscoped
from app.storage.second_factors import WRONG_CODES_MAX
from app.storage.tables import AccountEvent, AuthenticatorApp, LoginAttempt, User
from app.storage.vault import Vault
from app.web.identity import DEVICE_COOKIE
from tests.features.accounts.building import (
    MONDAY,
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_user,
    an_app,
    code_of,
    with_app,
)


@pytest.fixture
def anna(database: Database) -> uuid.UUID:
    return a_user(database, roles={a_municipality(database): {Role.AUDITOR}})


def sign_in(browser: TestClient, login: str = "anna", password: str = PASSWORD) -> int:
    return browser.post("/inloggen", data={"login": login, "password": password}).status_code


def code(browser: TestClient, typed: str) -> int:
    return browser.post("/inloggen/code", data={"code": typed}).status_code


def failed(database: Database, kind: str, value: str, count: int, *, ago: timedelta = timedelta()) -> None:
    with database.write() as session:
        key = attempt_key(kind, value)
        session.add_all(LoginAttempt(key=key, at=MONDAY - ago) for _ in range(count))


def colleagues_fail(database: Database) -> None:
    """As often as one address may: TestClient's is no IP address."""
    failed(database, "address", "unknown", ATTEMPTS_MAX)


# --- colleagues behind one address ----------------------------------------------------------------------------------


def test_mistakes_of_colleagues_do_not_keep_out_who_signed_in_here_before(database: Database, anna: uuid.UUID):
    browser = a_browser(an_app(database))
    assert sign_in(browser) == 303
    colleagues_fail(database)
    assert sign_in(a_browser(an_app(database))) == 429, "a browser that is not known waits"
    assert sign_in(browser, password="verkeerd wachtwoord") == 422
    assert sign_in(browser) == 303


def test_known_browser_is_no_help_to_guess_at_this_account_or_another(database: Database, anna: uuid.UUID):
    a_user(database, "bert", roles={a_municipality(database, "Veldam"): {Role.AUDITOR}})
    browser = a_browser(an_app(database))
    sign_in(browser)
    colleagues_fail(database)
    assert sign_in(browser, "bert") == 429
    assert sign_in(browser, "niemand") == 429
    tries = [sign_in(browser, password="verkeerd wachtwoord") for _ in range(ATTEMPTS_MAX + 1)]
    assert tries == [422] * ATTEMPTS_MAX + [429]


def test_mark_of_a_browser_can_not_be_made_up_and_ends(database: Database, anna: uuid.UUID):
    vault, other = Vault(DEMONSTRATION_SECRET), uuid.uuid4()
    mark = known_device.new_mark(vault, anna, at=MONDAY)
    assert known_device.is_known(vault, mark, anna, at=MONDAY + timedelta(days=180))
    assert not known_device.is_known(vault, mark, anna, at=MONDAY + timedelta(days=181))
    assert not known_device.is_known(vault, mark, anna, at=MONDAY - timedelta(days=1))
    assert not known_device.is_known(vault, mark, other, at=MONDAY)
    assert not known_device.is_known(Vault("x" * 40), mark, anna, at=MONDAY)
    later = f"{MONDAY.toordinal() + 100}.{mark.partition('.')[2]}"
    for forged in (None, "", ".", "x", "9" * 50, "\u00e9.\u00e9", later, mark[:-2]):
        assert not known_device.is_known(vault, forged, anna, at=MONDAY)
    # Of an account that is not there, whoever made up a mark for "None" is not known either.
    assert not known_device.is_known(vault, known_device.new_mark(vault, None, at=MONDAY), None, at=MONDAY)  # type: ignore[arg-type]


def test_mark_holds_no_name_and_over_tls_can_only_come_from_us(database: Database, anna: uuid.UUID):
    browser = a_browser(an_app(database, secure_cookies=True), base_url="https://testserver")
    answer = browser.post("/inloggen", data={"login": "anna", "password": PASSWORD})
    (cookie,) = (each for each in answer.headers.get_list("set-cookie") if DEVICE_COOKIE in each)
    assert cookie.startswith(f"__Host-{DEVICE_COOKIE}=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=15552000"} <= set(cookie.split("; "))
    assert str(anna) not in cookie
    assert "anna" not in cookie


def test_mark_counts_for_the_second_step_too(database: Database, anna: uuid.UUID):
    clock = AdjustableClock()
    with_app(database, anna)
    browser = a_browser(an_app(database, clock))
    sign_in(browser)
    assert code(browser, code_of(database, anna, clock.at)) == 303
    clock.advance(minutes=1)
    colleagues_fail(database)
    assert sign_in(browser) == 303
    assert code(browser, code_of(database, anna, clock.at)) == 303


# --- codes: not without end -----------------------------------------------------------------------------------------


@pytest.fixture
def halfway(database: Database, anna: uuid.UUID) -> TestClient:
    with_app(database, anna)
    browser = a_browser(an_app(database))
    assert sign_in(browser) == 303
    return browser


def test_thirty_wrong_codes_in_a_day_are_enough(database: Database, anna: uuid.UUID, halfway: TestClient):
    failed(database, "second factor", str(anna), CODES_A_DAY_MAX - 1, ago=timedelta(hours=3))
    assert code(halfway, "000000") == 422
    answer = halfway.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY)})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == str(21 * 60 * 60)
    assert "Wacht 21 uur en probeer het opnieuw." in answer.text
    assert "Gebruik een van uw herstelcodes" in answer.text


def test_attempts_of_more_than_a_day_ago_are_forgotten(database: Database, anna: uuid.UUID, halfway: TestClient):
    failed(database, "second factor", str(anna), CODES_A_DAY_MAX, ago=timedelta(hours=24))
    assert code(halfway, code_of(database, anna, MONDAY)) == 303
    with database.read() as session:
        assert session.exec(select(LoginAttempt)).all() == []


def test_recovery_code_works_when_somebody_used_up_the_codes_of_the_day(database: Database, anna: uuid.UUID):
    (recovery, *_) = with_app(database, anna)
    failed(database, "second factor", str(anna), CODES_A_DAY_MAX)
    browser = a_browser(an_app(database))
    sign_in(browser)
    assert code(browser, code_of(database, anna, MONDAY)) == 429
    assert code(browser, recovery) == 303


def wrong_codes(database: Database, user_id: uuid.UUID) -> int:
    with database.read() as session:
        query = select(AuthenticatorApp.wrong_codes).where(AuthenticatorApp.user_id == user_id)
        return session.exec(query).one()


def set_wrong_codes(database: Database, user_id: uuid.UUID, count: int) -> None:
    with database.write() as session:
        app = session.exec(select(AuthenticatorApp).where(AuthenticatorApp.user_id == user_id)).one()
        app.wrong_codes = count


def acts(database: Database) -> list[str]:
    with database.read() as session:
        unscoped(session, "tests look at everything")
        return sorted(session.exec(select(AccountEvent.act)))


def test_after_a_hundred_wrong_codes_the_app_counts_no_more(database: Database, anna: uuid.UUID, halfway: TestClient):
    set_wrong_codes(database, anna, WRONG_CODES_MAX - 1)
    assert code(halfway, "000000") == 422
    assert Act.SECOND_FACTOR_LOCKED in acts(database)
    answer = halfway.post("/inloggen/code", data={"code": code_of(database, anna, MONDAY)})
    assert answer.status_code == 422
    assert "Er zijn te veel verkeerde codes ingevuld" in answer.text
    assert wrong_codes(database, anna) == WRONG_CODES_MAX


def test_recovery_code_makes_the_app_count_again(database: Database, anna: uuid.UUID):
    (recovery, *_) = with_app(database, anna)
    set_wrong_codes(database, anna, WRONG_CODES_MAX)
    browser = a_browser(an_app(database))
    sign_in(browser)
    assert code(browser, recovery) == 303
    sign_in(browser)
    assert code(browser, code_of(database, anna, MONDAY)) == 303


def test_administrator_removes_a_locked_second_step(database: Database, anna: uuid.UUID):
    with_app(database, anna)
    set_wrong_codes(database, anna, WRONG_CODES_MAX)
    with database.write() as session:
        second_factors.remove_all(session, anna)
    assert sign_in(a_browser(an_app(database))) == 303


def test_right_code_starts_the_count_again(database: Database, anna: uuid.UUID, halfway: TestClient):
    code(halfway, "000000")
    code(halfway, "111111")
    assert wrong_codes(database, anna) == 2
    assert code(halfway, code_of(database, anna, MONDAY)) == 303
    assert wrong_codes(database, anna) == 0


# --- equal for known and unknown ------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["anna", "niemand", "bert", "noor", "x" * 300])
def test_each_refusal_costs_one_password_hash_whoever_it_is_about(
    database: Database, anna: uuid.UUID, monkeypatch: pytest.MonkeyPatch, login: str
):
    """Known, unknown, disabled, without a password, or no name at all: counted in work, not measured in time."""
    place = a_municipality(database, "Veldam")
    for name in ("bert", "noor"):
        a_user(database, name, roles={place: {Role.AUDITOR}})
    with database.write() as session:
        for user in session.exec(select(User)):
            user.disabled_at = MONDAY if user.login == "bert" else None
            user.password_hash = None if user.login == "noor" else user.password_hash
    hashed: list[str] = []
    real = passwords._HASHES.verify_and_update

    def counted(password: str, stored: str) -> tuple[bool, str | None]:
        hashed.append(stored)
        return real(password, stored)

    monkeypatch.setattr(passwords._HASHES, "verify_and_update", counted)
    answer = a_browser(an_app(database)).post("/inloggen", data={"login": login, "password": "verkeerd wachtwoord"})
    assert answer.status_code == 422
    assert len(hashed) == 1
