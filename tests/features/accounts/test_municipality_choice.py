import re
import uuid

import pytest
from starlette.testclient import TestClient

from app.policy import Role
from app.storage.database import Database
from tests.features.accounts.building import (
    CSRF,
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_session,
    a_user,
    an_app,
    csrf_token_in,
)


def two_municipalities(database: Database) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
    zonnedam, maanstad = a_municipality(database, "Zonnedam"), a_municipality(database, "Maanstad")
    anna = a_user(database, roles={zonnedam: [Role.MANAGER], maanstad: [Role.AUDITOR]})
    return anna, zonnedam, maanstad


def sign_in(browser: TestClient, **fields: str):
    return browser.post("/inloggen", data={"login": "anna", "password": PASSWORD, **fields})


def test_user_of_two_municipalities_chooses_after_signing_in(database: Database):
    _, zonnedam, _ = two_municipalities(database)
    browser = a_browser(an_app(database))

    answer = sign_in(browser, verder="/bekijken")
    assert answer.headers["location"] == "/gemeente?verder=%2Fbekijken"
    page = browser.get(answer.headers["location"]).text
    assert page.index("Maanstad") < page.index("Zonnedam")
    fields = {"csrf_token": csrf_token_in(page), "verder": "/bekijken", "gemeente": str(zonnedam)}
    answer = browser.post("/gemeente", data=fields)

    assert (answer.status_code, answer.headers["location"]) == (303, "/bekijken")
    assert browser.get("/bekijken").json()["municipality"] == "Zonnedam"


def test_without_a_choice_no_page_of_a_municipality_opens(database: Database):
    anna, _, _ = two_municipalities(database)
    browser = a_browser(an_app(database), token=a_session(database, anna))

    assert browser.get("/bekijken").headers["location"] == "/gemeente?verder=%2Fbekijken"
    assert browser.post("/akkoord", data={"csrf_token": CSRF}).status_code == 403


def test_switching(database: Database):
    anna, zonnedam, maanstad = two_municipalities(database)
    browser = a_browser(an_app(database), token=a_session(database, anna, municipality_id=zonnedam))

    answer = browser.post("/gemeente", data={"csrf_token": CSRF, "gemeente": str(maanstad)})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    seen = browser.get("/bekijken").json()
    assert (seen["municipality"], seen["roles"], seen["scope"]) == ("Maanstad", ["auditor"], str(maanstad))


def test_session_gets_a_new_id_in_another_municipality(database: Database):
    """Other roles count there."""
    two_municipalities(database)
    browser = a_browser(an_app(database))
    page = browser.get(sign_in(browser, verder="/bekijken").headers["location"]).text
    before = browser.cookies["stappenplan"]
    chosen = re.findall(r'value="([0-9a-f-]{36})"', page)[0]
    browser.post("/gemeente", data={"csrf_token": csrf_token_in(page), "gemeente": chosen})

    assert browser.get("/bekijken").status_code == 200

    assert browser.cookies["stappenplan"] != before
    assert a_browser(an_app(database), token=before).get("/bekijken").status_code == 303


@pytest.mark.parametrize("chosen", ["", "x", "5f0c2a1e-6f0b-4b53-9d1c-0d3c6f6f3f11", "foreign"])
def test_only_own_municipalities_can_be_chosen(database: Database, chosen: str):
    anna, zonnedam, _ = two_municipalities(database)
    foreign = a_municipality(database, "Sterrendorp")
    browser = a_browser(an_app(database), token=a_session(database, anna, municipality_id=zonnedam))

    answer = browser.post(
        "/gemeente", data={"csrf_token": CSRF, "gemeente": str(foreign) if chosen == "foreign" else chosen}
    )

    assert answer.status_code == 422
    assert "Sterrendorp" not in answer.text
    assert browser.get("/bekijken").json()["municipality"] == "Zonnedam"


def test_last_municipality_is_remembered_when_the_session_ran_out(database: Database):
    clock = AdjustableClock()
    anna, _, maanstad = two_municipalities(database)
    browser = a_browser(an_app(database, clock), token=a_session(database, anna, municipality_id=maanstad))
    clock.advance(hours=1)
    assert browser.get("/bekijken").status_code == 303

    assert sign_in(browser, verder="/bekijken").headers["location"] == "/bekijken"

    assert browser.get("/bekijken").json()["municipality"] == "Maanstad"


def test_session_of_somebody_else_in_the_same_browser_says_nothing(database: Database):
    _, _, maanstad = two_municipalities(database)
    bert = a_user(database, "bert", roles={maanstad: [Role.AUDITOR]})
    browser = a_browser(an_app(database), token=a_session(database, bert, municipality_id=maanstad))

    assert sign_in(browser).headers["location"] == "/gemeente"


def test_user_without_municipality_is_told_what_to_do(database: Database):
    a_user(database)
    browser = a_browser(an_app(database))

    page = browser.get(sign_in(browser, verder="/bekijken").headers["location"])

    assert page.status_code == 200
    assert "U hoort nog niet bij een gemeente" in page.text
    assert browser.post("/uitloggen", data={"csrf_token": csrf_token_in(page.text)}).status_code == 303


def test_choosing_needs_a_session_and_its_token(database: Database):
    anna, zonnedam, maanstad = two_municipalities(database)
    app = an_app(database)
    assert a_browser(app).get("/gemeente").headers["location"] == "/inloggen"
    assert a_browser(app).post("/gemeente", data={"gemeente": str(maanstad)}).status_code == 401
    browser = a_browser(app, token=a_session(database, anna, municipality_id=zonnedam))

    assert browser.post("/gemeente", data={"gemeente": str(maanstad)}).status_code == 403
    assert browser.get("/bekijken").json()["municipality"] == "Zonnedam"
