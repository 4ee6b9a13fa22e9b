import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from app.web.access import CurrentLogin
from app.web.pages import SECURITY_TXT_PATH, security_text, vendor_packages
from app.web.site import Site
from tests.web.pages_app import ENGLISH, SITE, a_visitor, an_app

CURRENT_LOGIN = get_args(CurrentLogin)[1].dependency


def a_visitor_of(site: Site) -> TestClient:
    app = an_app(APIRouter(), site=site)
    app.dependency_overrides[CURRENT_LOGIN] = lambda: None  # it asks the database, which these pages do not need
    return a_visitor(app)


@pytest.fixture(scope="module")
def visitor() -> TestClient:
    return a_visitor_of(SITE)


@pytest.mark.parametrize(
    ("path", "dutch", "english"),
    [
        ("/help", "Hulp", "Help"),
        ("/toegankelijkheid", "Toegankelijkheidsverklaring", "Accessibility statement"),
        ("/over", "Over Stappenplan", "About Stappenplan"),
    ],
)
def test_pages_need_no_login_and_speak_both_languages(visitor: TestClient, path: str, dutch: str, english: str):
    assert f"<title>{dutch} – Stappenplan</title>" in visitor.get(path).text
    assert f"<title>{english} – Stappenplan</title>" in visitor.get(path, headers=ENGLISH).text


def test_accessibility_statement_has_what_the_model_asks_for(visitor: TestClient):
    text = visitor.get("/toegankelijkheid").text

    assert SITE.public_url in text
    assert "Status D" in text
    assert "EN 301 549" in text
    assert "24 november 2026" in text
    assert f"mailto:{SITE.contact_email}" in text
    assert "Nationale ombudsman" in text


def test_without_a_contact_address_pages_name_the_municipality():
    visitor = a_visitor_of(replace(SITE, contact_email=None))

    assert "mailto:" not in visitor.get("/help").text
    assert "mailto:" not in visitor.get("/toegankelijkheid").text


def test_every_package_of_others_is_named_with_its_licence_to_read(visitor: TestClient):
    text = visitor.get("/over").text

    assert len(vendor_packages()) >= 4
    for package in vendor_packages():
        assert package["name"] in text
        assert package["licence"] in text
    licences = re.findall(r'href="(/static/vendor/licences/[^"]+)"', text)
    assert len(licences) == sum(len(package["licenceFiles"]) for package in vendor_packages())
    for address in licences:
        answer = visitor.get(address)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert len(answer.text) > 100


def test_security_txt_is_as_rfc_9116_asks(visitor: TestClient):
    answer = visitor.get(SECURITY_TXT_PATH)
    lines = dict(line.split(": ", 1) for line in answer.text.splitlines())

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert lines["Contact"] == SITE.security_contact
    assert lines["Canonical"] == f"{SITE.public_url}{SECURITY_TXT_PATH}"
    assert lines["Preferred-Languages"] == "nl, en"
    expires = datetime.strptime(lines["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)


def test_security_txt_takes_date_and_policy_from_the_settings():
    site = replace(SITE, security_expires=date(2027, 1, 31), security_policy="https://wilgenmeer.example/cvd")

    text = security_text(site, today=date(2026, 11, 24))

    assert "Expires: 2027-01-31T00:00:00Z" in text
    assert "Policy: https://wilgenmeer.example/cvd" in text


def test_without_a_security_contact_there_is_no_security_txt():
    assert a_visitor_of(replace(SITE, security_contact=None)).get(SECURITY_TXT_PATH).status_code == 404
