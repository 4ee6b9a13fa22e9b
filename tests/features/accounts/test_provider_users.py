"""What an administrator sees of people who come through an organisation, and what stays in whose hands."""

from __future__ import annotations

import uuid

import pytest
from sqlmodel import select

from app.openid.client import ProviderClient
from app.policy import Role
from app.storage import provider_accounts
from app.storage.account_log import Act
from app.storage.database import Database
from app.storage.provider_accounts import SaidBy
from app.storage.tables import Membership, ProviderAccount
from tests.features.accounts.building import MONDAY
from tests.features.client import World, a_world
from tests.openid.providers import RealProvider

HERE = "/beheer/gebruikers"
ISSUER = "https://login.zonnedijk.example"


@pytest.fixture
def world(database: Database) -> World:
    """Noor came through the organisation, as policy officer and manager; Anna has a password and linked her account."""
    found = a_world(database)
    provider = RealProvider(ISSUER).provider(key="zonnedijk", name="Gemeente Zonnedijk", municipality="Zonnedijk")
    found.app.state.providers = {"zonnedijk": ProviderClient(provider)}
    with database.write() as session:
        noor = provider_accounts.make_account(
            session,
            issuer=ISSUER,
            subject="noor-1",
            provider="zonnedijk",
            login="noor@zonnedijk.example",
            name="Noor Blom",
            at=MONDAY,
        )
        change = provider_accounts.compare_roles(
            session,
            noor,
            found.municipalities["Zonnedijk"],
            [Role.POLICY_OFFICER, Role.MANAGER],
            said_by=SaidBy("zonnedijk", ISSUER, "noor-1"),
        )
        provider_accounts.take_roles(session, change, at=MONDAY)
        anna = uuid.UUID(found.users["anna"])
        provider_accounts.link(session, anna, issuer=ISSUER, subject="anna-1", provider="zonnedijk", at=MONDAY)
    found.users["noor"] = str(noor)
    return found


def of(world: World, login: str) -> str:
    return f"{HERE}/{world.users[login]}"


def roles_of(world: World, login: str) -> set[str]:
    with world.database.read() as session:
        return set(session.exec(select(Membership.role).where(Membership.user_id == uuid.UUID(world.users[login]))))


def links(world: World) -> set[str]:
    with world.database.read() as session:
        return set(session.exec(select(ProviderAccount.subject)))


def test_list_says_who_comes_through_the_organisation(world: World):
    with world.counting_queries() as statements:
        page = world.browser("ferry").get(HERE).text
    assert "Via de organisatie" in page
    assert len(statements) <= 8


def test_page_says_where_the_account_comes_from_and_offers_no_password(world: World):
    page = world.browser("ferry").get(of(world, "noor")).text
    assert "Deze persoon logt in via Gemeente Zonnedijk" in page
    assert "Van de organisatie: leidinggevende, beleidsmedewerker." in page
    assert "Maak een link" not in page
    assert 'value="auditor"' in page
    assert 'value="manager"' not in page
    refused = world.browser("ferry").post(f"{of(world, 'noor')}/link", {})
    assert refused.status_code == 409
    assert "Dit account komt van een organisatie" in refused.text


def test_linked_account_keeps_its_password(world: World):
    page = world.browser("ferry").get(of(world, "anna")).text
    assert "Deze persoon koppelde het account aan Gemeente Zonnedijk" in page
    assert world.browser("ferry").post(f"{of(world, 'anna')}/link", {}).status_code == 200


def test_roles_of_the_organisation_stay_whatever_is_sent(world: World):
    ferry = world.browser("ferry")
    assert ferry.post(f"{of(world, 'noor')}/rollen", {"rollen": "auditor"}, follow_redirects=False).status_code == 303
    assert roles_of(world, "noor") == {"auditor", "policy_officer", "manager"}
    assert ferry.post(f"{of(world, 'noor')}/rollen", {}, follow_redirects=False).status_code == 303
    assert roles_of(world, "noor") == {"policy_officer", "manager"}


def test_administrator_removes_a_link_and_it_is_told(world: World):
    ferry = world.browser("ferry")
    noor = world.browser("noor")
    assert noor.get("/account").status_code == 200
    removed = ferry.post(f"{of(world, 'anna')}/ontkoppelen/zonnedijk", {}, follow_redirects=False)
    assert removed.status_code == 303
    assert links(world) == {"noor-1"}
    log = ferry.get("/beheer/logboek?wat=beheer").text
    assert "Account losgemaakt van de organisatie" in log
    assert "(Gemeente Zonnedijk)" in log
    assert ferry.post(f"{of(world, 'anna')}/ontkoppelen/zonnedijk", {}).status_code == 404
    assert ferry.post(f"{of(world, 'ferry')}/ontkoppelen/zonnedijk", {}).status_code == 409


def test_link_of_somebody_in_another_municipality_is_not_found(world: World):
    assert world.browser("ilse").post(f"{of(world, 'anna')}/ontkoppelen/zonnedijk", {}).status_code == 404
    assert world.browser("bram").post(f"{of(world, 'anna')}/ontkoppelen/zonnedijk", {}).status_code == 403
    assert links(world) == {"anna-1", "noor-1"}


def test_own_page_names_the_organisation(world: World):
    with world.counting_queries() as statements:
        page = world.browser("anna").get("/account").text
    assert "Gemeente Zonnedijk" in page
    assert len(statements) <= 8


def test_every_act_has_words(world: World):
    """An act without words would be a page that breaks, long after it happened."""
    from app.features.accounts.log_routes import KINDS, WORDS

    assert set(WORDS) == set(Act) == {act for _, acts in KINDS.values() for act in acts}
