"""Two accounts of one person: recorded by an administrator, counted everywhere, shown only where both are known."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from app.engine.people import People
from app.storage import people
from app.storage.database import Database
from app.storage.tables import AccountEvent, Membership, User
from tests.features.client import World, a_world
from tests.features.steps.pages import text_of

HERE = "/beheer/gebruikers"


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def connect(world: World, one: str, login: str, by: str = "ferry") -> Any:
    address = f"{HERE}/{world.users[one]}/zelfde-persoon"
    return world.browser(by).post(address, {"ander": login}, follow_redirects=False)


def disconnect(world: World, one: str, other: str, by: str = "ferry") -> Any:
    address = f"{HERE}/{world.users[one]}/andere-persoon"
    return world.browser(by).post(address, {"ander": world.users[other]}, follow_redirects=False)


def persons(world: World, *logins: str) -> People:
    with world.database.read() as session:
        return people.persons_of(session, [world.users[login] for login in logins])


def is_one(world: World, one: str, other: str) -> bool:
    return persons(world, one, other).is_same(world.users[one], world.users[other])


def test_an_administrator_says_that_two_accounts_are_one_person_and_takes_it_back(world: World):
    assert connect(world, "anna", " CARLA ").status_code == 303
    assert connect(world, "carla", "anna").status_code == 303, "twice is once"
    assert is_one(world, "anna", "carla")
    assert "Carla Smit" in text_of(world.browser("ferry").get(f"{HERE}/{world.users['anna']}").text)

    assert disconnect(world, "carla", "anna").status_code == 303
    assert not is_one(world, "anna", "carla")
    with world.reading() as session:
        acts = [(e.act, str(e.about), e.detail["other"]) for e in session.exec(select(AccountEvent))]
    both = [(world.users["anna"], world.users["carla"]), (world.users["carla"], world.users["anna"])]
    assert sorted(acts) == sorted(
        (act, *pair) for act in ("accounts_connected", "accounts_disconnected") for pair in both
    )
    assert "van één persoon zijn: Carla Smit" in text_of(world.browser("emma").get("/beheer/logboek").text)


def test_what_hangs_together_is_one_person(world: World):
    connect(world, "anna", "bram")
    connect(world, "bram", "carla")
    assert is_one(world, "anna", "carla")

    disconnect(world, "anna", "bram")
    assert not is_one(world, "anna", "bram")
    assert is_one(world, "bram", "carla")


def test_what_was_said_anew_since_the_page_was_shown_is_not_taken_back(world: World):
    connect(world, "anna", "carla")
    ferry, address = world.browser("ferry"), f"{HERE}/{world.users['anna']}/andere-persoon"
    fields = {"ander": world.users["carla"]}
    shown = {**fields, **ferry.basis(address, fields)}
    assert f'value="{shown["based_on"]}"' in ferry.get(f"{HERE}/{world.users['anna']}").text
    disconnect(world, "anna", "carla")
    connect(world, "carla", "anna")

    assert ferry.post(address, shown, follow_redirects=False).status_code == 409
    assert is_one(world, "anna", "carla")


@pytest.mark.parametrize("login", ["gwen", "bestaat-niet", "anna"])
def test_an_account_elsewhere_looks_like_one_that_does_not_exist(world: World, login: str):
    answer = connect(world, "anna", login)

    assert answer.status_code == 422
    assert "Niemand anders in uw gemeente heeft dit e-mailadres." in text_of(answer.text)
    assert f'value="{login}"' in answer.text
    assert disconnect(world, "anna", "gwen").status_code == 404


def test_a_link_counts_elsewhere_without_showing_an_account_that_works_elsewhere(world: World):
    """Gwen of Veldermeer is Hugo, and the installation knows that Hugo is Anna: here nobody reads of them."""
    anna, hugo = uuid.UUID(world.users["anna"]), uuid.UUID(world.users["hugo"])
    connect(world, "gwen", "hugo", by="ilse")
    with world.database.write() as session:
        people.connect(session, anna, hugo, municipality_id=None, by=None, at=world.clock())
    assert is_one(world, "anna", "gwen")

    page = world.browser("ferry").get(f"{HERE}/{world.users['anna']}").text
    log = world.browser("ferry").get("/beheer/logboek").text
    for secret in ("Gwen Prins", "Hugo Kuiper", world.users["gwen"], world.users["hugo"], "andere-persoon"):
        assert secret not in page + log


def test_what_was_found_out_elsewhere_is_not_taken_back_here(world: World):
    anna, bram = uuid.UUID(world.users["anna"]), uuid.UUID(world.users["bram"])
    with world.database.write() as session:
        people.connect(session, anna, bram, municipality_id=None, by=None, at=world.clock())

    assert "Dit is niet hier vastgelegd." in text_of(world.browser("ferry").get(f"{HERE}/{anna}").text)
    disconnect(world, "anna", "bram")
    assert is_one(world, "anna", "bram")


def test_nobody_makes_two_people_of_oneself(world: World):
    connect(world, "ferry", "carla")

    assert disconnect(world, "ferry", "carla").status_code == 409
    assert disconnect(world, "carla", "ferry").status_code == 409
    assert is_one(world, "ferry", "carla")


@pytest.mark.parametrize("login", ["anna", "carla", "emma"])
def test_only_an_administrator_says_so(world: World, login: str):
    assert connect(world, "anna", "bram", by=login).status_code == 403
    assert disconnect(world, "anna", "bram", by=login).status_code == 403


def test_an_administrator_of_another_municipality_finds_nobody(world: World):
    assert connect(world, "anna", "bram", by="ilse").status_code == 404
    assert not is_one(world, "anna", "bram")


def test_an_address_that_a_provider_vouches_for_tells_that_two_accounts_are_one_person(world: World):
    here = world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        made = User(login="organisatie/anna", name="Anna de Wit", created_at=world.clock())
        session.add(made)
        session.flush()
        people.connect_by_email(session, made.id, " Anna ", municipality_id=here, at=world.clock())
        id = str(made.id)
    with world.database.read() as session:
        assert people.persons_of(session, [id, world.users["anna"]]).is_same(id, world.users["anna"])
        assert not people.persons_of(session, [id, world.users["bram"]]).is_same(id, world.users["bram"])


def test_a_provider_says_nothing_about_people_of_another_municipality(world: World):
    """Otherwise whoever runs the one of Veldermeer could make two colleagues in Zonnedijk one person."""
    with world.database.write() as session:
        made = User(login="organisatie/anna", name="Anna de Wit", created_at=world.clock())
        session.add(made)
        session.flush()
        there = world.municipalities["Veldermeer"]
        people.connect_by_email(session, made.id, "anna", municipality_id=there, at=world.clock())
        id = str(made.id)
    with world.database.read() as session:
        assert not people.persons_of(session, [id, world.users["anna"]]).is_same(id, world.users["anna"])


def test_an_address_also_tells_of_an_account_that_works_nowhere_any_more(world: World):
    anna, here = world.users["anna"], world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        session.execute(delete(Membership).where(col(Membership.user_id) == uuid.UUID(anna)))
        made = User(login="organisatie/anna", name="Anna de Wit", created_at=world.clock())
        session.add(made)
        session.flush()
        people.connect_by_email(session, made.id, "anna", municipality_id=here, at=world.clock())
        id = str(made.id)
    with world.database.read() as session:
        assert people.persons_of(session, [id, anna]).is_same(id, anna)
