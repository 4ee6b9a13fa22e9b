"""The same form sent again has no second effect, and gets the same answer."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.storage import answered_forms
from app.storage.answered_forms import KEPT_FOR
from app.storage.database import Database
from tests.features.accounts.building import PASSWORD, a_browser, a_session
from tests.features.client import World, a_world
from tests.features.steps.pages import text_of
from tests.journey.visitor import Form, forms_in

KEY = "een-sleutel-van-de-pagina"


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


@pytest.fixture
def run(world: World) -> str:
    return f"/trajecten/{world.a_run(world.browser('anna'))}"


def start(world: World, run: str, login: str = "anna", **fields: str) -> Any:
    fields = {"once": KEY, "based_on": "not-begun", **fields}
    return world.browser(login).post(f"{run}/fasen/verkennen.1/starten", fields, follow_redirects=False)


def rows(world: World) -> int:
    with world.database.owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM answered_form")).scalar_one())


def form_of(world: World, login: str, page: str, action: str = "") -> Form:
    found = forms_in(world.browser(login).get(page).text)
    return next(form for form in found if form.action == (action or page))


def test_second_time_gives_the_answer_of_the_first(world: World, run: str):
    first, second = start(world, run), start(world, run)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert "melding=stage_started" in second.headers["set-cookie"]
    assert start(world, run, once="een-andere-sleutel").status_code == 409
    assert rows(world) == 1


def test_other_content_under_the_same_key_is_refused_and_can_be_sent_all_the_same(world: World, run: str):
    page = f"{run}/fasen/verkennen.1/stappen/overzicht"
    start(world, run)
    form = form_of(world, "anna", page)
    send = world.browser("anna").client.post
    assert send(page, data={**form.values, "antwoord.naam": "Eerste"}, follow_redirects=False).status_code == 303
    refused = send(page, data={**form.values, "antwoord.naam": "Toch deze tekst"}, follow_redirects=False)
    assert refused.status_code == 422
    assert "Toch deze tekst" in text_of(refused.text)
    again = next(form for form in forms_in(refused.text) if form.action == page)
    assert again.values["once"] != form.values["once"]
    # It is still based on what was there before, so both texts are shown now.
    assert send(page, data=again.values, follow_redirects=False).status_code == 409


def test_key_counts_per_user(world: World, run: str):
    assert start(world, run).status_code == 303
    assert start(world, run, login="bram").status_code == 409


def test_refusal_may_be_tried_again_with_the_same_key(world: World, run: str):
    assert start(world, run, based_on="0" * 16).status_code == 409
    assert rows(world) == 0
    assert start(world, run).status_code == 303


def test_part_of_a_page_that_is_sent_again_leads_to_the_page(world: World, run: str):
    page = f"{run}/fasen/verkennen.1/stappen/overzicht"
    start(world, run)
    form = form_of(world, "anna", page)
    anna = world.browser("anna")
    data = {**form.values, "antwoord.naam": "Eén keer", "actie": "opslaan"}
    first = anna.client.post(page, data=data, headers={"HX-Request": "true"})
    second = anna.client.post(page, data=data, headers={"HX-Request": "true"})
    assert first.status_code == 200
    assert (second.status_code, second.headers["hx-redirect"]) == (204, page)


def test_link_is_made_once_and_told_to_nobody_twice(world: World):
    page = f"/beheer/gebruikers/{world.users['bram']}"
    form = form_of(world, "ferry", page, f"{page}/link")
    ferry = world.browser("ferry").client
    first = ferry.post(form.action, data=form.values, follow_redirects=False)
    second = ferry.post(form.action, data=form.values, follow_redirects=False)
    assert "/wachtwoord/" in first.text
    assert (second.status_code, second.headers["location"]) == (303, page)


def test_form_that_was_answered_just_before_the_session_ended_is_not_done_again(world: World, run: str):
    """The answer was lost, and in the meantime the session too: signing in and sending again finds the first."""
    assert start(world, run).status_code == 303
    with world.database.write() as session:
        session.execute(text("DELETE FROM login_session"))
    lost = world.browser("anna").client.post(
        f"{run}/fasen/verkennen.1/starten",
        data={"once": KEY, "based_on": "not-begun"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert lost.status_code == 401
    a_session(world.database, uuid.UUID(world.users["anna"]), token="sessie-anna", csrf_token="nieuw")
    kept = next(form for form in forms_in(lost.text) if "bewaard.once" in form.values)
    data = {name.removeprefix("bewaard."): value for name, value in kept.values.items() if name.startswith("bewaard.")}
    again = world.browser("anna").client.post(
        kept.values["verder"][0], data={**data, "csrf_token": "nieuw"}, follow_redirects=False
    )
    assert again.status_code == 303
    assert rows(world) == 1


def test_keys_are_kept_for_a_day_and_swept_at_sign_in(world: World, run: str):
    start(world, run)
    for passed, left in ((KEPT_FOR - timedelta(hours=1), 1), (timedelta(hours=1), 0)):
        world.clock.advance(seconds=passed.total_seconds())
        a_browser(world.app).post("/inloggen", data={"login": "bram", "password": PASSWORD})
        assert rows(world) == left


def test_one_statement_more(world: World, run: str):
    page = f"{run}/fasen/verkennen.1/stappen/overzicht"
    start(world, run)
    form = form_of(world, "anna", page)
    anna, counts = world.browser("anna").client, []
    for name, key in (("Eén", ""), ("Twee", "sleutel")):
        form = form_of(world, "anna", page)
        with world.counting_queries() as statements:
            data = {**form.values, "once": key, "antwoord.naam": name, "actie": "opslaan"}
            assert anna.post(page, data=data, follow_redirects=False).status_code == 303
        counts.append(len(statements))
    assert counts[1] == counts[0] + 1


def test_key_is_not_stored_itself(world: World, run: str):
    start(world, run)
    with world.database.owner.connect() as connection:
        stored = str(connection.execute(text("SELECT * FROM answered_form")).all())
    assert KEY not in stored
    assert answered_forms.stored_key(KEY) in stored
