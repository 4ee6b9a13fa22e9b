"""An administrator manages the users of the own municipality, and of no other."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from app.policy import Role
from app.storage import account_links, user_admin
from app.storage.accounts import LoginTaken
from app.storage.database import Database
from app.storage.scope import set_scope
from app.storage.tables import AccountEvent, AccountLink, LoginSession, Membership, User
from app.storage.user_admin import LastAdministrator
from app.web.identity import session_id_of
from tests.databases import behind
from tests.features.accounts.building import MONDAY, OURS, PASSWORD, a_browser, a_session, with_app
from tests.features.client import Browser, World, a_world

HERE = "/beheer/gebruikers"
NEW_PASSWORD = "zes paarse laarzen fluiten"


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def of(world: World, login: str) -> str:
    return f"{HERE}/{world.users[login]}"


def link_in(html: str) -> str:
    found = re.search(rf"{OURS}(/wachtwoord/[\w-]+)", html)
    assert found, "no link on the page"
    return found[1]


def acts(world: World, place: str = "Zonnedijk") -> list[tuple[str, uuid.UUID, uuid.UUID | None]]:
    with world.reading(place) as session:
        query = select(AccountEvent.act, AccountEvent.about, AccountEvent.by).order_by(AccountEvent.at)  # type: ignore[arg-type]
        return [(act, about, by) for act, about, by in session.exec(query)]


def choose(world: World, link: str, password: str = NEW_PASSWORD, again: str | None = None) -> Any:
    typed = {"nieuw-wachtwoord": password, "nieuw-wachtwoord-2": again if again is not None else password}
    return a_browser(world.app).post(link, data=typed)


def open_browser(world: World, login: str) -> Browser:
    """Keeps its cookie as a browser does: a new one of the server takes its place."""
    browser = world.browser(login)
    token = browser.client.cookies["stappenplan"]
    browser.client.cookies.clear()
    browser.client.cookies.set("stappenplan", token, domain="testserver.local")
    return browser


def sign_in(world: World, login: str, password: str) -> Any:
    return a_browser(world.app).post("/inloggen", data={"login": login, "password": password})


# --- the list -----------------------------------------------------------------------------------------------------


def test_list_holds_everybody_of_the_own_municipality_and_nobody_else(world: World):
    page = world.browser("ferry").get(HERE).text
    for name in ("Anna de Wit", "Bram Bos", "Carla Smit", "Dirk Vos", "Emma Kok", "Ferry Mol"):
        assert name in page
    for name in ("Gwen Prins", "Hugo Kuiper", "Ilse Baan"):
        assert name not in page


@pytest.mark.parametrize(
    ("search", "found"),
    [("anna", ["Anna de Wit"]), ("BOS", ["Bram Bos"]), ("%", []), ("gwen", []), ("a_", []), ("  ", ["Anna de Wit"])],
)
def test_search_by_part_of_name_or_login(world: World, search: str, found: list[str]):
    page = world.browser("ferry").get(HERE, params={"zoek": search}).text
    names = [name for name in ("Anna de Wit", "Bram Bos", "Gwen Prins") if f">{name}</a>" in page]
    assert names[: len(found)] == found
    if not found:
        assert "Niemand gevonden" in page


# --- adding -------------------------------------------------------------------------------------------------------


def test_added_user_chooses_a_password_with_the_link_and_signs_in(world: World):
    ferry = world.browser("ferry")
    added = {"naam": "Sanne Groen", "e-mail": " Sanne@Zonnedijk.example ", "rollen": ["policy_officer", "auditor"]}

    page = ferry.post(f"{HERE}/toevoegen", added)

    assert page.status_code == 200
    link = link_in(page.text)
    assert "Welkom, Sanne Groen" in a_browser(world.app).get(link).text
    answer = choose(world, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")
    assert sign_in(world, "sanne@zonnedijk.example", NEW_PASSWORD).status_code == 303
    with world.database.read() as session:
        user = session.exec(select(User).where(User.login == "sanne@zonnedijk.example")).one()
        held = session.exec(select(Membership.role).where(Membership.user_id == user.id)).all()
        stored = session.exec(select(AccountLink.id)).all()
    assert set(held) == {"policy_officer", "auditor"}
    assert link.rsplit("/", 1)[1] not in stored
    ferry_id = uuid.UUID(world.users["ferry"])
    assert set(acts(world)) == {
        ("user_added", user.id, ferry_id),
        ("link_made", user.id, ferry_id),
        ("password_set_by_link", user.id, user.id),
        ("signed_in", user.id, user.id),
    }


def test_before_choosing_a_password_nobody_gets_in(world: World):
    world.browser("ferry").post(f"{HERE}/toevoegen", {"naam": "Sanne", "e-mail": "s@x.example", "rollen": "auditor"})
    for password in ("", "None", PASSWORD):
        assert sign_in(world, "s@x.example", password).status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"naam": ""},
        {"naam": "a\x00b"},
        {"e-mail": "geen adres"},
        {"e-mail": "anna"},
        {"rollen": []},
        {"rollen": ["koning"]},
    ],
)
def test_what_is_missing_is_named_and_the_rest_stays(world: World, changes: dict[str, Any]):
    typed = {"naam": "Sanne Groen", "e-mail": "sanne@zonnedijk.example", "rollen": ["auditor"], **changes}
    page = world.browser("ferry").post(f"{HERE}/toevoegen", typed)
    assert page.status_code == 422
    [wrong] = changes
    assert re.findall(r'id="([\w-]+)-error"', page.text) == [wrong]
    assert all(f'value="{value}"' in page.text for name, value in typed.items() if name not in {wrong, "rollen"})
    with world.database.read() as session:
        assert session.exec(select(AccountLink)).all() == []


def test_login_that_exists_is_refused_here_and_elsewhere_alike(world: World):
    with world.database.write() as session:
        for login in ("anna", "gwen"):
            session.exec(select(User).where(User.login == login)).one().login = f"{login}@example.nl"
    pages = [
        world.browser("ferry").post(
            f"{HERE}/toevoegen", {"naam": "X Y", "e-mail": f"{login}@example.nl", "rollen": ["auditor"]}
        )
        for login in ("anna", "gwen")
    ]
    assert [page.status_code for page in pages] == [422, 422]
    assert all("Er is al een account met dit e-mailadres." in page.text for page in pages)


# --- links --------------------------------------------------------------------------------------------------------


def test_link_works_once_and_ends_the_old_sessions(world: World):
    anna = world.browser("anna")
    assert anna.get("/account").status_code == 200
    link = link_in(world.browser("ferry").post(f"{of(world, 'anna')}/link", {}).text)

    assert anna.get("/account").status_code == 200  # making it ends nothing
    for _ in range(2):  # looking does not use it up
        assert a_browser(world.app).get(link).status_code == 200
    assert choose(world, link).status_code == 303
    assert anna.get("/account", follow_redirects=False).status_code == 303
    assert sign_in(world, "anna", PASSWORD).status_code == 422
    assert sign_in(world, "anna", NEW_PASSWORD).status_code == 303
    for again in (choose(world, link, "een heel ander wachtwoord"), a_browser(world.app).get(link)):
        assert again.status_code == 404
        assert "Deze link werkt niet meer" in again.text
    assert sign_in(world, "anna", NEW_PASSWORD).status_code == 303


def test_link_leaves_the_second_factor_alone(world: World):
    with_app(world.database, uuid.UUID(world.users["anna"]))
    choose(world, link_in(world.browser("ferry").post(f"{of(world, 'anna')}/link", {}).text))
    assert sign_in(world, "anna", NEW_PASSWORD).headers["location"] == "/inloggen/code"


def test_newer_link_takes_the_place_of_the_earlier_one(world: World):
    ferry = world.browser("ferry")
    old, new = (link_in(ferry.post(f"{of(world, 'anna')}/link", {}).text) for _ in range(2))
    assert choose(world, old).status_code == 404
    assert choose(world, new).status_code == 303


def test_link_ends_after_three_days(world: World):
    link = link_in(world.browser("ferry").post(f"{of(world, 'anna')}/link", {}).text)
    world.clock.advance(days=3, seconds=-1)
    assert a_browser(world.app).get(link).status_code == 200
    world.clock.advance(seconds=1)
    assert a_browser(world.app).get(link).status_code == 404
    assert choose(world, link).status_code == 404


def test_link_of_a_disabled_user_does_not_work(world: World):
    ferry = world.browser("ferry")
    link = link_in(ferry.post(f"{of(world, 'anna')}/link", {}).text)
    ferry.post(f"{of(world, 'anna')}/uitschakelen", {})
    assert choose(world, link).status_code == 404


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("", "", "Vul een nieuw wachtwoord in."),
        ("kort", "kort", "te kort"),
        ("wachtwoord2026", "wachtwoord2026", "makkelijk te raden"),
        ("Anna-de-Wit-2026", "Anna-de-Wit-2026", "makkelijk te raden"),
        ("x" * 2000, "x" * 2000, "te lang"),
        (NEW_PASSWORD, NEW_PASSWORD + " ", "niet gelijk"),
    ],
)
def test_refused_password_leaves_the_link_for_another_try(world: World, password: str, again: str, sentence: str):
    link = link_in(world.browser("ferry").post(f"{of(world, 'anna')}/link", {}).text)
    page = choose(world, link, password, again)
    assert page.status_code == 422
    assert sentence in page.text
    assert f'value="{password}"' not in page.text
    assert choose(world, link).status_code == 303


def test_page_of_a_link_allows_paste_and_helps_password_managers(world: World):
    page = a_browser(world.app).get(link_in(world.browser("ferry").post(f"{of(world, 'anna')}/link", {}).text)).text
    assert page.count('autocomplete="new-password"') == 2
    assert 'autocomplete="username"' in page
    assert "onpaste" not in page
    assert "15 of meer" in page


def test_one_link_at_the_same_moment_succeeds_once(world: World):
    with world.database.write() as session:
        token = account_links.make_link(session, uuid.UUID(world.users["anna"]), made_by=None, at=MONDAY)

    def use(number: int) -> bool:
        with world.database.write() as session:
            return account_links.use_link(session, token, password_hash=f"hash {number}", at=MONDAY)

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(use, range(6))) == 1


def test_links_made_at_the_same_moment_leave_one_that_works(world: World):
    anna = uuid.UUID(world.users["anna"])

    def make(_: int) -> str:
        with world.database.write() as session:
            return account_links.make_link(session, anna, made_by=None, at=MONDAY)

    with ThreadPoolExecutor(4) as threads:
        tokens = list(threads.map(make, range(4)))
    with world.database.read() as session:
        assert sum(account_links.find_link(session, token, at=MONDAY) is not None for token in tokens) == 1


def test_same_user_added_at_the_same_moment_exists_once(world: World):
    here = world.municipalities["Zonnedijk"]

    def add(number: int) -> bool:
        try:
            with world.database.write() as session:
                roles = [Role.AUDITOR]
                user_admin.add_person(
                    session, here, login="s@x.example", name=f"Sanne {number}", roles=roles, at=MONDAY
                )
        except LoginTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(add, range(4))) == 1


NONSENSE = [
    "",
    " \t\r\n",
    "x" * 100_000,
    "a\x00b",
    "-1",
    "9" * 400,
    "\x01\x1b[31m\u202e\ufffe",
    "=1+1",
    str(uuid.uuid4()),
]


def test_nonsense_in_any_field_is_never_our_fault(world: World):
    ferry = world.browser("ferry")
    forms: dict[str, dict[str, Any]] = {
        f"{HERE}/toevoegen": {"naam": "X Y", "e-mail": "x@y.example", "rollen": "auditor"},
        f"{of(world, 'anna')}/naam": {"naam": "Anna"},
        f"{of(world, 'anna')}/rollen": {"rollen": "auditor", "onbekend": ""},
    }
    for address, fields in forms.items():
        for field in fields:
            for value in NONSENSE:
                answer = ferry.post(address, {**fields, field: value})
                assert answer.status_code < 500, (address, field, value[:20])
                answer = ferry.post(address, {**fields, field: [value, value]})
                assert answer.status_code < 500, (address, field, value[:20])
    for query in ("zoek", "wie", "wat", "pagina"):
        for value in [*NONSENSE[:2], "x" * 3000, *NONSENSE[3:]]:
            for path in (HERE, "/beheer/logboek"):
                assert ferry.get(path, params={query: value}).status_code in {200, 400}, (query, value[:20])
    assert ferry.get(HERE).status_code == 200


def test_link_of_an_installation_with_tls_uses_the_configured_address(world: World):
    state = world.app.state
    state.secure_cookies = True
    try:
        from types import SimpleNamespace

        from app.features.accounts.visit import public_url

        request: Any = SimpleNamespace(app=world.app, base_url="http://evil.example/")
        assert public_url(request) == state.pages.site.public_url
    finally:
        state.secure_cookies = False


# --- roles --------------------------------------------------------------------------------------------------------


def test_changed_roles_count_at_the_next_request_and_give_the_session_a_new_id(world: World):
    anna = open_browser(world, "anna")
    assert anna.get("/trajecten/nieuw").status_code == 200

    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["auditor"]})

    assert anna.get("/trajecten/nieuw").status_code == 403
    token = anna.client.cookies["stappenplan"]
    assert token != "sessie-anna"
    with world.database.read() as session:
        ids = session.exec(select(LoginSession.id).where(LoginSession.user_id == uuid.UUID(world.users["anna"]))).all()
    assert ids == [session_id_of(token)]
    assert anna.get("/account").status_code == 200
    assert anna.client.cookies["stappenplan"] == token  # once
    old = a_browser(world.app, token="sessie-anna")
    assert old.get("/account").status_code == 303


def test_page_that_brings_the_new_id_knows_it_too(world: World):
    anna = open_browser(world, "anna")
    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["auditor"]})
    page = anna.get("/account").text
    assert "Deze sessie" in page
    assert "/beeindigen" not in page


def test_new_id_comes_with_a_change_too_and_open_forms_stay_usable(world: World):
    anna = open_browser(world, "anna")
    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["policy_officer", "auditor"]})

    answer = anna.post("/account/taal", {"taal": "nl"}, follow_redirects=False)

    assert answer.status_code == 303
    token = anna.client.cookies["stappenplan"]
    assert token != "sessie-anna"
    assert anna.get("/account").status_code == 200


def test_change_that_fails_leaves_the_old_id(world: World):
    """Its transaction is undone, and with it the new id."""
    anna = open_browser(world, "anna")
    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["policy_officer", "auditor"]})

    answer = anna.post(f"/trajecten/{uuid.uuid4()}/naam", {"naam": "x"}, follow_redirects=False)

    assert answer.status_code in {404, 405}
    assert "stappenplan=" not in answer.headers.get("set-cookie", "")
    assert anna.client.cookies["stappenplan"] == "sessie-anna"
    assert anna.get("/account").status_code == 200
    assert anna.client.cookies["stappenplan"] != "sessie-anna"


def test_signing_out_wins_from_a_new_id(world: World):
    anna = open_browser(world, "anna")
    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["auditor"]})

    answer = anna.post("/uitloggen", {}, follow_redirects=False)

    assert answer.headers["location"] == "/inloggen"
    cookies = [value for value in answer.headers.get_list("set-cookie") if value.startswith("stappenplan=")]
    assert len(cookies) == 1
    assert 'stappenplan=""' in cookies[0]
    with world.database.read() as session:
        left = select(LoginSession).where(LoginSession.user_id == uuid.UUID(world.users["anna"]))
        assert session.exec(left).all() == []


def test_roles_in_the_log_before_and_after(world: World):
    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["manager"]})
    with world.reading() as session:
        detail = session.exec(select(AccountEvent.detail)).one()
    assert detail == {"before": ["policy_officer"], "roles": ["manager"]}


def test_nobody_is_left_without_a_role(world: World):
    page = world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {})
    assert page.status_code == 409
    assert "Kies minstens één rol." in page.text
    assert acts(world) == []


@pytest.mark.parametrize(
    ("act", "fields"), [("rollen", {"rollen": ["manager"]}), ("uitschakelen", {}), ("tweede-stap-wissen", {})]
)
def test_administrator_does_not_do_this_to_the_own_account(world: World, act: str, fields: dict[str, Any]):
    page = world.browser("ferry").post(f"{of(world, 'ferry')}/{act}", fields)
    assert page.status_code == 409
    assert "Vraag een andere beheerder." in page.text
    assert acts(world) == []


def test_two_administrators_can_not_take_each_others_role_at_once(world: World):
    here = world.municipalities["Zonnedijk"]
    people = [uuid.UUID(world.users[login]) for login in ("ferry", "anna")]
    with world.database.write() as session:
        session.add(Membership(user_id=people[1], municipality_id=here, role="administrator", created_at=MONDAY))

    def demote(user_id: uuid.UUID) -> bool:
        try:
            with world.database.write() as session:
                user_admin.set_roles(session, here, user_id, [Role.AUDITOR], at=MONDAY)
        except LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(demote, people)) == [False, True]


def test_last_administrator_stays(world: World):
    here, ferry = world.municipalities["Zonnedijk"], uuid.UUID(world.users["ferry"])
    for act in (
        lambda session: user_admin.set_roles(session, here, ferry, [Role.AUDITOR], at=MONDAY),
        lambda session: user_admin.disable(session, here, ferry, at=MONDAY),
    ):
        with pytest.raises(LastAdministrator), world.database.write() as session:
            act(session)


# --- disabling, second factor, name -------------------------------------------------------------------------------


def test_disabled_user_is_out_at_the_next_request_and_back_after_enabling(world: World):
    anna, ferry = world.browser("anna"), world.browser("ferry")
    assert anna.get("/").status_code == 200

    page = ferry.post(f"{of(world, 'anna')}/uitschakelen", {})

    assert "Dit account is uitgeschakeld" in page.text
    assert anna.get("/", follow_redirects=False).headers["location"] == "/inloggen"
    assert sign_in(world, "anna", PASSWORD).status_code == 422
    ferry.post(f"{of(world, 'anna')}/inschakelen", {})
    assert sign_in(world, "anna", PASSWORD).status_code == 303
    told = [act for act, _, _ in acts(world)]
    assert told.count("user_disabled") == told.count("user_enabled") == 1


def test_resetting_the_second_factor_removes_it_ends_sessions_and_is_told(world: World):
    anna_id = uuid.UUID(world.users["anna"])
    with_app(world.database, anna_id)
    anna = world.browser("anna")

    page = world.browser("ferry").post(f"{of(world, 'anna')}/tweede-stap-wissen", {})

    assert "De tweede stap is verwijderd." in page.text
    assert anna.get("/", follow_redirects=False).status_code == 303
    assert sign_in(world, "anna", PASSWORD).headers["location"] == "/"
    assert ("second_factor_reset", anna_id, uuid.UUID(world.users["ferry"])) in acts(world)


def test_name_is_changed_and_told(world: World):
    page = world.browser("ferry").post(f"{of(world, 'anna')}/naam", {"naam": "Anna Groen-de Wit"})
    assert "De naam is gewijzigd." in page.text
    assert "Anna Groen-de Wit" in world.browser("anna").get("/account").text
    assert [act for act, _, _ in acts(world)] == ["name_changed"]


# --- other municipalities -----------------------------------------------------------------------------------------

ACTS = {
    "": None,
    "/naam": {"naam": "Overgenomen"},
    "/rollen": {"rollen": ["auditor"]},
    "/link": {},
    "/uitschakelen": {},
    "/inschakelen": {},
    "/tweede-stap-wissen": {},
}


@pytest.mark.parametrize("act", ACTS)
def test_user_of_another_municipality_is_not_found_like_one_that_is_not_there(world: World, act: str):
    ilse, fields = world.browser("ilse"), ACTS[act]
    for user in (world.users["anna"], str(uuid.uuid4()), "geen-id"):
        address = f"{HERE}/{user}{act}"
        answer = ilse.get(address) if fields is None else ilse.post(address, fields)
        assert answer.status_code == 404, address
    assert acts(world) == acts(world, "Veldermeer") == []
    assert world.browser("anna").get("/").status_code == 200


def test_who_also_works_elsewhere_keeps_the_account_out_of_one_administrators_hands(world: World):
    gwen = uuid.UUID(world.users["gwen"])
    with world.database.write() as session:
        here = world.municipalities["Zonnedijk"]
        session.add(Membership(user_id=gwen, municipality_id=here, role="auditor", created_at=MONDAY))
    ferry = world.browser("ferry")

    for act in ("/naam", "/link", "/uitschakelen", "/inschakelen", "/tweede-stap-wissen"):
        page = ferry.post(of(world, "gwen") + act, ACTS[act] or {})
        assert page.status_code == 409, act
        assert "werkt ook voor een andere gemeente" in page.text
        assert "/wachtwoord/" not in page.text
    assert ferry.post(f"{of(world, 'gwen')}/rollen", {"rollen": ["manager"]}).status_code == 200
    assert ferry.post(f"{of(world, 'gwen')}/rollen", {}, follow_redirects=False).headers["location"] == HERE
    assert ferry.get(of(world, "gwen")).status_code == 404
    with world.database.read() as session:
        held = session.exec(select(Membership.municipality_id).where(Membership.user_id == gwen)).all()
    assert held == [world.municipalities["Veldermeer"]]
    assert {act for act, _, _ in acts(world)} == {"roles_changed"}
    assert acts(world, "Veldermeer") == []  # which roles somebody has elsewhere is not theirs to know


# --- the log ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", ["UPDATE account_event SET act = 'x'", "DELETE FROM account_event", "TRUNCATE account_event"]
)
def test_log_can_not_be_changed_or_shortened(world: World, change: str):
    if world.database.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM account_event WHERE act = 'name_changed'"  # SQLite has no TRUNCATE
    world.browser("ferry").post(f"{of(world, 'anna')}/naam", {"naam": "Anna Groen"})
    with (
        pytest.raises(IntegrityError, match="account_event is append-only"),
        behind(world.database).begin() as connection,
    ):
        connection.execute(text(change))
    assert len(acts(world)) == 1


def test_log_shows_who_did_what_about_whom_when_and_from_where(world: World):
    world.browser("ferry").post(f"{of(world, 'anna')}/rollen", {"rollen": ["manager"]})
    a_browser(world.app).post("/inloggen", data={"login": "anna", "password": "verkeerd wachtwoord"})
    for reader in ("ferry", "emma"):
        page = world.browser(reader).get("/beheer/logboek").text
        for words in ("Rollen gewijzigd", "leidinggevende", "eerst:", "Anna de Wit", "Ferry Mol", "23 november 2026"):
            assert words in page, words
        assert "Verkeerd wachtwoord" in page
        assert "niet ingelogd" in page


def test_log_is_of_the_own_municipality(world: World):
    world.browser("ferry").post(f"{of(world, 'anna')}/naam", {"naam": "Anna Groen"})
    page = world.browser("ilse").get("/beheer/logboek", params={"wie": world.users["anna"]}).text
    assert "Anna" not in page
    assert "Niets gevonden" in page


def test_log_can_be_filtered_and_forgets_to_show_after_ninety_days(world: World):
    ferry = world.browser("ferry")
    ferry.post(f"{of(world, 'anna')}/naam", {"naam": "Anna Groen"})
    ferry.post(f"{of(world, 'bram')}/uitschakelen", {})

    rows = [
        (params, len(re.findall(r"<tr", ferry.get("/beheer/logboek", params=params).text)) - 1)
        for params in (
            {},
            {"wie": world.users["anna"]},
            {"wie": world.users["ferry"]},
            {"wat": "beheer"},
            {"wat": "inloggen"},
            {"wat": "onzin", "wie": "onzin"},
        )
    ]
    assert [count for _, count in rows] == [2, 1, 2, 2, -1, 2]
    world.clock.advance(days=90, seconds=1)
    a_session(world.database, uuid.UUID(world.users["ferry"]), token="later", at=world.clock.at)
    assert "Niets gevonden" in a_browser(world.app, token="later").get("/beheer/logboek").text


def test_log_has_pages(world: World):
    ferry_id = uuid.UUID(world.users["ferry"])
    from app.storage.account_log import Act, Trace, note

    with world.database.write() as session:
        for number in range(120):
            trace = Trace(by=ferry_id, at=MONDAY - timedelta(minutes=number), address="192.0.2.77")
            note(session, Act.SIGNED_IN, about=ferry_id, trace=trace)
    page = world.browser("emma").get("/beheer/logboek?pagina=3").text
    assert "Pagina 3 van 3" in page
    assert len(re.findall("<tr", page)) == 21
    assert "192.0.2.*" in page
    assert "192.0.2.77" not in page


def test_sign_in_is_told_to_every_municipality_of_the_user(world: World):
    gwen = uuid.UUID(world.users["gwen"])
    with world.database.write() as session:
        here = world.municipalities["Zonnedijk"]
        session.add(Membership(user_id=gwen, municipality_id=here, role="auditor", created_at=MONDAY))
    sign_in(world, "gwen", PASSWORD)
    assert acts(world) == acts(world, "Veldermeer") == [("signed_in", gwen, gwen)]


def test_events_hold_no_names(world: World):
    sign_in(world, "anna", PASSWORD)
    world.browser("ferry").post(f"{of(world, 'anna')}/naam", {"naam": "Anna Groen"})
    with world.database.read() as session:
        set_scope(session, world.municipalities["Zonnedijk"])
        told = repr([row.model_dump() for row in session.exec(select(AccountEvent))])
    for word in ("Anna", "anna", "Groen", "Ferry"):
        assert word not in told
