"""Operators manage municipalities without reading what is in them."""

import re
import uuid

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.storage import installation, logins
from app.storage.database import Database
from app.storage.marks import mark
from app.storage.open_sessions import Via
from app.storage.scope import unscoped
from app.web.identity import ABSOLUTE, session_id_of
from tests.features.accounts.building import MONDAY, a_session
from tests.features.client import Browser, World, a_world
from tests.journey.visitor import forms_in


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def an_operator(world: World, login: str = "otto") -> Browser:
    """Somebody without any role; or, for a login of the world, with one."""
    with world.database.write() as session:
        unscoped(session, "operators belong to no municipality")
        known = world.users.get(login)
        name = None if known else "Otto Beheer"
        if known:
            login = session.execute(
                sa.text("SELECT login FROM user_account WHERE id = :id"), {"id": _as_stored(session, known)}
            ).scalar_one()
        user, _ = installation.add_operator(session, login=login, name=name, at=MONDAY)
    a_session(world.database, user, token="sessie-beheer", csrf_token="csrf-beheer", at=world.clock.at)
    return Browser(world.app, "sessie-beheer", "csrf-beheer")


def _as_stored(session: Session, id: str) -> object:
    return uuid.UUID(id).hex if session.get_bind().dialect.name == "sqlite" else uuid.UUID(id)


def test_operator_sees_numbers_only_and_no_run(world: World):
    run = world.a_run(world.browser("anna"))
    otto = an_operator(world)
    page = otto.get("/")
    assert page.url.path == "/installatie"
    assert re.search(r"Zonnedijk</a></td>\s*<td[^>]*>7</td>\s*<td[^>]*>1</td>", page.text)
    assert "Wonen voor iedereen" not in page.text
    assert "Anna" not in page.text
    for address in (f"/trajecten/{run}", "/beheer/gebruikers", "/geschiedenis/export"):
        assert otto.get(address, follow_redirects=False).headers["location"].startswith("/installatie")


@pytest.mark.parametrize("login", ["anna", "ferry", "emma", "kees"])
def test_nobody_else_gets_in(world: World, login: str):
    assert world.browser(login).get("/installatie").status_code == 403
    assert world.browser(login).post("/installatie/gemeenten/toevoegen", {}).status_code == 403


def test_operator_with_a_role_acts_in_the_municipality_as_that_role_only(world: World):
    emma = an_operator(world, "emma")
    assert emma.get("/installatie").status_code == 200
    assert emma.get("/beheer/gebruikers").status_code == 403
    assert emma.get("/").status_code == 200


def test_session_that_a_provider_opened_gives_nothing_outside_its_municipality(world: World):
    """Whoever runs the provider of one municipality could otherwise sign in as an operator of all."""
    an_operator(world, "emma")
    via = Via("zonnedijk", world.municipalities["Zonnedijk"])
    with world.database.write() as session:
        logins.open_session(
            session,
            session_id_of("sessie-organisatie"),
            user_id=uuid.UUID(world.users["emma"]),
            municipality_id=None,
            csrf_token="csrf-organisatie",
            at=world.clock.at,
            expires_at=world.clock.at + ABSOLUTE,
            via=via,
        )
    emma = Browser(world.app, "sessie-organisatie", "csrf-organisatie")
    assert emma.get("/").status_code == 200
    assert emma.get("/installatie").status_code == 403
    assert emma.post("/installatie/gemeenten/toevoegen", {}).status_code == 403


def test_municipality_is_made_with_a_link_for_its_first_administrator_and_only_one(world: World):
    otto = an_operator(world)
    fields = {"gemeente": "Nieuwdorp", "naam": "Nel Nieuw", "e-mail": "nel@nieuwdorp.example"}
    made = otto.post("/installatie/gemeenten/toevoegen", fields)
    assert made.status_code == 200
    assert re.search(r"/wachtwoord/[\w-]{20,}", made.text)
    again = otto.post("/installatie/gemeenten/toevoegen", fields)
    assert again.status_code == 422
    assert "Er is al een gemeente met deze naam." in again.text
    [place] = re.findall(r"(/installatie/gemeenten/[0-9a-f-]{36})\">Nieuwdorp", otto.get("/installatie").text)
    second = otto.post(f"{place}/beheerder", {"naam": "Nog een", "e-mail": "ander@nieuwdorp.example"})
    assert second.status_code == 422
    assert "heeft al een beheerder" in second.text
    taken = otto.post("/installatie/gemeenten/toevoegen", {**fields, "gemeente": "Anderdorp"})
    assert taken.status_code == 422
    assert "Anderdorp" not in otto.get("/installatie").text


def test_form_of_an_operator_sent_twice_counts_once_and_gives_one_link(world: World):
    otto, page = an_operator(world), "/installatie/gemeenten/toevoegen"
    form = next(form for form in forms_in(otto.get(page).text) if form.action == page)
    typed = {"gemeente": "Nieuwdorp", "naam": "Nel Nieuw", "e-mail": "nel@nieuwdorp.example"}
    first, second = (otto.client.post(page, data={**form.values, **typed}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert "/wachtwoord/" in first.text
    assert second.url.path.startswith("/installatie/gemeenten/")
    assert "/wachtwoord/" not in second.text
    assert otto.get("/installatie").text.count("Nieuwdorp</a>") == 1
    with world.database.owner.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM account_link")).scalar_one() == 1


def test_closing_puts_everybody_out_and_reopening_lets_them_in_and_the_administrators_see_it(world: World):
    otto, anna = an_operator(world), world.browser("anna")
    run = world.a_run(anna)
    [place] = re.findall(r"(/installatie/gemeenten/[0-9a-f-]{36})\">Zonnedijk", otto.get("/installatie").text)
    assert otto.post(f"{place}/sluiten", {}, follow_redirects=False).status_code == 303
    assert "Zonnedijk is gesloten" in anna.get(f"/trajecten/{run}").text
    assert world.browser("gwen").get("/").status_code == 200
    assert otto.post(f"{place}/heropenen", {}, follow_redirects=False).status_code == 303
    renamed = {"gemeente": "Zonnedijk aan Zee", "based_on": mark("Zonnedijk")}
    assert otto.post(f"{place}/naam", renamed, follow_redirects=False).status_code == 303
    assert anna.get(f"/trajecten/{run}").status_code == 200
    log = world.browser("ferry").get("/beheer/logboek?wat=installatie").text
    for words in ("Gemeente gesloten", "Gemeente heropend", "Naam van de gemeente gewijzigd", "Otto Beheer"):
        assert words in log
    assert "Otto Beheer" not in world.browser("ilse").get("/beheer/logboek?wat=installatie").text


def test_name_that_another_operator_changed_meanwhile_is_not_overwritten_unseen(world: World):
    otto = an_operator(world)
    place = f"/installatie/gemeenten/{world.municipalities['Zonnedijk']}"
    shown = re.findall(r'name="based_on" value="(\w+)"', otto.get(place).text)
    assert shown == [mark("Zonnedijk")]
    with world.database.write() as session:
        installation.rename(session, world.municipalities["Zonnedijk"], "Duinstad")

    refused = otto.post(f"{place}/naam", {"gemeente": "Zeestad", "based_on": shown[0]})

    assert (refused.status_code, "Duinstad" in refused.text, 'value="Zeestad"' in refused.text) == (409, True, True)
    again = {"gemeente": "Zeestad", "based_on": mark("Duinstad")}
    assert otto.post(f"{place}/naam", again, follow_redirects=False).status_code == 303
    assert otto.post(f"{place}/naam", {"gemeente": "Weer anders"}).status_code == 428


def test_administrator_of_a_municipality_cannot_take_over_the_account_of_an_operator(world: World):
    an_operator(world, "anna")
    ferry = world.browser("ferry")
    assert ferry.post(f"/beheer/gebruikers/{world.users['anna']}/link", {}).status_code == 409


def test_disabled_operator_is_out_at_the_next_request(world: World):
    otto = an_operator(world)
    with world.database.write() as session:
        unscoped(session, "operators belong to no municipality")
        installation.disable_operator(session, "otto", at=MONDAY)
    assert otto.get("/installatie").status_code == 403
