"""What the command line does with accounts."""

import pytest
from sqlmodel import select

from app.policy import Role
from app.storage import accounts
from app.storage.accounts import (
    AccountError,
    LoginInvalid,
    LoginTaken,
    MunicipalityExists,
    NoRoles,
    UnknownMunicipality,
    UnknownUser,
)
from app.storage.database import Database
from app.storage.passwords import PasswordRefused, check_password
from app.storage.tables import LoginSession, User
from tests.features.accounts.building import MONDAY, PASSWORD, a_municipality, a_session, a_user

ANNA = {"login": "anna@zonnedam.example", "name": "Anna de Wit", "municipality": "Zonnedam"}


def add(database: Database, *, roles: tuple[Role, ...] = (Role.MANAGER,), password: str = PASSWORD, **changes: str):
    given = {**ANNA, **changes}
    with database.write() as session:
        return accounts.add_user(
            session,
            login=given["login"],
            name=given["name"],
            municipality=given["municipality"],
            password=password,
            roles=roles,
            at=MONDAY,
        )


def test_added_user_has_a_hash_and_roles(database: Database):
    a_municipality(database)

    id = add(database, login="  Anna@Zonnedam.example ", name=" Anna  de Wit ", roles=(Role.MANAGER, Role.AUDITOR))

    with database.read() as session:
        (line,) = accounts.list_users(session)
        stored = session.exec(select(User.password_hash)).one()
    assert (line.id, line.login, line.name, line.disabled_at) == (id, "anna@zonnedam.example", "Anna de Wit", None)
    assert [(m.municipality_name, set(m.roles)) for m in line.memberships] == [
        ("Zonnedam", {Role.MANAGER, Role.AUDITOR})
    ]
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert check_password(PASSWORD, stored)[0]


def test_accents_count_once_however_the_keyboard_makes_them(database: Database):
    a_municipality(database)
    add(database, password="één oude caf\u00e9")

    with database.read() as session:
        stored = session.exec(select(User.password_hash)).one()

    assert check_password("e\u0301e\u0301n oude cafe\u0301", stored)[0]


@pytest.mark.parametrize("password", ["", "kort", "elf tekens!", "\u0065\u0301" * 6])
def test_short_password_is_refused_with_its_length(database: Database, password: str):
    a_municipality(database)

    with pytest.raises(PasswordRefused, match="use at least 12"):
        add(database, password=password)


def test_endless_password_is_refused_without_hashing(database: Database):
    a_municipality(database)

    with pytest.raises(PasswordRefused, match="longer than 1000 bytes"):
        add(database, password="x" * 10_000_000)


@pytest.mark.parametrize("login", ["", "  ", "anna de wit", "an\x00na", "an\nna", "a" * 255])
def test_login_that_nobody_could_type_is_refused(database: Database, login: str):
    a_municipality(database)

    with pytest.raises(LoginInvalid):
        add(database, login=login)


def test_login_is_unique_in_any_case(database: Database):
    a_municipality(database)
    add(database)

    with pytest.raises(LoginTaken, match=r"anna@zonnedam\.example"):
        add(database, login="ANNA@zonnedam.example")


def test_unknown_municipality_is_answered_with_the_known_ones(database: Database):
    a_municipality(database, "Zonnedam")
    a_municipality(database, "Maanstad")

    with pytest.raises(UnknownMunicipality, match="'Zonnedma'; known: Maanstad, Zonnedam"):
        add(database, municipality="Zonnedma")


def test_user_needs_a_role_and_a_name(database: Database):
    a_municipality(database)

    with pytest.raises(NoRoles, match="policy_officer, manager, auditor, administrator"):
        add(database, roles=())
    with pytest.raises(AccountError, match="needs a name"):
        add(database, name=" ")
    with database.read() as session:
        assert accounts.list_users(session) == []


def test_roles_are_added_in_another_municipality(database: Database):
    a_municipality(database, "Zonnedam")
    a_municipality(database, "Maanstad")
    add(database)

    with database.write() as session:
        for _ in range(2):  # doing it twice changes nothing
            accounts.add_roles(session, login=ANNA["login"], municipality="Maanstad", roles=[Role.AUDITOR], at=MONDAY)

    with database.read() as session:
        (line,) = accounts.list_users(session)
    assert [(m.municipality_name, set(m.roles)) for m in line.memberships] == [
        ("Maanstad", {Role.AUDITOR}),
        ("Zonnedam", {Role.MANAGER}),
    ]


def test_disabling_ends_sessions_and_keeps_the_first_moment(database: Database):
    anna = a_user(database, roles={a_municipality(database): [Role.AUDITOR]})
    a_session(database, anna)

    with database.write() as session:
        accounts.disable_user(session, " ANNA ", at=MONDAY)
    with database.write() as session:
        accounts.disable_user(session, "anna", at=MONDAY.replace(hour=23))

    with database.read() as session:
        assert session.exec(select(LoginSession)).all() == []
        (line,) = accounts.list_users(session)
    assert line.disabled_at == MONDAY


def test_unknown_user_is_named(database: Database):
    with database.write() as session, pytest.raises(UnknownUser, match="no user with login 'bert'"):
        accounts.disable_user(session, "Bert", at=MONDAY)


def test_municipalities_are_listed_by_name_and_unique(database: Database):
    with database.write() as session:
        accounts.add_municipality(session, "Zonnedam", at=MONDAY)
        accounts.add_municipality(session, " Maan  stad ", at=MONDAY)
        with pytest.raises(MunicipalityExists):
            accounts.add_municipality(session, "Zonnedam", at=MONDAY)
        with pytest.raises(AccountError, match="needs a name"):
            accounts.add_municipality(session, " ", at=MONDAY)

    with database.read() as session:
        assert accounts.municipalities(session) == ["Maan stad", "Zonnedam"]


def test_user_without_roles_is_listed_too(database: Database):
    a_user(database, "anna")

    with database.read() as session:
        (line,) = accounts.list_users(session)
    assert (line.login, line.memberships) == ("anna", ())
