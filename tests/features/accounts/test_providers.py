"""Signing in through an organisation, against a real provider in a process of its own, along the real redirects."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.features.accounts.provider_places import placed
from app.openid.providers import Provider, ProvidersInvalid
from app.policy import Role
from app.storage import installation, user_admin
from app.storage.account_log import Act
from app.storage.database import Database
from app.storage.scope import unscoped
from app.storage.tables import (
    AccountEvent,
    LoginSession,
    Membership,
    PendingSignIn,
    ProviderAccount,
    ProviderFlow,
    ProviderRole,
    User,
)
from app.web.identity import COOKIE, FLOW_COOKIE, session_id_of
from tests.features.accounts.building import (
    PASSWORD,
    AdjustableClock,
    a_browser,
    a_municipality,
    a_session,
    a_user,
    an_app,
    code_of,
    csrf_token_in,
    hidden_fields_in,
)
from tests.openid.providers import RealProvider, path_of, query_of, real_providers

GO = "/inloggen/organisatie/zonnedam"


@pytest.fixture(scope="module")
def both() -> Iterator[list[RealProvider]]:
    with real_providers(2) as found:
        yield found


@pytest.fixture
def zonnedam(both: list[RealProvider]) -> RealProvider:
    both[0].told()
    return both[0]


@pytest.fixture
def veldam(both: list[RealProvider]) -> RealProvider:
    both[1].told()
    return both[1]


@pytest.fixture
def here(database: Database) -> uuid.UUID:
    return a_municipality(database)


def an_office(
    database: Database, providers: Sequence[Provider], *, clock: AdjustableClock | None = None, **options: Any
) -> TestClient:
    clock = clock or AdjustableClock(datetime.now(UTC))
    return a_browser(an_app(database, clock, providers=providers, **options))


def another_browser(browser: TestClient) -> TestClient:
    return a_browser(browser.app)  # type: ignore[arg-type]  # it is the application that a_browser() was given


def sign_in(browser: TestClient, real: RealProvider, subject: str, *, go: str = GO) -> Any:
    """The whole way: to the provider, logging in there, and back."""
    away = browser.get(go)
    assert away.status_code == 303, away.text
    return browser.get(path_of(real.answer(away.headers["location"], subject)))


def rows(database: Database, table: Any) -> list[Any]:
    with database.read() as session:
        unscoped(session, "tests look at everything")
        return list(session.exec(select(table)))


def acts(database: Database) -> list[str]:
    return [row.act for row in sorted(rows(database, AccountEvent), key=lambda row: row.at)]


def roles(database: Database) -> set[str]:
    return {row.role for row in rows(database, Membership)}


# --- the way there and back -----------------------------------------------------------------------------------------


def test_sign_in_page_has_a_button_for_each_organisation_above_the_form(
    database: Database, zonnedam: RealProvider, veldam: RealProvider
):
    other = veldam.provider(key="veldam", name="Gemeente Veldam", municipality="Veldam")
    page = an_office(database, [zonnedam.provider(), other]).get("/inloggen?verder=/bekijken").text
    assert "Inloggen met Gemeente Zonnedam" in page
    assert 'href="/inloggen/organisatie/veldam?verder=%2Fbekijken"' in page
    assert page.index("Gemeente Veldam") < page.index('name="password"')


def test_first_sign_in_makes_an_account_with_roles_and_leads_back(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid", "iets anders")
    browser = an_office(database, [zonnedam.provider()])
    answer = sign_in(browser, zonnedam, "anna-1", go=f"{GO}?verder=/bekijken")
    assert (answer.status_code, answer.headers["location"]) == (303, "/bekijken")
    assert browser.get("/bekijken").json() == {
        "user": str(rows(database, User)[0].id),
        "municipality": "Zonnedam",
        "roles": ["policy_officer"],
        "scope": str(here),
    }
    (user,) = rows(database, User)
    assert (user.login, user.name, user.password_hash) == ("anna@zonnedam.example", "Anna de Wit", None)
    (linked,) = rows(database, ProviderAccount)
    assert (linked.issuer, linked.subject, linked.user_id, linked.made_account) == (
        zonnedam.issuer,
        "anna-1",
        user.id,
        True,
    )
    assert acts(database) == ["user_added_by_provider", "signed_in_with_provider"]


def test_address_of_the_provider_asks_for_a_code_with_pkce_state_and_nonce(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    browser = an_office(database, [zonnedam.provider(second_factor={"acr": ["hoog", "hoger"]})])
    first, second = (query_of(browser.get(GO).headers["location"]) for _ in range(2))
    assert first["response_type"] == "code"
    assert first["code_challenge_method"] == "S256"
    assert len(first["code_challenge"]) == 43
    assert first["redirect_uri"] == "http://testserver/inloggen/organisatie/zonnedam/terug"
    assert first["scope"] == "openid profile email"
    assert first["acr_values"] == "hoog hoger"
    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))
    for flow in rows(database, ProviderFlow):
        assert first["state"] not in str(flow)
        assert first["nonce"] not in str(flow)


def test_second_sign_in_finds_the_same_account(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    before = browser.cookies[COOKIE]
    zonnedam.person("anna-1", "beleid", email="anders@zonnedam.example", name="Anna Anders")
    sign_in(browser, zonnedam, "anna-1")
    assert len(rows(database, User)) == 1
    assert browser.cookies[COOKIE] != before
    assert len(rows(database, LoginSession)) == 1


def test_two_windows_on_the_way_at_once_both_arrive(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    first, second = (browser.get(GO).headers["location"] for _ in range(2))
    for away in (first, second):
        assert browser.get(path_of(zonnedam.answer(away, "anna-1"))).status_code == 303


def test_cookie_of_the_way_is_short_and_over_tls_can_only_come_from_us(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    clock = AdjustableClock(datetime.now(UTC))
    app = an_app(database, clock, secure_cookies=True, providers=[zonnedam.provider()])
    browser = a_browser(app, base_url="https://testserver")
    cookie = browser.get(GO).headers["set-cookie"]
    assert cookie.startswith("__Host-stappenplan-organisatie=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))


def test_kept_text_goes_along_to_the_provider_and_back(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    lost = browser.post("/bewaren", data={"antwoord": "Dit is een lange tekst."})
    assert lost.status_code == 401
    between = browser.post(GO, data=dict(hidden_fields_in(lost.text, action=GO)))
    assert between.status_code == 200
    address = between.text.partition("0; url=")[2].partition('"')[0].replace("&amp;", "&")
    assert "lange tekst" not in str(rows(database, ProviderFlow))
    back = browser.get(path_of(zonnedam.answer(address, "anna-1")))
    assert "Dit is een lange tekst." in back.text
    fields = hidden_fields_in(back.text, action="/bewaren")
    assert browser.post("/bewaren", data=dict(fields)).json()["got"][-1] == ["antwoord", "Dit is een lange tekst."]
    assert rows(database, ProviderFlow) == []


@pytest.mark.parametrize("verder", ["https://kwaad.example/", "//kwaad.example", "/\\kwaad.example", "/inloggen"])
def test_afterwards_never_to_another_site(database: Database, zonnedam: RealProvider, here: uuid.UUID, verder: str):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    away = browser.get(GO, params={"verder": verder})
    answer = browser.get(path_of(zonnedam.answer(away.headers["location"], "anna-1")))
    assert answer.headers["location"] == "/"


# --- roles --------------------------------------------------------------------------------------------------------


def test_roles_follow_the_provider_at_each_sign_in_and_open_sessions_get_a_new_id(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid", "leiding")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    assert browser.get("/bekijken").json()["roles"] == ["manager", "policy_officer"]
    old = browser.cookies[COOKIE]
    zonnedam.person("anna-1", "beheer")
    sign_in(another_browser(browser), zonnedam, "anna-1")
    assert browser.get("/bekijken").json()["roles"] == ["administrator"]
    assert browser.cookies[COOKIE] != old
    changed = [row.detail for row in rows(database, AccountEvent) if row.act == Act.ROLES_CHANGED_BY_PROVIDER]
    assert {"provider": "zonnedam", "before": ["manager", "policy_officer"], "roles": ["administrator"]} in changed


def test_role_that_was_given_here_stays_whatever_the_provider_says(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    (anna,) = rows(database, User)
    with database.write() as session:
        # What the administrator sends is what was given here; what the provider gave is not hers to take away.
        user_admin.set_roles(session, here, anna.id, {Role.AUDITOR, Role.ADMINISTRATOR}, at=datetime.now(UTC))
    assert roles(database) == {"administrator", "auditor", "policy_officer"}
    zonnedam.person("anna-1", "leiding")
    sign_in(browser, zonnedam, "anna-1")
    assert roles(database) == {"administrator", "auditor", "manager"}


def test_without_a_role_nobody_gets_in_and_what_was_taken_away_is_gone_at_once(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    zonnedam.person("anna-1")
    answer = sign_in(another_browser(browser), zonnedam, "anna-1")
    assert answer.status_code == 403
    assert "U hebt geen rol in Stappenplan" in answer.text
    assert roles(database) == set()
    assert browser.get("/bekijken").status_code == 303


def test_stranger_without_a_role_leaves_no_account(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("zomaar", "kantine")
    assert sign_in(an_office(database, [zonnedam.provider()]), zonnedam, "zomaar").status_code == 403
    assert rows(database, User) == []


def test_roles_that_were_left_out_for_lack_of_room_take_nothing_away(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", groups=["beleid"])
    browser = an_office(database, [zonnedam.provider(roles_claim="groups")])
    sign_in(browser, zonnedam, "anna-1")
    zonnedam.person("anna-1", _claim_names={"groups": "src1"})
    answer = sign_in(browser, zonnedam, "anna-1")
    assert answer.status_code == 403
    assert roles(database) == {"policy_officer"}


def test_roles_that_only_userinfo_tells_count_too(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "leiding")
    zonnedam.told(claims={"realm_access": None, "email": None})
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    assert roles(database) == {"manager"}


# --- whose account it is --------------------------------------------------------------------------------------------


def test_same_mail_address_is_no_proof_that_a_local_account_is_theirs(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    a_user(database, "anna@zonnedam.example", roles={here: {Role.ADMINISTRATOR}})
    zonnedam.person("boef", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    answer = sign_in(browser, zonnedam, "boef")
    assert answer.status_code == 409
    assert "Er is al een account met uw e-mailadres" in answer.text
    assert (rows(database, ProviderAccount), rows(database, LoginSession)) == ([], [])


def test_same_subject_at_another_issuer_is_somebody_else(
    database: Database, zonnedam: RealProvider, veldam: RealProvider, here: uuid.UUID
):
    a_municipality(database, "Veldam")
    for real in (zonnedam, veldam):
        real.person("een", "beleid")
    other = veldam.provider(key="veldam", municipality="Veldam", email_domains=())
    browser = an_office(database, [zonnedam.provider(), other])
    sign_in(browser, zonnedam, "een")
    answer = sign_in(browser, veldam, "een", go="/inloggen/organisatie/veldam")
    assert answer.status_code == 303
    assert browser.get("/bekijken").json()["municipality"] == "Veldam"
    # Without domains of its own a provider can't take the name that somebody elsewhere logs in with.
    assert {user.login for user in rows(database, User)} == {"anna@zonnedam.example", "veldam/anna@zonnedam.example"}


@pytest.mark.parametrize(
    "claims",
    [{"email": "anna@elders.example"}, {"email_verified": False}, {"email": None}],
    ids=["other domain", "unverified", "none"],
)
def test_mail_address_of_another_domain_is_refused(
    database: Database, zonnedam: RealProvider, here: uuid.UUID, claims: dict[str, Any]
):
    zonnedam.person("anna-1", "beleid", **claims)
    answer = sign_in(an_office(database, [zonnedam.provider()]), zonnedam, "anna-1")
    assert answer.status_code == 403
    assert "hoort niet bij Gemeente Zonnedam" in answer.text
    assert rows(database, User) == []


def test_provider_that_makes_no_accounts_lets_strangers_out(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    answer = sign_in(an_office(database, [zonnedam.provider(creates_accounts=False)]), zonnedam, "anna-1")
    assert answer.status_code == 403
    assert "U hebt hier nog geen account" in answer.text


def test_disabled_user_stays_out_and_it_is_told(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    with database.write() as session:
        user = session.exec(select(User)).one()
        user.disabled_at = datetime.now(UTC)
    assert browser.get("/bekijken").status_code == 303
    answer = sign_in(browser, zonnedam, "anna-1")
    assert answer.status_code == 403
    assert "Uw account is uitgeschakeld" in answer.text
    assert acts(database)[-1] == "provider_sign_in_refused"


def test_provider_opens_its_own_municipality_only(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    there = a_municipality(database, "Veldam")
    anna = a_user(database, roles={here: {Role.POLICY_OFFICER}, there: {Role.ADMINISTRATOR}})
    with database.write() as session:
        moment = datetime.now(UTC)
        session.add(
            ProviderAccount(
                issuer=zonnedam.issuer,
                subject="anna-1",
                user_id=anna,
                provider="zonnedam",
                made_account=False,
                linked_at=moment,
                seen_at=moment,
            )
        )
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    assert browser.get("/bekijken").json()["municipality"] == "Zonnedam"
    page = browser.get("/account").text
    chosen = browser.post("/gemeente", data={"csrf_token": csrf_token_in(page), "gemeente": str(there)})
    assert chosen.status_code == 422
    assert browser.get("/bekijken").json()["municipality"] == "Zonnedam"
    assert {row.municipality_id for row in rows(database, AccountEvent)} == {here}


def test_provider_stays_of_its_municipality_when_that_gets_another_name(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    providers = placed(database, [zonnedam.provider(), zonnedam.provider(key="met-kenmerk", municipality=str(here))])
    browser = an_office(database, providers)
    with database.write() as session:
        installation.rename(session, here, "Zonnedam aan Zee")
    for key in ("zonnedam", "met-kenmerk"):
        assert sign_in(browser, zonnedam, "anna-1", go=f"/inloggen/organisatie/{key}").status_code == 303
        assert browser.get("/bekijken").json()["municipality"] == "Zonnedam aan Zee"
    with pytest.raises(ProvidersInvalid, match=rf"no municipality 'Zonnedam'.*Zonnedam aan Zee \({here}\)") as refused:
        placed(database, [zonnedam.provider()])
    assert "provider zonnedam:" in str(refused.value)


# --- second factor --------------------------------------------------------------------------------------------------


def test_provider_that_proves_a_second_factor_needs_none_here(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid", amr=["pwd", "mfa"])
    provider = zonnedam.provider(second_factor={"amr": ["mfa"]})
    browser = an_office(database, [provider], second_factor_required=True)
    assert sign_in(browser, zonnedam, "anna-1").headers["location"] == "/"


def test_where_the_provider_asks_no_second_factor_ours_is_asked(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid", amr=["pwd"], acr="laag")
    provider = zonnedam.provider(second_factor={"amr": ["mfa"], "acr": ["hoog"]})
    clock = AdjustableClock(datetime.now(UTC))
    browser = an_office(database, [provider], second_factor_required=True, clock=clock)
    first = sign_in(browser, zonnedam, "anna-1", go=f"{GO}?verder=/bekijken")
    assert first.headers["location"] == "/inloggen/instellen?verder=%2Fbekijken"
    assert rows(database, LoginSession) == []
    (user,) = rows(database, User)
    page = browser.get(first.headers["location"])
    code = code_of(database, user.id, clock.at)
    done = browser.post("/inloggen/instellen", data={"code": code, "verder": "/bekijken"})
    assert "<code>" in done.text
    assert browser.get("/bekijken").json()["roles"] == ["policy_officer"]
    assert acts(database)[-1] == "signed_in_with_provider"
    assert page.status_code == 200
    clock.advance(minutes=1)
    later = another_browser(browser)
    assert sign_in(later, zonnedam, "anna-1").headers["location"] == "/inloggen/code"
    assert later.post("/inloggen/code", data={"code": code_of(database, user.id, clock.at)}).status_code == 303
    assert all(row.provider == "zonnedam" and row.limited_to == here for row in rows(database, LoginSession))


# --- what is refused ------------------------------------------------------------------------------------------------


def refused(answer: Any, database: Database) -> bool:
    sentence = "Inloggen met Gemeente Zonnedam is niet gelukt"
    return answer.status_code == 400 and sentence in answer.text and rows(database, LoginSession) == []


def test_answer_counts_once(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    back = path_of(zonnedam.answer(browser.get(GO).headers["location"], "anna-1"))
    assert browser.get(back).status_code == 303
    with database.write() as session:
        session.delete(session.exec(select(LoginSession)).one())
    before = zonnedam.counts()["tokens"]
    assert refused(browser.get(back), database)
    assert zonnedam.counts()["tokens"] == before


def test_answer_in_another_browser_is_refused(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    """Somebody is led to log in as the attacker, and would then type into the attacker's account."""
    zonnedam.person("boef", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    back = path_of(zonnedam.answer(browser.get(GO).headers["location"], "boef"))
    victim = another_browser(browser)
    assert refused(victim.get(back), database)
    victim.get(GO)  # also when the victim is on the way too
    assert refused(victim.get(back), database)


@pytest.mark.parametrize("query", ["", "?code=x", "?state=verzonnen&code=x", "?state=%C3%A9&code=%C3%A9&iss=%C3%A9"])
def test_forged_answer_is_refused(database: Database, zonnedam: RealProvider, here: uuid.UUID, query: str):
    browser = an_office(database, [zonnedam.provider()])
    browser.get(GO)
    assert refused(browser.get(f"{GO}/terug{query}"), database)
    assert browser.get(f"{GO}/terug?state=%00&code=%00&iss=%00").status_code == 400


def test_code_of_another_sign_in_is_refused(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    """A stolen code, put in an answer to one's own sign-in: code verifier and nonce belong to another."""
    zonnedam.person("anna-1", "beheer")
    victim = an_office(database, [zonnedam.provider()])
    stolen = query_of(zonnedam.answer(victim.get(GO).headers["location"], "anna-1"))["code"]
    thief = another_browser(victim)
    state = query_of(thief.get(GO).headers["location"])["state"]
    assert refused(thief.get(f"{GO}/terug", params={"state": state, "code": stolen}), database)


def test_too_late_is_refused(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    clock = AdjustableClock(datetime.now(UTC))
    browser = an_office(database, [zonnedam.provider()], clock=clock)
    back = path_of(zonnedam.answer(browser.get(GO).headers["location"], "anna-1"))
    clock.advance(minutes=10, seconds=1)
    assert refused(browser.get(back), database)


def test_answer_of_one_provider_is_none_of_another(
    database: Database, zonnedam: RealProvider, veldam: RealProvider, here: uuid.UUID
):
    a_municipality(database, "Veldam")
    zonnedam.person("anna-1", "beleid")
    other = veldam.provider(key="veldam", municipality="Veldam")
    browser = an_office(database, [zonnedam.provider(), other])
    back = path_of(zonnedam.answer(browser.get(GO).headers["location"], "anna-1"))
    before = veldam.counts()["tokens"]
    answer = browser.get(back.replace("/zonnedam/", "/veldam/"))
    assert answer.status_code == 400
    assert rows(database, LoginSession) == []
    assert veldam.counts()["tokens"] == before


@pytest.mark.parametrize(
    ("iss", "promised"), [("https://kwaad.example", False), ("https://kwaad.example", True), (None, True)]
)
def test_answer_names_its_issuer(
    database: Database, zonnedam: RealProvider, here: uuid.UUID, iss: str | None, promised: bool
):
    """RFC 9207: a provider that was mixed up with another betrays itself."""
    zonnedam.person("anna-1", "beleid")
    told = {"metadata": {"authorization_response_iss_parameter_supported": promised}}
    zonnedam.told(**told, answer={"iss": iss} if iss else {})
    before = zonnedam.counts()["tokens"]
    assert refused(sign_in(an_office(database, [zonnedam.provider()]), zonnedam, "anna-1"), database)
    assert zonnedam.counts()["tokens"] == before


def test_right_issuer_in_the_answer_is_accepted(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    promise = {"authorization_response_iss_parameter_supported": True}
    zonnedam.told(metadata=promise, answer={"iss": zonnedam.issuer})
    assert sign_in(an_office(database, [zonnedam.provider()]), zonnedam, "anna-1").status_code == 303


def without_moments(value: object) -> str:
    """Names of tests are the same in every process."""
    return re.sub(r"\d{9,}", "…", str(value))


NOW = int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize(
    "told",
    [
        {"claims": {"iss": "https://kwaad.example"}},
        {"claims": {"aud": "een ander"}},
        {"claims": {"aud": ["stappenplan", "een ander"]}},
        {"claims": {"aud": ["stappenplan", "een ander"], "azp": "een ander"}},
        {"claims": {"aud": None}},
        {"claims": {"exp": NOW - 120}},
        {"claims": {"exp": None}},
        {"claims": {"exp": "morgen"}},
        {"claims": {"iat": NOW + 3600}},
        {"claims": {"iat": None}},
        {"claims": {"nbf": NOW + 3600}},
        {"claims": {"nonce": "een ander"}},
        {"claims": {"nonce": None}},
        {"claims": {"nonce": ["x"]}},
        {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
        {"claims": {"sub": None}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": "x" * 256}},
        {"claims": {"sub": 7}},
        {"signed_by": "other"},
        {"signed_by": "none"},
        {"signed_by": "secret"},
        {"header": {"kid": "onbekend"}},
        {"tokens": {"id_token": "geen.token"}},
        {"tokens": {"id_token": None}},
        {"tokens": {"id_token": 7}},
        {"tokens": {"error": "server_error"}},
    ],
    ids=without_moments,
)
def test_token_that_proves_nothing_opens_nothing(
    sqlite_database: Database, zonnedam: RealProvider, told: dict[str, Any]
):
    a_municipality(sqlite_database)
    zonnedam.person("anna-1", "beleid")
    zonnedam.told(**told)
    assert refused(sign_in(an_office(sqlite_database, [zonnedam.provider()]), zonnedam, "anna-1"), sqlite_database)
    assert rows(sqlite_database, User) == []


def test_new_key_of_the_provider_is_fetched_by_itself(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    fetched = zonnedam.counts()["jwks"]
    sign_in(browser, zonnedam, "anna-1")
    assert zonnedam.counts()["jwks"] == fetched
    zonnedam.rotate()
    assert sign_in(browser, zonnedam, "anna-1").status_code == 303
    assert zonnedam.counts()["jwks"] == fetched + 1


def test_stopping_at_the_provider_is_told_in_plain_words(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    browser = an_office(database, [zonnedam.provider()])
    away = browser.get(f"{GO}?verder=/bekijken").headers["location"]
    # The mock gives no state back when somebody refuses there; a provider must (RFC 6749, 4.1.2.1).
    back = f"{path_of(zonnedam.refuse(away))}&state={query_of(away)['state']}"
    answer = browser.get(back)
    assert answer.status_code == 400
    assert "U bent niet ingelogd met Gemeente Zonnedam" in answer.text
    assert 'value="/bekijken"' in answer.text


def test_what_the_provider_says_of_an_error_is_never_shown(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    browser = an_office(database, [zonnedam.provider()])
    state = query_of(browser.get(GO).headers["location"])["state"]
    query = {"state": state, "error": "access_denied", "error_description": "Bel 0900-BOEF"}
    answer = browser.get(f"{GO}/terug", params=query)
    assert answer.status_code == 400
    assert "U bent niet ingelogd met Gemeente Zonnedam" in answer.text
    shown = re.sub(r'value="[^"]*"', "", answer.text)  # the form to change the language keeps the address
    assert "BOEF" not in shown


def test_provider_that_is_not_there_gives_a_page_that_says_so(database: Database, zonnedam: RealProvider):
    gone = zonnedam.provider(issuer="http://127.0.0.1:9")
    answer = an_office(database, [gone]).get(GO)
    assert answer.status_code == 503
    assert "Inloggen met Gemeente Zonnedam lukt nu niet" in answer.text
    assert answer.headers["retry-after"] == "60"
    assert 'name="password"' in answer.text


def test_link_on_another_site_begins_no_sign_in(database: Database, zonnedam: RealProvider):
    browser = an_office(database, [zonnedam.provider()])
    page = browser.get(GO, headers={"sec-fetch-site": "cross-site"})
    assert (page.status_code, rows(database, ProviderFlow)) == (200, [])
    assert "Inloggen met Gemeente Zonnedam" in page.text
    assert browser.get(GO, headers={"sec-fetch-site": "none"}).status_code == 303, "a bookmark"


def test_unknown_organisation_is_not_found(database: Database, zonnedam: RealProvider):
    browser = an_office(database, [zonnedam.provider()])
    for address in ("/inloggen/organisatie/verzonnen", "/inloggen/organisatie/verzonnen/terug?state=x&code=y"):
        assert browser.get(address).status_code == 404


def test_starting_very_often_from_one_address_is_slowed_down(
    sqlite_database: Database, zonnedam: RealProvider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.features.accounts.attempts.STARTS_MAX", 3)
    browser = an_office(sqlite_database, [zonnedam.provider()])
    assert [browser.get(GO).status_code for _ in range(4)] == [303, 303, 303, 429]


# --- linking --------------------------------------------------------------------------------------------------------


@pytest.fixture
def anna(database: Database, here: uuid.UUID) -> uuid.UUID:
    return a_user(database, "anna@zonnedam.example", roles={here: {Role.POLICY_OFFICER}})


def signed_in(browser: TestClient, database: Database, user_id: uuid.UUID, token: str = "sessie-een") -> str:
    """Gives the CSRF token."""
    a_session(database, user_id, token=token, at=datetime.now(UTC))
    browser.cookies.set(COOKIE, token)
    return csrf_token_in(browser.get("/account").text)


def link(browser: TestClient, csrf: str, *, password: str = PASSWORD, key: str = "zonnedam") -> Any:
    return browser.post(f"/account/organisatie/{key}/koppelen", data={"csrf_token": csrf, "wachtwoord": password})


def next_address(page: Any) -> str:
    found: str = page.text.partition("0; url=")[2].partition('"')[0].replace("&amp;", "&")
    return found


def linked(browser: TestClient, csrf: str, real: RealProvider, subject: str, *, key: str = "zonnedam") -> Any:
    away = browser.get(next_address(link(browser, csrf, key=key)))
    return browser.get(path_of(real.answer(away.headers["location"], subject)))


def test_signed_in_user_links_the_account_with_the_password_and_signs_in_so(
    database: Database, zonnedam: RealProvider, anna: uuid.UUID
):
    zonnedam.person("anna-1", "leiding")
    browser = an_office(database, [zonnedam.provider()])
    csrf = signed_in(browser, database, anna)
    assert "Koppelen met Gemeente Zonnedam" in browser.get("/account/organisatie").text
    assert linked(browser, csrf, zonnedam, "anna-1").headers["location"] == "/account/organisatie"
    assert "Uw account is gekoppeld" in browser.get("/account/organisatie").text
    other = another_browser(browser)
    assert sign_in(other, zonnedam, "anna-1").status_code == 303
    assert other.get("/bekijken").json() == {**browser.get("/bekijken").json(), "user": str(anna)}
    assert roles(database) == {"policy_officer", "manager"}
    assert Act.PROVIDER_LINKED in acts(database)


def test_without_the_right_password_nothing_is_linked(database: Database, zonnedam: RealProvider, anna: uuid.UUID):
    browser = an_office(database, [zonnedam.provider()])
    csrf = signed_in(browser, database, anna)
    assert link(browser, csrf, password="een verkeerd wachtwoord").status_code == 422
    for proof in ("", "1.x", f"{NOW}.AAAA", "x" * 300, f"{NOW}.\u00e9"):
        away = browser.get("/account/organisatie/zonnedam/verder", params={"bewijs": proof})
        assert away.headers["location"] == "/account/organisatie"
    assert rows(database, ProviderFlow) == []


def test_linking_ends_in_the_session_in_which_it_began(
    database: Database, zonnedam: RealProvider, anna: uuid.UUID, here: uuid.UUID
):
    """Otherwise somebody else could finish it, and have a way into the account."""
    bram = a_user(database, "bram", roles={here: {Role.POLICY_OFFICER}}, name="Bram Bos")
    zonnedam.person("boef", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    csrf = signed_in(browser, database, anna)
    away = browser.get(next_address(link(browser, csrf))).headers["location"]
    a_session(database, bram, token="sessie-twee", at=datetime.now(UTC))
    browser.cookies.set(COOKIE, "sessie-twee")
    back = browser.get(path_of(zonnedam.answer(away, "boef")))
    assert back.status_code == 303
    assert rows(database, ProviderAccount) == []


def test_consent_of_one_session_is_none_of_another(database: Database, zonnedam: RealProvider, anna: uuid.UUID):
    browser = an_office(database, [zonnedam.provider()])
    address = next_address(link(browser, signed_in(browser, database, anna)))
    browser.cookies.delete(COOKIE)
    signed_in(browser, database, anna, token="sessie-twee")
    assert browser.get(address).headers["location"] == "/account/organisatie"


def test_person_who_belongs_to_another_account_can_not_be_linked_again(
    database: Database, zonnedam: RealProvider, anna: uuid.UUID, here: uuid.UUID
):
    zonnedam.person("bram-1", "beleid", email="bram@zonnedam.example")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "bram-1")
    (before,) = rows(database, ProviderAccount)
    browser.cookies.clear()
    linked(browser, signed_in(browser, database, anna), zonnedam, "bram-1")
    assert "Koppelen is niet gelukt" in browser.get("/account/organisatie").text
    (after,) = rows(database, ProviderAccount)
    assert after.user_id == before.user_id


def test_what_a_link_opens_already_is_not_offered_to_be_linked_too(
    database: Database, zonnedam: RealProvider, veldam: RealProvider, here: uuid.UUID
):
    """Zonnedam and Veldam share an organisation, Meerdam has one of its own."""
    there, elsewhere = a_municipality(database, "Veldam"), a_municipality(database, "Meerdam")
    anna = a_user(database, roles={here: {Role.POLICY_OFFICER}, there: {Role.AUDITOR}, elsewhere: {Role.AUDITOR}})
    zonnedam.person("anna-1", "leiding")
    browser = an_office(
        database,
        [
            zonnedam.provider(),
            zonnedam.provider(key="veldam", municipality="Veldam", name="Gemeente Veldam"),
            veldam.provider(key="meerdam", municipality="Meerdam", name="Gemeente Meerdam"),
        ],
    )
    csrf = signed_in(browser, database, anna)
    page = browser.get("/account/organisatie").text
    assert all(f"Koppelen met Gemeente {place}" in page for place in ("Zonnedam", "Veldam", "Meerdam"))

    linked(browser, csrf, zonnedam, "anna-1")
    page = browser.get("/account/organisatie").text
    assert "Koppelen met Gemeente Meerdam" in page
    assert "Koppelen met Gemeente Veldam" not in re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    assert "U kunt hier al inloggen met de koppeling met Gemeente Zonnedam" in page
    assert "Hebt u bij Gemeente Veldam nog een ander account?" in page

    csrf = csrf_token_in(page)
    linked(browser, csrf, zonnedam, "anna-1", key="veldam")
    assert "Koppelen is niet gelukt" in browser.get("/account/organisatie").text, "the same person there, once more"
    assert len(rows(database, ProviderAccount)) == 1
    wrong = link(browser, csrf_token_in(browser.get("/account").text), password="verkeerd wachtwoord", key="veldam")
    assert wrong.status_code == 422
    assert 'href="#veldam-wachtwoord"' in wrong.text, "the summary leads to the field"
    assert re.search(r"<details[^>]* open>", wrong.text)


def test_removing_the_link_takes_its_roles_and_sessions(database: Database, zonnedam: RealProvider, anna: uuid.UUID):
    zonnedam.person("anna-1", "leiding")
    browser = an_office(database, [zonnedam.provider()])
    csrf = signed_in(browser, database, anna)
    linked(browser, csrf, zonnedam, "anna-1")
    other = another_browser(browser)
    sign_in(other, zonnedam, "anna-1")
    address = "/account/organisatie/zonnedam/ontkoppelen"
    csrf = csrf_token_in(browser.get("/account").text)
    assert browser.post(address, data={"csrf_token": csrf, "wachtwoord": "verkeerd wachtwoord"}).status_code == 422
    assert browser.post(address, data={"csrf_token": csrf, "wachtwoord": PASSWORD}).status_code == 303
    assert other.get("/bekijken").status_code == 303
    assert roles(database) == {"policy_officer"}
    assert (rows(database, ProviderAccount), rows(database, ProviderRole)) == ([], [])
    assert Act.PROVIDER_UNLINKED in acts(database)


def test_link_takes_along_what_came_by_another_provider_of_the_same_issuer_and_no_more(
    database: Database, zonnedam: RealProvider, veldam: RealProvider, here: uuid.UUID
):
    """Zonnedam and Veldam share an organisation. Anna linked her account by the one, and to another one by Meerdam."""
    there, elsewhere = a_municipality(database, "Veldam"), a_municipality(database, "Meerdam")
    anna = a_user(database, roles={here: {Role.POLICY_OFFICER}, there: {Role.AUDITOR}, elsewhere: {Role.AUDITOR}})
    zonnedam.person("anna-1", "leiding")
    veldam.person("anna-9", "leiding", email="anna@meerdam.example")
    browser = an_office(
        database,
        [
            zonnedam.provider(),
            zonnedam.provider(key="veldam", municipality="Veldam"),
            veldam.provider(key="meerdam", municipality="Meerdam", email_domains=["meerdam.example"]),
        ],
    )
    csrf = signed_in(browser, database, anna)
    linked(browser, csrf, zonnedam, "anna-1")
    linked(browser, csrf_token_in(browser.get("/account").text), veldam, "anna-9", key="meerdam")
    windows = {key: another_browser(browser) for key in ("zonnedam", "veldam", "meerdam")}
    for key, real, subject in (
        ("zonnedam", zonnedam, "anna-1"),
        ("veldam", zonnedam, "anna-1"),
        ("meerdam", veldam, "anna-9"),
    ):
        assert sign_in(windows[key], real, subject, go=f"/inloggen/organisatie/{key}").status_code == 303
    assert {(row.municipality_id, row.role) for row in rows(database, ProviderRole)} == {
        (place, "manager") for place in (here, there, elsewhere)
    }

    csrf = csrf_token_in(browser.get("/account").text)
    address = "/account/organisatie/zonnedam/ontkoppelen"
    assert browser.post(address, data={"csrf_token": csrf, "wachtwoord": PASSWORD}).status_code == 303

    assert {(row.municipality_id, row.role) for row in rows(database, Membership)} == {
        (here, "policy_officer"),
        (there, "auditor"),
        (elsewhere, "auditor"),
        (elsewhere, "manager"),
    }
    assert [row.subject for row in rows(database, ProviderAccount)] == ["anna-9"]
    assert {key: window.get("/bekijken").status_code for key, window in windows.items()} == {
        "zonnedam": 303,
        "veldam": 303,
        "meerdam": 200,
    }


def test_role_that_was_said_of_two_people_there_ends_with_the_last_of_them(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    """Of one issuer, by one provider: only the person there tells them apart."""
    there = a_municipality(database, "Veldam")
    anna = a_user(database, roles={here: {Role.POLICY_OFFICER}, there: {Role.POLICY_OFFICER}})
    for subject in ("anna-1", "anna-2"):
        zonnedam.person(subject, "leiding")
    browser = an_office(database, [zonnedam.provider(), zonnedam.provider(key="veldam", municipality="Veldam")])
    linked(browser, signed_in(browser, database, anna), zonnedam, "anna-1")
    linked(browser, csrf_token_in(browser.get("/account").text), zonnedam, "anna-2", key="veldam")
    for subject in ("anna-1", "anna-2"):
        assert sign_in(another_browser(browser), zonnedam, subject).status_code == 303
    held = []
    for key in ("zonnedam", "veldam"):
        csrf = csrf_token_in(browser.get("/account").text)
        address = f"/account/organisatie/{key}/ontkoppelen"
        assert browser.post(address, data={"csrf_token": csrf, "wachtwoord": PASSWORD}).status_code == 303
        held.append(roles(database))
    assert held == [{"policy_officer", "manager"}, {"policy_officer"}]


def test_account_of_an_organisation_has_no_functions_of_a_password(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    page = browser.get("/account").text
    assert "U logt in via Gemeente Zonnedam" in page
    assert "/account/wachtwoord" not in page
    assert "ontkoppelen" not in browser.get("/account/organisatie").text


# --- logging out ----------------------------------------------------------------------------------------------------


def test_logging_out_leads_on_to_the_provider_with_the_id_token(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    csrf = csrf_token_in(browser.get("/account").text)
    answer = browser.post("/uitloggen", data={"csrf_token": csrf})
    assert answer.status_code == 200
    assert rows(database, LoginSession) == []
    address = next_address(answer)
    assert address.startswith(f"{zonnedam.issuer}/oauth2/end_session?")
    query = query_of(address)
    assert query["post_logout_redirect_uri"] == "http://testserver/inloggen"
    assert query["client_id"] == "stappenplan"
    assert query["id_token_hint"].count(".") == 2
    assert "U bent uitgelogd" in browser.get("/inloggen").text


def test_id_token_is_not_readable_in_a_copy_of_the_database(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid")
    sign_in(an_office(database, [zonnedam.provider()]), zonnedam, "anna-1")
    (row,) = rows(database, LoginSession)
    assert row.provider_token
    assert "eyJ" not in row.provider_token
    assert "end_session" not in row.provider_token


def test_logging_out_stays_here_where_the_settings_say_so(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider(logs_out_there=False)])
    sign_in(browser, zonnedam, "anna-1")
    csrf = csrf_token_in(browser.get("/account").text)
    assert browser.post("/uitloggen", data={"csrf_token": csrf}).headers["location"] == "/inloggen"


def a_logout(real: RealProvider, **changes: Any) -> dict[str, Any]:
    claims = {
        "iss": real.issuer,
        "aud": "stappenplan",
        "iat": int(datetime.now(UTC).timestamp()),
        "jti": str(uuid.uuid4()),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "sub": "anna-1",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def log_out_there(browser: TestClient, token: str) -> Any:
    """As a provider does: without cookies, and saying nothing of where it comes from."""
    provider = another_browser(browser)
    del provider.headers["origin"]
    return provider.post(f"{GO}/uitloggen", data={"logout_token": token})


@pytest.mark.parametrize("whom", [{"sub": "anna-1"}, {"sub": None, "sid": "s-1"}, {"sub": "anna-1", "sid": "s-1"}])
def test_provider_ends_the_sessions_that_it_opened(
    database: Database, zonnedam: RealProvider, here: uuid.UUID, whom: dict[str, Any]
):
    zonnedam.person("anna-1", "beleid", sid="s-1")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    token = zonnedam.sign(a_logout(zonnedam, **whom))
    answer = log_out_there(browser, token)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert browser.get("/bekijken").status_code == 303
    assert Act.SESSIONS_ENDED_BY_PROVIDER in acts(database)
    assert log_out_there(browser, token).status_code == 400, "it counts once"


def test_provider_leaves_sessions_of_others_and_of_a_password_alone(
    database: Database, zonnedam: RealProvider, here: uuid.UUID
):
    zonnedam.person("anna-1", "beleid", sid="s-1")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    own = another_browser(browser)
    signed_in(own, database, rows(database, User)[0].id)
    for whom in ({"sub": "bram-1"}, {"sub": None, "sid": "s-2"}, {"sub": "anna-1", "sid": "s-2"}):
        assert log_out_there(browser, zonnedam.sign(a_logout(zonnedam, **whom))).status_code == 200
    assert browser.get("/bekijken").status_code == 200
    log_out_there(browser, zonnedam.sign(a_logout(zonnedam)))
    assert (browser.get("/bekijken").status_code, own.get("/bekijken").status_code) == (303, 200)


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"iss": "https://kwaad.example"}, {}),
        ({"aud": "een ander"}, {}),
        ({"events": None}, {}),
        ({"events": {"iets": {}}}, {}),
        ({"nonce": "x"}, {}),
        ({"iat": NOW - 3600}, {}),
        ({"iat": NOW + 3600}, {}),
        ({"iat": None}, {}),
        ({"exp": NOW - 3600}, {}),
        ({"jti": None}, {}),
        ({"sub": None}, {}),
        ({"sub": ["anna-1"]}, {}),
        ({}, {"typ": "at+jwt"}),
        ({}, {"kid": "onbekend"}),
    ],
    ids=without_moments,
)
def test_logout_that_proves_nothing_ends_nothing(
    sqlite_database: Database, zonnedam: RealProvider, changes: dict[str, Any], header: dict[str, str]
):
    a_municipality(sqlite_database)
    zonnedam.person("anna-1", "beleid")
    browser = an_office(sqlite_database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    answer = log_out_there(browser, zonnedam.sign(a_logout(zonnedam, **changes), **header))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert browser.get("/bekijken").status_code == 200


def test_logout_of_another_signer_and_nonsense_are_refused(sqlite_database: Database, zonnedam: RealProvider):
    a_municipality(sqlite_database)
    zonnedam.person("anna-1", "beleid")
    browser = an_office(sqlite_database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    fetched = zonnedam.counts()["jwks"]
    zonnedam.told(signed_by="other")
    forged = zonnedam.sign(a_logout(zonnedam))
    for token in (forged, forged, "", "a.b.c", "\u00e9", "x" * 70_000):
        assert log_out_there(browser, token).status_code in {400, 413}
    assert browser.get("/bekijken").status_code == 200
    # Whoever sends nonsense does not make us ask the provider for its keys again and again.
    assert zonnedam.counts()["jwks"] == fetched


def test_logout_also_ends_a_sign_in_that_is_halfway(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    provider = zonnedam.provider(second_factor={})
    browser = an_office(database, [provider], second_factor_required=True)
    sign_in(browser, zonnedam, "anna-1")
    assert len(rows(database, PendingSignIn)) == 1
    log_out_there(browser, zonnedam.sign(a_logout(zonnedam)))
    assert rows(database, PendingSignIn) == []


def test_session_of_a_provider_is_stored_as_its_hash(database: Database, zonnedam: RealProvider, here: uuid.UUID):
    zonnedam.person("anna-1", "beleid")
    browser = an_office(database, [zonnedam.provider()])
    sign_in(browser, zonnedam, "anna-1")
    (row,) = rows(database, LoginSession)
    assert row.id == session_id_of(browser.cookies[COOKIE])
    assert FLOW_COOKIE in browser.cookies
