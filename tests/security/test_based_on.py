"""Every change says what it is based on; built from the routes and forms of the application themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.policy import Role, may
from app.storage.database import Database
from app.web.access import Allowed, Operating
from tests.features.client import PEOPLE, Browser, a_world, the_app
from tests.features.installation.test_installation import an_operator
from tests.journey.visitor import Form
from tests.security.prepared import add_evidence, begin, prepare_all, texts
from tests.security.routes import Route, routes_of
from tests.security.test_routes import Place, forms_of

# Changes that need not say so, and why. What is shared by several people does not belong here.
EXCEPTIONS = {
    "/taal": "a cookie of this browser",
    "/inloggen": "signing in: nobody is known yet",
    "/inloggen/code": "signing in: the code counts once",
    "/inloggen/instellen": "signing in: the code counts once",
    "/inloggen/passkey": "signing in: the challenge counts once",
    "/inloggen/organisatie/{provider}": "signing in: what goes to the provider counts once",
    "/inloggen/organisatie/{provider}/uitloggen": "a provider ends sessions, with a signed message that counts once",
    "/account/organisatie/{provider}/koppelen": "one's own account",
    "/account/organisatie/{provider}/ontkoppelen": "one's own account",
    "/wachtwoord/{link}": "the link counts once",
    "/uitloggen": "ends this session",
    "/gemeente": "a choice for this session",
    "/account/taal": "one's own account",
    "/account/gegevens": "only adds: a line in the log of accounts",
    "/account/wachtwoord": "one's own account, and it asks for the present password",
    "/account/tweede-stap/beginnen": "one's own account",
    "/account/tweede-stap/instellen": "one's own account",
    "/account/tweede-stap/herstelcodes": "one's own account",
    "/account/tweede-stap/uitzetten": "one's own account",
    "/account/sessies/andere-beeindigen": "one's own sessions",
    "/account/sessies/{session_id}/beeindigen": "one's own sessions",
    "/account/passkeys": "one's own account; the challenge counts once",
    "/account/passkeys/{passkey_id}/verwijderen": "one's own account",
    "/trajecten/nieuw": "makes something new; the plan goes by its digest",
    "/beheer/gebruikers/toevoegen": "makes something new; a login exists once",
    "/trajecten/{run_id}/advies/geven": "only adds: what others advised stays as it is",
    "/trajecten/{run_id}/nieuwe-versie/bekijken": "a preview, changes nothing",
    "/beheer/gebruikers/{user_id}/gegevens": "only adds: a line in the log of accounts",
    "/beheer/gebruikers/{user_id}/zelfde-persoon": "only adds; a second time does nothing",
    "/beheer/gegevens-wissen/zoeken": "a search, changes nothing",
    "/beheer/gegevens-wissen/personen/{user_id}": "makes something new: a request, and who decides sees what goes then",
    "/vervanging": "makes something new; together with what does not go with it, it is refused",
    "/vervanging/{mandate_id}/intrekken": "a mandate changes in no other way; a second time does nothing",
    "/installatie/gemeenten/toevoegen": "makes something new; a name exists once",
    "/installatie/gemeenten/{municipality_id}/beheerder": "only while nobody administers it",
    "/installatie/gemeenten/{municipality_id}/sluiten": "says how it should be; a second time does nothing",
    "/installatie/gemeenten/{municipality_id}/heropenen": "says how it should be; a second time does nothing",
    "/beheer/overzetten/{mass_move_id}/stoppen": "stops what goes on, whatever that is; a second time does nothing",
    "/beheer/overzetten/{mass_move_id}/verder": "goes on with what is left; a second time does nothing",
}
MANY = {"rollen", "domeinen", "team"}
# Forms that this file cannot fill in from their page; each has a test of its own.
ELSEWHERE = {
    "/beheer/stappenplannen/toevoegen": "tests/features/local_plans/test_two_people.py",
    "/trajecten/{run_id}/fasen/{ref}/checklist": "tests/features/steps/test_two_people.py, as any step",
    "/trajecten/{run_id}/advies/delen": "tests/features/advice/test_advice.py",
}

WHO = {Role.POLICY_OFFICER: "anna", Role.MANAGER: "carla", Role.ADMINISTRATOR: "ferry"}


@pytest.fixture
def place(sqlite_database: Database, tmp_path: Path) -> Place:
    world = a_world(sqlite_database, data_dir=tmp_path / "data")
    return Place(world, prepare_all(world, officer="anna", manager="carla", word="merel"))


def changes(routes: list[Route]) -> list[Route]:
    return [route for route in routes if "POST" in route.methods]


def who_may(place: Place, route: Route) -> Browser:
    if isinstance(route.policy, Operating):
        return an_operator(place.world)
    assert isinstance(route.policy, Allowed), f"{route.path}: who does this?"
    action = route.policy.action
    return place.world.browser(next(login for role, login in WHO.items() if may([role], action)))


def test_every_change_says_what_it_is_based_on_or_is_a_reasoned_exception():
    found = {route.path: route.basis for route in changes(routes_of(the_app()))}
    missing = {path for path, basis in found.items() if not basis} - EXCEPTIONS.keys()
    assert not missing, f"declare based_on(…), see app/web/based_on.py: {sorted(missing)}"
    needless = {path for path, basis in found.items() if basis} & EXCEPTIONS.keys()
    assert not needless, f"these say so: take them from the list here: {sorted(needless)}"
    assert EXCEPTIONS.keys() <= found.keys(), sorted(EXCEPTIONS.keys() - found.keys())


def test_change_that_does_not_say_so_is_refused_with_its_text_and_changes_nothing(place: Place):
    asked = [(route, who_may(place, route)) for route in changes(place.routes) if route.basis]
    before = place.everything_stored()
    for route, browser in asked:
        data = {"csrf_token": browser.csrf_token, "reden": "Wat ik hier typte, blijft."}
        answer = browser.client.post(place.address(route), data=data, follow_redirects=False)
        assert answer.status_code == 428, (route.path, answer.status_code)
        assert "Wat ik hier typte, blijft." in answer.text, route.path
    assert place.everything_stored() == before
    assert len(asked) > 25


def test_form_of_a_page_that_is_no_longer_so_changes_nothing(place: Place):
    """Every form of every page, filled in well, but with another version than what is stored."""
    begun = begin(place.world, officer="anna", manager="carla", word="meeuw")
    add_evidence(begun.team, begun.evidence_page, "link", "meeuw")
    tried: dict[str, set[int]] = {}
    for each in (place, Place(place.world, begun.prepared())):
        for login in WHO.values():
            browser = each.world.browser(login)
            before = stored(each)
            for route, form in outdated(each, browser):
                answer = browser.client.post(form.action, data=form.values, follow_redirects=False)
                tried.setdefault(route.path, set()).add(answer.status_code)
            assert stored(each) == before, login
    # Besides, a form may be refused for something else, or say nothing else than what is stored (303).
    accepted = {path: found for path, found in tried.items() if 409 not in found}
    assert not accepted
    assert len(tried) > 15, sorted(tried)


def stored(place: Place) -> dict[str, list[str]]:
    """Without the answers to forms: one that says the same as what is stored is answered as if it was saved."""
    return {name: rows for name, rows in place.everything_stored().items() if name != "answered_form"}


def outdated(place: Place, browser: Browser) -> Iterator[tuple[Route, Form]]:
    """The forms whose route says what it is based on."""
    for form in forms_of(place, browser):
        for action in dict.fromkeys([form.action, *form.other_actions.values()]):
            route = next((each for each in changes(place.routes) if each.basis and fits(each, action)), None)
            if route is not None and route.path not in ELSEWHERE:
                typed = {name: [value] for name, value in texts(form, "ekster").items()}
                ticked = {name: sorted(found - {""}) for name, found in form.options.items()}
                chosen = {name: found if name in MANY else found[-1:] for name, found in ticked.items() if found}
                basis = {name: [other(form.values[name][0])] for name in route.basis}
                form.values.update({**chosen, **typed, **basis})
                only_given_answers(form)
                form.action = action
                yield route, form


def only_given_answers(form: Form) -> None:
    """Answers say per question what they are based on; where nothing was answered nothing can be overwritten."""
    for name in [name for name in form.values if name.startswith("basis.")]:
        if form.values[name] == [""]:
            question = name.removeprefix("basis.")
            for field in [name, *(field for field in form.values if field.split(".")[:2] == ["antwoord", question])]:
                del form.values[field]
        else:
            form.values[name] = ["0" * 64]


def fits(route: Route, address: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.path), address) is not None


def other(version: str) -> str:
    """Of the same kind, so that only its value can be what is refused."""
    if version.isdecimal():
        return str(int(version) + 7)
    return "".join("f" if digit == "0" else "0" for digit in version) if version else "anders"


def test_people_of_this_file_have_the_roles_that_it_gives_them():
    assert {login: PEOPLE[login][2] for login in WHO.values()} == {login: role for role, login in WHO.items()}
