"""Signing in with a passkey, and keeping passkeys with the account."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.features.accounts.attempts import ATTEMPTS_MAX
from app.features.accounts.passkey_checks import RelyingParty, relying_party
from app.policy import Role
from app.storage import accounts, passkeys
from app.storage.database import Database
from app.storage.tables import LoginSession, Passkey, SpentChallenge, User
from tests.features.accounts.authenticator import PRESENT, SoftwarePasskey
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
    hidden_fields_in,
    with_app,
)


@pytest.fixture
def anna(database: Database) -> uuid.UUID:
    user_id = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    with_app(database, user_id)
    return user_id


@pytest.fixture
def browser(database: Database, anna: uuid.UUID) -> TestClient:
    return a_browser(an_app(database), token=a_session(database, anna))


def add(browser: TestClient, key: SoftwarePasskey, *, name: str = "Mijn laptop", password: str = PASSWORD) -> Any:
    options = browser.get("/account/passkeys/opties").json()
    return send(browser, key.create(options), name=name, password=password)


def send(browser: TestClient, answer: str, *, name: str = "Mijn laptop", password: str = PASSWORD) -> Any:
    data = {"csrf_token": CSRF, "naam": name, "wachtwoord": password, "passkey": answer}
    return browser.post("/account/passkeys", data=data)


def sign_in(browser: TestClient, key: SoftwarePasskey, **fields: str) -> Any:
    answer = key.get(browser.get("/inloggen/passkey/opties").json())
    return browser.post("/inloggen/passkey", data={"passkey": answer, **fields})


def kept(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.exec(select(Passkey.name)))


# --- the address --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_url", "party"),
    [
        (
            "https://stappenplan.gemeente.example",
            RelyingParty("stappenplan.gemeente.example", "https://stappenplan.gemeente.example"),
        ),
        ("http://localhost:8123", RelyingParty("localhost", "http://localhost:8123")),
        ("http://127.0.0.1:8000", None),
        ("https://[2001:db8::1]", None),
        ("", None),
    ],
)
def test_relying_party_follows_the_configured_address(public_url: str, party: RelyingParty | None):
    assert relying_party(public_url) == party


def test_without_a_name_there_are_no_passkeys(database: Database, anna: uuid.UUID):
    browser = a_browser(an_app(database, public_url="http://127.0.0.1"), token=a_session(database, anna))
    assert "passkey" not in a_browser(an_app(database, public_url="http://127.0.0.1")).get("/inloggen").text
    assert "Passkeys werken niet op dit adres" in browser.get("/account/passkeys").text
    for path in ("/inloggen/passkey/opties", "/account/passkeys/opties"):
        assert browser.get(path).status_code == 404
    assert send(browser, "{}").status_code == 404


# --- adding and signing in ----------------------------------------------------------------------------------------


def test_added_passkey_signs_in_without_password_or_code(database: Database, anna: uuid.UUID, browser: TestClient):
    key = SoftwarePasskey(user_handle=anna.bytes)
    assert add(browser, key).headers["location"] == "/account/passkeys"
    assert "Mijn laptop" in browser.get("/account/passkeys").text
    other = a_browser(an_app(database, second_factor_required=True))

    answer = sign_in(other, key, verder="/bekijken?x=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/bekijken?x=1")
    assert other.get("/bekijken").status_code == 200
    assert sign_in(other, key).status_code == 303
    with database.read() as session:
        row = session.exec(select(Passkey)).one()
    assert (row.sign_count, row.transports) == (2, ["internal"])
    assert row.used_at == MONDAY


def test_kept_text_goes_along_with_a_passkey(database: Database, anna: uuid.UUID, browser: TestClient):
    key = SoftwarePasskey()
    add(browser, key)
    other = a_browser(an_app(database))
    page = sign_in(other, key, verder="/bewaren", **{"bewaard.antwoord": "Een lang verhaal"})
    sent = other.post("/bewaren", data=dict(hidden_fields_in(page.text, action="/bewaren")))
    assert ["antwoord", "Een lang verhaal"] in sent.json()["got"]


def test_adding_asks_for_the_password_and_a_name(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    for changes in ({"password": ""}, {"password": "verkeerd"}, {"name": " "}, {"name": "x" * 61}):
        assert add(browser, key, **changes).status_code == 422
    assert kept(database) == []


def test_passkey_comes_beside_an_app_only(database: Database):
    bert = a_user(database, "bert", roles={a_municipality(database): [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, bert))
    assert "Stel eerst de tweede stap in" in browser.get("/account/passkeys").text
    assert add(browser, SoftwarePasskey()).status_code == 422
    assert kept(database) == []


def test_passkey_is_added_once_and_ten_at_most(database: Database, anna: uuid.UUID, browser: TestClient):
    key = SoftwarePasskey()
    assert add(browser, key).status_code == 303
    assert add(browser, key).status_code == 422
    with database.write() as session:
        for number in range(passkeys.PASSKEYS_MAX - 1):
            passkeys.add_passkey(
                session,
                anna,
                credential_id=f"c{number}",
                public_key="",
                sign_count=0,
                transports=(),
                name="x",
                at=MONDAY,
            )
    assert "al tien passkeys" in add(browser, SoftwarePasskey()).text


def test_removed_passkey_does_not_sign_in(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    add(browser, key)
    with database.read() as session:
        id = session.exec(select(Passkey.id)).one()
    assert browser.post(f"/account/passkeys/{id}/verwijderen", data={"csrf_token": CSRF}).status_code == 303
    assert sign_in(a_browser(an_app(database)), key).status_code == 422
    assert browser.post(f"/account/passkeys/{id}/verwijderen", data={"csrf_token": CSRF}).status_code == 404


def test_passkey_of_somebody_else_can_not_be_removed(database: Database, browser: TestClient):
    add(browser, SoftwarePasskey())
    with database.read() as session:
        id = session.exec(select(Passkey.id)).one()
    bert = a_user(database, "bert")
    theirs = a_browser(an_app(database), token=a_session(database, bert, token="bert", csrf_token="bert"))
    for wanted in (id, uuid.uuid4(), "onzin"):
        assert theirs.post(f"/account/passkeys/{wanted}/verwijderen", data={"csrf_token": "bert"}).status_code == 404
    assert kept(database) == ["Mijn laptop"]


def test_turning_off_the_second_step_removes_passkeys(database: Database, anna: uuid.UUID, browser: TestClient):
    from app.storage import second_factors

    add(browser, SoftwarePasskey())
    with database.write() as session:
        second_factors.remove_all(session, anna)
    assert kept(database) == []


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://localhost"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},  # somebody was there, but nobody looked who
        {"flags": 0},
    ],
)
def test_answer_for_another_site_or_without_looking_at_the_user_is_refused(
    database: Database, browser: TestClient, wrong: dict[str, Any]
):
    assert add(browser, SoftwarePasskey(**wrong)).status_code == 422
    key = SoftwarePasskey()
    assert add(browser, key).status_code == 303
    for name, value in wrong.items():
        setattr(key, name, value)
    answer = sign_in(a_browser(an_app(database)), key)
    assert answer.status_code == 422
    assert "Inloggen met deze passkey lukte niet" in answer.text
    assert "set-cookie" not in answer.headers


def test_answer_counts_once(database: Database, browser: TestClient):
    key, other = SoftwarePasskey(), a_browser(an_app(database))
    add(browser, key)
    answer = key.get(other.get("/inloggen/passkey/opties").json())
    assert other.post("/inloggen/passkey", data={"passkey": answer}).status_code == 303
    assert other.post("/inloggen/passkey", data={"passkey": answer}).status_code == 422
    # Also from a passkey that does not count, as those of telephones.
    with database.write() as session:
        session.exec(select(Passkey)).one().sign_count = 0
    assert other.post("/inloggen/passkey", data={"passkey": answer}).status_code == 422


def test_same_challenge_at_the_same_moment_is_spent_once(database: Database):
    def spend(_: int) -> bool:
        with database.write() as session:
            return passkeys.spend(session, "een uitdaging", at=MONDAY, expires_at=MONDAY + timedelta(minutes=5))

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(spend, range(6))) == 1


def test_challenges_that_ended_are_forgotten(database: Database):
    clock = AdjustableClock()
    for _ in range(2):
        with database.write() as session:
            assert passkeys.spend(session, "een uitdaging", at=clock.at, expires_at=clock.at)
        clock.advance(minutes=10)
    with database.read() as session:
        assert len(session.exec(select(SpentChallenge)).all()) == 1


def test_challenge_is_good_for_five_minutes(database: Database, anna: uuid.UUID):
    clock = AdjustableClock()
    browser = a_browser(an_app(database, clock), token=a_session(database, anna))
    key = SoftwarePasskey()
    add(browser, key)
    options = browser.get("/inloggen/passkey/opties").json()
    clock.advance(minutes=5, seconds=1)
    assert browser.post("/inloggen/passkey", data={"passkey": key.get(options)}).status_code == 422


def test_challenge_of_our_own_making_is_refused(database: Database, browser: TestClient):
    key, other = SoftwarePasskey(), a_browser(an_app(database))
    add(browser, key)
    for challenge in ("", "AAAA", "A" * 75, browser.get("/account/passkeys/opties").json()["challenge"]):
        answer = key.get({"challenge": challenge})
        assert other.post("/inloggen/passkey", data={"passkey": answer}).status_code == 422
    assert add(browser, SoftwarePasskey()).status_code == 303
    sign_in_challenge = other.get("/inloggen/passkey/opties").json()
    assert send(browser, SoftwarePasskey().create(sign_in_challenge)).status_code == 422


def test_challenge_for_another_session_adds_nothing(database: Database, anna: uuid.UUID, browser: TestClient):
    other = a_browser(an_app(database), token=a_session(database, anna, token="elders", csrf_token="elders"))
    options = other.get("/account/passkeys/opties").json()
    assert send(browser, SoftwarePasskey().create(options)).status_code == 422
    assert kept(database) == []


def test_signature_of_another_key_is_refused(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    add(browser, key)
    key.key = SoftwarePasskey().key
    assert sign_in(a_browser(an_app(database)), key).status_code == 422


def test_copied_passkey_that_counts_back_is_refused(database: Database, browser: TestClient):
    key = SoftwarePasskey(count=10)
    add(browser, key)
    key.count = 3
    assert sign_in(a_browser(an_app(database)), key).status_code == 422


def test_handle_of_another_user_is_refused(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    add(browser, key)
    for handle in (uuid.uuid4().bytes, b"kort"):
        key.user_handle = handle
        assert sign_in(a_browser(an_app(database)), key).status_code == 422


def test_disabled_user_has_no_passkey(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    add(browser, key)
    with database.write() as session:
        accounts.disable_user(session, "anna", at=MONDAY)
    assert sign_in(a_browser(an_app(database)), key).status_code == 422


def test_demonstration_account_does_not_sign_in_where_people_work(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    add(browser, key)
    with database.write() as session:
        session.exec(select(User)).one().is_demonstration = True
    other = a_browser(an_app(database, second_factor_required=True))
    assert sign_in(other, key).status_code == 422
    assert other.post("/inloggen", data={"login": "anna", "password": PASSWORD}).status_code == 422
    assert sign_in(a_browser(an_app(database)), key).status_code == 303


def test_guessing_with_passkeys_is_slowed_down(database: Database, browser: TestClient):
    key = SoftwarePasskey()
    other = a_browser(an_app(database))
    for _ in range(ATTEMPTS_MAX):
        assert sign_in(other, key).status_code == 422
    assert sign_in(other, key).status_code == 429


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "geen json",
        "[]",
        "{}",
        "null",
        '{"id": 3}',
        '{"id": "x"}',
        '{"id": "x\\u0000"}',
        '{"id": "é"}',
        '{"id": "x", "response": {"clientDataJSON": "!!!"}}',
        '{"id": "x", "response": {"clientDataJSON": ""}}',
        "[" * 10_000,
        '{"id": "' + "x" * 30_000 + '"}',
    ],
)
def test_nonsense_is_refused_and_nobodys_fault(database: Database, browser: TestClient, answer: str):
    assert a_browser(an_app(database)).post("/inloggen/passkey", data={"passkey": answer}).status_code == 422
    assert send(browser, answer).status_code == 422
    assert kept(database) == []


@pytest.mark.parametrize(
    "part", ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]
)
@pytest.mark.parametrize("value", [None, "", "!!!", "AAAA", 3, [], {}])
def test_part_of_an_answer_that_is_nonsense_is_refused(sqlite_database: Database, part: str, value: Any):
    user_id = a_user(sqlite_database, roles={a_municipality(sqlite_database): [Role.AUDITOR]})
    with_app(sqlite_database, user_id)
    browser = a_browser(an_app(sqlite_database), token=a_session(sqlite_database, user_id))
    key = SoftwarePasskey(user_handle=user_id.bytes)
    if part in {"clientDataJSON", "attestationObject"}:
        created = json.loads(key.create(browser.get("/account/passkeys/opties").json()))
        created["response"][part] = value
        assert send(browser, json.dumps(created)).status_code == 422
    add(browser, key)
    got = json.loads(key.get(browser.get("/inloggen/passkey/opties").json()))
    got["response"][part] = value
    answer = a_browser(an_app(sqlite_database)).post("/inloggen/passkey", data={"passkey": json.dumps(got)})
    harmless = part == "attestationObject" or (part == "userHandle" and value in (None, ""))
    assert answer.status_code == (303 if harmless else 422)


def test_asking_for_a_challenge_stores_nothing(database: Database):
    browser = a_browser(an_app(database))
    challenges = {browser.get("/inloggen/passkey/opties").json()["challenge"] for _ in range(5)}
    assert len(challenges) == 5
    with database.read() as session:
        assert session.exec(select(SpentChallenge)).all() == []
        assert session.exec(select(LoginSession)).all() == []


def test_options_ask_for_a_verified_user_and_name_nobody(database: Database, browser: TestClient):
    options = a_browser(an_app(database)).get("/inloggen/passkey/opties").json()
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert options.get("allowCredentials", []) == []
    created = browser.get("/account/passkeys/opties").json()
    assert created["authenticatorSelection"]["userVerification"] == "required"
    assert created["authenticatorSelection"]["residentKey"] == "required"
    assert created["attestation"] == "none"
