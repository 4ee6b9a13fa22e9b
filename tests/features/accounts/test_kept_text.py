"""Somebody typed for half an hour, the session ended, and then comes the button "Opslaan"."""

import html
from urllib.parse import unquote

import pytest
from starlette.requests import Request

from app.policy import Role
from app.storage.database import Database
from app.web.kept import KEPT_BYTES_MAX, address_of
from tests.features.accounts.building import (
    CSRF,
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_session,
    a_user,
    an_app,
    hidden_fields_in,
)

TYPED: dict[str, str | list[str]] = {
    "vraag.doel": "Wij willen dat <iedereen> mee kan doen.\r\nOok wie \"niet\" typt & 'wel' praat — écht.",
    "vraag.domeinen": ["wonen", "werk"],
    "revision": "7",
}
SENT_AGAIN = [
    ["vraag.doel", str(TYPED["vraag.doel"])],
    ["vraag.domeinen", "wonen"],
    ["vraag.domeinen", "werk"],
    ["revision", "7"],
]


def test_text_survives_a_lost_session(database: Database):
    clock = AdjustableClock()
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database, clock), token=a_session(database, anna))
    clock.advance(minutes=31)

    refused = browser.post("/bewaren?terug=1", data={**TYPED, "csrf_token": CSRF, "wachtwoord": "geheim woord"})

    assert refused.status_code == 401
    assert "U bent uitgelogd. Daarom is dit nog niet opgeslagen" in refused.text
    assert "geheim woord" not in refused.text
    assert CSRF not in refused.text
    fields = hidden_fields_in(refused.text, action="/inloggen")

    # A typing error in between must not cost the text either.
    wrong = browser.post("/inloggen", data=_form([*fields, ("login", "anna"), ("password", "verkeerd woord")]))
    assert wrong.status_code == 422
    fields = hidden_fields_in(wrong.text, action="/inloggen")
    back = browser.post("/inloggen", data=_form([*fields, ("login", "anna"), ("password", PASSWORD)]))

    assert back.status_code == 200
    assert "Uw tekst is bewaard" in back.text
    assert "Anna de Wit" in back.text
    assert html.escape("Wij willen dat <iedereen> mee kan doen.") in back.text
    fields = hidden_fields_in(back.text, action="/bewaren?terug=1")
    assert dict(fields)["csrf_token"] != CSRF
    saved = browser.post("/bewaren?terug=1", data=_form(fields))

    assert saved.status_code == 200
    got = [pair for pair in saved.json()["got"] if pair[0] != "csrf_token"]
    assert [[name, _unix(value)] for name, value in got] == [[name, _unix(value)] for name, value in SENT_AGAIN]


def test_part_of_a_page_shows_the_sign_in_form_beside_what_was_typed(database: Database):
    browser = a_browser(an_app(database))

    refused = browser.post("/bewaren", data=TYPED, headers={"hx-request": "true"})

    assert refused.status_code == 401
    assert refused.headers["hx-retarget"] == "#page-alert"
    assert "<html" not in refused.text
    assert 'class="prose stack page-error"' in refused.text  # what the layout lets through of an error
    assert dict(hidden_fields_in(refused.text, action="/inloggen"))["verder"] == "/bewaren"


def test_text_survives_the_choice_of_a_municipality(database: Database):
    zonnedam, maanstad = a_municipality(database, "Zonnedam"), a_municipality(database, "Maanstad")
    a_user(database, roles={zonnedam: [Role.POLICY_OFFICER], maanstad: [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database))
    refused = browser.post("/bewaren", data=TYPED)
    fields = hidden_fields_in(refused.text, action="/inloggen")

    choice = browser.post("/inloggen", data=_form([*fields, ("login", "anna"), ("password", PASSWORD)]))
    assert "Kies uw gemeente" in choice.text
    fields = hidden_fields_in(choice.text, action="/gemeente")
    back = browser.post("/gemeente", data=_form([*fields, ("gemeente", str(maanstad))]))

    assert "ingelogd als Anna de Wit in Maanstad" in back.text
    saved = browser.post("/bewaren", data=_form(hidden_fields_in(back.text, action="/bewaren")))
    assert ["vraag.domeinen", "werk"] in saved.json()["got"]


def test_part_of_a_page_leads_the_focus_to_what_is_to_be_sent_again(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    refused = browser.post("/bewaren", data={**TYPED, "csrf_token": "van eerder"}, headers={"hx-request": "true"})

    assert refused.headers["hx-retarget"] == "#page-alert"
    assert "data-focus" in refused.text.split("<p")[0], "the button may be screens away from the top of the page"


def test_form_of_an_earlier_session_can_be_sent_again(database: Database):
    """Signed in anew in another tab: this tab still has the token of before."""
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))

    refused = browser.post("/bewaren", data={**TYPED, "csrf_token": "van eerder"})

    assert refused.status_code == 403
    assert "Uw tekst is bewaard" in refused.text
    fields = hidden_fields_in(refused.text, action="/bewaren")
    assert dict(fields)["csrf_token"] == CSRF
    assert browser.post("/bewaren", data=_form(fields)).status_code == 200


def test_nobody_is_invited_to_send_what_another_site_made(database: Database):
    """Our cookie is not sent along from another site, so such a request looks like one of a lost session."""
    attack = {"tekst": "akkoord namens het slachtoffer"}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = a_browser(an_app(database)).post("/akkoord", data=attack, headers=headers)

        assert answer.status_code == 403
        assert 'name="bewaard' not in answer.text


def test_lost_session_without_a_word_about_its_origin_is_not_offered_again(database: Database):
    browser = a_browser(an_app(database))
    del browser.headers["origin"]

    answer = browser.post("/akkoord", data=TYPED)

    assert answer.status_code == 401
    assert 'name="bewaard' not in answer.text


def test_wrong_token_without_a_word_about_its_origin_gets_no_second_chance(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database), token=a_session(database, anna))
    del browser.headers["origin"]

    answer = browser.post("/bewaren", data={**TYPED, "csrf_token": "geraden"})

    assert answer.status_code == 403
    assert 'action="/bewaren"' not in answer.text


def test_file_cannot_travel_along_and_the_page_says_so(database: Database):
    a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database))

    refused = browser.post(
        "/bewaren", data={"titel": "Verslag van de avond"}, files={"bestand": ("verslag.pdf", b"%PDF-inhoud")}
    )

    assert refused.status_code == 401
    assert "Niet alles kon worden bewaard" in refused.text
    assert "%PDF-inhoud" not in refused.text
    fields = hidden_fields_in(refused.text, action="/inloggen")
    back = browser.post("/inloggen", data=_form([*fields, ("login", "anna"), ("password", PASSWORD)]))
    assert "Niet alles kon worden bewaard" in back.text
    assert dict(hidden_fields_in(back.text, action="/bewaren"))["titel"] == "Verslag van de avond"


def test_far_too_much_text_is_cut_and_the_page_says_so(database: Database):
    long = "woord " * (KEPT_BYTES_MAX // 6)

    refused = a_browser(an_app(database)).post("/bewaren", data={"kort": "Dit past nog.", "lang": long, "ook": "x"})

    assert refused.status_code == 401
    assert "Niet alles kon worden bewaard" in refused.text
    assert "Dit past nog." in refused.text
    assert len(refused.text) < KEPT_BYTES_MAX


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/uitloggen"])
def test_kept_text_goes_to_no_other_place(database: Database, target: str):
    a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database))
    fields = {"login": "anna", "password": PASSWORD, "verder": target, "bewaard.tekst": "Een hele zin."}

    answer = browser.post("/inloggen", data=fields)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_sign_in_without_kept_text_goes_straight_on(database: Database):
    a_user(database, roles={a_municipality(database): [Role.POLICY_OFFICER]})
    browser = a_browser(an_app(database))

    refused = browser.post("/uitloggen")

    assert refused.status_code == 401
    fields = hidden_fields_in(refused.text, action="/inloggen")
    assert fields == [("verder", "/")]


def _form(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return form


def _unix(value: object) -> str:
    """Browsers send line ends as \\r\\n whatever the page has; the test client sends them as they are."""
    return str(value).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/trajecten/a%20b?x=%2F", "/trajecten/a%20b?x=%2F"),
        ("/trajecten/wat%3Fnu", "/trajecten/wat%3Fnu"),
        ("/%2Fevil.example", "/"),
        ("/%5Cevil.example", "/%5Cevil.example"),
        ("/caf%C3%A9", "/caf%C3%A9"),
    ],
)
def test_address_is_remembered_as_it_was(raw: str, expected: str):
    path, _, query = raw.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver")],
        "scheme": "http",
        "server": ("testserver", 80),
    }

    assert address_of(Request(scope)) == expected
